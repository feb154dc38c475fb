"""Proves the fleet again on demand: every running container reads its copies once more and says what it found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from rich.console import RenderableType

from images.airflow.platform_runtime.releases.ledger import Ledger, LedgerBusy, LedgerError, Pointer
from images.airflow.platform_runtime.releases.manifest import genesis
from operations.clock import Clock
from operations.errors import AwsBusy, OperationError
from operations.interrupts import Interrupts
from operations.proofs import FleetStanding, judge
from operations.screen import Screen, containers, many, services
from operations.switch import RunningTasks

POLL_SECONDS: Final = 2.0


@dataclass(frozen=True, kw_only=True)
class Verified:
    """What the containers have answered."""

    pointer: Pointer | None
    standing: FleetStanding

    @property
    def ok(self) -> bool:
        """Say whether every container holds exactly the current release."""
        return self.standing.complete

    @property
    def problem(self) -> str:
        """Say in a line what is wrong; empty if nothing is."""
        wrong, missing = len(self.standing.wrong), len(self.standing.unproved) - len(self.standing.wrong)
        parts = [
            f"{wrong} of {len(self.standing.tasks)} containers hold something else" if wrong else "",
            f"{missing} of {len(self.standing.tasks)} have not proved it in time" if missing else "",
        ]
        return "; ".join(filter(None, parts))

    def shown(self) -> list[RenderableType]:
        """Return the result for people."""
        release_id = self.pointer.release_id if self.pointer else genesis().release_id
        found = [services(self.standing), *([containers(self.standing.tasks)] if self.standing.tasks else [])]
        said = f"{release_id} is proved by {many(len(self.standing.tasks), 'running container')}"
        return [*found, *([said] if self.ok else [])]

    def document(self) -> dict[str, Any]:
        """Return it for programs."""
        pointer = self.pointer
        return {
            "result": "proved" if self.ok else "not proved",
            "release_id": pointer.release_id if pointer else genesis().release_id,
            "git_commit": pointer.git_commit if pointer else "",
            "sequence": pointer.sequence if pointer else 0,
            **self.standing.document(),
        }


@dataclass
class Verifying:
    """The procedure."""

    ledger: Ledger
    tasks: RunningTasks
    screen: Screen
    clock: Clock
    interrupts: Interrupts
    timeout_seconds: float

    def run(self) -> Verified:
        """Ask every container, and wait until all have answered, whatever they hold.

        Raises:
            OperationError: nothing could be learned.

        """
        try:
            # Somebody who asks meanwhile asks for the same, later: an answer to that is one to us.
            requests = {self.ledger.request_verify(self.clock.now())}
        except LedgerError as error:
            raise OperationError(str(error)) from error
        give_up_at = self.clock.seconds() + self.timeout_seconds
        found: Verified | None = None
        trouble = ""
        with self.screen.proving() as show:
            while True:
                self.interrupts.check()
                left = give_up_at - self.clock.seconds()
                try:
                    found, trouble = self._look(requests), ""
                    show(found.standing, max(left, 0))
                except (AwsBusy, LedgerBusy) as busy:
                    trouble = str(busy)
                except LedgerError as error:
                    raise OperationError(str(error)) from error
                if found and not found.standing.waiting:
                    return found
                if left <= 0:
                    break
                self.clock.sleep(min(POLL_SECONDS, left))
        if trouble or found is None:
            raise OperationError(f"not known within {self.timeout_seconds:.0f} s: {trouble}")
        return found

    def _look(self, requests: set[str]) -> Verified:
        tasks = self.tasks.running()
        requests |= {self.ledger.verify_request()} - {""}
        proofs = self.ledger.proofs(self.tasks.services)
        pointer = self.ledger.pointer()
        standing = judge(self.tasks.services, tasks, proofs, pointer, requests=requests)
        return Verified(pointer=pointer, standing=standing)
