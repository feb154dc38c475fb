"""The publisher: the only writer of the DAG storage. A release is there as a whole or not at all.

It is written under a name that nobody reads, read back and hashed, and then renamed: on NFS, too, a rename is one step
of the server. Whatever ends a publisher leaves nothing but such a name behind, and the next one removes it.

Nobody may look for a name before it is there: an NFS client remembers for up to a minute that there was nothing. So
the publisher lists the root, and only then opens what it has found.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import math
import os
import re
import secrets
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from .archive import ArchiveError, Steps, remove, unpack
from .layout import MANIFEST, READ_ONLY, READ_ONLY_FOLDER, TREE, WHILE_FILLING
from .manifest import MAX_JSON_BYTES, Manifest, Refusal, genesis, is_release_id, shown
from .source import Source, SourceError
from .tree import differences

LOCK_MODE: Final = 0o600
"""A reader who held the lock would keep every clean-up away."""

LOCK: Final = ".lock"
"""Publishers share it, a clean-up has it alone. It goes away with the process that holds it, however that ends."""
STAGING: Final = ".staging-"
DEAD: Final = ".dead-"
"""Being removed. What could still become a release gets this name first, so that nobody renames half of it."""
TRASH: Final = ".trash-"
STAGING_SECONDS: Final = 3600
"""What was begun earlier has no owner any more: a publisher takes minutes."""
TRASH_SECONDS: Final = 24 * 3600
"""So long can whoever reads a release go on after it was collected."""
PATIENCE_SECONDS: Final = 120
"""How long to wait for the lock; publishers and clean-ups take minutes at most."""
VISIBLE_SECONDS: Final = 90
"""Longer than an NFS client believes what it knows of a folder (60 s)."""
PAUSE_SECONDS: Final = 1.0
HURRY_SECONDS: Final = 20
"""So long may removing files take while somebody waits for something else."""

_TRASH: Final = re.compile(re.escape(TRASH) + "([0-9a-f]{64})-([0-9]+)")
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
_DENIED: Final = (errno.EACCES, errno.EPERM, errno.EROFS)
_TAKEN: Final = (errno.ENOTEMPTY, errno.EEXIST)
_UPLOAD_AGAIN: Final = "remove the release's folder from the release bucket, then release again"
_REPLACE: Final = (
    "a published release is never repaired in place, as containers may be reading it: point to another release, take"
    " this one away with `operations collect --only` and its id, then release it again"
)


class PublishError(Exception):
    """It could not be done; the message says what, where, and what to do. Another attempt may succeed."""


class BrokenContent(PublishError):
    """What is there is not the release of this id. Another attempt would find the same."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """A release that was read in full and is what its id says."""

    files: int
    size_bytes: int
    already: bool
    """It was there before."""


@dataclass(frozen=True, kw_only=True)
class Collected:
    """What a clean-up did."""

    collected: tuple[str, ...]
    """Releases that it took away from readers."""
    refused: tuple[str, ...]
    """Releases that the register did not let go."""
    emptied: tuple[str, ...]
    """Releases taken away earlier whose files it removed."""


class Register(Protocol):
    """Who decides whether a release may go: the ledger."""

    def unfinished(self) -> Collection[str]:
        """Return the releases that a clean-up has begun to take away."""

    def begin(self, release_id: str) -> bool:
        """Let a release go, so that nobody can point to it any more; or say no."""

    def finish(self, release_id: str) -> None:
        """Note that a release is gone."""


class Publisher:
    """Publishes, verifies and collects releases in one folder."""

    def __init__(
        self,
        root: Path,
        source: Source,
        now: Callable[[], float] = time.time,
        *,
        steps: Steps = lambda _: None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Work in a folder.

        Args:
            root: The DAG storage.
            source: Where releases come from.
            now: Tells the time, in seconds since 1970.
            steps: Called before each change of the file system with a word on it.
            pause: Waits for so many seconds.

        """
        self._root = root
        self._source = source
        self._now = now
        self._steps = steps
        self._pause = pause

    def publish(self, release_id: str, record: Callable[[Published], None] | None = None) -> Published:
        """Make a release readable; one that is there already is read again, in full.

        Args:
            release_id: Which release.
            record: Called when it is there, while no clean-up can take it away again.

        Raises:
            PublishError: It could not be published, or what is there under its id is something else.

        """
        with self._explained(f"the release {release_id} is not published"):
            _refuse_a_bad_id(release_id)
            with self._beside_others():
                if self._is_there(release_id):
                    published = self._published_before(release_id)
                else:
                    published = self._publish(self._manifest(release_id))
                if record:
                    record(published)
                return published

    def verify(self, release_id: str) -> Published:
        """Read a release in full.

        Raises:
            PublishError: It is not there, cannot be read, or is not what its id says.

        """
        with self._explained(f"the release {release_id} is not verified"):
            _refuse_a_bad_id(release_id)
            with self._locked(fcntl.LOCK_SH):
                if not self._is_there(release_id):
                    raise PublishError(f"it is not in {self._root}: publish it")
                return self._verify(release_id)

    def releases(self) -> list[str]:
        """Return the ids of the releases that are there.

        Raises:
            PublishError: The folder cannot be read.

        """
        with self._explained("the releases cannot be listed"):
            return list(filter(is_release_id, _names(self._root)))

    def collect(
        self,
        keep: Collection[str],
        older_than_seconds: float,
        register: Register | None = None,
        *,
        hurry: bool = False,
    ) -> Collected:
        """Take old releases away from readers, and remove the files of those taken away a day ago.

        Args:
            keep: Releases that stay, whatever their age.
            older_than_seconds: Releases that were published since then stay.
            register: Has to let each release go.
            hurry: Wait for nobody, and begin to remove files for some seconds only; the next clean-up does the rest.

        Raises:
            PublishError: Not everything could be done.

        """
        with self._explained("the clean-up has not come to its end"):
            for release_id in keep:
                _refuse_a_bad_id(release_id)
            begun = self._now()
            with self._alone(patience_seconds=0 if hurry else PATIENCE_SECONDS):
                old = [
                    release_id
                    for release_id in self.releases()
                    if release_id not in keep and self._age(self._root / release_id) >= older_than_seconds
                ]
                if register:
                    self._finish(register)
                collected = [each for each in old if self._collect(each, register)]
            self._remove_the_dead()
            return Collected(
                collected=tuple(collected),
                refused=tuple(each for each in old if each not in collected),
                emptied=tuple(self._empty_trash(begun + HURRY_SECONDS if hurry else math.inf)),
            )

    # Publishing

    def _is_there(self, release_id: str) -> bool:
        return release_id in _names(self._root)

    def _manifest(self, release_id: str) -> Manifest:
        if release_id == genesis().release_id:
            return genesis()
        content = self._source.manifest(release_id)
        if (found := hashlib.sha256(content).hexdigest()) != release_id:
            raise BrokenContent(
                f"what is stored as its manifest has the id {found}: cut off or exchanged; {_UPLOAD_AGAIN}"
            )
        return Manifest.from_json(content)

    def _publish(self, manifest: Manifest) -> Published:
        release_id = manifest.release_id
        staging = self._root / f"{STAGING}{release_id}-{secrets.token_hex(8)}"
        try:
            self._steps("make the staging folder")
            staging.mkdir(WHILE_FILLING)
            self._write_tree(staging / TREE, manifest)
            self._write_manifest(staging / MANIFEST, manifest)
            self._close(staging)
            first = self._reveal(staging, release_id)
        except BaseException:
            self._throw_away(staging)
            raise
        if first:
            return Published(files=manifest.files, size_bytes=manifest.size_bytes, already=False)
        self._throw_away(staging)
        return self._published_by_another(release_id)

    def _write_tree(self, tree: Path, manifest: Manifest) -> None:
        if manifest.entries:
            with closing(self._source.archive(manifest.release_id)) as archive:
                unpack(archive, manifest, tree, self._steps)
        else:
            self._steps("make an empty tree")
            tree.mkdir()
            self._close(tree)
        if found := differences(tree, manifest):
            raise PublishError(
                f"what was written to {self._root} reads back with differences: {found}; see whether the file system"
                " is well, then try again"
            )

    def _write_manifest(self, path: Path, manifest: Manifest) -> None:
        self._steps("write the manifest")
        with path.open("xb") as file:
            file.write(manifest.to_json())
            file.flush()
            self._steps("close the manifest")
            os.fchmod(file.fileno(), READ_ONLY)
            self._steps("sync the manifest")
            os.fsync(file.fileno())

    def _close(self, folder: Path) -> None:
        self._steps("close a folder")
        folder.chmod(READ_ONLY_FOLDER)
        # By this clock and not by the file system's: the clean-up counts from here.
        self._date(folder)
        self._sync(folder)

    def _reveal(self, staging: Path, release_id: str) -> bool:
        """Give the release its name; say no if another publisher was first.

        A folder with something in it is never replaced, so there is no moment between looking and renaming.
        """
        self._steps("rename")
        try:
            staging.rename(self._root / release_id)
        except OSError as error:
            if error.errno in _TAKEN:
                return False
            raise
        self._sync(self._root)
        return True

    def _published_before(self, release_id: str) -> Published:
        found = self._verify(release_id)
        # Who published it may have died before that; and whoever publishes wants it to stay.
        self._sync(self._root)
        self._date(self._root / release_id)
        return found

    def _published_by_another(self, release_id: str) -> Published:
        for _ in _attempts(VISIBLE_SECONDS):
            if self._is_there(release_id):
                return self._published_before(release_id)
            self._pause(PAUSE_SECONDS)
        raise PublishError(
            f"another publisher has published it, and {self._root} has not shown it for {VISIBLE_SECONDS} s; try again"
        )

    def _throw_away(self, staging: Path) -> None:
        """Remove what did not become a release. If that fails, too, the next publisher does it."""
        self._steps("throw the staging folder away")
        with suppress(OSError):
            remove(staging)

    # Reading

    def _verify(self, release_id: str) -> Published:
        folder = self._root / release_id
        _refuse_no_folder(folder)
        if (names := _names(folder)) != [MANIFEST, TREE]:
            found = ", ".join(map(shown, names)) or "nothing"
            raise BrokenContent(f"{folder} has {found}, want {MANIFEST} and {TREE}; {_REPLACE}")
        _refuse_no_folder(folder / TREE)
        manifest = self._read_manifest(release_id, folder / MANIFEST)
        if different := differences(folder / TREE, manifest):
            raise BrokenContent(f"{folder / TREE} is not the release: {different}; {_REPLACE}")
        return Published(files=manifest.files, size_bytes=manifest.size_bytes, already=True)

    def _read_manifest(self, release_id: str, path: Path) -> Manifest:
        content = b""
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                content = file.read(MAX_JSON_BYTES + 1)
        if hashlib.sha256(content).hexdigest() != release_id:
            raise BrokenContent(f"{path} is not the manifest of this id; {_REPLACE}")
        return Manifest.from_json(content)

    # Cleaning up

    def _collect(self, release_id: str, register: Register | None) -> bool:
        if register and not register.begin(release_id):
            return False
        self._rename_to_trash(release_id)
        self._sync(self._root)
        if register:
            register.finish(release_id)
        return True

    def _finish(self, register: Register) -> None:
        """Note what a clean-up did that died before it could."""
        there = self.releases()
        for release_id in register.unfinished():
            if release_id not in there:
                register.finish(release_id)

    def _rename_to_trash(self, release_id: str) -> None:
        moment = int(self._now())
        self._steps("rename to trash")
        while True:
            try:
                (self._root / release_id).rename(self._root / f"{TRASH}{release_id}-{moment}")
            except OSError as error:
                # Collected, published and collected again within a second.
                if error.errno not in _TAKEN:
                    raise
                moment += 1
            else:
                return

    def _empty_trash(self, until: float) -> Iterator[str]:
        for name in _names(self._root):
            trash = _TRASH.fullmatch(name)
            if self._now() >= until:
                return
            if trash and self._now() - int(trash[2]) >= TRASH_SECONDS:
                self._steps("remove trash")
                remove(self._root / name)
                yield trash[1]

    def _bury(self, *, everything: bool) -> None:
        """Make sure that nobody goes on with what others have begun and cannot end."""
        for name in _names(self._root):
            if not name.startswith(STAGING):
                continue
            with suppress(FileNotFoundError):
                if everything or self._age(self._root / name) > STAGING_SECONDS:
                    self._steps("bury a staging folder")
                    (self._root / name).rename(self._root / (DEAD + name.removeprefix(STAGING)))

    def _remove_the_dead(self) -> None:
        for name in _names(self._root):
            if name.startswith(DEAD):
                self._steps("remove a dead folder")
                # It is in nobody's way but the disk's.
                with suppress(OSError):
                    remove(self._root / name)

    # Locks

    @contextmanager
    def _beside_others(self) -> Iterator[None]:
        """Work beside other publishers and never beside a clean-up, and remove what dead publishers have left.

        Who gets the lock alone knows that no other publisher lives. The files are removed later, as others wait.
        """
        with self._lock() as lock:
            self._bury(everything=_try(lock, fcntl.LOCK_EX))
            self._wait_for(lock, fcntl.LOCK_SH)
            self._remove_the_dead()
            yield

    @contextmanager
    def _alone(self, patience_seconds: float) -> Iterator[None]:
        with self._locked(fcntl.LOCK_EX, patience_seconds):
            self._bury(everything=True)
            yield

    @contextmanager
    def _locked(self, kind: int, patience_seconds: float = PATIENCE_SECONDS) -> Iterator[None]:
        with self._lock() as lock:
            self._wait_for(lock, kind, patience_seconds)
            yield

    @contextmanager
    def _lock(self) -> Iterator[int]:
        self._steps("open the lock")
        lock = os.open(self._root / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, LOCK_MODE)
        try:
            yield lock
        finally:
            os.close(lock)

    def _wait_for(self, lock: int, kind: int, patience_seconds: float = PATIENCE_SECONDS) -> None:
        for number in _attempts(patience_seconds):
            if number:
                self._pause(PAUSE_SECONDS)
            if _try(lock, kind):
                return
        other = "a clean-up" if kind == fcntl.LOCK_SH else "a publisher"
        lasted = (
            f"has been at work in {self._root} for {patience_seconds} s" if patience_seconds else "is at work"
        )
        raise PublishError(f"{other} {lasted}: wait for its end, then try again")

    # The file system

    def _age(self, path: Path) -> float:
        return self._now() - path.lstat().st_mtime

    def _date(self, folder: Path) -> None:
        self._steps("date a folder")
        moment = self._now()
        os.utime(folder, (moment, moment))

    def _sync(self, folder: Path) -> None:
        """Put the names in a folder on the disk: of what is in it, and that it is there."""
        self._steps("sync a folder")
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        """Say what was not done, why, and what to do."""
        try:
            yield
        except PublishError as error:
            raise type(error)(f"{what}: {error}") from error
        except SourceError as error:
            raise PublishError(f"{what}: {error}") from error
        except ArchiveError as error:
            raise BrokenContent(f"{what}: {error}; {_UPLOAD_AGAIN}") from error
        except Refusal as error:
            raise BrokenContent(f"{what}: its manifest breaks the rules for releases:\n{error}") from error
        except OSError as error:
            raise PublishError(f"{what}: {self._reason(error)}") from error

    def _reason(self, error: OSError) -> str:
        where = shown(os.fsdecode(error.filename)) if error.filename else str(self._root)
        why = f"{where}: {error.strerror or error}"
        if error.errno in _FULL:
            return f"{why}; make room in {self._root}, then try again"
        if error.errno in _DENIED:
            return (
                f"{why}; only the publisher may write to {self._root}, and this process is user {os.geteuid()}: run"
                " the publisher's task definition"
            )
        if not self._root.is_dir():
            return f"{self._root} is no folder: see whether the DAG storage is mounted there, then try again"
        return f"{why}; try again"


def _refuse_a_bad_id(release_id: str) -> None:
    if not is_release_id(release_id):
        raise PublishError(
            f"{release_id!r} is no release id: want 64 hexadecimal characters, as `operations releases` shows them"
        )


def _refuse_no_folder(path: Path) -> None:
    if path.is_symlink() or not path.is_dir():
        raise BrokenContent(f"{path} is no folder; {_REPLACE}")


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _try(lock: int, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _attempts(seconds: float) -> range:
    return range(int(seconds / PAUSE_SECONDS) + 1)
