"""Names that are taken already, and what an account may hold once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sandbox.behaviour.existing_view import View
from sandbox.behaviour.model import AwsError
from sandbox.behaviour.service_linked_roles import TOKEN as SERVICE_LINKED_ROLE
from sandbox.behaviour.service_linked_roles import role_name


@dataclass(frozen=True)
class Unique:
    """Inputs that no two resources of a type share; `within` narrows the comparison, `unless` switches it off."""

    code: str
    message: str
    key: str = "name"
    within: tuple[str, ...] = ("region",)
    unless: str = ""


_ENTITY: Final = "EntityAlreadyExists"

UNIQUE: Final[Mapping[str, Unique]] = {
    "aws:s3/bucket:Bucket": Unique(
        "BucketAlreadyOwnedByYou",
        "Your previous request to create the named bucket succeeded and you already own it: {}", "bucket", (),
    ),
    "aws:iam/role:Role": Unique(_ENTITY, "Role with name {} already exists.", within=()),
    "aws:iam/policy:Policy": Unique(_ENTITY, "A policy called {} already exists.", within=("path",)),
    "aws:iam/instanceProfile:InstanceProfile": Unique(_ENTITY, "Instance Profile {} already exists.", within=()),
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": Unique(
        _ENTITY, "Provider with url {} already exists.", "url", ()
    ),
    "aws:ec2/securityGroup:SecurityGroup": Unique(
        "InvalidGroup.Duplicate", "The security group '{}' already exists for VPC", within=("vpcId",)
    ),
    "aws:cloudwatch/logGroup:LogGroup": Unique(
        "ResourceAlreadyExistsException", "The specified log group already exists: {}"
    ),
    "aws:ecr/repository:Repository": Unique(
        "RepositoryAlreadyExistsException", "The repository with name '{}' already exists in the registry"
    ),
    "aws:kms/alias:Alias": Unique("AlreadyExistsException", "An alias with the name {} already exists"),
    "aws:lambda/function:Function": Unique("ResourceConflictException", "Function already exist: {}"),
    "aws:lambda/permission:Permission": Unique(
        "ResourceConflictException", "The statement id ({}) provided already exists.", "statementId",
        ("region", "function"),
    ),
    "aws:lb/loadBalancer:LoadBalancer": Unique(
        "DuplicateLoadBalancerName", "A load balancer with the name '{}' exists already"
    ),
    "aws:lb/targetGroup:TargetGroup": Unique(
        "DuplicateTargetGroupName", "A target group with the name '{}' exists already"
    ),
    "aws:lb/listener:Listener": Unique(
        "DuplicateListener", "A listener already exists on port {} for this load balancer", "port",
        ("loadBalancerArn",),
    ),
    "aws:lb/listenerRule:ListenerRule": Unique(
        "PriorityInUse", "Priority '{}' is currently in use", "priority", ("listenerArn",)
    ),
    "aws:rds/instance:Instance": Unique("DBInstanceAlreadyExists", "DB instance already exists: {}", "identifier"),
    "aws:rds/subnetGroup:SubnetGroup": Unique(
        "DBSubnetGroupAlreadyExists", "The DB subnet group '{}' already exists."
    ),
    "aws:rds/parameterGroup:ParameterGroup": Unique(
        "DBParameterGroupAlreadyExists", "Parameter group {} already exists"
    ),
    "aws:rds/proxy:Proxy": Unique("DBProxyAlreadyExistsFault", "DB proxy {} already exists"),
    "aws:elasticache/replicationGroup:ReplicationGroup": Unique(
        "ReplicationGroupAlreadyExists", "Replication group {} already exists", "replicationGroupId"
    ),
    "aws:elasticache/subnetGroup:SubnetGroup": Unique(
        "CacheSubnetGroupAlreadyExists", "Cache subnet group {} already exists"
    ),
    "aws:elasticache/parameterGroup:ParameterGroup": Unique(
        "CacheParameterGroupAlreadyExists", "Cache parameter group {} already exists"
    ),
    "aws:elasticache/user:User": Unique("UserAlreadyExists", "User {} already exists.", "userId"),
    "aws:elasticache/userGroup:UserGroup": Unique(
        "UserGroupAlreadyExistsFault", "User group {} already exists.", "userGroupId"
    ),
    "aws:secretsmanager/secret:Secret": Unique(
        "ResourceExistsException", "The operation failed because the secret {} already exists."
    ),
    "aws:ssm/parameter:Parameter": Unique(
        "ParameterAlreadyExists", "The parameter already exists: {}", unless="overwrite"
    ),
    "aws:sfn/stateMachine:StateMachine": Unique("StateMachineAlreadyExists", "State Machine Already Exists: '{}'"),
    "aws:scheduler/scheduleGroup:ScheduleGroup": Unique(
        "ConflictException", "Schedule group {} already exists."
    ),
    "aws:scheduler/schedule:Schedule": Unique(
        "ConflictException", "Schedule {} already exists.", within=("region", "groupName")
    ),
    "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace": Unique(
        "NamespaceAlreadyExists", "Another namespace with name {} is already associated", within=("region", "vpc")
    ),
    "aws:servicediscovery/httpNamespace:HttpNamespace": Unique(
        "NamespaceAlreadyExists", "Namespace with name {} already exists."
    ),
    "aws:servicediscovery/service:Service": Unique(
        "ServiceAlreadyExists", "Service with name {} already exists in the namespace", within=("namespaceId",)
    ),
    "aws:ecs/service:Service": Unique(
        "InvalidParameterException", "Creation of service was not idempotent: {}", within=("region", "cluster")
    ),
    "aws:ecs/capacityProvider:CapacityProvider": Unique(
        "ClientException", "The specified capacity provider already exists: {}"
    ),
    "aws:dynamodb/table:Table": Unique("ResourceInUseException", "Table already exists: {}"),
    "aws:backup/vault:Vault": Unique("AlreadyExistsException", "Backup vault with the same name already exists: {}"),
    "aws:mq/broker:Broker": Unique("ConflictException", "Broker name [{}] is already in use.", "brokerName"),
    "aws:opensearch/domain:Domain": Unique(
        "ResourceAlreadyExistsException", "OpenSearch Domain ({}) already exists", "domainName"
    ),
    "aws:wafv2/webAcl:WebAcl": Unique(
        "WAFDuplicateItemException", "A web ACL with the name {} exists already", within=("region", "scope")
    ),
    "aws:wafv2/ipSet:IpSet": Unique(
        "WAFDuplicateItemException", "An IP set with the name {} exists already", within=("region", "scope")
    ),
    "aws:budgets/budget:Budget": Unique("DuplicateRecordException", "the budget {} already exists", within=()),
    "aws:route53/record:Record": Unique(
        "InvalidChangeBatch", "Tried to create resource record set [name='{}'] but it already exists",
        within=("zoneId", "type", "setIdentifier"), unless="allowOverwrite",
    ),
    "aws:autoscaling/group:Group": Unique("AlreadyExists", "AutoScalingGroup by this name already exists: {}"),
    "aws:ec2/launchTemplate:LaunchTemplate": Unique(
        "InvalidLaunchTemplateName.AlreadyExistsException", "Launch template name already in use: {}"
    ),
}  # fmt: skip

SINGLETONS: Final[Mapping[str, tuple[str, str]]] = {
    "aws:guardduty/detector:Detector": (
        "BadRequestException",
        "The request is rejected because a detector already exists for the current account.",
    ),
}
"""Types of which a region of an account holds one: AWS's code and message."""


def errors(token: str, view: View) -> Iterator[AwsError]:
    """Yield the names that are taken."""
    if unique := UNIQUE.get(token):
        mine = view.inputs.get(unique.key)
        taken = mine is not None and not view.inputs.get(unique.unless or "-")
        for _, other in view.world.all(token) if taken else ():
            # What AWS fills with nothing may stand as an empty text in the outputs.
            same = all((other.get(key) or None) == (view.inputs.get(key) or None) for key in unique.within)
            if same and _plain(other.get(unique.key)) == _plain(mine):
                yield AwsError(unique.code, unique.message.format(mine), unique.key)
    if single := SINGLETONS.get(token):
        for _, other in view.world.all(token):
            if other.get("region") == view.inputs.get("region"):
                yield AwsError(*single)
    if token == SERVICE_LINKED_ROLE:
        yield from _service_linked_role(view)


def _service_linked_role(view: View) -> Iterator[AwsError]:
    """Compare names that AWS makes up: they are no inputs."""
    name = role_name(view.inputs)
    for _, other in view.world.all(SERVICE_LINKED_ROLE):
        if other.get("name") == name:
            yield AwsError(
                "InvalidInput",
                f"Service role name {name} has been taken in this account, please try a different suffix.",
                "awsServiceName",
            )


def _plain(value: object) -> object:
    """Compare names as DNS and AWS do: without a dot at the end."""
    return value.rstrip(".") if isinstance(value, str) else value
