"""Copies of releases: exactly the release or nothing, what is in use stays, and no name is tried too early.

The network's file system is played by a view with what its client remembers. Not proved here: that EFS behaves so.
"""

from __future__ import annotations

import errno
import fcntl
import io
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from images.airflow.platform_runtime.releases import copies as module
from images.airflow.platform_runtime.releases.archive import remove
from images.airflow.platform_runtime.releases.copies import (
    FRESH_SECONDS,
    MANIFESTS,
    Copies,
    Mounted,
    NoRoom,
    NotVisible,
)
from images.airflow.platform_runtime.releases.manifest import Manifest, genesis
from images.airflow.platform_runtime.releases.tree import differences, scan
from tests.releases.trees import Item, manifest_of, snapshot, trees, write

MIB = 2**20
BIG = 100 * MIB
TREE: tuple[Item, ...] = (
    ("dag.py", b"import sql.q", False),
    ("sql/q.sql", b"select 1", False),
    ("bin/run", b"#!/bin/sh", True),
    ("ä/日本.py", b"", False),
    ("link.py", "dag.py", False),
    ("latest", "sql", False),
)
EMPTY = genesis().release_id
RELEASES = st.integers(0, 4)


def publish(storage: Path, items: tuple[Item, ...] = TREE) -> Manifest:
    """Put a release into the storage, as its publisher does."""
    manifest = manifest_of(items)
    write(storage / manifest.release_id / "tree", items)
    (storage / manifest.release_id / "manifest.json").write_bytes(manifest.to_json())
    return manifest


def sized(number: int, size: int = MIB) -> tuple[Item, ...]:
    """Return a release of this size."""
    return (("data.bin", bytes([number]) * size, False),)


@dataclass
class Task:
    """The folders of one task, and its time."""

    root: Path
    time: float = 1_000_000.0

    @property
    def storage(self) -> Path:
        return self.root / "storage"

    @property
    def local(self) -> Path:
        return self.root / "local"

    @property
    def tracking(self) -> Path:
        return self.root / "tracking"

    def copies(self, budget: int = BIG, view: module.View | None = None) -> Copies:
        """Begin, as an agent does."""
        found = Copies(
            self.storage,
            self.local,
            budget,
            tracking=self.tracking,
            view=view,
            now=lambda: self.time,
        )
        found.adopt()
        return found

    @contextmanager
    def using(self, release_id: str) -> Iterator[None]:
        """Use a version, as a task of Airflow does."""
        self.tracking.mkdir(exist_ok=True)
        with (self.tracking / release_id).open("w") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            yield


@pytest.fixture
def task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Task:
    found = Task(tmp_path)
    found.storage.mkdir()
    # The times of files are those of this machine, and the test's clock is its own.
    monkeypatch.setattr(Copies, "_last_use", lambda self, release_id: self._used.get(release_id, 0.0))
    return found


def test_a_copy_is_the_release(task: Task) -> None:
    manifest = publish(task.storage)
    copies = task.copies()
    assert copies.ensure(manifest.release_id) is None
    copy = copies.path(manifest.release_id)
    assert scan(copy) == manifest
    assert copies.held.keys() == {manifest.release_id}
    assert copies.held[manifest.release_id].files == 6


def test_a_copy_is_read_only(task: Task) -> None:
    manifest = publish(task.storage)
    copies = task.copies()
    copies.ensure(manifest.release_id)
    modes = {name: text.split()[0] for name, text in snapshot(copies.path(manifest.release_id)).items()}
    assert modes == {
        "dag.py": "100444",
        "sql": "40555",
        "sql/q.sql": "100444",
        "bin": "40555",
        "bin/run": "100555",
        "ä": "40555",
        "ä/日本.py": "100444",
        "link.py": "120777",
        "latest": "120777",
    }
    assert copies.path(manifest.release_id).stat().st_mode & 0o777 == 0o555


@given(items=trees())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_whatever_the_tree_is(tmp_path_factory: pytest.TempPathFactory, items: tuple[Item, ...]) -> None:
    task = Task(tmp_path_factory.mktemp("task"))
    manifest = publish(task.storage, items)
    copies = task.copies()
    assert copies.ensure(manifest.release_id) is None
    assert not differences(copies.path(manifest.release_id), manifest)


def test_the_first_release_needs_no_storage(task: Task) -> None:
    copies = Copies(task.root / "nowhere", task.local, BIG, view=Untouched())
    copies.adopt()
    assert copies.ensure(EMPTY) is None
    assert list(copies.path(EMPTY).iterdir()) == []
    assert copies.verify(EMPTY) is None


class Untouched:
    """A storage that must not be read."""

    def open(self, path: Path) -> BinaryIO:
        raise AssertionError(path)

    def target(self, path: Path) -> str:
        raise AssertionError(path)


class Counting(Mounted):
    """Notes what is opened."""

    def __init__(self) -> None:
        self.opened: list[Path] = []

    def open(self, path: Path) -> BinaryIO:
        self.opened.append(path)
        return super().open(path)


def test_a_copy_is_made_once(task: Task) -> None:
    manifest = publish(task.storage)
    view = Counting()
    copies = task.copies(view=view)
    copies.ensure(manifest.release_id)
    assert len(view.opened) == 5
    copies.ensure(manifest.release_id)
    copies.verify(manifest.release_id)
    assert len(view.opened) == 5


# The network's file system


@dataclass
class Remembering(Mounted):
    """What an NFS client shows: a name that was not there stays away, what grew has its old size, for a minute."""

    clock: Callable[[], float]
    negative: dict[Path, float] = field(default_factory=dict)
    sizes: dict[Path, tuple[int, float]] = field(default_factory=dict)

    def open(self, path: Path) -> BinaryIO:
        for each in (path, *path.parents):
            if self.clock() < self.negative.get(each, 0):
                raise FileNotFoundError(errno.ENOENT, "No such file or directory", str(path))
        try:
            file = super().open(path)
        except FileNotFoundError:
            missing = next(
                (each for each in reversed((path, *path.parents)) if not each.exists()),
                path,
            )
            self.negative[missing] = self.clock() + 60
            raise
        size, until = self.sizes.get(path, (0, 0.0))
        if self.clock() < until:
            with file:
                return io.BytesIO(file.read(size))
        return file


def test_a_name_that_was_tried_too_early_stays_away(task: Task) -> None:
    """Why the agent asks the ledger first: this is what it would wait for."""
    view = Remembering(lambda: task.time)
    copies = task.copies(view=view)
    release_id = manifest_of(TREE).release_id
    with pytest.raises(NotVisible, match="the file system does not show it yet"):
        copies.ensure(release_id)
    publish(task.storage)
    task.time += 59
    with pytest.raises(NotVisible):
        copies.ensure(release_id)
    assert copies.held == {}
    task.time += 2
    assert copies.ensure(release_id) is None


def test_nothing_is_looked_up_that_nobody_has_named(task: Task) -> None:
    """Beginning, comparing, removing: all of it without a look at the storage."""
    view = Counting()
    first, second = publish(task.storage), publish(task.storage, sized(1))
    copies = task.copies(view=view)
    copies.ensure(first.release_id)
    looked = len(view.opened)
    copies.verify(first.release_id)
    copies.prune(())
    task.copies(view=view)
    assert len(view.opened) == looked
    assert not [path for path in view.opened if second.release_id in str(path)]


def test_old_sizes_never_get_into_a_copy(task: Task) -> None:
    manifest = publish(task.storage)
    stale = task.storage / manifest.release_id / "tree" / "dag.py"
    view = Remembering(lambda: task.time, sizes={stale: (6, task.time + 60)})
    copies = task.copies(view=view)
    found = copies.ensure(manifest.release_id)
    assert found
    assert str(found) == "1 changed (dag.py)"
    assert (copies.held, list(leftovers(task))) == ({}, [])
    task.time += 61
    assert copies.ensure(manifest.release_id) is None


def test_an_old_size_of_the_manifest(task: Task) -> None:
    manifest = publish(task.storage)
    stale = task.storage / manifest.release_id / "manifest.json"
    view = Remembering(lambda: task.time, sizes={stale: (20, task.time + 60)})
    copies = task.copies(view=view)
    found = copies.ensure(manifest.release_id)
    assert found
    assert str(found) == "1 changed (manifest.json)"
    task.time += 61
    assert copies.ensure(manifest.release_id) is None


class Failing(Mounted):
    """A storage whose files cannot be read."""

    def __init__(self, code: int, name: str, late: bool = False) -> None:
        self.code, self.name, self.late = code, name, late

    def open(self, path: Path) -> BinaryIO:
        if path.name != self.name:
            return super().open(path)
        if self.late:
            return Breaking(self.code)
        raise OSError(self.code, os.strerror(self.code))


class Breaking(io.BytesIO):
    """A file that breaks in the middle."""

    def __init__(self, code: int) -> None:
        super().__init__(b"x" * 10)
        self.code = code

    def read(self, size: int | None = -1, /) -> bytes:
        raise OSError(self.code, os.strerror(self.code))


@pytest.mark.parametrize("late", [False, True], ids=["opening", "reading"])
@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.EIO, "Input/output error"),
        (errno.ESTALE, "Stale file handle"),
        (errno.EACCES, "Permission denied"),
        (errno.ETIMEDOUT, "Connection timed out"),
    ],
)
def test_a_storage_that_cannot_be_read_says_nothing_about_the_release(
    task: Task, code: int, words: str, late: bool
) -> None:
    manifest = publish(task.storage)
    copies = task.copies(view=Failing(code, "q.sql", late))
    with pytest.raises(NotVisible) as raised:
        copies.ensure(manifest.release_id)
    assert str(raised.value) == f"sql/q.sql cannot be read from the file system: {words}"
    assert (copies.held, list(leftovers(task))) == ({}, [])


def test_a_manifest_that_cannot_be_read(task: Task) -> None:
    manifest = publish(task.storage)
    with pytest.raises(NotVisible, match=r"^manifest\.json cannot be read from the file system: Stale"):
        task.copies(view=Failing(errno.ESTALE, "manifest.json")).ensure(manifest.release_id)


def leftovers(task: Task) -> Iterator[str]:
    return (path.name for path in task.local.iterdir() if path.name != MANIFESTS)


# What differs


def spoil_content(tree: Path) -> None:
    (tree / "dag.py").write_bytes(b"import sql.Q")


def spoil_size(tree: Path) -> None:
    (tree / "dag.py").write_bytes(b"import sql.q" * 1000)


def spoil_mode(tree: Path) -> None:
    (tree / "bin" / "run").chmod(0o644)


def spoil_missing(tree: Path) -> None:
    (tree / "sql" / "q.sql").unlink()


def spoil_link_for_file(tree: Path) -> None:
    (tree / "dag.py").unlink()
    (tree / "dag.py").symlink_to("/etc/passwd")


def spoil_file_for_link(tree: Path) -> None:
    (tree / "link.py").unlink()
    (tree / "link.py").write_bytes(b"dag.py")


def spoil_folder(tree: Path) -> None:
    (tree / "dag.py").unlink()
    (tree / "dag.py").mkdir()


def spoil_pipe(tree: Path) -> None:
    (tree / "dag.py").unlink()
    os.mkfifo(tree / "dag.py")


def spoil_link(tree: Path) -> None:
    (tree / "latest").unlink()
    (tree / "latest").symlink_to("bin")


SPOILED = {
    "one byte": (spoil_content, "1 changed (dag.py)"),
    "much longer": (spoil_size, "1 changed (dag.py)"),
    "missing": (spoil_missing, "1 missing (sql/q.sql)"),
    "a link for a file": (spoil_link_for_file, "1 missing (dag.py)"),
    "a file for a link": (spoil_file_for_link, "1 missing (link.py)"),
    "a folder for a file": (spoil_folder, "1 missing (dag.py)"),
    "a pipe for a file": (spoil_pipe, "1 changed (dag.py)"),
    "another link": (spoil_link, "1 changed (latest)"),
}


@pytest.mark.parametrize("case", SPOILED)
def test_what_differs_in_the_storage_is_not_kept(task: Task, case: str) -> None:
    spoil, words = SPOILED[case]
    manifest = publish(task.storage)
    spoil(task.storage / manifest.release_id / "tree")
    copies = task.copies()
    found = copies.ensure(manifest.release_id)
    assert found
    # An empty folder that is left when its only file is missing.
    assert str(found).removeprefix("1 extra (sql/), ") == words
    assert found.computed_id != manifest.release_id
    assert (copies.held, copies.broken, list(leftovers(task))) == ({}, {}, [])


def test_modes_of_the_storage_do_not_matter(task: Task) -> None:
    """They are the manifest's: what a mount makes of them is not the content."""
    manifest = publish(task.storage)
    spoil_mode(task.storage / manifest.release_id / "tree")
    assert task.copies().ensure(manifest.release_id) is None


def test_what_is_too_much_in_the_storage_is_not_copied(task: Task) -> None:
    manifest = publish(task.storage)
    (task.storage / manifest.release_id / "tree" / "extra.py").write_bytes(b"x")
    copies = task.copies()
    assert copies.ensure(manifest.release_id) is None
    assert scan(copies.path(manifest.release_id)) == manifest


def test_another_releases_manifest(task: Task) -> None:
    manifest, other = publish(task.storage), publish(task.storage, sized(1))
    (task.storage / manifest.release_id / "manifest.json").write_bytes(other.to_json())
    found = task.copies().ensure(manifest.release_id)
    assert found
    assert (str(found), found.computed_id) == ("1 changed (manifest.json)", other.release_id)


def damage(path: Path, number: int = 0) -> None:
    """Change one byte; size and time stay."""
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[number] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)
    path.chmod(0o444)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_one_byte_of_a_copy(task: Task) -> None:
    manifest = publish(task.storage)
    copies = task.copies()
    copies.ensure(manifest.release_id)
    damage(copies.path(manifest.release_id) / "sql" / "q.sql", 3)
    # Who only asks for it is told what the last comparison found.
    assert copies.ensure(manifest.release_id) is None
    found = copies.verify(manifest.release_id)
    assert found
    assert str(found) == "1 changed (sql/q.sql)"
    assert copies.ensure(manifest.release_id) == found
    assert (copies.held, copies.broken) == ({}, {manifest.release_id: found})
    damage(copies.path(manifest.release_id) / "sql" / "q.sql", 3)
    assert copies.verify(manifest.release_id) is None
    assert (list(copies.held), copies.broken) == ([manifest.release_id], {})


def test_a_copy_that_was_removed(task: Task) -> None:
    manifest = publish(task.storage, sized(1, 10))
    copies = task.copies()
    copies.ensure(manifest.release_id)
    remove(copies.path(manifest.release_id))
    found = copies.verify(manifest.release_id)
    assert found
    assert (found.missing, found.changed) == (("data.bin",), (".",))


def test_the_kept_manifest_is_not_believed(task: Task) -> None:
    """It lies beside the copy: one byte of it changed is fetched anew, and a copy that fits it is still wrong."""
    manifest = publish(task.storage)
    copies = task.copies()
    copies.ensure(manifest.release_id)
    kept = task.local / MANIFESTS / manifest.release_id
    damage(kept, 30)
    assert copies.verify(manifest.release_id) is None
    remove(task.storage / manifest.release_id)
    with pytest.raises(NotVisible):
        copies.verify(manifest.release_id)
    kept.write_bytes(manifest.to_json())
    assert copies.verify(manifest.release_id) is None


# Beginning again


def test_what_an_earlier_agent_has_left(task: Task) -> None:
    good, bad, lost = (publish(task.storage, sized(number, 10)) for number in range(3))
    copies = task.copies()
    for each in (good, bad, lost):
        copies.ensure(each.release_id)
    damage(copies.path(bad.release_id) / "data.bin")
    (task.local / MANIFESTS / lost.release_id).unlink()
    remove(task.storage / lost.release_id)
    write(task.local / f".copying-{'0' * 64}", TREE)
    write(task.local / f".removing-{'1' * 64}", TREE)
    (task.local / "current.json").write_text("{}")
    again = task.copies()
    assert again.held.keys() == {good.release_id}
    assert again.broken.keys() == {bad.release_id}
    assert sorted(path.name for path in task.local.iterdir()) == sorted(
        [MANIFESTS, "current.json", good.release_id, bad.release_id]
    )


def test_copying_that_was_cut_off(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    """At any file: nothing has the name that readers open."""
    monkeypatch.setattr(module, "TOGETHER", 1)
    manifest = publish(task.storage, tuple((f"{number}.py", b"x", False) for number in range(5)))
    for files in range(5):
        done = iter(range(files))

        def step(done: Iterator[int] = done) -> None:
            if next(done, None) is None:
                raise KeyboardInterrupt

        copies = Copies(task.storage, task.local, BIG, alive=step)
        copies.adopt()
        with monkeypatch.context() as patched:
            # A process that is killed cleans nothing up.
            patched.setattr(module, "remove", lambda _path: None)
            with pytest.raises(KeyboardInterrupt):
                copies.ensure(manifest.release_id)
        assert list(leftovers(task)) == [f".copying-{manifest.release_id}"]
        assert task.copies().held == {}
        assert list(leftovers(task)) == []
    assert task.copies().ensure(manifest.release_id) is None


# Room


def several(task: Task, copies: Copies, count: int) -> list[str]:
    """Hold releases of one MiB, each used a while after the one before."""
    found = []
    for number in range(count):
        manifest = publish(task.storage, sized(number))
        assert copies.ensure(manifest.release_id) is None
        task.time += FRESH_SECONDS + 1
        found.append(manifest.release_id)
    return found


def test_the_longest_unused_gives_way(task: Task) -> None:
    copies = task.copies(budget=int(3.5 * MIB))
    first, second, third = several(task, copies, 3)
    copies.use(first)
    task.time += FRESH_SECONDS + 1
    new = publish(task.storage, sized(9))
    assert copies.ensure(new.release_id) is None
    assert copies.held.keys() == {first, third, new.release_id}
    assert {path.name for path in task.local.iterdir()} == {MANIFESTS, first, third, new.release_id}
    assert {path.name for path in (task.local / MANIFESTS).iterdir()} == set(copies.held)
    assert second not in copies.held


def test_what_must_stay_stays(task: Task) -> None:
    copies = task.copies(budget=int(3.5 * MIB))
    first, second, third = several(task, copies, 3)
    new = publish(task.storage, sized(9))
    with task.using(second):
        copies.ensure(new.release_id, keep={first})
        assert copies.held.keys() == {first, second, new.release_id}
    assert third not in copies.held


def test_no_room_when_everything_is_in_use(task: Task) -> None:
    copies = task.copies(budget=int(2.5 * MIB))
    first, second = several(task, copies, 2)
    new = publish(task.storage, sized(9))
    with task.using(second), pytest.raises(NoRoom) as raised:
        copies.ensure(new.release_id, keep={first})
    assert str(raised.value) == "no room for a copy of 2 MiB: 3 of 3 MiB are taken by copies in use"
    assert copies.held.keys() == {first, second}
    assert copies.ensure(new.release_id, keep={first}) is None


def test_what_was_just_used_stays_a_while(task: Task) -> None:
    """Between the choice of a version and its lock."""
    copies = task.copies(budget=int(1.5 * MIB))
    (first,) = several(task, copies, 1)
    copies.use(first)
    new = publish(task.storage, sized(9))
    with pytest.raises(NoRoom):
        copies.ensure(new.release_id)
    task.time += FRESH_SECONDS + 1
    assert copies.ensure(new.release_id) is None


def test_the_time_of_the_last_use_is_that_of_the_lock_as_well(tmp_path: Path) -> None:
    task = Task(tmp_path, time=0)
    copies = Copies(task.storage, task.local, BIG, tracking=task.tracking, now=lambda: task.time)
    copies.adopt()
    copies.ensure(EMPTY)
    made = copies.path(EMPTY).stat().st_ctime
    assert copies._last_use(EMPTY) == made
    with task.using(EMPTY):
        pass
    assert copies._last_use(EMPTY) == (task.tracking / EMPTY).stat().st_ctime >= made
    copies._used[EMPTY] = made + 1000
    assert copies._last_use(EMPTY) == made + 1000


def test_a_full_scratch(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = publish(task.storage)
    copies = task.copies()
    write_all = module._write_all

    def full(file: int, content: bytes) -> None:
        write_all(file, content[:3])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(module, "_write_all", full)
        with pytest.raises(NoRoom) as raised:
            copies.ensure(manifest.release_id)
    assert str(raised.value) == "the scratch is full: No space left on device"
    assert (copies.held, list(leftovers(task))) == ({}, [])
    assert copies.ensure(manifest.release_id) is None


def test_broken_copies_go_when_nobody_uses_them(task: Task) -> None:
    copies = task.copies()
    current, used, unused = several(task, copies, 3)
    for each in (current, used, unused):
        damage(copies.path(each) / "data.bin")
        copies.verify(each)
    with task.using(used):
        assert copies.prune({current}) == [unused]
        assert copies.broken.keys() == {current, used}
    assert copies.prune({current}) == [used]
    # The next copy is a good one.
    assert copies.ensure(used) is None


def test_pruning_keeps_to_the_budget_and_no_more(task: Task) -> None:
    copies = task.copies(budget=BIG)
    first, second, third = several(task, copies, 3)
    assert copies.prune(()) == []
    again = task.copies(budget=int(1.5 * MIB))
    task.time += FRESH_SECONDS + 1
    assert again.prune({third}) == sorted([first, second])
    assert list(again.held) == [third]


def test_a_task_never_loses_the_copy_between_lock_and_look(task: Task) -> None:
    """Whoever has the lock finds the copy, or finds that it is gone; it never goes afterwards."""
    copies = task.copies()
    (release_id,) = several(task, copies, 1)
    with task.using(release_id):
        assert copies.path(release_id).is_dir()
        assert not copies._drop(release_id)
        assert copies.path(release_id).is_dir()
    assert copies._drop(release_id)
    assert (task.tracking / release_id).exists()
    with task.using(release_id):
        assert not copies.path(release_id).exists()


class Life(RuleBasedStateMachine):
    """Whatever happens, used copies stay, the budget holds, and a wrong copy is never taken for a right one."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        # Copies are older than the clock says: none is fresh.
        self.task = Task(Path(self.folder.name), time=10.0**12)
        self.releases = [publish(self.task.storage, sized(number, 5000)).release_id for number in range(5)]
        self.budget = 3 * 6 * 4096
        self.begin()
        self.locks: dict[str, ExitStack] = {}
        self.damaged: set[str] = set()

    @rule()
    def begin(self) -> None:
        """Begin, maybe in place of an agent that died."""
        task = self.task
        self.copies = Copies(
            task.storage, task.local, self.budget, tracking=task.tracking, now=lambda: self.task.time
        )
        self.copies.adopt()

    @rule(number=RELEASES)
    def ensure(self, number: int) -> None:
        try:
            found = self.copies.ensure(self.releases[number])
        except NoRoom:
            assert self.locks
        else:
            assert not found or self.releases[number] in self.damaged

    @rule(number=RELEASES)
    def use(self, number: int) -> None:
        release_id = self.releases[number]
        if self.copies.path(release_id).is_dir() and release_id not in self.locks:
            self.locks[release_id] = ExitStack()
            self.locks[release_id].enter_context(self.task.using(release_id))

    @rule(number=RELEASES)
    def let_go(self, number: int) -> None:
        if lock := self.locks.pop(self.releases[number], None):
            lock.close()

    @rule(number=RELEASES)
    def damage(self, number: int) -> None:
        release_id = self.releases[number]
        if self.copies.path(release_id).is_dir() and release_id not in self.damaged:
            damage(self.copies.path(release_id) / "data.bin")
            self.damaged.add(release_id)

    @rule(number=RELEASES)
    def verify(self, number: int) -> None:
        release_id = self.releases[number]
        if self.copies.path(release_id).is_dir():
            assert bool(self.copies.verify(release_id)) == (release_id in self.damaged)

    @rule()
    def prune(self) -> None:
        self.copies.prune(())

    @invariant()
    def copies_are_right(self) -> None:
        self.task.time += FRESH_SECONDS + 1
        self.damaged = {each for each in self.damaged if self.copies.path(each).is_dir()}
        assert self.copies.broken.keys() <= self.damaged
        right = {each for each in self.copies.held if each not in self.damaged}
        assert all(scan(self.copies.path(each)).release_id == each for each in right)

    @invariant()
    def used_copies_stay(self) -> None:
        assert all(self.copies.path(each).is_dir() for each in self.locks)

    @invariant()
    def the_budget_holds(self) -> None:
        assert sum(about.size_bytes for about in self.copies.held.values()) <= self.budget

    def teardown(self) -> None:
        for lock in self.locks.values():
            lock.close()
        self.folder.cleanup()


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
