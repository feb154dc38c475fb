"""The order of the real stacks: whatever edge is taken away or added between components, the check refuses it.

The graph is that of the state after an `up`; edges are removed from, and added to, copies of it.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from sandbox import edges
from sandbox.edges.components import owner_of, unit_of
from sandbox.graph import Graph, Node, from_state
from tests.engine.support import Project

pytestmark = pytest.mark.engine

State = list[dict[str, Any]]

VPC = "awsx:ec2:Vpc"
NOT_IN_THESE_STACKS = {"function-network-rights", "public-routes"}
"""Rules for what these stacks do not have: a function in the VPC, a web entry to the internet."""
NOT_IN_DEV = {"backup-role-policies", "backup-guards", "backup-data"}
"""Rules for backups, which only prod has."""


@pytest.fixture(scope="module")
def state(applied: tuple[Project, str]) -> State:
    project, stack = applied
    return project.state(stack)


@pytest.fixture(scope="module")
def graph(state: State) -> Graph:
    return from_state(state)


def changed(state: State, urn: str, *, without: str = "", more: Iterable[str] = ()) -> Graph:
    """Return the graph of a copy in which one resource has lost a dependency, or got some."""
    resource = copy.deepcopy(next(each for each in state if each["urn"] == urn))
    kept = [each for each in resource.get("dependencies") or [] if each != without]
    resource["dependencies"] = [*kept, *more]
    return from_state([resource, *(each for each in state if each["urn"] != urn)])


@pytest.fixture(scope="module")
def missed_without(state: State) -> Callable[[str, str], frozenset[str]]:
    """Return which rules are violated when one resource no longer depends on another explicitly."""

    @functools.cache
    def missed(after: str, before: str) -> frozenset[str]:
        graph = changed(state, after, without=before)
        return frozenset(violation.rule for violation in edges.violations(graph))

    return missed


def explicit(graph: Graph) -> Iterator[tuple[Node, Node]]:
    """Yield every edge that the program gave by `depends_on` alone; the parts of a Vpc are awsx's own affair."""
    for node in graph.nodes.values():
        if not node.is_component and VPC not in {parent.type for parent in graph.parents(node.urn)}:
            yield from ((node, graph.nodes[urn]) for urn in sorted(node.explicit) if urn in graph.nodes)


def test_the_applied_program_is_accepted(graph: Graph) -> None:
    assert [str(violation) for violation in edges.violations(graph)] == []


def test_every_rule_of_the_table_has_something_to_hold(applied: tuple[Project, str], graph: Graph) -> None:
    """Else a rule could look at the wrong property and never see anything."""
    used = {pair.rule for pair in edges.mandatory_pairs(graph)}
    absent = NOT_IN_THESE_STACKS | (NOT_IN_DEV if applied[1] == "dev" else set())
    assert {edge.rule for edge in edges.MANDATORY} - used - absent == set()


def test_every_explicit_edge_is_needed_and_none_may_be_missing(
    graph: Graph, missed_without: Callable[[str, str], frozenset[str]]
) -> None:
    """Each in turn is taken away, and each time the check misses it: so none is beyond need either."""
    given = list(explicit(graph))
    unnoticed = [
        (after.name, before.name) for after, before in given if not missed_without(after.urn, before.urn)
    ]
    assert len(given) > 80
    assert unnoticed == []


def test_every_mandatory_pair_that_one_edge_holds_is_named_without_it(
    graph: Graph, missed_without: Callable[[str, str], frozenset[str]]
) -> None:
    """The rule that asks for it is named; the other pairs hold by a value, or by these same edges."""
    held = [pair for pair in edges.mandatory_pairs(graph) if pair.before.urn in pair.after.explicit]
    accepted = [
        (pair.rule, pair.after.name, pair.before.name)
        for pair in held
        if pair.rule not in missed_without(pair.after.urn, pair.before.urn)
    ]
    assert len(held) > 80
    assert accepted == []


def representatives(graph: Graph) -> dict[str, Node]:
    """Return one resource for each component: the last of its own by name, so that the choice is stable."""
    found: dict[str, Node] = {}
    for node in sorted(graph.nodes.values(), key=lambda node: node.urn):
        owner = owner_of(graph, node)
        if owner and owner is not node and not node.is_component:
            found[owner.urn] = node
    return found


def test_an_edge_between_components_that_no_rule_asks_for_is_refused(state: State, graph: Graph) -> None:
    """From a resource of every component to one of every other, where nobody asks for it and none would be a circle.

    Those of one resource are added together: they cannot make a circle with each other, and each must be refused.
    """
    asked = {(pair.after.urn, unit_of(graph, pair.before).urn) for pair in edges.mandatory_pairs(graph)}
    nodes = list(representatives(graph).values())
    tried, accepted = 0, []
    for after in nodes:
        added = [
            before
            for before in nodes
            if before is not after
            and before.urn not in after.dependencies
            and (after.urn, unit_of(graph, before).urn) not in asked
            and not graph.waits_for(before, after)
        ]
        more = changed(state, after.urn, more=[node.urn for node in added])
        refused = {
            violation.before.urn
            for violation in edges.violations(more)
            if violation.rule == "unknown-edge" and violation.after.urn == after.urn
        }
        tried += len(added)
        # A part of a remote component stands for all of it.
        accepted += [
            (after.name, before.name)
            for before in added
            if refused.isdisjoint({before.urn, *(parent.urn for parent in graph.parents(before.urn))})
        ]
    assert tried > 100
    assert accepted == []
