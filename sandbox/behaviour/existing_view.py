"""The account as a new resource sees it: lookups by id, ARN or name, and which input refers to what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.behaviour.model import Properties, Session, World

VPC: Final = "aws:ec2/vpc:Vpc"
SUBNET: Final = "aws:ec2/subnet:Subnet"
GROUP: Final = "aws:ec2/securityGroup:SecurityGroup"
DEFAULT_GROUP: Final = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
TABLE: Final = "aws:ec2/routeTable:RouteTable"
ROLE: Final = "aws:iam/role:Role"
CLUSTER: Final = "aws:ecs/cluster:Cluster"


@dataclass(frozen=True)
class Kind:
    """One kind of thing that inputs refer to.

    `keys` are the outputs that a reference may hold beside the id; `of_vpc` are outputs of a VPC that hold one more of
    the kind; `error` is AWS's code and message for a reference to nothing.
    """

    tokens: tuple[str, ...]
    error: tuple[str, str]
    keys: tuple[str, ...] = ()
    of_vpc: tuple[str, ...] = ()


VPCS: Final = Kind((VPC,), ("InvalidVpcID.NotFound", "The vpc ID '{}' does not exist"))
SUBNETS: Final = Kind((SUBNET,), ("InvalidSubnetID.NotFound", "The subnet ID '{}' does not exist"))
GROUPS: Final = Kind(
    (GROUP, DEFAULT_GROUP),
    ("InvalidGroup.NotFound", "The security group '{}' does not exist"),
    of_vpc=("defaultSecurityGroupId",),
)
TABLES: Final = Kind(
    (TABLE,),
    ("InvalidRouteTableID.NotFound", "The routeTable ID '{}' does not exist"),
    of_vpc=("mainRouteTableId", "defaultRouteTableId"),
)
NAT_GATEWAYS: Final = Kind(
    ("aws:ec2/natGateway:NatGateway",), ("InvalidNatGatewayID.NotFound", "The Nat Gateway {} does not exist")
)
ADDRESSES: Final = Kind(
    ("aws:ec2/eip:Eip",),
    ("InvalidAllocationID.NotFound", "The allocation ID '{}' does not exist"),
    ("allocationId",),
)
ROLE_ARNS: Final = Kind((ROLE,), ("InvalidParameterValue", "The role {} does not exist"), ("arn",))
ROLE_NAMES: Final = Kind((ROLE,), ("NoSuchEntity", "The role with name {} cannot be found."), ("name",))
CLUSTERS: Final = Kind((CLUSTER,), ("ClusterNotFoundException", "Cluster {} not found."), ("arn", "name"))
FILE_SYSTEMS: Final = Kind(
    ("aws:efs/fileSystem:FileSystem",), ("FileSystemNotFound", "File system '{}' does not exist.")
)
BUCKETS: Final = Kind(
    ("aws:s3/bucket:Bucket",), ("NoSuchBucket", "The specified bucket does not exist: {}"), ("bucket",)
)
REPOSITORIES: Final = Kind(
    ("aws:ecr/repository:Repository",),
    ("RepositoryNotFoundException", "The repository with name '{}' does not exist in the registry"),
    ("name",),
)
BALANCERS: Final = Kind(
    ("aws:lb/loadBalancer:LoadBalancer",), ("LoadBalancerNotFound", "Load balancer '{}' not found"), ("arn",)
)
LISTENERS: Final = Kind(
    ("aws:lb/listener:Listener",), ("ListenerNotFound", "Listener '{}' not found"), ("arn",)
)
ZONES: Final = Kind(
    ("aws:route53/zone:Zone",), ("NoSuchHostedZone", "No hosted zone found with ID: {}"), ("zoneId",)
)
QUEUES: Final = Kind(
    ("aws:sqs/queue:Queue",),
    ("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist: {}"),
    ("url",),
)
TOPICS: Final = Kind(("aws:sns/topic:Topic",), ("NotFound", "Topic does not exist: {}"), ("arn",))
SECRETS: Final = Kind(
    ("aws:secretsmanager/secret:Secret",),
    ("ResourceNotFoundException", "Secrets Manager can't find the specified secret: {}"),
    ("arn", "name"),
)
FUNCTIONS: Final = Kind(
    ("aws:lambda/function:Function",),
    ("ResourceNotFoundException", "Function not found: {}"),
    ("arn", "name", "qualifiedArn", "invokeArn"),
)
EVENT_RULES: Final = Kind(
    ("aws:cloudwatch/eventRule:EventRule",),
    ("ResourceNotFoundException", "Rule {} does not exist on EventBus default."),
    ("name",),
)
VAULTS: Final = Kind(
    ("aws:backup/vault:Vault",),
    ("InvalidParameterValueException", "Backup vault does not exist: {}"),
    ("name",),
)
PLANS: Final = Kind(
    ("aws:backup/plan:Plan",), ("ResourceNotFoundException", "Cannot find Backup plan with ID {}")
)

_SG_RULE: Final = (("securityGroupId", GROUPS), ("referencedSecurityGroupId", GROUPS))
_BUCKET: Final = (("bucket", BUCKETS),)

REFERENCES: Final[Mapping[str, tuple[tuple[str, Kind], ...]]] = {
    SUBNET: (("vpcId", VPCS),),
    GROUP: (("vpcId", VPCS),),
    DEFAULT_GROUP: (("vpcId", VPCS),),
    TABLE: (("vpcId", VPCS), ("routes.natGatewayId", NAT_GATEWAYS)),
    "aws:ec2/networkAcl:NetworkAcl": (("vpcId", VPCS), ("subnetIds", SUBNETS)),
    "aws:ec2/internetGateway:InternetGateway": (("vpcId", VPCS),),
    "aws:ec2/vpcEndpoint:VpcEndpoint": (
        ("vpcId", VPCS), ("subnetIds", SUBNETS), ("securityGroupIds", GROUPS), ("routeTableIds", TABLES),
    ),
    "aws:ec2/natGateway:NatGateway": (("subnetId", SUBNETS), ("allocationId", ADDRESSES)),
    "aws:ec2/route:Route": (("routeTableId", TABLES), ("natGatewayId", NAT_GATEWAYS)),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": (("routeTableId", TABLES), ("subnetId", SUBNETS)),
    "aws:ec2/flowLog:FlowLog": (("vpcId", VPCS), ("subnetId", SUBNETS), ("iamRoleArn", ROLE_ARNS)),
    "aws:ec2/securityGroupRule:SecurityGroupRule": (
        ("securityGroupId", GROUPS), ("sourceSecurityGroupId", GROUPS),
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _SG_RULE,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _SG_RULE,
    "aws:lb/targetGroup:TargetGroup": (("vpcId", VPCS),),
    "aws:lb/loadBalancer:LoadBalancer": (("subnets", SUBNETS), ("securityGroups", GROUPS)),
    "aws:lb/listener:Listener": (("loadBalancerArn", BALANCERS),),
    "aws:lb/listenerRule:ListenerRule": (("listenerArn", LISTENERS),),
    "aws:rds/subnetGroup:SubnetGroup": (("subnetIds", SUBNETS),),
    "aws:rds/instance:Instance": (("vpcSecurityGroupIds", GROUPS), ("monitoringRoleArn", ROLE_ARNS)),
    "aws:rds/proxy:Proxy": (
        ("vpcSubnetIds", SUBNETS), ("vpcSecurityGroupIds", GROUPS), ("roleArn", ROLE_ARNS),
    ),
    "aws:elasticache/subnetGroup:SubnetGroup": (("subnetIds", SUBNETS),),
    "aws:elasticache/replicationGroup:ReplicationGroup": (("securityGroupIds", GROUPS),),
    "aws:efs/mountTarget:MountTarget": (
        ("fileSystemId", FILE_SYSTEMS), ("subnetId", SUBNETS), ("securityGroups", GROUPS),
    ),
    "aws:efs/accessPoint:AccessPoint": (("fileSystemId", FILE_SYSTEMS),),
    "aws:efs/fileSystemPolicy:FileSystemPolicy": (("fileSystemId", FILE_SYSTEMS),),
    "aws:efs/backupPolicy:BackupPolicy": (("fileSystemId", FILE_SYSTEMS),),
    "aws:lambda/function:Function": (
        ("role", ROLE_ARNS), ("vpcConfig.subnetIds", SUBNETS), ("vpcConfig.securityGroupIds", GROUPS),
    ),
    "aws:ecs/taskDefinition:TaskDefinition": (("executionRoleArn", ROLE_ARNS), ("taskRoleArn", ROLE_ARNS)),
    "aws:ecs/service:Service": (
        ("cluster", CLUSTERS),
        ("networkConfiguration.subnets", SUBNETS),
        ("networkConfiguration.securityGroups", GROUPS),
    ),
    "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders": (("clusterName", CLUSTERS),),
    "aws:cloudwatch/eventTarget:EventTarget": (("roleArn", ROLE_ARNS),),
    "aws:sfn/stateMachine:StateMachine": (("roleArn", ROLE_ARNS),),
    "aws:scheduler/schedule:Schedule": (("target.roleArn", ROLE_ARNS),),
    "aws:backup/selection:Selection": (("planId", PLANS), ("iamRoleArn", ROLE_ARNS)),
    "aws:mq/broker:Broker": (("subnetIds", SUBNETS), ("securityGroups", GROUPS)),
    "aws:opensearch/domain:Domain": (
        ("vpcOptions.subnetIds", SUBNETS), ("vpcOptions.securityGroupIds", GROUPS),
    ),
    "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace": (("vpc", VPCS),),
    "aws:route53/zone:Zone": (("vpcs.vpcId", VPCS),),
    "aws:route53/record:Record": (("zoneId", ZONES),),
    "aws:sqs/queuePolicy:QueuePolicy": (("queueUrl", QUEUES),),
    "aws:sns/topicPolicy:TopicPolicy": (("arn", TOPICS),),
    "aws:sns/topicSubscription:TopicSubscription": (("topic", TOPICS),),
    "aws:secretsmanager/secretVersion:SecretVersion": (("secretId", SECRETS),),
    "aws:secretsmanager/secretPolicy:SecretPolicy": (("secretArn", SECRETS),),
    "aws:s3/bucketPolicy:BucketPolicy": _BUCKET,
    "aws:s3/bucketVersioning:BucketVersioning": _BUCKET,
    "aws:s3/bucketLogging:BucketLogging": (*_BUCKET, ("targetBucket", BUCKETS)),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _BUCKET,
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _BUCKET,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _BUCKET,
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": _BUCKET,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _BUCKET,
}  # fmt: skip
"""Type: input and what it refers to, by id or ARN."""

BY_NAME: Final[Mapping[str, tuple[tuple[str, Kind], ...]]] = {
    "aws:backup/plan:Plan": (("rules.targetVaultName", VAULTS),),
    "aws:backup/vaultLockConfiguration:VaultLockConfiguration": (("backupVaultName", VAULTS),),
    "aws:backup/vaultPolicy:VaultPolicy": (("backupVaultName", VAULTS),),
    "aws:cloudwatch/eventTarget:EventTarget": (("rule", EVENT_RULES),),
    "aws:iam/rolePolicy:RolePolicy": (("role", ROLE_NAMES),),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": (("role", ROLE_NAMES),),
    "aws:iam/instanceProfile:InstanceProfile": (("role", ROLE_NAMES),),
    "aws:ecr/repositoryPolicy:RepositoryPolicy": (("repository", REPOSITORIES),),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": (("repository", REPOSITORIES),),
    "aws:lambda/permission:Permission": (("function", FUNCTIONS),),
    "aws:lambda/invocation:Invocation": (("functionName", FUNCTIONS),),
}
"""Type: input and what it refers to, by name."""


@dataclass(frozen=True)
class View:
    """A new resource's inputs and the account around it."""

    inputs: Properties
    session: Session
    world: World

    def values(self, path: str) -> Iterator[tuple[str, Any]]:
        """Iterate over the values at a dotted path with their full paths; lists are spread."""
        yield from _spread(self.inputs, path.split("."), "")

    def one(self, path: str) -> Any:
        """Return the first value at a path, None when there is none."""
        return next((value for _, value in self.values(path)), None)

    def find(self, kind: Kind, reference: str) -> Properties | None:
        """Return the outputs of what a reference points to."""
        for token in kind.tokens:
            if (found := self.world.find(token, reference)) is not None:
                return found
            for _, outputs in self.world.all(token) if kind.keys else ():
                if any(outputs.get(key) == reference for key in kind.keys):
                    return outputs
        return None

    def is_missing(self, kind: Kind, reference: str) -> bool:
        """Say whether a reference points to nothing, in an account that holds things of the kind."""
        if not any(True for token in kind.tokens for _ in self.world.all(token)) or self._is_foreign(
            reference
        ):
            return False
        if self.find(kind, reference) is not None:
            return False
        return self.vpc_of_default(kind, reference) is None

    def vpc_of_default(self, kind: Kind, reference: str) -> str | None:
        """Return the id of the VPC that brought a default group or table along, None when it is none."""
        if not kind.of_vpc:
            return None
        vpcs = self.world.all(VPC)
        return next((id for id, vpc in vpcs if any(vpc.get(key) == reference for key in kind.of_vpc)), None)

    def _is_foreign(self, reference: str) -> bool:
        """Say whether an ARN belongs to another account, or to a role that AWS makes itself."""
        parts = reference.split(":", 5)
        if parts[0] != "arn" or len(parts) < 6:
            return False
        return parts[4] not in ("", self.session.account_id) or "aws-service-role/" in parts[5]


def _spread(value: Any, parts: list[str], path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _spread(item, parts, f"{path}[{index}]")
    elif not parts:
        yield path, value
    elif isinstance(value, dict) and value.get(parts[0]) is not None:
        yield from _spread(value[parts[0]], parts[1:], f"{path}.{parts[0]}" if path else parts[0])
