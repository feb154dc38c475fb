"""What a rule of the edges is, what it finds, and the resource types that rules speak of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from sandbox.graph import Graph, Node

ACCESS_BLOCK: Final = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
ASSOCIATION: Final = "aws:ec2/routeTableAssociation:RouteTableAssociation"
BACKUP_PLAN: Final = "aws:backup/plan:Plan"
BACKUP_SELECTION: Final = "aws:backup/selection:Selection"
BACKUP_VAULT: Final = "aws:backup/vault:Vault"
BUCKET: Final = "aws:s3/bucket:Bucket"
BUCKET_ENCRYPTION: Final = (
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
)
BUCKET_LIFECYCLE: Final = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
BUCKET_LOGGING: Final = "aws:s3/bucketLogging:BucketLogging"
BUCKET_POLICY: Final = "aws:s3/bucketPolicy:BucketPolicy"
BUCKET_VERSIONING: Final = "aws:s3/bucketVersioning:BucketVersioning"
CAPACITY: Final = "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders"
CLUSTER: Final = "aws:ecs/cluster:Cluster"
DATABASE: Final = "aws:rds/instance:Instance"
DISCOVERY: Final = "aws:servicediscovery/service:Service"
ENDPOINT: Final = "aws:ec2/vpcEndpoint:VpcEndpoint"
EVENT_TARGET: Final = "aws:cloudwatch/eventTarget:EventTarget"
FILE_SYSTEM: Final = "aws:efs/fileSystem:FileSystem"
FILE_SYSTEM_POLICY: Final = "aws:efs/fileSystemPolicy:FileSystemPolicy"
FLOW_LOG: Final = "aws:ec2/flowLog:FlowLog"
FUNCTION: Final = "aws:lambda/function:Function"
INVOCATION: Final = "aws:lambda/invocation:Invocation"
LISTENER: Final = "aws:lb/listener:Listener"
LISTENER_RULE: Final = "aws:lb/listenerRule:ListenerRule"
LOAD_BALANCER: Final = "aws:lb/loadBalancer:LoadBalancer"
LOG_GROUP: Final = "aws:cloudwatch/logGroup:LogGroup"
LOG_RESOURCE_POLICY: Final = "aws:cloudwatch/logResourcePolicy:LogResourcePolicy"
MOUNT_TARGET: Final = "aws:efs/mountTarget:MountTarget"
ROLE: Final = "aws:iam/role:Role"
ROLE_POLICIES: Final = (
    "aws:iam/rolePolicy:RolePolicy",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
)
ROUTE: Final = "aws:ec2/route:Route"
ROUTE_TABLE: Final = "aws:ec2/routeTable:RouteTable"
SECURITY_GROUP: Final = "aws:ec2/securityGroup:SecurityGroup"
SECURITY_GROUP_RULES: Final = (
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
    "aws:ec2/securityGroupRule:SecurityGroupRule",
)
SERVICE: Final = "aws:ecs/service:Service"
SUBNET: Final = "aws:ec2/subnet:Subnet"
TABLE: Final = "aws:dynamodb/table:Table"
TARGET_GROUP: Final = "aws:lb/targetGroup:TargetGroup"
TASK_DEFINITION: Final = "aws:ecs/taskDefinition:TaskDefinition"
VAULT_GUARDS: Final = (
    "aws:backup/vaultLockConfiguration:VaultLockConfiguration",
    "aws:backup/vaultPolicy:VaultPolicy",
)
WEB_ACL_ASSOCIATION: Final = "aws:wafv2/webAclAssociation:WebAclAssociation"

Pairs = Iterator[tuple[Node, Node]]


class Pair(NamedTuple):
    """One order that a rule asks for: `after` must wait for `before`."""

    rule: str
    after: Node
    before: Node


@dataclass(frozen=True)
class Edge:
    """One mandatory edge: `pairs` yields every (after, before) that the graph must order."""

    rule: str
    reason: str
    pairs: Callable[[Graph], Pairs]


@dataclass(frozen=True)
class Violation:
    """A missing edge, or one that must not be there."""

    rule: str
    after: Node
    before: Node
    reason: str
    demand: str = "must depend on"

    def __str__(self) -> str:
        return (
            f"{self.after.type} {self.after.name} {self.demand} {self.before.type} {self.before.name}: "
            f"{self.reason} [{self.rule}]"
        )


def pairs_of(edge: Edge, graph: Graph) -> Iterator[Pair]:
    """Iterate over the pairs of one rule, each once."""
    yield from (Pair(edge.rule, after, before) for after, before in dict.fromkeys(edge.pairs(graph)))


def made_from(graph: Graph, node: Node, key: str, token: str) -> list[Node]:
    """Return the resources of a type that one input was made from."""
    return of_urns(graph, node.refers(key), token)


def of_urns(graph: Graph, urns: frozenset[str], *tokens: str) -> list[Node]:
    """Return the resources of some types among those of the given URNs, in URN order."""
    found = (graph.nodes[urn] for urn in sorted(urns) if urn in graph.nodes)
    return [node for node in found if node.type in tokens]


def referring(graph: Graph, token: str, key: str, urns: frozenset[str]) -> Iterator[Node]:
    """Yield the resources of a type whose input was made from one of the given resources."""
    yield from (node for node in graph.of_type(token) if node.refers(key) & urns)


def policies_of(graph: Graph, role: Node) -> Iterator[Node]:
    """Yield what gives a role its rights."""
    for token in ROLE_POLICIES:
        yield from referring(graph, token, "role", frozenset({role.urn}))


def urns_of(nodes: list[Node]) -> frozenset[str]:
    """Return the URNs of some resources."""
    return frozenset(node.urn for node in nodes)
