"""A simulated account with everything that the gate works on, and faults at any of its calls.

Moto plays AWS; what it cannot do has a stand-in, asked before and after every call.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import boto3
from botocore.handlers import disable_signing
from moto import mock_aws
from moto.backends import get_backend
from moto.core.base_backend import BackendDict

from functions.platform_gate import handler
from functions.platform_gate.aws import Clients
from functions.platform_gate.event import Event, parse
from functions.platform_gate.kinds import LOGINS, SecretKind
from functions.platform_gate.pace import Pace
from tests.functions.stand_ins import (
    ACCOUNT,
    CLUSTER,
    CONTAINER,
    REGION,
    USER,
    BrokerUsers,
    Fargate,
    FargateTask,
)

DATABASE = "airflow-dev"
FAMILY = "airflow-dev-bootstrap"
HOST = "api-server.dev.airflow.internal"
ACCESS_STRING = "on ~* &* +@all -@admin -@dangerous +info"
LAMBDA_SECONDS = 900

Hook = Callable[[int, str], None]


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.sleeps: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.seconds += seconds

    def pace(self, lifetime: float = LAMBDA_SECONDS) -> Pace:
        """Return the pace of a function that begins to live now."""
        end = self.seconds + lifetime
        return Pace(lambda: int((end - self.seconds) * 1000), sleep=self.sleep, now=lambda: self.seconds)


class Account:
    """The account, the gate's clients in it, and the log of its calls."""

    def __init__(self, clients: Clients) -> None:
        self.clients, self.clock = clients, Clock()
        self.calls: list[str] = []
        self.before: Hook | None = None
        """Called before every call of the gate, with its number and operation."""
        self.after: Hook | None = None
        """The same, after AWS has done it."""
        self.arns = self._make_secrets()
        task_definition = self._make_platform()
        self.fargate, self.users = Fargate(), BrokerUsers()
        self.event = event(self.arns, task_definition)
        for client in self._all():
            client.meta.events.register("before-call", self._before, "before")
            client.meta.events.register("after-call", self._after, "after")

    def close(self) -> None:
        """Leave the clients as they were."""
        for client in self._all():
            client.meta.events.unregister("before-call", unique_id="before")
            client.meta.events.unregister("after-call", unique_id="after")

    def gate(self, lifetime: float = LAMBDA_SECONDS) -> dict[str, Any]:
        """Run the gate."""
        return handler.open_gate(self.parsed, self.clients, self.clock.pace(lifetime))

    @property
    def parsed(self) -> Event:
        return parse(self.event)

    def values(self) -> dict[SecretKind, str]:
        """Return the values of all secrets that have one."""
        model = _backend("secretsmanager")
        found = {}
        for kind, arn in self.arns.items():
            for version in model.secrets[arn].versions.values():
                if "AWSCURRENT" in version["version_stages"]:
                    found[kind] = str(version["secret_string"])
        return found

    def put(self, kind: SecretKind, value: str, **more: Any) -> None:
        """Give a secret a value, as an operator does."""
        with self._aside():
            self.clients.secrets_manager.put_secret_value(
                SecretId=self.arns[kind], SecretString=value, **more
            )

    def database(self, status: str) -> None:
        """Put the database into a state."""
        _backend("rds").databases[DATABASE].status = status

    def add_service(self, name: str, *, running: int = 0, pending: int = 0) -> None:
        """Add a service with so many tasks."""
        with self._aside():
            self.clients.ecs.create_service(
                cluster=CLUSTER, serviceName=name, taskDefinition=FAMILY, desiredCount=running + pending
            )
        service = _backend("ecs").services[f"{CLUSTER}:{name}"]
        service.running_count, service.pending_count = running, pending

    def start_task(self, started_by: str, token: str = "other") -> FargateTask:
        """Start a task of the bootstrap family."""
        with self._aside():
            self.clients.ecs.run_task(
                cluster=CLUSTER,
                taskDefinition=FAMILY,
                launchType="FARGATE",
                startedBy=started_by,
                clientToken=token,
            )
        return self.fargate.tasks[-1]

    @contextmanager
    def _aside(self) -> Iterator[None]:
        """Call AWS without counting and without faults."""
        hooks, calls = (self.before, self.after), list(self.calls)
        self.before = self.after = None
        yield
        (self.before, self.after), self.calls = hooks, calls

    def _all(self) -> list[Any]:
        return [self.clients.rds, self.clients.secrets_manager, self.clients.elasticache, self.clients.ecs]

    def _before(self, model: Any, params: dict[str, Any], **_: Any) -> Any:
        self.calls.append(model.name)
        if self.before:
            self.before(len(self.calls), model.name)
        return self.fargate.before(model.name, params) or self.users.before(model.name, params)

    def _after(self, model: Any, parsed: dict[str, Any], **_: Any) -> None:
        self.fargate.after(model.name, parsed)
        if self.after:
            self.after(len(self.calls), model.name)

    def _make_secrets(self) -> dict[SecretKind, str]:
        create = _backend("secretsmanager").create_secret
        nothing = dict.fromkeys(("secret_string", "secret_binary", "description", "tags", "kms_key_id"))
        nothing["client_request_token"] = None
        return {
            kind: json.loads(create(f"dev-{kind}", **nothing, replica_regions=[], force_overwrite=False))[
                "ARN"
            ]
            for kind in SecretKind
        }

    def _make_platform(self) -> str:
        _backend("rds").create_db_instance(
            {
                "db_instance_identifier": DATABASE,
                "db_instance_class": "db.t4g.micro",
                "engine": "postgres",
                "allocated_storage": 20,
            }
        )
        _backend("elasticache").create_user(
            user_id=USER,
            user_name=USER,
            engine="valkey",
            passwords=[],
            access_string="off",
            no_password_required=False,
            authentication_type="iam",
        )
        _backend("ecs").create_cluster(CLUSTER)
        container = {"name": CONTAINER, "image": "airflow", "memory": 1024}
        return str(_backend("ecs").register_task_definition(FAMILY, [container]).arn)


def _backend(service: str) -> Any:
    """Return moto's model of a service: what it makes itself needs no request, which costs a hundred times more."""
    return get_backend(service)[ACCOUNT][REGION]


def event(arns: dict[SecretKind, str], task_definition: str) -> dict[str, Any]:
    """Return an event as the program renders it."""
    return {
        "database": DATABASE,
        "secrets": {kind.value: arn for kind, arn in arns.items()},
        "hostName": HOST,
        "broker": {"userId": USER, "accessString": ACCESS_STRING},
        "bootstrap": {
            "cluster": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/{CLUSTER}",
            "family": FAMILY,
            "taskDefinition": task_definition,
            "container": CONTAINER,
            "subnetIds": ["subnet-1", "subnet-2"],
            "securityGroupId": "sg-1",
            "logGroup": "airflow-dev-bootstrap-log",
        },
        "triggers": {
            "image": "airflow@sha256:1",
            "taskDefinition": task_definition,
            "databaseResourceId": "db-1",
        },
    }


def connect() -> Clients:
    """Return clients that moto answers while it is on."""
    session = boto3.Session(region_name=REGION)
    session.events.register("choose-signer", disable_signing)
    return Clients.connect(session)


@contextmanager
def simulation() -> Iterator[None]:
    """Let moto answer."""
    # Moto would load a thousand machine images that nobody here starts.
    with patch.dict(os.environ, {"MOTO_EC2_LOAD_DEFAULT_AMIS": "false"}), mock_aws():
        yield


@contextmanager
def account(clients: Clients) -> Iterator[Account]:
    """Give a new account in the simulation."""
    BackendDict.reset()
    made = Account(clients)
    try:
        yield made
    finally:
        made.close()


def hidden_texts(values: dict[SecretKind, str]) -> list[str]:
    """Return what must never be seen: every value, whole, and the password inside a login. A certificate is public."""
    texts = [value for kind, value in values.items() if kind is not SecretKind.API_SERVER_CERTIFICATE]
    return texts + [json.loads(value)["password"] for kind, value in values.items() if kind in LOGINS]
