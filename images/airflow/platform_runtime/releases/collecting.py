"""The clean-up: works out from the ledger what must stay, and takes away what is old and not among it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

from . import keeping
from .ledger import Ledger, NotPublished, PointerMoved, StillCurrent
from .publisher import Publisher, PublishError

OLDER_THAN_DAYS: Final = 30
DAY_SECONDS: Final = 24 * 3600

Answer = dict[str, Any]


class Needed(Exception):
    """The one release that is to go must stay."""


@dataclass(frozen=True)
class Tools:
    """What the publisher's commands work with."""

    publisher: Publisher
    ledger: Ledger
    now: Callable[[], float]

    def date(self) -> datetime:
        """Return the time as the ledger has it."""
        return datetime.fromtimestamp(self.now(), UTC)


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a clean-up shall do."""

    readers: Collection[str]
    """Services in whose proofs the count of runs is."""
    keep: Collection[str] = ()
    """Releases that stay besides."""
    older_than_days: int = OLDER_THAN_DAYS
    only: str | None = None
    """Take this one away, whatever its age, even if it is one of the last: for one that is broken. What is current or
    needed by runs stays nevertheless."""
    hurry: bool = False
    """Somebody waits for something else: leave to the next clean-up what takes long."""


def collect(tools: Tools, wish: Wish) -> Answer:
    """Clean up.

    Raises:
        Unknown: nobody says what must stay.
        Needed: the only one that shall go must stay.
        PublishError: not everything could be done.
        LedgerError: the ledger cannot be read or changed.

    """
    ledger = tools.ledger
    # First the pointer: by its number the ledger knows, for each release that goes, whether this is still true.
    pointer = ledger.pointer()
    usages = [proof.usage for proof in ledger.proofs(wish.readers) if proof.usage]
    last = 0 if wish.only else keeping.LAST
    kept = keeping.kept(pointer, ledger.history(keeping.HISTORY), usages, tools.date(), last=last)
    keep, older_than_days = {*kept, *wish.keep}, wish.older_than_days
    if wish.only:
        if wish.only in keep:
            reason = kept.get(wish.only, "somebody wants to keep it")
            raise Needed(f"the release {wish.only} must stay: {reason}")
        keep, older_than_days = {*keep, *tools.publisher.releases()} - {wish.only}, 0
    register = LedgerRegister(tools, pointer.sequence if pointer else 0)
    collected = tools.publisher.collect(keep, older_than_days * DAY_SECONDS, register, hurry=wish.hurry)
    return {**asdict(collected), "kept": kept}


def collect_afterwards(tools: Tools, readers: Collection[str]) -> Answer:
    """Clean up after something else that has succeeded; whatever goes wrong is only said."""
    if not readers:
        return {"skipped": "nobody has named the services that know the runs (--readers)"}
    try:
        return collect(tools, Wish(readers=readers, hurry=True))
    except (keeping.Unknown, PublishError) as error:
        return {"skipped": str(error)}
    # What was published stays published.
    except Exception as error:
        return {"skipped": f"{type(error).__name__}: {error}"}


class LedgerRegister:
    """The ledger decides what may go: nobody can point to what it lets go."""

    def __init__(self, tools: Tools, sequence: int) -> None:
        """Ask the ledger of these tools; the number is that of the pointer by which it was decided what may go."""
        self._tools, self._sequence = tools, sequence

    def unfinished(self) -> Collection[str]:
        """Return the releases that a clean-up has begun to take away."""
        return [each.release_id for each in self._tools.ledger.releases() if each.state == "collecting"]

    def begin(self, release_id: str) -> bool:
        """Let a release go unless it is the current one, or may have been while it was decided."""
        try:
            self._tools.ledger.begin_collecting(release_id, self._tools.date(), sequence=self._sequence)
        except (StillCurrent, PointerMoved):
            return False
        except NotPublished:
            # Its publisher died before it recorded the release: nobody can point to it.
            return True
        return True

    def finish(self, release_id: str) -> None:
        """Note that a release is gone."""
        try:
            self._tools.ledger.finish_collecting(release_id)
        except NotPublished:
            return
