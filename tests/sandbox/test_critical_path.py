"""The longest chain: over values and mandatory edges, through components, never over other explicit edges."""

from __future__ import annotations

import pytest

from sandbox.critical_path import CriticalPath, CycleError, critical_path
from sandbox.graph import Graph
from tests.sandbox.graphs import Builder, urn

SLOW, QUICK, LATE = "aws:rds/instance:Instance", "aws:kms/key:Key", "aws:ecs/service:Service"
BOX = "airflow:data:Metastore"


def found(made: Builder, **seconds: float) -> CriticalPath:
    """Return the critical path with durations by name."""
    graph = made.graph()
    return critical_path(graph, {node.urn: seconds.get(node.name, 0.0) for node in graph.nodes.values()})


def names(path: CriticalPath) -> list[tuple[str, float]]:
    return [(link.node.name, link.seconds) for link in path.links]


def test_values_make_the_chain() -> None:
    made = Builder()
    key = made.add(QUICK, "key")
    made.add(QUICK, "other")
    made.add(LATE, "service", host=made.add(SLOW, "database", kmsKeyId=key))
    path = found(made, key=5, other=60, database=50, service=7)
    assert names(path) == [("key", 5), ("database", 50), ("service", 7)]
    assert path.seconds == 62


def test_the_longer_branch_counts() -> None:
    made = Builder()
    branches = [made.add(SLOW, "database"), made.add(SLOW, "broker")]
    made.add(LATE, "service", hosts=branches)
    assert names(found(made, database=40, broker=41, service=1)) == [("broker", 41), ("service", 1)]


def test_an_explicit_edge_alone_does_not_count() -> None:
    made = Builder()
    made.add(LATE, "service", (made.add(SLOW, "database"),))
    assert names(found(made, database=40, service=1)) == [("database", 40)]


def test_a_mandatory_edge_counts_whether_the_program_has_it_or_not() -> None:
    made = Builder()
    made.add(SLOW, "database")
    made.add(LATE, "service")
    graph = made.graph()
    pair = (graph.nodes[urn(LATE, "service")], graph.nodes[urn(SLOW, "database")])
    path = critical_path(graph, {urn(SLOW, "database"): 40, urn(LATE, "service"): 1}, [pair])
    assert names(path) == [("database", 40), ("service", 1)]


def test_a_value_of_a_component_waits_for_all_that_is_inside() -> None:
    made = Builder()
    box = made.add(BOX, "metastore")
    made.add(SLOW, "database", parent=box)
    made.add(LATE, "service", host=box)
    assert names(found(made, database=40, service=1)) == [("database", 40), ("service", 1)]


def test_a_child_comes_after_its_parent() -> None:
    made = Builder()
    made.add(LATE, "service", parent=made.add(SLOW, "database"))
    assert found(made, database=40, service=1).seconds == 41


def test_what_takes_no_time_is_no_link() -> None:
    made = Builder()
    made.add(LATE, "service", host=made.add(BOX, "metastore", key=made.add(QUICK, "key")))
    assert names(found(made, key=5, service=1)) == [("key", 5), ("service", 1)]


def test_a_value_of_something_outside_takes_no_time() -> None:
    made = Builder()
    made.add(LATE, "service", host="urn:pulumi:dev::probe::gone::gone")
    assert found(made, service=1).seconds == 1


def test_nothing_takes_no_time() -> None:
    assert critical_path(Graph({}), {}) == CriticalPath(())


def test_a_cycle_is_named() -> None:
    made = Builder()
    made.add(LATE, "one", other=urn(LATE, "two"))
    made.add(LATE, "two", other=urn(LATE, "one"))
    with pytest.raises(CycleError, match=f"{urn(LATE, 'one')}, {urn(LATE, 'two')}"):
        found(made)
