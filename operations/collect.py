"""Takes old releases away from the file system: shows what would go and why the rest stays, then runs the publisher.

The plan is made by the same rules as the publisher's, which decides again when it acts: what has become current, or
what a run has begun to need in between, stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from images.airflow.platform_runtime.releases.keeping import HISTORY, LAST, Unknown, in_use, kept
from images.airflow.platform_runtime.releases.ledger import Ledger, LedgerError, Pointer, Release
from images.airflow.platform_runtime.releases.usage import Usage
from operations.clock import Clock
from operations.errors import OperationError
from operations.proofs import SHORT
from operations.rollback import choose
from operations.screen import Say, Screen, many

DAY_SECONDS: Final = 24 * 3600
GOES: Final = "goes"


class CollectsReleases(Protocol):
    """Takes releases away."""

    def collect(self, *, older_than_days: int, only: str | None, say: Say) -> dict[str, Any]:
        """Do it and return what was done, or raise an OperationError."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A release on the file system."""

    release_id: str
    git_commit: str
    dated: datetime
    """When it was published, or the pointer moved to it by a release: publishing it again makes it young again."""
    age_days: float
    stays: str
    """Why; empty if it goes."""

    def document(self) -> dict[str, Any]:
        """Return it for programs."""
        return vars(self) | {"dated": self.dated.isoformat(), "age_days": round(self.age_days, 3)}


@dataclass(kw_only=True)
class Collected:
    """What was found and what was done."""

    rows: list[Row]
    counted_at: datetime
    """When unfinished runs were counted last."""
    dry_run: bool
    answer: Mapping[str, Any] = field(default_factory=dict)
    """The publisher's; empty if it did not run."""

    @property
    def result(self) -> str:
        """Say how it ended."""
        return "dry run" if self.dry_run else "collected"

    def document(self) -> dict[str, Any]:
        """Return it for programs."""
        done = {name: self.answer.get(name) for name in ("collected", "refused", "emptied", "publisher_task")}
        return {
            "result": self.result,
            "counted_at": self.counted_at.isoformat(),
            "releases": [row.document() for row in self.rows],
            **({} if self.dry_run else done),
        }

    def shown(self) -> list[RenderableType]:
        """Return the result for people."""
        return [table(self.rows), self._said()]

    def _said(self) -> str:
        counted = f"runs were counted at {self.counted_at:%H:%M:%S} UTC"
        going = [row for row in self.rows if not row.stays]
        if self.dry_run:
            return f"dry run: nothing was removed; {many(len(going), 'release')} would go ({counted})"
        if "collected" not in self.answer:
            place = self.answer["publisher_place"]
            return f"done; what was done is in the publisher's log, which cannot be read from here ({place})"
        gone, refused, emptied = (self.answer[name] for name in ("collected", "refused", "emptied"))
        parts = [
            f"{many(len(gone), 'release')} taken away{_listed(gone)}",
            f"{len(refused)} stayed, as the pointer has moved meanwhile{_listed(refused)}" if refused else "",
            f"files of {many(len(emptied), 'release')} removed from the disk",
        ]
        return f"{'; '.join(filter(None, parts))} ({counted})"


@dataclass(frozen=True, kw_only=True)
class Collecting:
    """The procedure."""

    ledger: Ledger
    readers: Sequence[str]
    publisher: CollectsReleases
    screen: Screen
    clock: Clock

    def run(self, *, older_than_days: int, only: str | None = None, dry_run: bool = False) -> Collected:
        """Clean up.

        Args:
            older_than_days: Younger releases stay.
            only: A release or commit, or its first characters: nothing else goes, whatever its age.
            dry_run: Stop before anything is removed.

        Raises:
            OperationError: it is not known what must stay, or it was not done.

        """
        with self.screen.step("work out what must stay") as say:
            chosen, collected = self._plan(older_than_days, only, dry_run=dry_run)
            say(
                f"{sum(not row.stays for row in collected.rows)} of {many(len(collected.rows), 'release')} go"
            )
        if dry_run:
            return collected
        # Even if nothing goes: files of what went earlier are still on the disk, and only the publisher sees them.
        with self.screen.step("run the publisher") as say:
            collected.answer = self.publisher.collect(older_than_days=older_than_days, only=chosen, say=say)
        return collected

    def _plan(self, days: int, only: str | None, *, dry_run: bool) -> tuple[str | None, Collected]:
        now = self.clock.now()
        try:
            pointer, history = self.ledger.pointer(), self.ledger.history(HISTORY)
            releases = self.ledger.releases()
            usages = [proof.usage for proof in self.ledger.proofs(self.readers) if proof.usage]
            chosen = choose(only, releases, history).release_id if only else None
            reasons = kept(pointer, history, usages, now, last=0 if only else LAST)
        except (LedgerError, Unknown) as error:
            raise OperationError(str(error)) from error
        if chosen in reasons:
            raise OperationError(f"the release {chosen} must stay: {reasons[chosen]}")
        rows = plan(releases, history, reasons, now, older_than_days=days, only=chosen)
        counted_at = max(usage.counted_at for usage in usages)
        return chosen, Collected(rows=rows, counted_at=counted_at, dry_run=dry_run)


def plan(
    releases: Iterable[Release],
    history: Iterable[Pointer],
    reasons: Mapping[str, str],
    now: datetime,
    *,
    older_than_days: int,
    only: str | None = None,
) -> list[Row]:
    """Say of each release that is on the file system whether it goes or why it stays, the youngest first."""
    released: dict[str, Pointer] = {}
    for each in history:
        if each.reason == "release":
            released.setdefault(each.release_id, each)
    rows = []
    for release in releases:
        if release.state == "collected":
            continue
        move = released.get(release.release_id)
        dated = max(release.published_at, move.moved_at if move else release.published_at)
        age_days = (now - dated).total_seconds() / DAY_SECONDS
        young = f"younger than {many(older_than_days, 'day')}" if age_days < older_than_days else ""
        stays = reasons.get(release.release_id, young)
        if only:
            stays = "" if release.release_id == only else reasons.get(release.release_id, "not chosen")
        rows.append(
            Row(
                release_id=release.release_id,
                git_commit=(move.git_commit if move else "") or release.git_commit,
                dated=dated,
                age_days=age_days,
                stays=stays,
            )
        )
    return sorted(rows, key=lambda row: (row.dated, row.release_id), reverse=True)


def runs_by_release(usages: Iterable[Usage], now: datetime) -> Mapping[str, int] | None:
    """Return how many unfinished runs each release has; None if nobody counted recently."""
    try:
        return in_use(list(usages), now)
    except Unknown:
        return None


def table(rows: Iterable[Row]) -> Table:
    """Return the list for people."""
    shown = Table(box=box.SIMPLE_HEAD)
    for heading in ("Release", "Commit"):
        shown.add_column(heading, no_wrap=True)
    shown.add_column("Age (days)", justify="right")
    shown.add_column("Why it stays")
    for row in rows:
        shown.add_row(
            row.release_id[:SHORT],
            row.git_commit[:SHORT],
            f"{row.age_days:,.1f}",
            Text(row.stays) if row.stays else Text(GOES, "bold yellow"),
        )
    return shown


def _listed(ids: Sequence[str]) -> str:
    return f": {', '.join(each[:SHORT] for each in ids)}" if ids else ""
