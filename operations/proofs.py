"""Which tasks have proved what: pure, so every case can be a line of a table in a test.

A release is proved when every running task has found, on its own disk, exactly the release that the pointer names, and
knows that the pointer names it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from images.airflow.platform_runtime.releases.ledger import Pointer, Proof
from images.airflow.platform_runtime.releases.manifest import genesis

SHORT = 12
"""Characters of a release id that people are shown; a command takes them for the whole id."""


@dataclass(frozen=True, order=True)
class RunningTask:
    """A task of a service that reads DAGs."""

    service: str
    task_id: str
    started_at: datetime


class Standing(StrEnum):
    """How far a task has got."""

    PROVED = "proved"
    WAITING = "waiting"
    """It has not said what is needed; it may still."""
    WRONG = "mismatch"
    """It has found something else than the release."""


@dataclass(frozen=True, kw_only=True)
class TaskStanding:
    """A task and its proof."""

    task: RunningTask
    standing: Standing
    detail: str
    """Why it is not proved; empty otherwise."""
    proof: Proof | None

    def document(self) -> dict[str, Any]:
        """Return it for programs."""
        proof = self.proof
        return {
            "service": self.task.service,
            "task_id": self.task.task_id,
            "started_at": self.task.started_at.isoformat(),
            "standing": self.standing.value,
            "detail": self.detail,
            "release_id": proof and proof.release_id,
            "computed_id": proof and proof.computed_id,
            "sequence": proof and proof.sequence,
            "files": proof and proof.files,
            "verified_at": proof and proof.verified_at.isoformat(),
            "image_digest": proof and proof.image_digest,
            "versions": list(proof.versions) if proof else [],
        }


@dataclass(frozen=True, kw_only=True)
class ServiceStanding:
    """The tasks of a service, counted."""

    service: str
    running: int
    proved: int
    waiting: int
    wrong: int


@dataclass(frozen=True)
class FleetStanding:
    """All running tasks."""

    services: tuple[str, ...]
    """Also those of which no task runs."""
    tasks: tuple[TaskStanding, ...]

    @property
    def complete(self) -> bool:
        """Say whether nobody is missing."""
        return all(task.standing is Standing.PROVED for task in self.tasks)

    def with_standing(self, standing: Standing) -> tuple[TaskStanding, ...]:
        """Return the tasks that have got so far."""
        return tuple(task for task in self.tasks if task.standing is standing)

    @property
    def wrong(self) -> tuple[TaskStanding, ...]:
        """Tasks that hold something else."""
        return self.with_standing(Standing.WRONG)

    @property
    def waiting(self) -> tuple[TaskStanding, ...]:
        """Tasks that have not said yet what they hold."""
        return self.with_standing(Standing.WAITING)

    @property
    def unproved(self) -> tuple[TaskStanding, ...]:
        """Tasks that keep the release from being proved; those that hold something else first."""
        return self.wrong + self.waiting

    def by_service(self) -> tuple[ServiceStanding, ...]:
        """Return the counts."""
        return tuple(self._counted(service) for service in self.services)

    def document(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "services": {
                each.service: {
                    "running": each.running,
                    "proved": each.proved,
                    "waiting": each.waiting,
                    "mismatch": each.wrong,
                }
                for each in self.by_service()
            },
            "containers": [task.document() for task in self.tasks],
        }

    def _counted(self, service: str) -> ServiceStanding:
        found = [task.standing for task in self.tasks if task.task.service == service]
        return ServiceStanding(
            service=service,
            running=len(found),
            proved=found.count(Standing.PROVED),
            waiting=found.count(Standing.WAITING),
            wrong=found.count(Standing.WRONG),
        )


def judge(
    services: Collection[str],
    tasks: Iterable[RunningTask],
    proofs: Iterable[Proof],
    pointer: Pointer | None,
    *,
    requests: Collection[str] | None = None,
) -> FleetStanding:
    """Compare what the tasks say with what the pointer names.

    Args:
        services: The services that read DAGs.
        tasks: What runs; tasks that have ended are no longer among them.
        proofs: Everything that was written, also by tasks that have ended.
        pointer: None on a platform on which nothing was ever released.
        requests: Answers to one of these requests count; None if nothing was asked.

    """
    written = {(proof.service, proof.task_id): proof for proof in proofs}
    release_id = genesis().release_id if pointer is None else pointer.release_id
    sequence = 0 if pointer is None else pointer.sequence
    return FleetStanding(
        tuple(services),
        tuple(_task(task, written, release_id, sequence, requests) for task in sorted(set(tasks))),
    )


def holders(tasks: Iterable[RunningTask], proofs: Iterable[Proof]) -> Mapping[str, int]:
    """Return how many running tasks hold a copy, by release."""
    running = {(task.service, task.task_id) for task in tasks}
    counts: dict[str, int] = {}
    for proof in proofs:
        if (proof.service, proof.task_id) in running:
            for release_id in set(proof.versions):
                counts[release_id] = counts.get(release_id, 0) + 1
    return counts


def _task(
    task: RunningTask,
    written: Mapping[tuple[str, str], Proof],
    release_id: str,
    sequence: int,
    requests: Collection[str] | None,
) -> TaskStanding:
    proof = written.get((task.service, task.task_id))
    standing, detail = _judged(proof, release_id, sequence, requests)
    return TaskStanding(task=task, standing=standing, detail=detail, proof=proof)


def _judged(
    proof: Proof | None, release_id: str, sequence: int, requests: Collection[str] | None
) -> tuple[Standing, str]:
    if proof is None:
        return Standing.WAITING, "has not said anything yet"
    if proof.sequence < sequence:
        return Standing.WAITING, f"still follows number {proof.sequence} ({proof.release_id[:SHORT]})"
    if proof.release_id != release_id:
        # The pointer has moved on since it was read here; the next look sees both.
        return Standing.WAITING, f"follows number {proof.sequence} ({proof.release_id[:SHORT]})"
    if requests is not None and proof.request not in requests:
        return Standing.WAITING, "has not answered yet"
    if proof.status == "waiting":
        return Standing.WAITING, proof.detail or "has no verified copy yet"
    if proof.status == "verified" and proof.computed_id == release_id:
        return Standing.PROVED, ""
    holds = f"its copy is {proof.computed_id[:SHORT] or 'nothing'} instead of {release_id[:SHORT]}"
    return Standing.WRONG, proof.detail or holds
