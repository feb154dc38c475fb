"""The edges of a program: those that it must have, and no others between components.

The simulated provider cannot see dependencies (its calls carry none), so these checks read the graph of a preview or of
a state. `mandatory` says what must exist before what, or a first `up` fails or flaps in a real account; `components`
refuses explicit edges that nothing asks for, and values that a component has no business to take from another.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sandbox.edges import components, containers, events, gate, storage, web
from sandbox.edges.rules import Edge, Pair, Violation, pairs_of
from sandbox.graph import Graph

__all__ = ["MANDATORY", "Edge", "Pair", "Violation", "mandatory_pairs", "refusals", "violations"]

MANDATORY: Final[tuple[Edge, ...]] = (
    *containers.EDGES,
    *gate.EDGES,
    *web.EDGES,
    *storage.EDGES,
    *events.EDGES,
)


def mandatory_pairs(graph: Graph) -> Iterator[Pair]:
    """Iterate over every (rule, after, before) that the graph must order."""
    for edge in MANDATORY:
        yield from pairs_of(edge, graph)


def violations(graph: Graph) -> list[Violation]:
    """Return every mandatory edge that the graph lacks, and every edge between components that it must not have.

    Programs made of our components must have the edge in their state, where a destruction sees it too; any other
    program may have it only while it creates.
    """
    pairs = list(mandatory_pairs(graph))
    reasons = {edge.rule: edge.reason for edge in MANDATORY}
    recorded = components.has_ours(graph)
    missing = [
        Violation(pair.rule, pair.after, pair.before, reasons[pair.rule])
        for pair in pairs
        if not graph.waits_for(pair.after, pair.before, recorded=recorded)
    ]
    return [*missing, *components.unknown_edges(graph, pairs), *components.unknown_values(graph)]


OF_EVERYBODY: Final = frozenset(
    {
        *("way-out-routes", "way-out-endpoints", "platform-gate", "capacity-providers", "task-role-policies"),
        *("function-role-policies", "flow-log-role-policies", "security-group-rules", "file-systems"),
        *("listeners", "log-groups", "access-log-policy", "log-target-policy"),
    }
)
"""Rules that hold for every program. What the others ask for, the provider gets past by trying again for a while, or
nobody notices: too little to refuse a program that is not ours."""


def refusals(graph: Graph) -> list[Violation]:
    """Return the violations for which a program is refused."""
    found = violations(graph)
    if components.has_ours(graph):
        return found
    return [violation for violation in found if violation.rule in OF_EVERYBODY]
