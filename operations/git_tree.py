"""The tree of a Git commit, exactly as committed: no work tree, no filters, no export attributes are in the way.

Git itself is asked, by its plumbing: `ls-tree` for the names and one `cat-file --batch` for all content.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import weakref
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn, Self

from images.airflow.platform_runtime.releases.entries import (
    EXECUTABLE_MODE,
    PLAIN_MODE,
    Entry,
    Kind,
    Problem,
    Refusal,
    link_entry,
    name,
    shown,
)
from images.airflow.platform_runtime.releases.manifest import Manifest
from images.airflow.platform_runtime.releases.rules import MAX_FILE_BYTES, check, content_problem

SUBMODULE: Final = "160000"
LINK: Final = "120000"
ELSEWHERE: Final = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_DIR", "GIT_GRAFT_FILE", "GIT_INDEX_FILE",
    "GIT_NAMESPACE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX", "GIT_REPLACE_REF_BASE", "GIT_SHALLOW_FILE", "GIT_WORK_TREE",
)  # fmt: skip
"""In a hook these name another repository, or another index, than those of the folder."""
UNREAD: Final = "0" * 64
"""Stands for the hash of a file that is refused for its size alone."""


class GitError(Exception):
    """The tree cannot be read; the message says why and what to do."""


class GitTree:
    """A commit's tree, with its content on demand."""

    def __init__(self, commit: str, manifest: Manifest, objects: _Objects, blobs: Mapping[str, str]) -> None:
        """Keep what `read` of this module has found.

        Args:
            commit: The commit's full hash.
            manifest: What the tree consists of.
            objects: The repository's objects.
            blobs: Git's object of each path.

        """
        self.commit = commit
        self.manifest = manifest
        self._objects = objects
        self._blobs = blobs

    def read(self, entry: Entry) -> bytes:
        """Return the content of a file as committed, of a link its target.

        Raises:
            GitError: Git does not give it any more.

        """
        return self._objects.content(self._blobs[entry.path], entry.path)

    def close(self) -> None:
        """End Git's process, if one runs; the next reading starts another."""
        self._objects.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def read(repository: Path, commit: str = "HEAD", folder: str = "") -> GitTree:
    """Return the tree of a commit.

    Args:
        repository: A folder of the repository; a bare one will do.
        commit: Whatever Git takes for a commit: a hash, a branch, a tag.
        folder: The tree's root, as seen from the repository's top; empty for the top itself.

    Raises:
        GitError: There is no such tree, or nothing in it.
        Refusal: The tree has something that no release may have.

    """
    full = _commit(repository, commit)
    listed = _list(repository, full, _clean(folder))
    objects = _Objects(repository)
    entries: list[Entry] = []
    problems: list[Problem] = []
    with closing(objects):
        for item in listed:
            if item.mode == SUBMODULE:
                problems.append(
                    Problem(
                        item.path,
                        "it is a submodule, whose files are not in this repository",
                        "commit the files themselves, or install the package in the image",
                    )
                )
            else:
                entries.append(_entry(item, objects, problems))
    if problems:
        raise Refusal([*problems, *check(entries)])
    return GitTree(full, Manifest(tuple(entries)), objects, {item.path: item.blob for item in listed})


def dirty(repository: Path, folder: str = "") -> bool:
    """Say whether the work tree has something that is not committed, be it a new file; a bare repository has none.

    Raises:
        GitError: There is no repository.

    """
    if _git(repository, "rev-parse", "--is-inside-work-tree").strip() != b"true":
        return False
    place = f":(top,literal){_clean(folder)}"
    return bool(_git(repository, "status", "--porcelain", "-z", "--untracked-files=all", "--", place))


@dataclass(frozen=True)
class _Listed:
    """What `git ls-tree` says of a path."""

    path: str
    mode: str
    blob: str
    size: int


def _commit(repository: Path, commit: str) -> str:
    if not repository.is_dir():
        raise GitError(f"{repository} is not a folder: give the folder of a Git repository")
    _git(repository, "rev-parse", "--git-dir")
    try:
        full = _git(repository, "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}")
    except GitError as error:
        raise GitError(
            f"{repository} has no commit {shown(commit)}: commit first, or fetch it"
            " (a shallow clone has the newest only)"
        ) from error
    return full.decode("ascii").strip()


def _clean(folder: str) -> str:
    parts = [part for part in folder.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise GitError(
            f"the folder {shown(folder)} leads out of the repository: give it as seen from the top"
        )
    return "/".join(parts)


def _list(repository: Path, commit: str, folder: str) -> list[_Listed]:
    tree = f"{commit}:{folder}"
    where = f"commit {commit[:12]} of {repository}"
    try:
        kind = _git(repository, "cat-file", "-t", tree)
    except GitError as error:
        raise GitError(f"{where} has no folder {shown(folder)}") from error
    if kind.strip() != b"tree":
        raise GitError(f"{shown(folder)} is not a folder in {where}")
    answer = _git(repository, "ls-tree", "-r", "-z", "-l", "--full-tree", tree)
    listed = [_parse(line) for line in answer.split(b"\0") if line]
    if not listed:
        raise GitError(
            f"there is no file in {shown(folder) or 'the tree'} of {where}: a release needs at least one"
        )
    return listed


def _parse(line: bytes) -> _Listed:
    about, path = line.split(b"\t", 1)
    mode, _, blob, size = about.decode("ascii").split()
    # No number: a submodule has none, and of a missing object it is not known.
    return _Listed(name(path), mode, blob, int(size) if size.isdigit() else 0)


def _entry(item: _Listed, objects: _Objects, problems: list[Problem]) -> Entry:
    if item.mode == LINK:
        return link_entry(item.path, name(objects.content(item.blob, item.path)))
    digest = UNREAD
    if item.size <= MAX_FILE_BYTES:
        content = objects.content(item.blob, item.path)
        digest = hashlib.sha256(content).hexdigest()
        if problem := content_problem(item.path, content):
            problems.append(problem)
    # Git lists files with one of two modes, whatever an old commit has.
    mode = EXECUTABLE_MODE if int(item.mode, 8) & 0o100 else PLAIN_MODE
    return Entry(path=item.path, kind=Kind.FILE, mode=mode, size=item.size, sha256=digest)


class _Objects:
    """A repository's objects, read by one process that lives from the first reading to `close`."""

    def __init__(self, repository: Path) -> None:
        self._repository = repository
        self._process: subprocess.Popen[bytes] | None = None
        self._end: Callable[[], object] = lambda: None

    def content(self, blob: str, path: str) -> bytes:
        if self._process is None:
            self._start()
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise AssertionError("it has just been started, with pipes")
        try:
            process.stdin.write(f"{blob}\n".encode())
            process.stdin.flush()
        except BrokenPipeError:
            self._gone(path)
        words = process.stdout.readline().split()
        if len(words) != 3:  # object, type, size; fewer when there is none
            self._gone(path)
        size = int(words[2])
        content = process.stdout.read(size + 1)
        if len(content) != size + 1:
            self._gone(path)
        return content[:-1]

    def close(self) -> None:
        self._end()
        self._process = None

    def _start(self) -> None:
        self._process = process = subprocess.Popen(
            [*_command(self._repository), "cat-file", "--batch"],
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._end = weakref.finalize(self, _stop, process)

    def _gone(self, path: str) -> NoReturn:
        self.close()
        raise GitError(
            f"{self._repository} does not have the content of {shown(path)}: its objects are not complete;"
            " run `git fsck`, or clone without a filter"
        )


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


def _git(repository: Path, *words: str) -> bytes:
    """Run Git and return what it writes; its own words are the error's."""
    try:
        return subprocess.run(
            [*_command(repository), *words], env=_environment(), capture_output=True, check=True
        ).stdout
    except FileNotFoundError as error:
        raise GitError("there is no program git on the PATH: install Git") from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().splitlines()
        raise GitError(
            f"git {words[0]} in {repository}: {said[0] if said else f'ended with {error.returncode}'}"
        ) from error


def _command(repository: Path) -> list[str]:
    return ["git", "-C", str(repository)]


def _environment() -> dict[str, str]:
    """Return the variables for Git: this folder's repository, its true objects, no question to anybody."""
    kept = {key: value for key, value in os.environ.items() if key not in ELSEWHERE}
    return kept | {
        "LC_ALL": "C",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
    }
