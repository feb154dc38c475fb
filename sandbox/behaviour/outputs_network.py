"""What AWS answers for VPCs, subnets, gateways, routes, network ACLs, security groups and flow logs."""

from __future__ import annotations

import hashlib
import ipaddress
import zlib
from collections.abc import Mapping
from typing import Any, Final

from sandbox.behaviour import regions
from sandbox.behaviour.model import Properties
from sandbox.behaviour.outputs_base import Ids, New, Pending, Shape, known_text

VPC: Final = "aws:ec2/vpc:Vpc"
SUBNET: Final = "aws:ec2/subnet:Subnet"
EIP: Final = "aws:ec2/eip:Eip"
GROUP: Final = "aws:ec2/securityGroup:SecurityGroup"
FLOW_FORMAT: Final = (
    "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} "
    "${packets} ${bytes} ${start} ${end} ${action} ${log-status}"
)


def address_in(cidr: Any, ids: Ids, label: str) -> str:
    """Give an address of a subnet that AWS can hand out: not one of the first four, nor the last."""
    network = ipaddress.ip_network(known_text(cidr, "10.0.0.0/24"), strict=False)
    return str(network[ids.number(4, max(4, network.num_addresses - 2), label)])


def vpc_of(new: New, subnets: list[Any]) -> str:
    """Give the VPC of the first subnet that exists, or a made-up id when none does."""
    found = (new.lookup(SUBNET, subnet).get("vpcId") for subnet in subnets)
    return next((vpc for vpc in found if isinstance(vpc, str)), f"vpc-{new.ids.hex(17, 'vpc')}")


def default_group(new: New, vpc: str) -> str:
    """Give the default security group of a VPC."""
    return known_text(new.lookup(VPC, vpc).get("defaultSecurityGroupId")) or f"sg-{Ids(vpc).hex(17)}"


def zone_of(new: New, subnets: list[Any]) -> str:
    """Give a zone of one of the subnets, or one of the region."""
    zones = [zone for subnet in subnets if (zone := new.lookup(SUBNET, subnet).get("availabilityZone"))]
    choices = zones or regions.zones(new.region)
    return str(choices[new.ids.number(0, len(choices) - 1, "zone")])


def _vpc(new: New) -> Properties:
    ids = new.ids
    table = f"rtb-{ids.hex(17, 'main')}"
    ipv6 = new.outputs.get("assignGeneratedIpv6CidrBlock") is True
    block = f"2a05:d018:{ids.hex(3, 'v6') or '1'}:{ids.hex(2, 'v6b')}00::/56" if ipv6 else ""
    return {
        "defaultNetworkAclId": f"acl-{ids.hex(17, 'acl')}",
        "defaultRouteTableId": table,
        "defaultSecurityGroupId": f"sg-{ids.hex(17, 'sg')}",
        "dhcpOptionsId": f"dopt-{Ids(new.account, new.region).hex(17, 'dopt')}",
        "ipv6AssociationId": f"vpc-cidr-assoc-{ids.hex(17, 'v6a')}" if ipv6 else "",
        "ipv6CidrBlock": block,
        "ipv6CidrBlockNetworkBorderGroup": new.region if ipv6 else "",
        "mainRouteTableId": table,
    }


def _vpc_refresh(new: New, _old: Properties, changed: frozenset[str]) -> Properties:
    if "assignGeneratedIpv6CidrBlock" not in changed:
        return {}
    made = _vpc(new)
    return {key: made[key] for key in ("ipv6AssociationId", "ipv6CidrBlock")}


def _subnet(new: New) -> Properties:
    zone = new.text("availabilityZone") or regions.zone_name(new.text("availabilityZoneId"), new.region)
    zone = zone or zone_of(new, [])
    has_ipv6 = bool(new.text("ipv6CidrBlock"))
    return {
        "availabilityZone": zone,
        "availabilityZoneId": regions.zone_id(zone),
        "ipv6CidrBlockAssociationId": f"subnet-cidr-assoc-{new.ids.hex(17, 'v6')}" if has_ipv6 else "",
    }


def _subnet_refresh(new: New, _old: Properties, changed: frozenset[str]) -> Properties:
    return {"ipv6CidrBlockAssociationId": _subnet(new)["ipv6CidrBlockAssociationId"]} if changed else {}


def _public_address(ids: Ids) -> str:
    low, high = int(ipaddress.IPv4Address("52.208.0.0")), int(ipaddress.IPv4Address("52.215.255.255"))
    return str(ipaddress.IPv4Address(ids.number(low, high, "ip")))


def _eip(new: New) -> Properties:
    address = _public_address(new.ids)
    host = "compute-1" if new.region == "us-east-1" else f"{new.region}.compute"
    attached = bool(new.text("instance") or new.text("networkInterface"))
    return {
        "allocationId": new.id,
        "publicIp": address,
        "publicDns": f"ec2-{address.replace('.', '-')}.{host}.{new.dns}",
        "associationId": f"eipassoc-{new.ids.hex(17, 'assoc')}" if attached else "",
        "networkBorderGroup": new.region,
    }


def _nat(new: New) -> Properties:
    subnet = new.lookup(SUBNET, new.outputs.get("subnetId"))
    public = new.outputs.get("connectivityType", "public") == "public"
    regional = new.outputs.get("availabilityMode") == "regional"
    manual = bool(new.outputs.get("availabilityZoneAddresses"))
    mode = ("manual" if manual else "auto") if regional else ""
    return {
        "privateIp": "" if regional else address_in(subnet.get("cidrBlock"), new.ids, "ip"),
        "publicIp": known_text(new.lookup(EIP, new.outputs.get("allocationId")).get("publicIp"))
        or (_public_address(new.ids) if public else ""),
        "networkInterfaceId": "" if regional else f"eni-{new.ids.hex(17, 'eni')}",
        "associationId": f"eipassoc-{new.ids.hex(17, 'assoc')}" if public and not regional else "",
        "vpcId": known_text(subnet.get("vpcId")) or vpc_of(new, [new.outputs.get("subnetId")]),
        "regionalNatGatewayAutoMode": "" if not mode else ("disabled" if manual else "enabled"),
        "routeTableId": f"rtb-{new.ids.hex(17, 'rtb')}" if regional else "",
    }


def _destination(new: New) -> str:
    keys = ("destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId")
    return next((text for key in keys if (text := new.text(key))), "")


def _acl_rule_id(new: New) -> str:
    parts = (new.outputs.get(key, "") for key in ("networkAclId", "ruleNumber", "egress", "protocol"))
    return f"nacl-{zlib.crc32('-'.join([*map(str, parts), '']).encode())}"


def _rule_id(new: New) -> str:
    """Give the id that the provider makes from all of a rule's parts."""
    parts = sorted(
        (key, repr(value)) for key, value in new.inputs.items() if key not in ("__defaults", "region")
    )
    return f"sgrule-{int(hashlib.sha256(repr(parts).encode()).hexdigest()[:8], 16)}"


def _default_group_id(new: New) -> str:
    vpcs = list(new.world.all(VPC))
    vpc = new.outputs.get("vpcId") or (vpcs[0][0] if vpcs else f"vpc-{Ids(new.account).hex(17)}")
    return default_group(new, str(vpc))


def _group(new: New) -> Properties:
    return {"vpcId": f"vpc-{Ids(new.account, new.region, b'default').hex(17)}"}


_OWNER: Final = {"ownerId": "{account}"}
_RULE: Final = Shape(
    id="sgr-{hex17}",
    arn="ec2:{region}:{account}:security-group-rule/{id}",
    values={"securityGroupRuleId": "{id}"},
    framework=True,
)

SHAPES: Final[Mapping[str, Shape]] = {
    VPC: Shape(
        id="vpc-{hex17}",
        arn="ec2:{region}:{account}:vpc/{id}",
        values=_OWNER,
        fill=_vpc,
        refresh=_vpc_refresh,
        pending=(
            Pending(
                ("ipv6AssociationId", "ipv6CidrBlock"),
                "AWS gives or takes the IPv6 block",
                when=("assignGeneratedIpv6CidrBlock",),
            ),
        ),
    ),
    SUBNET: Shape(
        id="subnet-{hex17}",
        arn="ec2:{region}:{account}:subnet/{id}",
        values=_OWNER,
        fill=_subnet,
        refresh=_subnet_refresh,
        pending=(
            Pending(
                ("ipv6CidrBlockAssociationId",), "a new block is a new association", when=("ipv6CidrBlock",)
            ),
        ),
    ),
    "aws:ec2/internetGateway:InternetGateway": Shape(
        id="igw-{hex17}", arn="ec2:{region}:{account}:internet-gateway/{id}", values=_OWNER
    ),
    EIP: Shape(
        id="eipalloc-{hex17}",
        arn="ec2:{region}:{account}:elastic-ip/{id}",
        values={
            "domain": "vpc",
            "publicIpv4Pool": "amazon",
            "carrierIp": "",
            "customerOwnedIp": "",
            "privateDns": "",
            "privateIp": "",
            "ptrRecord": "",
        },
        fill=_eip,
    ),
    "aws:ec2/natGateway:NatGateway": Shape(
        id="nat-{hex17}",
        values={"autoProvisionZones": "", "autoScalingIps": "", "regionalNatGatewayAddresses": []},
        fill=_nat,
    ),
    "aws:ec2/routeTable:RouteTable": Shape(
        id="rtb-{hex17}", arn="ec2:{region}:{account}:route-table/{id}", values=_OWNER
    ),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": Shape(id="rtbassoc-{hex17}"),
    "aws:ec2/route:Route": Shape(
        id=lambda new: f"r-{new.text('routeTableId')}{zlib.crc32(_destination(new).encode())}",
        values={"instanceId": "", "instanceOwnerId": "", "origin": "CreateRoute", "state": "active"},
    ),
    "aws:ec2/networkAcl:NetworkAcl": Shape(
        id="acl-{hex17}", arn="ec2:{region}:{account}:network-acl/{id}", values=_OWNER
    ),
    "aws:ec2/networkAclRule:NetworkAclRule": Shape(id=_acl_rule_id),
    GROUP: Shape(
        id="sg-{hex17}", arn="ec2:{region}:{account}:security-group/{id}", values=_OWNER, fill=_group
    ),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": Shape(
        id=_default_group_id,
        arn="ec2:{region}:{account}:security-group/{id}",
        values={**_OWNER, "name": "default", "namePrefix": "", "description": "default VPC security group"},
    ),
    "aws:ec2/securityGroupRule:SecurityGroupRule": Shape(
        id=_rule_id, values={"securityGroupRuleId": "sgr-{hex17}"}
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _RULE,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _RULE,
    "aws:ec2/flowLog:FlowLog": Shape(
        id="fl-{hex17}",
        arn="ec2:{region}:{account}:vpc-flow-log/{id}",
        fill=lambda _new: {"logFormat": FLOW_FORMAT},  # braces that are no template
    ),
}
