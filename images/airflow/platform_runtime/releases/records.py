"""What the ledger keeps: the pointer and its moves, releases, and what containers have proved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from .usage import Usage

Reason = Literal["genesis", "release", "rollback", "restored"]
"""Why the pointer moved. `restored`: a release was not proved everywhere, so the one before it came back."""
State = Literal["published", "collecting", "collected"]
"""What became of a release: readable, being removed from the file system, gone from it."""
Status = Literal["verified", "mismatch", "waiting"]


class LedgerError(Exception):
    """The ledger could not be read or changed; the message says what, where and what to do."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where the pointer shall go, and who wants that."""

    release_id: str
    git_commit: str
    image_digest: str
    publisher: str
    reason: Reason


@dataclass(frozen=True, kw_only=True)
class Pointer:
    """The current release, and how it became that."""

    sequence: int
    """Grows by one with every move, whatever release it moves to."""
    release_id: str
    git_commit: str
    image_digest: str
    """Of the image that the platform ran when the pointer moved."""
    publisher: str
    """Who moved it."""
    moved_at: datetime
    reason: Reason
    previous_release_id: str
    """That of the empty release for the first one."""

    def __str__(self) -> str:
        """Say it in one line."""
        return (
            f"number {self.sequence}, release {self.release_id[:12]}, {self.reason} by {self.publisher}"
            f" at {self.moved_at:%Y-%m-%d %H:%M:%S} UTC"
        )


@dataclass(frozen=True, kw_only=True)
class Release:
    """A release that was published."""

    release_id: str
    git_commit: str
    files: int
    size_bytes: int
    published_at: datetime
    published_by: str
    state: State = "published"


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What one container's task has found on its own disk."""

    service: str
    task_id: str
    release_id: str
    """What it follows."""
    computed_id: str
    """Hash of what it really holds; empty while it holds nothing."""
    sequence: int
    """Number of the pointer that it follows; 0 without one."""
    files: int
    status: Status
    detail: str
    verified_at: datetime
    image_digest: str
    versions: tuple[str, ...]
    """Every release of which it holds a copy."""
    request: str
    """The last request to verify that this answers; empty for none."""
    usage: Usage | None = None
    """Which releases unfinished runs need; only beside a dag-processor, which counts them."""
