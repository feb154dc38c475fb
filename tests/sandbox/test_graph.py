"""The dependency graph, from both of its sources."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sandbox.graph import UNKNOWN_TEXT, Graph, from_plan, from_state

STACK = "urn:pulumi:dev::probe::pulumi:pulumi:Stack::probe-dev"
NETWORK = "urn:pulumi:dev::probe::airflow:network:Network::net"
VPC = "urn:pulumi:dev::probe::airflow:network:Network$aws:ec2/vpc:Vpc::net-vpc"
QUEUE = "urn:pulumi:dev::probe::aws:sqs/queue:Queue::work"
TOPIC = "urn:pulumi:dev::probe::aws:sns/topic:Topic::news"

ROWS: list[dict[str, Any]] = [
    {"urn": STACK},
    {"urn": NETWORK, "parent": STACK},
    {"urn": VPC, "parent": NETWORK, "inputs": {"cidrBlock": "10.0.0.0/16"}},
    {"urn": QUEUE, "parent": STACK, "dependencies": [NETWORK]},
    {"urn": TOPIC, "parent": STACK, "propertyDependencies": {"name": [QUEUE]}},
]


def waits(graph: Graph, after: str, before: str) -> bool:
    return graph.waits_for(graph.nodes[after], graph.nodes[before])


def test_a_type_is_the_last_of_the_urn_types() -> None:
    assert from_state(ROWS).nodes[VPC].type == "aws:ec2/vpc:Vpc"


def test_depending_on_a_component_waits_for_what_is_inside() -> None:
    assert waits(from_state(ROWS), QUEUE, VPC)


def test_dependencies_reach_through_others() -> None:
    assert waits(from_state(ROWS), TOPIC, VPC)


def test_the_state_records_nothing_of_what_is_inside() -> None:
    graph = from_state(ROWS)
    assert not graph.waits_for(graph.nodes[QUEUE], graph.nodes[VPC], recorded=True)
    assert graph.waits_for(graph.nodes[TOPIC], graph.nodes[NETWORK], recorded=True)


def test_nothing_waits_for_what_comes_after_it() -> None:
    assert not waits(from_state(ROWS), VPC, QUEUE)


def test_a_child_waits_for_its_parent_but_not_for_its_siblings() -> None:
    sibling = {
        "urn": "urn:pulumi:dev::probe::airflow:network:Network$aws:ec2/eip:Eip::net-eip",
        "parent": NETWORK,
    }
    graph = from_state([*ROWS, sibling])
    assert graph.ancestors(sibling["urn"]) == {NETWORK, STACK}


def test_a_property_refers_to_what_it_was_made_from() -> None:
    node = from_state(ROWS).nodes[TOPIC]
    assert (node.refers("name"), node.refers("tags")) == (frozenset({QUEUE}), frozenset())


def test_a_plan_gives_the_same_graph(tmp_path: Path) -> None:
    def goal(row: dict[str, Any]) -> dict[str, Any]:
        kept = {key: value for key, value in row.items() if key not in ("urn", "inputs")}
        return {"goal": {**kept, "inputDiff": {"adds": row.get("inputs", {})}}, "steps": ["create"]}

    plans = {str(row["urn"]): goal(row) for row in ROWS}
    deleted = {"urn:pulumi:dev::probe::aws:sqs/queue:Queue::old": {"goal": None, "steps": ["delete"]}}
    path = tmp_path / "plan.json"
    path.write_text(json.dumps({"resourcePlans": {**plans, **deleted}}))
    assert from_plan(path).nodes == from_state(ROWS).nodes


def planned(tmp_path: Path, change: dict[str, Any], state: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the inputs that a graph keeps of the queue, which a plan changes."""
    path = tmp_path / "plan.json"
    path.write_text(json.dumps({"resourcePlans": {QUEUE: {"goal": {"inputDiff": change}}}}))
    return dict(from_plan(path, state).nodes[QUEUE].inputs)


def test_a_plan_keeps_what_it_does_not_change(tmp_path: Path) -> None:
    state = [{"urn": QUEUE, "inputs": {"name": "work", "identifier": "a", "internal": True, "password": "x"}}]
    change = {"updates": {"identifier": "b"}, "deletes": ["internal"]}
    assert planned(tmp_path, change, state) == {"name": "work", "identifier": "b"}


def test_a_text_that_is_not_known_yet_is_not_kept(tmp_path: Path) -> None:
    assert planned(tmp_path, {"adds": {"name": UNKNOWN_TEXT, "identifier": {"secret": "x"}}}, []) == {}


def test_an_edge_without_a_value_is_explicit() -> None:
    nodes = from_state(ROWS).nodes
    assert (nodes[QUEUE].explicit, nodes[TOPIC].explicit) == (frozenset({NETWORK}), frozenset())


def test_a_component_holds_all_that_is_below() -> None:
    deeper = {"urn": f"{VPC}-deeper", "parent": VPC}
    graph = from_state([*ROWS, deeper])
    assert graph.inside(NETWORK) == {VPC, f"{VPC}-deeper"}
    assert [node.urn for node in graph.parents(f"{VPC}-deeper")] == [VPC, NETWORK, STACK]


def test_resources_of_a_type_come_in_urn_order() -> None:
    more = {"urn": "urn:pulumi:dev::probe::aws:sqs/queue:Queue::alpha"}
    assert [node.name for node in from_state([*ROWS, more]).of_type("aws:sqs/queue:Queue")] == [
        "alpha",
        "work",
    ]
