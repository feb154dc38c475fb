"""Moves the pointer and waits until every running container has proved what it names.

From the move on, whatever goes wrong - a container that holds something else, time, Ctrl-C, an error in this program -
ends with a pointer that is right, and with a word on where it is. Only a process that is killed cannot do that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol, TypeVar

from images.airflow.platform_runtime.releases.ledger import (
    Ledger,
    LedgerBusy,
    LedgerError,
    Pointer,
    PointerMoved,
    Target,
    following,
)
from images.airflow.platform_runtime.releases.manifest import genesis
from operations.clock import Clock
from operations.errors import AwsBusy, ExitCode, OperationError, Where
from operations.interrupts import Interrupts
from operations.proofs import SHORT, FleetStanding, RunningTask, judge
from operations.screen import Screen

POLL_SECONDS: Final = 2.0
"""The agents look every five seconds."""
UNDO_SECONDS: Final = 60.0
"""How long a busy ledger is asked again to take the pointer back."""
LISTED_TASKS: Final = 10
"""Tasks that an error names."""
Result = TypeVar("Result")


class RunningTasks(Protocol):
    """What runs."""

    @property
    def services(self) -> tuple[str, ...]:
        """The services that count."""

    def running(self) -> list[RunningTask]:
        """Return their running tasks."""


@dataclass(frozen=True)
class Switched:
    """The pointer has moved, and everybody has proved it."""

    pointer: Pointer
    standing: FleetStanding


@dataclass(frozen=True)
class End:
    """Where the pointer is after a failure."""

    where: Where
    words: str
    code: ExitCode | None = None
    """None: that of the failure."""

    def said_after(self, error: OperationError) -> OperationError:
        """Return the failure with this at its end."""
        # Whoever was interrupted knows why it ended; where the pointer is may matter more.
        keeps = self.code is None or (error.code is ExitCode.INTERRUPTED and self.where is Where.MOVED)
        code = error.code if keeps or self.code is None else self.code
        return OperationError(
            f"{error}\n{self.words}", code=code, facts=error.facts | {"pointer": self.where.value}
        )


UNMOVED: Final = End(Where.NOT_MOVED, "the pointer was not moved: every container goes on with what it has")


@dataclass
class Switch:
    """Moves the pointer."""

    ledger: Ledger
    tasks: RunningTasks
    screen: Screen
    clock: Clock
    interrupts: Interrupts
    timeout_seconds: float
    _trouble: str = field(default="", init=False)

    def to(self, target: Target, expected: Pointer | None, *, back: bool) -> Switched:
        """Move the pointer.

        Args:
            target: Where to.
            expected: The pointer that it replaces.
            back: Take it back unless everybody proves it; else it stays.

        Raises:
            OperationError: it did not succeed; the message and `facts["pointer"]` say where the pointer is now.

        """
        self.interrupts.hold()
        now = self.clock.now()
        wanted = following(expected, target, now)
        try:
            self._move(target, expected, now)
            return Switched(wanted, self._prove(wanted))
        except OperationError as error:
            raise self._undo(target, expected, wanted, back=back).said_after(error) from error
        except BaseException as error:
            # Not ours, so it keeps its trace; the pointer is put right all the same.
            error.add_note(self._undo(target, expected, wanted, back=back).words)
            raise

    def prove(self, pointer: Pointer | None) -> FleetStanding:
        """Wait until everybody has proved a pointer that is there already.

        Raises:
            OperationError: somebody has not; the pointer is where it was.

        """
        return self._prove(pointer)

    # Forward

    def _move(self, target: Target, expected: Pointer | None, now: datetime) -> None:
        step = f"move the pointer to {target.release_id[:SHORT]}"
        with self.screen.step(step), _said():
            try:
                self.ledger.move(target, expected=expected, now=now)
            except PointerMoved as error:
                raise _overtaken(error.actual) from error

    def _prove(self, wanted: Pointer | None) -> FleetStanding:
        give_up_at = self.clock.seconds() + self.timeout_seconds
        standing: FleetStanding | None = None
        with self.screen.proving() as show:
            while True:
                self.interrupts.check()
                left = give_up_at - self.clock.seconds()
                if (seen := self._look(wanted)) is not None:
                    standing = seen
                    show(standing, max(left, 0))
                    if standing.complete:
                        return standing
                    if standing.wrong:
                        raise self._not_proved("a container holds something else", standing)
                if left <= 0:
                    raise self._not_proved(f"not proved within {self.timeout_seconds:.0f} s", standing)
                self.clock.sleep(min(POLL_SECONDS, left))

    def _look(self, wanted: Pointer | None) -> FleetStanding | None:
        """Return how far everybody has got; None if that cannot be said just now."""
        try:
            # In this order: whoever runs now has had time to write before the proofs are read.
            tasks = self.tasks.running()
            with _said(LedgerBusy):
                proofs = self.ledger.proofs(self.tasks.services)
                actual = self.ledger.pointer()
        except (AwsBusy, LedgerBusy) as busy:
            self._trouble = str(busy)
            return None
        self._trouble = ""
        if actual != wanted:
            raise _overtaken(actual)
        return judge(self.tasks.services, tasks, proofs, wanted)

    def _not_proved(self, reason: str, standing: FleetStanding | None) -> OperationError:
        lines = [reason]
        missing = standing.unproved if standing else ()
        lines += [
            f"  {each.task.service} {each.task.task_id}: {each.detail}" for each in missing[:LISTED_TASKS]
        ]
        if more := len(missing) - LISTED_TASKS:
            lines += [f"  and {more} more"] if more > 0 else []
        if self._trouble:
            lines.append(f"  {self._trouble}")
        return OperationError("\n".join(lines), facts=standing.document() if standing else {})

    # Back

    def _undo(self, target: Target, expected: Pointer | None, wanted: Pointer, *, back: bool) -> End:
        """Put the pointer right after a failure, and say where it is."""
        try:
            actual = self._patiently(self.ledger.pointer)
        except LedgerError as error:
            return End(
                Where.UNKNOWN,
                f"where the pointer is now is not known: {error}\nlook with `operations releases`; if it is on"
                f" {target.release_id[:SHORT]}, {_by_hand(expected)}",
                ExitCode.UNPROVED,
            )
        if actual == expected:
            return UNMOVED
        if actual != wanted:
            return _others()
        if not back:
            return End(
                Where.MOVED,
                f"the pointer stays on {_named(wanted)}: containers that can have it go on with it",
                ExitCode.UNPROVED,
            )
        return self._take_back(target, expected, wanted)

    def _take_back(self, target: Target, expected: Pointer | None, wanted: Pointer) -> End:
        before = Target(
            release_id=expected.release_id if expected else genesis().release_id,
            git_commit=expected.git_commit if expected else "",
            image_digest=target.image_digest,
            publisher=target.publisher,
            reason="restored",
        )
        now = self.clock.now()
        restored = following(wanted, before, now)
        try:
            self._patiently(lambda: self.ledger.move(before, expected=wanted, now=now))
        except PointerMoved as error:
            # Unless an earlier try of this very move was made, and only its answer was lost.
            if error.actual != restored:
                return _others()
        except LedgerError as error:
            return End(
                Where.MOVED,
                f"the pointer could not be taken back: {error}\nit is on {_named(wanted)}, which is not proved:"
                f" {_by_hand(expected)}",
                ExitCode.UNPROVED,
            )
        return End(Where.MOVED_BACK, f"the pointer is back on {_named(restored)}")

    def _patiently(self, ask: Callable[[], Result]) -> Result:
        """Ask a busy ledger again for a while."""
        give_up_at = self.clock.seconds() + UNDO_SECONDS
        while True:
            try:
                return ask()
            except LedgerBusy:
                if self.clock.seconds() >= give_up_at:
                    raise
                self.clock.sleep(POLL_SECONDS)


@contextmanager
def unmoved() -> Iterator[None]:
    """Say at the end of every error that the pointer was not moved, unless it says already where the pointer is."""
    try:
        yield
    except OperationError as error:
        if "pointer" in error.facts:
            raise
        raise UNMOVED.said_after(error) from error
    except LedgerError as error:
        raise UNMOVED.said_after(OperationError(str(error))) from error


def _by_hand(expected: Pointer | None) -> str:
    wanted = expected.release_id[:SHORT] if expected else "genesis"
    return f"go back with `operations rollback --to {wanted}`"


def _named(pointer: Pointer) -> str:
    name = pointer.release_id[:SHORT] if pointer.release_id != genesis().release_id else "the empty release"
    return f"{name} (number {pointer.sequence})"


def _others() -> End:
    return End(Where.OTHERS, "it stays where they have moved it", ExitCode.MOVED_BY_OTHERS)


def _overtaken(actual: Pointer | None) -> OperationError:
    found = str(actual) if actual else "there is none any more"
    return OperationError(
        f"somebody else has moved the pointer meanwhile: {found}", code=ExitCode.MOVED_BY_OTHERS
    )


@contextmanager
def _said(*but: type[LedgerError]) -> Iterator[None]:
    """Turn the ledger's errors into ours, except for some."""
    try:
        yield
    except LedgerError as error:
        if isinstance(error, but):
            raise
        raise OperationError(str(error)) from error
