"""Networks against each other: blocks of subnets, one VPC per resource, zones, routes, endpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from sandbox.behaviour.existing_view import GROUPS, SUBNET, SUBNETS, TABLES, VPC, VPCS, Kind, View
from sandbox.behaviour.formats import network_of
from sandbox.behaviour.model import AwsError

ENDPOINT: Final = "aws:ec2/vpcEndpoint:VpcEndpoint"
ASSOCIATION: Final = "aws:ec2/routeTableAssociation:RouteTableAssociation"
MOUNT_TARGET: Final = "aws:efs/mountTarget:MountTarget"


@dataclass(frozen=True)
class Placement:
    """Which inputs of a type lie in one VPC, AWS's code when they do not, and how many zones the subnets must cover.

    `unique_zones` forbids two subnets of one zone.
    """

    code: str
    vpc: str = ""
    subnets: str = ""
    groups: str = ""
    tables: str = ""
    zones: int = 0
    zone_code: str = ""
    unique_zones: str = ""


PLACEMENTS: Final = {
    ENDPOINT: Placement(
        "InvalidParameter", "vpcId", "subnetIds", "securityGroupIds", "routeTableIds",
        unique_zones="DuplicateSubnetsInSameZone",
    ),
    "aws:ecs/service:Service": Placement(
        "InvalidParameterException", "", "networkConfiguration.subnets", "networkConfiguration.securityGroups"
    ),
    "aws:lb/loadBalancer:LoadBalancer": Placement(
        "InvalidConfigurationRequest", "", "subnets", "securityGroups", zones=2, zone_code="ValidationError",
        unique_zones="InvalidConfigurationRequest",
    ),
    "aws:rds/subnetGroup:SubnetGroup": Placement(
        "InvalidSubnet", subnets="subnetIds", zones=2, zone_code="DBSubnetGroupDoesNotCoverEnoughAZs"
    ),
    "aws:rds/proxy:Proxy": Placement(
        "InvalidSubnet", "", "vpcSubnetIds", "vpcSecurityGroupIds", zones=2, zone_code="InvalidSubnet"
    ),
    "aws:elasticache/subnetGroup:SubnetGroup": Placement("InvalidSubnet", subnets="subnetIds"),
    MOUNT_TARGET: Placement("SecurityGroupNotFound", "", "subnetId", "securityGroups"),
    "aws:lambda/function:Function": Placement(
        "InvalidParameterValueException", "", "vpcConfig.subnetIds", "vpcConfig.securityGroupIds"
    ),
    "aws:mq/broker:Broker": Placement("BadRequestException", "", "subnetIds", "securityGroups"),
    "aws:opensearch/domain:Domain": Placement(
        "ValidationException", "", "vpcOptions.subnetIds", "vpcOptions.securityGroupIds"
    ),
    "aws:ec2/networkAcl:NetworkAcl": Placement("InvalidParameterValue", "vpcId", "subnetIds"),
    ASSOCIATION: Placement("InvalidParameterValue", "", "subnetId", tables="routeTableId"),
}  # fmt: skip


def errors(token: str, view: View) -> Iterator[AwsError]:
    """Yield what does not fit the networks that exist."""
    if placement := PLACEMENTS.get(token):
        yield from _one_vpc(placement, view)
        yield from _zones(placement, view)
    if check := _CHECKS.get(token):
        yield from check(view)


def vpc_id(view: View, kind: Kind, reference: str) -> str | None:
    """Return the VPC of a subnet, group or table, None when it is not known."""
    found = view.find(kind, reference)
    if found is not None:
        return found.get("vpcId")
    return view.vpc_of_default(kind, reference)


def _one_vpc(placement: Placement, view: View) -> Iterator[AwsError]:
    home = view.one(placement.vpc) if placement.vpc else None
    origin = f"VPC {home}"
    for path, kind in ((placement.subnets, SUBNETS), (placement.groups, GROUPS), (placement.tables, TABLES)):
        for where, reference in view.values(path) if path else ():
            vpc = vpc_id(view, kind, str(reference))
            if vpc is None:
                continue
            if home is None:
                home, origin = vpc, f"VPC {vpc} of {reference}"
            elif vpc != home:
                message = f"{reference} belongs to VPC {vpc}, not to {origin}"
                yield AwsError(placement.code, message, where)


def _zones(placement: Placement, view: View) -> Iterator[AwsError]:
    if not placement.zones and not placement.unique_zones:
        return
    zones: dict[str, str] = {}
    for where, reference in view.values(placement.subnets):
        found = view.find(SUBNETS, str(reference))
        if found is None:
            return
        zone = str(found.get("availabilityZone"))
        if zone in zones and placement.unique_zones:
            message = f"{reference} and {zones[zone]} are both in zone {zone}; one subnet per zone is allowed"
            yield AwsError(placement.unique_zones, message, where)
        zones[zone] = str(reference)
    # A network load balancer may have one zone; an application load balancer may not.
    needed = 1 if view.inputs.get("loadBalancerType") in ("network", "gateway") else placement.zones
    if zones and len(zones) < needed:
        message = f"The subnets cover {len(zones)} availability zone(s), at least {needed} are needed"
        yield AwsError(placement.zone_code, message, placement.subnets)


def _subnet(view: View) -> Iterator[AwsError]:
    block = view.inputs.get("cidrBlock")
    vpc_reference = str(view.inputs.get("vpcId"))
    vpc = view.find(VPCS, vpc_reference)
    if not block or vpc is None:
        return
    network, around = network_of(block), network_of(vpc["cidrBlock"])
    if network.version != around.version or not network.subnet_of(around):  # type: ignore[arg-type]
        message = (
            f"The CIDR '{block}' is invalid: it is outside the block {vpc['cidrBlock']} of {vpc_reference}"
        )
        yield AwsError("InvalidSubnet.Range", message, "cidrBlock")
    for other_id, other in view.world.all(SUBNET):
        if other.get("vpcId") == vpc_reference and network.overlaps(network_of(other["cidrBlock"])):
            message = f"The CIDR '{block}' conflicts with another subnet: {other_id} has {other['cidrBlock']}"
            yield AwsError("InvalidSubnet.Conflict", message, "cidrBlock")


def _endpoint(view: View) -> Iterator[AwsError]:
    if view.inputs.get("vpcEndpointType") != "Interface" or not view.inputs.get("privateDnsEnabled"):
        return
    vpc_reference, service = str(view.inputs.get("vpcId")), view.inputs.get("serviceName")
    vpc = view.find(VPCS, vpc_reference)
    if vpc is not None and not (vpc.get("enableDnsSupport", True) and vpc.get("enableDnsHostnames")):
        message = (
            "Enabling private DNS requires enableDnsSupport and enableDnsHostnames of the VPC set to true"
        )
        yield AwsError("InvalidParameter", f"{message} for {vpc_reference}", "privateDnsEnabled")
    for other_id, other in view.world.all(ENDPOINT):
        same = other.get("vpcId") == vpc_reference and other.get("serviceName") == service
        if same and other.get("privateDnsEnabled"):
            message = f"private DNS cannot be enabled, there is already a conflicting DNS domain: {other_id}"
            yield AwsError("InvalidParameter", message, "privateDnsEnabled")


def _gateway(view: View) -> Iterator[AwsError]:
    vpc = view.inputs.get("vpcId")
    for other_id, other in view.world.all("aws:ec2/internetGateway:InternetGateway"):
        if vpc and other.get("vpcId") == vpc:
            message = f"resource {vpc} is already attached to network gateway {other_id}"
            yield AwsError("Resource.AlreadyAssociated", message, "vpcId")


def _association(view: View) -> Iterator[AwsError]:
    subnet = view.inputs.get("subnetId")
    for other_id, other in view.world.all(ASSOCIATION):
        if subnet and other.get("subnetId") == subnet:
            message = f"the specified association for route table conflicts with the existing {other_id} of {subnet}"
            yield AwsError("Resource.AlreadyAssociated", message, "subnetId")


def _route(view: View) -> Iterator[AwsError]:
    for key in ("destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId"):
        target = view.inputs.get(key)
        for _, other in view.world.all("aws:ec2/route:Route"):
            if (
                target
                and other.get("routeTableId") == view.inputs.get("routeTableId")
                and other.get(key) == target
            ):
                yield AwsError("RouteAlreadyExists", f"The route identified by {target} already exists.", key)


def _acl_rule(view: View) -> Iterator[AwsError]:
    keys = ("networkAclId", "ruleNumber")
    for _, other in view.world.all("aws:ec2/networkAclRule:NetworkAclRule"):
        direction = bool(other.get("egress")) == bool(view.inputs.get("egress"))
        if direction and all(other.get(key) == view.inputs.get(key) for key in keys):
            message = f"The network acl entry identified by {view.inputs['ruleNumber']} already exists."
            yield AwsError("NetworkAclEntryAlreadyExists", message, "ruleNumber")


def _mount_target(view: View) -> Iterator[AwsError]:
    mine = view.find(SUBNETS, str(view.inputs.get("subnetId")))
    for other_id, other in view.world.all(MOUNT_TARGET):
        if mine is None or other.get("fileSystemId") != view.inputs.get("fileSystemId"):
            continue
        theirs = view.find(SUBNETS, str(other.get("subnetId")))
        if theirs is not None and theirs.get("availabilityZone") == mine.get("availabilityZone"):
            message = f"mount target already exists in this AZ: {other_id} in {mine.get('availabilityZone')}"
            yield AwsError("MountTargetConflict", message, "subnetId")


def _security_group_rule(view: View) -> Iterator[AwsError]:
    own, other = str(view.inputs.get("securityGroupId")), view.inputs.get("referencedSecurityGroupId")
    mine, theirs = vpc_id(view, GROUPS, own), vpc_id(view, GROUPS, str(other)) if other else None
    if mine and theirs and mine != theirs:
        message = f"You have specified two resources that belong to different networks: {own} and {other}"
        yield AwsError("InvalidGroup.NotFound", message, "referencedSecurityGroupId")


_CHECKS: Final[dict[str, Callable[[View], Iterator[AwsError]]]] = {
    SUBNET: _subnet,
    ENDPOINT: _endpoint,
    ASSOCIATION: _association,
    MOUNT_TARGET: _mount_target,
    "aws:ec2/internetGateway:InternetGateway": _gateway,
    "aws:ec2/route:Route": _route,
    "aws:ec2/networkAclRule:NetworkAclRule": _acl_rule,
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _security_group_rule,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _security_group_rule,
}

__all__ = ["PLACEMENTS", "VPC", "errors", "vpc_id"]
