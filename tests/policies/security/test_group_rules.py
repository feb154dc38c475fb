"""Whose security group lets everybody in or everything out, and where its rules are kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from policies.crossguard.resources import Resource
from policies.crossguard.rules import Relation
from policies.crossguard.values import UNKNOWN
from policies.security.relations.group_rules import RELATIONS, WORKER_POOL
from policies.security.rules.load_balancers import LOAD_BALANCER
from policies.security.rules.security_groups import EGRESS_RULE, GROUP, INGRESS_RULE, OLD_RULE
from tests.policies.made import BAD, GOOD, OPEN, left_open, made, verdict

BY_NAME: dict[str, Relation] = {relation.name: relation for relation in RELATIONS}
IN, OUT, KEPT = (
    "sg-everybody-only-to-load-balancer",
    "sg-everything-out-only-of-workers",
    "sg-one-kind-of-rules",
)
SERVICE = "aws:ecs/service:Service"
HTTPS = {"fromPort": 443, "toPort": 443, "cidrIpv4": "0.0.0.0/0", "ipProtocol": "tcp"}
EVERYTHING = {"cidrIpv4": "0.0.0.0/0", "ipProtocol": "-1", "description": "DAGs call anything"}
INSIDE = {"protocol": "-1", "cidrBlocks": ["0.0.0.0/0"], "description": "DAGs call anything"}


def group(name: str = "sg-1", **props: Any) -> Resource:
    arn = f"arn:aws:ec2:eu-west-1:111122223333:security-group/{name}"
    return made(GROUP, name, None, **({"arn": arn} | props))


def rule(kind: str, of: Any = "sg-1", *behind: str, **props: Any) -> Resource:
    return made(kind, "rule", {"securityGroupId": behind}, securityGroupId=of, **props)


def balancer(groups: Any = ("sg-1",), *behind: str) -> Resource:
    return made(LOAD_BALANCER, "alb", {"securityGroups": behind}, securityGroups=groups)


def service(name: str = "worker", groups: Any = ("sg-1",), *behind: str, parent: str = "pool") -> Resource:
    network = groups if groups is UNKNOWN else {"securityGroups": list(groups)}
    return replace(
        made(SERVICE, name, {"networkConfiguration": behind}, networkConfiguration=network), parent=parent
    )


POOL = (made(WORKER_POOL, "pool"), replace(made("airflow:compute:AirflowService", "part"), parent="pool"))


def test_everybody_may_ask_a_load_balancer() -> None:
    assert verdict(BY_NAME[IN], "rule", group(), balancer(), rule(INGRESS_RULE, **HTTPS)) == GOOD


@pytest.mark.parametrize(
    ("of", "behind", "groups", "expected"),
    [
        ("sg-1", (), ("sg-2",), BAD),
        ("sg-2", (), ("sg-1",), BAD),
        (UNKNOWN, ("sg-1",), ("sg-1",), GOOD),
        (UNKNOWN, ("sg-2",), ("sg-1",), BAD),
        (UNKNOWN, (), ("sg-1",), OPEN),
        ("sg-1", (), (UNKNOWN,), OPEN),
        ("sg-elsewhere", (), ("sg-1",), BAD),
        (7, (), ("sg-1",), BAD),
    ],
)
def test_everybody_may_ask_nobody_else(
    of: Any, behind: tuple[str, ...], groups: tuple[Any, ...], expected: str
) -> None:
    stack = (group(), group("sg-2"), balancer(groups), rule(INGRESS_RULE, of, *behind, **HTTPS))
    assert verdict(BY_NAME[IN], "rule", *stack) == expected


def test_in_a_preview_a_load_balancer_has_the_groups_that_it_is_made_of() -> None:
    found = (balancer(UNKNOWN, "sg-1"), rule(INGRESS_RULE, UNKNOWN, "sg-1", **HTTPS))
    assert verdict(BY_NAME[IN], "rule", group(arn=UNKNOWN), *found) == GOOD


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"cidrIpv4": "10.0.0.0/8"}, GOOD),
        ({"cidrIpv4": UNKNOWN}, OPEN),
        ({"cidrIpv4": "anywhere"}, BAD),
        # Other ports are the matter of a rule about the resource alone.
        ({"toPort": 8443}, GOOD),
    ],
)
def test_a_rule_for_few_is_no_matter(changes: dict[str, Any], expected: str) -> None:
    assert verdict(BY_NAME[IN], "rule", group(), rule(INGRESS_RULE, **HTTPS | changes)) == expected


@pytest.mark.parametrize(("kind", "expected"), [("ingress", BAD), ("egress", GOOD), (UNKNOWN, OPEN)])
def test_the_older_kind_of_rule_says_its_direction(kind: Any, expected: str) -> None:
    old = {"type": kind, "protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": ["0.0.0.0/0"]}
    assert verdict(BY_NAME[IN], "rule", group(), rule(OLD_RULE, **old)) == expected


@pytest.mark.parametrize(("balancers", "expected"), [([balancer()], GOOD), ([], BAD)])
def test_a_rule_inside_of_a_group_is_the_same(balancers: list[Resource], expected: str) -> None:
    inside = {"protocol": "tcp", "fromPort": 443, "toPort": 443, "ipv6CidrBlocks": ["::/0"]}
    assert verdict(BY_NAME[IN], "sg-1", group(ingress=[inside]), *balancers) == expected


def test_workers_may_call_anything() -> None:
    found = (group(), *POOL, service(parent="part"), rule(EGRESS_RULE, **EVERYTHING))
    assert verdict(BY_NAME[OUT], "rule", *found) == GOOD


def test_in_a_preview_workers_are_found_by_what_services_are_made_of() -> None:
    found = (*POOL, service("worker", UNKNOWN, "sg-1"), rule(EGRESS_RULE, UNKNOWN, "sg-1", **EVERYTHING))
    assert verdict(BY_NAME[OUT], "rule", group(arn=UNKNOWN), *found) == GOOD


@pytest.mark.parametrize(
    ("users", "expected"),
    [
        ((), BAD),
        ((service(parent=""),), BAD),
        ((service(), service("scheduler", parent="")), BAD),
        ((service(), balancer()), BAD),
        ((service(), service("scheduler", ("sg-2",), parent="")), GOOD),
        ((service("worker", (UNKNOWN,)),), OPEN),
    ],
)
def test_nothing_else_may_call_anything(users: tuple[Resource, ...], expected: str) -> None:
    found = (group(), group("sg-2"), *POOL, *users, rule(EGRESS_RULE, **EVERYTHING))
    assert verdict(BY_NAME[OUT], "rule", *found) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"description": ""}, BAD),
        ({"description": None}, BAD),
        ({"description": UNKNOWN}, OPEN),
        ({"cidrIpv4": UNKNOWN}, OPEN),
        ({"cidrIpv4": {"of": "another type"}}, BAD),
    ],
)
def test_workers_say_why(changes: dict[str, Any], expected: str) -> None:
    found = (group(), *POOL, service(), rule(EGRESS_RULE, **EVERYTHING | changes))
    assert verdict(BY_NAME[OUT], "rule", *found) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"ipProtocol": "tcp", "fromPort": 443, "toPort": 443}, GOOD),
        ({"ipProtocol": "tcp", "fromPort": 1, "toPort": 65535}, BAD),
        ({"cidrIpv4": "10.0.0.0/8"}, GOOD),
        ({"cidrIpv4": "128.0.0.0/1"}, BAD),
        ({"cidrIpv4": None, "cidrIpv6": "::/0"}, BAD),
    ],
)
def test_others_name_the_port_or_the_addresses(changes: dict[str, Any], expected: str) -> None:
    assert verdict(BY_NAME[OUT], "rule", group(), rule(EGRESS_RULE, **EVERYTHING | changes)) == expected


@pytest.mark.parametrize(("users", "expected"), [((service(),), GOOD), ((), BAD)])
def test_the_way_out_may_be_inside_of_the_group(users: tuple[Resource, ...], expected: str) -> None:
    assert verdict(BY_NAME[OUT], "sg-1", group(egress=[INSIDE]), *POOL, *users) == expected


@pytest.mark.parametrize(
    ("inside", "kind", "of", "behind", "expected"),
    [
        ({}, INGRESS_RULE, "sg-1", (), GOOD),
        ({"ingress": [INSIDE]}, INGRESS_RULE, "sg-1", (), BAD),
        ({"ingress": []}, INGRESS_RULE, "sg-1", (), BAD),
        ({"ingress": UNKNOWN}, INGRESS_RULE, "sg-1", (), BAD),
        ({"ingress": [INSIDE]}, EGRESS_RULE, "sg-1", (), GOOD),
        ({"egress": [INSIDE]}, EGRESS_RULE, "sg-1", (), BAD),
        ({"egress": [INSIDE]}, OLD_RULE, "sg-1", (), GOOD),
        ({"ingress": [INSIDE]}, OLD_RULE, "sg-1", (), BAD),
        ({"ingress": [INSIDE]}, INGRESS_RULE, "sg-2", (), GOOD),
        ({"ingress": [INSIDE]}, INGRESS_RULE, UNKNOWN, ("sg-1",), BAD),
        ({"ingress": [INSIDE]}, INGRESS_RULE, UNKNOWN, ("sg-2",), GOOD),
        ({"ingress": [INSIDE]}, INGRESS_RULE, UNKNOWN, (), OPEN),
        ({"ingress": [INSIDE]}, INGRESS_RULE, 7, (), BAD),
    ],
)
def test_rules_are_inside_of_a_group_or_beside_it(
    inside: dict[str, Any], kind: str, of: Any, behind: tuple[str, ...], expected: str
) -> None:
    found = (group(**inside), group("sg-2"), rule(kind, of, *behind))
    assert verdict(BY_NAME[KEPT], "sg-1", *found) == expected


def test_rules_that_aws_tells_of_are_those_beside_the_group() -> None:
    found = left_open(group(ingress=[INSIDE]), "ingress")
    assert verdict(BY_NAME[KEPT], "sg-1", found, rule(INGRESS_RULE)) == GOOD


def test_one_that_is_undecided_does_not_hide_a_conflict() -> None:
    other = replace(rule(INGRESS_RULE, UNKNOWN), urn="other", name="other")
    assert verdict(BY_NAME[KEPT], "sg-1", group(ingress=[]), other, rule(INGRESS_RULE)) == BAD
