"""The network. What awsx makes of its arguments is proved by the engine tests, not here."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.network import NatGateways, Network, NetworkArgs
from tests.harness import VPC, VPC_ID, Deployment, RecordingMonitor
from tests.unit.programs import ACCOUNT, KEY_ARN, REGION, built, once, run, value

ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
DEFAULT_GROUP = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
PRIVATE_TABLES = ["rtb-net-vpc-private-1", "rtb-net-vpc-private-2"]
PRIVATE_SUBNETS = ["subnet-net-vpc-private-1", "subnet-net-vpc-private-2"]
ARGS = NetworkArgs(
    account_id=ACCOUNT,
    region=REGION,
    cidr="10.20.0.0/16",
    zones=("eu-west-1a", "eu-west-1b"),
    public_mask=22,
    private_mask=19,
    data_mask=24,
    nat=NatGateways.SINGLE,
    interface_endpoints=("ecr.api", "logs"),
    key_arn=KEY_ARN,
    flow_log_retention_days=30,
)
BARE = replace(ARGS, interface_endpoints=())
OWN_IDENTITIES = {
    "Sid": "OwnIdentitiesOnly",
    "Effect": "Allow",
    "Principal": "*",
    "Action": "*",
    "Resource": "*",
    "Condition": {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}},
}


def network(args: NetworkArgs = ARGS) -> RecordingMonitor:
    return once(Network, "net", args)[0]


@pytest.mark.parametrize(
    ("nat", "strategy"),
    [(NatGateways.NONE, "None"), (NatGateways.SINGLE, "Single"), (NatGateways.PER_ZONE, "OnePerAz")],
)
def test_vpc(nat: NatGateways, strategy: str) -> None:
    assert network(replace(ARGS, nat=nat)).inputs(VPC) == {
        "net-vpc": {
            "cidrBlock": "10.20.0.0/16",
            "availabilityZoneNames": ["eu-west-1a", "eu-west-1b"],
            "availabilityZoneCidrMask": 18,
            "subnetStrategy": "Auto",
            "subnetSpecs": [
                {"type": "Public", "name": "public", "cidrMask": 22},
                {"type": "Private", "name": "private", "cidrMask": 19},
                {"type": "Isolated", "name": "data", "cidrMask": 24},
            ],
            "natGateways": {"strategy": strategy},
            "enableDnsHostnames": True,
            "enableDnsSupport": True,
        }
    }


def test_vpc_gets_the_explicit_provider() -> None:
    """The children of awsx are registered elsewhere: only this reference brings account and tags to them."""
    providers = network().one(VPC).providers
    assert {package: reference.rpartition("::")[2] for package, reference in providers.items()} == {
        "aws": "aws-id"
    }


def gateway(service: str, *statements: dict[str, Any]) -> dict[str, Any]:
    return {
        "vpcId": VPC_ID,
        "vpcEndpointType": "Gateway",
        "serviceName": f"com.amazonaws.eu-west-1.{service}",
        "routeTableIds": PRIVATE_TABLES,
        "policy": {"Version": "2012-10-17", "Statement": list(statements)},
        "tags": {"Name": f"net-{service}"},
    }


def interface(deploy: RecordingMonitor, service: str, name: str) -> dict[str, Any]:
    return {
        "vpcId": VPC_ID,
        "vpcEndpointType": "Interface",
        "serviceName": f"com.amazonaws.eu-west-1.{service}",
        "subnetIds": PRIVATE_SUBNETS,
        "securityGroupIds": [deploy.id(GROUP)],
        "privateDnsEnabled": True,
        "policy": {"Version": "2012-10-17", "Statement": [OWN_IDENTITIES]},
        "tags": {"Name": name},
    }


def test_gateway_endpoints_serve_private_subnets_only() -> None:
    layers = {
        "Sid": "ImageLayersOfEcr",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::prod-eu-west-1-starport-layer-bucket/*",
    }
    assert network(BARE).inputs(ENDPOINT) == {
        "net-s3": gateway("s3", OWN_IDENTITIES, layers),
        "net-dynamodb": gateway("dynamodb", OWN_IDENTITIES),
    }


def test_interface_endpoints() -> None:
    monitor = network()
    endpoints = monitor.inputs(ENDPOINT)
    assert {name: endpoints[name] for name in endpoints if name not in ("net-s3", "net-dynamodb")} == {
        "net-ecr-api": interface(monitor, "ecr.api", "net-ecr-api"),
        "net-logs": interface(monitor, "logs", "net-logs"),
    }


def test_endpoint_group_lets_nothing_out() -> None:
    assert network().inputs(GROUP) == {
        "net-endpoints": {
            "description": "Interface endpoints: HTTPS from inside the VPC, nothing out",
            "vpcId": VPC_ID,
            "egress": [],
            "tags": {"Name": "net-endpoints"},
        }
    }


def test_endpoint_group_lets_https_of_the_vpc_in() -> None:
    monitor = network()
    assert monitor.inputs(INGRESS) == {
        "net-endpoints-https": {
            "securityGroupId": monitor.id(GROUP),
            "description": "HTTPS from inside the VPC",
            "ipProtocol": "tcp",
            "fromPort": 443,
            "toPort": 443,
            "cidrIpv4": "10.20.0.0/16",
        }
    }


def test_default_group_is_emptied() -> None:
    assert network().inputs(DEFAULT_GROUP) == {
        "net-default-security-group": {
            "vpcId": VPC_ID,
            "ingress": [],
            "egress": [],
            "tags": {"Name": "net-default-unused"},
        }
    }


FIXED_COUNTS = {
    "pulumi:providers:aws": 1,
    "airflow:network:Network": 1,
    "airflow:network:FlowLog": 1,
    VPC: 1,
    DEFAULT_GROUP: 1,
    "aws:cloudwatch/logGroup:LogGroup": 1,
    "aws:iam/role:Role": 1,
    "aws:iam/rolePolicy:RolePolicy": 1,
    "aws:ec2/flowLog:FlowLog": 1,
}


@pytest.mark.parametrize(
    ("args", "counts"),
    [(BARE, {ENDPOINT: 2}), (ARGS, {ENDPOINT: 4, GROUP: 1, INGRESS: 1})],
    ids=["gateways only", "two interface endpoints"],
)
def test_counts(args: NetworkArgs, counts: dict[str, int]) -> None:
    assert network(args).counts == FIXED_COUNTS | counts


def test_parents() -> None:
    parents = {resource.name: resource.parent for resource in network().registered}
    assert {name for name, parent in parents.items() if parent == "net"} == {
        "net-vpc",
        "net-default-security-group",
        "net-s3",
        "net-dynamodb",
        "net-endpoints",
        "net-endpoints-https",
        "net-ecr-api",
        "net-logs",
        "net-flow-log",
    }


def test_flow_log_records_this_vpc() -> None:
    assert network().one("aws:ec2/flowLog:FlowLog").inputs["vpcId"] == VPC_ID


def test_flow_log_is_kept_as_long_as_asked() -> None:
    assert network().one("aws:cloudwatch/logGroup:LogGroup").inputs["retentionInDays"] == 30


def test_role_path_reaches_the_flow_log() -> None:
    args = replace(ARGS, role_path="/airflow/prod/")
    assert network(args).one("aws:iam/role:Role").inputs["path"] == "/airflow/prod/"


def test_outputs() -> None:
    assert network().outputs["net"] == {
        "vpcId": VPC_ID,
        "publicSubnetIds": ["subnet-net-vpc-public-1", "subnet-net-vpc-public-2"],
        "privateSubnetIds": PRIVATE_SUBNETS,
        "dataSubnetIds": ["subnet-net-vpc-data-1", "subnet-net-vpc-data-2"],
    }


def test_cidr_is_what_was_asked_for() -> None:
    assert once(Network, "net", ARGS)[1].cidr == "10.20.0.0/16"


GATEWAYS = {"net-s3", "net-dynamodb"}
INTERFACES = {"net-endpoints-https", "net-ecr-api", "net-logs"}
PUBLIC_ROUTES = {"net-vpc-public-1", "net-vpc-public-2"}
PRIVATE_ROUTES = {"net-vpc-private-1", "net-vpc-private-2"}


def names_of(deploy: Deployment, output: pulumi.Output[list[pulumi.Resource]]) -> set[str]:
    """Return what an output of resources resolved to, by name."""
    return {value(deploy, resource.urn).rpartition("::")[2] for resource in value(deploy, output)}


@pytest.mark.parametrize(
    ("args", "names"),
    [
        (ARGS, PRIVATE_ROUTES | GATEWAYS | INTERFACES),
        (replace(ARGS, nat=NatGateways.PER_ZONE), PRIVATE_ROUTES | GATEWAYS | INTERFACES),
        (BARE, PRIVATE_ROUTES | GATEWAYS),
        (replace(ARGS, nat=NatGateways.NONE), GATEWAYS | INTERFACES),
    ],
    ids=["NAT and endpoints", "NAT in each zone and endpoints", "NAT", "endpoints"],
)
def test_egress_ready(deploy: Deployment, args: NetworkArgs, names: set[str]) -> None:
    """Routes of public subnets are not among them: no task runs there."""
    _, component = built(deploy, lambda opts: Network("net", args, opts))
    assert names_of(deploy, component.egress_ready) == names


@pytest.mark.parametrize("nat", [NatGateways.NONE, NatGateways.SINGLE])
def test_internet_ready(deploy: Deployment, nat: NatGateways) -> None:
    _, component = built(deploy, lambda opts: Network("net", replace(ARGS, nat=nat), opts))
    assert names_of(deploy, component.internet_ready) == PUBLIC_ROUTES


def test_nothing_comes_along_with_what_is_ready(deploy: Deployment) -> None:
    """The lists of awsx bring every child along; a load balancer need not wait for NAT gateways."""

    def build(opts: pulumi.ResourceOptions) -> None:
        network = Network("net", ARGS, opts)
        for name, ready in (("task", network.egress_ready), ("door", network.internet_ready)):
            group = pulumi.ResourceOptions(parent=network, depends_on=ready)
            aws.cloudwatch.LogGroup(name, opts=group)

    monitor = run(deploy, build)
    assert monitor.one(LOG_GROUP, "door").depends_on == PUBLIC_ROUTES
    assert monitor.one(LOG_GROUP, "task").depends_on == PRIVATE_ROUTES | GATEWAYS | INTERFACES


def test_endpoint_group_is_known_to_others(deploy: Deployment) -> None:
    monitor, component = built(deploy, lambda opts: Network("net", ARGS, opts))
    assert value(deploy, component.endpoint_security_group_id) == monitor.id(GROUP)


def test_no_endpoint_group_without_interface_endpoints() -> None:
    _, component = once(Network, "net", BARE)
    assert component.endpoint_security_group_id is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"account_id": "1"}, 'account_id: want 12 digits, got "1"'),
        ({"zones": ("eu-west-1a",)}, r"zones \(their number\): want 2 to 3, got 1"),
        (
            {"zones": tuple(f"eu-west-1{zone}" for zone in "abcd")},
            r"zones \(their number\): want 2 to 3, got 4",
        ),
        ({"zones": ("eu-west-1a", "eu-west-1a")}, "zones: want each value once, got eu-west-1a, eu-west-1a"),
        ({"zones": ("eu-west-1a", "us-east-1a")}, 'zones: want zones of eu-west-1, got "us-east-1a"'),
        (
            {"interface_endpoints": ("logs", "logs")},
            "interface_endpoints: want each value once, got logs, logs",
        ),
        (
            {"interface_endpoints": ("s3",)},
            "interface_endpoints: want no s3, it always has a gateway endpoint",
        ),
    ],
    ids=["account", "one zone", "four zones", "zone twice", "zone of another region", "endpoint twice", "s3"],
)
def test_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        replace(ARGS, **changes)
