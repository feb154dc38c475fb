"""The dependency graph of a stack, read from a saved plan, `pulumi preview --json` or a state."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Node:
    """One resource, and the URNs that it waits for: dependencies, property dependencies, parent."""

    urn: str
    type: str
    dependencies: frozenset[str] = frozenset()
    properties: Mapping[str, frozenset[str]] = field(default_factory=dict)
    parent: str = ""

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


@dataclass(frozen=True)
class Graph:
    """All resources of a stack by URN."""

    nodes: Mapping[str, Node]

    def of_type(self, token: str) -> Iterator[Node]:
        """Iterate over the resources of a type, in URN order."""
        return (self.nodes[urn] for urn in self._by_type.get(token, ()))

    def ancestors(self, urn: str) -> frozenset[str]:
        """Return everything that a resource waits for, directly or through others."""
        if urn not in self._ancestors:
            found: set[str] = set()
            queue = [urn]
            while queue:
                for before in self._before(queue.pop()):
                    if before not in found:
                        found.add(before)
                        queue.append(before)
            self._ancestors[urn] = frozenset(found)
        return self._ancestors[urn]

    def waits_for(self, after: Node, before: Node) -> bool:
        """Say whether one resource is created only after another."""
        return before.urn in self.ancestors(after.urn)

    @cached_property
    def _ancestors(self) -> dict[str, frozenset[str]]:
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

    def _before(self, urn: str) -> Iterable[str]:
        node = self.nodes.get(urn)
        if node is None:
            return ()
        named = set(node.dependencies).union(*node.properties.values())
        # Depending on a component means depending on all that is inside it.
        inside = {child for each in named if self._is_component(each) for child in self._inside(each)}
        return named | inside | {node.parent} - {""}

    def _is_component(self, urn: str) -> bool:
        return urn in self.nodes and self.nodes[urn].type.count(":") == 2 and "/" not in self.nodes[urn].type

    def _inside(self, urn: str) -> Iterator[str]:
        for child in self._children.get(urn, ()):
            yield child
            yield from self._inside(child)


def from_state(resources: Iterable[Mapping[str, Any]]) -> Graph:
    """Build the graph from the resources of an exported state or of a preview's `newState`s."""
    return Graph({node.urn: node for node in (_node(resource) for resource in resources)})


def from_preview(text: str) -> Graph:
    """Build the graph from the output of `pulumi preview --json`."""
    steps = json.loads(text).get("steps", [])
    return from_state(step["newState"] for step in steps if step.get("newState"))


def from_plan(path: Path) -> Graph:
    """Build the graph from the plan that `pulumi preview --save-plan` wrote."""
    plans = json.loads(path.read_text(encoding="utf-8")).get("resourcePlans", {})
    return from_state({"urn": urn, **plan["goal"]} for urn, plan in plans.items() if plan.get("goal"))


def _node(resource: Mapping[str, Any]) -> Node:
    urn = resource["urn"]
    properties = resource.get("propertyDependencies") or {}
    return Node(
        urn=urn,
        type=urn.rsplit("::", 2)[-2].rsplit("$", 1)[-1],
        dependencies=frozenset(resource.get("dependencies") or ()),
        properties={key: frozenset(urns or ()) for key, urns in properties.items()},
        parent=resource.get("parent") or "",
    )
