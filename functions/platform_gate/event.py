"""What the program tells the gate, read strictly: a missing value must not become a half-open gate."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import GateError
from .kinds import SecretKind

OPTIONAL = frozenset({SecretKind.FLOWER_USER})
"""Secrets that an environment may lack."""
REMEDY = "only `pulumi up` invokes the gate, with the event that its program renders"
_DIGITS = 24


@dataclass(frozen=True, kw_only=True)
class Bootstrap:
    """The one-off task."""

    cluster: str
    family: str
    task_definition: str
    container: str
    """Name of the container whose exit code counts."""
    subnet_ids: tuple[str, ...]
    security_group_id: str
    log_group: str
    """Where its output is, for the one who reads an error."""
    started_by: str
    """Mark of all tasks for the same image, task definition and database."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """Everything that the gate works on."""

    database: str
    secret_arns: Mapping[SecretKind, str]
    host_name: str
    """Host name of the api-server, for its certificate."""
    broker_user_id: str
    """Also the name that the user signs in with."""
    broker_access_string: str
    bootstrap: Bootstrap


def parse(event: Any) -> Event:
    """Read the event.

    Raises:
        GateError: it lacks something, or names a secret that the gate cannot make.

    """
    root = _Part("", event)
    broker, bootstrap, triggers = root.part("broker"), root.part("bootstrap"), root.part("triggers")
    return Event(
        database=root.text("database"),
        secret_arns=_secret_arns(root.part("secrets")),
        host_name=root.text("hostName"),
        broker_user_id=broker.text("userId"),
        broker_access_string=broker.text("accessString"),
        bootstrap=Bootstrap(
            cluster=bootstrap.text("cluster"),
            family=bootstrap.text("family"),
            task_definition=bootstrap.text("taskDefinition"),
            container=bootstrap.text("container"),
            subnet_ids=bootstrap.texts("subnetIds"),
            security_group_id=bootstrap.text("securityGroupId"),
            log_group=bootstrap.text("logGroup"),
            started_by=_started_by(
                [triggers.text(name) for name in ("image", "taskDefinition", "databaseResourceId")]
            ),
        ),
    )


def _started_by(triggers: list[str]) -> str:
    """Return a mark of at most 36 characters, the limit of ECS."""
    return f"gate-{hashlib.sha256(json.dumps(triggers).encode()).hexdigest()[:_DIGITS]}"


def _secret_arns(part: _Part) -> Mapping[SecretKind, str]:
    for name in part.names():
        if name not in set(SecretKind):
            raise GateError(f'event: "secrets.{name}" is no secret that the gate makes', REMEDY)
    return {
        kind: part.text(kind.value)
        for kind in SecretKind
        if kind not in OPTIONAL or kind.value in part.names()
    }


class _Part:
    """An object of the event, and its place for messages."""

    def __init__(self, place: str, value: Any) -> None:
        if not isinstance(value, Mapping):
            raise GateError(f'event: want an object in "{place or "event"}"', REMEDY)
        self._place, self._value = f"{place}." if place else "", value

    def names(self) -> list[str]:
        return [str(name) for name in self._value]

    def part(self, name: str) -> _Part:
        return _Part(f"{self._place}{name}", self._value.get(name))

    def text(self, name: str) -> str:
        value = self._value.get(name)
        if not isinstance(value, str) or not value:
            raise GateError(f'event: want text in "{self._place}{name}"', REMEDY)
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        values = self._value.get(name)
        if (
            not isinstance(values, list)
            or not values
            or not all(isinstance(item, str) and item for item in values)
        ):
            raise GateError(f'event: want a list of texts in "{self._place}{name}"', REMEDY)
        return tuple(values)
