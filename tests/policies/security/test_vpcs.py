"""Every VPC has what belongs to it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from policies.crossguard.resources import Resource
from policies.crossguard.rules import Relation
from policies.crossguard.values import UNKNOWN
from policies.security.relations.vpcs import DEFAULT_VPC, NAT, RELATIONS, SERVICES, VPC
from policies.security.rules.networks import DEFAULT_GROUP, ENDPOINT, ENDPOINT_POLICY, FLOW_LOG, SUBNET
from policies.security.rules.security_groups import EGRESS_RULE, GROUP, INGRESS_RULE, OLD_RULE
from tests.policies.made import BAD, GOOD, OPEN, left_open, made, verdict

BY_NAME: dict[str, Relation] = {relation.name: relation for relation in RELATIONS}
EXISTENCE = {"vpc-has-flow-log": FLOW_LOG, "vpc-has-empty-default-group": DEFAULT_GROUP}
ARN = "arn:aws:ec2:eu-west-1:111122223333"


def vpc(name: str = "vpc-1", token: str = VPC, **props: Any) -> Resource:
    return made(token, name, None, **({"arn": f"{ARN}:vpc/{name}"} | props))


@pytest.mark.parametrize(("name", "kind"), EXISTENCE.items())
@pytest.mark.parametrize(
    ("of", "behind", "expected"),
    [
        ("vpc-1", (), GOOD),
        ("vpc-2", (), BAD),
        (UNKNOWN, ("vpc-1", "subnet-1"), GOOD),
        (UNKNOWN, ("vpc-2",), BAD),
        (UNKNOWN, (), OPEN),
        (7, (), BAD),
    ],
)
def test_a_vpc_has_it(name: str, kind: str, of: Any, behind: tuple[str, ...], expected: str) -> None:
    others = (vpc("vpc-2"), made(SUBNET, "subnet-1"), made(kind, "x", {"vpcId": behind}, vpcId=of))
    assert verdict(BY_NAME[name], "vpc-1", vpc(), *others) == expected


@pytest.mark.parametrize("name", EXISTENCE)
@pytest.mark.parametrize("token", [VPC, DEFAULT_VPC])
def test_a_vpc_alone_lacks_it(name: str, token: str) -> None:
    assert verdict(BY_NAME[name], "vpc-1", vpc(token=token)) == BAD


def rule(of: Any, *behind: str, kind: str = INGRESS_RULE) -> Resource:
    return made(kind, "rule", {"securityGroupId": behind}, securityGroupId=of)


@pytest.mark.parametrize("kind", [INGRESS_RULE, EGRESS_RULE, OLD_RULE])
@pytest.mark.parametrize(
    ("of", "behind", "expected"),
    [
        ("sg-own", (), GOOD),
        ("sg-default", (), BAD),
        (UNKNOWN, ("sg-own",), GOOD),
        (UNKNOWN, ("adopted",), BAD),
        (UNKNOWN, ("vpc-1",), BAD),
        (UNKNOWN, ("vpc-1", "sg-own"), GOOD),
        (UNKNOWN, (), OPEN),
        (7, (), BAD),
    ],
)
def test_no_rule_is_one_of_the_default_group(
    kind: str, of: Any, behind: tuple[str, ...], expected: str
) -> None:
    stack = (
        vpc(defaultSecurityGroupId="sg-default"),
        made(GROUP, "sg-own", arn=f"{ARN}:security-group/sg-own"),
        made(DEFAULT_GROUP, "adopted", arn=UNKNOWN),
        rule(of, *behind, kind=kind),
    )
    assert verdict(BY_NAME["default-security-group-unused"], "rule", *stack) == expected


def test_a_default_group_is_found_by_its_own_id() -> None:
    adopted = made(DEFAULT_GROUP, "adopted", arn=f"{ARN}:security-group/sg-default")
    assert verdict(BY_NAME["default-security-group-unused"], "rule", adopted, rule("sg-default")) == BAD


def endpoint(service: Any, of: Any = "vpc-1", *behind: str) -> Resource:
    name = "com.amazonaws.eu-west-1." + service if isinstance(service, str) else service
    return made(ENDPOINT, f"endpoint-{service}", {"vpcId": behind}, vpcId=of, serviceName=name)


ALL = tuple(endpoint(service) for service in SERVICES)


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        (ALL, GOOD),
        (ALL[1:], BAD),
        ((*ALL[1:], endpoint(SERVICES[0], "vpc-2")), BAD),
        ((*ALL[1:], endpoint(SERVICES[0], UNKNOWN, "vpc-1")), GOOD),
        ((*ALL[1:], endpoint(SERVICES[0], UNKNOWN)), OPEN),
        ((*ALL[1:], endpoint(UNKNOWN)), OPEN),
        ((*ALL[1:], endpoint(7)), BAD),
    ],
)
def test_a_vpc_without_nat_has_endpoints(others: tuple[Resource, ...], expected: str) -> None:
    assert verdict(BY_NAME["vpc-endpoints-without-nat"], "vpc-1", vpc(), vpc("vpc-2"), *others) == expected


@pytest.mark.parametrize(
    ("nat", "subnet", "expected"),
    [
        ({"subnetId": "subnet-1"}, {"vpcId": "vpc-1"}, GOOD),
        ({"subnetId": "subnet-1"}, {"vpcId": "vpc-2"}, BAD),
        ({"subnetId": "subnet-2"}, {"vpcId": "vpc-1"}, BAD),
        ({"subnetId": UNKNOWN}, {"vpcId": "vpc-1"}, OPEN),
        ({"vpcId": "vpc-1"}, {}, GOOD),
        ({"vpcId": "vpc-2"}, {}, BAD),
    ],
)
def test_a_nat_gateway_is_one_in_the_vpc(nat: dict[str, Any], subnet: dict[str, Any], expected: str) -> None:
    stack = (vpc(), vpc("vpc-2"), made(NAT, "nat", **nat), made(SUBNET, "subnet-1", id="subnet-1", **subnet))
    assert verdict(BY_NAME["vpc-endpoints-without-nat"], "vpc-1", *stack) == expected


def test_in_a_preview_a_nat_gateway_is_found_by_what_it_is_made_of() -> None:
    nat = made(NAT, "nat", {"subnetId": ("subnet-1",)}, subnetId=UNKNOWN)
    subnet = made(SUBNET, "subnet-1", {"vpcId": ("vpc-1",)}, vpcId=UNKNOWN)
    new = vpc(arn=UNKNOWN)
    assert verdict(BY_NAME["vpc-endpoints-without-nat"], "vpc-1", new, nat, subnet) == GOOD


@pytest.mark.parametrize(
    ("policy", "expected"),
    [("{}", GOOD), ("", BAD), (None, BAD), (UNKNOWN, OPEN)],
)
def test_an_endpoint_has_a_policy(policy: Any, expected: str) -> None:
    found = made(ENDPOINT, "endpoint", policy=policy)
    assert verdict(BY_NAME["vpc-endpoint-has-policy"], "endpoint", found) == expected


def test_the_policy_that_aws_fills_in_is_none() -> None:
    found = left_open(made(ENDPOINT, "endpoint", policy="{}", vpcId="vpc-1"), "policy")
    assert verdict(BY_NAME["vpc-endpoint-has-policy"], "endpoint", found) == BAD


@pytest.mark.parametrize(
    ("of", "behind", "policy", "expected"),
    [
        ("vpce-1", (), "{}", GOOD),
        ("vpce-1", (), None, BAD),
        ("vpce-2", (), "{}", BAD),
        (UNKNOWN, ("endpoint",), "{}", GOOD),
        (UNKNOWN, (), "{}", OPEN),
    ],
)
def test_the_policy_may_be_beside_the_endpoint(
    of: Any, behind: tuple[str, ...], policy: Any, expected: str
) -> None:
    found = made(ENDPOINT, "endpoint", arn=f"{ARN}:vpc-endpoint/vpce-1")
    beside = made(ENDPOINT_POLICY, "policy", {"vpcEndpointId": behind}, vpcEndpointId=of, policy=policy)
    assert verdict(BY_NAME["vpc-endpoint-has-policy"], "endpoint", found, beside) == expected


def test_an_imported_endpoint_is_judged_by_what_is_known_of_it() -> None:
    found = replace(made(ENDPOINT, "endpoint", policy="{}"), property_dependencies={})
    assert verdict(BY_NAME["vpc-endpoint-has-policy"], "endpoint", found) == GOOD
