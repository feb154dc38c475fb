"""The lock of the image's packages: made again by uv, compared with the old one, and the changes shown.

Nothing here runs unless it is asked to, since it asks the package index.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
REQUIREMENTS: Final = "requirements.in"
LOCK: Final = "requirements.lock"
PINNED: Final = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)", re.MULTILINE)

Compile = Callable[[Path, Path, str], None]
"""Writes the lock of requirements for a Python version; what stands in the lock already is kept where it can be."""
Prove = Callable[[Path, str, str], None]
"""Raises LockError unless wheels install the lock for a Python version on a platform."""
PLATFORMS: Final = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28")
"""What Fargate runs, as uv names it; the base image's glibc is newer."""


class LockError(Exception):
    """The requirements cannot be resolved; the message is uv's."""


def pins(text: str) -> dict[str, str]:
    """Return the versions in a lock, by package."""
    return dict(PINNED.findall(text))


def changes(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """Return a line for every package that came, went or moved."""
    lines = []
    for name in sorted(old.keys() | new.keys()):
        if name not in old:
            lines.append(f"+ {name} {new[name]}")
        elif name not in new:
            lines.append(f"- {name} {old[name]}")
        elif old[name] != new[name]:
            lines.append(f"  {name} {old[name]} -> {new[name]}")
    return lines


def python_version(folder: Path = FOLDER) -> str:
    """Return the image's Python."""
    found = re.search(r"^ARG PYTHON_VERSION=(\S+)$", (folder / "Dockerfile").read_text(), re.MULTILINE)
    if not found:
        raise LockError("the Dockerfile has no ARG PYTHON_VERSION with a value")
    return found[1]


def renew(folder: Path, compile_lock: Compile, *, upgrade: bool) -> list[str]:
    """Write the lock again and return what changed; with `upgrade` every package may move."""
    lock = folder / LOCK
    old = lock.read_text() if lock.exists() else ""
    fresh = _compiled(folder, "" if upgrade else old, compile_lock)
    lock.write_text(fresh)
    return changes(pins(old), pins(fresh)) or ([] if fresh == old else ["other hashes"])


def stale(folder: Path, compile_lock: Compile) -> list[str]:
    """Return what would change; nothing when the lock belongs to the requirements."""
    old = (folder / LOCK).read_text()
    fresh = _compiled(folder, old, compile_lock)
    return changes(pins(old), pins(fresh)) or ([] if fresh == old else ["other hashes"])


def prove(folder: Path, installs: Prove) -> None:
    """Look for the wheels of every package, on all platforms: the image compiles nothing.

    Raises:
        LockError: one has no wheel.

    """
    for platform in PLATFORMS:
        installs(folder / LOCK, python_version(folder), platform)


def _compiled(folder: Path, start: str, compile_lock: Compile) -> str:
    with tempfile.TemporaryDirectory() as place:
        target = Path(place) / LOCK
        target.write_text(start)
        compile_lock(folder / REQUIREMENTS, target, python_version(folder))
        return target.read_text()


def uv(requirements: Path, lock: Path, python: str) -> None:
    """Let uv resolve the requirements for every platform.

    Raises:
        LockError: uv says no.

    """
    # Comments in the lock name the file as uv is given it: below the project's root.
    root = requirements.parents[2]
    _uv(
        root, "compile", "--universal", "--python-version", python, "--generate-hashes", "--no-emit-index-url",
        "--no-header", "--output-file", str(lock), str(requirements.relative_to(root)),
    )  # fmt: skip


def wheels(lock: Path, python: str, platform: str) -> None:
    """Let uv choose the wheels of a platform, without installing them.

    Raises:
        LockError: uv says no.

    """
    with tempfile.TemporaryDirectory() as nowhere:
        _uv(
            lock.parent, "install", "--dry-run", "--target", nowhere, "--python-platform", platform, "--python-version",
            python, "--only-binary", ":all:", "--no-deps", "--require-hashes", "--requirement", lock.name,
        )  # fmt: skip


def _uv(folder: Path, *words: str) -> None:
    from uv import find_uv_bin

    answer = subprocess.run(
        [find_uv_bin(), "pip", *words, "--quiet"], cwd=folder, capture_output=True, text=True, check=False
    )
    if answer.returncode:
        raise LockError(answer.stderr.strip())
