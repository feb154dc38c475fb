"""What goes into the simulated cloud and what it answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

Properties = dict[str, Any]


@dataclass(frozen=True)
class Session:
    """One configured provider: whose credentials, which region, which default tags."""

    account_id: str
    region: str
    default_tags: Mapping[str, str] = field(default_factory=dict)
    preview: bool = False

    @property
    def partition(self) -> str:
        """The AWS partition of the region: aws, aws-cn or aws-us-gov."""
        if self.region.startswith("cn-"):
            return "aws-cn"
        return "aws-us-gov" if self.region.startswith("us-gov-") else "aws"


@dataclass(frozen=True)
class Failure:
    """One refused input: the property's path, such as `ingress[0].fromPort`, and the reason."""

    property: str
    reason: str

    def __str__(self) -> str:
        return f"{self.property}: {self.reason}" if self.property else self.reason


@dataclass(frozen=True)
class Checked:
    """Inputs completed with defaults, auto-names and default tags, and what is wrong with them."""

    inputs: Properties
    failures: tuple[Failure, ...] = ()


class ChangeKind(StrEnum):
    """What happened to one property between two sets of inputs."""

    ADD = "add"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True)
class Change:
    """One changed property (dotted path with array indices) and whether AWS must replace the resource for it."""

    path: str
    kind: ChangeKind
    replace: bool


@dataclass(frozen=True)
class Diff:
    """All changes of a resource; `refused` holds the changes that the provider does not plan at all."""

    changes: tuple[Change, ...] = ()
    delete_before_replace: bool = False
    refused: tuple[Failure, ...] = ()


@dataclass(frozen=True)
class Created:
    """A resource as the simulated cloud holds it: its id and all its outputs, inputs included."""

    id: str
    outputs: Properties


class AwsError(Exception):
    """An error as AWS answers it at apply time.

    `code` is AWS's error code, such as `InvalidSubnet.Range`; `property` names the input to blame.
    """

    def __init__(self, code: str, message: str, property: str = "") -> None:
        """Compose the message as a person reads it."""
        super().__init__(f"{code}: {message}" + (f" ({property})" if property else ""))
        self.code, self.property = code, property


class World(Protocol):
    """What exists in the simulated account, as far as checks between resources need it."""

    def find(self, token: str, id: str) -> Properties | None:
        """Return the outputs of a resource, or None when it does not exist."""

    def all(self, token: str) -> Iterable[tuple[str, Properties]]:
        """Iterate over (id, outputs) of every resource of a type."""


class EmptyWorld:
    """A world with nothing in it: unit tests and previews of new stacks."""

    def find(self, token: str, id: str) -> Properties | None:  # noqa: ARG002
        """Find nothing."""
        return None

    def all(self, token: str) -> Iterable[tuple[str, Properties]]:  # noqa: ARG002
        """Hold nothing."""
        return ()
