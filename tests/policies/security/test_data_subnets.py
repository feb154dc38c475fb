"""Databases, brokers and file systems are in subnets that the internet has no way into."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from policies.crossguard.resources import Resource, Stack
from policies.crossguard.values import UNKNOWN
from policies.security.relations.data_subnets import (
    CACHE_SUBNETS,
    MOUNT_TARGET,
    RDS_SUBNETS,
    RELATIONS,
)
from policies.security.rules.rds import PROXY
from policies.security.subnets import (
    ASSOCIATION,
    DEFAULT_ROUTE_TABLE,
    INTERNET_GATEWAY,
    MAIN_ASSOCIATION,
    ROUTE,
    ROUTE_TABLE,
    SUBNET,
    VPC,
    VPN_GATEWAY,
    is_public,
)
from tests.policies.made import BAD, GOOD, OPEN, left_open, made, verdict

DATABASES, CACHES, FILES = RELATIONS
GATEWAY = made(INTERNET_GATEWAY, "gateway", arn="arn:aws:ec2:eu-west-1:111111111111:internet-gateway/igw-1")


def subnet(name: str, *, known: bool = True, vpc: Any = "vpc-1", **more: Any) -> Resource:
    return made(SUBNET, name, {"vpcId": ["vpc"]}, id=name if known else UNKNOWN, vpcId=vpc, **more)


def table(name: str, *, known: bool = True, **more: Any) -> Resource:
    return made(ROUTE_TABLE, name, id=f"rtb-{name}" if known else UNKNOWN, **more)


def associated(
    name: str, of: Any, to: Any, behind: Sequence[str] = (), tables: Sequence[str] = ()
) -> Resource:
    dependencies = {"subnetId": behind, "routeTableId": tables}
    return made(ASSOCIATION, name, dependencies, subnetId=of, routeTableId=to)


def route(to: Any, of: Any, behind: Sequence[str] = (), tables: Sequence[str] = ()) -> Resource:
    return made(ROUTE, "route", {"gatewayId": behind, "routeTableId": tables}, gatewayId=to, routeTableId=of)


def group(*ids: Any, behind: Sequence[str] = (), token: str = RDS_SUBNETS) -> Resource:
    property = "vpcSubnetIds" if token == PROXY else "subnetIds"
    return made(token, "group", {property: behind}, **{property: list(ids)})


OPEN_SUBNET = [
    subnet("public"),
    table("public"),
    associated("a-public", "public", "rtb-public"),
    route("igw-1", "rtb-public"),
]
CLOSED_SUBNET = [subnet("data"), table("data"), associated("a-data", "data", "rtb-data")]


def preview(*names: str) -> list[Resource]:
    """Return subnets that are not there yet, of which those called public have a route to the internet."""
    found = [GATEWAY]
    for name in names:
        found += [
            subnet(name, known=False, vpc=UNKNOWN),
            left_open(made(ROUTE_TABLE, f"{name}-table", id=UNKNOWN, routes=UNKNOWN), "routes"),
            associated(f"{name}-association", UNKNOWN, UNKNOWN, [name], [f"{name}-table"]),
        ]
        if name.startswith("public"):
            found.append(route(UNKNOWN, UNKNOWN, ["gateway"], [f"{name}-table"]))
    return found


@pytest.mark.parametrize(
    ("relation", "token"), [(DATABASES, RDS_SUBNETS), (DATABASES, PROXY), (CACHES, CACHE_SUBNETS)]
)
@pytest.mark.parametrize(("ids", "said"), [(["data"], GOOD), (["data", "public"], BAD)])
def test_every_place_of_data_is_judged(relation: Any, token: str, ids: list[str], said: str) -> None:
    assert verdict(relation, "group", *OPEN_SUBNET, *CLOSED_SUBNET, group(*ids, token=token)) == said


def test_the_message_names_the_subnet() -> None:
    (about,) = DATABASES.judge(Stack([*OPEN_SUBNET, group("public")]))
    assert about.finding.message == "subnetIds[0] is public, which has a route to an internet gateway"  # type: ignore[union-attr]


def test_a_subnet_of_another_stack_is_undecided() -> None:
    assert verdict(DATABASES, "group", *CLOSED_SUBNET, group("data", "subnet-of-another")) == OPEN


@pytest.mark.parametrize("ids", [7, [7], {"of": "another type"}])
def test_ids_of_another_type_are_a_violation(ids: Any) -> None:
    found = made(RDS_SUBNETS, "group", subnetIds=ids)
    assert verdict(DATABASES, "group", *CLOSED_SUBNET, found) == BAD


@pytest.mark.parametrize(
    ("behind", "said"),
    [
        (["data-1", "data-2"], GOOD),
        (["public-1", "public-2"], BAD),
        (["data-1", "public-1"], BAD),
        # Made of all subnets of a VPC: two of them are private, so both can be meant.
        (["data-1", "data-2", "public-1", "public-2"], OPEN),
        ([], OPEN),
    ],
)
def test_in_a_preview_the_dependencies_tell(behind: list[str], said: str) -> None:
    stack = preview("data-1", "data-2", "public-1", "public-2")
    assert verdict(DATABASES, "group", *stack, group(UNKNOWN, UNKNOWN, behind=behind)) == said


@pytest.mark.parametrize(
    ("behind", "said"), [(["data-1"], GOOD), (["public-1"], BAD), (["data-1", "public-1"], OPEN)]
)
def test_a_list_that_is_not_known_is_one_of_what_it_was_made_of(behind: list[str], said: str) -> None:
    found = made(RDS_SUBNETS, "group", {"subnetIds": behind}, subnetIds=UNKNOWN)
    assert verdict(DATABASES, "group", *preview("data-1", "public-1"), found) == said


class TestPublicSubnets:
    """Which subnets are public."""

    def public(self, *resources: Resource) -> bool | None:
        """Judge the subnet x."""
        stack = Stack(resources)
        return is_public(stack, stack.by_urn["x"])

    @pytest.mark.parametrize(
        ("gateway", "said"), [("igw-1", True), ("vgw-1", False), ("local", False), (None, False)]
    )
    def test_a_route_of_its_own_table(self, gateway: Any, said: bool) -> None:
        rest = [subnet("x"), table("t"), associated("a", "x", "rtb-t")]
        assert self.public(*rest, route(gateway, "rtb-t")) is said

    @pytest.mark.parametrize(
        ("gateway", "said"), [("igw-1", True), ("vgw-1", False), (None, False), (UNKNOWN, None)]
    )
    def test_a_route_inside_of_its_own_table(self, gateway: Any, said: bool | None) -> None:
        inside = table("t", routes=[{"cidrBlock": "0.0.0.0/0", "gatewayId": gateway}])
        assert self.public(subnet("x"), inside, associated("a", "x", "rtb-t")) is said

    def test_routes_that_are_given_and_not_known(self) -> None:
        rest = [subnet("x"), associated("a", "x", "rtb-t")]
        assert self.public(*rest, table("t", routes=UNKNOWN)) is None
        assert self.public(*rest, table("t", routes=[UNKNOWN])) is None

    @pytest.mark.parametrize(
        ("behind", "said"), [(["gateway"], True), (["vpn"], False), (["gateway", "vpn"], None), ([], None)]
    )
    def test_a_gateway_that_is_not_known(self, behind: list[str], said: bool | None) -> None:
        rest = [subnet("x"), table("t"), associated("a", "x", "rtb-t"), GATEWAY, made(VPN_GATEWAY, "vpn")]
        assert self.public(*rest, route(UNKNOWN, "rtb-t", behind)) is said

    def test_another_table_does_not_matter(self) -> None:
        rest = [subnet("x"), table("t"), associated("a", "x", "rtb-t")]
        assert self.public(*rest, table("other"), route("igw-1", "rtb-other")) is False

    def test_an_association_that_can_be_of_another_subnet(self) -> None:
        vpc = made(VPC, "vpc", id="vpc-1")
        maybe = associated("a", UNKNOWN, "rtb-t", ["x", "y"])
        rest = [subnet("x", known=False), subnet("y", known=False), vpc, table("t"), maybe]
        assert (self.public(*rest), self.public(*rest, route("igw-1", "rtb-t"))) == (False, None)

    def test_an_association_with_a_table_of_another_stack(self) -> None:
        assert self.public(subnet("x"), associated("a", "x", "rtb-of-another")) is None

    @pytest.mark.parametrize(
        "main",
        [
            [route("igw-1", "rtb-main")],
            [route("igw-1", UNKNOWN, tables=["vpc"])],
            [made(DEFAULT_ROUTE_TABLE, "d", defaultRouteTableId="rtb-main", routes=[{"gatewayId": "igw-1"}])],
            [
                made(DEFAULT_ROUTE_TABLE, "d", defaultRouteTableId="rtb-main"),
                route("igw-1", UNKNOWN, tables=["d"]),
            ],
            [
                made(MAIN_ASSOCIATION, "m", vpcId="vpc-1", routeTableId="rtb-t"),
                table("t"),
                route("igw-1", "rtb-t"),
            ],
        ],
    )
    def test_without_a_table_of_its_own_it_has_the_main_one(self, main: list[Resource]) -> None:
        vpc = made(VPC, "vpc", id="vpc-1", mainRouteTableId="rtb-main", defaultRouteTableId="rtb-main")
        other = [table("own"), associated("a", "x", "rtb-own")]
        assert self.public(subnet("x"), vpc) is False
        assert self.public(subnet("x"), vpc, *main) is True
        assert self.public(subnet("x"), vpc, *main, *other) is False

    def test_a_main_table_that_was_replaced_does_not_matter(self) -> None:
        vpc = made(VPC, "vpc", id="vpc-1", mainRouteTableId="rtb-main", defaultRouteTableId="rtb-main")
        other = made(MAIN_ASSOCIATION, "m", vpcId="vpc-1", routeTableId="rtb-t")
        assert self.public(subnet("x"), vpc, route("igw-1", "rtb-main"), other, table("t")) is False

    def test_the_main_table_of_a_vpc_of_another_stack(self) -> None:
        assert self.public(subnet("x", vpc="vpc-of-another")) is None


class TestMountTargets:
    """Subnets of file systems give no public addresses either."""

    def said(self, of: Any, *resources: Resource, behind: Sequence[str] = ()) -> str:
        """Judge a mount target."""
        target = made(MOUNT_TARGET, "target", {"subnetId": behind}, subnetId=of)
        return verdict(FILES, "target", *resources, target)

    def test_routes_count(self) -> None:
        assert self.said("data", *OPEN_SUBNET, *CLOSED_SUBNET) == GOOD
        assert self.said("public", *OPEN_SUBNET, *CLOSED_SUBNET) == BAD

    @pytest.mark.parametrize(
        ("flag", "verdict"), [(True, BAD), (False, GOOD), (None, GOOD), (UNKNOWN, OPEN), ("yes", BAD)]
    )
    def test_addresses_count(self, flag: Any, verdict: str) -> None:
        place = [subnet("x", mapPublicIpOnLaunch=flag), table("t"), associated("a", "x", "rtb-t")]
        assert self.said("x", *place) == verdict

    @pytest.mark.parametrize(
        ("behind", "verdict"),
        [(["data"], GOOD), (["public"], BAD), (["data", "public"], OPEN), ([], OPEN)],
    )
    def test_in_a_preview_the_dependencies_tell(self, behind: list[str], verdict: str) -> None:
        assert self.said(UNKNOWN, *preview("data", "public"), behind=behind) == verdict

    def test_a_flag_that_a_preview_leaves_open_is_off(self) -> None:
        place = [subnet("x", mapPublicIpOnLaunch=UNKNOWN), table("t"), associated("a", "x", "rtb-t")]
        assert self.said("x", left_open(place[0], "mapPublicIpOnLaunch"), *place[1:]) == GOOD

    def test_an_id_of_another_type_is_a_violation(self) -> None:
        assert self.said(7, *CLOSED_SUBNET) == BAD
