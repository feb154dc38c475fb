"""The dependency graph, from each of its three sources."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sandbox.graph import Graph, from_plan, from_preview, from_state

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


def test_a_json_preview_gives_the_same_graph() -> None:
    text = json.dumps({"steps": [{"op": "create", "newState": row} for row in ROWS] + [{"op": "delete"}]})
    assert from_preview(text).nodes == from_state(ROWS).nodes


def test_a_plan_gives_the_same_graph(tmp_path: Path) -> None:
    def goal(row: dict[str, Any]) -> dict[str, Any]:
        kept = {key: value for key, value in row.items() if key not in ("urn", "inputs")}
        return {"goal": {**kept, "inputDiff": {"adds": row.get("inputs", {})}}, "steps": ["create"]}

    plans = {str(row["urn"]): goal(row) for row in ROWS}
    deleted = {"urn:pulumi:dev::probe::aws:sqs/queue:Queue::old": {"goal": None, "steps": ["delete"]}}
    path = tmp_path / "plan.json"
    path.write_text(json.dumps({"resourcePlans": {**plans, **deleted}}))
    assert from_plan(path).nodes == from_state(ROWS).nodes


def test_resources_of_a_type_come_in_urn_order() -> None:
    more = {"urn": "urn:pulumi:dev::probe::aws:sqs/queue:Queue::alpha"}
    assert [node.name for node in from_state([*ROWS, more]).of_type("aws:sqs/queue:Queue")] == [
        "alpha",
        "work",
    ]
