"""The AWS clients, and what their refusals mean."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from .errors import RUN_AGAIN, GateError
from .pace import Pace

CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 4}, connect_timeout=5, read_timeout=10)
DENIED = ("AccessDenied", "AccessDeniedException")
RIGHTS_PATIENCE_SECONDS = 90
RIGHTS_PAUSE_SECONDS = 5

Result = TypeVar("Result")
log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Clients:
    """One client a service; boto3 makes their methods at run time, so they have no type."""

    rds: Any
    secrets_manager: Any
    elasticache: Any
    ecs: Any

    @classmethod
    def connect(cls, session: Any = None) -> Clients:
        """Make the clients; throttled and failed calls are repeated by botocore itself."""
        session = session or boto3.Session()
        return cls(
            rds=session.client("rds", config=CONFIG),
            secrets_manager=session.client("secretsmanager", config=CONFIG),
            elasticache=session.client("elasticache", config=CONFIG),
            ecs=session.client("ecs", config=CONFIG),
        )


def code_of(error: ClientError) -> str:
    """Return AWS's name for an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def with_rights(pace: Pace, step: Callable[[], Result]) -> Result:
    """Do a step; repeat it while IAM does not know the roles' new policies yet.

    AWS puts a policy in force some seconds after it accepted it, and the gate runs right after its role was made.
    A step must bear repetition.
    """
    give_up_at = pace.now() + RIGHTS_PATIENCE_SECONDS
    while True:
        try:
            return step()
        except ClientError as error:
            if not _denied(error) or pace.now() >= give_up_at:
                raise
            log.info("%s is not allowed yet", error.operation_name)
            pace.pause(RIGHTS_PAUSE_SECONDS, f"{error.operation_name} is not allowed yet")


def refusal(error: ClientError) -> GateError:
    """Return the gate's own error for a refused call."""
    message = str(error.response.get("Error", {}).get("Message", ""))
    remedy = (
        "compare the policy of the gate's role with the account's guardrails"
        if _denied(error)
        else f"{RUN_AGAIN}; if AWS refuses it again, the message says what is wrong"
    )
    return GateError(f"AWS refused {error.operation_name} ({code_of(error)}, {message})", remedy)


def _denied(error: ClientError) -> bool:
    # ECS checks in RunTask whether it can use the task's roles, and reports a role that is too new with this text.
    message = str(error.response.get("Error", {}).get("Message", ""))
    return code_of(error) in DENIED or "unable to assume the" in message.lower()
