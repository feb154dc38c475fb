"""The tables of wrong inputs and of changes, through the real engine: what a person sees, and what the engine plans.

All rows run without an engine in tests/behaviour; here the first rows of every type do. Each worker keeps one sandbox
open and gives every row an empty stack. Not proven here: rows that need outputs which only AWS knows.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest

from sandbox.run import Options, Sandbox, opened
from tests.behaviour.case import Case
from tests.behaviour.cases import CASES
from tests.behaviour.changes import CHANGES, ChangeRow
from tests.engine.support import ACCOUNT, Project

pytestmark = pytest.mark.engine

Row = TypeVar("Row", Case, ChangeRow)
STACK = "dev"
NAME = "thing"


@dataclass
class Bench:
    """An open sandbox whose one stack can be emptied."""

    project: Project
    sandbox: Sandbox
    empty: bytes

    def reset(self, token: str, inputs: dict[str, Any]) -> None:
        """Empty the stack and the simulated account, and describe one resource."""
        (self.sandbox.workspace.states / f"{STACK}.json").write_bytes(self.empty)
        for entry in self.sandbox.inventory:
            self.sandbox.inventory.remove(entry.token, entry.id, entry.account)
        self.describe(token, inputs)

    def describe(self, token: str, inputs: dict[str, Any]) -> None:
        """Change what the program registers."""
        self.project.resources({"token": token, "name": NAME, "inputs": inputs})

    def pulumi(self, *arguments: str) -> tuple[int, str]:
        """Run the CLI; returns its exit code and output."""
        done = self.sandbox.cli.run([*arguments, "--stack", STACK, "--color", "never"], quiet=True)
        return done.returncode, done.stdout

    def planned(self) -> list[str]:
        """Preview, and return the engine's steps for the resource."""
        plan = self.project.folder / "plan.json"
        code, output = self.pulumi("preview", "--save-plan", str(plan))
        assert code == 0, output
        plans: dict[str, dict[str, Any]] = json.loads(plan.read_text())["resourcePlans"]
        steps: list[str] = next(each["steps"] for urn, each in plans.items() if urn.endswith(f"::{NAME}"))
        return steps


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    project = Project.raw(tmp_path_factory.mktemp("tables") / "probe", account=ACCOUNT)
    with opened(project.folder, Options(), writes=True) as sandbox:
        sandbox.prepare(STACK)
        yield Bench(project, sandbox, (sandbox.workspace.states / f"{STACK}.json").read_bytes())


def first_of_each_type(rows: Iterable[Row], count: int) -> list[Row]:
    """Return the first rows of every type."""
    by_type: dict[str, list[Row]] = {}
    for row in rows:
        by_type.setdefault(row.token, []).append(row)
    return list(itertools.chain.from_iterable(found[:count] for found in by_type.values()))


def label(row: Case | ChangeRow) -> str:
    return f"{row.token.rpartition(':')[2]}: {row.id}"


WRONG = first_of_each_type(CASES, 2)
CHANGED = first_of_each_type((row for row in CHANGES if not row.outputs), 2)


def test_the_samples_are_large_enough() -> None:
    assert len(WRONG) >= 60
    assert len({row.token for row in WRONG}) >= 25
    assert len(CHANGED) >= 40
    assert {row.operation for row in CHANGED} == {"update", "replace", "refuse", "none"}


@pytest.mark.parametrize("row", WRONG, ids=label)
def test_a_wrong_input_is_refused_with_resource_and_property(bench: Bench, row: Case) -> None:
    bench.reset(row.token, row.inputs())
    code, output = bench.pulumi("preview")
    assert code
    line = next(line for line in output.splitlines() if "has a problem:" in line)
    assert f"{row.token} resource '{NAME}' has a problem: {row.property}" in line
    assert row.reason.splitlines()[0] in line


STEPS = {
    "update": ["update"],
    "none": ["same"],
}


@pytest.mark.parametrize("row", CHANGED, ids=label)
def test_a_change_is_planned_as_the_provider_does(bench: Bench, row: ChangeRow) -> None:
    bench.reset(row.token, row.base)
    code, output = bench.pulumi("up", "--yes", "--skip-preview")
    assert code == 0, output
    bench.describe(row.token, row.changed)
    if row.operation == "refuse":
        code, output = bench.pulumi("preview")
        assert code
        assert row.property in output
    elif row.operation == "replace":
        assert {"create-replacement", "replace"} <= set(bench.planned())
    else:
        assert bench.planned() == STEPS[row.operation]
