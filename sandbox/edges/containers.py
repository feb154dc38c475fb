"""What must exist before containers run: before a service is created, and before a gate starts its task."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sandbox.edges.rules import (
    ASSOCIATION,
    BUCKET,
    BUCKET_ENCRYPTION,
    BUCKET_POLICY,
    BUCKET_VERSIONING,
    CAPACITY,
    CLUSTER,
    ENDPOINT,
    FILE_SYSTEM_POLICY,
    FUNCTION,
    INVOCATION,
    LOG_GROUP,
    MOUNT_TARGET,
    ROLE,
    ROUTE,
    ROUTE_TABLE,
    SECURITY_GROUP,
    SECURITY_GROUP_RULES,
    SERVICE,
    SUBNET,
    TASK_DEFINITION,
    Edge,
    Pairs,
    made_from,
    of_urns,
    policies_of,
    referring,
    urns_of,
)
from sandbox.graph import Graph, Node


@dataclass(frozen=True)
class Runner:
    """What starts containers, or code, in subnets: a service, the call of a gate, a function in a VPC."""

    node: Node
    subnets: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    clusters: frozenset[str] = frozenset()
    definitions: tuple[Node, ...] = ()

    @classmethod
    def of(cls, graph: Graph, node: Node, urns: frozenset[str]) -> Runner:
        """Make a runner of everything that its inputs were made from."""
        return cls(
            node,
            subnets=urns_of(of_urns(graph, urns, SUBNET)),
            groups=urns_of(of_urns(graph, urns, SECURITY_GROUP)),
            clusters=urns_of(of_urns(graph, urns, CLUSTER)),
            definitions=tuple(of_urns(graph, urns, TASK_DEFINITION)),
        )


def runners(graph: Graph) -> Iterator[Runner]:
    """Yield every service and every call of a gate.

    What a gate starts, and where, stands in the environment of its function or in what the call hands over.
    """
    for service in graph.of_type(SERVICE):
        yield Runner.of(graph, service, service.sources)
    for invocation in graph.of_type(INVOCATION):
        functions = of_urns(graph, invocation.sources, FUNCTION)
        urns = invocation.sources.union(*(function.sources for function in functions))
        yield Runner.of(graph, invocation, urns)


def _in_subnets(graph: Graph) -> Iterator[Runner]:
    """Yield the runners, and functions in a VPC, which may be called by anything."""
    yield from runners(graph)
    for function in graph.of_type(FUNCTION):
        yield Runner.of(graph, function, function.refers("vpcConfig"))


def tables_of(graph: Graph, subnets: frozenset[str]) -> frozenset[str]:
    """Return the route tables of some subnets."""
    associations = referring(graph, ASSOCIATION, "subnetId", subnets)
    return frozenset().union(
        *(urns_of(made_from(graph, association, "routeTableId", ROUTE_TABLE)) for association in associations)
    )


def _routes(graph: Graph) -> Pairs:
    # awsx answers with all subnets at once, so a consumer of one tier refers to every subnet: only routes that lead
    # out of private subnets (through a NAT gateway) are a way out for tasks without a public address.
    for runner in _in_subnets(graph):
        for route in referring(graph, ROUTE, "routeTableId", tables_of(graph, runner.subnets)):
            if route.refers("natGatewayId"):
                yield runner.node, route


def _endpoints(graph: Graph) -> Pairs:
    for runner in _in_subnets(graph):
        subnets = [graph.nodes[urn] for urn in runner.subnets]
        vpcs = frozenset().union(*(subnet.refers("vpcId") for subnet in subnets))
        for endpoint in referring(graph, ENDPOINT, "vpcId", vpcs):
            yield runner.node, endpoint
            groups = urns_of(made_from(graph, endpoint, "securityGroupIds", SECURITY_GROUP))
            for token in SECURITY_GROUP_RULES:
                yield from (
                    (runner.node, rule) for rule in referring(graph, token, "securityGroupId", groups)
                )


def _capacity(graph: Graph) -> Pairs:
    for runner in runners(graph):
        for capacity in referring(graph, CAPACITY, "clusterName", runner.clusters):
            yield runner.node, capacity


def _roles(graph: Graph, runner: Runner) -> Iterator[Node]:
    for definition in runner.definitions:
        for key in ("executionRoleArn", "taskRoleArn"):
            yield from made_from(graph, definition, key, ROLE)


def _role_policies(graph: Graph) -> Pairs:
    for runner in runners(graph):
        for role in _roles(graph, runner):
            yield from ((runner.node, policy) for policy in policies_of(graph, role))


def _security_group_rules(graph: Graph) -> Pairs:
    for runner in runners(graph):
        for token in SECURITY_GROUP_RULES:
            for rule in graph.of_type(token):
                ends = rule.refers("securityGroupId") | rule.refers("referencedSecurityGroupId")
                if ends & runner.groups:
                    yield runner.node, rule


def _file_systems(graph: Graph) -> Pairs:
    for runner in runners(graph):
        used = frozenset().union(*(definition.refers("volumes") for definition in runner.definitions))
        for token in (MOUNT_TARGET, FILE_SYSTEM_POLICY):
            yield from ((runner.node, node) for node in referring(graph, token, "fileSystemId", used))


def _log_groups(graph: Graph) -> Pairs:
    for runner in runners(graph):
        for definition in runner.definitions:
            groups = made_from(graph, definition, "containerDefinitions", LOG_GROUP)
            yield from ((runner.node, group) for group in groups)


def _buckets(graph: Graph) -> Pairs:
    """Yield the settings of the buckets that a task's own role may use."""
    for runner in runners(graph):
        for definition in runner.definitions:
            roles = made_from(graph, definition, "taskRoleArn", ROLE)
            policies = [policy for role in roles for policy in policies_of(graph, role)]
            buckets = urns_of(
                [bucket for policy in policies for bucket in made_from(graph, policy, "policy", BUCKET)]
            )
            for token in (BUCKET_ENCRYPTION, BUCKET_POLICY, BUCKET_VERSIONING):
                yield from ((runner.node, node) for node in referring(graph, token, "bucket", buckets))


EDGES: Final = (
    Edge("way-out-routes", "its tasks start before their subnets have a route out", _routes),
    Edge("way-out-endpoints", "its tasks start before the VPC endpoints answer", _endpoints),
    Edge("capacity-providers", "the cluster has no capacity provider to place its tasks on", _capacity),
    Edge("task-role-policies", "its tasks start with roles that may not do anything yet", _role_policies),
    Edge(
        "security-group-rules", "its tasks start before their connections are allowed", _security_group_rules
    ),
    Edge(
        "file-systems", "its tasks mount a file system that has no mount target or policy yet", _file_systems
    ),
    Edge("log-groups", "its containers cannot start without their log group", _log_groups),
    Edge("bucket-settings", "its tasks write before the bucket encrypts and keeps what they write", _buckets),
)
