"""The network of an environment: one VPC with public, private and data subnets in each zone.

Zones and subnet sizes are given, never looked up, so the layout does not move by itself. Data subnets have no
route out, not even to S3. The default security group is emptied; nothing here opens a port to the internet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network
from typing import Any, TypeVar

import pulumi
import pulumi_aws as aws
import pulumi_awsx as awsx

from components import checks, iam
from components.flow_log import FlowLog, FlowLogArgs
from components.rendering import as_json

MIN_ZONES, MAX_ZONES = 2, 3
ZONE_SHARE_BITS = 2
"""A zone gets a quarter of the VPC, also of two zones: a third one added later must not move the subnets."""
GATEWAY_SERVICES = ("s3", "dynamodb")
HTTPS = 443
SUBNET = "aws:ec2/subnet:Subnet"
PUBLIC, PRIVATE, DATA = "public", "private", "data"
Named = TypeVar("Named", bound=pulumi.Resource)


class NatGateways(StrEnum):
    """How private subnets reach the internet."""

    NONE = "none"
    """Not at all: AWS is reached through endpoints only."""
    SINGLE = "single"
    """Through one gateway in the first zone."""
    PER_ZONE = "perZone"
    """Through one gateway in each zone, so that no zone depends on another."""


_AWSX_NAT = {
    NatGateways.NONE: awsx.ec2.NatGatewayStrategy.NONE,
    NatGateways.SINGLE: awsx.ec2.NatGatewayStrategy.SINGLE,
    NatGateways.PER_ZONE: awsx.ec2.NatGatewayStrategy.ONE_PER_AZ,
}


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    """Inputs of a Network."""

    account_id: str
    """The account it is built in."""
    region: str
    """The region it is built in."""
    cidr: str
    """Address range of the VPC."""
    zones: Sequence[str]
    """Availability zones by name. Their number and order decide the addresses: a change replaces subnets."""
    public_mask: int
    """Prefix length of a public subnet."""
    private_mask: int
    """Prefix length of a private subnet."""
    data_mask: int
    """Prefix length of a data subnet."""
    nat: NatGateways
    """The way to the internet of the private subnets."""
    interface_endpoints: Sequence[str] = ()
    """Short names of AWS services, such as ecr.api, that get an endpoint in the private subnets."""
    key_arn: pulumi.Input[str]
    """Key of the flow log; its policy must let CloudWatch Logs use it."""
    flow_log_retention_days: int
    """Days that the flow log is kept; a period that CloudWatch Logs knows."""
    role_path: str = "/airflow/"
    """IAM path of the flow log's role; delivery roles may pass roles of their environment's path only."""

    def __post_init__(self) -> None:
        """Refuse what awsx or AWS would refuse only when it is created."""
        checks.account_id(self.account_id)
        checks.between("zones (their number)", len(self.zones), MIN_ZONES, MAX_ZONES)
        checks.distinct("zones", self.zones)
        for zone in self.zones:
            checks.matching("zones", zone, rf"{self.region}[a-z]", f"zones of {self.region}")
        checks.distinct("interface_endpoints", self.interface_endpoints)
        for service in self.interface_endpoints:
            if service in GATEWAY_SERVICES:
                raise ValueError(f"interface_endpoints: want no {service}, it always has a gateway endpoint")


def without_public_addresses(
    args: pulumi.ResourceTransformArgs,
) -> pulumi.ResourceTransformResult | None:
    """Keep a subnet from giving public addresses to whatever is started in it."""
    if args.type_ != SUBNET:
        return None
    return pulumi.ResourceTransformResult({**args.props, "mapPublicIpOnLaunch": False}, args.opts)


class Network(pulumi.ComponentResource):
    """The VPC of one environment and its ways out."""

    cidr: str
    vpc_id: pulumi.Output[str]
    public_subnet_ids: pulumi.Output[Sequence[str]]
    private_subnet_ids: pulumi.Output[Sequence[str]]
    data_subnet_ids: pulumi.Output[Sequence[str]]
    endpoint_security_group_id: pulumi.Output[str] | None
    """Security group of the interface endpoints; None without any."""
    egress_ready: pulumi.Output[list[pulumi.Resource]]
    """What anything in private subnets that needs a way out must depend on: subnet ids alone do not wait for
    routes and endpoints."""
    internet_ready: pulumi.Output[list[pulumi.Resource]]
    """What anything that the internet reaches in public subnets must depend on: their routes."""

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Register the VPC first; the rest hangs on its ids."""
        super().__init__("airflow:network:Network", name, {}, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self.cidr = args.cidr
        vpc_name = f"{name}-vpc"
        vpc = self._make_vpc(vpc_name, args)
        self.vpc_id = vpc.vpc_id
        self.public_subnet_ids = _subnet_ids(vpc, vpc_name, PUBLIC, args.zones)
        self.private_subnet_ids = _subnet_ids(vpc, vpc_name, PRIVATE, args.zones)
        self.data_subnet_ids = _subnet_ids(vpc, vpc_name, DATA, args.zones)
        self._lock_default_security_group(name)
        gateways = self._make_gateway_endpoints(
            name, args, _route_table_ids(vpc, vpc_name, PRIVATE, args.zones)
        )
        self.endpoint_security_group_id = None
        interfaces = self._make_interface_endpoints(name, args) if args.interface_endpoints else []
        private = [] if args.nat is NatGateways.NONE else _tier_names(vpc_name, PRIVATE, args.zones)
        public = _tier_names(vpc_name, PUBLIC, args.zones)
        routes = _alone(vpc.routes)
        self.egress_ready = routes.apply(lambda found: [*_named(found, private), *gateways, *interfaces])
        self.internet_ready = routes.apply(lambda found: [*_named(found, public)])
        self._make_flow_log(name, args)
        self.register_outputs(
            {
                "vpcId": self.vpc_id,
                "publicSubnetIds": self.public_subnet_ids,
                "privateSubnetIds": self.private_subnet_ids,
                "dataSubnetIds": self.data_subnet_ids,
            }
        )

    def _make_vpc(self, vpc_name: str, args: NetworkArgs) -> awsx.ec2.Vpc:
        subnet = awsx.ec2.SubnetSpecArgs
        kind = awsx.ec2.SubnetType
        return awsx.ec2.Vpc(
            vpc_name,
            cidr_block=args.cidr,
            availability_zone_names=list(args.zones),
            availability_zone_cidr_mask=IPv4Network(args.cidr).prefixlen + ZONE_SHARE_BITS,
            subnet_strategy=awsx.ec2.SubnetAllocationStrategy.AUTO,
            subnet_specs=[
                subnet(type=kind.PUBLIC, name=PUBLIC, cidr_mask=args.public_mask),
                subnet(type=kind.PRIVATE, name=PRIVATE, cidr_mask=args.private_mask),
                subnet(type=kind.ISOLATED, name=DATA, cidr_mask=args.data_mask),
            ],
            nat_gateways=awsx.ec2.NatGatewayConfigurationArgs(strategy=_AWSX_NAT[args.nat]),
            # Both are needed for private names: of the endpoints, and of the services.
            enable_dns_hostnames=True,
            enable_dns_support=True,
            # None of awsx's arguments says it: what needs a public address (NAT, a load balancer) gets one of its own.
            opts=pulumi.ResourceOptions.merge(
                self._child, pulumi.ResourceOptions(transforms=[without_public_addresses])
            ),
        )

    def _lock_default_security_group(self, name: str) -> None:
        """Take all rules from the group that a resource gets when it names none."""
        aws.ec2.DefaultSecurityGroup(
            f"{name}-default-security-group",
            vpc_id=self.vpc_id,
            ingress=[],
            egress=[],
            tags={"Name": f"{name}-default-unused"},
            opts=self._child,
        )

    def _make_gateway_endpoints(
        self, name: str, args: NetworkArgs, route_table_ids: pulumi.Output[list[str]]
    ) -> list[pulumi.Resource]:
        """Route S3 and DynamoDB of the private subnets around NAT, at no cost.

        Data subnets get no such route: a database has no business in S3, and the route would be a way out.
        Nothing of ours runs in public subnets.
        """
        policies = {
            "s3": iam.s3_endpoint(args.region, args.account_id),
            "dynamodb": iam.account_endpoint(args.account_id),
        }
        return [
            self._make_endpoint(
                name,
                args,
                service,
                policies[service],
                vpc_endpoint_type="Gateway",
                route_table_ids=route_table_ids,
            )
            for service in GATEWAY_SERVICES
        ]

    def _make_interface_endpoints(self, name: str, args: NetworkArgs) -> list[pulumi.Resource]:
        group = aws.ec2.SecurityGroup(
            f"{name}-endpoints",
            description="Interface endpoints: HTTPS from inside the VPC, nothing out",
            vpc_id=self.vpc_id,
            # An endpoint only answers. The empty list also removes egress rules that somebody adds.
            egress=[],
            tags={"Name": f"{name}-endpoints"},
            opts=self._child,
        )
        self.endpoint_security_group_id = group.id
        https = aws.vpc.SecurityGroupIngressRule(
            f"{name}-endpoints-https",
            security_group_id=group.id,
            description="HTTPS from inside the VPC",
            ip_protocol="tcp",
            from_port=HTTPS,
            to_port=HTTPS,
            cidr_ipv4=args.cidr,
            opts=self._child,
        )
        policy = iam.account_endpoint(args.account_id)
        endpoints = [
            self._make_endpoint(
                name,
                args,
                service,
                policy,
                vpc_endpoint_type="Interface",
                subnet_ids=self.private_subnet_ids,
                security_group_ids=[group.id],
                private_dns_enabled=True,
            )
            for service in args.interface_endpoints
        ]
        return [https, *endpoints]

    def _make_endpoint(
        self, name: str, args: NetworkArgs, service: str, policy: iam.Document, **inputs: Any
    ) -> pulumi.Resource:
        endpoint_name = f"{name}-{service.replace('.', '-')}"
        return aws.ec2.VpcEndpoint(
            endpoint_name,
            vpc_id=self.vpc_id,
            service_name=f"com.amazonaws.{args.region}.{service}",
            policy=as_json(policy),
            tags={"Name": endpoint_name},
            opts=self._child,
            **inputs,
        )

    def _make_flow_log(self, name: str, args: NetworkArgs) -> None:
        FlowLog(
            f"{name}-flow-log",
            FlowLogArgs(
                account_id=args.account_id,
                region=args.region,
                vpc_id=self.vpc_id,
                key_arn=args.key_arn,
                retention_days=args.flow_log_retention_days,
                role_path=args.role_path,
            ),
            self._child,
        )


def _tier_names(vpc_name: str, tier: str, zones: Sequence[str]) -> list[str]:
    """Return what awsx calls the subnets of one tier, their route tables and their default routes."""
    return [f"{vpc_name}-{tier}-{index}" for index in range(1, len(zones) + 1)]


def _alone(children: pulumi.Output[Sequence[Named]]) -> pulumi.Output[Any]:
    """Return a list of awsx without the dependency on every child in it that it brings along."""
    return pulumi.Output(set(), children.future(), children.is_known())


def _named(resources: Sequence[Named], names: Sequence[str]) -> list[Named]:
    """Pick children of awsx by name: its lists mix all tiers, in an order of its own."""
    by_name = {resource.pulumi_resource_name: resource for resource in resources}
    return [by_name[name] for name in names]


def _subnet_ids(vpc: awsx.ec2.Vpc, vpc_name: str, tier: str, zones: Sequence[str]) -> pulumi.Output[Any]:
    """Return the ids of one tier's subnets, made of these alone.

    The lists that awsx gives by itself are made of the subnets of all tiers: in a first preview, which knows no id,
    nobody could tell where something will stand.
    """
    names = _tier_names(vpc_name, tier, zones)
    return _alone(vpc.subnets).apply(
        lambda subnets: pulumi.Output.all(*(subnet.id for subnet in _named(subnets, names))).apply(list)
    )


def _route_table_ids(
    vpc: awsx.ec2.Vpc, vpc_name: str, tier: str, zones: Sequence[str]
) -> pulumi.Output[list[str]]:
    """Return the ids of one tier's route tables."""
    names = _tier_names(vpc_name, tier, zones)
    return vpc.route_tables.apply(
        lambda tables: pulumi.Output.all(*(table.id for table in _named(tables, names))).apply(list)
    )
