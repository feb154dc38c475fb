"""Which releases the unfinished runs of DAGs need: counted by the dag-processor, told by the release agent beside it.

Only Airflow's database knows the runs, and whoever removes releases has no way to it. So the dag-processor writes its
count into a file on the scratch that it shares with the agent, and the agent puts it into its proof.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from .manifest import is_release_id
from .state import replace_file

FILE: Final = "release-usage.json"
COUNT_SECONDS: Final = 60.0
"""How often is counted, and how often a proof may change because of it."""
FRESH: Final = timedelta(minutes=15)
"""A count is believed for so long: enough for a dag-processor that is replaced, and for a database that fails over."""
MAX_RELEASES: Final = 200
"""In one proof. Whoever has runs on more is told so, and removes nothing."""
MAX_RUNS: Final = 2**53
MAX_BYTES: Final = 64 * 1024
"""The code of DAGs can write the file, too; one of ours has less than a third of it."""


@dataclass(frozen=True, kw_only=True)
class Usage:
    """The count of one moment."""

    counted_at: datetime
    runs: Mapping[str, int] = field(default_factory=dict)
    """Unfinished runs by release; 0 for a release that none has, and on which Airflow would begin one."""
    complete: bool = True
    """Whether all of them are in `runs`."""

    def is_fresh(self, now: datetime) -> bool:
        """Say whether it is recent enough to be believed. One from the future shows that a clock is wrong."""
        return abs(now - self.counted_at) <= FRESH


def counted(runs: Mapping[str, int], now: datetime) -> Usage:
    """Return the count; versions that are no release of ours are left out."""
    ours = {release_id: count for release_id, count in runs.items() if is_release_id(release_id)}
    # Those with the most runs, so that what is shown says the most.
    first = sorted(ours, key=lambda release_id: (-ours[release_id], release_id))[:MAX_RELEASES]
    return Usage(
        counted_at=now.astimezone(UTC),
        runs={release_id: ours[release_id] for release_id in sorted(first)},
        complete=len(ours) <= MAX_RELEASES,
    )


def path_beside(requests: Path) -> Path:
    """Return the file's path: on the scratch with the folder of requests, which both containers may write to."""
    return requests.parent / FILE


def write(path: Path, usage: Usage) -> None:
    """Replace the file."""
    fields = {
        "counted_at": usage.counted_at.isoformat(),
        "runs": dict(usage.runs),
        "complete": usage.complete,
    }
    replace_file(path, json.dumps(fields))


def read(path: Path) -> Usage | None:
    """Return what the file says; None when there is none, or none that the dag-processor would write."""
    try:
        return _usage(json.loads(_content(path)))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _content(path: Path) -> bytes:
    # Neither a link nor a named pipe: opening one would wait for its other end.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError(path)
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(path)
    return content


def _usage(fields: dict[str, Any]) -> Usage:
    runs, complete = fields["runs"], fields["complete"]
    moment = datetime.fromisoformat(fields["counted_at"])
    if moment.tzinfo is None or not isinstance(runs, dict) or not isinstance(complete, bool):
        raise ValueError(fields)
    if len(runs) > MAX_RELEASES or not all(map(_is_count, runs.items())):
        raise ValueError(runs)
    return Usage(counted_at=moment.astimezone(UTC), runs=runs, complete=complete)


def _is_count(pair: tuple[str, Any]) -> bool:
    release_id, count = pair
    return is_release_id(release_id) and type(count) is int and 0 <= count <= MAX_RUNS
