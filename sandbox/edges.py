"""The mandatory edges: what must exist before what, or a first `up` fails or flaps in a real account.

The simulated provider cannot see dependencies (its calls carry none), so these rules read the graph of a preview
or of a state. Each rule looks only at what the graph says: which property of a resource was made from which other
resource, and who waits for whom. The table grows with the components.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from sandbox.graph import Graph, Node

ASSOCIATION: Final = "aws:ec2/routeTableAssociation:RouteTableAssociation"
CAPACITY: Final = "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders"
CLUSTER: Final = "aws:ecs/cluster:Cluster"
ENDPOINT: Final = "aws:ec2/vpcEndpoint:VpcEndpoint"
FILE_SYSTEM_POLICY: Final = "aws:efs/fileSystemPolicy:FileSystemPolicy"
FLOW_LOG: Final = "aws:ec2/flowLog:FlowLog"
FUNCTION: Final = "aws:lambda/function:Function"
INVOCATION: Final = "aws:lambda/invocation:Invocation"
LISTENER: Final = "aws:lb/listener:Listener"
LISTENER_RULE: Final = "aws:lb/listenerRule:ListenerRule"
LOG_GROUP: Final = "aws:cloudwatch/logGroup:LogGroup"
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
TASK_DEFINITION: Final = "aws:ecs/taskDefinition:TaskDefinition"

Pairs = Iterator[tuple[Node, Node]]


@dataclass(frozen=True)
class Violation:
    """A missing edge: `after` must wait for `before`."""

    rule: str
    after: Node
    before: Node
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.after.type} {self.after.name} must depend on {self.before.type} {self.before.name}: "
            f"{self.reason} [{self.rule}]"
        )


@dataclass(frozen=True)
class Edge:
    """One mandatory edge: `pairs` yields every (after, before) that the graph must order."""

    rule: str
    reason: str
    pairs: Callable[[Graph], Pairs]


def _sources(graph: Graph, node: Node, *types: str, through: tuple[str, ...] = ()) -> Iterator[Node]:
    """Yield the resources of some types that a node's inputs were made from, directly or through other types."""
    for urn in set(node.dependencies).union(*node.properties.values()):
        source = graph.nodes.get(urn)
        if source is None:
            continue
        if source.type in types:
            yield source
        elif source.type in through:
            yield from _sources(graph, source, *types, through=through)


def _inputs_from(graph: Graph, node: Node, key: str, token: str) -> list[Node]:
    return [
        graph.nodes[urn] for urn in node.refers(key) if urn in graph.nodes and graph.nodes[urn].type == token
    ]


def _policies_of(graph: Graph, role: Node) -> Iterator[Node]:
    for token in ROLE_POLICIES:
        yield from (policy for policy in graph.of_type(token) if role.urn in policy.refers("role"))


def _needs_way_out(graph: Graph) -> Iterator[tuple[Node, list[Node]]]:
    """Yield what runs in subnets and calls AWS from there, with those subnets."""
    for node in graph.of_type(SERVICE):
        yield node, _inputs_from(graph, node, "networkConfiguration", SUBNET)
    for node in graph.of_type(FUNCTION):
        yield node, _inputs_from(graph, node, "vpcConfig", SUBNET)


def _routes(graph: Graph) -> Pairs:
    # awsx answers with all subnets at once, so a consumer of one tier refers to every subnet: only routes that lead
    # out of private subnets (through a NAT gateway) are a way out for tasks without a public address.
    tables = {
        table.urn: subnet.urn
        for association in graph.of_type(ASSOCIATION)
        for table in _inputs_from(graph, association, "routeTableId", ROUTE_TABLE)
        for subnet in _inputs_from(graph, association, "subnetId", SUBNET)
    }
    for node, subnets in _needs_way_out(graph):
        used = {subnet.urn for subnet in subnets}
        for route in graph.of_type(ROUTE):
            table = next(iter(_inputs_from(graph, route, "routeTableId", ROUTE_TABLE)), None)
            if table and tables.get(table.urn) in used and route.refers("natGatewayId"):
                yield node, route


def _endpoints(graph: Graph) -> Pairs:
    for node, subnets in _needs_way_out(graph):
        vpcs = {vpc for subnet in subnets for vpc in subnet.refers("vpcId")}
        for endpoint in graph.of_type(ENDPOINT):
            if endpoint.refers("vpcId") & vpcs:
                yield node, endpoint


def _gate(graph: Graph) -> Pairs:
    for service in graph.of_type(SERVICE):
        for invocation in graph.of_type(INVOCATION):
            yield service, invocation


def _capacity(graph: Graph) -> Pairs:
    for service in graph.of_type(SERVICE):
        clusters = {cluster.urn for cluster in _inputs_from(graph, service, "cluster", CLUSTER)}
        for capacity in graph.of_type(CAPACITY):
            if capacity.refers("clusterName") & clusters:
                yield service, capacity


def _service_role_policies(graph: Graph) -> Pairs:
    for service in graph.of_type(SERVICE):
        for role in _sources(graph, service, ROLE, through=(TASK_DEFINITION,)):
            yield from ((service, policy) for policy in _policies_of(graph, role))


def _flow_log_role_policies(graph: Graph) -> Pairs:
    for flow_log in graph.of_type(FLOW_LOG):
        for role in _inputs_from(graph, flow_log, "iamRoleArn", ROLE):
            yield from ((flow_log, policy) for policy in _policies_of(graph, role))


def _function_role_policies(graph: Graph) -> Pairs:
    for invocation in graph.of_type(INVOCATION):
        for function in _sources(graph, invocation, FUNCTION):
            for role in _inputs_from(graph, function, "role", ROLE):
                yield from ((invocation, policy) for policy in _policies_of(graph, role))


def _security_group_rules(graph: Graph) -> Pairs:
    for service in graph.of_type(SERVICE):
        groups = {group.urn for group in _inputs_from(graph, service, "networkConfiguration", SECURITY_GROUP)}
        for token in SECURITY_GROUP_RULES:
            for rule in graph.of_type(token):
                ends = rule.refers("securityGroupId") | rule.refers("referencedSecurityGroupId")
                if ends & groups:
                    yield service, rule


def _file_systems(graph: Graph) -> Pairs:
    for service in graph.of_type(SERVICE):
        definitions = list(_sources(graph, service, TASK_DEFINITION))
        used = {urn for definition in definitions for urn in definition.refers("volumes")}
        for token in (MOUNT_TARGET, FILE_SYSTEM_POLICY):
            yield from (
                (service, node) for node in graph.of_type(token) if node.refers("fileSystemId") & used
            )


def _listeners(graph: Graph) -> Pairs:
    for service in graph.of_type(SERVICE):
        groups = service.refers("loadBalancers")
        for token, key in ((LISTENER_RULE, "actions"), (LISTENER, "defaultActions")):
            yield from ((service, node) for node in graph.of_type(token) if node.refers(key) & groups)


def _log_groups(graph: Graph) -> Pairs:
    for service in graph.of_type(SERVICE):
        for definition in _sources(graph, service, TASK_DEFINITION):
            yield from (
                (service, group)
                for group in _inputs_from(graph, definition, "containerDefinitions", LOG_GROUP)
            )


MANDATORY: Final = (
    Edge("way-out-routes", "its tasks start before their subnets have a route out", _routes),
    Edge("way-out-endpoints", "its tasks start before the VPC endpoints answer", _endpoints),
    Edge("platform-gate", "it starts before secrets have values and the schema is migrated", _gate),
    Edge("capacity-providers", "the cluster has no capacity provider to place its tasks on", _capacity),
    Edge(
        "service-role-policies",
        "its tasks start with roles that may not do anything yet",
        _service_role_policies,
    ),
    Edge("flow-log-role-policies", "the flow log's role may not write yet", _flow_log_role_policies),
    Edge(
        "gate-role-policies",
        "the function is invoked with a role that may not do anything yet",
        _function_role_policies,
    ),
    Edge(
        "security-group-rules", "its tasks start before their connections are allowed", _security_group_rules
    ),
    Edge(
        "file-systems", "its tasks mount a file system that has no mount target or policy yet", _file_systems
    ),
    Edge("listeners", "ECS refuses a target group that no listener uses", _listeners),
    Edge("log-groups", "its containers cannot start without their log group", _log_groups),
)


def violations(graph: Graph) -> list[Violation]:
    """Return every mandatory edge that the graph lacks."""
    return [
        Violation(edge.rule, after, before, edge.reason)
        for edge in MANDATORY
        for after, before in dict.fromkeys(edge.pairs(graph))
        if not graph.waits_for(after, before)
    ]
