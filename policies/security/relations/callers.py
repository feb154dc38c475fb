"""Who reaches the data: no way leads there from outside.

Addresses are let in only where the load balancer and the endpoints are; every other rule names the security group that
may call. So what calls a database is never in a group that lets in addresses itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from policies.crossguard.findings import Finding, Undecided, Violation, judged
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.rules import About, Relation, Severity, Tier
from policies.crossguard.values import View
from policies.security.doors import INGRESS, RULES_OF, Door, doors, groups_of, stands_open
from policies.security.references import Verdict, each_of, either, every
from policies.security.rules.elasticache import CLUSTER as CACHE_CLUSTER
from policies.security.rules.elasticache import REPLICATION_GROUP, SERVERLESS
from policies.security.rules.opensearch import DOMAIN
from policies.security.rules.rds import CLUSTER, INSTANCE
from policies.security.rules.security_groups import GROUP
from policies.security.traffic import is_only

MOUNT_TARGET: Final = "aws:efs/mountTarget:MountTarget"


@dataclass(frozen=True)
class Data:
    """How resources of a type that hold data are reached."""

    groups: str
    """Where they name their security groups."""
    port: int
    """The port that they have by default."""


DATA: Final[Mapping[str, Data]] = {
    INSTANCE: Data("vpcSecurityGroupIds", 5432),
    CLUSTER: Data("vpcSecurityGroupIds", 5432),
    REPLICATION_GROUP: Data("securityGroupIds", 6379),
    CACHE_CLUSTER: Data("securityGroupIds", 6379),
    SERVERLESS: Data("securityGroupIds", 6379),
    MOUNT_TARGET: Data("securityGroups", 2049),
    DOMAIN: Data("vpcOptions.securityGroupIds", 443),
}
MYSQL_PORT: Final = 3306
MYSQL: Final = ("mysql", "mariadb", "aurora-mysql")


@dataclass(frozen=True)
class Target:
    """A security group of something that holds data."""

    group: Resource
    is_its: Verdict
    port: View


def _port(owner: Resource) -> View:
    port, engine = owner.props["port"], owner.props["engine"]
    if not port.absent:
        return port
    is_mysql = not engine.unknown and engine.text().startswith(MYSQL)
    return View.of(MYSQL_PORT if is_mysql else DATA[owner.type].port, "port")


def _targets(stack: Stack) -> tuple[list[Target], list[About]]:
    """Return the security groups of all data, and what is wrong with what names them."""
    targets: list[Target] = []

    def collect(owner: Resource, _: View) -> Iterator[Finding]:
        port = _port(owner)
        for group, is_its in groups_of(stack, owner, DATA[owner.type].groups):
            targets.append(Target(group, is_its, port))
        yield from ()

    wrong = [
        About(owner.urn, finding)
        for owner in stack.of(*DATA)
        for finding in judged(partial(collect, owner), owner.props)
    ]
    return targets, wrong


def _only_callers(stack: Stack) -> Iterator[About]:
    targets, wrong = _targets(stack)
    yield from wrong

    def check(stack: Stack, owner: Resource) -> Iterator[Finding]:
        for door in doors(stack, owner, INGRESS):
            # Several things can be in one group, and a rule of it is wrong once.
            yield from dict.fromkeys(judged(partial(_door, stack, targets, door), door.rule))

    yield from each_of(check, GROUP, *RULES_OF[INGRESS])(stack)


def _door(stack: Stack, targets: list[Target], door: Door, rule: View) -> Iterator[Finding]:
    for target in targets:
        leads_there = every([target.is_its, door.is_of(target.group)])
        if leads_there is not False:
            for finding in judged(partial(_through, stack, door, target), rule):
                yield finding if leads_there else Undecided(door.owner.props["securityGroupId"].path)


def _through(stack: Stack, door: Door, target: Target, rule: View) -> Iterator[Finding]:
    if rule.unknown:
        yield Undecided(rule.path)
        return
    for addresses in door.ranges():
        if addresses.unknown:
            yield Undecided(addresses.path)
        else:
            yield Violation(f"{addresses.path} is {addresses.shown()}, want the security group that may call")
    yield from judged(partial(_on_port, target.port), rule)
    for peer in door.peers():
        yield from judged(partial(_caller, stack, door), peer)


def _on_port(port: View, rule: View) -> Iterator[Finding]:
    number = int(port.number())
    if not is_only(rule, number):
        yield Violation(f"it opens more than TCP port {number} of what holds data")


def _caller(stack: Stack, door: Door, peer: View) -> Iterator[Finding]:
    named = [(group, door.names(peer, group)) for group in stack.of(GROUP)]
    callers = [(group, is_it) for group, is_it in named if is_it is not False]
    stands_at_edge = either(every([is_it, stands_open(stack, group)]) for group, is_it in callers)
    if stands_at_edge or not callers:
        yield Violation(f"{peer.path} is {_who(callers)}, want a security group behind the load balancer")
    elif stands_at_edge is None:
        yield Undecided(peer.path)


def _who(callers: Sequence[tuple[Resource, Verdict]]) -> str:
    names = ", ".join(group.name for group, _ in callers)
    return f"{names}, which lets in addresses itself" if callers else "no security group of this stack"


RELATIONS: Final = (
    Relation(
        name="data-reached-by-callers-only",
        why="One rule too many, and somebody outside tries passwords on the database.",
        fix="Let in security groups, on the port of the database, broker or file system alone; never one that lets in "
        "addresses itself.",
        severity=Severity.CRITICAL,
        tier=Tier.EVERYWHERE,
        controls=("R1",),
        implies=frozenset({"sg-not-open-to-everybody", "sg-everybody-only-to-load-balancer"}),
        check=_only_callers,
    ),
)
