"""EC2 data sources: VPCs, subnets, security groups and managed prefix lists."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any, Final

from sandbox.behaviour import regions
from sandbox.behaviour.invokes_lookup import VPC, matching, picked, single
from sandbox.behaviour.model import AwsError, Properties, Session, World
from sandbox.behaviour.outputs_base import Ids

SUBNET: Final = "aws:ec2/subnet:Subnet"
GROUP: Final = "aws:ec2/securityGroup:SecurityGroup"


def vpc(args: Properties, _session: Session, world: World) -> Properties:
    """Answer getVpc."""
    item = single("EC2 VPC", matching(VPC, args, world, "id", "cidrBlock", "dhcpOptionsId"))
    names = (
        "arn cidrBlock dhcpOptionsId enableDnsHostnames enableDnsSupport enableNetworkAddressUsageMetrics id"
    )
    more = "instanceTenancy ipv6AssociationId ipv6CidrBlock mainRouteTableId ownerId region"
    association = {"associationId": f"vpc-cidr-assoc-{Ids(item['id']).hex(17)}", "state": "associated"}
    return picked(item, *names.split(), *more.split()) | {
        "default": False,
        "state": "available",
        "cidrBlockAssociations": [{**association, "cidrBlock": item.get("cidrBlock", "")}],
        "ipv6CidrBlockAssociations": [],
    }


def vpcs(args: Properties, session: Session, world: World) -> Properties:
    """Answer getVpcs."""
    return _ids(args, session, matching(VPC, args, world))


def subnet(args: Properties, _session: Session, world: World) -> Properties:
    """Answer getSubnet."""
    keys = ("id", "vpcId", "cidrBlock", "availabilityZone", "availabilityZoneId", "ipv6CidrBlock")
    item = single("EC2 Subnet", matching(SUBNET, args, world, *keys))
    hidden = {"tagsAll", "ipv4IpamPoolId", "ipv4NetmaskLength", "ipv6IpamPoolId", "ipv6NetmaskLength"}
    size = ipaddress.ip_network(item["cidrBlock"]).num_addresses if item.get("cidrBlock") else 5
    return {key: value for key, value in item.items() if key not in hidden} | {
        "availableIpAddressCount": size - 5,
        "defaultForAz": False,
        "state": "available",
        "tags": dict(item.get("tagsAll", {})),
    }


def subnets(args: Properties, session: Session, world: World) -> Properties:
    """Answer getSubnets."""
    return _ids(args, session, matching(SUBNET, args, world))


def _ids(args: Properties, session: Session, found: Iterable[Properties]) -> Properties:
    echoed: Properties = {key: args[key] for key in ("filters", "tags") if key in args}
    return {
        "tags": {},
        **echoed,
        "id": session.region,
        "ids": sorted(item["id"] for item in found),
        "region": session.region,
    }


def security_group(args: Properties, _session: Session, world: World) -> Properties:
    """Answer getSecurityGroup."""
    item = single("EC2 Security Group", matching(GROUP, args, world, "id", "name", "vpcId"))
    return picked(item, "arn", "description", "id", "name", "region", "vpcId")


def security_groups(args: Properties, session: Session, world: World) -> Properties:
    """Answer getSecurityGroups."""
    found = sorted(matching(GROUP, args, world), key=lambda item: str(item["id"]))
    more = {"arns": [item["arn"] for item in found], "vpcIds": [item.get("vpcId", "") for item in found]}
    return _ids(args, session, found) | more


def prefix_list(args: Properties, session: Session, _world: World) -> Properties:
    """Answer getPrefixList for S3 and DynamoDB."""
    name, found, cidrs = _prefix_list(args, session, args.get("prefixListId"))
    return {"id": found, "name": name, "cidrBlocks": cidrs, "prefixListId": found, "region": session.region}


def managed_prefix_list(args: Properties, session: Session, _world: World) -> Properties:
    """Answer getManagedPrefixList for S3 and DynamoDB."""
    name, found, cidrs = _prefix_list(args, session, args.get("id"))
    return {
        "id": found,
        "name": name,
        "addressFamily": "IPv4",
        "arn": f"arn:{session.partition}:ec2:{session.region}:aws:prefix-list/{found}",
        "entries": [{"cidr": cidr, "description": ""} for cidr in cidrs],
        "maxEntries": 0,
        "ownerId": "AWS",
        "region": session.region,
        "tags": {},
        "version": 0,
    }


def _prefix_list(args: Properties, session: Session, wanted: Any) -> tuple[str, str, list[str]]:
    names = [args["name"]] if "name" in args else []
    names += [
        v for one in args.get("filters", []) if one["name"] == "prefix-list-name" for v in one["values"]
    ]
    for service in ("s3", "dynamodb"):
        name = f"com.amazonaws.{session.region}.{service}"
        found, cidrs = regions.prefix_list(session.region, service)
        if name in names or wanted == found:
            return name, found, list(cidrs)
    raise AwsError(
        "NotFound", f"no matching prefix list found: only S3 and DynamoDB of {session.region} exist", "name"
    )
