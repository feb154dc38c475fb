"""What must exist before a load balancer, and before services behind one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sandbox.edges.containers import tables_of
from sandbox.edges.rules import (
    BUCKET,
    BUCKET_POLICY,
    LISTENER,
    LISTENER_RULE,
    LOAD_BALANCER,
    ROUTE,
    SERVICE,
    TARGET_GROUP,
    WEB_ACL_ASSOCIATION,
    Edge,
    Pairs,
    made_from,
    referring,
    urns_of,
)
from sandbox.graph import Graph, Node

LOGS: Final = ("accessLogs", "connectionLogs", "healthCheckLogs")


def _public_routes(graph: Graph) -> Pairs:
    for balancer in graph.of_type(LOAD_BALANCER):
        if balancer.inputs.get("internal") is True:
            continue
        for route in referring(graph, ROUTE, "routeTableId", tables_of(graph, balancer.refers("subnets"))):
            if route.refers("gatewayId"):
                yield balancer, route


def _access_logs(graph: Graph) -> Pairs:
    for balancer in graph.of_type(LOAD_BALANCER):
        buckets = urns_of([bucket for key in LOGS for bucket in made_from(graph, balancer, key, BUCKET)])
        yield from ((balancer, policy) for policy in referring(graph, BUCKET_POLICY, "bucket", buckets))


def _forwarding(graph: Graph, service: Node) -> Iterator[Node]:
    """Yield the rules and listeners that lead to a service."""
    groups = urns_of(made_from(graph, service, "loadBalancers", TARGET_GROUP))
    yield from referring(graph, LISTENER_RULE, "actions", groups)
    yield from referring(graph, LISTENER, "defaultActions", groups)


def _listeners(graph: Graph) -> Pairs:
    for service in graph.of_type(SERVICE):
        yield from ((service, node) for node in _forwarding(graph, service))


def _listeners_of(graph: Graph, service: Node) -> frozenset[str]:
    found = list(_forwarding(graph, service))
    rules = [rule for rule in found if rule.type == LISTENER_RULE]
    above = [listener for rule in rules for listener in made_from(graph, rule, "listenerArn", LISTENER)]
    return urns_of([*(node for node in found if node.type == LISTENER), *above])


def _guards(graph: Graph) -> Pairs:
    """Yield the rules that answer in place of a service, and the firewall before its load balancer."""
    for service in graph.of_type(SERVICE):
        listeners = _listeners_of(graph, service)
        for rule in referring(graph, LISTENER_RULE, "listenerArn", listeners):
            if not made_from(graph, rule, "actions", TARGET_GROUP):
                yield service, rule
        balancers = [
            balancer
            for urn in sorted(listeners)
            for balancer in made_from(graph, graph.nodes[urn], "loadBalancerArn", LOAD_BALANCER)
        ]
        for association in referring(graph, WEB_ACL_ASSOCIATION, "resourceArn", urns_of(balancers)):
            yield service, association


EDGES: Final = (
    Edge("public-routes", "AWS refuses a public load balancer in subnets without a route to the internet",
         _public_routes),
    Edge("access-log-policy", "AWS tests whether it may write access logs into the bucket", _access_logs),
    Edge("listeners", "ECS refuses a target group that no listener uses", _listeners),
    Edge("listener-guards", "requests reach it that a rule or the web firewall must refuse", _guards),
)  # fmt: skip
