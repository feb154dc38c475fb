"""How close an `up` of prod comes to the shortest time that AWS's own latencies allow.

The latencies are scaled so that the critical path is long against what the engine, the program and this machine add.
What is measured is the whole command, from its start to its end.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from sandbox.critical_path import CriticalPath, critical_path
from sandbox.edges import mandatory_pairs
from sandbox.graph import Graph, from_plan, from_state
from sandbox.provider.latency import Latencies
from sandbox.run import PARALLEL
from tests.engine.support import Project

PATH_SECONDS: Final = 200.0
"""The critical path is scaled to this length, or a little more: what a preview does not know counts as quick."""
TARGET_RATIO: Final = 1.15
STACK: Final = "prod"


@dataclass(frozen=True)
class Makespan:
    """One measured `up`."""

    scale: float
    wall: float
    path: CriticalPath
    resources: int

    @property
    def ratio(self) -> float:
        """Wall time against the critical path."""
        return self.wall / self.path.seconds


def path_of(graph: Graph, inputs: Mapping[str, Mapping[str, Any]], scale: float) -> CriticalPath:
    """Return the critical path of creating resources.

    Args:
        graph: All resources.
        inputs: The inputs of those that a provider creates, by URN; nothing else takes time.
        scale: Scale of the latencies.

    """
    latencies = Latencies(scale)
    seconds = {
        urn: latencies.seconds(urn, graph.nodes[urn].type, "create", given) for urn, given in inputs.items()
    }
    pairs = [(pair.after, pair.before) for pair in mandatory_pairs(graph)]
    return critical_path(graph, seconds, pairs)


def planned(path: Path, scale: float) -> CriticalPath:
    """Return the critical path of a saved plan that creates everything."""
    plans = json.loads(path.read_text())["resourcePlans"]
    goals = {urn: plan["goal"] for urn, plan in plans.items() if plan.get("goal")}
    inputs = {urn: goal["inputDiff"].get("adds") or {} for urn, goal in goals.items() if _is_created(goal)}
    return path_of(from_plan(path), inputs, scale)


def applied(resources: list[dict[str, Any]], scale: float) -> CriticalPath:
    """Return the critical path of the resources in a state."""
    inputs = {row["urn"]: row.get("inputs") or {} for row in resources if _is_created(row)}
    return path_of(from_state(resources), inputs, scale)


def _is_created(resource: Mapping[str, Any]) -> bool:
    return bool(resource.get("custom")) and not resource["type"].startswith("pulumi:")


def measure(folder: Path) -> Makespan:
    """Apply the shared stack without latencies, then prod with them."""
    project = Project.platform(folder)
    project.run("up", f"{STACK}-shared")
    project.run("preview", STACK)
    scale = PATH_SECONDS / planned(folder / ".sandbox" / f"{STACK}.plan.json", 1.0).seconds
    command = ("pulumi", "up", "--stack", STACK, "--yes", "--skip-preview", "--parallel", str(PARALLEL))
    started = time.perf_counter()
    project.run("--latency", str(scale), *command)
    wall = time.perf_counter() - started
    resources = project.state(STACK)
    return Makespan(scale, wall, applied(resources, scale), len(resources))


def show(console: Console, found: Makespan) -> None:
    """Print the ratio and the chain that decides it."""
    table = Table(title=f"Longest chain of `up {STACK}`, latencies x {found.scale:.3f}")
    for column in ("type", "name", "seconds", "of AWS's own"):
        table.add_column(column, justify="left" if column in ("type", "name") else "right")
    for link in found.path.links:
        own = link.seconds / found.scale
        table.add_row(link.node.type, link.node.name, f"{link.seconds:.1f}", f"{own:.1f}")
    console.print(table)
    whole = found.path.seconds / found.scale
    console.print(
        f"{found.resources} resources: {found.wall:.1f} s for a critical path of {found.path.seconds:.1f} s "
        f"({whole:.0f} s of AWS's own), ratio {found.ratio:.3f}, target {TARGET_RATIO}."
    )
    if found.ratio > TARGET_RATIO:
        console.print("Over target: makespan")
