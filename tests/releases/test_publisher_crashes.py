"""The publisher killed, failing, disturbed and doubled at every single step: readers never see a part of a release.

Processes are killed for real, before each system call that changes the file system. What a machine loses that goes
down with them is judged by the order of the calls: nothing gets its name before it is on the disk.

Not proved here: that a rename on EFS is one step of the server, and that its locks go away with their owner.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from images.airflow.platform_runtime.releases.publisher import (
    LOCK,
    STAGING_SECONDS,
    TRASH_SECONDS,
    Collected,
    Published,
    Publisher,
    PublishError,
)
from tests.releases.publishing import (
    DAY,
    OTHER,
    SMALL,
    Call,
    Clock,
    Crash,
    Killed,
    Shelf,
    Steps,
    in_process,
    kill_at,
    kills,
    watching,
)
from tests.releases.trees import manifest_of

FIRST, SECOND = manifest_of(SMALL).release_id, manifest_of(OTHER).release_id
ALONE = Published(files=5, size_bytes=34, already=False)
AGAIN = Published(files=5, size_bytes=34, already=True)


class Shelves:
    """A fresh storage for every attempt."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.last = Shelf(folder / "first", SMALL, OTHER)

    def fresh(self) -> Shelf:
        self.last = Shelf(self._folder / os.urandom(4).hex(), SMALL, OTHER)
        return self.last


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No machine goes down here, so nobody has to wait for its disk."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def shelves(tmp_path: Path) -> Shelves:
    return Shelves(tmp_path)


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return what an undisturbed publisher does."""
    counted = Steps()
    Shelf(tmp_path_factory.mktemp("steps"), SMALL).publisher(steps=counted).publish(FIRST)
    return counted.seen


def briefly(_seconds: float) -> None:
    """Wait for another process, which takes milliseconds."""
    time.sleep(0.05)


def attempt(publisher: Publisher) -> str:
    """Publish the first release; return what was said if that fails."""
    try:
        publisher.publish(FIRST)
    except PublishError as error:
        return str(error)
    return ""


# Killed


def test_killed_before_every_change(shelves: Shelves) -> None:
    """Before the rename there is nothing to see, after it everything; the next publisher does what is left."""

    def publish(_number: int) -> Callable[[], object]:
        shelf = shelves.fresh()
        return lambda: shelf.publisher().publish(FIRST)

    calls: list[str] = []
    for call in kills(publish):
        shelf = shelves.last
        there = "rename" in calls
        assert shelf.visible() == ({FIRST} if there else set()), calls
        assert shelf.beside() == ([] if there or len(calls) < 2 else [".staging-"]), calls
        assert shelf.publisher().publish(FIRST) == (AGAIN if there else ALONE)
        assert (shelf.visible(), shelf.beside()) == ({FIRST}, [])
        calls.append(call)
    assert calls[:3] == ["open", "mkdir", "mkdir"]
    assert calls[-4:] == ["utime", "fsync", "rename", "fsync"]
    assert len(calls) > 30


def test_killed_while_it_removes_what_another_left(shelves: Shelves, steps: list[str]) -> None:
    def publish(_number: int) -> Callable[[], object]:
        shelf = shelves.fresh()
        half = Crash(len(steps) - 2)
        with pytest.raises(Killed):
            shelf.publisher(steps=half).publish(FIRST)
        assert (shelf.visible(), shelf.beside()) == (set(), [".staging-"])
        return lambda: shelf.publisher().publish(SECOND)

    calls = []
    for call in kills(publish):
        shelf = shelves.last
        assert shelf.visible() <= {SECOND}
        # What was left is there, is being removed, or is gone; and the next has perhaps begun.
        assert shelf.beside() in ([], [".dead-"], [".staging-"], [".dead-", ".staging-"])
        shelf.publisher().publish(SECOND)
        assert (shelf.visible(), shelf.beside()) == ({SECOND}, [])
        calls.append(call)
    assert {"unlink", "rmdir"} < set(calls)
    assert calls.count("rename") == 2


def test_killed_while_it_collects(shelves: Shelves) -> None:
    """Readers have a release or have it not; its files are removed by whoever cleans up next."""
    clock = Clock()

    def collect(_number: int) -> Callable[[], object]:
        clock.ahead = 0
        shelf = shelves.fresh()
        shelf.publisher().publish(FIRST)
        shelf.publisher().publish(SECOND)
        shelf.publisher().collect({FIRST}, 0)
        clock.ahead = TRASH_SECONDS + 1
        shelf.publisher().publish(SECOND)
        return lambda: shelf.publisher(now=clock).collect({FIRST}, DAY)

    calls = []
    for call in kills(collect):
        shelf = shelves.last
        assert shelf.visible() == ({FIRST} if "rename" in calls else {FIRST, SECOND})
        shelf.publisher(now=clock).collect({FIRST}, DAY)
        assert (shelf.visible(), shelf.beside()) == ({FIRST}, [".trash-"])
        clock.ahead += TRASH_SECONDS + 1
        shelf.publisher(now=clock).collect({FIRST}, DAY)
        assert (shelf.visible(), shelf.beside()) == ({FIRST}, [])
        calls.append(call)
    assert {"unlink", "rmdir"} < set(calls)


@pytest.mark.parametrize("ahead", [0, STAGING_SECONDS + 60], ids=["soon", "later"])
def test_a_publisher_that_stands_still_is_not_a_dead_one(
    shelves: Shelves, steps: list[str], ahead: int
) -> None:
    """What it has written stays; only after an hour nobody expects it back, and then it must not go on."""
    shelf, clock = shelves.last, Clock()
    here, there = os.pipe(), os.pipe()

    def wait() -> None:
        os.write(here[1], b".")
        os.read(there[0], 1)

    def publish() -> None:
        if ahead:
            with pytest.raises(PublishError, match="No such file or directory"):
                shelf.publisher(steps=Steps(rename, wait)).publish(FIRST)
        else:
            assert shelf.publisher(steps=Steps(rename, wait)).publish(FIRST) == ALONE

    rename = steps.index("rename")
    end = in_process(publish)
    os.read(here[0], 1)
    clock.ahead = ahead
    shelf.publisher(now=clock).publish(SECOND)
    assert (shelf.visible(), shelf.beside()) == ({SECOND}, [] if ahead else [".staging-"])
    os.write(there[1], b".")
    assert end() == 0
    assert (shelf.visible(), shelf.beside()) == ({SECOND} if ahead else {FIRST, SECOND}, [])
    for descriptor in (*here, *there):
        os.close(descriptor)


# Failing


@pytest.mark.parametrize(
    "number", [errno.ENOSPC, errno.EACCES, errno.EIO, errno.ESTALE], ids=errno.errorcode.get
)
def test_every_change_fails_once(shelves: Shelves, number: int) -> None:
    """Either it does not matter, or it is said; in both cases nothing is left behind, and the next attempt succeeds."""
    for at in range(1000):
        shelf, calls = shelves.fresh(), [""]

        def fail(call: Call, at: int = at, calls: list[str] = calls) -> None:
            calls.append(call[0])
            if len(calls) - 2 == at:
                raise OSError(number, os.strerror(number), "/mnt/dags/daily.py")

        with watching(fail):
            said = attempt(shelf.publisher())
        if len(calls) - 1 <= at:
            break
        assert said.startswith(f"the release {FIRST} is not published: /mnt/dags/daily.py: ")
        # After the rename it is there, whatever fails.
        assert shelf.visible() == ({FIRST} if "rename" in calls[: at + 1] else set())
        assert shelf.beside() == []
        assert shelf.publisher().publish(FIRST).files == ALONE.files
        assert (shelf.visible(), shelf.beside()) == ({FIRST}, [])
    assert at > 30


def test_every_change_fails_from_one_on(shelves: Shelves) -> None:
    """The disk that is full does not let the publisher tidy up, either."""
    for at in range(1000):
        shelf, calls = shelves.fresh(), [""]

        def fail(call: Call, at: int = at, calls: list[str] = calls) -> None:
            calls.append(call[0])
            if len(calls) - 2 >= at:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with watching(fail):
            said = attempt(shelf.publisher())
        if not said:
            break
        assert f"No space left on device; make room in {shelf.root}" in said
        shelf.visible()
        shelf.publisher().publish(FIRST)
        assert (shelf.visible(), shelf.beside()) == ({FIRST}, [])
    assert at > 30


# A machine that goes down


class Disk:
    """What would be lost now, if the machine went down: names and content that nobody has synchronised."""

    def __init__(self) -> None:
        self.unsynchronised: set[str] = set()
        self.at_rename: list[set[str]] = []

    def before(self, call: Call) -> None:
        if call[0] == "rename":
            self.at_rename.append(set(self.unsynchronised))

    def after(self, call: Call, answer: Any) -> None:
        name, arguments, more = call
        if name == "fsync":
            self.unsynchronised.discard(self._path(arguments[0], more))
        elif name in {"write", "fchmod", "chmod"}:
            self.unsynchronised.add(self._path(arguments[0], more))
        elif name != "utime":
            changed = [self._path(arguments[1] if name == "symlink" else arguments[0], more)]
            if name == "rename":
                changed.append(self._path(arguments[1], more))
            elif name in {"open", "mkdir"}:
                self.unsynchronised.add(changed[0])
            self.unsynchronised |= {str(Path(path).parent) for path in changed}

    def _path(self, given: Any, more: Any) -> str:
        if isinstance(given, int):
            return str(Path(f"/proc/self/fd/{given}").readlink())
        folder = more.get("dir_fd")
        return str(Path("/" if folder is None else self._path(folder, {})) / os.fsdecode(given))


def test_nothing_gets_its_name_before_it_is_on_the_disk(shelves: Shelves) -> None:
    shelf, disk = shelves.last, Disk()
    with watching(disk.before, disk.after):
        shelf.publisher().publish(FIRST)
    # The root has the staging folder's name, which nobody needs.
    assert [paths - {str(shelf.root / LOCK), str(shelf.root)} for paths in disk.at_rename] == [set()]
    assert disk.unsynchronised <= {str(shelf.root / LOCK)}


def test_what_a_dead_publisher_has_renamed_is_put_on_the_disk(shelves: Shelves) -> None:
    """It may have died before it could; whoever says that the release is there makes sure."""
    shelf, synchronised = shelves.last, []
    shelf.publisher().publish(FIRST)

    def note(call: Call) -> None:
        if call[0] == "fsync":
            synchronised.append(str(Path(f"/proc/self/fd/{call[1][0]}").readlink()))

    with watching(note):
        shelf.publisher().publish(FIRST)
    assert synchronised == [str(shelf.root)]


# Two


def test_another_publishes_the_same_between_any_two_steps(shelves: Shelves, steps: list[str]) -> None:
    for at in range(len(steps)):
        shelf = shelves.fresh()
        found: list[Published] = []

        def publish(shelf: Shelf = shelf, found: list[Published] = found) -> None:
            found.append(shelf.publisher().publish(FIRST))

        other = Steps(at, publish)
        mine = shelf.publisher(steps=other).publish(FIRST)
        # There is a step after the rename.
        first = "rename" in other.seen[:at]
        assert (mine, found) == ((ALONE, [AGAIN]) if first else (AGAIN, [ALONE]))
        assert (shelf.visible(), shelf.beside()) == ({FIRST}, [])


def test_another_cleans_up_between_any_two_steps(shelves: Shelves, steps: list[str]) -> None:
    """A clean-up waits for publishers, and a publisher for it; neither takes anything from the other."""
    busy = 0
    for at in range(len(steps)):
        shelf = shelves.fresh()
        shelf.publisher().publish(SECOND)

        def collect(shelf: Shelf = shelf) -> None:
            nonlocal busy
            shelf.visible()
            try:
                shelf.publisher().collect(set(), 0)
            except PublishError as error:
                busy += "a publisher has been at work" in str(error)

        assert shelf.publisher(steps=Steps(at, collect)).publish(FIRST) == ALONE
        assert FIRST in shelf.visible()
    assert busy == len(steps) - 1


def test_nobody_cleans_up_before_a_release_is_recorded(shelves: Shelves) -> None:
    """The ledger would call published what is not there any more."""
    shelf, recorded = shelves.last, []

    def record(published: Published) -> None:
        with pytest.raises(PublishError, match="a publisher has been at work"):
            shelf.publisher().collect(set(), 0)
        recorded.append(published)

    for _ in range(2):
        shelf.publisher().publish(FIRST, record)
    assert recorded == [ALONE, AGAIN]


def test_a_clean_up_keeps_publishers_waiting(shelves: Shelves) -> None:
    shelf = shelves.last
    shelf.publisher().publish(SECOND)
    refused = []

    def publish() -> None:
        with pytest.raises(PublishError, match="a clean-up has been at work") as error:
            shelf.publisher().publish(FIRST)
        refused.append(str(error.value))

    collected = shelf.publisher(steps=Steps(1, publish)).collect(set(), 0)
    assert collected == Collected(collected=(SECOND,), refused=(), emptied=())
    (said,) = refused
    assert said == (
        f"the release {FIRST} is not published: a clean-up has been at work in {shelf.root} for 120 s: wait for its"
        " end, then try again"
    )
    assert shelf.publisher().publish(FIRST) == ALONE


def test_an_hour_later_another_removes_what_is_being_written(shelves: Shelves, steps: list[str]) -> None:
    """Wherever the slow one is: it comes to its end or says that it cannot, and half of it is never renamed."""
    ends = set()
    for at in range(len(steps)):
        shelf, clock = shelves.fresh(), Clock()
        clock.ahead = STAGING_SECONDS + 60

        def publish_another(shelf: Shelf = shelf, clock: Clock = clock) -> None:
            shelf.publisher(now=clock).publish(SECOND)

        said = attempt(shelf.publisher(steps=Steps(at, publish_another)))
        assert not said or said.startswith(f"the release {FIRST} is not published: ")
        ends.add(bool(said))
        assert shelf.visible() >= {SECOND}
        shelf.publisher().publish(FIRST)
        assert (shelf.visible(), shelf.beside()) == ({FIRST, SECOND}, [])
    assert ends == {True, False}


@pytest.mark.parametrize("attempt", range(5))
def test_processes_at_once(tmp_path: Path, attempt: int) -> None:
    """Exactly one of them is the first, and the storage has each release once."""
    shelf = Shelf(tmp_path, SMALL, OTHER)
    start, told = os.pipe(), os.pipe()

    def publish(release_id: str) -> None:
        os.read(start[0], 1)
        published = shelf.publisher(pause=briefly).publish(release_id)
        os.write(told[1], f"{release_id} {published.already}\n".encode())

    ends = [in_process(partial(publish, each)) for each in [FIRST, SECOND] * 3]
    os.write(start[1], b"." * len(ends))
    assert [end() for end in ends] == [0] * len(ends)
    said = sorted(os.read(told[0], 4096).decode().split("\n")[:-1])
    assert said == sorted(f"{each} {again}" for each in (FIRST, SECOND) for again in (False, True, True))
    assert (shelf.visible(), shelf.beside()) == ({FIRST, SECOND}, [])
    for descriptor in (*start, *told):
        os.close(descriptor)


def test_processes_at_once_and_one_of_them_killed(tmp_path: Path) -> None:
    """Wherever each of them is, the others come to their ends."""
    shelf = Shelf(tmp_path, SMALL, OTHER)
    for at in range(40):
        publisher = shelf.publisher(pause=briefly)
        others = [in_process(partial(publisher.publish, each)) for each in (FIRST, SECOND)]
        kill_at(at, partial(publisher.publish, FIRST))
        shelf.visible()
        assert [end() for end in others] == [0, 0]
        assert shelf.visible() == {FIRST, SECOND}
        # Once more, without what was there.
        publisher.collect(set(), 0)
        assert (shelf.visible(), set(shelf.beside())) == (set(), {".trash-"})


# The ledger beside it


class Books:
    """What the ledger would have: survives a crash, as the ledger does."""

    def __init__(self) -> None:
        self.states: dict[str, str] = {}

    def record(self, release_id: str) -> Callable[[Published], None]:
        return lambda _: self.states.update({release_id: "published"})

    def unfinished(self) -> Collection[str]:
        return [each for each, state in self.states.items() if state == "collecting"]

    def begin(self, release_id: str) -> bool:
        self.states[release_id] = "collecting"
        return True

    def finish(self, release_id: str) -> None:
        self.states[release_id] = "collected"


def test_what_the_ledger_calls_published_is_there(shelves: Shelves, steps: list[str]) -> None:
    """Wherever a clean-up dies, and a publisher after it: nobody can point to a release that is not there."""
    for first, second in product(range(3), range(len(steps) + 1)):
        shelf, books = shelves.fresh(), Books()
        shelf.publisher().publish(FIRST, books.record(FIRST))
        with pytest.raises(Killed):
            shelf.publisher(steps=Crash(first)).collect(set(), 0, books)
        assert books.states[FIRST] != "published" or shelf.visible() == {FIRST}
        with suppress(Killed):
            shelf.publisher(steps=Crash(second)).publish(FIRST, books.record(FIRST))
        assert books.states[FIRST] != "published" or shelf.visible() == {FIRST}
        # The next clean-up puts the ledger right, whatever is there.
        shelf.publisher().collect({FIRST}, 0, books)
        there = shelf.visible() == {FIRST}
        assert books.states[FIRST] in ({"published", "collecting"} if there else {"collected"})
        shelf.publisher().publish(FIRST, books.record(FIRST))
        assert (shelf.visible(), books.states[FIRST]) == ({FIRST}, "published")
