"""What is refused only because of what exists: references, networks, names."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from sandbox.behaviour.existing import check_existing
from sandbox.behaviour.existing_names import UNIQUE
from sandbox.behaviour.existing_network import PLACEMENTS
from sandbox.behaviour.existing_view import BY_NAME, REFERENCES
from sandbox.behaviour.model import AwsError, EmptyWorld, Properties, Session
from sandbox.behaviour.schema import all_facts
from tests.behaviour.bases import BASES
from tests.behaviour.values import ACCOUNT, REGION, plain

SESSION = Session(ACCOUNT, REGION)
SUBNET = "aws:ec2/subnet:Subnet"
VPC = "aws:ec2/vpc:Vpc"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
TABLE = "aws:ec2/routeTable:RouteTable"
ASSOCIATION = "aws:ec2/routeTableAssociation:RouteTableAssociation"
ROUTE = "aws:ec2/route:Route"
SERVICE = "aws:ecs/service:Service"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
DATABASE_SUBNETS = "aws:rds/subnetGroup:SubnetGroup"
MOUNT_TARGET = "aws:efs/mountTarget:MountTarget"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
ROLE = "aws:iam/role:Role"
SERVICE_ROLE = "aws:iam/serviceLinkedRole:ServiceLinkedRole"
BUCKET = "aws:s3/bucket:Bucket"
EVENT_TARGET = "aws:cloudwatch/eventTarget:EventTarget"
TASK = "aws:ecs/taskDefinition:TaskDefinition"
RECORD = "aws:route53/record:Record"
PARAMETER = "aws:ssm/parameter:Parameter"
PLAN = "aws:backup/plan:Plan"
SELECTION = "aws:backup/selection:Selection"
VAULT_LOCK = "aws:backup/vaultLockConfiguration:VaultLockConfiguration"
VAULT_POLICY = "aws:backup/vaultPolicy:VaultPolicy"


@dataclass
class Account:
    """A world with given resources: (token, id) and outputs."""

    resources: dict[tuple[str, str], Properties] = field(default_factory=dict)

    def find(self, token: str, id: str) -> Properties | None:
        """Look one up."""
        return self.resources.get((token, id))

    def all(self, token: str) -> Iterable[tuple[str, Properties]]:
        """List those of a type."""
        return [(id, outputs) for (kind, id), outputs in self.resources.items() if kind == token]


def subnet(vpc: str, block: str, zone: str) -> Properties:
    return {"vpcId": vpc, "cidrBlock": block, "availabilityZone": f"{REGION}{zone}", "region": REGION}


RESOURCES: Mapping[tuple[str, str], Properties] = {
    (VPC, "vpc-0a"): {
        "cidrBlock": "10.0.0.0/16",
        "enableDnsSupport": True,
        "enableDnsHostnames": True,
        "defaultSecurityGroupId": "sg-default",
        "mainRouteTableId": "rtb-main",
    },
    (VPC, "vpc-0b"): {"cidrBlock": "10.1.0.0/16", "enableDnsSupport": True, "enableDnsHostnames": False},
    (SUBNET, "subnet-0a"): subnet("vpc-0a", "10.0.10.0/24", "a"),
    (SUBNET, "subnet-0b"): subnet("vpc-0a", "10.0.11.0/24", "b"),
    (SUBNET, "subnet-0c"): subnet("vpc-0a", "10.0.12.0/24", "a"),
    (SUBNET, "subnet-far"): subnet("vpc-0b", "10.1.10.0/24", "b"),
    (GROUP, "sg-0a"): {"name": "workers", "vpcId": "vpc-0a", "region": REGION},
    (GROUP, "sg-0b"): {"name": "web", "vpcId": "vpc-0a", "region": REGION},
    (GROUP, "sg-far"): {"name": "far", "vpcId": "vpc-0b", "region": REGION},
    (TABLE, "rtb-0a"): {"vpcId": "vpc-0a", "region": REGION},
    (TABLE, "rtb-far"): {"vpcId": "vpc-0b", "region": REGION},
    (ROUTE, "r-1"): {"routeTableId": "rtb-0a", "destinationCidrBlock": "10.9.0.0/16"},
    (ASSOCIATION, "rtbassoc-1"): {"routeTableId": "rtb-0a", "subnetId": "subnet-0b"},
    ("aws:ec2/natGateway:NatGateway", "nat-0a"): {"region": REGION},
    ("aws:ec2/eip:Eip", "eipalloc-0a"): {"allocationId": "eipalloc-0a"},
    ("aws:ec2/internetGateway:InternetGateway", "igw-0b"): {"vpcId": "vpc-0b"},
    (ENDPOINT, "vpce-1"): {
        "vpcId": "vpc-0a",
        "serviceName": f"com.amazonaws.{REGION}.ecr.api",
        "vpcEndpointType": "Interface",
        "privateDnsEnabled": True,
    },
    (ROLE, "worker"): {"name": "worker", "arn": f"arn:aws:iam::{ACCOUNT}:role/worker"},
    ("aws:ecs/cluster:Cluster", "arn:cluster"): {"name": "airflow", "arn": "arn:cluster"},
    ("aws:efs/fileSystem:FileSystem", "fs-0a"): {},
    (MOUNT_TARGET, "fsmt-1"): {"fileSystemId": "fs-0a", "subnetId": "subnet-0b"},
    (BUCKET, "airflow-state"): {"bucket": "airflow-state", "region": "us-east-1"},
    ("aws:route53/zone:Zone", "Z0A"): {"zoneId": "Z0A"},
    (RECORD, "Z0A_web"): {"zoneId": "Z0A", "name": "web.example.com", "type": "A", "setIdentifier": ""},
    (SERVICE_ROLE, "arn:ecs"): {"awsServiceName": "ecs.amazonaws.com", "name": "AWSServiceRoleForECS"},
    (SERVICE_ROLE, "arn:scaling"): {
        "awsServiceName": "autoscaling.amazonaws.com",
        "name": "AWSServiceRoleForAutoScaling",
    },
    ("aws:backup/vault:Vault", "airflow"): {"name": "airflow", "region": REGION},
    (PLAN, "plan-0a"): {"region": REGION},
    ("aws:cloudwatch/eventRule:EventRule", "stop"): {"name": "stop", "region": REGION},
    (PARAMETER, "/airflow/old"): {"name": "/airflow/old", "region": REGION},
    ("aws:guardduty/detector:Detector", "d1"): {"region": REGION},
    ("aws:ec2/networkAclRule:NetworkAclRule", "acl-1"): {
        "networkAclId": "acl-0a",
        "ruleNumber": 1,
        "egress": False,
    },
}

MORE: Mapping[str, dict[str, Any]] = {
    GROUP: {"name": "new", "vpcId": "vpc-0a", "region": REGION},
    ASSOCIATION: {"routeTableId": "rtb-0a", "subnetId": "subnet-0a"},
    "aws:ec2/internetGateway:InternetGateway": {"vpcId": "vpc-0a"},
    "aws:ec2/networkAclRule:NetworkAclRule": {"networkAclId": "acl-0a", "ruleNumber": 2, "egress": False},
    "aws:guardduty/detector:Detector": {"region": "eu-central-1"},
    ROLE: {"name": "new"},
    SERVICE_ROLE: {"awsServiceName": "rds.amazonaws.com"},
    SELECTION: {"iamRoleArn": f"arn:aws:iam::{ACCOUNT}:role/worker", "planId": "plan-0a"},
}


def valid(token: str) -> dict[str, Any]:
    inputs: dict[str, Any] = {"region": REGION, **copy.deepcopy(MORE.get(token) or plain(BASES[token]))}
    return inputs


@dataclass(frozen=True)
class Clash:
    """Valid inputs with one change that what exists forbids."""

    id: str
    token: str
    changes: Mapping[str, Any]
    code: str
    property: str
    text: str


CLASHES = [
    Clash(
        "outside",
        SUBNET,
        {"cidrBlock": "10.2.1.0/24"},
        "InvalidSubnet.Range",
        "cidrBlock",
        "outside the block 10.0.0.0/16",
    ),
    Clash("wider", SUBNET, {"cidrBlock": "10.0.0.0/15"}, "InvalidSubnet.Range", "cidrBlock", "of vpc-0a"),
    Clash(
        "overlap",
        SUBNET,
        {"cidrBlock": "10.0.10.128/25"},
        "InvalidSubnet.Conflict",
        "cidrBlock",
        "subnet-0a has 10.0.10.0/24",
    ),
    Clash("no vpc", SUBNET, {"vpcId": "vpc-9"}, "InvalidVpcID.NotFound", "vpcId", "'vpc-9' does not exist"),
    Clash("no vpc for group", GROUP, {"vpcId": "vpc-9"}, "InvalidVpcID.NotFound", "vpcId", "does not exist"),
    Clash(
        "group name", GROUP, {"name": "workers"}, "InvalidGroup.Duplicate", "name", "'workers' already exists"
    ),
    Clash(
        "no subnet",
        ENDPOINT,
        {"subnetIds": ["subnet-9"]},
        "InvalidSubnetID.NotFound",
        "subnetIds[0]",
        "'subnet-9'",
    ),
    Clash(
        "far subnet",
        ENDPOINT,
        {"subnetIds": ["subnet-far"]},
        "InvalidParameter",
        "subnetIds[0]",
        "belongs to VPC vpc-0b",
    ),
    Clash(
        "far group",
        ENDPOINT,
        {"securityGroupIds": ["sg-far"]},
        "InvalidParameter",
        "securityGroupIds[0]",
        "not to VPC vpc-0a",
    ),
    Clash(
        "same zone",
        ENDPOINT,
        {"subnetIds": ["subnet-0a", "subnet-0c"]},
        "DuplicateSubnetsInSameZone",
        "subnetIds[1]",
        "both in zone eu-west-1a",
    ),
    Clash(
        "no host names",
        ENDPOINT,
        {"vpcId": "vpc-0b", "subnetIds": [], "securityGroupIds": []},
        "InvalidParameter",
        "privateDnsEnabled",
        "enableDnsHostnames",
    ),
    Clash(
        "second endpoint",
        ENDPOINT,
        {"serviceName": f"com.amazonaws.{REGION}.ecr.api"},
        "InvalidParameter",
        "privateDnsEnabled",
        "vpce-1",
    ),
    Clash(
        "no route table",
        ROUTE,
        {"routeTableId": "rtb-9"},
        "InvalidRouteTableID.NotFound",
        "routeTableId",
        "'rtb-9'",
    ),
    Clash(
        "no nat gateway",
        ROUTE,
        {"natGatewayId": "nat-9"},
        "InvalidNatGatewayID.NotFound",
        "natGatewayId",
        "nat-9",
    ),
    Clash(
        "same route",
        ROUTE,
        {"destinationCidrBlock": "10.9.0.0/16"},
        "RouteAlreadyExists",
        "destinationCidrBlock",
        "10.9.0.0/16",
    ),
    Clash(
        "associated",
        ASSOCIATION,
        {"subnetId": "subnet-0b"},
        "Resource.AlreadyAssociated",
        "subnetId",
        "rtbassoc-1",
    ),
    Clash(
        "far table",
        ASSOCIATION,
        {"routeTableId": "rtb-far"},
        "InvalidParameterValue",
        "routeTableId",
        "belongs to VPC vpc-0b",
    ),
    Clash(
        "second gateway",
        "aws:ec2/internetGateway:InternetGateway",
        {"vpcId": "vpc-0b"},
        "Resource.AlreadyAssociated",
        "vpcId",
        "igw-0b",
    ),
    Clash(
        "rule number",
        "aws:ec2/networkAclRule:NetworkAclRule",
        {"ruleNumber": 1},
        "NetworkAclEntryAlreadyExists",
        "ruleNumber",
        "identified by 1",
    ),
    Clash(
        "no address",
        "aws:ec2/natGateway:NatGateway",
        {"allocationId": "eipalloc-9"},
        "InvalidAllocationID.NotFound",
        "allocationId",
        "eipalloc-9",
    ),
    Clash(
        "no group", INGRESS, {"securityGroupId": "sg-9"}, "InvalidGroup.NotFound", "securityGroupId", "'sg-9'"
    ),
    Clash(
        "far source",
        INGRESS,
        {"referencedSecurityGroupId": "sg-far"},
        "InvalidGroup.NotFound",
        "referencedSecurityGroupId",
        "different networks",
    ),
    Clash(
        "no cluster",
        SERVICE,
        {"cluster": "other"},
        "ClusterNotFoundException",
        "cluster",
        "Cluster other not found",
    ),
    Clash(
        "far group of service",
        SERVICE,
        {"networkConfiguration": {"subnets": ["subnet-0a"], "securityGroups": ["sg-far"]}},
        "InvalidParameterException",
        "networkConfiguration.securityGroups[0]",
        "not to VPC vpc-0a of subnet-0a",
    ),
    Clash(
        "subnets of two networks",
        SERVICE,
        {"networkConfiguration": {"subnets": ["subnet-0a", "subnet-far"]}},
        "InvalidParameterException",
        "networkConfiguration.subnets[1]",
        "belongs to VPC vpc-0b",
    ),
    Clash(
        "one zone",
        DATABASE_SUBNETS,
        {"subnetIds": ["subnet-0a", "subnet-0c"]},
        "DBSubnetGroupDoesNotCoverEnoughAZs",
        "subnetIds",
        "cover 1 availability zone",
    ),
    Clash(
        "balancer zone",
        BALANCER,
        {"subnets": ["subnet-0a", "subnet-0c"]},
        "InvalidConfigurationRequest",
        "subnets[1]",
        "one subnet per zone",
    ),
    Clash(
        "mount target", MOUNT_TARGET, {"subnetId": "subnet-0b"}, "MountTargetConflict", "subnetId", "fsmt-1"
    ),
    Clash(
        "mount group",
        MOUNT_TARGET,
        {"securityGroups": ["sg-far"]},
        "SecurityGroupNotFound",
        "securityGroups[0]",
        "vpc-0b",
    ),
    Clash(
        "no file system", MOUNT_TARGET, {"fileSystemId": "fs-9"}, "FileSystemNotFound", "fileSystemId", "fs-9"
    ),
    Clash(
        "no role",
        TASK,
        {"taskRoleArn": f"arn:aws:iam::{ACCOUNT}:role/nobody"},
        "InvalidParameterValue",
        "taskRoleArn",
        "role/nobody",
    ),
    Clash(
        "no role by name",
        "aws:iam/rolePolicy:RolePolicy",
        {"role": "nobody"},
        "NoSuchEntity",
        "role",
        "nobody",
    ),
    Clash("role name", ROLE, {"name": "worker"}, "EntityAlreadyExists", "name", "Role with name worker"),
    Clash(
        "second service-linked role",
        SERVICE_ROLE,
        {"awsServiceName": "ecs.amazonaws.com"},
        "InvalidInput",
        "awsServiceName",
        "Service role name AWSServiceRoleForECS has been taken in this account, please try a different suffix",
    ),
    Clash(
        "bucket name",
        BUCKET,
        {"bucket": "airflow-state"},
        "BucketAlreadyOwnedByYou",
        "bucket",
        "airflow-state",
    ),
    Clash("record", RECORD, {"name": "web.example.com."}, "InvalidChangeBatch", "name", "already exists"),
    *(
        Clash(
            "no vault",
            token,
            changes,
            "InvalidParameterValueException",
            place,
            "Backup vault does not exist: other",
        )
        for token, changes, place in (
            (PLAN, {"rules": [{"ruleName": "a", "targetVaultName": "other"}]}, "rules[0].targetVaultName"),
            (VAULT_LOCK, {"backupVaultName": "other"}, "backupVaultName"),
            (VAULT_POLICY, {"backupVaultName": "other"}, "backupVaultName"),
        )
    ),
    Clash(
        "no plan",
        SELECTION,
        {"planId": "plan-9"},
        "ResourceNotFoundException",
        "planId",
        "Cannot find Backup plan with ID plan-9",
    ),
    Clash(
        "no rule",
        EVENT_TARGET,
        {"rule": "start"},
        "ResourceNotFoundException",
        "rule",
        "Rule start does not exist on EventBus default.",
    ),
    Clash(
        "no role of a target",
        EVENT_TARGET,
        {"roleArn": f"arn:aws:iam::{ACCOUNT}:role/gone"},
        "InvalidParameterValue",
        "roleArn",
        "gone",
    ),
    Clash("parameter", PARAMETER, {"name": "/airflow/old"}, "ParameterAlreadyExists", "name", "/airflow/old"),
    Clash(
        "second detector",
        "aws:guardduty/detector:Detector",
        {"region": REGION},
        "BadRequestException",
        "",
        "already exists",
    ),
]


@pytest.mark.parametrize("token", sorted({clash.token for clash in CLASHES}))
def test_valid_inputs_fit_what_exists(token: str) -> None:
    check_existing(token, valid(token), SESSION, Account(dict(RESOURCES)))


@pytest.mark.parametrize("clash", CLASHES, ids=lambda clash: f"{clash.token.rpartition(':')[2]}: {clash.id}")
def test_clash(clash: Clash) -> None:
    with pytest.raises(AwsError) as raised:
        check_existing(
            clash.token, {**valid(clash.token), **clash.changes}, SESSION, Account(dict(RESOURCES))
        )
    assert (raised.value.code, raised.value.property) == (clash.code, clash.property)
    assert clash.text in str(raised.value)


@pytest.mark.parametrize("clash", CLASHES, ids=lambda clash: f"{clash.token.rpartition(':')[2]}: {clash.id}")
def test_nothing_is_missing_in_an_empty_account(clash: Clash) -> None:
    check_existing(clash.token, {**valid(clash.token), **clash.changes}, SESSION, EmptyWorld())


FINE = [
    (GROUP, {"name": "workers", "vpcId": "vpc-0b"}),
    (ENDPOINT, {"securityGroupIds": ["sg-default"]}),
    (ENDPOINT, {"vpcEndpointType": "Gateway", "subnetIds": [], "routeTableIds": ["rtb-main"]}),
    (SERVICE, {"cluster": "arn:cluster"}),
    (BALANCER, {"subnets": ["subnet-0a"], "loadBalancerType": "network"}),
    (TASK, {"taskRoleArn": "arn:aws:iam::222222222222:role/elsewhere"}),
    (
        TASK,
        {
            "taskRoleArn": f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
        },
    ),
    (RECORD, {"name": "web.example.com", "allowOverwrite": True}),
    (RECORD, {"name": "web.example.com", "type": "AAAA"}),
    (PARAMETER, {"name": "/airflow/old", "overwrite": True}),
    (SERVICE_ROLE, {"awsServiceName": "autoscaling.amazonaws.com", "customSuffix": "other"}),
    (PARAMETER, {"name": "/airflow/old", "region": "eu-central-1"}),
]


@pytest.mark.parametrize(("token", "changes"), FINE)
def test_what_is_fine(token: str, changes: dict[str, Any]) -> None:
    check_existing(token, {**valid(token), **changes}, SESSION, Account(dict(RESOURCES)))


def test_a_bucket_name_is_taken_in_every_region() -> None:
    with pytest.raises(AwsError, match="BucketAlreadyOwnedByYou"):
        check_existing(
            BUCKET, {"bucket": "airflow-state", "region": REGION}, SESSION, Account(dict(RESOURCES))
        )


def _input(token: str, path: str) -> Mapping[str, Any] | None:
    properties: Any = {"properties": all_facts()[token]["properties"]}
    for part in path.split("."):
        properties = properties.get("properties", {}).get(part)
        if properties is None:
            return None
    found: Mapping[str, Any] = properties
    return found


@pytest.mark.parametrize("token", sorted(REFERENCES.keys() | BY_NAME.keys()))
def test_references_are_inputs(token: str) -> None:
    paths = [path for path, _ in (*REFERENCES.get(token, ()), *BY_NAME.get(token, ()))]
    assert [path for path in paths if _input(token, path) is None] == []


@pytest.mark.parametrize("token", sorted(PLACEMENTS))
def test_placements_are_inputs(token: str) -> None:
    placement = PLACEMENTS[token]
    paths = [placement.vpc, placement.subnets, placement.groups, placement.tables]
    assert [path for path in paths if path and _input(token, path) is None] == []


@pytest.mark.parametrize("token", sorted(UNIQUE))
def test_unique_keys_are_inputs(token: str) -> None:
    unique = UNIQUE[token]
    keys = [unique.key, *unique.within, *([unique.unless] if unique.unless else [])]
    assert [key for key in keys if _input(token, key) is None] == []
