"""Where data is: in subnets that the internet has no way into."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from policies.crossguard.findings import Finding
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.rules import About, Relation, Severity, Tier
from policies.crossguard.values import View
from policies.security.references import Verdict, each_of, either, given, tells
from policies.security.rules.elasticache import SERVERLESS
from policies.security.rules.rds import PROXY
from policies.security.subnets import is_public, placed

RDS_SUBNETS: Final = "aws:rds/subnetGroup:SubnetGroup"
CACHE_SUBNETS: Final = "aws:elasticache/subnetGroup:SubnetGroup"
MOUNT_TARGET: Final = "aws:efs/mountTarget:MountTarget"

_NAMES: Final = ("rds-subnets-private", "elasticache-subnets-private", "efs-mount-target-private")


def _opens(stack: Stack, subnet: Resource) -> Verdict:
    """Say whether a subnet is public, or would be one: whatever starts in it gets a public address."""
    return either([tells(given(subnet, "mapPublicIpOnLaunch"), View.flag), is_public(stack, subnet)])


def _places(
    properties: Mapping[str, str],
    is_wrong: Callable[[Stack, Resource], Verdict] = is_public,
    wrong: str = "has a route to an internet gateway",
) -> Callable[[Stack], Iterable[About]]:
    """Return a check of the subnets that resources are in: the property that names them, by type."""

    def check(stack: Stack, owner: Resource) -> Iterable[Finding]:
        return placed(stack, owner, properties[owner.type], lambda subnet: is_wrong(stack, subnet), wrong)

    return each_of(check, *properties)


def _others(name: str) -> frozenset[str]:
    """Return the rules that a route into subnets that all of them share raises as well."""
    return frozenset(_NAMES) - {name}


RELATIONS: Final = (
    Relation(
        name="rds-subnets-private",
        why="A database in a public subnet is one wrong flag away from the internet.",
        fix="Name data subnets, whose route tables have no internet gateway.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("39",),
        references=("RDS.46",),
        implies=_others("rds-subnets-private"),
        check=_places({RDS_SUBNETS: "subnetIds", PROXY: "vpcSubnetIds"}),
    ),
    Relation(
        name="elasticache-subnets-private",
        why="A broker in a public subnet is one wrong address away from the internet.",
        fix="Name data subnets, whose route tables have no internet gateway.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("55",),
        references=("elasticache_cluster_uses_public_subnet",),
        implies=_others("elasticache-subnets-private"),
        check=_places({CACHE_SUBNETS: "subnetIds", SERVERLESS: "subnetIds"}),
    ),
    Relation(
        name="efs-mount-target-private",
        why="Files in a public subnet are one wrong firewall rule away from the internet.",
        fix="Name a data subnet: without public addresses and without a route to an internet gateway.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("48",),
        references=("EFS.6",),
        implies=_others("efs-mount-target-private"),
        check=_places(
            {MOUNT_TARGET: "subnetId"},
            _opens,
            "gives public addresses, or has a route to an internet gateway",
        ),
    ),
)
