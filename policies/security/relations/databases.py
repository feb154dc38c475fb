"""Databases and what watches or relieves them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from policies.crossguard.findings import Finding, Undecided, Violation
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.rules import Relation, Severity, Tier
from policies.crossguard.values import View
from policies.security.references import Verdict, each_of, either, every, given, refers, tells
from policies.security.rules.rds import CLUSTER, CLUSTER_INSTANCE, INSTANCE

SUBSCRIPTION: Final = "aws:rds/eventSubscription:EventSubscription"
_DATABASE: Final = "db-instance"
EVENTS: Final[Mapping[str, frozenset[str]]] = {
    _DATABASE: frozenset({"maintenance", "configuration change", "failure"}),
    "db-parameter-group": frozenset({"configuration change"}),
    "db-security-group": frozenset({"configuration change", "failure"}),
}
"""Categories of events that somebody has to hear of, by the kind of their source."""
INSTANCES: Final = 2
"""Of a cluster of Aurora, whose storage is in three zones anyhow: one that works, one that takes over."""


def _reports(stack: Stack, subscription: Resource, database: Resource, kind: str) -> Verdict:
    """Say whether a subscription reports what happens to a database, or to groups that can be its own."""
    return every(
        [
            tells(subscription.props["enabled"], lambda enabled: enabled.flag(default=True)),
            tells(subscription.props["sourceType"], lambda source: source.text(kind) == kind),
            _reports_all(subscription.props["eventCategories"], EVENTS[kind]),
            kind != _DATABASE or _includes(stack, subscription, database),
        ]
    )


def _reports_all(named: View, categories: frozenset[str]) -> Verdict:
    """Say whether categories of events are among those that are named; where none is, all are reported."""
    if named.unknown:
        return None
    items = [*named.items()]
    known = {item.text() for item in items if not item.unknown}
    if not items or known >= categories:
        return True
    return None if any(item.unknown for item in items) else False


def _includes(stack: Stack, subscription: Resource, database: Resource) -> Verdict:
    """Say whether a subscription is about a database; where no database is named, it is about all of them."""
    named = given(subscription, "sourceIds")
    items = [named] if named.unknown else [*named.items()]
    return not items or either(refers(stack, subscription, "sourceIds", item, database) for item in items)


def _events(stack: Stack, database: Resource) -> Iterator[Finding]:
    for kind, categories in EVENTS.items():
        reported = either(_reports(stack, each, database, kind) for each in stack.of(SUBSCRIPTION))
        if reported is False:
            yield Violation(f"nobody is told of events of {kind}: {', '.join(sorted(categories))}")
        elif reported is None:
            yield Undecided(f"subscription to events of {kind}")


def _second_instance(stack: Stack, cluster: Resource) -> Iterator[Finding]:
    # Clusters with a class of their own are in three zones by themselves, serverless ones have no instances.
    if (
        not given(cluster, "dbClusterInstanceClass").empty
        or given(cluster, "engineMode").text() == "serverless"
    ):
        return
    members = [
        refers(stack, each, "clusterIdentifier", each.props["clusterIdentifier"], cluster)
        for each in stack.of(CLUSTER_INSTANCE)
    ]
    if sum(is_member is not False for is_member in members) < INSTANCES:
        yield Violation(f"the cluster has {members.count(True)} instances, want at least {INSTANCES}")
    elif members.count(True) < INSTANCES:
        yield Undecided("instances of the cluster")


RELATIONS: Final = (
    Relation(
        name="rds-events-reported",
        why="Somebody changes or loses the database, and nobody hears of it.",
        fix="Add an event subscription for db-instance, db-parameter-group and db-security-group.",
        severity=Severity.LOW,
        tier=Tier.NOWHERE,
        controls=("42",),
        references=("RDS.20", "RDS.21", "RDS.22"),
        check=each_of(_events, INSTANCE),
    ),
    Relation(
        name="rds-cluster-multi-az",
        why="When its zone fails, the only instance is away until AWS has made another one.",
        fix="Give the cluster a second instance.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("40",),
        references=("RDS.15", "rds/Cluster/disallowSingleAvailabilityZone"),
        check=each_of(_second_instance, CLUSTER),
    ),
)
