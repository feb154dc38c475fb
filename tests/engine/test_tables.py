"""The tables of wrong inputs and of changes, through the real engine: what a person sees, and what the engine plans.

All rows run without an engine in tests/behaviour, and the wrong inputs over gRPC in tests/sandbox. The engine ends at
the first wrong input, so each has a run of its own: here one row for every service and two for most. Changes share a
run: a stack with many resources is applied, and one preview plans the changes of all of them.

Not proven here: rows that need outputs which only AWS knows.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import pytest

from sandbox.run import Options, Sandbox, opened
from tests.behaviour.case import Case
from tests.behaviour.cases import CASES
from tests.behaviour.changes import CHANGES, ChangeRow
from tests.engine.support import ACCOUNT, Project, unmeasured

pytestmark = pytest.mark.engine

Row = TypeVar("Row", Case, ChangeRow)
STACK = "dev"


class Resource(NamedTuple):
    """A resource of the program."""

    token: str
    inputs: dict[str, Any]
    name: str = "thing"
    account: str = ACCOUNT


@dataclass
class Bench:
    """An open sandbox whose one stack can be emptied."""

    project: Project
    sandbox: Sandbox
    empty: bytes

    def reset(self) -> None:
        """Empty the stack and the simulated account."""
        (self.sandbox.workspace.states / f"{STACK}.json").write_bytes(self.empty)
        for entry in self.sandbox.inventory:
            self.sandbox.inventory.remove(entry.token, entry.id, entry.account)

    def describe(self, *resources: Resource) -> None:
        """Change what the program registers."""
        self.project.resources(*(each._asdict() for each in resources))

    def pulumi(self, *arguments: str) -> tuple[int, str]:
        """Run the CLI; returns its exit code and output."""
        done = self.sandbox.cli.run([*arguments, "--stack", STACK, "--color", "never"], quiet=True)
        return done.returncode, done.stdout

    def planned(self) -> dict[str, list[str]]:
        """Preview, and return the engine's steps for every resource, by name."""
        plan = self.project.folder / "plan.json"
        code, output = self.pulumi("preview", "--save-plan", str(plan))
        assert code == 0, output
        plans: dict[str, dict[str, Any]] = json.loads(plan.read_text())["resourcePlans"]
        return {urn.rpartition("::")[2]: each["steps"] for urn, each in plans.items()}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    project = Project.raw(tmp_path_factory.mktemp("tables") / "probe", account=ACCOUNT)
    with unmeasured(), opened(project.folder, Options(), writes=True) as sandbox:
        sandbox.prepare(STACK)
        yield Bench(project, sandbox, (sandbox.workspace.states / f"{STACK}.json").read_bytes())


def first_of_each_type(rows: Iterable[Row], count: int) -> list[Row]:
    """Return the first rows of every type."""
    by_type: dict[str, list[Row]] = {}
    for row in rows:
        by_type.setdefault(row.token, []).append(row)
    return list(itertools.chain.from_iterable(found[:count] for found in by_type.values()))


def first_of_each_service(rows: Iterable[Case], count: int) -> list[Case]:
    """Return rows of so many types of every service: of the first type its first row, of the second its second."""
    by_service: dict[str, dict[str, list[Case]]] = {}
    for row in rows:
        by_service.setdefault(row.token.partition("/")[0], {}).setdefault(row.token, []).append(row)
    return [
        found[min(index, len(found) - 1)]
        for types in by_service.values()
        for index, found in enumerate(list(types.values())[:count])
    ]


def label(row: Case | ChangeRow) -> str:
    return f"{row.token.rpartition(':')[2]}: {row.id}"


WRONG = first_of_each_service(CASES, 2)
CHANGED = [row for row in CHANGES if not row.outputs]
PLANNED = [row for row in CHANGED if row.operation != "refuse"]
REFUSED = first_of_each_type((row for row in CHANGED if row.operation == "refuse"), 1)


def test_the_samples_are_large_enough() -> None:
    assert len(WRONG) >= 40
    assert len({row.token for row in WRONG}) >= 40
    assert len(PLANNED) >= 60
    assert {row.operation for row in PLANNED} == {"update", "replace", "none"}
    assert REFUSED


@pytest.mark.parametrize("row", WRONG, ids=label)
def test_a_wrong_input_is_refused_with_resource_and_property(bench: Bench, row: Case) -> None:
    bench.reset()
    bench.describe(Resource(row.token, row.inputs()))
    code, output = bench.pulumi("preview")
    assert code
    line = next(line for line in output.splitlines() if "has a problem:" in line)
    assert f"{row.token} resource 'thing' has a problem: {row.property}" in line
    assert row.reason.splitlines()[0] in line


@pytest.fixture(scope="module")
def plans(bench: Bench) -> dict[str, list[str]]:
    """Return what the engine plans for every row, by its label.

    Each row has an account of its own: its inputs name what must not exist there, or what another row makes.
    """
    named = {label(row): row for row in PLANNED}
    bench.reset()
    accounts = {name: f"{number:012}" for number, name in enumerate(named, start=1)}
    bench.describe(*(Resource(row.token, row.base, name, accounts[name]) for name, row in named.items()))
    code, output = bench.pulumi("up", "--yes", "--skip-preview")
    assert code == 0, output
    bench.describe(*(Resource(row.token, row.changed, name, accounts[name]) for name, row in named.items()))
    return bench.planned()


STEPS = {
    "update": {"update"},
    "none": {"same"},
    "replace": {"create-replacement", "replace"},
}


@pytest.mark.parametrize("row", PLANNED, ids=label)
def test_a_change_is_planned_as_the_provider_does(plans: dict[str, list[str]], row: ChangeRow) -> None:
    assert set(plans[label(row)]) - {"delete-replaced"} == STEPS[row.operation]


@pytest.mark.parametrize("row", REFUSED, ids=label)
def test_a_change_that_the_provider_refuses_fails_the_preview(bench: Bench, row: ChangeRow) -> None:
    bench.reset()
    bench.describe(Resource(row.token, row.base))
    code, output = bench.pulumi("up", "--yes", "--skip-preview")
    assert code == 0, output
    bench.describe(Resource(row.token, row.changed))
    code, output = bench.pulumi("preview")
    assert code
    assert row.property in output
