"""The shortest time that AWS's own latencies allow: the longest chain of what must follow each other.

What must follow: a resource that uses a value of another, and the mandatory edges. Explicit dependencies beyond these
are left out on purpose: they are what a program may have too many of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from sandbox.graph import Graph, Node


class CycleError(ValueError):
    """Resources that wait for each other."""


@dataclass(frozen=True)
class Link:
    """One resource of the chain."""

    node: Node
    seconds: float


@dataclass(frozen=True)
class CriticalPath:
    """The longest chain, in the order of creation, without what takes no time."""

    links: tuple[Link, ...]

    @cached_property
    def seconds(self) -> float:
        """How long the chain takes."""
        return sum(link.seconds for link in self.links)


def critical_path(
    graph: Graph, seconds: Mapping[str, float], mandatory: Iterable[tuple[Node, Node]] = ()
) -> CriticalPath:
    """Find the longest chain.

    Args:
        graph: The resources.
        seconds: How long each takes, by URN; what is not there takes no time.
        mandatory: Pairs (after, before) that must follow each other beside the values.

    Raises:
        CycleError: Resources wait for each other.

    """
    before: dict[str, set[str]] = {
        node.urn: {*graph.expanded(node.sources), node.parent} - {node.urn, ""}
        for node in graph.nodes.values()
    }
    for after, first in mandatory:
        before[after.urn].add(first.urn)
    finished: dict[str, float] = {}
    latest: dict[str, str | None] = {}
    for urn in _ordered(before):
        last = max(before[urn] & finished.keys(), key=lambda each: (finished[each], each), default=None)
        latest[urn] = last
        finished[urn] = seconds.get(urn, 0.0) + (finished[last] if last else 0.0)
    end = max(finished, key=lambda each: (finished[each], each), default=None)
    links = []
    while end:
        if seconds.get(end):
            links.append(Link(graph.nodes[end], seconds[end]))
        end = latest[end]
    return CriticalPath(tuple(reversed(links)))


def _ordered(before: Mapping[str, set[str]]) -> list[str]:
    """Return all resources, each after what it waits for."""
    ordered: dict[str, None] = {}
    waiting: dict[str, None] = {}

    def visit(urn: str) -> None:
        if urn in ordered or urn not in before:
            return
        if urn in waiting:
            chain = [*waiting][[*waiting].index(urn) :]
            raise CycleError(f"these wait for each other: {', '.join(chain)}")
        waiting[urn] = None
        for each in sorted(before[urn]):
            visit(each)
        del waiting[urn]
        ordered[urn] = None

    for urn in sorted(before):
        visit(urn)
    return list(ordered)
