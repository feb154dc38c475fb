"""The list of releases: what was released when and by whom, what became of it, who holds it, how many runs need it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from rich import box
from rich.table import Table
from rich.text import Text

from images.airflow.platform_runtime.releases.ledger import Ledger, LedgerError, Pointer, Release
from images.airflow.platform_runtime.releases.manifest import genesis
from operations.collect import runs_by_release
from operations.errors import OperationError
from operations.proofs import SHORT, holders
from operations.switch import RunningTasks

HISTORY: Final = 1000
KIB: Final = 1024


@dataclass(frozen=True, kw_only=True)
class Row:
    """A release."""

    release_id: str
    current: bool
    git_commit: str
    published_at: datetime | None
    released_at: datetime | None
    """When the pointer moved to it last; None if it never did."""
    released_by: str
    reason: str
    """Why it did."""
    taken_back: bool
    """Somebody did not prove it then, so the pointer went back."""
    files: int
    size_bytes: int
    state: str
    containers: int
    """Running containers that hold a copy."""
    runs: int | None
    """Unfinished runs of DAGs that need it; None if nobody counted them recently."""

    def document(self) -> dict[str, Any]:
        """Return it for programs."""
        moments = {"published_at": self.published_at, "released_at": self.released_at}
        return vars(self) | {name: moment and moment.isoformat() for name, moment in moments.items()}


def read(ledger: Ledger, tasks: RunningTasks, now: datetime) -> list[Row]:
    """Return all releases, the last released first.

    Raises:
        OperationError: ledger or cluster cannot be read.

    """
    try:
        running = tasks.running()
        proofs = ledger.proofs(tasks.services)
        runs = runs_by_release((proof.usage for proof in proofs if proof.usage), now)
        counts = holders(running, proofs)
        return rows(ledger.releases(), ledger.history(HISTORY), ledger.pointer(), counts, runs)
    except LedgerError as error:
        raise OperationError(str(error)) from error


def rows(
    releases: Iterable[Release],
    history: Sequence[Pointer],
    pointer: Pointer | None,
    containers: Mapping[str, int],
    runs: Mapping[str, int] | None,
) -> list[Row]:
    """Put together what is known of each release, the last one that was published or moved to first.

    The empty release is among them once the pointer was on it, or while nothing was ever released.

    Args:
        releases: What was published.
        history: Newest first.
        pointer: None on a platform on which nothing was ever released.
        containers: Running containers by release.
        runs: Unfinished runs by release; None if nobody counted them recently.

    """
    last: dict[str, Pointer] = {}
    taken_back: set[str] = set()
    for after, move in zip([None, *history], history, strict=False):
        if move.release_id not in last and after and after.reason == "restored":
            taken_back.add(move.release_id)
        last.setdefault(move.release_id, move)
    known = {release.release_id: release for release in releases}
    empty = genesis().release_id
    ids = known.keys() | ({empty} if empty in last or pointer is None else set())
    current = empty if pointer is None else pointer.release_id
    found = [
        replace(
            _row(each, known.get(each), last.get(each)),
            current=each == current,
            taken_back=each in taken_back,
            containers=containers.get(each, 0),
            runs=None if runs is None else runs.get(each, 0),
        )
        for each in ids
    ]
    return sorted(found, key=lambda row: (_moment(row), row.release_id), reverse=True)


def table(found: Iterable[Row]) -> Table:
    """Return the list for people."""
    shown = Table(box=box.SIMPLE_HEAD)
    shown.add_column("")
    for heading in ("Release", "Commit", "Released (UTC)", "Why", "By"):
        shown.add_column(heading, no_wrap=heading != "By", overflow="fold")
    for heading in ("Files", "Size"):
        shown.add_column(heading, justify="right")
    shown.add_column("State")
    for heading in ("Containers", "Runs"):
        shown.add_column(heading, justify="right")
    for row in found:
        shown.add_row(
            "*" if row.current else "",
            Text(row.release_id[:SHORT], "bold" if row.current else ""),
            row.git_commit[:SHORT],
            f"{row.released_at:%Y-%m-%d %H:%M:%S}" if row.released_at else "never",
            f"{row.reason}, taken back" if row.taken_back else row.reason,
            Text(short_name(row.released_by)),
            f"{row.files:,}",
            f"{row.size_bytes / KIB:,.0f} KiB",
            "current" if row.current else row.state,
            str(row.containers),
            "-" if row.runs is None else f"{row.runs:,}",
        )
    return shown


def short_name(publisher: str) -> str:
    """Return the part of an ARN that tells identities apart."""
    return publisher.rpartition(":")[2] if publisher.startswith("arn:") else publisher


def _row(release_id: str, release: Release | None, move: Pointer | None) -> Row:
    return Row(
        release_id=release_id,
        current=False,
        git_commit=(move.git_commit if move else "") or (release.git_commit if release else ""),
        published_at=release.published_at if release else None,
        released_at=move.moved_at if move else None,
        released_by=move.publisher if move else "",
        reason=move.reason if move else "",
        taken_back=False,
        files=release.files if release else 0,
        size_bytes=release.size_bytes if release else 0,
        # The empty release is recorded nowhere, and always there.
        state=release.state if release else "published",
        containers=0,
        runs=None,
    )


def _moment(row: Row) -> float:
    moments = [each.timestamp() for each in (row.released_at, row.published_at) if each]
    return max(moments, default=0.0)
