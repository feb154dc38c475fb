"""`make bench`: what a preview costs, which share of it is the simulated provider's own, and how long an `up` takes.

`--only previews` or `--only makespan` measures one of the two; the second takes four minutes. Times of previews are
the best of several runs of the whole command, on whatever this machine is doing; compare ratios of one run, not
absolute times of two machines.
"""

from __future__ import annotations

import argparse
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

from tests import bench_makespan
from tests.engine.support import ROOT, Project, environment

RUNS: Final = 5
PROD_RUNS: Final = 3
TARGETS_SECONDS: Final = {"empty program": 0.6, "300 varied resources": 5.0, "prod": 5.0}
"""Warm previews on two cores."""


@dataclass(frozen=True)
class Measured:
    """The best run of one preview; all times in seconds."""

    name: str
    wall: float
    resources: int
    provider_calls: int
    provider: float


def measure(name: str, project: Project, stack: str, resources: int, runs: int = RUNS) -> Measured:
    """Preview a stack several times, once unmeasured to warm up, and keep the fastest run."""
    stats = project.folder / "stats.json"
    best = Measured(name, float("inf"), resources, 0, 0.0)
    for run in range(runs + 1):
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


def prod(folder: Path) -> Measured:
    """Measure the preview of our own prod stack, of which nothing exists but the stack that it references."""
    project = Project.platform(folder)
    project.run("preview", "prod")
    plan = json.loads((folder / ".sandbox" / "prod.plan.json").read_text())
    return measure("prod", project, "prod", len(plan["resourcePlans"]), PROD_RUNS)


def previews(console: Console) -> None:
    """Measure previews and print one table."""
    with tempfile.TemporaryDirectory() as folder:
        empty = Project.program(Path(folder) / "empty", "")
        shutil.copytree(ROOT / "tests" / "programs" / "varied", Path(folder) / "varied")
        varied = Project(Path(folder) / "varied")
        rows = [
            measure("empty program", empty, "dev", 0),
            measure("300 varied resources", varied, "bench", 301),
            prod(Path(folder) / "prod"),
        ]
        alone = program_alone(varied.folder)
    table = Table(title=f"Warm `preview` on simulated AWS, best of {RUNS}, of prod best of {PROD_RUNS}")
    columns = ("program", "wall s", "target s", "provider calls", "provider s", "provider ms per resource")
    for column in columns:
        table.add_column(column, justify="left" if column == "program" else "right")
    for row in rows:
        each = f"{1000 * row.provider / row.resources:.2f}" if row.resources else "-"
        target = TARGETS_SECONDS[row.name]
        table.add_row(
            row.name, f"{row.wall:.2f}", f"{target:.1f}", str(row.provider_calls), f"{row.provider:.2f}", each
        )
    console.print(table)
    console.print(
        f"The varied program alone (typed SDK under mocks, no engine): {alone:.2f} s of processor time."
    )
    missed = [row.name for row in rows if row.wall > TARGETS_SECONDS[row.name]]
    if missed:
        console.print(f"Over target: {', '.join(missed)}")


def makespan(console: Console) -> None:
    """Measure an `up` of prod and print its critical path."""
    with tempfile.TemporaryDirectory() as folder:
        bench_makespan.show(console, bench_makespan.measure(Path(folder) / "prod"))


PARTS: Final = {"previews": previews, "makespan": makespan}


def main() -> None:
    """Measure what is wanted."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", choices=PARTS, help="measure this part only")
    wanted = parser.parse_args().only
    console = Console(width=110)
    for name, part in PARTS.items():
        if wanted in (None, name):
            part(console)


if __name__ == "__main__":
    main()
