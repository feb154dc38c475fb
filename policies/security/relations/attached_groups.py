"""Databases and brokers use a parameter group of this stack; what is in it is a rule of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from policies.crossguard.findings import Finding, Undecided, Violation
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.rules import About, Relation, Severity, Tier
from policies.security.references import each_of, either, given, refers
from policies.security.rules.elasticache import REPLICATION_GROUP
from policies.security.rules.parameter_groups import (
    CACHE_PARAMETERS,
    CLUSTER_PARAMETERS,
    FORCES_TLS,
    PARAMETERS,
)
from policies.security.rules.rds import CLUSTER, INSTANCE, is_primary

_DEFAULT: Final = "default."
"""How the names of the groups begin that belong to AWS; nobody can change what is in them."""


@dataclass(frozen=True)
class Attachment:
    """How resources of a type name their parameter group."""

    property: str
    group: str
    """Type of the group."""
    applies: Callable[[Resource], bool]
    """Whether a resource has to have one of ours."""


def _has_tls_setting(database: Resource) -> bool:
    """Say whether the engine has a setting that forces TLS; a copy takes group and engine of its source."""
    engine = given(database, "engine").text("mysql").lower()
    return is_primary(database.props) and engine.startswith(tuple(FORCES_TLS))


_DATABASES: Final = {
    INSTANCE: Attachment("parameterGroupName", PARAMETERS, _has_tls_setting),
    CLUSTER: Attachment("dbClusterParameterGroupName", CLUSTER_PARAMETERS, _has_tls_setting),
}
_CACHES: Final = {
    REPLICATION_GROUP: Attachment(
        "parameterGroupName", CACHE_PARAMETERS, lambda group: given(group, "globalReplicationGroupId").empty
    )
}


def _attached(stack: Stack, owner: Resource, how: Attachment) -> Iterator[Finding]:
    if not how.applies(owner):
        return
    name = given(owner, how.property)
    groups = [(group, refers(stack, owner, how.property, name, group)) for group in stack.of(how.group)]
    if either(is_it for _, is_it in groups):
        return
    if not name.unknown and (not name.text() or name.text().startswith(_DEFAULT)):
        yield Violation(f"{name.path} is {name.shown()}, want a parameter group of this stack")
    elif not stack.behind(owner, how.property, how.group):
        yield Undecided(name.path)


def _attachments(kinds: Mapping[str, Attachment]) -> Callable[[Stack], Iterable[About]]:
    return each_of(lambda stack, owner: _attached(stack, owner, kinds[owner.type]), *kinds)


RELATIONS: Final = (
    Relation(
        name="rds-parameters-attached",
        why="A group that forces TLS and is attached to no database forces nothing.",
        fix="Set `parameterGroupName` (of a cluster, `dbClusterParameterGroupName`) to a group of this stack.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("38",),
        check=_attachments(_DATABASES),
    ),
    Relation(
        name="elasticache-parameters-attached",
        why="By AWS's own settings a full broker evicts queued tasks.",
        fix="Set `parameterGroupName` to a group of this stack whose maxmemory-policy is noeviction.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("56",),
        check=_attachments(_CACHES),
    ),
)
