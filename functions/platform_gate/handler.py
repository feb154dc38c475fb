"""What Lambda calls: the order of the steps."""

from __future__ import annotations

import logging
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from . import bootstrap, broker, database, services
from .aws import Clients, refusal, with_rights
from .errors import RUN_AGAIN, GateError
from .event import Event, parse
from .kinds import SecretKind
from .missing_secrets import Store
from .pace import Pace

log = logging.getLogger(__name__)


def handle(event: Any, context: Any) -> dict[str, Any]:
    """Open the gate, or raise what closes it; Lambda hands the error to Pulumi, which fails the update with it.

    Args:
        event: What `event.parse` reads.
        context: Lambda's own; it knows how much time is left.

    """
    # At the level DEBUG botocore logs whole requests, with the secret values in them.
    logging.getLogger("botocore").setLevel(logging.INFO)
    return open_gate(parse(event), Clients.connect(), Pace(context.get_remaining_time_in_millis))


def open_gate(event: Event, clients: Clients, pace: Pace) -> dict[str, Any]:
    """Do all steps; each one may be repeated, and finds what an earlier run of the gate has done."""
    try:
        return _steps(event, clients, pace)
    except ClientError as error:
        raise refusal(error) from None
    except BotoCoreError as error:
        # Its text may quote the request.
        raise GateError(f"AWS did not answer ({type(error).__name__})", RUN_AGAIN) from None


def _steps(event: Event, clients: Clients, pace: Pace) -> dict[str, Any]:
    with_rights(pace, lambda: database.wait_until_it_serves(clients.rds, event.database, pace))
    store, made = Store(clients.secrets_manager, event.secret_arns, pace), list[SecretKind]()
    with_rights(
        pace,
        lambda: store.fill(host_name=event.host_name, broker_user=event.broker_user_id, made=made),
    )
    login = with_rights(pace, lambda: store.login(SecretKind.BROKER_USER))
    with_rights(
        pace,
        lambda: broker.enable(
            clients.elasticache, event.broker_user_id, event.broker_access_string, login, pace
        ),
    )
    running = with_rights(pace, lambda: services.any_running(clients.ecs, event.bootstrap.cluster))
    task = with_rights(
        pace, lambda: bootstrap.run(clients.ecs, event.bootstrap, pace, services_running=running)
    )
    return {"secretsMade": [kind.value for kind in made], "bootstrapTask": task}
