"""What must exist before the platform gate is called, and what only the gate makes ready."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sandbox.edges.containers import runners
from sandbox.edges.rules import (
    DATABASE,
    FUNCTION,
    INVOCATION,
    LOG_GROUP,
    ROLE,
    SERVICE,
    Edge,
    Pairs,
    made_from,
    of_urns,
    policies_of,
    referring,
)
from sandbox.graph import Graph, Node

FUNCTION_LOGS: Final = "/aws/lambda/"


def _calls(graph: Graph) -> Iterator[tuple[Node, Node]]:
    for invocation in graph.of_type(INVOCATION):
        yield from (
            (invocation, function) for function in made_from(graph, invocation, "functionName", FUNCTION)
        )


def _services(graph: Graph) -> Pairs:
    for service in graph.of_type(SERVICE):
        yield from ((service, invocation) for invocation in graph.of_type(INVOCATION))


def _api_server_first(graph: Graph) -> Pairs:
    """Yield every other service after the one that others find by a private name: the api-server."""
    services = list(graph.of_type(SERVICE))
    servers = [service for service in services if service.refers("serviceRegistries")]
    yield from ((service, server) for service in services if service not in servers for server in servers)


def _function_role_policies(graph: Graph) -> Pairs:
    for invocation, function in _calls(graph):
        for role in made_from(graph, function, "role", ROLE):
            yield from ((invocation, policy) for policy in policies_of(graph, role))


def _network_rights(graph: Graph) -> Pairs:
    for function in graph.of_type(FUNCTION):
        if function.refers("vpcConfig"):
            for role in made_from(graph, function, "role", ROLE):
                yield from ((function, policy) for policy in policies_of(graph, role))


def _function_logs(graph: Graph) -> Pairs:
    for invocation, function in _calls(graph):
        named = f"{FUNCTION_LOGS}{function.text('name')}" if function.text("name") else None
        groups = [
            *made_from(graph, function, "loggingConfig", LOG_GROUP),
            *referring(graph, LOG_GROUP, "name", frozenset({function.urn})),
            *(group for group in graph.of_type(LOG_GROUP) if group.text("name") == named),
        ]
        yield from ((invocation, group) for group in groups)


def _databases(graph: Graph) -> Pairs:
    """Yield the databases that tasks are told of: what the gate prepares for them."""
    invocations = list(graph.of_type(INVOCATION))
    for runner in runners(graph):
        for definition in runner.definitions:
            for database in of_urns(graph, definition.refers("containerDefinitions"), DATABASE):
                yield from ((invocation, database) for invocation in invocations)


EDGES: Final = (
    Edge("platform-gate", "it starts before secrets have values and the schema is migrated", _services),
    Edge(
        "api-server-first",
        "its tasks fail to reach the api-server, which does not run yet",
        _api_server_first,
    ),
    Edge(
        "function-role-policies",
        "the function is invoked with a role that may not do anything yet",
        _function_role_policies,
    ),
    Edge(
        "function-network-rights",
        "Lambda refuses a function in a VPC whose role may not make network interfaces",
        _network_rights,
    ),
    Edge(
        "function-log-group",
        "the function makes the log group itself, without retention and key",
        _function_logs,
    ),
    Edge("gate-database", "the gate finds no database to migrate", _databases),
)
