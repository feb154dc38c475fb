"""The release agent: follows the pointer, holds verified copies, and proves what it holds.

It runs beside Airflow in every task that reads DAGs, and only it sees the DAG storage and the ledger. Airflow starts
when a first release is verified. From then on nothing makes the agent end or the container unhealthy: a copy that is
not what its id says, or a ledger out of reach, stops new work and raises an alarm, and what runs goes on.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from . import state, usage
from .copies import Copies, NoRoom, NotVisible
from .following import (
    FOLLOW_SECONDS,
    REQUEST_SECONDS,
    Clock,
    Followed,
    LedgerView,
    SystemClock,
    Target,
)
from .identity import Identity
from .ledger import LedgerError, Proof
from .state import State, Status
from .usage import COUNT_SECONDS, Usage

VERIFY_SECONDS: Final = 300.0
SETTLE_SECONDS: Final = 75.0
"""A client of the storage may show old sizes for 60 s: what differs for longer is really different."""
FIRST_RETRY_SECONDS: Final = 2.0
LONGEST_RETRY: Final = 20.0
GIVE_UP_SECONDS: Final = 120.0
"""After that nobody waits for a requested version any more; its task comes back and asks again."""
MAX_REQUESTS: Final = 50
"""At once: the code of DAGs can write requests, too."""

Say = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Outcome:
    """How it stands with one release."""

    status: Status
    detail: str = ""
    computed_id: str = ""


@dataclass(frozen=True)
class Attempt:
    """Attempts to hold a release that did not succeed."""

    since: float
    outcome: Outcome
    again: float
    pause: float = FIRST_RETRY_SECONDS
    wrong_since: float | None = None
    """Since when the storage shows something else than the manifest says."""


class Agent:
    """One agent; `turn` is one round of its loop."""

    def __init__(
        self,
        *,
        ledger: Followed,
        copies: Copies,
        identity: Identity,
        local: Path,
        requests: Path,
        say: Say,
        clock: Clock | None = None,
        verify_seconds: float = VERIFY_SECONDS,
        chance: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """Nothing is read yet.

        Args:
            ledger: Where the pointer is and the proofs go.
            copies: The copies, which nobody else changes.
            identity: In whose name proofs are written.
            local: Folder of the copies.
            requests: Folder in which Airflow's processes ask for versions.
            say: Writes a line of the log.
            clock: The time.
            verify_seconds: How often every copy is compared with its manifest.
            chance: Returns a number between two; containers that start together shall not ask together for ever.

        """
        self._ledger = ledger
        self._copies = copies
        self._identity = identity
        self._local = local
        self._requests = requests
        self._say = say
        self._clock = clock or SystemClock()
        self._verify_seconds = verify_seconds
        self._chance = chance
        self._pulse = state.Pulse(local)
        self._ledger_view = LedgerView(ledger, self._clock, chance)
        self._attempts: dict[str, Attempt] = {}
        self._serving = ""
        self._verified_at: datetime | None = None
        self._left: list[str] = []
        """Copies that are still to be compared."""
        self._asked = ""
        """The request that the comparison under way will answer."""
        self._answered = ""
        self._next_verify = 0.0
        self._untidy = False
        self._written: State | None = None
        self._proved: Proof | None = None
        self._proof_after = 0.0
        self._usage: Usage | None = None
        self._next_usage = 0.0
        self._complained: tuple[Status, str] | None = None
        self._complain_again = 0.0

    def run(self) -> None:
        """Work for ever."""
        begun = False
        while True:
            try:
                if not begun:
                    self.begin()
                    begun = True
                self.turn()
            # Whatever it is, it must not take the container with it.
            except Exception as error:
                self._say({"event": "release_problem", "status": "agent", "detail": repr(error)})
                self._clock.wait(FOLLOW_SECONDS)
            self._clock.wait(REQUEST_SECONDS)

    def begin(self) -> None:
        """Take over what an earlier agent of this task has left."""
        self._pulse.beat()
        self._copies.adopt()
        self._next_verify = self._clock.seconds() + self._verify_seconds
        before = state.read(self._local)
        # Its container was healthy; its readers go on with what they have.
        if before and before.serving in {*self._copies.held, *self._copies.broken}:
            self._serving, self._verified_at = before.serving, self._clock.utc()
        for release_id in self._copies.held:
            state.set_problem(self._local, release_id, None)
        self._note_broken()

    def turn(self) -> None:
        """Do what is due."""
        self._pulse.beat()
        self._ledger_view.look()
        if target := self._ledger_view.target:
            self._follow(target)
        self._serve()
        self._verify()
        if self._serving:
            self._copies.use(self._serving)
        self._publish()
        # Only now: readers look at what was published last.
        if self._untidy:
            self._tidy()
        self._look_at_usage()
        self._prove()

    # Following

    def _follow(self, target: Target) -> None:
        if target.release_id == self._serving:
            return
        if self._hold(target.release_id).status is Status.VERIFIED:
            self._serving, self._verified_at = target.release_id, self._clock.utc()
            self._untidy = True

    def _hold(self, release_id: str) -> Outcome:
        """Hold a copy, or say why there is none; what did not succeed is tried again after a while."""
        now = self._clock.seconds()
        before = self._attempts.get(release_id)
        if before and now < before.again:
            return before.outcome
        wrong_since = None
        try:
            found = self._copies.ensure(release_id, self._kept())
        except (NotVisible, NoRoom, OSError) as error:
            outcome = Outcome(Status.WAITING, str(error))
        else:
            if found is None:
                self._attempts.pop(release_id, None)
                state.set_problem(self._local, release_id, None)
                return Outcome(Status.VERIFIED, computed_id=release_id)
            wrong_since = before.wrong_since if before and before.wrong_since is not None else now
            final = release_id in self._copies.broken or now - wrong_since >= SETTLE_SECONDS
            status = Status.MISMATCH if final else Status.WAITING
            outcome = Outcome(status, f"{release_id[:12]}: {found}", found.computed_id)
        self._remember(release_id, outcome, wrong_since)
        return outcome

    def _remember(self, release_id: str, outcome: Outcome, wrong_since: float | None) -> None:
        now = self._clock.seconds()
        before = self._attempts.get(release_id) or Attempt(now, outcome, now, FIRST_RETRY_SECONDS / 2)
        pause = min(before.pause * 2, LONGEST_RETRY)
        if outcome.status is Status.MISMATCH:
            pause = self._verify_seconds
            state.set_problem(self._local, release_id, f"{state.MISMATCH}{outcome.detail}")
        self._attempts[release_id] = replace(
            before,
            outcome=outcome,
            again=now + pause,
            pause=min(pause, LONGEST_RETRY),
            wrong_since=wrong_since,
        )

    def _kept(self) -> set[str]:
        target = self._ledger_view.target
        return {self._serving, target.release_id if target else ""} - {""}

    def _tidy(self) -> None:
        self._untidy = False
        for release_id in self._copies.prune(self._kept()):
            state.set_problem(self._local, release_id, None)
            self._say({"event": "release_removed", "release_id": release_id})

    # Requests

    def _serve(self) -> None:
        asked = state.requested(self._requests)[:MAX_REQUESTS]
        target = self._ledger_view.target
        wanted = {*asked, target.release_id if target else ""}
        for release_id in self._attempts.keys() - wanted:
            del self._attempts[release_id]
        for release_id in asked:
            if self._answer(release_id):
                state.answer(self._requests, release_id)

    def _answer(self, release_id: str) -> bool:
        """Hold a requested version; say whether the request is done with."""
        if release_id not in self._copies.held:
            problem = state.problem(self._local, release_id)
            if problem and state.is_final(problem):
                return True
            if (unknown := self._ledger_view.refusal(release_id)) is not None:
                return self._refuse(release_id, unknown)
        outcome = self._hold(release_id)
        if outcome.status is not Status.WAITING:
            return True
        given_up = self._clock.seconds() - self._attempts[release_id].since > GIVE_UP_SECONDS
        return given_up and self._refuse(release_id, f"waiting: {outcome.detail}")

    def _refuse(self, release_id: str, reason: str) -> bool:
        if not reason:
            return False
        self._attempts.pop(release_id, None)
        state.set_problem(self._local, release_id, reason)
        self._say({"event": "version_refused", "release_id": release_id, "detail": reason})
        return True

    # Verification

    def _verify(self) -> None:
        """Compare one copy when all are due; many of them take minutes, and the pointer is followed in between."""
        if not self._left and not self._begin_comparison():
            return
        # What was taken away since is no copy that lacks its files.
        there = {*self._copies.held, *self._copies.broken}
        self._left = [release_id for release_id in self._left if release_id in there]
        if self._left:
            self._compare(self._left.pop(0))
        if not self._left:
            self._end_comparison()

    def _begin_comparison(self) -> bool:
        asked = self._ledger_view.asked
        due = self._clock.seconds() >= self._next_verify
        # Who has nothing to compare does not answer: the question stays open until there is something.
        if not due and (asked == self._answered or not self._serving):
            return False
        self._asked = asked
        copies = {*self._copies.held, *self._copies.broken}
        self._left = sorted(copies, key=lambda each: (each != self._serving, each))
        return True

    def _compare(self, release_id: str) -> None:
        with suppress(NotVisible, OSError):
            if self._copies.verify(release_id) is None:
                state.set_problem(self._local, release_id, None)
                if release_id == self._serving:
                    self._verified_at = self._clock.utc()
        self._note_broken()
        self._pulse.beat()

    def _end_comparison(self) -> None:
        self._untidy = True
        self._answered = self._asked if self._serving else ""
        self._next_verify = self._clock.seconds() + self._verify_seconds * self._chance(0.8, 1.0)
        self._proved = None

    def _note_broken(self) -> None:
        for release_id, found in self._copies.broken.items():
            state.set_problem(self._local, release_id, f"{state.MISMATCH}{release_id[:12]}: {found}")

    # What is told

    def _judge(self) -> Outcome:
        target, broken = self._ledger_view.target, self._copies.broken
        if broken:
            first = min(broken, key=lambda each: (each != self._serving, each))
            computed = broken[target.release_id].computed_id if target and target.release_id in broken else ""
            return Outcome(Status.MISMATCH, f"{first[:12]}: {broken[first]}", computed)
        if (lost := self._ledger_view.lost()) is not None:
            return Outcome(Status.NO_LEDGER, lost)
        if target is None:
            return Outcome(Status.WAITING, self._ledger_view.trouble or "the ledger has not been read yet")
        if target.release_id == self._serving:
            return Outcome(Status.VERIFIED, computed_id=self._serving)
        attempt = self._attempts.get(target.release_id)
        return attempt.outcome if attempt else Outcome(Status.WAITING)

    def _publish(self) -> None:
        outcome = self._judge()
        target = self._ledger_view.target or Target(0, "")
        now = State(
            sequence=target.sequence,
            release_id=target.release_id,
            serving=self._serving,
            status=outcome.status,
            verified_at=self._verified_at,
            detail=outcome.detail,
        )
        if now != self._written:
            state.write(self._local, now)
            self._tell(now)
            self._written = now
        self._complain(outcome)

    def _tell(self, now: State) -> None:
        before = self._written
        if before is None or replace(before, verified_at=now.verified_at) != now:
            self._say(
                {
                    "event": "release_state",
                    "status": now.status.value,
                    "sequence": now.sequence,
                    "release_id": now.release_id,
                    "serving": now.serving,
                    "detail": now.detail,
                }
            )

    def _complain(self, outcome: Outcome) -> None:
        """Write the line that raises the alarm: at once, and again as long as it lasts."""
        if outcome.status not in state.TROUBLE:
            self._complained = None
            return
        key, now = (outcome.status, outcome.detail), self._clock.seconds()
        if key == self._complained and now < self._complain_again:
            return
        self._complained, self._complain_again = key, now + self._verify_seconds
        target = self._ledger_view.target or Target(0, "")
        self._say(
            {
                "event": "release_problem",
                "status": outcome.status.value,
                "sequence": target.sequence,
                "release_id": target.release_id,
                "serving": self._serving,
                "detail": outcome.detail,
            }
        )

    def _look_at_usage(self) -> None:
        """Take what a dag-processor beside this has counted; the last count stays until there is another.

        Whatever writes the file how often: a proof changes at most once a minute because of it.
        """
        now = self._clock.seconds()
        if now < self._next_usage:
            return
        found = usage.read(usage.path_beside(self._requests))
        news = found is not None and found != self._usage
        self._usage = found or self._usage
        self._next_usage = now + (COUNT_SECONDS if news else FOLLOW_SECONDS)

    def _prove(self) -> None:
        """Write the proof when it says something new, or when everything was compared again."""
        target, now = self._ledger_view.target, self._clock.seconds()
        if target is None or now < self._proof_after:
            return
        proof = self._proof(target)
        if self._proved and replace(self._proved, verified_at=proof.verified_at) == proof:
            return
        try:
            self._ledger.write_proof(proof)
        except LedgerError as error:
            self._proof_after = now + self._chance(0.5, 1.0) * FOLLOW_SECONDS * 2
            self._say({"event": "proof_not_written", "detail": str(error)})
        else:
            self._proved = proof

    def _proof(self, target: Target) -> Proof:
        outcome, held = self._judge(), self._copies.held
        statuses = {Status.VERIFIED: "verified", Status.MISMATCH: "mismatch"}
        right = target.release_id in held and target.release_id == self._serving
        return Proof(
            service=self._identity.service,
            task_id=self._identity.task_id,
            release_id=target.release_id,
            computed_id=target.release_id if right else outcome.computed_id,
            sequence=target.sequence,
            files=held[target.release_id].files if right else 0,
            status=statuses.get(outcome.status, "waiting"),  # type: ignore[arg-type]
            detail=outcome.detail,
            verified_at=self._clock.utc(),
            image_digest=self._identity.image_digest,
            versions=tuple(sorted(held)),
            request=self._answered,
            usage=self._usage,
        )
