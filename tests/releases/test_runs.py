"""The counter of runs: when it counts, what it writes, and that no error of the database gets past it.

Not proved here: the question to the database; tests of the bundle ask it in the real Airflow.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest

from images.airflow.platform_runtime.releases import usage
from images.airflow.platform_runtime.releases.runs import RunCounter
from images.airflow.platform_runtime.releases.usage import COUNT_SECONDS

A, B = "a" * 64, "b" * 64


class Database:
    """Answers as told, or fails."""

    def __init__(self) -> None:
        self.answer: dict[str, int] | Exception = {A: 1}
        self.asked = 0

    def count(self) -> dict[str, int]:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class World:
    """A counter, with a clock that a test moves on."""

    def __init__(self, path: Path) -> None:
        self.path, self.now, self.database = path, 0.0, Database()
        self.counter = RunCounter(path, self.database.count, lambda: self.now)

    def turn(self, seconds: float = 0) -> None:
        self.now += seconds
        self.counter.turn()

    @property
    def runs(self) -> dict[str, int] | None:
        found = usage.read(self.path)
        return dict(found.runs) if found else None


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / usage.FILE)


def test_it_counts_at_once_and_then_every_minute(world: World) -> None:
    asked = []
    for _ in range(130):
        world.turn()
        asked.append(world.database.asked)
        world.now += 1
    assert [asked.count(number) for number in (1, 2, 3)] == [COUNT_SECONDS, COUNT_SECONDS, 10]


def test_it_writes_what_is_counted(world: World) -> None:
    world.database.answer = {A: 3, B: 0, "main": 7}
    before = datetime.now(UTC)
    world.turn()
    found = usage.read(world.path)
    assert found
    assert (found.runs, found.complete) == ({A: 3, B: 0}, True)
    assert before <= found.counted_at <= datetime.now(UTC)


def test_the_moment_is_that_of_the_question(world: World) -> None:
    """What begins while the database answers may be missing in the answer."""
    answered: list[datetime] = []

    def count() -> dict[str, int]:
        answered.append(datetime.now(UTC))
        return {}

    RunCounter(world.path, count).turn()
    found = usage.read(world.path)
    assert found
    assert found.counted_at <= answered[0]


def test_a_database_that_fails_leaves_the_last_count(world: World) -> None:
    world.turn()
    before = world.path.read_text()
    world.database.answer = RuntimeError("canceling statement due to statement timeout")
    world.turn(60)
    assert (world.path.read_text(), world.database.asked) == (before, 2)
    world.database.answer = {B: 1}
    world.turn(60)
    assert world.runs == {B: 1}


def test_an_error_is_logged_once_until_it_works_again(world: World, caplog: pytest.LogCaptureFixture) -> None:
    def fail(times: int) -> None:
        world.database.answer = RuntimeError("no route")
        for _ in range(times):
            world.turn(60)
        world.database.answer = {}
        world.turn(60)

    with caplog.at_level(logging.WARNING):
        fail(3)
        fail(2)
    assert [record.getMessage() for record in caplog.records] == [
        "the runs that need releases cannot be counted: no route"
    ] * 2


def test_a_file_that_cannot_be_written_ends_nothing(world: World) -> None:
    world.path.mkdir()
    world.turn()
    assert world.database.asked == 1


def test_outside_of_airflow_it_cannot_ask(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    RunCounter(tmp_path / "file").turn()
    assert "No module named 'airflow" in caplog.text
    assert list(tmp_path.iterdir()) == []
