"""What a zone has, and where its records lead to."""

from __future__ import annotations

from typing import Any

import pytest

from policies.crossguard.resources import Resource
from policies.crossguard.rules import Relation
from policies.crossguard.values import UNKNOWN
from policies.security.relations.zones import QUERY_LOG, RECORD, RELATIONS, ZONE
from policies.security.rules.dns import SIGNING
from policies.security.rules.load_balancers import LOAD_BALANCER
from tests.policies.made import BAD, GOOD, OPEN, left_open, made, verdict

BY_NAME: dict[str, Relation] = {relation.name: relation for relation in RELATIONS}
EXISTENCE = {
    "route53-has-query-log": (QUERY_LOG, "zoneId"),
    "route53-has-dnssec": (SIGNING, "hostedZoneId"),
}
LEADS = "route53-leads-somewhere"


def zone(name: str = "Z1", **props: Any) -> Resource:
    return made(ZONE, name, None, **({"zoneId": name} | props))


@pytest.mark.parametrize("name", EXISTENCE)
@pytest.mark.parametrize(
    ("of", "behind", "expected"),
    [
        ("Z1", (), GOOD),
        ("Z2", (), BAD),
        (UNKNOWN, ("Z1",), GOOD),
        (UNKNOWN, ("Z2",), BAD),
        (UNKNOWN, (), OPEN),
        (7, (), BAD),
    ],
)
def test_a_public_zone_has_it(name: str, of: Any, behind: tuple[str, ...], expected: str) -> None:
    kind, place = EXISTENCE[name]
    beside = made(kind, "x", {place: behind}, **{place: of})
    assert verdict(BY_NAME[name], "Z1", zone(), zone("Z2"), beside) == expected


@pytest.mark.parametrize("name", EXISTENCE)
@pytest.mark.parametrize(
    ("vpcs", "expected"), [(None, BAD), ([], BAD), ([{"vpcId": "vpc-1"}], GOOD), (UNKNOWN, OPEN)]
)
def test_a_zone_of_vpcs_needs_none(name: str, vpcs: Any, expected: str) -> None:
    assert verdict(BY_NAME[name], "Z1", zone(vpcs=vpcs)) == expected


@pytest.mark.parametrize("name", EXISTENCE)
def test_a_zone_that_names_no_vpc_is_public_in_a_preview_as_well(name: str) -> None:
    assert verdict(BY_NAME[name], "Z1", left_open(zone(vpcs=UNKNOWN), "vpcs")) == BAD


def alias(name: Any, *behind: str) -> Resource:
    return made(RECORD, "www", {"aliases": behind}, type="A", aliases=[{"name": name}])


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (alias("alb.example.com"), GOOD),
        (alias("dualstack.ALB.example.com."), GOOD),
        (alias("gone.example.com"), BAD),
        (alias(UNKNOWN, "alb"), GOOD),
        (alias("gone.example.com", "alb"), GOOD),
        (alias(UNKNOWN), OPEN),
        (alias(7), BAD),
    ],
)
def test_an_alias_leads_to_something_of_the_stack(record: Resource, expected: str) -> None:
    balancer = made(LOAD_BALANCER, "alb", dnsName="alb.example.com")
    assert verdict(BY_NAME[LEADS], "www", balancer, record) == expected


def test_an_alias_may_lead_to_what_has_no_name_yet() -> None:
    balancer = made(LOAD_BALANCER, "alb", dnsName=UNKNOWN)
    assert verdict(BY_NAME[LEADS], "www", balancer, alias("alb.example.com")) == OPEN


def addresses(*found: Any, behind: tuple[str, ...] = (), kind: Any = "A") -> Resource:
    return made(RECORD, "www", {"records": behind}, type=kind, records=list(found))


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (addresses("52.1.2.3"), GOOD),
        (addresses("52.1.2.4"), BAD),
        (addresses("52.1.2.3", "52.1.2.4"), BAD),
        (addresses(UNKNOWN, "52.1.2.4"), BAD),
        (addresses("52.1.2.4", behind=("eip",)), GOOD),
        (addresses(UNKNOWN), OPEN),
        (addresses("10.1.2.3"), GOOD),
        (addresses("nowhere"), BAD),
        (addresses("52.1.2.4", kind="TXT"), GOOD),
        (addresses("52.1.2.4", kind=UNKNOWN), OPEN),
    ],
)
def test_an_address_is_one_of_the_stack(record: Resource, expected: str) -> None:
    address = made("aws:ec2/eip:Eip", "eip", publicIp="52.1.2.3")
    assert verdict(BY_NAME[LEADS], "www", address, record) == expected
