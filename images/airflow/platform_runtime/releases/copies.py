"""Copies of releases on the task's own scratch: each read from the DAG storage once, compared with its manifest, kept.

The storage is a file system in the network, and its client remembers: a name that was not there stays away for up to a
minute, sizes are old for as long. So nothing is listed there and no name is tried before the ledger has named it; what
is opened is read to its end; and only what equals the manifest, to the last byte, gets the name that readers open.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from .archive import remove
from .layout import (
    MANIFEST,
    READ_ONLY,
    READ_ONLY_EXECUTABLE,
    READ_ONLY_FOLDER,
    TREE,
    WHILE_FILLING,
    WHILE_WRITING,
)
from .manifest import MAX_JSON_BYTES, Entry, Kind, Manifest, Refusal, genesis, is_release_id
from .parallel import TOGETHER, WORKERS, Parallel, pieces
from .tree import Differences, differences

MANIFESTS: Final = ".manifests"
"""The copies' manifests: a copy itself has only what the repository has, and the storage may collect the release."""
COPYING: Final = ".copying-"
REMOVING: Final = ".removing-"
READERS: Final = WORKERS
"""Threads that read the storage; the scratch is a disk of this machine, and one thread compares what lies there."""
CHUNK_BYTES: Final = 2**20
BLOCK_BYTES: Final = 4096
"""What the smallest file takes on the scratch."""
FRESH_SECONDS: Final = 300
"""A copy that was used or made so recently stays: somebody may be between choosing and locking it."""

_OTHER_TYPE: Final = frozenset({errno.ENOENT, errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.EINVAL})
"""The file system answers, and there is not what the manifest says."""
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class NotVisible(Exception):
    """The storage does not show the release, or not yet."""


class NoRoom(Exception):
    """The scratch is full of copies that must stay."""


class View(Protocol):
    """What is read of the storage."""

    def open(self, path: Path) -> BinaryIO:
        """Open a file, and no link."""

    def target(self, path: Path) -> str:
        """Return where a link points to."""


class Mounted:
    """The storage as it is mounted."""

    def open(self, path: Path) -> BinaryIO:
        """Open a file, and no link."""
        # O_NONBLOCK: opening a named pipe would wait for its other end.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        return os.fdopen(os.open(path, flags), "rb", buffering=0)

    def target(self, path: Path) -> str:
        """Return where a link points to."""
        return str(path.readlink())


@dataclass(frozen=True, kw_only=True)
class Held:
    """A copy."""

    files: int
    size_bytes: int
    """On the scratch."""


class Copies:
    """The copies of one task. Its only writer is one thread of the release agent."""

    def __init__(
        self,
        storage: Path,
        local: Path,
        budget_bytes: int,
        *,
        tracking: Path | None = None,
        view: View | None = None,
        now: Callable[[], float] = time.time,
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        """Nothing is read yet.

        Args:
            storage: Where releases are published: the folder of a release has its tree and its manifest.
            local: Where the copies are.
            budget_bytes: How much of the scratch the copies may take.
            tracking: Folder where Airflow's processes lock the versions that they use, a file each.
            view: How the storage is read.
            now: Seconds since 1970, as file systems count.
            alive: Called again and again while a copy is made.

        """
        self._storage = storage
        self._local = local
        self._budget = budget_bytes
        self._tracking = tracking
        self._view = view or Mounted()
        self._now = now
        self._alive = alive
        self._held: dict[str, Held] = {}
        self._broken: dict[str, Differences] = {}
        self._used: dict[str, float] = {}

    @property
    def held(self) -> dict[str, Held]:
        """The copies that were right when they were last compared."""
        return {each: about for each, about in self._held.items() if each not in self._broken}

    @property
    def broken(self) -> dict[str, Differences]:
        """The copies that are not what their ids say."""
        return dict(self._broken)

    def path(self, release_id: str) -> Path:
        """Return where a copy is, or would be."""
        return self._local / release_id

    def adopt(self) -> None:
        """Take over what an earlier agent of this task has left."""
        self._local.mkdir(parents=True, exist_ok=True)
        for path in self._local.iterdir():
            if path.name.startswith((COPYING, REMOVING)):
                remove(path)
            elif is_release_id(path.name):
                self._adopt(path.name)

    def _adopt(self, release_id: str) -> None:
        try:
            self.verify(release_id)
        except NotVisible:
            # Nobody can say what it should be.
            self._drop(release_id)

    def ensure(self, release_id: str, keep: Collection[str] = ()) -> Differences | None:
        """Hold a copy of a release; what is here already is not compared again.

        Args:
            release_id: The release. The ledger has named it: a name that is tried too early stays away.
            keep: Copies that must not give way to it.

        Returns:
            How the copy differs from the manifest, or None when it is right. One that differs is not kept.

        Raises:
            NotVisible: The storage does not show it, or not yet.
            NoRoom: The scratch is full.

        """
        if release_id in self._broken:
            return self._broken[release_id]
        if release_id in self._held:
            return None
        if self.path(release_id).is_dir():
            return self.verify(release_id)
        manifest = self._fetch_manifest(release_id)
        if isinstance(manifest, Differences):
            return manifest
        self._make_room(_scratch_bytes(manifest), {release_id, *keep})
        with _full_scratch():
            return self._take(release_id, manifest)

    def verify(self, release_id: str) -> Differences | None:
        """Compare a copy with its manifest, byte by byte.

        Raises:
            NotVisible: Its manifest is gone, here and from the storage.

        """
        manifest = self._manifest(release_id)
        if isinstance(manifest, Differences):
            self._broken[release_id] = manifest
            return manifest
        found = differences(self.path(release_id), manifest, readers=1)
        self._held[release_id] = Held(files=manifest.files, size_bytes=_scratch_bytes(manifest))
        if found:
            self._broken[release_id] = found
            return found
        self._broken.pop(release_id, None)
        return None

    def use(self, release_id: str) -> None:
        """Note that a copy is in use now."""
        self._used[release_id] = self._now()

    def prune(self, keep: Collection[str]) -> list[str]:
        """Remove broken copies, and the longest unused ones until the rest fits; return what was removed.

        What is in use stays, whatever it is: a running task reads on.
        """
        removed = [each for each in sorted(self._broken) if each not in keep and self._drop(each)]
        while self._taken() > self._budget and (victim := self._drop_one(keep)):
            removed.append(victim)
        return removed

    # Reading the storage

    def _manifest(self, release_id: str) -> Manifest | Differences:
        kept = self._local / MANIFESTS / release_id
        try:
            content = kept.read_bytes()
        except OSError:
            return self._fetch_manifest(release_id)
        manifest = _read_manifest(release_id, content)
        return self._fetch_manifest(release_id) if isinstance(manifest, Differences) else manifest

    def _fetch_manifest(self, release_id: str) -> Manifest | Differences:
        empty = genesis()
        # The first release is nobody's: there is nothing to publish.
        if release_id == empty.release_id:
            return empty
        try:
            with self._view.open(self._storage / release_id / MANIFEST) as file:
                content = _read_all(file)
        except FileNotFoundError as error:
            raise NotVisible("the file system does not show it yet") from error
        except OSError as error:
            raise _unreadable(MANIFEST, error) from error
        return _read_manifest(release_id, content)

    def _take(self, release_id: str, manifest: Manifest) -> Differences | None:
        staging = self._local / f"{COPYING}{release_id}"
        remove(staging)
        try:
            staging.mkdir(mode=WHILE_FILLING)
            self._copy(release_id, manifest, staging)
            found = differences(staging, manifest, readers=1)
            if not found:
                self._keep_manifest(release_id, manifest)
                staging.rename(self.path(release_id))
        finally:
            remove(staging)
        if found:
            return found
        self._held[release_id] = Held(files=manifest.files, size_bytes=_scratch_bytes(manifest))
        self.use(release_id)
        return None

    def _keep_manifest(self, release_id: str, manifest: Manifest) -> None:
        folder = self._local / MANIFESTS
        folder.mkdir(exist_ok=True)
        (folder / release_id).write_bytes(manifest.to_json())

    def _copy(self, release_id: str, manifest: Manifest, into: Path) -> None:
        source = self._storage / release_id / TREE
        for folder in manifest.folders:
            (into / folder).mkdir(mode=WHILE_FILLING)

        def copy(entries: list[Entry]) -> None:
            for entry in entries:
                self._copy_file(source / entry.path, entry, into / entry.path)

        with Parallel[None](READERS) as copying:
            for some in pieces((entry for entry in manifest.entries if entry.kind is Kind.FILE), TOGETHER):
                copying.begin(partial(copy, some))
                self._alive()
            for _ in copying.results():
                self._alive()
        # Last: nothing is written through a link.
        for entry in manifest.entries:
            if entry.kind is Kind.LINK:
                self._copy_link(source / entry.path, into / entry.path)
        for folder in [*reversed(manifest.folders), ""]:
            (into / folder).chmod(READ_ONLY_FOLDER)

    def _copy_file(self, source: Path, entry: Entry, target: Path) -> None:
        """Copy a file; where there is none, none is written, and the comparison finds that."""
        with _of_storage(entry.path) as there:
            file = self._view.open(source)
            there.append(file)
        if not there:
            return
        with file:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            written = os.open(target, flags, WHILE_WRITING)
            try:
                # One byte more than it should have is enough to see that it is another.
                left = entry.size + 1
                while left and (content := _read(file, min(left, CHUNK_BYTES), entry.path)):
                    left -= len(content)
                    _write_all(written, content)
                os.fchmod(written, READ_ONLY_EXECUTABLE if entry.mode & 0o100 else READ_ONLY)
            finally:
                os.close(written)

    def _copy_link(self, source: Path, target: Path) -> None:
        with _of_storage(str(target.name)) as there:
            there.append(self._view.target(source))
        if there:
            target.symlink_to(str(there[0]))

    # Room

    def _taken(self) -> int:
        return sum(about.size_bytes for about in self._held.values())

    def _make_room(self, needed: int, keep: Collection[str]) -> None:
        while self._taken() + needed > self._budget:
            if not self._drop_one(keep):
                mib = [number // 2**20 + 1 for number in (needed, self._taken(), self._budget)]
                raise NoRoom(
                    f"no room for a copy of {mib[0]} MiB: {mib[1]} of {mib[2]} MiB are taken by copies in use"
                )

    def _drop_one(self, keep: Collection[str]) -> str | None:
        """Remove the copy that was not used for the longest time, if one can be removed."""
        fresh = self._now() - FRESH_SECONDS
        old = sorted((self._last_use(each), each) for each in self._held if each not in keep)
        return next((each for used, each in old if used < fresh and self._drop(each)), None)

    def _last_use(self, release_id: str) -> float:
        times = [self._used.get(release_id, 0.0)]
        for path in (self.path(release_id), self._tracking and self._tracking / release_id):
            try:
                # The copy's own change time is when it got its name; a tracking file is written at each use.
                times.append(path.stat().st_ctime if path else 0.0)
            except OSError:
                continue
        return max(times)

    def _drop(self, release_id: str) -> bool:
        """Remove a copy unless somebody uses it."""
        with self._unused(release_id) as unused:
            if not unused:
                return False
            away = self._local / f"{REMOVING}{release_id}"
            remove(away)
            if self.path(release_id).exists():
                self.path(release_id).rename(away)
        remove(away)
        (self._local / MANIFESTS / release_id).unlink(missing_ok=True)
        self._held.pop(release_id, None)
        self._broken.pop(release_id, None)
        self._used.pop(release_id, None)
        return True

    @contextmanager
    def _unused(self, release_id: str) -> Iterator[bool]:
        """Say whether nobody uses a copy, and keep everybody from beginning to meanwhile.

        A task locks the version's file first and then looks for the copy. The file is never removed: who waits for the
        lock of a removed file gets it, and nobody sees it.
        """
        if self._tracking is None:
            yield True
            return
        self._tracking.mkdir(parents=True, exist_ok=True)
        file = os.open(self._tracking / release_id, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(file)


def _read_all(file: BinaryIO) -> bytes:
    content = b""
    # One byte more than any manifest has is enough to see that it is none.
    while len(content) <= MAX_JSON_BYTES and (more := file.read(CHUNK_BYTES)):
        content += more
    return content


def _read_manifest(release_id: str, content: bytes) -> Manifest | Differences:
    computed = hashlib.sha256(content).hexdigest()
    wrong = Differences(computed_id=computed, files=0, changed=(MANIFEST,))
    if computed != release_id:
        return wrong
    try:
        return Manifest.from_json(content)
    except Refusal:
        return wrong


def _scratch_bytes(manifest: Manifest) -> int:
    blocks = sum(-(-entry.size // BLOCK_BYTES) for entry in manifest.entries if entry.kind is Kind.FILE)
    # Each entry and folder has an inode and a name, the copy has its manifest.
    return (blocks + manifest.files + len(manifest.folders) + 2) * BLOCK_BYTES


@contextmanager
def _of_storage(path: str) -> Iterator[list[object]]:
    """Read from the storage: what is not there is no error here, what cannot be read is none of the content."""
    found: list[object] = []
    try:
        yield found
    except OSError as error:
        if error.errno not in _OTHER_TYPE:
            raise _unreadable(path, error) from error


def _read(file: BinaryIO, size: int, path: str) -> bytes:
    try:
        return file.read(size)
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: str, error: OSError) -> NotVisible:
    return NotVisible(f"{path} cannot be read from the file system: {error.strerror or error}")


def _write_all(file: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(file, left) :]


@contextmanager
def _full_scratch() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise NoRoom(f"the scratch is full: {error.strerror}") from error
        raise
