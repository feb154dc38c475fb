"""What readers have while everything around them moves: real publisher, real agents, whole releases.

Not proved here: that Airflow's processes read what is served; `test_readers_parsing.py` runs them.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from images.airflow.platform_runtime.releases import state
from images.airflow.platform_runtime.releases.agent import SETTLE_SECONDS, VERIFY_SECONDS
from images.airflow.platform_runtime.releases.archive import remove
from images.airflow.platform_runtime.releases.copies import FRESH_SECONDS, Mounted
from images.airflow.platform_runtime.releases.state import Status
from images.airflow.platform_runtime.releases.tree import scan
from tests.releases.publishing import Shelf, store
from tests.releases.test_agent import MIB, World
from tests.releases.test_copies import Remembering, damage, publish
from tests.releases.trees import Item, manifest_of

OLD: tuple[Item, ...] = (
    ("etl.py", b"x = 1\n", False),
    ("bin/run", b"#!/bin/sh\n", True),
    ("bin/current", "run", False),
    ("sql/daily/a.sql", b"select 1", False),
    ("straße/ü.py", b"1", False),
    ("sql/latest", "daily", False),
)


class Container(World):
    """A task whose storage a real publisher fills."""

    def __init__(self, root: Path, shelf: Shelf, budget: int = 100 * MIB) -> None:
        root.mkdir()
        super().__init__(root, budget=budget)
        self.storage.rmdir()
        self.storage = shelf.root
        self.begin()

    def served(self) -> str:
        """Return the id of what readers find, computed from what lies there."""
        return scan(self.local / self.state.serving).release_id


def edited(*changes: tuple[str, Item | None]) -> tuple[Item, ...]:
    """Return the tree after entries were replaced, or removed."""
    named = dict(changes)
    kept = [named.get(item[0], item) for item in OLD]
    paths = {item[0] for item in OLD}
    new = [item for path, item in named.items() if path not in paths]
    return tuple(item for item in [*kept, *new] if item)


EDITS: dict[str, tuple[Item, ...]] = {
    "same size": edited(("etl.py", ("etl.py", b"x = 2\n", False))),
    "delete": edited(("sql/daily/a.sql", None), ("sql/latest", None)),
    "rename": edited(("etl.py", ("load.py", b"x = 1\n", False))),
    "case-only rename": edited(("etl.py", ("ETL.py", b"x = 1\n", False))),
    "case-only rename of a folder": edited(("straße/ü.py", ("Straße/ü.py", b"1", False))),
    "executable": edited(("etl.py", ("etl.py", b"x = 1\n", True))),
    "no longer executable": edited(("bin/run", ("bin/run", b"#!/bin/sh\n", False))),
    "a link becomes its file": edited(("bin/current", ("bin/current", b"#!/bin/sh\n", True))),
    "a file becomes a link": edited(("straße/ü.py", ("straße/ü.py", "../etl.py", False))),
    "a link leads elsewhere": edited(("bin/current", ("bin/current", "../etl.py", False))),
    "a folder becomes a file": edited(("straße/ü.py", ("straße", b"1", False))),
    "a file becomes a folder": edited(("etl.py", ("etl.py/x.py", b"x = 1\n", False))),
    "content moves between files": edited(
        ("etl.py", ("etl.py", b"1", False)), ("straße/ü.py", ("straße/ü.py", b"x = 1\n", False))
    ),
    "unicode": edited(("日本/ﬀ.py", ("日本/ﬀ.py", "é".encode(), False))),
    "everything goes": (("other.py", b"", False),),
}


@pytest.mark.parametrize("edit", EDITS)
def test_every_edit_arrives(tmp_path: Path, edit: str) -> None:
    """And goes again by a rollback. Times say nothing on the way: every file of the storage has the same."""
    shelf = Shelf(tmp_path / "shelf", OLD, EDITS[edit])
    container = Container(tmp_path / "container", shelf)
    old, new = manifest_of(OLD).release_id, manifest_of(EDITS[edit]).release_id
    for release_id in (old, new):
        shelf.publisher().publish(release_id)
        for path in (shelf.root / release_id).rglob("*"):
            os.utime(path, (1, 1), follow_symlinks=False)
    for sequence, release_id in enumerate((old, new, old), 1):
        container.ledger.point(release_id)
        container.run(5)
        assert (container.state.status, container.state.sequence) == (Status.VERIFIED, sequence)
        assert container.served() == release_id
        assert (container.proof.computed_id, container.proof.sequence) == (release_id, sequence)
    assert scan(container.local / new) == manifest_of(EDITS[edit])


def test_ten_thousand_files(tmp_path: Path) -> None:
    """From the archive to the copy, and the next release with one other byte."""
    first: list[Item] = [(f"f{n % 100}/{n}.py", b"%d" % n, False) for n in range(10_000)]
    second = [*first[:4242], ("f42/4242.py", b"4243", False), *first[4243:]]
    shelf = Shelf(tmp_path / "shelf")
    container = Container(tmp_path / "container", shelf, budget=1000 * MIB)
    for items in (first, second):
        release_id = store(shelf.bucket, tuple(items))
        assert shelf.publisher().publish(release_id).files == 10_000
        container.ledger.point(release_id)
        container.run(5)
        assert (container.state.status, container.served()) == (Status.VERIFIED, release_id)
        assert (container.proof.files, container.proof.computed_id) == (10_000, release_id)


# A container that starts while the pointer moves


class Moving(Mounted):
    """A storage where something happens before a file is opened."""

    def __init__(self, at: int, what: Callable[[], None]) -> None:
        self.opened, self._at, self._what = 0, at, what

    def open(self, path: Path) -> BinaryIO:
        self.opened += 1
        if self.opened == self._at:
            self._what()
        return super().open(path)


@pytest.mark.parametrize("at", range(1, 6))
def test_a_container_starts_while_the_pointer_moves(tmp_path: Path, at: int) -> None:
    """Before any file that it reads, the manifest among them: it has what it began with, then what is current."""
    world = World(tmp_path)
    first, second = (publish(world.storage, items).release_id for items in (OLD, EDITS["same size"]))
    world.ledger.point(first)
    view = Moving(at, lambda: world.ledger.point(second))
    world.view = view
    world.begin()
    assert state.unhealthy(world.local) == "no release was verified yet: nothing was read"
    world.agent.turn()
    assert (world.state.serving, world.state.sequence, world.state.status) == (first, 1, Status.VERIFIED)
    assert (world.proof.release_id, world.proof.computed_id, world.proof.sequence) == (first, first, 1)
    assert scan(world.local / first).release_id == first
    world.run(5)
    assert (world.state.serving, world.state.sequence) == (second, 2)
    assert (world.proof.release_id, world.proof.sequence) == (second, 2)
    assert scan(world.local / second).release_id == second


def test_what_a_container_starts_with_is_collected_while_it_copies(tmp_path: Path) -> None:
    """The pointer has left it, so it may go: the container never has half of it, and takes the next one."""
    world = World(tmp_path)
    first, second = (publish(world.storage, items).release_id for items in (OLD, EDITS["same size"]))
    world.ledger.point(first)

    def collect() -> None:
        world.ledger.point(second)
        (world.storage / first).rename(tmp_path / "trash")

    world.view = Moving(3, collect)
    world.begin()
    world.agent.turn()
    assert (world.state.serving, world.state.status) == ("", Status.WAITING)
    assert not (world.local / first).exists()
    assert state.unhealthy(world.local) is not None
    world.run(10)
    assert (world.state.serving, world.state.status) == (second, Status.VERIFIED)
    assert world.events("release_problem") == []


# The network's file system


@settings(max_examples=40)
@given(
    early=st.integers(0, 40),
    stale=st.dictionaries(
        st.sampled_from(["etl.py", "bin/run", "sql/daily/a.sql", "straße/ü.py", "../manifest.json"]),
        st.tuples(st.integers(0, 12), st.integers(0, 60)),
    ),
)
def test_whatever_a_client_remembers(early: int, stale: dict[str, tuple[int, int]]) -> None:
    """The release becomes visible late, some of its files with old sizes for up to a minute.

    Nothing but the whole release is ever served, none of it is called a mismatch, and no client waits for longer than
    it remembers and the agent takes to try again.
    """
    with TemporaryDirectory() as folder:
        world = World(Path(folder))
        release_id = publish(world.storage, OLD).release_id
        (world.storage / release_id).rename(world.storage / "away")
        view = Remembering(world.clock.seconds)
        world.view = view
        world.begin()
        world.ledger.point(release_id)
        if early:
            world.run(early - 1)
        (world.storage / "away").rename(world.storage / release_id)
        tree = world.storage / release_id / "tree"
        for path, (size, seconds) in stale.items():
            place = Path(os.path.normpath(tree / path))
            view.sizes[place] = size, world.clock.now + seconds
        visible = world.clock.now
        served: set[str] = set()
        while release_id not in served:
            world.run(1)
            served.add(world.state.serving)
            assert world.clock.now - visible <= SETTLE_SECONDS + 25
            assert world.state.status is not Status.MISMATCH
        assert served <= {"", release_id}
        assert scan(world.local / release_id).release_id == release_id
        assert world.events("release_problem") == []


def test_a_client_that_asked_for_nothing_remembers_nothing(tmp_path: Path) -> None:
    """A fleet that has polled for an hour sees a new release at the first look: no name was tried before its time."""
    world = World(tmp_path)
    world.view = Remembering(world.clock.seconds)
    world.begin()
    world.run(3600, step=5)
    release_id = publish(world.storage, OLD).release_id
    world.ledger.point(release_id)
    world.run(5)
    assert (world.state.serving, world.state.status) == (release_id, Status.VERIFIED)


# One of several containers


def test_one_copy_of_several_is_damaged(tmp_path: Path) -> None:
    """It is found within a period, in the proof of that container and in no other; the storage is not read for it."""
    shelf = Shelf(tmp_path / "shelf", OLD)
    release_id = manifest_of(OLD).release_id
    shelf.publisher().publish(release_id)
    fleet = [Container(tmp_path / f"container{number}", shelf) for number in range(3)]
    for container in fleet:
        container.ledger.point(release_id)
        container.run(5)
    remove(shelf.root / release_id)
    damage(fleet[1].local / release_id / "sql/daily/a.sql")
    for container in fleet:
        container.run(VERIFY_SECONDS)
    found = [(container.proof.status, container.proof.detail) for container in fleet]
    wrong = ("mismatch", f"{release_id[:12]}: 1 changed (sql/daily/a.sql)")
    assert found == [("verified", ""), wrong, ("verified", "")]


# A long run


def test_a_clean_up_beside_a_long_run(tmp_path: Path) -> None:
    """It reads its version for hours, while releases come and go on the storage and on a scratch for three of them."""
    trees = [tuple((f"{n}.py", b"%d" % number, False) for n in range(9)) for number in range(12)]
    shelf = Shelf(tmp_path / "shelf", *trees)
    container = Container(tmp_path / "container", shelf, budget=3 * 25 * 4096)
    first = manifest_of(trees[0]).release_id
    shelf.publisher().publish(first)
    container.ledger.point(first)
    container.run(5)
    container.tracking.mkdir(exist_ok=True)
    reads: list[str] = []
    with (container.tracking / first).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        with _Reading(container.local / first, reads):
            for items in trees[1:]:
                release_id = manifest_of(items).release_id
                shelf.publisher().publish(release_id)
                container.ledger.point(release_id)
                container.run(FRESH_SECONDS + VERIFY_SECONDS, step=20)
                shelf.publisher().collect([release_id], 0)
                assert (container.state.serving, container.state.status) == (release_id, Status.VERIFIED)
                assert {first, release_id} <= set(container.proof.versions)
                assert len(container.proof.versions) <= 3
    assert set(reads) == {first}
    assert shelf.visible() == {release_id}
    # The run has ended, and its copy is the longest unused one.
    for items in trees[9:11]:
        shelf.publisher().publish(manifest_of(items).release_id)
        container.ledger.point(manifest_of(items).release_id)
        container.run(FRESH_SECONDS + VERIFY_SECONDS, step=20)
    assert first not in container.copies.held
    assert not (container.local / first).exists()


class _Reading:
    """Reads a copy in full, again and again, in a thread of its own."""

    def __init__(self, copy: Path, reads: list[str]) -> None:
        self._copy, self._reads = copy, reads
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._read)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _read(self) -> None:
        while True:
            self._reads.append(scan(self._copy, readers=1).release_id)
            if self._done.wait(0.002):
                return
