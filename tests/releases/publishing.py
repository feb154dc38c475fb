"""Publishers for tests: releases in a folder, and a publisher that ends, or is disturbed, at any of its steps."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final
from unittest.mock import patch

import pytest

from images.airflow.platform_runtime.releases import publisher_command
from images.airflow.platform_runtime.releases.collecting import Tools
from images.airflow.platform_runtime.releases.ledger import Ledger
from images.airflow.platform_runtime.releases.manifest import is_release_id, parents
from images.airflow.platform_runtime.releases.publisher import LOCK, Publisher
from images.airflow.platform_runtime.releases.source import FolderSource, archive_key, manifest_key
from images.airflow.platform_runtime.releases.usage import Usage
from tests.releases.ledger_table import TABLE, proof
from tests.releases.trees import Item, archive_of, manifest_of, snapshot

DAY: Final = 24 * 3600
PATIENCE_SECONDS: Final = 60
"""A process that outlives the test that started it would keep whoever reads its output waiting."""

SMALL: Final[tuple[Item, ...]] = (
    ("daily.py", b"print('daily')\n", False),
    ("jobs/run.sh", b"#!/bin/sh\n", True),
    ("jobs/sql/empty.sql", b"", False),
    ("jobs/größe.py", b"SIZE = 1\n", False),
    ("latest.py", "daily.py", False),
)
OTHER: Final[tuple[Item, ...]] = (("daily.py", b"print('DAILY')\n", False), ("new/one.py", b"1\n", False))


def store(folder: Path, items: tuple[Item, ...]) -> str:
    """Put a release where a FolderSource finds it; return its id."""
    manifest = manifest_of(items)
    (folder / manifest_key(manifest.release_id)).parent.mkdir(parents=True, exist_ok=True)
    (folder / manifest_key(manifest.release_id)).write_bytes(manifest.to_json())
    (folder / archive_key(manifest.release_id)).write_bytes(archive_of(items))
    return manifest.release_id


def expected(items: tuple[Item, ...]) -> dict[str, str]:
    """Return what `trees.snapshot` finds in the folder of a release that is published properly."""
    folders = {parent for path, _, _ in items for parent in parents(path)}
    found = {f"tree/{folder}": f"{stat.S_IFDIR | 0o555:o} " for folder in folders}
    for path, content, executable in items:
        if isinstance(content, str):
            found[f"tree/{path}"] = f"{stat.S_IFLNK | 0o777:o} {content}"
        else:
            found[f"tree/{path}"] = f"{stat.S_IFREG | (0o555 if executable else 0o444):o} {content!r}"
    found["tree"] = f"{stat.S_IFDIR | 0o555:o} "
    found["manifest.json"] = f"{stat.S_IFREG | 0o444:o} {manifest_of(items).to_json()!r}"
    return found


class Shelf:
    """A storage, the releases that can be published there, and a look at it as readers have it."""

    def __init__(self, folder: Path, *releases: tuple[Item, ...]) -> None:
        """Make an empty storage, and store releases for it."""
        self.root, self.bucket = folder / "storage", folder / "bucket"
        self.root.mkdir(parents=True)
        self.releases = {store(self.bucket, items): items for items in releases}

    def publisher(self, **options: Any) -> Publisher:
        """Return a publisher that waits for nothing."""
        return Publisher(self.root, FolderSource(self.bucket), **{"pause": lambda _: None} | options)

    def visible(self) -> set[str]:
        """Return the releases that readers find, every one of which must be whole."""
        found = {path.name for path in self.root.iterdir() if is_release_id(path.name)}
        for release_id in found:
            folder = self.root / release_id
            assert snapshot(folder) == expected(self.releases[release_id]), release_id
            assert stat.S_IMODE(folder.stat().st_mode) == 0o555
        return found

    def beside(self) -> list[str]:
        """Return the kinds of what else is there."""
        names = sorted(path.name for path in self.root.iterdir() if not is_release_id(path.name))
        return [re.sub("[0-9a-f]{64}.*", "", name) for name in names if name != LOCK]


class Killed(BaseException):
    """The process has ended here; nothing that it would have done afterwards happens."""


class Steps:
    """Counts the steps of a publisher and does something before one of them."""

    def __init__(self, at: int = -1, action: Callable[[], None] = lambda: None) -> None:
        """Do something before the step of a number, counted from 0."""
        self.seen: list[str] = []
        self._at, self._action = at, action

    def __call__(self, step: str) -> None:
        """Take note of a step."""
        self.seen.append(step)
        if len(self.seen) - 1 == self._at:
            self._action()


class Crash(Steps):
    """Ends the process, as far as the file system can tell, before a step."""

    def __call__(self, step: str) -> None:
        """Take note of a step. What runs while an error passes through would not run in a process that is dead."""
        self.seen.append(step)
        if len(self.seen) > self._at >= 0:
            raise Killed


CHANGES: Final = (
    "chmod", "fchmod", "fsync", "ftruncate", "link", "mkdir", "open", "remove", "rename", "replace", "rmdir", "symlink",
    "truncate", "unlink", "utime", "write",
)  # fmt: skip
"""The system calls by which Python changes a file system, as `os` names them."""

Call = tuple[str, tuple[Any, ...], Mapping[str, Any]]


@contextmanager
def watching(
    before: Callable[[Call], None], after: Callable[[Call, Any], None] = lambda *_: None
) -> Iterator[None]:
    """Call a function before, and one after, every system call that changes the file system."""

    def watched(name: str, call: Callable[..., Any], changes: Callable[..., bool]) -> Callable[..., Any]:
        def run(*arguments: Any, **more: Any) -> Any:
            if not changes(*arguments, **more):
                return call(*arguments, **more)
            before((name, arguments, more))
            answer = call(*arguments, **more)
            after((name, arguments, more), answer)
            return answer

        return run

    def always(*_: Any, **__: Any) -> bool:
        return True

    def creates(_path: Any, flags: int, *_: Any, **__: Any) -> bool:
        return bool(flags & os.O_CREAT)

    def writes(_path: Any, mode: str = "r", *_: Any, **__: Any) -> bool:
        return mode[0] in "xwa"

    with ExitStack() as stack:
        for name in CHANGES:
            changes = creates if name == "open" else always
            stack.enter_context(patch.object(os, name, watched(name, getattr(os, name), changes)))
        stack.enter_context(patch.object(io, "open", watched("open", io.open, writes)))
        yield


def kill_at(number: int, action: Callable[[], object]) -> str | None:
    """Run something in a process of its own that is killed right before its change of that number, counted from 0.

    Returns:
        The call that it did not come to, or None if it came to its end.

    """
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        signal.alarm(PATIENCE_SECONDS)
        _child(number, action, writer)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        said = pipe.read()
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return said
    assert os.WEXITSTATUS(status) == 0, said
    return None


def _child(number: int, action: Callable[[], object], writer: int) -> None:
    """Never returns: this is a copy of the test's process."""
    left = number
    write = os.write

    def count(call: Call) -> None:
        nonlocal left
        if left == 0:
            write(writer, call[0].encode())
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1

    code = 1
    try:
        with watching(count):
            action()
        code = 0
    except BaseException as error:
        write(writer, repr(error).encode())
    finally:
        os._exit(code)


def kills(make: Callable[[int], Callable[[], object]]) -> Iterator[str]:
    """Kill an action before each of its changes in turn; what comes out of `make` is fresh for each number."""
    for number in range(10_000):
        call = kill_at(number, make(number))
        if call is None:
            return
        yield call


def in_process(action: Callable[[], object]) -> Callable[[], int]:
    """Start something in a process of its own; the function that is returned waits for it and gives its exit code."""
    pid = os.fork()
    if pid == 0:
        signal.alarm(PATIENCE_SECONDS)
        code = 1
        try:
            action()
            code = 0
        finally:
            os._exit(code)
    return lambda: os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


class Clock:
    """The time, which a test can move on."""

    def __init__(self) -> None:
        """Begin with the machine's own time: the file system has that, too."""
        self.ahead = 0.0

    def __call__(self) -> float:
        """Return seconds since 1970."""
        return time.time() + self.ahead


class NoSource:
    """Has nothing, and must not be asked."""

    def manifest(self, release_id: str) -> bytes:
        """Refuse."""
        raise AssertionError(release_id)

    def archive(self, release_id: str) -> BinaryIO:
        """Refuse."""
        raise AssertionError(release_id)


class Command:
    """Runs the command in this process, against a folder, a bucket that is a folder, and moto's ledger."""

    def __init__(self, shelf: Shelf, dynamodb: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """Begin with the table as it is."""
        self.shelf, self.clock, self.ledger = shelf, Clock(), Ledger(TABLE, dynamodb)
        self._capsys, self._monkeypatch = capsys, monkeypatch

    def now(self) -> datetime:
        """Return the date."""
        return datetime.fromtimestamp(self.clock(), UTC)

    def counts(self, runs: dict[str, int], *, complete: bool = True) -> None:
        """Write the proof of a dag-processor that has counted just now."""
        usage = Usage(counted_at=self.now(), runs=runs, complete=complete)
        self.ledger.write_proof(proof(service="dag-processor", usage=usage))

    def __call__(self, *words: str, **options: Any) -> tuple[int, dict[str, Any]]:
        """Run it; return the exit code and the last line."""
        self._monkeypatch.setattr("sys.argv", ["platform-publisher", *words])
        publisher = self.shelf.publisher(now=self.clock, **options)
        tools = Tools(publisher=publisher, ledger=self.ledger, now=self.clock)
        code = publisher_command.main(lambda _: tools)
        return code, json.loads(self._capsys.readouterr().out.splitlines()[-1])
