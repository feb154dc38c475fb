"""Where things are in the network: the load balancer and NAT alone in public subnets, data where nothing leads out.

That data is in no public subnet is a relation of its own for each kind of data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from policies.crossguard.findings import Finding
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.rules import About, Relation, Severity, Tier
from policies.crossguard.values import View
from policies.security.documents import values
from policies.security.references import Verdict, each_of, either, every, given, refers
from policies.security.relations.data_subnets import CACHE_SUBNETS, MOUNT_TARGET, RDS_SUBNETS
from policies.security.rules.elasticache import SERVERLESS
from policies.security.rules.functions import FUNCTION, SCHEDULE
from policies.security.rules.networks import ENDPOINT
from policies.security.rules.opensearch import DOMAIN
from policies.security.rules.services import EVENT_TARGET, SERVICE, TASK_SET
from policies.security.subnets import ASSOCIATION, ROUTE, ROUTE_TABLE, is_public, placed

NAT: Final = "aws:ec2/natGateway:NatGateway"
EGRESS_ONLY: Final = "aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway"
WAYS_OUT: Final = {"natGatewayId": NAT, "egressOnlyGatewayId": EGRESS_ONLY}
"""Where routes name what leads out, beside an internet gateway."""
WORKERS: Final[Mapping[str, str]] = {
    SERVICE: "networkConfiguration.subnets",
    TASK_SET: "networkConfiguration.subnets",
    SCHEDULE: "target.ecsParameters.networkConfiguration.subnets",
    EVENT_TARGET: "ecsTarget.networkConfiguration.subnets",
    FUNCTION: "vpcConfig.subnetIds",
    ENDPOINT: "subnetIds",
    "aws:ec2/instance:Instance": "subnetId",
    "aws:autoscaling/group:Group": "vpcZoneIdentifiers",
}
"""Where what has network interfaces, and works, names its subnets."""
DATA: Final[Mapping[str, str]] = {
    RDS_SUBNETS: "subnetIds",
    CACHE_SUBNETS: "subnetIds",
    SERVERLESS: "subnetIds",
    MOUNT_TARGET: "subnetId",
    DOMAIN: "vpcOptions.subnetIds",
}
"""The same of what holds data."""


def _has_way_out(stack: Stack, subnet: Resource) -> Verdict:
    """Say whether a route leads from a subnet to what leads out, apart from an internet gateway."""
    return either(_of_table(stack, each, subnet) for each in stack.of(ASSOCIATION))


def _of_table(stack: Stack, association: Resource, subnet: Resource) -> Verdict:
    is_its = refers(stack, association, "subnetId", association.props["subnetId"], subnet)
    if is_its is False:
        return False
    table_id = association.props["routeTableId"]
    tables = (
        (table, refers(stack, association, "routeTableId", table_id, table))
        for table in stack.of(ROUTE_TABLE)
    )
    return every(
        [
            is_its,
            either(every([uses, _leads_out(stack, table)]) for table, uses in tables if uses is not False),
        ]
    )


def _leads_out(stack: Stack, table: Resource) -> Verdict:
    beside = (
        every(
            [
                refers(stack, route, "routeTableId", route.props["routeTableId"], table),
                _is_out(stack, route, route.props),
            ]
        )
        for route in stack.of(ROUTE)
    )
    inside = (_is_out(stack, table, route) for route in values(given(table, "routes")))
    return either([*beside, *inside])


def _is_out(stack: Stack, owner: Resource, route: View) -> Verdict:
    return either(_names(stack, owner, route[name], kind) for name, kind in WAYS_OUT.items())


def _names(stack: Stack, owner: Resource, gateway: View, kind: str) -> Verdict:
    if not gateway.unknown:
        return not gateway.empty
    property = gateway.path.partition("[")[0]
    if property not in owner.property_dependencies:
        return False
    return True if stack.behind(owner, property, kind) else None


def _places(
    places: Mapping[str, str], is_wrong: Callable[[Stack, Resource], Verdict], wrong: str
) -> Callable[[Stack], Iterable[About]]:
    def check(stack: Stack, owner: Resource) -> Iterator[Finding]:
        yield from placed(stack, owner, places[owner.type], lambda subnet: is_wrong(stack, subnet), wrong)

    return each_of(check, *places)


RELATIONS: Final = (
    Relation(
        name="network-interface-private",
        why="What works in a public subnet is one address and one rule away from the internet.",
        fix="Name private subnets; only the load balancer and NAT gateways belong into public ones.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("R2",),
        check=_places(WORKERS, is_public, "has a route to an internet gateway"),
    ),
    Relation(
        name="data-without-way-out",
        why="Data that reaches the internet through NAT leaves by the same way.",
        fix="Name data subnets, whose route tables have no route but the local one.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("R2",),
        check=_places(DATA, _has_way_out, "has a route to a NAT gateway"),
    ),
)
