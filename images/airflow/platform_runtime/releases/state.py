"""What the release agent and Airflow's processes in the same task tell each other; one module knows the form.

The agent says in `current.json` which release it follows and which one may be read. Airflow's containers see its
folder read-only; they ask for an older version by an empty file in the shared state. An answer appears at once or not
at all.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from .manifest import is_release_id

CURRENT: Final = "current.json"
HEARTBEAT: Final = ".heartbeat"
BEAT_SECONDS: Final = 1.0
SILENT_SECONDS: Final = 90.0
"""A healthy agent waits for nothing that long."""
PROBLEM_SUFFIX: Final = ".problem"
REQUESTS: Final = "release-requests"
"""Folder in AIRFLOW_HOME, the one scratch that both containers may write to."""
MISMATCH: Final = "mismatch: "
GONE: Final = "gone: "
FINAL: Final = (MISMATCH, GONE)
"""Problems that waiting does not solve: a release never changes, and one that was collected does not come back."""


class Status(StrEnum):
    """How it stands with the release that the pointer names."""

    VERIFIED = "verified"
    MISMATCH = "mismatch"
    """A copy is not what its id says."""
    WAITING = "waiting"
    """It is not here yet."""
    NO_LEDGER = "no ledger"
    """Nobody knows what the pointer names."""


TROUBLE: Final = frozenset({Status.MISMATCH, Status.NO_LEDGER})


@dataclass(frozen=True, kw_only=True)
class State:
    """What `current.json` says."""

    sequence: int
    """Of the pointer that was read last."""
    release_id: str
    """What that pointer names."""
    serving: str
    """What is read here: the last release that was verified; empty before the first."""
    status: Status
    verified_at: datetime | None
    """When the copy of `serving` was last compared with its manifest."""
    detail: str


def write(local: Path, state: State) -> None:
    """Replace `current.json`."""
    fields = asdict(state)
    fields["verified_at"] = state.verified_at and state.verified_at.isoformat()
    replace_file(local / CURRENT, json.dumps(fields))


def read(local: Path) -> State | None:
    """Return what `current.json` says; None when there is none that can be read."""
    try:
        return _state(json.loads((local / CURRENT).read_text()))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _state(fields: dict[str, Any]) -> State:
    serving = str(fields["serving"])
    # It becomes a folder's name.
    if serving and not is_release_id(serving):
        raise ValueError(serving)
    moment = fields["verified_at"]
    return State(
        sequence=int(fields["sequence"]),
        release_id=str(fields["release_id"]),
        serving=serving,
        status=Status(fields["status"]),
        verified_at=datetime.fromisoformat(moment) if moment else None,
        detail=str(fields["detail"]),
    )


# Problems of a version


def problem(local: Path, release_id: str) -> str | None:
    """Return why a version cannot be read here, or None."""
    try:
        return _problem_path(local, release_id).read_text() or None
    except OSError:
        return None


def set_problem(local: Path, release_id: str, text: str | None) -> None:
    """Say why a version cannot be read here, or that it can."""
    if text is None:
        _problem_path(local, release_id).unlink(missing_ok=True)
    elif problem(local, release_id) != text:
        replace_file(_problem_path(local, release_id), text)


def is_final(text: str) -> bool:
    """Say whether waiting cannot solve a problem."""
    return text.startswith(FINAL)


def _problem_path(local: Path, release_id: str) -> Path:
    return local / f"{release_id}{PROBLEM_SUFFIX}"


# Requests


def request(requests: Path, release_id: str) -> None:
    """Ask the agent for a version."""
    requests.mkdir(parents=True, exist_ok=True)
    (requests / release_id).touch()


def requested(requests: Path) -> list[str]:
    """Return the versions that are asked for; other names, which a task may have put there, are left alone."""
    with suppress(OSError):
        return sorted(path.name for path in requests.iterdir() if is_release_id(path.name))
    return []


def answer(requests: Path, release_id: str) -> None:
    """Take a request away."""
    # What cannot be removed is no request of ours.
    with suppress(OSError):
        (requests / release_id).unlink()


# Life


class Pulse:
    """The agent's signs of life."""

    def __init__(self, local: Path) -> None:
        """Write them into the folder of the copies."""
        self._local = local
        self._next = 0.0

    def beat(self) -> None:
        """Note that the agent's loop is alive; a full scratch is no reason to end it."""
        # The clock of the machine itself: no correction of the time makes an agent look dead.
        now = time.monotonic()
        if now >= self._next:
            with suppress(OSError):
                replace_file(self._local / HEARTBEAT, repr(now))
                self._next = now + BEAT_SECONDS


def unhealthy(local: Path) -> str | None:
    """Say why the agent of a task is not healthy, or None; what it holds later on does not matter."""
    if problem := _silence(local):
        return problem
    current = read(local)
    if current is None or not current.serving:
        return f"no release was verified yet: {current.detail if current else 'nothing was read'}"
    return None


def trouble(local: Path) -> str | None:
    """Say why a worker must not begin anything, or None; what runs goes on.

    An agent that is gone is trouble, too: what it said last may not be true any more.
    """
    current = read(local)
    if current is None:
        return "the release agent says nothing"
    if current.status in TROUBLE:
        return f"{current.status}: {current.detail}"
    return _silence(local)


def _silence(local: Path) -> str | None:
    try:
        silent = time.monotonic() - float((local / HEARTBEAT).read_text())
    except (OSError, ValueError):
        return "the release agent has not begun"
    if silent > SILENT_SECONDS:
        return f"the release agent has been silent for {silent:.0f} s"
    return None


def replace_file(path: Path, text: str) -> None:
    """Write a file at once or not at all; it lies on scratch that ends with the task, so nothing is flushed."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(text)
    fresh.replace(path)
