"""What EventBridge needs before it has a target: an event that it may not deliver is lost."""

from __future__ import annotations

from typing import Final

from sandbox.edges.rules import (
    EVENT_TARGET,
    LOG_GROUP,
    LOG_RESOURCE_POLICY,
    ROLE,
    Edge,
    Pairs,
    made_from,
    policies_of,
)
from sandbox.graph import Graph


def _rights(graph: Graph) -> Pairs:
    for target in graph.of_type(EVENT_TARGET):
        for role in made_from(graph, target, "roleArn", ROLE):
            yield from ((target, policy) for policy in policies_of(graph, role))


def _log_policies(graph: Graph) -> Pairs:
    """Yield the policies beside a log group that is a target: their text names the group, so no value leads there."""
    for target in graph.of_type(EVENT_TARGET):
        for group in made_from(graph, target, "arn", LOG_GROUP):
            for policy in graph.of_type(LOG_RESOURCE_POLICY):
                if policy.parent == group.parent:
                    yield target, policy


EDGES: Final = (
    Edge(
        "target-role-policies",
        "EventBridge may not deliver yet, and what happens then is late or lost",
        _rights,
    ),
    Edge(
        "target-log-policy",
        "EventBridge may not write into the log group, and gives the event up",
        _log_policies,
    ),
)
