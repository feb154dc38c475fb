"""The names that the Pulumi provider makes up for a resource whose program gives none."""

from __future__ import annotations

import builtins
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

from sandbox.behaviour.schema import facts_of

PREFIXES: Final = {
    "identifier": "identifierPrefix", "bucket": "bucketPrefix", "statementId": "statementIdPrefix",
}  # fmt: skip
"""Inputs that make AWS complete a prefix, so that nothing is made up; `namePrefix` for `name`."""


@dataclass(frozen=True)
class AutoName:
    """How one type is named: `<logical name><separator><hex digits>`, at most `limit` characters."""

    property: str = "name"
    limit: int = 255
    separator: str = "-"
    digits: int = 7
    lower: bool = False

    @builtins.property
    def room(self) -> int:
        """The longest logical name, in characters."""
        return self.limit - len(self.separator) - self.digits

    @builtins.property
    def prefix_property(self) -> str:
        """The input that asks AWS to complete a prefix instead."""
        return PREFIXES.get(self.property, "namePrefix")


class NameTooLongError(ValueError):
    """A logical name that leaves no room for the random part."""


BRIDGE: Final[Mapping[str, AutoName]] = {
    "aws:cloudwatch/eventRule:EventRule": AutoName(limit=64),
    "aws:cloudwatch/eventTarget:EventTarget": AutoName("targetId"),
    "aws:iam/role:Role": AutoName(limit=64),
    "aws:kms/alias:Alias": AutoName(limit=238),
    "aws:lambda/function:Function": AutoName(limit=64),
    "aws:lambda/permission:Permission": AutoName("statementId", limit=100),
    "aws:s3/bucket:Bucket": AutoName("bucket", limit=63, lower=True),
    "aws:sns/topic:Topic": AutoName(limit=80),
    "aws:sqs/queue:Queue": AutoName(limit=80),
}
"""What the provider overrides and the facts of the types do not tell."""

FIFO: Final = {"aws:sns/topic:Topic": "fifoTopic", "aws:sqs/queue:Queue": "fifoQueue"}
"""Types whose name ends in `.fifo` when the named input is true."""


@cache
def auto_name_of(token: str) -> AutoName | None:
    """Return how a type is auto-named, None when its name must be given or it has none.

    Every optional text input called `name` is auto-named, and what the facts or the provider's overrides name.

    Raises:
        UnknownType: the sandbox does not simulate the type.

    """
    facts = facts_of(token)
    if token in BRIDGE:
        return BRIDGE[token]
    if given := facts.get("autoNaming"):
        return AutoName(
            given["property"],
            given["maxLength"],
            given["separator"],
            given["randomHexDigits"],
            given.get("transform") == "lower",
        )
    spec = facts["properties"].get("name")
    if spec is None or spec["type"] != "string" or spec.get("required"):
        return None
    return AutoName(limit=(facts.get("nameRules") or {}).get("autoNameMax", 255))


def auto_name(token: str, name: str, seed: bytes, inputs: Mapping[str, Any]) -> str | None:
    """Make up the name of a resource.

    Args:
        token: The Pulumi type.
        name: The logical name.
        seed: Makes the random part; the same seed gives the same name.
        inputs: The resource's inputs; few of them shape the name (FIFO queues, SQL Server).

    Returns:
        The name, None when the type is not auto-named.

    Raises:
        NameTooLongError: the logical name is too long for the type.
        UnknownType: the sandbox does not simulate the type.

    """
    rule = _for_inputs(token, auto_name_of(token), inputs)
    if rule is None:
        return None
    stem = name.lower() if rule.lower else name
    if len(stem) > rule.room:
        raise NameTooLongError(
            f"could not make instance of '{token}': name '{stem}{rule.separator}' plus {rule.digits} random chars is "
            f"longer than maximum length {rule.limit} (the logical name has {len(stem)} characters, at most "
            f"{rule.room} fit; give {rule.property} or shorten it)"
        )
    random = hashlib.sha256(b"\0".join((seed, token.encode(), name.encode()))).hexdigest()[: rule.digits]
    return _finished(token, f"{stem}{rule.separator}{random}", inputs)


def _for_inputs(token: str, rule: AutoName | None, inputs: Mapping[str, Any]) -> AutoName | None:
    if (
        rule is not None
        and token == "aws:rds/instance:Instance"
        and "sqlserver" in str(inputs.get("engine")).lower()
    ):
        return replace(rule, limit=15, digits=3)
    return rule


def _finished(token: str, name: str, inputs: Mapping[str, Any]) -> str:
    if token == "aws:kms/alias:Alias" and not name.startswith("alias/"):
        return f"alias/{name}"
    return f"{name}.fifo" if inputs.get(FIFO.get(token, "")) is True else name
