"""The release agent: what it follows, holds, tells and proves, with a clock of the tests' own and DynamoDB by moto.

Not proved here: that ECS starts and stops containers by what it says; the twin's tests run it in tasks.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from images.airflow.platform_runtime.releases import agent_command, identity, state, usage
from images.airflow.platform_runtime.releases.agent import (
    GIVE_UP_SECONDS,
    MAX_REQUESTS,
    SETTLE_SECONDS,
    VERIFY_SECONDS,
    Agent,
)
from images.airflow.platform_runtime.releases.archive import remove
from images.airflow.platform_runtime.releases.copies import FRESH_SECONDS, Copies, View
from images.airflow.platform_runtime.releases.following import LEDGER_SECONDS, Followed
from images.airflow.platform_runtime.releases.identity import Identity, IdentityError
from images.airflow.platform_runtime.releases.ledger import (
    Ledger,
    LedgerBusy,
    LedgerError,
    Pointer,
    Proof,
    Release,
)
from images.airflow.platform_runtime.releases.manifest import genesis
from images.airflow.platform_runtime.releases.state import State, Status
from images.airflow.platform_runtime.releases.tree import Differences
from images.airflow.platform_runtime.releases.usage import Usage
from images.airflow.platform_runtime.variables import Refusal
from tests.engine.support import ROOT
from tests.releases import ledger_table
from tests.releases.ledger_table import TABLE, moved, release, simulation
from tests.releases.test_copies import Remembering, damage, publish, sized

WHO = Identity(service="worker", task_id="0123456789abcdef", image_digest="sha256:1")
START = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
EMPTY = genesis().release_id
MIB = 2**20


@dataclass
class FakeClock:
    """A clock that goes on when told."""

    now: float = 10.0**10
    """Later than anything on this machine's disk."""

    def seconds(self) -> float:
        return self.now

    def utc(self) -> datetime:
        return START + timedelta(seconds=self.now - 10.0**10)

    def wait(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class FakeLedger:
    """A ledger in memory, which fails if told so."""

    clock: FakeClock
    current: Pointer | None = None
    moves: list[Pointer] = field(default_factory=list)
    recorded: dict[str, Release] = field(default_factory=dict)
    token: str = ""
    proofs: list[Proof] = field(default_factory=list)
    failure: LedgerError | None = None
    proof_failure: LedgerError | None = None
    asked: list[str] = field(default_factory=list)

    def _asked(self, what: str) -> None:
        self.asked.append(what)
        if self.failure:
            raise self.failure

    def pointer(self) -> Pointer | None:
        self._asked("pointer")
        return self.current

    def history(self, limit: int) -> list[Pointer]:
        self._asked("history")
        return self.moves[-limit:]

    def release(self, release_id: str) -> Release | None:
        self._asked(f"release {release_id[:2]}")
        return self.recorded.get(release_id)

    def verify_request(self) -> str:
        self._asked("verify request")
        return self.token

    def write_proof(self, proof: Proof) -> None:
        if self.failure or self.proof_failure:
            raise self.failure or self.proof_failure or AssertionError
        self.proofs.append(proof)

    def point(self, release_id: str) -> None:
        """Move the pointer, as a release does."""
        before = self.current
        self.current = Pointer(
            sequence=before.sequence + 1 if before else 1,
            release_id=release_id,
            git_commit="c" * 40,
            image_digest="sha256:1",
            publisher="ada",
            moved_at=self.clock.utc(),
            reason="release",
            previous_release_id=before.release_id if before else EMPTY,
        )
        self.moves.append(self.current)
        self.recorded.setdefault(release_id, release(release_id))


class World:
    """A task with its agent, the storage and the ledger."""

    def __init__(self, root: Path, view: View | None = None, budget: int = 100 * MIB) -> None:
        self.storage, self.local, self.home = root / "storage", root / "local", root / "home"
        self.tracking = root / "tracking"
        self.storage.mkdir()
        self.clock = FakeClock()
        self.ledger = FakeLedger(self.clock)
        self.lines: list[dict[str, Any]] = []
        self.view, self.budget = view, budget
        self.begin()

    def begin(self) -> None:
        """Start an agent, maybe after another one."""
        self.copies = Copies(
            self.storage,
            self.local,
            self.budget,
            tracking=self.tracking,
            view=self.view,
            now=self.clock.seconds,
        )
        self.agent = Agent(
            ledger=self.agents_ledger(),
            copies=self.copies,
            identity=WHO,
            local=self.local,
            requests=self.requests,
            say=self.lines.append,
            clock=self.clock,
            chance=lambda low, high: high,
        )
        self.agent.begin()

    def agents_ledger(self) -> Followed:
        """Return the ledger as the agent sees it."""
        return self.ledger

    @property
    def requests(self) -> Path:
        return self.home / state.REQUESTS

    def release(self, number: int) -> str:
        """Publish a release and point to it."""
        release_id = self.publish(number)
        self.ledger.point(release_id)
        return release_id

    def publish(self, number: int) -> str:
        release_id = publish(self.storage, sized(number, 5000)).release_id
        self.ledger.recorded[release_id] = release(release_id)
        return release_id

    def run(self, seconds: float, step: float = 1.0) -> None:
        """Let time go by."""
        until = self.clock.now + seconds
        while self.clock.now < until:
            self.agent.turn()
            self.clock.now += step
        self.agent.turn()

    @property
    def state(self) -> State:
        found = state.read(self.local)
        assert found
        return found

    @property
    def proof(self) -> Proof:
        return self.ledger.proofs[-1]

    def events(self, name: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["event"] == name]

    def damage(self, release_id: str) -> None:
        damage(self.local / release_id / "data.bin")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


# Following the pointer


def test_a_new_platform_begins_with_the_empty_release(world: World) -> None:
    """No pointer, nothing published: the first deployment waits for nobody."""
    world.agent.turn()
    assert (world.state.sequence, world.state.serving, world.state.status) == (0, EMPTY, Status.VERIFIED)
    assert list((world.local / EMPTY).iterdir()) == []
    assert world.proof == Proof(
        service="worker",
        task_id="0123456789abcdef",
        release_id=EMPTY,
        computed_id=EMPTY,
        sequence=0,
        files=0,
        status="verified",
        detail="",
        verified_at=START,
        image_digest="sha256:1",
        versions=(EMPTY,),
        request="",
    )


def test_it_follows_within_its_interval(world: World) -> None:
    world.agent.turn()
    first = world.release(1)
    world.run(5)
    assert world.state == State(
        sequence=1,
        release_id=first,
        serving=first,
        status=Status.VERIFIED,
        verified_at=START + timedelta(seconds=5),
        detail="",
    )
    assert (world.proof.release_id, world.proof.computed_id, world.proof.sequence) == (first, first, 1)
    assert (world.proof.files, world.proof.status) == (1, "verified")
    assert set(world.proof.versions) == {EMPTY, first}


def test_a_rollback_is_followed_without_a_copy(world: World) -> None:
    first = world.release(1)
    world.agent.turn()
    world.release(2)
    world.run(5)
    remove(world.storage / first)
    world.ledger.point(first)
    world.run(5)
    assert (world.state.sequence, world.state.serving, world.state.status) == (3, first, Status.VERIFIED)
    assert (world.proof.sequence, world.proof.release_id) == (3, first)


def test_nothing_new_writes_nothing(world: World) -> None:
    """Between two verifications: a proof and a line of the log are for news."""
    world.release(1)
    world.agent.turn()
    proofs, lines, written = len(world.ledger.proofs), len(world.lines), (world.local / state.CURRENT).stat()
    world.run(100)
    assert (len(world.ledger.proofs), len(world.lines)) == (proofs, lines)
    assert (world.local / state.CURRENT).stat().st_ino == written.st_ino


def test_it_asks_the_ledger_every_five_seconds(world: World) -> None:
    world.run(60, step=0.2)
    assert world.ledger.asked.count("pointer") == 13


def test_a_release_that_is_not_visible_yet(tmp_path: Path) -> None:
    """The last one is served on; where there is none, Airflow does not start."""
    world = World(tmp_path)
    world.view = Remembering(world.clock.seconds)
    world.begin()
    first = world.publish(1)
    (world.storage / first).rename(tmp_path / "away")
    world.ledger.point(first)
    world.agent.turn()
    assert (world.state.serving, world.state.status) == ("", Status.WAITING)
    assert world.state.detail == "the file system does not show it yet"
    assert state.unhealthy(world.local) == "no release was verified yet: the file system does not show it yet"
    assert (world.proof.status, world.proof.computed_id, world.proof.release_id) == ("waiting", "", first)
    (tmp_path / "away").rename(world.storage / first)
    world.run(50)
    assert world.state.serving == ""
    world.run(30)
    assert (world.state.serving, world.state.status) == (first, Status.VERIFIED)
    assert state.unhealthy(world.local) is None


def test_the_served_release_stays_while_the_next_one_is_not_there(world: World) -> None:
    first = world.release(1)
    world.agent.turn()
    second = publish(world.storage, sized(2)).release_id
    (world.storage / second).rename(world.storage / "away")
    world.ledger.point(second)
    world.run(20)
    assert (world.state.serving, world.state.release_id) == (first, second)
    assert world.state.status is Status.WAITING


# Mismatch


def test_a_release_that_differs_in_the_storage(world: World) -> None:
    """Old sizes look the same for a minute, so it is said a little later; it is never served."""
    first = world.release(1)
    world.agent.turn()
    second = world.publish(2)
    damage(world.storage / second / "tree" / "data.bin")
    world.ledger.point(second)
    world.run(SETTLE_SECONDS - 10)
    assert (world.state.status, world.state.serving) == (Status.WAITING, first)
    assert world.events("release_problem") == []
    world.run(30)
    assert (world.state.status, world.state.serving) == (Status.MISMATCH, first)
    assert world.state.detail == f"{second[:12]}: 1 changed (data.bin)"
    assert state.problem(world.local, second) == f"mismatch: {second[:12]}: 1 changed (data.bin)"
    assert not (world.local / second).exists()
    assert world.events("release_problem") == [
        {
            "event": "release_problem",
            "status": "mismatch",
            "sequence": 2,
            "release_id": second,
            "serving": first,
            "detail": f"{second[:12]}: 1 changed (data.bin)",
        }
    ]
    assert (world.proof.status, world.proof.release_id) == ("mismatch", second)
    assert world.proof.computed_id not in {first, second, ""}
    world.ledger.point(first)
    world.run(5)
    assert (world.state.status, world.state.serving) == (Status.VERIFIED, first)


def test_old_sizes_of_a_release_are_no_mismatch(tmp_path: Path) -> None:
    world = World(tmp_path)
    first = world.release(1)
    stale = world.storage / first / "tree" / "data.bin"
    world.view = Remembering(world.clock.seconds, sizes={stale: (4096, world.clock.now + 60)})
    world.begin()
    world.run(100)
    assert (world.state.status, world.state.serving) == (Status.VERIFIED, first)
    assert world.events("release_problem") == []


def test_a_damaged_byte_is_found_within_one_period(world: World) -> None:
    first = world.release(1)
    world.run(100)
    world.damage(first)
    before = world.clock.now
    while world.state.status is Status.VERIFIED:
        world.run(1)
    assert world.clock.now - before <= VERIFY_SECONDS
    assert world.state.detail == f"{first[:12]}: 1 changed (data.bin)"
    assert state.problem(world.local, first) == f"mismatch: {first[:12]}: 1 changed (data.bin)"
    assert (world.proof.status, world.proof.release_id) == ("mismatch", first)
    assert world.proof.computed_id != first
    assert world.proof.versions == ()
    # It is served on, and the agent is healthy: what runs must not end.
    assert world.state.serving == first
    assert state.unhealthy(world.local) is None


def test_a_mismatch_is_complained_of_as_long_as_it_lasts(world: World) -> None:
    first = world.release(1)
    world.agent.turn()
    world.damage(first)
    world.run(4 * VERIFY_SECONDS)
    assert len(world.events("release_problem")) == 4
    world.damage(first)
    world.run(VERIFY_SECONDS)
    assert (world.state.status, world.proof.status) == (Status.VERIFIED, "verified")
    assert state.problem(world.local, first) is None
    assert len(world.events("release_problem")) in {4, 5}


def test_a_damaged_copy_of_another_version_stops_new_work_as_well(world: World) -> None:
    """While it is in use; then it goes, and the next copy is a good one."""
    first = world.release(1)
    world.agent.turn()
    second = world.release(2)
    world.run(5)
    world.tracking.mkdir(exist_ok=True)
    with (world.tracking / first).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        world.damage(first)
        world.run(VERIFY_SECONDS)
        assert (world.state.status, world.state.serving) == (Status.MISMATCH, second)
        assert (world.proof.computed_id, world.proof.status) == (second, "mismatch")
        assert world.proof.detail == f"{first[:12]}: 1 changed (data.bin)"
    world.run(VERIFY_SECONDS)
    assert (world.state.status, world.proof.versions) == (Status.VERIFIED, (second,))
    assert not (world.local / first).exists()
    assert state.problem(world.local, first) is None
    assert world.events("release_removed") == [{"event": "release_removed", "release_id": first}]


def test_every_copy_is_compared_again_and_again(world: World) -> None:
    world.release(1)
    world.agent.turn()
    verified = {world.state.verified_at}
    proved = len(world.ledger.proofs)
    for _ in range(3):
        world.run(VERIFY_SECONDS)
        verified.add(world.state.verified_at)
    assert len(verified) == 4
    assert len(world.ledger.proofs) == proved + 3
    # Long before DynamoDB forgets them.
    assert timedelta(hours=2) > timedelta(seconds=VERIFY_SECONDS) * 2


# Requests to verify


def test_a_request_to_verify_is_answered_with_a_fresh_comparison(world: World) -> None:
    first = world.release(1)
    world.run(10)
    world.damage(first)
    world.ledger.token = "t1"
    world.run(5)
    assert (world.proof.request, world.proof.status) == ("t1", "mismatch")
    world.damage(first)
    world.ledger.token = "t2"
    world.run(5)
    assert (world.proof.request, world.proof.status) == ("t2", "verified")
    proofs = len(world.ledger.proofs)
    world.run(100)
    assert len(world.ledger.proofs) == proofs


def test_a_turn_compares_one_copy_the_served_one_first(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many of them take minutes, and the pointer is followed between the turns."""
    releases = []
    for number in (1, 2, 3):
        releases.append(world.release(number))
        world.run(10)
    compared: list[list[str]] = []
    verify = world.copies.verify

    def noted(release_id: str) -> Differences | None:
        compared[-1].append(release_id)
        return verify(release_id)

    monkeypatch.setattr(world.copies, "verify", noted)
    world.ledger.token = "t1"
    while world.proof.request != "t1":
        compared.append([])
        world.clock.now += 1
        world.agent.turn()
    turns = [turn for turn in compared if turn]
    assert turns == [[releases[2]], *([each] for each in sorted(releases[:2]))]


def test_a_copy_that_is_taken_away_before_its_turn_is_no_broken_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2, 3):
        world.release(number)
        world.run(10)
    world.ledger.token = "t1"
    while not world.agent._left:
        world.clock.now += 1
        world.agent.turn()
    assert len(world.agent._left) == 2
    monkeypatch.setattr(world.copies, "_budget", 0)
    world.clock.now += FRESH_SECONDS + 1
    assert len(world.copies.prune({world.state.serving})) == 2
    world.run(10)
    assert (world.proof.request, world.proof.status) == ("t1", "verified")
    assert world.events("release_problem") == []


def test_a_request_that_is_older_than_the_task_is_answered_once_there_is_something(world: World) -> None:
    world.ledger.token = "old"
    first = world.publish(1)
    (world.storage / first).rename(world.storage / "away")
    world.ledger.point(first)
    world.run(VERIFY_SECONDS + 10)
    assert {proof.request for proof in world.ledger.proofs} == {""}
    (world.storage / "away").rename(world.storage / first)
    world.run(30)
    assert (world.proof.request, world.proof.status) == ("old", "verified")


# The ledger out of reach


@pytest.mark.parametrize(
    "failure",
    [LedgerBusy("the ledger is busy"), LedgerError("there is no table")],
    ids=["throttled", "missing"],
)
def test_a_ledger_out_of_reach(world: World, failure: LedgerError) -> None:
    """For two minutes that is nobody's concern; then nobody knows what is current, and what is served stays."""
    first = world.release(1)
    world.run(10)
    world.ledger.failure = failure
    world.run(LEDGER_SECONDS - 5)
    assert world.state.status is Status.VERIFIED
    assert world.events("release_problem") == []
    world.run(15)
    assert (world.state.status, world.state.serving) == (Status.NO_LEDGER, first)
    assert world.state.detail == str(failure)
    assert [line["status"] for line in world.events("release_problem")] == ["no ledger"]
    assert state.unhealthy(world.local) is None
    world.ledger.failure = None
    second = world.release(2)
    world.run(30)
    assert (world.state.status, world.state.serving) == (Status.VERIFIED, second)
    assert (world.proof.release_id, world.proof.status) == (second, "verified")


def test_a_ledger_out_of_reach_from_the_beginning(world: World) -> None:
    """Airflow does not start: not even the empty release is a guess that somebody may make."""
    world.ledger.failure = LedgerError("AWS does not allow it")
    world.run(10)
    assert (world.state.status, world.state.serving) == (Status.WAITING, "")
    assert world.state.detail == "AWS does not allow it"
    world.run(LEDGER_SECONDS)
    assert (world.state.status, world.state.serving) == (Status.NO_LEDGER, "")
    assert state.unhealthy(world.local) == "no release was verified yet: AWS does not allow it"
    world.ledger.failure = None
    world.run(30)
    assert (world.state.status, world.state.serving) == (Status.VERIFIED, EMPTY)


def test_a_busy_ledger_is_asked_less(world: World) -> None:
    world.ledger.failure = LedgerBusy("busy")
    world.run(600, step=0.5)
    assert world.ledger.asked.count("verify request") == pytest.approx(3 + 540 / 30, abs=3)


def test_pauses_are_drawn_by_chance(tmp_path: Path) -> None:
    """Containers that were throttled together do not come back together."""
    world = World(tmp_path)
    drawn: list[tuple[float, float]] = []

    def chance(low: float, high: float) -> float:
        drawn.append((low, high))
        return high

    world.agent._ledger_view._chance = chance
    world.ledger.failure = LedgerBusy("busy")
    world.run(60)
    assert set(drawn) == {(0.5, 1.0)}


def test_a_pointer_that_vanished_is_not_the_empty_release(world: World) -> None:
    """An empty release would take every DAG away."""
    first = world.release(1)
    world.run(5)
    world.ledger.current = None
    world.run(LEDGER_SECONDS + 30)
    assert (world.state.status, world.state.serving) == (Status.NO_LEDGER, first)
    assert world.state.detail == "the ledger has lost its pointer: put it right from the history"


def test_a_new_task_does_not_take_a_lost_pointer_for_a_new_platform(world: World) -> None:
    world.release(1)
    world.ledger.current = None
    world.run(10)
    assert world.state.serving == ""
    assert world.state.detail == "the ledger has lost its pointer: put it right from the history"


def test_a_proof_that_cannot_be_written_is_written_later(world: World) -> None:
    world.ledger.proof_failure = LedgerError("AWS does not allow it")
    first = world.release(1)
    world.run(60)
    assert world.state.status is Status.VERIFIED
    assert world.ledger.proofs == []
    assert 5 <= len(world.events("proof_not_written")) <= 8
    world.ledger.proof_failure = None
    world.run(15)
    assert [proof.release_id for proof in world.ledger.proofs] == [first]


# Runs that are counted


def count(world: World, number: int) -> Usage:
    """Write what a dag-processor writes."""
    found = Usage(counted_at=world.clock.utc(), runs={"a" * 64: number})
    world.home.mkdir(exist_ok=True)
    usage.write(world.home / usage.FILE, found)
    return found


def test_nobody_counts_beside_a_worker(world: World) -> None:
    world.run(60)
    assert {proof.usage for proof in world.ledger.proofs} == {None}


def test_a_count_is_in_the_proof(world: World) -> None:
    world.agent.turn()
    counted = count(world, 1)
    world.run(5)
    assert world.proof.usage == counted


def test_a_count_changes_the_proof_once_a_minute(world: World) -> None:
    """However often the file is written: the code of DAGs can do that, too."""
    world.release(1)
    world.agent.turn()
    proofs = len(world.ledger.proofs)
    for number in range(240):
        count(world, number)
        world.run(1)
    assert len(world.ledger.proofs) - proofs == 4
    assert world.proof.usage
    # Seen first after 4 seconds, then a minute later each.
    assert world.proof.usage.runs["a" * 64] == 184


def test_every_minute_has_its_count(world: World) -> None:
    """The dag-processor writes one a minute, and each gets into a proof within seconds."""
    world.agent.turn()
    for number in range(5):
        counted = count(world, number)
        world.run(6)
        assert world.proof.usage == counted
        world.run(54)


@pytest.mark.parametrize("content", [None, "rubbish"])
def test_the_last_count_stays_and_gets_old(world: World, content: str | None) -> None:
    """Whoever reads it sees its date."""
    counted = count(world, 1)
    world.run(5)
    (world.home / usage.FILE).unlink()
    if content:
        (world.home / usage.FILE).write_text(content)
    world.release(1)
    world.run(100)
    assert (world.proof.sequence, world.proof.usage) == (1, counted)


# Requests for versions


def older(world: World) -> str:
    """Return a published version that the task does not hold."""
    world.release(9)
    world.agent.turn()
    return world.publish(1)


def test_a_version_that_is_asked_for(world: World) -> None:
    version = older(world)
    state.request(world.requests, version)
    world.run(0.4, step=0.2)
    assert (world.local / version).is_dir()
    assert state.requested(world.requests) == []
    assert version in world.proof.versions


def test_a_version_that_is_here_is_answered_without_a_question(world: World) -> None:
    version = older(world)
    state.request(world.requests, version)
    world.run(1)
    world.ledger.failure = LedgerBusy("busy")
    world.ledger.asked.clear()
    state.request(world.requests, version)
    world.agent.turn()
    assert (state.requested(world.requests), world.ledger.asked) == ([], [])


def test_a_version_that_differs_is_refused_for_good(world: World) -> None:
    version = older(world)
    damage(world.storage / version / "tree" / "data.bin")
    for _ in range(3):
        state.request(world.requests, version)
        world.run(60)
    assert state.requested(world.requests) == []
    assert state.problem(world.local, version) == f"mismatch: {version[:12]}: 1 changed (data.bin)"
    # It is no concern of what this task follows.
    assert world.state.status is Status.VERIFIED
    state.request(world.requests, version)
    world.ledger.asked.clear()
    world.agent.turn()
    assert state.requested(world.requests) == []


def test_a_version_that_nobody_published(world: World) -> None:
    """It is never looked for in the storage: the name would stay away once it is published."""
    world.agent.turn()
    world.view = Remembering(world.clock.seconds)
    world.begin()
    state.request(world.requests, "f" * 64)
    world.run(1)
    assert state.requested(world.requests) == []
    assert state.problem(world.local, "f" * 64) == "unknown: the ledger has no such release"
    assert world.view.negative == {}


def test_a_version_that_was_collected(world: World) -> None:
    version = older(world)
    world.ledger.recorded[version] = replace(release(version), state="collected")
    state.request(world.requests, version)
    world.run(1)
    assert state.problem(world.local, version) == "gone: the release was collected"
    assert state.requested(world.requests) == []


def test_a_version_that_does_not_come(world: World) -> None:
    """It is given up, so that nobody waits for ever; whoever asks again starts anew."""
    version = older(world)
    (world.storage / version).rename(world.storage / "away")
    state.request(world.requests, version)
    world.run(GIVE_UP_SECONDS - 5)
    assert state.requested(world.requests) == [version]
    world.run(30)
    assert state.requested(world.requests) == []
    assert state.problem(world.local, version) == "waiting: the file system does not show it yet"
    (world.storage / "away").rename(world.storage / version)
    state.request(world.requests, version)
    world.run(1)
    assert (world.local / version).is_dir()
    assert state.problem(world.local, version) is None


def test_a_version_while_the_ledger_is_busy(world: World) -> None:
    version = older(world)
    world.ledger.failure = LedgerBusy("busy")
    state.request(world.requests, version)
    world.ledger.asked.clear()
    world.run(20, step=0.2)
    assert state.requested(world.requests) == [version]
    assert world.ledger.asked.count(f"release {version[:2]}") <= 5
    world.ledger.failure = None
    world.run(6)
    assert (world.local / version).is_dir()


def test_a_flood_of_requests_does_not_flood_the_ledger(world: World) -> None:
    """The code of DAGs can write requests; what the agent follows goes on."""
    world.release(1)
    world.agent.turn()
    for number in range(3 * MAX_REQUESTS):
        state.request(world.requests, f"{number:064x}")
    world.ledger.asked.clear()
    second = world.release(2)
    world.run(10, step=0.2)
    assert len([each for each in world.ledger.asked if each.startswith("release")]) <= 60
    assert world.state.serving == second


def test_room_for_what_is_current_comes_first(tmp_path: Path) -> None:
    world = World(tmp_path, budget=3 * 6 * 4096)
    first = world.release(1)
    world.agent.turn()
    for number in range(2, 6):
        world.clock.now += FRESH_SECONDS + 1
        last = world.release(number)
        world.run(10)
    assert world.state.serving == last
    assert len(world.copies.held) <= 3
    assert first not in world.copies.held


# A new agent in the same task


def test_an_agent_that_is_started_again_goes_on(world: World) -> None:
    first = world.release(1)
    world.run(10)
    world.ledger.failure = LedgerBusy("busy")
    world.begin()
    world.run(10)
    assert world.state.serving == first
    assert state.unhealthy(world.local) is None
    world.ledger.failure = None
    world.run(30)
    assert (world.state.serving, world.state.status) == (first, Status.VERIFIED)


def test_an_agent_that_is_started_again_finds_what_was_damaged_meanwhile(world: World) -> None:
    first = world.release(1)
    world.run(10)
    world.damage(first)
    world.begin()
    world.agent.turn()
    assert (world.state.serving, world.state.status) == (first, Status.MISMATCH)
    assert state.problem(world.local, first) == f"mismatch: {first[:12]}: 1 changed (data.bin)"


def test_what_was_served_and_is_gone_is_served_no_more(world: World) -> None:
    first = world.release(1)
    world.run(10)
    remove(world.local / first)
    world.ledger.failure = LedgerBusy("busy")
    world.begin()
    world.run(1)
    assert world.state.serving == ""


# The loop


class Enough(BaseException):
    """Ends a loop that has no end."""


def test_nothing_ends_the_loop(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    turns = iter([OSError(errno.ENOSPC, "No space left on device"), ValueError("x"), None, Enough()])

    def turn() -> None:
        if failure := next(turns):
            raise failure

    begin = world.agent.begin
    begins = iter([PermissionError(errno.EACCES, "Permission denied")])

    def beginning() -> None:
        if failure := next(begins, None):
            raise failure
        begin()

    monkeypatch.setattr(world.agent, "turn", turn)
    monkeypatch.setattr(world.agent, "begin", beginning)
    with pytest.raises(Enough):
        world.agent.run()
    assert [(line["status"], line["detail"]) for line in world.events("release_problem")] == [
        ("agent", "PermissionError(13, 'Permission denied')"),
        ("agent", "OSError(28, 'No space left on device')"),
        ("agent", "ValueError('x')"),
    ]


# One hundred readers


def test_one_hundred_readers_see_one_release_each_while_the_pointer_moves(tmp_path: Path) -> None:
    """Each of them takes what is served and reads every file of it: all are of that release."""
    world = World(tmp_path)
    files = 10
    ids: dict[str, bytes] = {}
    for number in range(5):
        content = b"release = %d" % number
        items = tuple((f"f{each}.py", content, False) for each in range(files))
        ids[publish(world.storage, items).release_id] = content
    order = list(ids)
    world.ledger.point(order[0])
    world.agent.turn()
    seen: list[tuple[str, set[bytes]]] = []
    done = threading.Event()

    def read() -> None:
        # Not all the time: they would keep the agent from moving.
        while not done.wait(0.1):
            served = state.read(world.local)
            assert served
            copy = world.local / served.serving
            seen.append((served.serving, {path.read_bytes() for path in copy.iterdir()}))

    readers = [threading.Thread(target=read) for _ in range(100)]
    for reader in readers:
        reader.start()
    for number in range(40):
        world.ledger.point(order[number % len(order)])
        world.clock.now += 6
        world.agent.turn()
        time.sleep(0.02)
    done.set()
    for reader in readers:
        reader.join()
    assert len(seen) >= 100
    assert {release_id for release_id, _ in seen} == set(order)
    assert [each for each in seen if each[1] != {ids[each[0]]}] == []


# The real ledger


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with simulation() as session:
        yield session.client("dynamodb", config=ledger_table.NO_PATIENCE)


def test_with_the_ledger_itself(world: World, client: Any) -> None:
    ledger = Ledger(TABLE, ledger_table.empty(client))
    world.ledger = ledger  # type: ignore[assignment]
    world.begin()
    world.agent.turn()
    assert world.state.serving == EMPTY
    first = publish(world.storage, sized(1, 10)).release_id
    ledger.record_release(release(first))
    pointer = moved(ledger, None, first)
    token = ledger.request_verify(START)
    world.run(6)
    (proof,) = ledger.proofs(["worker"])
    assert (proof.release_id, proof.computed_id, proof.sequence) == (first, first, pointer.sequence)
    assert (proof.status, proof.request, proof.task_id) == ("verified", token, WHO.task_id)
    client.delete_table(TableName=TABLE)
    world.run(LEDGER_SECONDS + 40)
    assert (world.state.status, world.state.serving) == (Status.NO_LEDGER, first)
    assert world.state.detail.startswith(f"cannot read the ledger: there is no table {TABLE} in eu-west-1")


# Who the task is

TASK = {
    "Cluster": "airflow-dev",
    "TaskARN": "arn:aws:ecs:eu-west-1:123456789012:task/airflow-dev/0123456789abcdef",
    "Family": "airflow-dev-worker",
    "ServiceName": "airflow-dev-worker-default",
    "Containers": [
        {
            "DockerId": "0123-99",
            "Name": "log",
            "Image": "x",
            "ImageID": "sha256:9",
        },
        {
            "DockerId": "0123-11",
            "Name": "release-agent",
            "Image": "1.dkr.ecr.eu-west-1.amazonaws.com/airflow@sha256:1",
            "ImageID": "sha256:2",
        },
    ],
}
URI = {"ECS_CONTAINER_METADATA_URI_V4": "http://169.254.170.2/v4/0123-11"}


def ask(task: object, environment: dict[str, str] | None = None) -> Identity:
    return identity.read(URI if environment is None else environment, lambda _url: json.dumps(task).encode())


def test_identity() -> None:
    assert ask(TASK) == Identity(
        service="airflow-dev-worker-default", task_id="0123456789abcdef", image_digest="sha256:1"
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"ServiceName": ""}, replace(WHO, service="airflow-dev-worker")),
        (
            {"Containers": TASK["Containers"][:1]},
            replace(WHO, service="airflow-dev-worker-default", image_digest="sha256:9"),
        ),
        ({"Containers": []}, replace(WHO, service="airflow-dev-worker-default", image_digest="")),
    ],
    ids=["no service", "another container", "no container"],
)
def test_identity_without_everything(changes: dict[str, Any], expected: Identity) -> None:
    assert ask(TASK | changes) == expected


@pytest.mark.parametrize(
    "answer", [[], {}, {"TaskARN": ""}, {"TaskARN": "a/b"}], ids=["list", "empty", "no arn", "no family"]
)
def test_an_answer_that_lacks_something(answer: object) -> None:
    with pytest.raises(IdentityError, match="lacks what a proof needs"):
        ask(answer)


@pytest.mark.parametrize("uri", ["", "file:///etc/passwd", "https://example.com"])
def test_no_address(uri: str) -> None:
    with pytest.raises(IdentityError, match="only ECS starts the release agent"):
        ask(TASK, {identity.METADATA: uri})


def test_ecs_that_answers_late() -> None:
    failures: list[Exception] = [TimeoutError("timed out"), OSError("refused"), ValueError("no JSON")]
    pauses: list[float] = []

    def fetch(url: str) -> bytes:
        assert url == "http://169.254.170.2/v4/0123-11/task"
        if failures:
            raise failures.pop(0)
        return json.dumps(TASK).encode()

    assert identity.read(URI, fetch, pauses.append).task_id == "0123456789abcdef"
    assert pauses == [1, 1, 1]


def test_ecs_that_never_answers() -> None:
    def fetch(_url: str) -> bytes:
        raise TimeoutError("timed out")

    with pytest.raises(
        IdentityError, match=r"^http://169.254.170.2/v4/0123-11/task does not answer: timed out$"
    ):
        identity.read(URI, fetch, lambda _seconds: None)


class Metadata(BaseHTTPRequestHandler):
    """ECS's answer."""

    def do_GET(self) -> None:
        found = self.path == "/v4/0123-11/task"
        self.send_response(200 if found else 404)
        self.end_headers()
        self.wfile.write(json.dumps(TASK).encode() if found else b"")

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def metadata() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Metadata)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v4/0123-11"
    server.shutdown()
    thread.join()
    server.server_close()


def test_identity_over_http(metadata: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a proxy is configured."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert identity.read({identity.METADATA: metadata}).task_id == "0123456789abcdef"


# The command


def environment(world: World) -> dict[str, str]:
    return {
        "PLATFORM_DAG_STORAGE_PATH": str(world.storage),
        "PLATFORM_RELEASES_PATH": str(world.local),
        "PLATFORM_LEDGER_TABLE": TABLE,
        "AIRFLOW_HOME": str(world.home),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(world.home / "bundles"),
    }


def test_settings(world: World) -> None:
    found = agent_command.settings(environment(world))
    assert found == agent_command.Settings(
        storage=world.storage,
        local=world.local,
        home=world.home,
        tracking=world.home / "bundles" / "_tracking" / "dags",
        table=TABLE,
        budget_bytes=2048 * MIB,
        verify_seconds=300,
    )


def test_settings_that_are_wrong() -> None:
    with pytest.raises(Refusal) as raised:
        agent_command.settings({"PLATFORM_RELEASE_VERIFY_SECONDS": "0"})
    assert raised.value.problems == [
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH is missing",
        "PLATFORM_DAG_STORAGE_PATH is missing",
        "PLATFORM_RELEASES_PATH is missing",
        "AIRFLOW_HOME is missing",
        "PLATFORM_LEDGER_TABLE is missing",
        "PLATFORM_RELEASE_VERIFY_SECONDS: want a whole number from 1 to 3600",
    ]


def test_what_the_variables_say_is_put_together(
    world: World, client: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = Ledger(TABLE, ledger_table.empty(client))
    given = agent_command.settings(environment(world) | {"PLATFORM_RELEASE_VERIFY_SECONDS": "7"})
    agent = agent_command.agent(given, WHO)
    agent.begin()
    agent.turn()
    (proof,) = ledger.proofs(["worker"])
    assert (proof.release_id, proof.task_id) == (EMPTY, WHO.task_id)
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line) == {
        "event": "release_state",
        "status": "verified",
        "sequence": 0,
        "release_id": EMPTY,
        "serving": EMPTY,
        "detail": "",
    }


def command(*words: str, given: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the program as the image does."""
    return subprocess.run(
        [sys.executable, ROOT / "images" / "airflow" / "bin" / "platform-release-agent", *words],
        env=given | {"PYTHONPATH": str(ROOT / "images" / "airflow"), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_program_without_a_word() -> None:
    answer = command(given={})
    assert (answer.returncode, answer.stderr) == (78, "usage: platform-release-agent run|healthy\n")


def test_the_program_without_variables() -> None:
    answer = command("run", given={})
    assert answer.returncode == 78
    assert "platform-release-agent: PLATFORM_LEDGER_TABLE is missing\n" in answer.stderr


def test_the_program_outside_of_ecs(world: World) -> None:
    answer = command("run", given=environment(world))
    assert answer.returncode == 1
    assert answer.stderr == (
        "platform-release-agent: ECS_CONTAINER_METADATA_URI_V4 is no address: only ECS starts the release agent\n"
    )


def test_the_health_check(world: World) -> None:
    given = environment(world)
    assert command("healthy", given=given).stdout == "the release agent has not begun\n"
    world.agent.turn()
    answer = command("healthy", given=given)
    assert (answer.returncode, answer.stdout) == (0, "healthy\n")


HEAVY = "import sys; sys.argv = ['x', 'healthy']; from platform_runtime.releases.agent_command import main; main()"


def test_the_health_check_imports_nothing_heavy(world: World) -> None:
    """ECS runs it all the time."""
    world.agent.turn()
    answer = subprocess.run(
        [
            sys.executable,
            "-c",
            f"{HEAVY}; print([m for m in ('boto3', 'botocore', 'airflow') if m in sys.modules])",
        ],
        env=environment(world) | {"PYTHONPATH": str(ROOT / "images" / "airflow")},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert answer.stdout == "healthy\n[]\n"


def test_sigterm_ends_it_at_once(world: World, metadata: str) -> None:
    """Whatever it waits for: here a ledger that does not answer."""
    given = environment(world) | ledger_table.CREDENTIALS
    given |= {identity.METADATA: metadata, "AWS_ENDPOINT_URL": "http://10.255.255.1:1"}
    process = subprocess.Popen(
        [sys.executable, ROOT / "images" / "airflow" / "bin" / "platform-release-agent", "run"],
        env=given | {"PYTHONPATH": str(ROOT / "images" / "airflow"), "PATH": os.environ["PATH"]},
    )
    try:
        wait_for((world.local / state.HEARTBEAT).exists)
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert time.monotonic() - begun < 2
    finally:
        process.kill()


def wait_for(there: Callable[[], bool], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < until
        time.sleep(0.05)
