"""Load balancers and what is before and behind them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.crossguard.checks import at_most
from policies.crossguard.findings import Finding
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.rules import Relation, Severity, Tier
from policies.crossguard.values import View
from policies.security.existence import exists
from policies.security.links import is_meant, lists
from policies.security.references import each_of, given
from policies.security.rules.load_balancers import LOAD_BALANCER, is_application
from policies.security.rules.target_groups import TARGET_GROUP

ASSOCIATION: Final = "aws:wafv2/webAclAssociation:WebAclAssociation"
SERVICE: Final = "aws:ecs/service:Service"
CAPACITY: Final = "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders"
SPOT: Final = "FARGATE_SPOT"
LONGEST_DRAIN: Final = 119
"""Seconds: two minutes after the notice, Fargate Spot takes a task away."""


def _guarded(stack: Stack, balancer: Resource) -> Iterator[Finding]:
    """Judge one that faces the internet and understands HTTP: others take no firewall."""
    if is_application(balancer.props) and not given(balancer, "internal").flag():
        guards = (is_meant(stack, each, "resourceArn", balancer) for each in stack.of(ASSOCIATION))
        message = f"{balancer.name} faces the internet without a web application firewall"
        yield from exists(message, *guards)(balancer.props)


def _drains(stack: Stack, target_group: Resource) -> Iterator[Finding]:
    services = (
        service
        for service in stack.of(SERVICE)
        if lists(stack, service, "loadBalancers", target_group, "targetGroupArn")
    )
    if any(_may_be_on_spot(stack, service) for service in services):
        yield from at_most("deregistrationDelay", LONGEST_DRAIN, default=300)(target_group.props)


def _may_be_on_spot(stack: Stack, service: Resource) -> bool:
    """Say whether a service may get Spot capacity: by its own strategy, else by the one of the cluster."""
    own = given(service, "capacityProviderStrategies")
    if not own.empty:
        return _names_spot(own)
    of_clusters = (each.props["defaultCapacityProviderStrategies"] for each in stack.of(CAPACITY))
    return given(service, "launchType").empty and any(map(_names_spot, of_clusters))


def _names_spot(strategies: View) -> bool:
    return any(
        each["capacityProvider"].text() == SPOT
        and (each["weight"].number(1) > 0 or each["base"].number() > 0)
        for each in strategies.items()
    )


RELATIONS: Final = (
    Relation(
        name="lb-public-has-waf",
        why="Whoever scans the internet for known mistakes of Airflow tries them here.",
        fix="Add a WebAclAssociation with the `resourceArn` of the load balancer.",
        severity=Severity.HIGH,
        tier=Tier.PROD,
        controls=("61",),
        references=("ELB.16", "CKV2_AWS_28", "alb_waf_enabled"),
        check=each_of(_guarded, LOAD_BALANCER),
    ),
    Relation(
        name="lb-target-drains-before-spot",
        why="Requests that are still being answered are cut off when Spot takes the task away.",
        fix="Set `deregistrationDelay` below 120 seconds.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("65",),
        check=each_of(_drains, TARGET_GROUP),
    ),
)
