"""VPCs, subnets, gateways, routes, flow logs, network ACLs and launch templates."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any, Final

from sandbox.behaviour.formats import network_of
from sandbox.behaviour.model import Failure
from sandbox.behaviour.regions import ZONES
from sandbox.behaviour.rules import Case, known, objects, rule

VPC: Final = "aws:ec2/vpc:Vpc"
SUBNET: Final = "aws:ec2/subnet:Subnet"
LARGEST, SMALLEST = 16, 28
"""Prefix lengths that AWS allows for VPCs and subnets."""

DESTINATIONS: Final = ("cidrBlock", "ipv6CidrBlock", "destinationPrefixListId")
TARGETS: Final = (
    "carrierGatewayId", "coreNetworkArn", "egressOnlyGatewayId", "gatewayId", "localGatewayId", "natGatewayId",
    "networkInterfaceId", "odbNetworkArn", "transitGatewayId", "vpcEndpointId", "vpcPeeringConnectionId",
)  # fmt: skip


@rule(VPC, SUBNET)
def block_size(case: Case) -> Iterator[Failure]:
    """Check the size of the block, and that there is one."""
    block = case.known("cidrBlock")
    if block is not None and not LARGEST <= network_of(block).prefixlen <= SMALLEST:
        yield Failure("cidrBlock", f'must be between /{LARGEST} and /{SMALLEST}, got "{block}"')
    others = (
        ("ipv4IpamPoolId",) if case.token == VPC else ("ipv4IpamPoolId", "ipv4NetmaskLength", "ipv6Native")
    )
    if not case.has("cidrBlock") and not any(case.inputs.get(key) for key in others):
        yield Failure("cidrBlock", "is required unless an IPAM pool gives the block")


@rule(VPC)
def private_range(case: Case) -> Iterator[Failure]:
    """Check the ranges that AWS refuses for a VPC."""
    block = case.known("cidrBlock")
    if block is not None:
        network = network_of(block)
        if network.is_loopback or network.is_link_local or network.is_multicast:
            yield Failure("cidrBlock", f'"{block}" cannot be used by a VPC')
    if case.known("enableDnsHostnames") and case.known("enableDnsSupport", True) is False:
        yield Failure("enableDnsHostnames", "needs enableDnsSupport true")


@rule(SUBNET)
def zone(case: Case) -> Iterator[Failure]:
    """Check that the zone is one of the region."""
    if problem := zone_problem(case.known("availabilityZone"), case.region):
        yield Failure("availabilityZone", problem)


@rule(
    "aws:rds/instance:Instance",
    "aws:autoscaling/group:Group",
    "aws:elasticache/replicationGroup:ReplicationGroup",
)
def other_zones(case: Case) -> Iterator[Failure]:
    """Check zones of databases, caches and groups."""
    if problem := zone_problem(case.known("availabilityZone"), case.region):
        yield Failure("availabilityZone", problem)
    for key in ("availabilityZones", "preferredCacheClusterAzs"):
        for index, name in enumerate(case.known(key) or ()):
            if isinstance(name, str) and (problem := zone_problem(name, case.region)):
                yield Failure(f"{key}[{index}]", problem)


def zone_problem(name: Any, region: str) -> str | None:
    """Return why a zone's name is wrong in a region, or None; local zones are left alone."""
    if not isinstance(name, str) or region not in ZONES or name.count("-") > region.count("-"):
        return None
    names = [f"{region}{letter}" for letter in ZONES[region]]
    return None if name in names else f'"{name}" is no zone of {region}, allowed: {", ".join(names)}'


@rule("aws:ec2/natGateway:NatGateway")
def nat_gateway(case: Case) -> Iterator[Failure]:
    """Check what public, private and regional gateways take."""
    kind = case.inputs.get("connectivityType", "public")
    if kind == "private":
        for key in ("allocationId", "secondaryAllocationIds"):
            if case.has(key):
                yield Failure(key, "is not supported with connectivityType private")
    if kind == "public" and case.has("secondaryPrivateIpAddressCount"):
        yield Failure("secondaryPrivateIpAddressCount", "is not supported with connectivityType public")
    yield from _placement(case, kind)


def _placement(case: Case, kind: Any) -> Iterator[Failure]:
    mode = case.inputs.get("availabilityMode", "zonal")
    if mode == "regional":
        if case.has("subnetId"):
            yield Failure("subnetId", "is not supported with availabilityMode regional")
        if not case.has("vpcId"):
            yield Failure("vpcId", "is required with availabilityMode regional")
    if mode == "zonal":
        if not case.has("subnetId"):
            yield Failure("subnetId", "is required for a zonal NAT gateway")
        if kind == "public" and not case.has("allocationId"):
            yield Failure("allocationId", "is required for a public NAT gateway")


@rule("aws:ec2/routeTable:RouteTable")
def routes(case: Case) -> Iterator[Failure]:
    """Check that each inline route has one destination and one target."""
    for path, item in objects(case.known("routes"), "routes"):
        yield from _one(item, DESTINATIONS, f"{path}.", "destination")
        yield from _one(item, TARGETS, f"{path}.", "target")


def _one(item: dict[str, Any], keys: tuple[str, ...], prefix: str, what: str) -> Iterator[Failure]:
    given = [key for key in keys if item.get(key) not in (None, "")]
    if not given:
        yield Failure(f"{prefix}{keys[0]}", f"a route needs one {what}: one of {', '.join(keys)}")
    elif len(given) > 1:
        yield Failure(f"{prefix}{given[1]}", f"a route takes one {what}, got {' and '.join(given)}")


@rule("aws:ec2/flowLog:FlowLog")
def flow_log(case: Case) -> Iterator[Failure]:
    """Check the destination, the role and the traffic of a flow log."""
    kind = case.inputs.get("logDestinationType", "cloud-watch-logs")
    if kind == "cloud-watch-logs" and not case.has("iamRoleArn"):
        yield Failure("iamRoleArn", "is required with a CloudWatch Logs destination")
    if kind == "s3" and case.has("iamRoleArn"):
        yield Failure("iamRoleArn", "must not be set with an S3 destination")
    if not case.has("logDestination"):
        yield Failure("logDestination", "is required")
    transit = case.has("transitGatewayId") or case.has("transitGatewayAttachmentId")
    if not transit and not case.has("trafficType"):
        yield Failure("trafficType", "is required for a VPC, subnet or network interface")
    if transit and case.known("maxAggregationInterval", 60) != 60:
        yield Failure("maxAggregationInterval", "must be 60 for a transit gateway")
    if kind in ("cloud-watch-logs", "kinesis-data-firehose") and case.has("destinationOptions"):
        yield Failure("destinationOptions", "are for S3 destinations only")


@rule("aws:ec2/networkAcl:NetworkAcl")
def network_acl(case: Case) -> Iterator[Failure]:
    """Check the entries of a network ACL."""
    for direction in ("ingress", "egress"):
        numbers: set[int] = set()
        for path, item in objects(case.known(direction), direction):
            number = known(item, "ruleNo")
            if number in numbers:
                yield Failure(f"{path}.ruleNo", f"rule number {number} is used twice")
            numbers.add(number)
            ports = (known(item, "fromPort"), known(item, "toPort"))
            if str(known(item, "protocol")) in ("-1", "all") and any(ports):
                yield Failure(f"{path}.fromPort", "fromPort and toPort must be 0 with protocol -1")
            if not item.get("cidrBlock") and not item.get("ipv6CidrBlock"):
                yield Failure(f"{path}.cidrBlock", "cidrBlock or ipv6CidrBlock is required")


@rule("aws:ec2/launchTemplate:LaunchTemplate")
def launch_template(case: Case) -> Iterator[Failure]:
    """Check what EC2 refuses when it stores a template."""
    data = case.known("userData")
    if data:
        try:
            base64.b64decode(data, validate=True)
        except (ValueError, binascii.Error):
            yield Failure("userData", "must be base64 text")
    grouped = any(item.get("securityGroups") for _, item in objects(case.known("networkInterfaces"), ""))
    if case.known("vpcSecurityGroupIds") and grouped:
        yield Failure("vpcSecurityGroupIds", "conflicts with networkInterfaces.securityGroups")
