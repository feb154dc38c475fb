"""`make bench`: what a preview costs, and which share of it is the simulated provider's own.

Times are the best of several runs of the whole command, on whatever this machine is doing; compare ratios of one
run, not absolute times of two machines.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from tests.engine.support import ROOT, Project, environment

RUNS: Final = 5
TARGETS_SECONDS: Final = {"empty program": 0.6, "300 varied resources": 5.0}
"""Warm previews on two cores."""


@dataclass(frozen=True)
class Measured:
    """The best run of one preview; all times in seconds."""

    name: str
    wall: float
    resources: int
    provider_calls: int
    provider: float


def measure(name: str, project: Project, stack: str, resources: int) -> Measured:
    """Preview a stack several times, once unmeasured to warm up, and keep the fastest run."""
    stats = project.folder / "stats.json"
    best = Measured(name, float("inf"), resources, 0, 0.0)
    for run in range(RUNS + 1):
        started = time.perf_counter()
        project.run("--stats", str(stats), "preview", stack)
        wall = time.perf_counter() - started
        if run and wall < best.wall:
            spent = json.loads(stats.read_text())
            calls, seconds = sum(spent["calls"].values()), sum(spent["seconds"].values())
            best = Measured(name, wall, resources, calls, seconds)
    return best


def program_alone(folder: Path) -> float:
    """Return the processor seconds that the program itself takes under Pulumi's mocks, with no engine at all."""
    code = (
        "import time, runpy, asyncio, pulumi\n"
        "class Mocks(pulumi.runtime.Mocks):\n"
        "    def new_resource(self, args):\n"
        "        return [args.name, dict(arn='a', bucket='b', keyId='k', name='n') | args.inputs]\n"
        "    def call(self, args): return {}\n"
        "asyncio.set_event_loop(asyncio.new_event_loop())\n"
        "pulumi.runtime.set_mocks(Mocks())\n"
        "pulumi.runtime.test(lambda: runpy.run_path('__main__.py', run_name='__main__') and None)()\n"
        "print(time.process_time())\n"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=folder,
            env=environment(),
            capture_output=True,
            check=True,
            text=True,
        )
        for _ in range(3)
    ]
    return min(float(run.stdout.split()[-1]) for run in runs)


def main() -> None:
    """Measure and print one table."""
    with tempfile.TemporaryDirectory() as folder:
        empty = Project.program(Path(folder) / "empty", "")
        shutil.copytree(ROOT / "tests" / "programs" / "varied", Path(folder) / "varied")
        varied = Project(Path(folder) / "varied")
        rows = [
            measure("empty program", empty, "dev", 0),
            measure("300 varied resources", varied, "bench", 301),
        ]
        alone = program_alone(varied.folder)
    table = Table(title=f"Warm `preview` on simulated AWS, best of {RUNS}")
    columns = ("program", "wall s", "target s", "provider calls", "provider s", "provider ms per resource")
    for column in columns:
        table.add_column(column, justify="left" if column == "program" else "right")
    for row in rows:
        each = f"{1000 * row.provider / row.resources:.2f}" if row.resources else "-"
        target = TARGETS_SECONDS[row.name]
        table.add_row(
            row.name, f"{row.wall:.2f}", f"{target:.1f}", str(row.provider_calls), f"{row.provider:.2f}", each
        )
    console = Console(width=110)
    console.print(table)
    console.print(
        f"The varied program alone (typed SDK under mocks, no engine): {alone:.2f} s of processor time."
    )
    missed = [row.name for row in rows if row.wall > TARGETS_SECONDS[row.name]]
    if missed:
        console.print(f"Over target: {', '.join(missed)}")


if __name__ == "__main__":
    main()
