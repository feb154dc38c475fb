"""Which releases must stay on the file system, and why: pure, so the operator's plan and the publisher's deed agree.

Airflow's runs are known only by what the dag-processor has counted. Without a recent count nothing may go.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from .ledger import GENESIS, Pointer
from .manifest import is_release_id
from .usage import FRESH, MAX_RELEASES, Usage

LAST: Final = 20
"""Releases to go back to, whatever their age: a team that releases several times a day has those of some days, and at
the greatest size of a tree (250 MiB) they take 5 GiB."""
BEGUN: Final = timedelta(hours=1)
"""A run that began after the last count began on a release that was current then, or shortly before: the dag-processor
follows within seconds, and has read every file again within minutes. Four times what a count is believed."""
HISTORY: Final = 1000
"""Moves of the pointer that are looked at; more than enough for the last releases and the last hour."""


class Unknown(Exception):
    """Nobody says what must stay, so everything does."""


def kept(
    pointer: Pointer | None,
    history: Sequence[Pointer],
    usages: Collection[Usage],
    now: datetime,
    *,
    last: int = LAST,
) -> dict[str, str]:
    """Return the releases that must stay, each with the weightiest reason.

    Args:
        pointer: None on a platform on which nothing was ever released.
        history: Moves of the pointer, the newest first.
        usages: What the dag-processors have counted, also those that are gone.
        now: The date.
        last: How many of the last different releases stay.

    Raises:
        Unknown: there is no recent count, or it is not complete.

    """
    runs = in_use(usages, now)
    reasons: dict[str, str] = {}
    if pointer:
        reasons[pointer.release_id] = "current"
    for release_id, count in sorted(runs.items()):
        words = "new runs begin on it" if not count else f"{count:,} unfinished run{'s' * (count > 1)}"
        reasons.setdefault(release_id, words)
    if pointer:
        # A release that is not proved everywhere gives way to it.
        reasons.setdefault(pointer.previous_release_id, "the one before the current release")
    for release_id in _current_since(history, now - BEGUN):
        reasons.setdefault(release_id, "current within the last hour")
    for release_id in _last(history, last):
        reasons.setdefault(release_id, f"one of the last {last} releases")
    # It is nowhere, so nothing has to be kept for it.
    reasons.pop(GENESIS, None)
    return reasons


def in_use(usages: Collection[Usage], now: datetime) -> dict[str, int]:
    """Return how many unfinished runs each release has, as recent counts say; 0 where only new runs begin.

    While one dag-processor takes over from another both have counted; whatever either names is in use.

    Raises:
        Unknown: there is no recent count, or it is not complete.

    """
    fresh = sorted((each for each in usages if each.is_fresh(now)), key=lambda usage: usage.counted_at)
    if not fresh:
        counted = max((usage.counted_at for usage in usages), default=None)
        since = f"since {counted:%Y-%m-%d %H:%M:%S} UTC" if counted else "yet, or not for hours"
        raise Unknown(
            f"nobody says which releases running DAG runs need: the dag-processor has not counted {since}, and a count"
            f" is believed for {FRESH.total_seconds() / 60:.0f} minutes: see whether it runs, then try again"
        )
    if not all(usage.complete for usage in fresh):
        raise Unknown(
            f"unfinished DAG runs need more than {MAX_RELEASES} releases, and the dag-processor names only as many:"
            " end runs of old releases, or clear them with the latest version, then try again"
        )
    # The newest last: where two have counted, its numbers stand.
    runs = {version: count for usage in fresh for version, count in usage.runs.items()}
    return {version: count for version, count in runs.items() if is_release_id(version)}


def _current_since(history: Sequence[Pointer], since: datetime) -> Iterator[str]:
    """Return what the pointer named at any time since then."""
    for move in history:
        yield move.release_id
        if move.moved_at < since:
            return


def _last(history: Iterable[Pointer], last: int) -> list[str]:
    different = dict.fromkeys(move.release_id for move in history if move.release_id != GENESIS)
    return list(different)[:last]
