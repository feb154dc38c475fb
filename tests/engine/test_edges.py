"""The order of the real stacks: whatever edge is taken away or added between components, the check refuses it.

The graph is that of the state after an `up`; edges are removed from, and added to, copies of it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox import edges
from sandbox.edges.components import owner_of
from sandbox.graph import Graph, Node, from_state
from tests.engine.support import Project

pytestmark = pytest.mark.engine

State = list[dict[str, Any]]

VPC = "awsx:ec2:Vpc"
NOT_IN_THESE_STACKS = {"access-log-policy", "function-network-rights", "public-routes"}
"""Rules for what these stacks do not have: an access log, a function in the VPC, a web entry to the internet."""


@pytest.fixture(scope="module")
def state(applied: tuple[Project, str]) -> State:
    project, stack = applied
    return project.state(stack)


@pytest.fixture(scope="module")
def graph(state: State) -> Graph:
    return from_state(state)


def without(state: State, after: str, before: str) -> Graph:
    """Return the graph of a copy in which one resource no longer depends on another explicitly."""
    changed = copy.deepcopy([each for each in state if each["urn"] == after])
    changed[0]["dependencies"] = [urn for urn in changed[0].get("dependencies") or [] if urn != before]
    return from_state([*changed, *(each for each in state if each["urn"] != after)])


def explicit(graph: Graph) -> Iterator[tuple[Node, Node]]:
    """Yield every edge that the program gave by `depends_on` alone; the parts of a Vpc are awsx's own affair."""
    for node in graph.nodes.values():
        if not node.is_component and VPC not in {parent.type for parent in graph.parents(node.urn)}:
            yield from ((node, graph.nodes[urn]) for urn in sorted(node.explicit) if urn in graph.nodes)


def test_the_applied_program_is_accepted(graph: Graph) -> None:
    assert [str(violation) for violation in edges.violations(graph)] == []


def test_every_rule_of_the_table_has_something_to_hold(graph: Graph) -> None:
    """Else a rule could look at the wrong property and never see anything."""
    used = {pair.rule for pair in edges.mandatory_pairs(graph)}
    assert {edge.rule for edge in edges.MANDATORY} - used - NOT_IN_THESE_STACKS == set()


def test_every_explicit_edge_is_needed_and_none_may_be_missing(state: State, graph: Graph) -> None:
    """Each in turn is taken away, and each time the check misses it: so none is beyond need either."""
    given = list(explicit(graph))
    unnoticed = [
        (after.name, before.name)
        for after, before in given
        if not edges.violations(without(state, after.urn, before.urn))
    ]
    assert len(given) > 80
    assert unnoticed == []


def test_every_mandatory_pair_that_one_edge_holds_is_named_without_it(state: State, graph: Graph) -> None:
    """The rule that asks for it is named; the other pairs hold by a value, or by these same edges."""
    held = [pair for pair in edges.mandatory_pairs(graph) if pair.before.urn in pair.after.explicit]
    accepted = [
        (pair.rule, pair.after.name, pair.before.name)
        for pair in held
        if pair.rule
        not in {each.rule for each in edges.violations(without(state, pair.after.urn, pair.before.urn))}
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
    """From a resource of every component to one of every other, where nobody asks for it and none would be a circle."""
    asked = {(pair.after.urn, pair.before.urn) for pair in edges.mandatory_pairs(graph)}
    nodes = list(representatives(graph).values())
    tried, accepted = 0, []
    for after in nodes:
        for before in nodes:
            known = before.urn in after.dependencies or (after.urn, before.urn) in asked
            if after is before or known or graph.waits_for(before, after):
                continue
            tried += 1
            changed = copy.deepcopy(next(each for each in state if each["urn"] == after.urn))
            changed["dependencies"] = [*(changed.get("dependencies") or []), before.urn]
            more = from_state([changed, *(each for each in state if each["urn"] != after.urn)])
            if "unknown-edge" not in {violation.rule for violation in edges.violations(more)}:
                accepted.append((after.name, before.name))
    assert tried > 100
    assert accepted == []
