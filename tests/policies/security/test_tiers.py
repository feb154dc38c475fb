"""Everything is in subnets of its tier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from policies.crossguard.findings import Violation
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.values import UNKNOWN
from policies.security.relations.tiers import DATA, EGRESS_ONLY, NAT, RELATIONS, WORKERS
from policies.security.rules.services import SERVICE
from policies.security.subnets import ASSOCIATION, INTERNET_GATEWAY, ROUTE, ROUTE_TABLE, SUBNET
from tests.policies.made import BAD, GOOD, OPEN, left_open, made, verdict

PRIVATE, ISOLATED = RELATIONS
TIERS = {"public": {"gatewayId": "igw-1"}, "private": {"natGatewayId": "nat-1"}, "data": {}}


def tier(name: str, route: dict[str, Any]) -> list[Resource]:
    """Return a subnet whose route table has a route, or only the local one."""
    found = [
        made(SUBNET, name, id=f"subnet-{name}"),
        made(ROUTE_TABLE, f"table-{name}", id=f"rtb-{name}"),
        made(ASSOCIATION, f"its-{name}", subnetId=f"subnet-{name}", routeTableId=f"rtb-{name}"),
    ]
    if route:
        found.append(made(ROUTE, f"route-{name}", routeTableId=f"rtb-{name}", **route))
    return found


NETWORK = [each for name, route in TIERS.items() for each in tier(name, route)]


def nested(path: str, value: Any) -> dict[str, Any]:
    first, _, rest = path.partition(".")
    return {first: nested(rest, value) if rest else value}


def owner(token: str, path: str, value: Any) -> Resource:
    return made(token, "owner", **nested(path, value))


def one_or_list(path: str, subnet: Any) -> Any:
    return subnet if path.endswith("subnetId") else [subnet]


@pytest.mark.parametrize(("token", "path"), WORKERS.items())
def test_what_works_is_in_no_public_subnet(token: str, path: str) -> None:
    for name, found in (("public", BAD), ("private", GOOD), ("data", GOOD)):
        placed = owner(token, path, one_or_list(path, f"subnet-{name}"))
        assert verdict(PRIVATE, "owner", *NETWORK, placed) == found


@pytest.mark.parametrize(("token", "path"), DATA.items())
def test_data_is_where_nothing_leads_out(token: str, path: str) -> None:
    for name, found in (("private", BAD), ("data", GOOD)):
        placed = owner(token, path, one_or_list(path, f"subnet-{name}"))
        assert verdict(ISOLATED, "owner", *NETWORK, placed) == found


def service(*subnets: Any) -> Resource:
    return owner(SERVICE, "networkConfiguration.subnets", list(subnets))


@pytest.mark.parametrize(
    ("subnets", "found"),
    [
        (["subnet-private", "subnet-public"], BAD),
        (["subnet-private", UNKNOWN], OPEN),
        (["subnet-public", UNKNOWN], BAD),
        (["subnet-stranger"], OPEN),
        ([{"of": "another type"}], BAD),
        ([], GOOD),
    ],
)
def test_every_subnet_is_judged(subnets: list[Any], found: str) -> None:
    assert verdict(PRIVATE, "owner", *NETWORK, service(*subnets)) == found


def test_a_list_that_aws_filled_in_is_not_judged() -> None:
    gateway = left_open(
        made("aws:ec2/vpcEndpoint:VpcEndpoint", "owner", vpcId="vpc-1", subnetIds=UNKNOWN), "subnetIds"
    )
    assert verdict(PRIVATE, "owner", *NETWORK, gateway) == GOOD


def test_load_balancers_may_be_in_public_subnets() -> None:
    balancer = owner("aws:lb/loadBalancer:LoadBalancer", "subnets", ["subnet-public"])
    assert [*PRIVATE.judge(Stack([*NETWORK, balancer]))] == []


@pytest.mark.parametrize(
    ("route", "found"),
    [
        ({"natGatewayId": "nat-1"}, BAD),
        ({"natGatewayId": ""}, GOOD),
        ({"egressOnlyGatewayId": "eigw-1"}, BAD),
        ({"vpcPeeringConnectionId": "pcx-1"}, GOOD),
    ],
)
def test_a_way_out_is_a_nat_or_an_egress_only_gateway(route: dict[str, str], found: str) -> None:
    placed = owner("aws:rds/subnetGroup:SubnetGroup", "subnetIds", ["subnet-data"])
    assert verdict(ISOLATED, "owner", *tier("data", route), placed) == found


def test_a_route_may_be_inside_of_its_table() -> None:
    placed = owner("aws:rds/subnetGroup:SubnetGroup", "subnetIds", ["subnet-data"])
    subnet, _, association = tier("data", {})
    table = made(
        ROUTE_TABLE, "table", id="rtb-data", routes=[{"cidrBlock": "0.0.0.0/0", "natGatewayId": "nat-1"}]
    )
    assert verdict(ISOLATED, "owner", subnet, table, association, placed) == BAD


def preview(
    subnets: Any, *behind: str, gateway: str = "nat", property: str = "natGatewayId"
) -> list[Resource]:
    """Return a network that is not there yet: a public, a private and a data subnet, and what is placed in it."""
    ids = {"routeTableId": UNKNOWN}
    out: dict[str, Sequence[str]] = {"routeTableId": ["table-private"], property: [gateway]}
    into: dict[str, Sequence[str]] = {"routeTableId": ["table-public"], "gatewayId": ["internet"]}
    found = [
        made(INTERNET_GATEWAY, "internet"),
        made(NAT, "nat"),
        made(EGRESS_ONLY, "egress"),
        made(ROUTE, "out", out, **{**ids, property: UNKNOWN}),
        made(ROUTE, "in", into, **{**ids, "gatewayId": UNKNOWN}),
    ]
    for name in TIERS:
        behind_both: dict[str, Sequence[str]] = {"subnetId": [name], "routeTableId": [f"table-{name}"]}
        found += [
            made(SUBNET, name, id=UNKNOWN),
            left_open(made(ROUTE_TABLE, f"table-{name}", id=UNKNOWN, routes=UNKNOWN), "routes"),
            made(ASSOCIATION, f"its-{name}", behind_both, subnetId=UNKNOWN, routeTableId=UNKNOWN),
        ]
    network: dict[str, Sequence[str]] = {"networkConfiguration": behind}
    return [
        *found,
        made(SERVICE, "service", network, networkConfiguration={"subnets": subnets}),
        made("aws:rds/subnetGroup:SubnetGroup", "group", {"subnetIds": behind}, subnetIds=subnets),
    ]


@pytest.mark.parametrize("subnets", [UNKNOWN, [UNKNOWN]])
@pytest.mark.parametrize(
    ("behind", "of_service", "of_data"),
    [
        (["public"], BAD, GOOD),
        (["private"], GOOD, BAD),
        (["data"], GOOD, GOOD),
        (["public", "private", "data"], OPEN, OPEN),
        ([], OPEN, OPEN),
    ],
)
def test_a_preview_follows_what_the_ids_were_made_of(
    subnets: Any, behind: list[str], of_service: str, of_data: str
) -> None:
    stack = preview(subnets, *behind)
    assert verdict(PRIVATE, "service", *stack) == of_service
    assert verdict(ISOLATED, "group", *stack) == of_data


def test_a_preview_sees_every_way_out() -> None:
    egress = preview(UNKNOWN, "private", gateway="egress", property="egressOnlyGatewayId")
    strange = preview(UNKNOWN, "private", gateway="elsewhere")
    assert verdict(ISOLATED, "group", *egress) == BAD
    assert verdict(ISOLATED, "group", *strange) == OPEN


def test_the_message_names_the_subnet() -> None:
    (about,) = PRIVATE.judge(Stack([*NETWORK, service("subnet-public")]))
    assert about.finding == Violation(
        "networkConfiguration.subnets[0] is public, which has a route to an internet gateway"
    )
