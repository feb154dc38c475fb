"""When an approval counts: for the same tree, read by the same gate, and not for long."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from operations.checked import Checked
from operations.dag_report import Dag, Report
from operations.gate import AirflowGate, Tree
from tests.releases.trees import GivenTree

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
REPORT = Report(airflow="3.3.2", dags={"daily": Dag("daily.py", "abc")})
TREE = GivenTree(("daily.py", b"print('one')\n", False))
OTHER = GivenTree(("daily.py", b"print('two')\n", False))


@dataclass
class Gate:
    """Approves everything, and counts."""

    fingerprint: str = "packages"
    read: list[str] = field(default_factory=list)

    def check(self, tree: Tree) -> Report:
        self.read.append(tree.manifest.release_id)
        return REPORT


@dataclass
class World:
    """A gate that remembers, at some time."""

    file: Path
    gate: Gate = field(default_factory=Gate)
    said: list[str] = field(default_factory=list)
    now: datetime = NOW

    def checked(self) -> Checked:
        return Checked(gate=self.gate, file=self.file, say=self.said.append, now=lambda: self.now)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return one in which the tree was approved a moment ago."""
    found = World(tmp_path / "approval.json")
    assert found.checked().record(TREE) == REPORT
    found.gate.read.clear()
    return found


def test_the_same_tree_is_not_read_again(world: World) -> None:
    assert world.checked().check(TREE) == REPORT
    assert world.gate.read == []
    assert world.said == [f"{world.file} approves this tree: checked at 2026-11-21T12:00:00+00:00"]


def test_another_tree_is_read(world: World) -> None:
    world.checked().check(OTHER)
    assert world.gate.read == [OTHER.manifest.release_id]
    assert world.said == [f"{world.file} does not count: it approves another tree"]


@pytest.mark.parametrize(
    ("age", "counts"),
    [
        (timedelta(hours=1), True),
        (timedelta(hours=1, microseconds=1), False),
        (timedelta(microseconds=-1), False),
    ],
    ids=["an hour", "more", "of the future"],
)
def test_it_counts_for_an_hour(world: World, age: timedelta, counts: bool) -> None:
    world.now = NOW + age
    world.checked().check(TREE)
    assert (world.gate.read == []) is counts


def test_another_gate_reads(world: World) -> None:
    world.gate.fingerprint = "other packages"
    world.checked().check(TREE)
    assert world.said == [f"{world.file} does not count: the tree was read with other packages or variables"]
    assert len(world.gate.read) == 1


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", "null", '{"format": 1}', "[" * 100_000],
    ids=["empty", "list", "nothing in it", "null", "half", "nested"],
)
def test_a_file_that_is_no_approval(world: World, content: str) -> None:
    world.file.write_text(content)
    assert world.checked().check(TREE) == REPORT
    assert len(world.gate.read) == 1
    assert "does not count: it cannot be read" in world.said[0]


@pytest.mark.parametrize("name", ["format", "release_id", "gate", "checked_at", "report"])
def test_each_field_counts(world: World, name: str) -> None:
    document = json.loads(world.file.read_text())
    world.file.write_text(json.dumps(document | {name: "another"}))
    world.checked().check(TREE)
    assert len(world.gate.read) == 1


def test_without_a_file_the_gate_reads(world: World) -> None:
    world.file.unlink()
    assert world.checked().check(TREE) == REPORT
    assert len(world.gate.read) == 1


def test_the_gates_fingerprint(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.write_text("airflow==3.3.2")
    gates = [
        AirflowGate(lock=lock),
        AirflowGate(lock=lock, variables={"AIRFLOW_VAR_A": "1"}),
        AirflowGate(lock=lock, python=Path("/usr/bin/python3")),
    ]
    prints = [gate.fingerprint for gate in gates]
    assert gates[0].fingerprint == prints[0]
    lock.write_text("airflow==3.3.3")
    assert len({*prints, gates[0].fingerprint}) == 4
