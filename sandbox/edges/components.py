"""Edges between components: explicit ones that no rule asks for, and values that one must not take from another.

Only for programs that are made of our components. Inside one component explicit edges are free: they are in one file,
beside the comment that says what fails without them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from sandbox.edges.rules import Pair, Violation
from sandbox.graph import Graph, Node

OURS: Final = "airflow:"

ALARM_TOPIC: Final = "airflow:ops:AlarmTopic"
BROKER: Final = "airflow:data:Broker"
BUCKET: Final = "airflow:data:PrivateBucket"
CLUSTER: Final = "airflow:compute:Cluster"
CREDENTIALS: Final = "airflow:data:Credentials"
FIREWALL: Final = "airflow:network:Firewall"
KEY: Final = "airflow:data:EncryptionKey"
METASTORE: Final = "airflow:data:Metastore"
NETWORK: Final = "airflow:network:Network"
SERVICE: Final = "airflow:compute:AirflowService"
STORAGE: Final = "airflow:data:DagStorage"
TASK: Final = "airflow:compute:AirflowTask"
WEB: Final = "airflow:edge:WebEntry"

_ENCRYPTED: Final = {KEY: "encrypts with it"}
_IN_THE_VPC: Final = {NETWORK: "stands in its subnets", FIREWALL: "is a party of it", **_ENCRYPTED}

VALUES: Final[dict[str, dict[str, str]]] = {
    "airflow:network:FlowLog": _ENCRYPTED,
    FIREWALL: {NETWORK: "its groups belong to the VPC"},
    METASTORE: _IN_THE_VPC,
    BROKER: _IN_THE_VPC,
    STORAGE: _IN_THE_VPC,
    "airflow:data:Backups": {METASTORE: "backs it up", STORAGE: "backs it up", **_ENCRYPTED},
    CREDENTIALS: _ENCRYPTED,
    BUCKET: {BUCKET: "writes its access log there", **_ENCRYPTED},
    CLUSTER: {NETWORK: "its private names are resolved in the VPC", **_ENCRYPTED},
    TASK: {
        METASTORE: "host of the database",
        BROKER: "host of the broker",
        CREDENTIALS: "secrets that the containers get",
        STORAGE: "mounts the DAG releases, writes the ledger",
        BUCKET: "writes its task logs there",
        CLUSTER: "record of sessions",
        **_ENCRYPTED,
    },
    SERVICE: {
        CLUSTER: "runs there",
        NETWORK: "its tasks stand in the subnets",
        FIREWALL: "is a party of it",
        WEB: "registers its tasks with a target group",
    },
    "airflow:compute:WorkerPool": {CLUSTER: "scaling names the cluster"},
    "airflow:platform:Migration": {
        TASK: "runs the bootstrap task, hands over its roles",
        CLUSTER: "runs it there",
        NETWORK: "runs it in the subnets",
        FIREWALL: "runs it with the group",
        METASTORE: "runs again for another database",
        BROKER: "sets the password of its user",
        CREDENTIALS: "fills the secrets",
        **_ENCRYPTED,
    },
    WEB: {
        NETWORK: "stands in its subnets",
        FIREWALL: "is a party of it",
        BUCKET: "writes its access logs there",
    },
    ALARM_TOPIC: _ENCRYPTED,
    "airflow:ops:ServiceEvents": {CLUSTER: "listens to it", ALARM_TOPIC: "reports there", **_ENCRYPTED},
    "airflow:ops:Observability": {
        CLUSTER: "watches its services",
        SERVICE: "watches its tasks",
        BROKER: "watches its nodes",
        WEB: "watches what is behind it",
    },
}
"""From which components (types) a component may take values, and what for."""


def has_ours(graph: Graph) -> bool:
    """Say whether a program is made of our components."""
    return any(node.type.startswith(OURS) for node in graph.nodes.values())


def owner_of(graph: Graph, node: Node) -> Node | None:
    """Return the component of ours that a resource belongs to; a component belongs to itself."""
    if node.type.startswith(OURS):
        return node
    return next((parent for parent in graph.parents(node.urn) if parent.type.startswith(OURS)), None)


def unknown_edges(graph: Graph, pairs: Iterable[Pair]) -> list[Violation]:
    """Return the explicit edges between components that no rule asks for.

    A remote component such as the VPC of awsx is handled as a whole: what it hands out waits for several of its
    children together.
    """
    asked = {(pair.after.urn, unit_of(graph, pair.before).urn) for pair in pairs}
    found = dict.fromkeys(
        (node, unit_of(graph, before))
        for node, before in _between_components(graph, lambda node: node.explicit)
        if (node.urn, unit_of(graph, before).urn) not in asked
    )
    return [
        Violation("unknown-edge", node, before, "no rule asks for this edge", "must not depend on")
        for node, before in found
    ]


def unknown_values(graph: Graph) -> list[Violation]:
    """Return the pairs of components of which one takes values from the other and must not."""
    found: dict[tuple[Node, Node], str] = {}
    for node, source in _between_components(graph, lambda node: node.sources):
        taker, giver = owner_of(graph, node), owner_of(graph, source)
        if taker is None or giver is None or _nested(graph, taker, giver):
            continue
        if giver.type not in VALUES.get(taker.type, {}):
            found.setdefault(
                (taker, giver), f"{node.type} {node.name} does, from {source.type} {source.name}"
            )
    return [
        Violation("unknown-value", taker, giver, example, "must not take values from")
        for (taker, giver), example in found.items()
    ]


def _between_components(graph: Graph, urns: Callable[[Node], frozenset[str]]) -> Iterator[tuple[Node, Node]]:
    """Yield (resource, what it names) for what belongs to two different components."""
    for node in graph.nodes.values():
        owner = owner_of(graph, node)
        for urn in sorted(urns(node)) if owner else ():
            before = graph.nodes.get(urn)
            other = owner_of(graph, before) if before else None
            if before and other and other is not owner:
                yield node, before


def unit_of(graph: Graph, node: Node) -> Node:
    """Return the remote component that a resource is a part of, or the resource itself."""
    unit = node
    for above in (node, *graph.parents(node.urn)):
        if above.type.startswith(OURS):
            break
        if above.is_component:
            unit = above
    return unit


def _nested(graph: Graph, one: Node, other: Node) -> bool:
    return other in graph.parents(one.urn) or one in graph.parents(other.urn)
