"""The plan of a VPC turned into child resources whose inputs refer to each other."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from sandbox.awsx.blocks import LayoutError
from sandbox.awsx.endpoints import Endpoint
from sandbox.awsx.layout import Plan
from sandbox.awsx.specs import Subnet
from sandbox.behaviour.model import Properties
from sandbox.behaviour.values import UNKNOWN

VPC: Final = "aws:ec2/vpc:Vpc"
GATEWAY: Final = "aws:ec2/internetGateway:InternetGateway"
SUBNET: Final = "aws:ec2/subnet:Subnet"
TABLE: Final = "aws:ec2/routeTable:RouteTable"
ASSOCIATION: Final = "aws:ec2/routeTableAssociation:RouteTableAssociation"
ROUTE: Final = "aws:ec2/route:Route"
EIP: Final = "aws:ec2/eip:Eip"
NAT: Final = "aws:ec2/natGateway:NatGateway"
ENDPOINT: Final = "aws:ec2/vpcEndpoint:VpcEndpoint"
GROUP: Final = "aws:ec2/securityGroup:SecurityGroup"
RULE: Final = "aws:ec2/securityGroupRule:SecurityGroupRule"
ANYWHERE: Final = "0.0.0.0/0"
REFERENCES: Final = frozenset(
    {"policy", "routeTableIds", "securityGroupIds", "subnetConfigurations", "subnetIds"}
)
"""Fields of an endpoint that usually refer to other resources."""
ZONE_ORDER: Final = ("private", "isolated", "public")
"""Which subnet of a zone an Auto interface endpoint prefers."""

Key = tuple[str, str]
"""Type and name of a child; the pair is unique within a VPC."""
Dependencies = Mapping[str, Sequence[str]]
"""URNs that the component arguments come from, by argument path such as `vpcEndpointSpecs[0].subnetIds`."""


@dataclass(frozen=True)
class Ref:
    """An output of another child, `id` or any other; `convert` turns a known value into the input."""

    child: Key
    output: str = "id"
    convert: Callable[[Any], Any] | None = None


@dataclass(frozen=True)
class Child:
    """One resource to register.

    `parent` None is the component. `depends_on` names the explicit dependencies; those of the inputs' `Ref`s
    come
    on top. `urns` holds, by input, dependencies that the component's own arguments brought along.
    """

    key: Key
    parent: Key | None
    inputs: Properties
    depends_on: tuple[Key, ...] = ()
    urns: Mapping[str, Sequence[str]] = field(default_factory=dict)


def children(plan: Plan, given: Dependencies) -> list[Child]:
    """Return every child of a VPC, each behind those it refers to."""
    given = _precise(given)
    vpc: Key = (VPC, plan.name)
    tags = _tags({"Name": plan.name}, plan.tags)
    top = {name: _urns(given, name) for name in (*plan.vpc, "tags")}
    found = [
        Child(vpc, None, {**plan.vpc, "tags": tags}, urns=top),
        _child(plan, given, (GATEWAY, plan.name), vpc, {"vpcId": Ref(vpc), "tags": tags}),
    ]
    positions: dict[int, int] = {}
    for subnet in plan.subnets:
        position = positions.get(subnet.zone, 0)
        positions[subnet.zone] = position + 1
        found += _subnet_children(plan, given, subnet, subnet.zone + position * plan.zone_count)
    for number, subnet in enumerate(plan.nat_subnets):
        found += _nat_children(plan, given, subnet, number)
    found += [_route(plan, given, subnet) for subnet in plan.subnets if _has_route(plan, subnet)]
    for endpoint in plan.endpoints:
        found += _endpoint_children(plan, given, endpoint)
    return found


def _child(plan: Plan, given: Dependencies, key: Key, parent: Key, inputs: Properties, *after: Key) -> Child:
    """Make a child that depends on its parent, with the region and the dependencies of tags and region."""
    region = {} if plan.region is None else {"region": plan.region}
    present = {**region, **inputs}
    urns: dict[str, Sequence[str]] = {
        name: _urns(given, name) for name in ("region", "tags") if name in present
    }
    if key[0] == SUBNET:
        urns["tags"] = [*urns["tags"], *_urns(given, "subnetSpecs")]
    return Child(key, parent, present, after or (parent,), urns)


def _subnet_children(plan: Plan, given: Dependencies, subnet: Subnet, number: int) -> Iterator[Child]:
    """Yield a subnet, its route table and their association."""
    vpc, key, table = (VPC, plan.name), (SUBNET, subnet.name), (TABLE, subnet.name)
    fixed = {"Name": subnet.tag_name, "SubnetType": subnet.type}
    assign = plan.assign_ipv6 if subnet.assign_ipv6 is None else subnet.assign_ipv6
    inputs = {
        "vpcId": Ref(vpc),
        "availabilityZone": subnet.zone_name,
        "mapPublicIpOnLaunch": subnet.type.lower() == "public",
        "cidrBlock": subnet.cidr,
        "assignIpv6AddressOnCreation": assign,
        "tags": _tags({"Name": plan.name}, plan.tags, subnet.tags or {}, fixed),
    }
    if assign is True:
        inputs["ipv6CidrBlock"] = Ref(vpc, "ipv6CidrBlock", partial(ipv6_block, number=number))
    elif assign is UNKNOWN:
        inputs["ipv6CidrBlock"] = UNKNOWN
    yield _child(plan, given, key, vpc, inputs)
    table_tags = _tags({"Name": plan.name}, plan.tags, fixed)
    yield _child(plan, given, table, key, {"vpcId": Ref(vpc), "tags": table_tags})
    link = {"routeTableId": Ref(table), "subnetId": Ref(key)}
    yield _child(plan, given, (ASSOCIATION, subnet.name), table, link)


def _nat_name(plan: Plan, subnet: Subnet) -> str:
    """Return the name of a zone's NAT gateway and Elastic IP address."""
    return f"{plan.name}-{subnet.zone + 1}"


def _nat_children(plan: Plan, given: Dependencies, subnet: Subnet, number: int) -> Iterator[Child]:
    """Yield a NAT gateway and, unless addresses are given, its Elastic IP address."""
    name, parent = _nat_name(plan, subnet), (SUBNET, subnet.name)
    tags = _tags(plan.tags, {"Name": name})
    allocation: Any = Ref((EIP, name), "allocationId")
    if plan.allocation_ids:
        allocation = plan.allocation_ids[number]
    else:
        yield _child(plan, given, (EIP, name), parent, {"tags": tags})
    inputs = {"subnetId": Ref(parent), "allocationId": allocation, "tags": tags}
    made = _child(plan, given, (NAT, name), parent, inputs)
    ids = _urns(given, f"natGateways.elasticIpAllocationIds[{number}]") if plan.allocation_ids else []
    yield Child(made.key, made.parent, made.inputs, made.depends_on, {**made.urns, "allocationId": ids})


def _has_route(plan: Plan, subnet: Subnet) -> bool:
    """Say whether a subnet's table gets a default route."""
    return subnet.type.lower() == "public" or (subnet.type.lower() == "private" and bool(plan.nat_of_zone))


def _route(plan: Plan, given: Dependencies, subnet: Subnet) -> Child:
    """Return a subnet's way out: the internet gateway for public ones, a NAT gateway for private ones."""
    table = (TABLE, subnet.name)
    if subnet.type.lower() == "public":
        target = {"gatewayId": Ref((GATEWAY, plan.name))}
    else:
        host = plan.nat_subnets[plan.nat_of_zone[subnet.zone]]
        target = {"natGatewayId": Ref((NAT, _nat_name(plan, host)))}
    inputs = {"routeTableId": Ref(table), "destinationCidrBlock": ANYWHERE, **target}
    return _child(plan, given, (ROUTE, subnet.name), table, inputs)


def _endpoint_children(plan: Plan, given: Dependencies, endpoint: Endpoint) -> Iterator[Child]:
    """Yield an endpoint and, when it needs them, its security group and rule."""
    vpc: Key = (VPC, plan.name)
    region = endpoint.given.get("region", plan.region)
    common = {} if region is None else {"region": region}
    tags = _tags({"Name": plan.name}, plan.tags, endpoint.given.get("tags", {}))
    inputs = {**endpoint.given, **common, "tags": tags, "vpcId": Ref(vpc)}
    if endpoint.add_route_tables:
        inputs["routeTableIds"] = [Ref((TABLE, subnet.name)) for subnet in plan.subnets]
    if endpoint.add_subnets:
        inputs["subnetIds"] = [Ref((SUBNET, name)) for name in _endpoint_subnets(plan)]
    if endpoint.add_security_group:
        group, rule = (GROUP, f"{endpoint.service}-sg"), (RULE, f"{endpoint.service}-ingress")
        described = {**common, "vpcId": Ref(vpc), "description": "Managed by Pulumi", "tags": tags}
        yield Child(group, vpc, described, (vpc,))
        ingress = {"type": "ingress", "protocol": "tcp", "fromPort": 443, "toPort": 443}
        sources = {"cidrBlocks": [Ref(vpc, "cidrBlock")]}
        if endpoint.wants_ipv6:
            sources["ipv6CidrBlocks"] = [Ref(vpc, "ipv6CidrBlock")]
        yield Child(rule, vpc, {**common, **ingress, **sources, "securityGroupId": Ref(group)}, (group,))
        inputs["securityGroupIds"] = [Ref(group)]
    exact = {name: urns for name, urns in given.items() if name != "vpcEndpointSpecs"}
    urns = {
        name: _urns(given if name in REFERENCES else exact, f"vpcEndpointSpecs[{endpoint.index}].{name}")
        for name in endpoint.given
    }
    for name in ("region", "tags"):
        urns[name] = [*urns.get(name, ()), *_urns(given, name)]
    yield Child((ENDPOINT, endpoint.service), vpc, inputs, (vpc,), urns)


def _endpoint_subnets(plan: Plan) -> list[str]:
    """Return one subnet's name a zone: private, else isolated, else public."""
    names = []
    for zone in range(plan.zone_count):
        types = {subnet.type.lower(): subnet.name for subnet in reversed(plan.subnets) if subnet.zone == zone}
        names += [types[kind] for kind in ZONE_ORDER if kind in types][:1]
    return names


def _precise(given: Dependencies) -> Dependencies:
    """Drop the dependencies of a whole argument where those of its parts are known."""
    return {
        name: urns
        for name, urns in given.items()
        if not any(other.startswith((f"{name}.", f"{name}[")) for other in given)
    }


def _urns(given: Dependencies, path: str) -> list[str]:
    """Return what an argument, a part of it or the whole around it depends on."""
    found = [
        urn
        for name, urns in given.items()
        if name == path
        or path.startswith((f"{name}.", f"{name}["))
        or name.startswith((f"{path}.", f"{path}["))
        for urn in urns
    ]
    return list(dict.fromkeys(found))


def _tags(*parts: Any) -> Any:
    """Merge tags, later ones win; one unknown part makes all of them unknown."""
    if any(part is UNKNOWN for part in parts):
        return UNKNOWN
    return {key: value for part in parts for key, value in part.items()}


def ipv6_block(vpc_cidr: Any, number: int) -> str:
    """Return the `number`-th /64 (0 to 255) of a VPC's /56.

    Raises:
        LayoutError: the VPC has no IPv6 block, or one of another size.

    """
    if not vpc_cidr:
        raise LayoutError(
            "Subnets with assignIpv6AddressOnCreation=true require the VPC to have an IPv6 CIDR block. "
            "Set assignGeneratedIpv6CidrBlock=true or provide ipv6CidrBlock."
        )
    network = ipaddress.IPv6Network(vpc_cidr, strict=False)
    if network.prefixlen != 56:
        raise LayoutError(f"VPC must be a /56 block (got /{network.prefixlen})")
    return str(ipaddress.IPv6Network((int(network.network_address) + (number << 64), 64)))
