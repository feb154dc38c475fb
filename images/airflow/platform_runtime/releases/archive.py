"""The archive: how a release's content travels, and how it is written to a file system.

The manifest says what the content is. The archive is only its carrier, so nothing in it is believed: what is unpacked
is exactly what the manifest lists, to the last byte, or an error.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import shutil
import tarfile
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final

from .entries import Entry, Kind, raw, shown
from .layout import READ_ONLY, READ_ONLY_EXECUTABLE, READ_ONLY_FOLDER, WHILE_FILLING, WHILE_WRITING
from .manifest import Manifest
from .parallel import TOGETHER, WORKERS, Parallel, pieces
from .tree import CHUNK_BYTES, FOLDER, closing_descriptor, open_folder

LEVEL: Final = 6
BYTES_BESIDE_CONTENT: Final = 8192
"""Room in an archive for the headers of one entry, with a path and target of the greatest length, and its padding."""
SHOWN_PATHS: Final = 5
FEW: Final = 64
"""Files that one thread writes as fast as several do."""
SMALL_BYTES: Final = 2**20
"""What is larger is written while it is read; the rest waits in memory for a thread, as much of it together."""

Steps = Callable[[str], None]
"""Called before each change of the file system with a word on it; whoever raises there is a crash at that point.

Many files are written by several threads, one of which calls at a time.
"""


class ArchiveError(ValueError):
    """The archive is not one of this manifest; the message says what differs, and where."""


def pack(manifest: Manifest, read: Callable[[Entry], bytes | BinaryIO], out: BinaryIO) -> None:
    """Write the archive of a release; the same content gives the same bytes.

    Args:
        manifest: What the release consists of.
        read: Returns the content of a file; a stream is read to its end and closed.
        out: Where the archive goes.

    Raises:
        ArchiveError: The content of a file is not what the manifest says.

    """
    with (
        gzip.GzipFile(filename="", mode="wb", compresslevel=LEVEL, fileobj=out, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        for entry in manifest.entries:
            member = tarfile.TarInfo(entry.path)
            member.mode = entry.mode
            if entry.kind is Kind.LINK:
                member.type, member.linkname = tarfile.SYMTYPE, entry.target
                tar.addfile(member)
            else:
                member.size = entry.size
                given = read(entry)
                with io.BytesIO(given) if isinstance(given, bytes) else given as source:
                    checked = _Checked(entry, source)
                    # It reads as much as the header says.
                    with _short_is_an_error(entry):
                        tar.addfile(member, checked)  # type: ignore[arg-type]
                    checked.finish()


def unpack(source: BinaryIO, manifest: Manifest, into: Path, steps: Steps = lambda _: None) -> None:
    """Write the content of a release: read-only, and on the disk when this returns.

    Folders become read-only at the end only; a half-written tree goes away by `remove`.

    Args:
        source: The archive.
        manifest: What must be in it, in any order.
        into: Folder that is made, or is there and empty.
        steps: Called before each change of the file system.

    Raises:
        ArchiveError: The archive is not one of this manifest, or is cut off.
        OSError: The file system does not take it, or the source cannot be read.

    """
    with suppress(FileExistsError):
        steps("make the root")
        into.mkdir(mode=WHILE_FILLING)
    with closing_descriptor(os.open(into, FOLDER)) as root:
        with os.scandir(root) as there:
            empty = not any(there)
        if not empty:
            raise ArchiveError(f"{into} is not empty: unpacking needs a folder of its own")
        with Parallel[None](WORKERS if manifest.files > FEW else 1) as writing:
            _Unpacking(manifest, root, steps, writing).run(source)


def remove(path: Path) -> None:
    """Remove a tree, also a read-only or half-written one, or one that somebody else is removing."""
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    with suppress(FileNotFoundError):
        for _, _, _, descriptor in os.fwalk(path):
            os.fchmod(descriptor, WHILE_FILLING)
    shutil.rmtree(path, onerror=_unless_gone)


def _unless_gone(_function: object, _path: object, error: Any) -> None:
    if not isinstance(error[1], FileNotFoundError):
        raise error[1]


class _Checked:
    """A file's content on its way into the archive."""

    def __init__(self, entry: Entry, source: BinaryIO) -> None:
        self._entry = entry
        self._source = source
        self._digest = hashlib.sha256()

    def read(self, size: int) -> bytes:
        content = self._source.read(size)
        self._digest.update(content)
        return content

    def finish(self) -> None:
        if self._source.read(1) or self._digest.hexdigest() != self._entry.sha256:
            raise _other_content(self._entry)


def _other_content(entry: Entry) -> ArchiveError:
    return ArchiveError(
        f"{shown(entry.path)}: the content is not what the manifest says: want sha256 {entry.sha256}"
    )


@contextmanager
def _short_is_an_error(entry: Entry) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        # tarfile has no other way to say that the content is too short, and no number is on that.
        if error.errno is None:
            raise _other_content(entry) from error
        raise


class _Limited:
    """The uncompressed archive, which must not be much larger than what the manifest lists."""

    def __init__(self, source: gzip.GzipFile, limit: int) -> None:
        self._source = source
        self._limit = limit
        self._left = limit

    def read(self, size: int) -> bytes:
        content = self._source.read(min(size, self._left + 1))
        self._left -= len(content)
        if self._left < 0:
            raise ArchiveError(
                f"the archive has more than {self._limit} bytes, far more than its manifest lists"
            )
        return content


@contextmanager
def _explained() -> Iterator[None]:
    """Turn what reading a broken archive raises into words; errors of the file system stay what they are."""
    try:
        yield
    except ArchiveError:
        raise
    except EOFError as error:
        raise ArchiveError("the archive ends too early: its upload or download was cut off") from error
    except (tarfile.TarError, zlib.error, gzip.BadGzipFile, ValueError, OverflowError) as error:
        raise ArchiveError(f"the archive is damaged, or no archive: {error}") from error


class _Unpacking:
    """One archive on its way into a folder.

    The archive is read by one thread. What costs time is the file system, which has to make each file and put it on
    its disk: that is done for several folders, or parts of one, side by side.
    """

    def __init__(self, manifest: Manifest, root: int, steps: Steps, writing: Parallel[None]) -> None:
        self._manifest = manifest
        self._root = root
        self._steps = _in_turn(steps)
        self._writing = writing
        self._left = dict(manifest.by_path)
        self._together: list[tuple[Entry, bytes]] = []
        """Small files of one folder that no thread has yet."""

    def run(self, source: BinaryIO) -> None:
        self._make_folders()
        limit = self._manifest.size_bytes + (self._manifest.files + 2) * BYTES_BESIDE_CONTENT + CHUNK_BYTES
        with _explained(), gzip.GzipFile(fileobj=source, mode="rb") as compressed:
            content = _Limited(compressed, limit)
            with tarfile.open(fileobj=content, mode="r|", errors="surrogateescape") as tar:  # type: ignore[call-overload]
                for member in tar:
                    self._take(member, tar)
            # The checksum of the whole stands at the end.
            while content.read(CHUNK_BYTES):
                pass
        self._hand_over()
        self._writing.finish()
        if self._left:
            names = [shown(path) for path in sorted(self._left)]
            more = f" and {len(names) - SHOWN_PATHS} more" if len(names) > SHOWN_PATHS else ""
            raise ArchiveError(f"the archive lacks {', '.join(names[:SHOWN_PATHS])}{more}")
        self._close_folders()

    def _make_folders(self) -> None:
        for folder in self._manifest.folders:
            above, _, last = folder.rpartition("/")
            with closing_descriptor(open_folder(above, self._root)) as parent:
                self._steps(f"make {folder}")
                os.mkdir(raw(last), WHILE_FILLING, dir_fd=parent)

    def _close_folders(self) -> None:
        """Make the folders read-only, the innermost first, and put their names on the disk."""
        for some in pieces(reversed(self._manifest.folders)):
            self._writing.begin(partial(self._close, some))
        self._writing.finish()
        self._close([""])

    def _close(self, folders: list[str]) -> None:
        for folder in folders:
            with closing_descriptor(open_folder(folder, self._root)) as descriptor:
                self._steps(f"close {folder or 'the root'}")
                os.fchmod(descriptor, READ_ONLY_FOLDER)
                self._steps(f"sync {folder or 'the root'}")
                os.fsync(descriptor)

    def _take(self, member: tarfile.TarInfo, tar: tarfile.TarFile) -> None:
        entry = self._left.pop(member.name, None)
        if entry is None:
            twice = member.name in self._manifest.by_path
            raise ArchiveError(f"{shown(member.name)}: it is in the archive {'twice' if twice else 'only'}")
        if _about(member) != _expected(entry):
            raise ArchiveError(
                f"{shown(entry.path)}: want {_words(_expected(entry))} as in the manifest, got {_words(_about(member))}"
            )
        content = io.BytesIO() if entry.kind is Kind.LINK else tar.extractfile(member)
        if content is None:
            raise ArchiveError(f"{shown(entry.path)}: it has no content")
        if entry.size > SMALL_BYTES:
            with closing_descriptor(open_folder(_folder(entry), self._root)) as folder:
                self._write(entry, folder, content)
            return
        if not self._fits(entry):
            self._hand_over()
        self._together.append((entry, content.read()))
        if self._manifest.files <= FEW:
            self._hand_over()

    def _fits(self, entry: Entry) -> bool:
        """Say whether a file can be written together with those that wait."""
        if not self._together:
            return True
        return (
            len(self._together) < TOGETHER
            and _folder(entry) == _folder(self._together[0][0])
            and entry.size + sum(len(content) for _, content in self._together) <= SMALL_BYTES
        )

    def _hand_over(self) -> None:
        if together := self._together:
            self._together = []
            self._writing.begin(partial(self._write_together, together))

    def _write_together(self, files: list[tuple[Entry, bytes]]) -> None:
        with closing_descriptor(open_folder(_folder(files[0][0]), self._root)) as folder:
            for entry, content in files:
                if entry.kind is Kind.LINK:
                    self._steps(f"write {entry.path}")
                    os.symlink(raw(entry.target), _last(entry), dir_fd=folder)
                else:
                    self._write(entry, folder, io.BytesIO(content))

    def _write(self, entry: Entry, folder: int, content: Any) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        self._steps(f"write {entry.path}")
        with closing_descriptor(os.open(_last(entry), flags, WHILE_WRITING, dir_fd=folder)) as file:
            digest = hashlib.sha256()
            while chunk := content.read(CHUNK_BYTES):
                self._steps(f"fill {entry.path}")
                digest.update(chunk)
                _write_all(file, chunk)
            if digest.hexdigest() != entry.sha256:
                raise _other_content(entry)
            os.fchmod(file, READ_ONLY_EXECUTABLE if entry.mode & 0o100 else READ_ONLY)
            self._steps(f"sync {entry.path}")
            os.fsync(file)


def _folder(entry: Entry) -> str:
    return entry.path.rpartition("/")[0]


def _last(entry: Entry) -> bytes:
    return raw(entry.path.rpartition("/")[2])


def _in_turn(steps: Steps) -> Steps:
    lock = threading.Lock()

    def step(word: str) -> None:
        with lock:
            steps(word)

    return step


def _write_all(file: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(file, left) :]


About = tuple[str, int, int, str]
"""Type, size, mode and target."""


def _expected(entry: Entry) -> About:
    size = entry.size if entry.kind is Kind.FILE else 0
    return entry.kind.value, size, entry.mode, entry.target


def _about(member: tarfile.TarInfo) -> About:
    if member.issym():
        return Kind.LINK.value, member.size, member.mode, member.linkname
    if member.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and not member.issparse():
        return Kind.FILE.value, member.size, member.mode, member.linkname
    return f"type {member.type!r}", member.size, member.mode, member.linkname


def _words(about: About) -> str:
    kind, size, mode, target = about
    return f"a {kind} of {size} bytes, mode {mode:04o}" + (f", to {shown(target)}" if target else "")
