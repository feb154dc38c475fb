"""The dependency graph of a stack, read from a saved plan or a state."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

KEPT_INPUTS: Final = frozenset({"identifier", "internal", "name"})
"""Inputs that tell what a resource is; a graph holds no other value."""
UNKNOWN_TEXT: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""How the engine writes a text that it does not know yet."""


@dataclass(frozen=True)
class Node:
    """One resource, and the URNs that it waits for: dependencies, property dependencies, parent."""

    urn: str
    type: str
    dependencies: frozenset[str] = frozenset()
    properties: Mapping[str, frozenset[str]] = field(default_factory=dict)
    parent: str = ""
    inputs: Mapping[str, str | bool] = field(default_factory=dict)
    """Those of `KEPT_INPUTS` that are known."""

    def __hash__(self) -> int:
        """Hash by URN, which is unique in a graph; the mappings could not be hashed."""
        return hash(self.urn)

    @property
    def name(self) -> str:
        """The resource's logical name."""
        return self.urn.rsplit("::", 1)[-1]

    def refers(self, key: str) -> frozenset[str]:
        """Return the URNs that one input property was made from."""
        return self.properties.get(key, frozenset())

    @cached_property
    def sources(self) -> frozenset[str]:
        """The URNs that any input property was made from."""
        return frozenset().union(*self.properties.values())

    @property
    def explicit(self) -> frozenset[str]:
        """The URNs that it waits for without using a value of them."""
        return self.dependencies - self.sources

    @property
    def is_component(self) -> bool:
        """Say whether it only holds other resources."""
        return self.type.count(":") == 2 and "/" not in self.type

    def text(self, key: str) -> str:
        """Return a kept input that is a text, empty when it is not known."""
        value = self.inputs.get(key)
        return value if isinstance(value, str) else ""


@dataclass(frozen=True)
class Graph:
    """All resources of a stack by URN."""

    nodes: Mapping[str, Node]

    def of_type(self, token: str) -> Iterator[Node]:
        """Iterate over the resources of a type, in URN order."""
        return (self.nodes[urn] for urn in self._by_type.get(token, ()))

    def ancestors(self, urn: str, *, recorded: bool = False) -> frozenset[str]:
        """Return everything that a resource waits for, directly or through others.

        Args:
            urn: The resource.
            recorded: Only what the state holds. A remote component answers when all its children exist, so who
                uses an output of one waits for all of them; the state does not know that, and a later destruction
                takes no heed of it.

        """
        key = (urn, recorded)
        if key not in self._ancestors:
            found: set[str] = set()
            queue = [urn]
            while queue:
                for before in self._before(queue.pop(), recorded):
                    if before not in found:
                        found.add(before)
                        queue.append(before)
            self._ancestors[key] = frozenset(found)
        return self._ancestors[key]

    def waits_for(self, after: Node, before: Node, *, recorded: bool = False) -> bool:
        """Say whether one resource is created only after another; see `ancestors`."""
        return before.urn in self.ancestors(after.urn, recorded=recorded)

    def expanded(self, urns: Iterable[str]) -> frozenset[str]:
        """Add what is inside the components among some resources: depending on one means depending on all of it."""
        named = frozenset(urns)
        return named.union(*(self.inside(urn) for urn in named if self._is_component(urn)))

    def inside(self, urn: str) -> frozenset[str]:
        """Return everything below a resource."""
        if urn not in self._inside:
            children = self._children.get(urn, [])
            self._inside[urn] = frozenset(children).union(*(self.inside(child) for child in children))
        return self._inside[urn]

    def parents(self, urn: str) -> Iterator[Node]:
        """Iterate over the resources above one, the nearest first."""
        node = self.nodes.get(urn)
        while node and (node := self.nodes.get(node.parent)):
            yield node

    @cached_property
    def _ancestors(self) -> dict[tuple[str, bool], frozenset[str]]:
        return {}

    @cached_property
    def _by_type(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {}
        for urn in sorted(self.nodes):
            found.setdefault(self.nodes[urn].type, []).append(urn)
        return found

    @cached_property
    def _children(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {}
        for node in self.nodes.values():
            found.setdefault(node.parent, []).append(node.urn)
        return found

    @cached_property
    def _inside(self) -> dict[str, frozenset[str]]:
        return {}

    def _before(self, urn: str, recorded: bool) -> Iterable[str]:
        node = self.nodes.get(urn)
        if node is None:
            return ()
        named = node.dependencies | node.sources
        return (named if recorded else self.expanded(named)) | {node.parent} - {""}

    def _is_component(self, urn: str) -> bool:
        return urn in self.nodes and self.nodes[urn].is_component


def from_state(resources: Iterable[Mapping[str, Any]]) -> Graph:
    """Build the graph from the resources of an exported state."""
    return Graph({node.urn: node for node in (_node(resource) for resource in resources)})


def from_plan(path: Path, state: Iterable[Mapping[str, Any]] = ()) -> Graph:
    """Build the graph from the plan that `pulumi preview --save-plan` wrote.

    Args:
        path: The plan.
        state: The resources that exist: of them, the plan holds the inputs that change only.

    """
    plans = json.loads(path.read_text(encoding="utf-8")).get("resourcePlans", {})
    existing = {resource["urn"]: resource.get("inputs") or {} for resource in state}
    return from_state(
        {**plan["goal"], "urn": urn, "inputs": _planned(existing.get(urn, {}), plan["goal"])}
        for urn, plan in plans.items()
        if plan.get("goal")
    )


def _planned(existing: Mapping[str, Any], goal: Mapping[str, Any]) -> Mapping[str, Any]:
    change = goal.get("inputDiff") or {}
    left = {key: value for key, value in existing.items() if key not in (change.get("deletes") or ())}
    return {**left, **(change.get("adds") or {}), **(change.get("updates") or {})}


def _node(resource: Mapping[str, Any]) -> Node:
    urn = resource["urn"]
    properties = resource.get("propertyDependencies") or {}
    inputs = resource.get("inputs") or {}
    return Node(
        urn=urn,
        type=urn.rsplit("::", 2)[-2].rsplit("$", 1)[-1],
        dependencies=frozenset(resource.get("dependencies") or ()),
        properties={key: frozenset(urns or ()) for key, urns in properties.items()},
        parent=resource.get("parent") or "",
        inputs={
            key: value
            for key, value in inputs.items()
            if key in KEPT_INPUTS and isinstance(value, str | bool) and value != UNKNOWN_TEXT
        },
    )
