"""Which subnets are public, and what is placed in them.

A subnet is public when its route table, or the main one of its VPC where it has none of its own, leads to an internet
gateway. All of that can be in resources of their own or inside of others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from policies.crossguard.findings import Finding, Undecided, Violation
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.values import View
from policies.security.references import Verdict, either, every, given, refers

SUBNET: Final = "aws:ec2/subnet:Subnet"
VPC: Final = "aws:ec2/vpc:Vpc"
INTERNET_GATEWAY: Final = "aws:ec2/internetGateway:InternetGateway"
VPN_GATEWAY: Final = "aws:ec2/vpnGateway:VpnGateway"
ROUTE: Final = "aws:ec2/route:Route"
ROUTE_TABLE: Final = "aws:ec2/routeTable:RouteTable"
DEFAULT_ROUTE_TABLE: Final = "aws:ec2/defaultRouteTable:DefaultRouteTable"
ASSOCIATION: Final = "aws:ec2/routeTableAssociation:RouteTableAssociation"
MAIN_ASSOCIATION: Final = "aws:ec2/mainRouteTableAssociation:MainRouteTableAssociation"
TABLES: Final = (ROUTE_TABLE, DEFAULT_ROUTE_TABLE, VPC)
"""What the id of a route table can come from: a VPC has that of its main one."""
_INTERNET_GATEWAY_ID: Final = "igw-"

Judge = Callable[[Resource], Verdict]


def is_public(stack: Stack, subnet: Resource) -> Verdict:
    """Say whether there is a route from a subnet to an internet gateway."""
    associations = [
        (each, refers(stack, each, "subnetId", each.props["subnetId"], subnet))
        for each in stack.of(ASSOCIATION)
    ]
    ways = [every([is_its, _leads_out(stack, each)]) for each, is_its in associations if is_its is not False]
    if not any(is_its for _, is_its in associations):
        main = _main_leads_out(stack, subnet)
        ways.append(every([None, main]) if ways else main)
    return either(ways)


def _leads_out(stack: Stack, association: Resource) -> Verdict:
    """Say whether the route table of an association leads to an internet gateway."""
    value = association.props["routeTableId"]
    tables = [
        (table, refers(stack, association, "routeTableId", value, table, TABLES))
        for table in stack.of(*TABLES)
    ]
    named = [(table, is_it) for table, is_it in tables if is_it is not False]
    return either(every([is_it, _table_leads_out(stack, table)]) for table, is_it in named) if named else None


def _main_leads_out(stack: Stack, subnet: Resource) -> Verdict:
    value = subnet.props["vpcId"]
    named = [(vpc, refers(stack, subnet, "vpcId", value, vpc)) for vpc in stack.of(VPC)]
    around = [(vpc, is_its) for vpc, is_its in named if is_its is not False]
    if not around:
        return None
    return either(every([is_its, _main_of(stack, vpc)]) for vpc, is_its in around)


def _main_of(stack: Stack, vpc: Resource) -> Verdict:
    """Say whether the main route table of a VPC leads to an internet gateway."""
    others = [
        (each, refers(stack, each, "vpcId", each.props["vpcId"], vpc)) for each in stack.of(MAIN_ASSOCIATION)
    ]
    replaced = [every([is_its, _leads_out(stack, each)]) for each, is_its in others if is_its is not False]
    return either(replaced) if replaced else _table_leads_out(stack, vpc)


def _table_leads_out(stack: Stack, table: Resource) -> Verdict:
    return either([*_routes_out(stack, table), *_adopted_leads_out(stack, table)])


def _routes_out(stack: Stack, table: Resource) -> Iterator[Verdict]:
    """Yield for every route of a table whether it leads to an internet gateway."""
    for route in stack.of(ROUTE):
        is_its = refers(stack, route, "routeTableId", route.props["routeTableId"], table, TABLES)
        if is_its is not False:
            yield every([is_its, _to_internet(stack, route, "gatewayId", route.props["gatewayId"])])
    inside = given(table, "routes")
    if inside.unknown:
        yield None
        return
    for item in inside.items():
        yield None if item.unknown else _to_internet(stack, table, "routes", item["gatewayId"])


def _adopted_leads_out(stack: Stack, table: Resource) -> Iterator[Verdict]:
    """Yield the same of the resource with which a program takes over the main table of a VPC."""
    if table.type != VPC:
        return
    for each in stack.of(DEFAULT_ROUTE_TABLE):
        value = each.props["defaultRouteTableId"]
        is_its = refers(stack, each, "defaultRouteTableId", value, table)
        if is_its is not False:
            yield every([is_its, _table_leads_out(stack, each)])


def _to_internet(stack: Stack, owner: Resource, property: str, gateway: View) -> Verdict:
    if gateway.absent:
        return False
    if not gateway.unknown:
        return gateway.text().startswith(_INTERNET_GATEWAY_ID)
    # The same property takes gateways of VPNs.
    made_of = {each.type for each in stack.behind(owner, property, INTERNET_GATEWAY, VPN_GATEWAY)}
    return None if len(made_of) != 1 else INTERNET_GATEWAY in made_of


def placed(stack: Stack, owner: Resource, property: str, is_wrong: Judge, wrong: str) -> Iterator[Finding]:
    """Yield what is wrong with the subnets that a property names.

    Args:
        stack: Where all of them are.
        owner: The resource that has the property.
        property: One id, or a list of different ones; it may be inside of another, as `networkConfiguration.subnets`.
        is_wrong: Whether a subnet is none that is wanted.
        wrong: The same in words, as in "is public".

    Raises:
        WrongTypeError: The property is neither, or something that the verdict needs has another type.

    """
    property, _, inside = property.partition(".")
    value = given(owner, property)
    value = value.at(inside) if inside else value
    ids = [*value.items()] if not value.unknown and isinstance(value.known(), list | tuple) else [value]
    subnets = [*stack.of(SUBNET)]
    waiting: list[View] = []
    for each in ids:
        verdicts = [(subnet, refers(stack, owner, property, each, subnet)) for subnet in subnets]
        sure = [subnet for subnet, is_it in verdicts if is_it]
        if sure:
            yield from _about(each, sure[0], is_wrong(sure[0]), wrong)
        elif each.unknown and stack.behind(owner, property, SUBNET):
            waiting.append(each)
        elif not each.absent:
            yield Undecided(each.path)
    if waiting:
        yield from _about_some(waiting, stack.behind(owner, property, SUBNET), is_wrong, wrong)


def _about(value: View, subnet: Resource, verdict: Verdict, wrong: str) -> Iterator[Finding]:
    if verdict:
        yield Violation(f"{value.path} is {subnet.name}, which {wrong}")
    elif verdict is None:
        yield Undecided(value.path)


def _about_some(
    ids: list[View], candidates: list[Resource], is_wrong: Judge, wrong: str
) -> Iterator[Finding]:
    """Judge ids that are not known yet by the subnets that they can be: all of them are different."""
    verdicts = [(subnet, is_wrong(subnet)) for subnet in candidates]
    surely = [subnet.name for subnet, verdict in verdicts if verdict]
    if len(ids) > len(candidates) - len(surely):
        yield Violation(f"{ids[0].path} is one of {', '.join(sorted(surely))}, which {wrong}")
    elif any(verdict is not False for _, verdict in verdicts):
        yield Undecided(ids[0].path)
