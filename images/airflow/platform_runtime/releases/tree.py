"""A tree as it lies in the file system: read as a manifest, or compared with one.

Everything is reached through the descriptor of the folder around it and never through a link, so nobody who changes
the tree meanwhile can lead the reader out of it. Content is read in full each time: size and time prove nothing.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from .entries import EXECUTABLE_MODE, PLAIN_MODE, Entry, Kind, Problem, Refusal, link_entry, name, raw, shown
from .manifest import Manifest, canonical
from .parallel import TOGETHER, WORKERS, Parallel, pieces
from .rules import MAX_ENTRIES, MAX_FILE_BYTES, MAX_PATH_BYTES, check, content_problem

CHUNK_BYTES: Final = 2**20
SHOWN_PATHS: Final = 5
MAX_FOUND: Final = 5 * MAX_ENTRIES
"""A walk ends here: it is no release any more, and memory is not for free."""

# O_NONBLOCK: opening a named pipe would wait for its other end.
READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
FOLDER: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_DIRECTORY


@dataclass(frozen=True, kw_only=True)
class Differences:
    """How a tree differs from its manifest; false when it does not at all."""

    computed_id: str
    """Hash of what is there: the release's id if, and only if, nothing differs."""
    files: int
    """Files and links that are there."""
    extra: tuple[str, ...] = ()
    """There and not in the manifest; an empty folder ends with "/"."""
    missing: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    """Other content, other type, other mode, or impossible to read."""

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.extra or self.missing or self.changed)

    def __str__(self) -> str:
        """Say it in one line, with the first few paths."""
        parts = [
            f"{len(paths)} {kind} ({_some(paths)})"
            for kind, paths in (("extra", self.extra), ("missing", self.missing), ("changed", self.changed))
            if paths
        ]
        return ", ".join(parts) or "no differences"


def scan(root: Path, readers: int = WORKERS) -> Manifest:
    """Return the manifest of a folder.

    Args:
        root: The folder.
        readers: How many threads read it.

    Raises:
        Refusal: It has something that no release may have.

    """
    found = _walk(root, readers)
    entries = tuple(found.entries.values())
    problems = [
        Problem(path, wrong, "want files, folders and links only")
        for path, wrong in sorted(found.unusable.items())
    ]
    problems += [
        Problem(path, "it is an empty folder", "want at least one file in it: Git keeps no empty folders")
        for path in sorted(found.empty)
    ]
    problems += sorted(found.problems, key=lambda problem: problem.path)
    if problems:
        raise Refusal([*problems, *check(entries)])
    return Manifest(entries)


def differences(root: Path, manifest: Manifest, readers: int = WORKERS) -> Differences:
    """Compare everything below a folder with the manifest, to the last byte; errors of reading are differences.

    Args:
        root: The folder.
        manifest: What should be there.
        readers: How many threads read it; on a disk of this machine one is enough.

    """
    found = _walk(root, readers)
    expected = manifest.by_path
    there = found.entries.keys() | found.unusable.keys()
    changed = {path for path in there & expected.keys() if found.entries.get(path) != expected[path]}
    extra = there - expected.keys()
    # A folder of the manifest that is none any more, or cannot be read: what was in it is missing, and this is why.
    no_folder = extra & set(manifest.folders)
    if "" in found.unusable:
        extra -= {""}
        changed |= {"."}
    return Differences(
        computed_id=found.computed_id(),
        files=len(found.entries),
        extra=_sorted((extra - no_folder) | {f"{path}/" for path in found.empty}),
        missing=_sorted(expected.keys() - there),
        changed=_sorted(changed | no_folder),
    )


def open_folder(parts: str, root: int) -> int:
    """Open a folder below another, never through a link; the caller closes it.

    Args:
        parts: Path relative to the root, empty for the root itself.
        root: Descriptor of the root.

    Raises:
        OSError: It is not there, or a part of the path is not a folder.

    """
    current = os.open(".", FOLDER, dir_fd=root)
    for part in raw(parts).split(b"/") if parts else ():
        try:
            below = os.open(part, FOLDER, dir_fd=current)
        finally:
            os.close(current)
        current = below
    return current


@contextmanager
def closing_descriptor(descriptor: int) -> Iterator[int]:
    """Close a descriptor at the end."""
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@dataclass
class _Part:
    """Some of what lies in a folder."""

    entries: dict[str, Entry] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)
    unusable: dict[str, str] = field(default_factory=dict)
    """What is neither file, link nor folder, or cannot be read, and why."""
    problems: list[Problem] = field(default_factory=list)
    """What is wrong with the content of files."""


@dataclass
class _Found:
    """What lies below a folder."""

    entries: dict[str, Entry] = field(default_factory=dict)
    empty: list[str] = field(default_factory=list)
    """Folders with nothing in them, which no manifest can have."""
    unusable: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    listed: int = 0
    """Names seen so far."""

    def add(self, part: _Part) -> None:
        """Add what was read."""
        self.entries |= part.entries
        self.unusable |= part.unusable
        self.problems += part.problems

    def computed_id(self) -> str:
        more = {"empty": sorted(self.empty), "unusable": sorted(self.unusable)}
        listed = sorted(self.entries.values(), key=lambda entry: entry.path)
        content = canonical(listed, **{kind: paths for kind, paths in more.items() if paths})
        return hashlib.sha256(content).hexdigest()


def _walk(root: Path, readers: int) -> _Found:
    found = _Found()
    try:
        # The root itself may be reached through links: only what is below it is the tree.
        descriptor = os.open(root, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
    except OSError as error:
        found.unusable[""] = _cannot_be_read(error)
        return found
    with closing_descriptor(descriptor), Parallel[_Part](readers) as reading:
        try:
            _begin("", descriptor, found, reading)
            for part in reading.results():
                found.add(part)
                for folder in part.folders:
                    _begin(folder, descriptor, found, reading)
        except _TooMuch:
            found.unusable[""] = f"it has more than {MAX_FOUND} files and folders"
    return found


def _begin(folder: str, root: int, found: _Found, reading: Parallel[_Part]) -> None:
    """List a folder, and begin to read what lies in it."""
    try:
        with (
            closing_descriptor(open_folder(folder, root)) as descriptor,
            os.scandir(descriptor) as there,
        ):
            names = [os.fsencode(each.name) for each in there]
    except OSError as error:
        found.unusable[folder] = _cannot_be_read(error)
        return
    found.listed += len(names)
    if found.listed > MAX_FOUND:
        raise _TooMuch
    if not names and folder:
        found.empty.append(folder)
    for some in pieces(names, TOGETHER):
        reading.begin(partial(_read, folder, some, root))


def _read(folder: str, names: list[bytes], root: int) -> _Part:
    """Take in some of what lies in a folder."""
    part = _Part()
    try:
        descriptor = open_folder(folder, root)
    except OSError as error:
        part.unusable[folder] = _cannot_be_read(error)
        return part
    with closing_descriptor(descriptor):
        for each in names:
            path = f"{folder}/{name(each)}" if folder else name(each)
            try:
                if not _is_folder(each, descriptor):
                    part.entries[path] = _entry(path, each, descriptor, part)
                elif (size := len(raw(path))) > MAX_PATH_BYTES:
                    part.unusable[path] = f"its path has {size} bytes"
                else:
                    part.folders.append(path)
            except FileNotFoundError:
                continue  # removed since the folder was listed: it is not there
            except OSError as error:
                part.unusable[path] = _cannot_be_read(error)
            except _OtherType:
                part.unusable[path] = "it is a device, a named pipe or a socket"
    return part


class _TooMuch(Exception):
    """More files and folders than any release has."""


class _OtherType(Exception):
    """Neither a file, nor a link, nor a folder."""


def _is_folder(each: bytes, folder: int) -> bool:
    return stat.S_ISDIR(os.stat(each, dir_fd=folder, follow_symlinks=False).st_mode)


def _entry(path: str, each: bytes, folder: int, part: _Part) -> Entry:
    """Return the entry of a file or link.

    Raises:
        OSError: It cannot be read.
        _OtherType: It is something else; a device is not even opened, since opening may do something.

    """
    mode = os.stat(each, dir_fd=folder, follow_symlinks=False).st_mode
    if stat.S_ISLNK(mode):
        return link_entry(path, name(os.readlink(each, dir_fd=folder)))
    if not stat.S_ISREG(mode):
        raise _OtherType
    with closing_descriptor(os.open(each, READ, dir_fd=folder)) as descriptor:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise _OtherType
        digest, size = hashlib.sha256(), 0
        while size <= MAX_FILE_BYTES and (content := os.read(descriptor, CHUNK_BYTES)):
            if not size and (problem := content_problem(path, content)):
                part.problems.append(problem)
            digest.update(content)
            size += len(content)
    return Entry(
        path=path,
        kind=Kind.FILE,
        mode=EXECUTABLE_MODE if about.st_mode & stat.S_IXUSR else PLAIN_MODE,
        # One that is too large is not read to its end.
        size=max(size, about.st_size) if size > MAX_FILE_BYTES else size,
        sha256=digest.hexdigest(),
    )


def _cannot_be_read(error: OSError) -> str:
    return f"it cannot be read: {error.strerror or type(error).__name__}"


def _sorted(paths: set[str]) -> tuple[str, ...]:
    return tuple(sorted(paths))


def _some(paths: tuple[str, ...]) -> str:
    more = len(paths) - SHOWN_PATHS
    return ", ".join([*map(shown, paths[:SHOWN_PATHS]), *([f"and {more} more"] if more > 0 else [])])
