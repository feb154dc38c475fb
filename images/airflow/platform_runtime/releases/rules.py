"""The rules of a release's tree: what could mean one thing here and another there, or is too much, is refused.

Names that some file systems fold or rewrite, files that are not the content, links that lead out.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

from .entries import EXECUTABLE_MODE, LINK_MODE, PLAIN_MODE, Entry, Kind, Problem, parents, raw, shown
from .links import Links

MAX_FILE_BYTES: Final = 10 * 2**20
"""A DAG's code is small. What is larger is data: it belongs into a bucket, not into the start of every container."""
MAX_TREE_BYTES: Final = 250 * 2**20
"""Each container holds several releases on its scratch and reads one in full before it starts."""
MAX_ENTRIES: Final = 20_000
"""Twice what has been measured. Each file costs several round trips to the file system in every container."""
MAX_NAME_BYTES: Final = 255
"""NAME_MAX of Linux file systems and of EFS."""
MAX_PATH_BYTES: Final = 1024
"""Leaves room for the folder around it below PATH_MAX (4096); it also limits the depth."""

LFS_POINTER: Final = b"version https://git-lfs.github.com/spec/"
BYTECODE_FOLDER: Final = "__pycache__"
BYTECODE_SUFFIXES: Final = (".pyc", ".pyo")

SHA256: Final = re.compile(r"[0-9a-f]{64}")
_INVISIBLE: Final = frozenset({"Cc", "Zl", "Zp"})
_REORDERING: Final = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})


def content_problem(path: str, head: bytes) -> Problem | None:
    """Return what is wrong with the beginning of a file's content, if anything."""
    if head.startswith(LFS_POINTER):
        return Problem(
            path,
            "it is a pointer of Git LFS, not the content",
            "commit the file itself, or read it from a bucket in the task",
        )
    return None


def check(entries: Iterable[Entry]) -> list[Problem]:
    """Return everything that keeps these entries from being a release."""
    listed = list(entries)
    problems = [problem for entry in listed for problem in _entry_problems(entry)]
    problems += _size_problems(listed)
    problems += _name_problems(listed)
    # A link that is wrong in itself has been told of already.
    broken = {problem.path for problem in problems}
    problems += [problem for problem in Links(listed).problems() if problem.path not in broken]
    return problems


# Rules for one entry


def _entry_problems(entry: Entry) -> Iterator[Problem]:
    yield from _path_problems(entry.path)
    if not SHA256.fullmatch(entry.sha256):
        yield Problem(entry.path, "its sha256 is not one", "want 64 hexadecimal characters")
    if entry.size < 0:
        yield Problem(entry.path, f"its size is {entry.size}", "want 0 or more")
    if entry.kind is Kind.LINK:
        yield from _target_problems(entry)
        return
    if entry.mode not in (PLAIN_MODE, EXECUTABLE_MODE):
        yield Problem(entry.path, f"its mode is {entry.mode:04o}", "want 0644, or 0755 for a program")
    if entry.target:
        yield Problem(entry.path, "it is a file and has a target", "only links have one")
    if entry.size > MAX_FILE_BYTES:
        yield Problem(
            entry.path,
            f"it has {entry.size} bytes",
            f"at most {MAX_FILE_BYTES} are allowed: keep data in a bucket",
        )


def _path_problems(path: str) -> Iterator[Problem]:
    yield from _text_problems(path, path, "its name")
    if "\\" in path:
        yield Problem(path, "its name has a backslash", "some tools take that for a folder: rename it")
    if path.startswith("/"):
        yield Problem(path, "the path is absolute", "want one relative to the tree's root")
    elif any(part in ("", ".", "..") for part in path.split("/")):
        yield Problem(path, 'a part of the path is empty, "." or ".."', "want names only")
    if (size := len(raw(path))) > MAX_PATH_BYTES:
        yield Problem(path, f"the path has {size} bytes", f"at most {MAX_PATH_BYTES} are allowed")
    for part in path.split("/"):
        yield from _part_problems(path, part)


def _part_problems(path: str, part: str) -> Iterator[Problem]:
    folded = part.casefold()
    if (size := len(raw(part))) > MAX_NAME_BYTES:
        yield Problem(path, f"a name in the path has {size} bytes", f"at most {MAX_NAME_BYTES} are allowed")
    if folded == ".git":
        yield Problem(path, "it belongs to a Git repository itself", "release what is committed, not .git")
    if folded == BYTECODE_FOLDER or folded.endswith(BYTECODE_SUFFIXES):
        yield Problem(
            path,
            "it is bytecode, which Python may run in place of the source",
            "remove it from the repository and add it to .gitignore",
        )


def _text_problems(path: str, text: str, what: str) -> Iterator[Problem]:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        yield Problem(path, f"{what} is not UTF-8", "rename it")
        return
    if not unicodedata.is_normalized("NFC", text):
        yield Problem(
            path,
            f"{what} has letters in a decomposed form, which some file systems change",
            "want Unicode's form NFC: rename it",
        )
    if any(
        unicodedata.category(letter) in _INVISIBLE or unicodedata.bidirectional(letter) in _REORDERING
        for letter in text
        if not letter.isalnum()
    ):
        yield Problem(path, f"{what} has a control character", "rename it")


def _target_problems(entry: Entry) -> Iterator[Problem]:
    content = raw(entry.target)
    if entry.mode != LINK_MODE:
        yield Problem(entry.path, f"its mode is {entry.mode:04o}", f"want {LINK_MODE:04o} for a link")
    if (entry.size, entry.sha256) != (len(content), hashlib.sha256(content).hexdigest()):
        yield Problem(entry.path, "its size or sha256 is not that of its target", "want those of the target")
    if len(content) > MAX_PATH_BYTES:
        yield Problem(
            entry.path, f"its target has {len(content)} bytes", f"at most {MAX_PATH_BYTES} are allowed"
        )
    if entry.target.startswith("/"):
        yield Problem(
            entry.path,
            f"it is a link to {shown(entry.target)}, an absolute path",
            "want a relative one within the tree",
        )
    elif not entry.target:
        yield Problem(entry.path, "it is a link to nothing", "want a file or folder of the tree")
    yield from _text_problems(entry.path, entry.target, "its target")


# Rules for all entries together


def _size_problems(entries: list[Entry]) -> Iterator[Problem]:
    if len(entries) > MAX_ENTRIES:
        yield Problem(
            "",
            f"it has {len(entries)} files and links",
            f"at most {MAX_ENTRIES} are allowed: split the repository",
        )
    total = sum(entry.size for entry in entries if entry.kind is Kind.FILE)
    if total > MAX_TREE_BYTES:
        yield Problem(
            "", f"it has {total} bytes", f"at most {MAX_TREE_BYTES} are allowed: keep data in a bucket"
        )


def _name_problems(entries: list[Entry]) -> Iterator[Problem]:
    """Find names that are one and the same somewhere: twice the same, or different in case only."""
    seen: set[str] = set()
    for entry in entries:
        if entry.path in seen:
            yield Problem(entry.path, "it is listed twice", "want one entry a path")
        seen.add(entry.path)
    folders = {folder for path in seen for folder in parents(path)}
    for path in sorted(seen & folders):
        yield Problem(path, "it is a file or link and also a folder", "want one of them")
    first: dict[tuple[str, str], str] = {}
    for path in sorted(seen | folders):
        folder, _, last = path.rpartition("/")
        other = first.setdefault((folder, _folded(last)), path)
        if other != path:
            yield Problem(
                path,
                f"it differs from {shown(other)} in upper and lower case only",
                "some file systems take them for one: rename one",
            )


def _folded(text: str) -> str:
    """Return what names have in common that differ in case only (Unicode's canonical caseless match)."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", text).casefold())
