"""What is before and behind a load balancer."""

from __future__ import annotations

from typing import Any

import pytest

from policies.crossguard.resources import Resource
from policies.crossguard.rules import Relation
from policies.crossguard.values import UNKNOWN
from policies.security.relations.load_balancing import ASSOCIATION, CAPACITY, RELATIONS, SERVICE
from policies.security.rules.load_balancers import LOAD_BALANCER
from policies.security.rules.target_groups import TARGET_GROUP
from tests.policies.made import BAD, GOOD, OPEN, left_open, made, verdict

BY_NAME: dict[str, Relation] = {relation.name: relation for relation in RELATIONS}
WAF, DRAIN = "lb-public-has-waf", "lb-target-drains-before-spot"
ARN = "arn:aws:elasticloadbalancing:eu-west-1:111122223333"
SPOT, ON_DEMAND = {"capacityProvider": "FARGATE_SPOT"}, {"capacityProvider": "FARGATE", "weight": 1}


def balancer(name: str = "alb", **props: Any) -> Resource:
    return made(
        LOAD_BALANCER, name, None, **({"arn": f"{ARN}:loadbalancer/app/{name}/1", "internal": False} | props)
    )


def association(of: Any, *behind: str) -> Resource:
    return made(ASSOCIATION, "waf", {"resourceArn": behind}, resourceArn=of)


@pytest.mark.parametrize(
    ("of", "behind", "expected"),
    [
        (f"{ARN}:loadbalancer/app/alb/1", (), GOOD),
        (f"{ARN}:loadbalancer/app/other/1", (), BAD),
        (UNKNOWN, ("alb",), GOOD),
        (UNKNOWN, ("other",), BAD),
        (UNKNOWN, (), OPEN),
        (7, (), BAD),
    ],
)
def test_a_firewall_stands_before_one_that_faces_the_internet(
    of: Any, behind: tuple[str, ...], expected: str
) -> None:
    assert verdict(BY_NAME[WAF], "alb", balancer(), balancer("other"), association(of, *behind)) == expected


@pytest.mark.parametrize(
    ("props", "expected"),
    [
        ({}, BAD),
        ({"internal": None}, BAD),
        ({"internal": UNKNOWN}, OPEN),
        ({"internal": "false"}, BAD),
        ({"internal": True}, GOOD),
        ({"loadBalancerType": "network"}, GOOD),
    ],
)
def test_only_one_that_faces_the_internet_needs_it(props: dict[str, Any], expected: str) -> None:
    assert verdict(BY_NAME[WAF], "alb", balancer(**props)) == expected


def test_one_that_does_not_say_faces_the_internet() -> None:
    found = left_open(balancer(internal=UNKNOWN), "internal")
    assert verdict(BY_NAME[WAF], "alb", found) == BAD


def target_group(delay: Any = 300) -> Resource:
    return made(TARGET_GROUP, "api", arn=f"{ARN}:targetgroup/api/1", deregistrationDelay=delay)


def service(
    strategies: Any = (SPOT,), of: Any = f"{ARN}:targetgroup/api/1", *behind: str, **props: Any
) -> Resource:
    return made(
        SERVICE,
        "api-server",
        {"loadBalancers": behind},
        loadBalancers=[{"targetGroupArn": of}],
        capacityProviderStrategies=strategies if strategies is UNKNOWN else list(strategies),
        **props,
    )


@pytest.mark.parametrize(
    ("delay", "expected"), [(119, GOOD), (120, BAD), (None, BAD), (UNKNOWN, OPEN), ("90", BAD)]
)
def test_targets_on_spot_have_the_time_to_drain(delay: Any, expected: str) -> None:
    assert verdict(BY_NAME[DRAIN], "api", target_group(delay), service()) == expected


@pytest.mark.parametrize(
    ("strategies", "expected"),
    [
        ((ON_DEMAND,), GOOD),
        ((ON_DEMAND, SPOT), BAD),
        ((ON_DEMAND, SPOT | {"weight": 0}), GOOD),
        ((SPOT | {"weight": 0, "base": 1},), BAD),
        ((), GOOD),
        (UNKNOWN, OPEN),
        (({"capacityProvider": UNKNOWN},), OPEN),
    ],
)
def test_only_targets_on_spot_need_it(strategies: Any, expected: str) -> None:
    assert verdict(BY_NAME[DRAIN], "api", target_group(), service(strategies)) == expected


@pytest.mark.parametrize(
    ("of", "behind", "expected"),
    [
        (f"{ARN}:targetgroup/other/1", (), GOOD),
        (UNKNOWN, ("api",), BAD),
        (UNKNOWN, (), OPEN),
    ],
)
def test_the_service_is_the_one_of_the_target_group(of: Any, behind: tuple[str, ...], expected: str) -> None:
    assert verdict(BY_NAME[DRAIN], "api", target_group(), service((SPOT,), of, *behind)) == expected


@pytest.mark.parametrize(("launch_type", "expected"), [(None, BAD), ("FARGATE", GOOD)])
def test_a_service_without_a_strategy_has_that_of_the_cluster(launch_type: Any, expected: str) -> None:
    cluster = made(CAPACITY, "capacity", defaultCapacityProviderStrategies=[SPOT])
    found = (target_group(), service((), launchType=launch_type), cluster)
    assert verdict(BY_NAME[DRAIN], "api", *found) == expected
