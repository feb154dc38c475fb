"""Publisher, ledger, clean-up and copies against each other, in any order, each of them ended at any step.

What holds at every moment: a release that readers can find is whole, the pointer's release is there, and so is what
live runs need; a run reads the tree on which it started, whatever becomes of the release. The clean-up knows the runs
by what was counted at some time, and by nothing else; only the current release and the one before it stay as the last.

Not proved here: delays of a network file system between publisher and readers; all of them see one folder at once.
Neither is a run of an old release that somebody begins again after the last count.
"""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from images.airflow.platform_runtime.releases import keeping, publisher_command
from images.airflow.platform_runtime.releases.archive import remove
from images.airflow.platform_runtime.releases.collecting import Tools
from images.airflow.platform_runtime.releases.copies import Copies
from images.airflow.platform_runtime.releases.ledger import (
    GENESIS,
    Ledger,
    NotPublished,
    Pointer,
    PointerMoved,
)
from images.airflow.platform_runtime.releases.publisher import STAGING
from images.airflow.platform_runtime.releases.publisher_command import DONE, FAILED
from images.airflow.platform_runtime.releases.usage import Usage
from tests.releases.ledger_table import TABLE, empty, moved, proof, simulation
from tests.releases.publishing import DAY, OTHER, SMALL, Clock, Crash, Killed, Shelf, Steps, expected
from tests.releases.trees import Item, manifest_of, snapshot

RELEASES: Final[tuple[tuple[Item, ...], ...]] = (
    SMALL,
    # The same size, other content; then another mode, another name, a link instead of a file.
    (("daily.py", b"print('DAILY')\n", False), *SMALL[1:]),
    (("daily.py", b"print('daily')\n", True), *SMALL[1:]),
    OTHER,
    (("Daily.py", b"print('daily')\n", False), ("daily", "Daily.py", False)),
)
IDS: Final = [manifest_of(items).release_id for items in RELEASES]
MOST_STEPS: Final = 36
"""More than any command here takes."""
READERS: Final = ["--readers", "worker"]

ids = st.sampled_from(IDS)
steps = st.integers(0, MOST_STEPS)
days = st.sampled_from([0, 0, 0, 30])
often = st.sampled_from([True, True, True, False])
kept = st.sets(ids, max_size=2)


@dataclass
class Run:
    """A run of a DAG: its process has locked the version that it started with, as Airflow's does."""

    release_id: str
    lock: int


class Platform(RuleBasedStateMachine):
    """A storage, a ledger, one container with its copies, and runs in it."""

    client: Any

    @initialize()
    def begin(self) -> None:
        self._folder = Path(tempfile.mkdtemp())
        self.shelf = Shelf(self._folder, *RELEASES)
        self.ledger = Ledger(TABLE, empty(self.client))
        self.clock = Clock()
        self.tracking = self._folder / "tracking"
        self.copies = Copies(
            self.shelf.root,
            self._folder / "local",
            budget_bytes=150_000,
            tracking=self.tracking,
            now=self.clock,
        )
        self.copies.adopt()
        self.runs: list[Run] = []
        self.pointers: list[Pointer] = []
        self.published: set[str] = set()
        """What the pointer can move to, after the last rule."""
        for release_id in (IDS[0], IDS[3]):
            assert self.command("publish", release_id)[0] == DONE
            self.pointers.append(self.move(release_id))

    def teardown(self) -> None:
        for run in self.runs:
            os.close(run.lock)
        remove(self._folder)

    @property
    def current(self) -> Pointer | None:
        return self.pointers[-1] if self.pointers else None

    def published_now(self) -> set[str]:
        """Return what the pointer can move to."""
        return {each.release_id for each in self.ledger.releases() if each.state == "published"}

    @property
    def needed(self) -> set[str]:
        """Return what live runs need, in containers that have no copy of it yet."""
        return {run.release_id for run in self.runs}

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock(), UTC)

    def move(self, release_id: str, **more: Any) -> Pointer:
        return moved(self.ledger, self.current, release_id, now=self.now, **more)

    def command(
        self, *words: str, steps: Callable[[str], None] = lambda _: None
    ) -> tuple[int, dict[str, Any]]:
        """Run the publisher's command; return its exit code and its last line."""
        publisher = self.shelf.publisher(now=self.clock, steps=steps)
        tools = Tools(publisher=publisher, ledger=self.ledger, now=self.clock)
        said = StringIO()
        with patch("sys.argv", ["platform-publisher", *words]), redirect_stdout(said):
            code = publisher_command.main(lambda _: tools)
        return code, json.loads(said.getvalue().splitlines()[-1])

    def beside(self, at: int, action: Callable[[], object]) -> Steps:
        """Do something in the middle of a command, in the same moment by every clock."""
        before = set(self.shelf.root.iterdir())

        def act() -> None:
            for path in set(self.shelf.root.glob(f"{STAGING}*")) - before:
                os.utime(path, (self.clock(), self.clock()))
            action()

        return Steps(at, act)

    @property
    def counted(self) -> bool:
        """Say whether there is a count that is believed."""
        return any(each.usage and each.usage.is_fresh(self.now) for each in self.ledger.proofs(["worker"]))

    def collecting(self, keep: set[str], days: int) -> list[str]:
        return ["collect", "--older-than-days", str(days), *READERS, "--keep", *keep]

    # The publisher

    @rule(release_id=ids, readers=st.sampled_from([[], READERS]))
    def publish(self, release_id: str, readers: list[str]) -> None:
        there = self.shelf.visible()
        code, answer = self.command("publish", release_id, *readers)
        assert (code, answer.get("already")) == (DONE, release_id in there), answer
        assert ("skipped" in answer["collection"]) == (not readers or not self.counted)
        assert release_id not in answer["collection"].get("collected", [])
        assert release_id in self.published_now() & self.shelf.visible()
        assert set(self.shelf.beside()) <= {".trash-"}

    @rule(release_id=ids, at=steps)
    def die_while_publishing(self, release_id: str, at: int) -> None:
        there = self.shelf.visible()
        with suppress(Killed):
            self.command("publish", release_id, steps=Crash(at))
        assert there <= self.shelf.visible() <= there | {release_id}

    @rule(release_id=ids, other=ids, at=steps)
    def publish_at_once(self, release_id: str, other: str, at: int) -> None:
        def publish() -> None:
            code, answer = self.command("publish", other)
            # While the other one puts leftovers aside it would wait, and here it waits in vain.
            assert code == DONE or "has been at work" in answer["error"]

        assert self.command("publish", release_id, steps=self.beside(at, publish))[0] == DONE
        assert self.published_now() >= {release_id} | self.published

    @rule(release_id=ids, at=steps, keep=kept, days=days)
    def collect_while_publishing(self, release_id: str, at: int, keep: set[str], days: int) -> None:
        self.count_runs()

        def collect() -> None:
            assert self.command(*self.collecting(keep, days))[0] in {DONE, FAILED}

        assert self.command("publish", release_id, steps=self.beside(at, collect))[0] == DONE
        assert release_id in self.published_now() & self.shelf.visible()

    # The clean-up

    @rule(keep=kept, days=days, counted=often)
    def collect(self, keep: set[str], days: int, counted: bool) -> None:
        if counted:
            self.count_runs()
        there = self.shelf.visible()
        code, answer = self.command(*self.collecting(keep, days))
        assert (code, answer.get("refused")) == ((DONE, []) if self.counted else (FAILED, None)), answer
        gone = set(answer.get("collected", []))
        assert self.shelf.visible() == there - gone
        assert not gone & (keep | self.needed)
        states = {each.release_id: each.state for each in self.ledger.releases()}
        assert all(states.get(each, "collected") == "collected" for each in gone)
        assert all(each in self.shelf.visible() for each, state in states.items() if state == "collecting")
        # Who does not know the runs looks at nothing.
        assert set(self.shelf.beside()) <= {".trash-"} or code == FAILED

    @rule(keep=kept, at=st.integers(0, 5))
    def die_while_collecting(self, keep: set[str], at: int) -> None:
        self.count_runs()
        there = self.shelf.visible()
        with suppress(Killed):
            self.command(*self.collecting(keep, 0), steps=Crash(at))
        assert there >= self.shelf.visible() >= there & (keep | self.needed)

    @rule(release_id=ids, keep=kept, at=st.integers(0, 5), on=st.booleans())
    def release_while_collecting(self, release_id: str, keep: set[str], at: int, on: bool) -> None:
        """Move the pointer in the middle of a clean-up: it moves, or the release is gone, never both."""
        self.clock.ahead += 7200
        self.count_runs()
        action = partial(self.release_for_a_moment if on else self.release_if_published, release_id)
        self.command(*self.collecting(keep, 0), steps=self.beside(at, action))

    @rule(release_id=ids, minutes=st.integers(0, 14))
    def release_after_the_count(self, release_id: str, minutes: int) -> None:
        """Begin a run that no count knows, on a release that is left soon after."""
        self.count_runs()
        self.clock.ahead += minutes * 60
        self.release_for_a_moment(release_id)
        assert self.command(*self.collecting(set(), 0))[0] == DONE

    @rule(release_id=ids)
    def collect_beside_a_long_run(self, release_id: str) -> None:
        self.release_for_a_moment(release_id)
        self.clock.ahead += 7200
        self.count_runs()
        assert self.command(*self.collecting(set(), 0))[0] == DONE

    def release_for_a_moment(self, release_id: str) -> None:
        """Make a release the current one, begin a run, and go on to others."""
        if self.release_if_published(release_id):
            self.start_a_run()
            for other in sorted(self.published_now() - {release_id})[:2]:
                self.pointers.append(self.move(other))

    def release_if_published(self, release_id: str) -> bool:
        """Make a release the current one if it is there."""
        there = release_id in self.published_now()
        if there:
            self.pointers.append(self.move(release_id))
        return there

    # The pointer

    @precondition(lambda self: self.published)
    @rule(number=st.integers(0, 9))
    def release(self, number: int) -> None:
        release_id = sorted(self.published)[number % len(self.published)]
        self.pointers.append(self.move(release_id))

    @precondition(lambda self: self.published < set(IDS))
    @rule(number=st.integers(0, 9))
    def release_what_is_not_published(self, number: int) -> None:
        others = sorted(set(IDS) - self.published)
        with pytest.raises(NotPublished):
            self.move(others[number % len(others)])

    @rule(back=st.integers(1, 5))
    def roll_back(self, back: int) -> None:
        release_id = self.pointers[-min(back, len(self.pointers))].previous_release_id
        if release_id in self.published | {GENESIS}:
            self.pointers.append(self.move(release_id, reason="rollback"))
        else:
            with pytest.raises(NotPublished):
                self.move(release_id, reason="rollback")

    @rule(release_id=ids)
    def release_by_a_stale_pointer(self, release_id: str) -> None:
        with pytest.raises(PointerMoved):
            moved(self.ledger, self.pointers[-2], release_id)

    # Readers

    @rule()
    def count_runs(self) -> None:
        """Do what the dag-processor and its agent do."""
        runs = Counter(run.release_id for run in self.runs)
        self.ledger.write_proof(proof(usage=Usage(counted_at=self.now, runs=dict(runs))))

    @rule()
    def start_a_run(self) -> None:
        release_id = self.pointers[-1].release_id
        assert self.copies.ensure(release_id, {release_id}) is None
        self.tracking.mkdir(exist_ok=True)
        lock = os.open(self.tracking / release_id, os.O_RDWR | os.O_CREAT)
        fcntl.flock(lock, fcntl.LOCK_SH)
        self.runs.append(Run(release_id, lock))

    @precondition(lambda self: self.runs)
    @rule(number=st.integers(0, 9))
    def end_a_run(self, number: int) -> None:
        os.close(self.runs.pop(number % len(self.runs)).lock)

    @precondition(lambda self: self.runs)
    @rule(number=st.integers(0, 9))
    def start_another_container(self, number: int) -> None:
        """Copy what a live run needs to where it was never before."""
        release_id = self.runs[number % len(self.runs)].release_id
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            copies = Copies(self.shelf.root, Path(folder), budget_bytes=150_000)
            assert copies.ensure(release_id) is None
            self.must_be_right(copies.path(release_id), release_id)
            remove(copies.path(release_id))

    @rule()
    def prune(self) -> None:
        self.copies.prune({self.pointers[-1].release_id})

    @rule(days=st.sampled_from([0.01, 0.1, 1.5, 31]))
    def wait(self, days: float) -> None:
        self.clock.ahead += days * DAY

    # What always holds

    def must_be_right(self, copy: Path, release_id: str) -> None:
        """Compare a copy with the repository's content."""
        items = self.shelf.releases.get(release_id, ())
        wanted = {path.removeprefix("tree/"): what for path, what in expected(items).items() if "/" in path}
        assert snapshot(copy) == wanted

    @invariant()
    def readers_find_whole_releases(self) -> None:
        self.published = self.published_now()
        assert self.shelf.visible() >= self.published | self.needed - {GENESIS}
        assert not self.current or self.current.release_id in self.published | {GENESIS}
        assert self.ledger.pointer() == self.current

    @invariant()
    def copies_are_right(self) -> None:
        assert not self.copies.broken
        assert self.needed <= set(self.copies.held)
        for release_id in self.copies.held:
            self.must_be_right(self.copies.path(release_id), release_id)


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with simulation() as session:
        yield session.client("dynamodb")


def test_everything_in_any_order(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # No machine goes down here, so nobody has to wait for its disk.
    monkeypatch.setattr(os, "fsync", lambda _: None)
    # Otherwise these few releases would all stay.
    monkeypatch.setattr(keeping, "LAST", 1)
    Platform.client = client
    machine: Any = Platform.TestCase
    machine.settings = settings(
        max_examples=20,
        stateful_step_count=25,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        # Shrinking takes minutes, so what fails is long; add the phase to get it short.
        phases=[Phase.generate],
    )
    machine().runTest()
