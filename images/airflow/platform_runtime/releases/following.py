"""What the release agent knows of the ledger: the pointer, requests to verify, and which versions there are."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

from . import state
from .ledger import GENESIS, LedgerError, Pointer, Proof, Release

FOLLOW_SECONDS: Final = 5.0
REQUEST_SECONDS: Final = 0.2
LEDGER_SECONDS: Final = 120.0
"""How long the ledger may be out of reach before nobody knows any more what is current."""
LONGEST_PAUSE: Final = 30.0


class Followed(Protocol):
    """What the agent needs of the ledger."""

    def pointer(self) -> Pointer | None:
        """Return the current pointer."""

    def history(self, limit: int) -> list[Pointer]:
        """Return the last moves."""

    def release(self, release_id: str) -> Release | None:
        """Return a release that was once published."""

    def verify_request(self) -> str:
        """Return the token of the last request to verify."""

    def write_proof(self, proof: Proof) -> None:
        """Write what this task holds."""


class Clock(Protocol):
    """The time."""

    def seconds(self) -> float:
        """Return seconds that no correction of the time touches."""

    def utc(self) -> datetime:
        """Return the time of day."""

    def wait(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's clock."""

    def seconds(self) -> float:
        """Return seconds that no correction of the time touches."""
        return time.monotonic()

    def utc(self) -> datetime:
        """Return the time of day."""
        return datetime.now(UTC)

    def wait(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


@dataclass(frozen=True)
class Target:
    """What the pointer names."""

    sequence: int
    release_id: str


class LedgerView:
    """What the agent knows of the ledger, and since when it knows nothing new."""

    def __init__(
        self, ledger: Followed, clock: Clock, chance: Callable[[float, float], float] = random.uniform
    ) -> None:
        """Nothing is read yet."""
        self._ledger, self._clock, self._chance = ledger, clock, chance
        self._next = 0.0
        self._next_release = 0.0
        self._failures = 0
        self._reached = clock.seconds()
        self._named: set[str] = {GENESIS}
        self.target: Target | None = None
        self.asked = ""
        """Token of the last request to verify."""
        self.trouble = ""
        """Why the last attempt to read it did not succeed."""

    def look(self) -> None:
        """Read the pointer if that is due."""
        now = self._clock.seconds()
        if now < self._next:
            return
        try:
            # First the question: what is compared afterwards answers it.
            asked = self._ledger.verify_request()
            target = self._target(self._ledger.pointer())
        except LedgerError as error:
            self._failures += 1
            pause = min(FOLLOW_SECONDS * 2**self._failures, LONGEST_PAUSE)
            self._next = now + pause * self._chance(0.5, 1.0)
            self.trouble = str(error)
            return
        self._failures, self.trouble = 0, ""
        self._next = now + FOLLOW_SECONDS * self._chance(0.8, 1.0)
        self._reached = self._clock.seconds()
        self._named.add(target.release_id)
        self.target, self.asked = target, asked

    def _target(self, pointer: Pointer | None) -> Target:
        if pointer is not None:
            return Target(pointer.sequence, pointer.release_id)
        # A platform on which nothing was ever released has no pointer. On any other it was lost, and the empty release
        # would take every DAG away.
        if (self.target and self.target.sequence) or self._ledger.history(1):
            raise LedgerError("the ledger has lost its pointer: put it right from the history")
        return Target(0, GENESIS)

    def lost(self) -> str | None:
        """Say why nobody knows any more what is current; None while it is known."""
        lasted = self._clock.seconds() - self._reached
        if not self.trouble or lasted <= LEDGER_SECONDS:
            return None
        return self.trouble

    def refusal(self, release_id: str) -> str | None:
        """Say why a version cannot be had; empty while nobody knows, and None when the ledger names it."""
        now = self._clock.seconds()
        if release_id in self._named:
            return None
        # One question at a time: what a task asks for is not limited.
        if now < self._next_release:
            return ""
        self._next_release = now + REQUEST_SECONDS
        try:
            release = self._ledger.release(release_id)
        except LedgerError:
            self._next_release = now + FOLLOW_SECONDS * self._chance(0.5, 1.0)
            return ""
        if release is None:
            return "unknown: the ledger has no such release"
        if release.state != "published":
            return f"{state.GONE}the release was collected"
        self._named.add(release_id)
        return None
