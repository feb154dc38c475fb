"""Is this container's worker alive and still taking tasks.

It must answer over the broker, be subscribed to a queue, and take tasks while some wait and it has room: after a
failover of the broker Celery may answer and never consume again. A broker out of reach says nothing about the worker,
whose tasks run on.

A worker that must not begin anything loses its queues for that time; what it runs goes on.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Final, Protocol

from . import outages

ANSWER_SECONDS: Final = 12.0
"""How long a worker may take for all answers; its main process does nothing but this and handing out tasks."""
ASK_AGAIN_SECONDS: Final = 2.0
"""A question that comes before the worker listens is lost; asked again, a new one is healthy as soon as it can be."""
ONE_ATTEMPT: Final[Mapping[str, float]] = {
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
    "socket_connect_timeout": 3,
    "socket_timeout": 7,
}
"""kombu itself would try for ever; the next check comes soon enough."""

TAKEN_AWAY: Final = "taken_away"
"""The queues that a check has taken away. Remembered for good: Celery forgets a queue that it was given back as soon as
its connection to the broker breaks, so every check compares."""


class BrokerAway(Exception):
    """The broker cannot be reached."""


class Worker(Protocol):
    """What can be asked over the broker."""

    def ask(self, command: str, **arguments: str) -> Any:
        """Return this worker's answer, or None when it gives none in the time that all answers share."""

    def waiting(self, queue: str) -> int:
        """Return how many messages wait in a queue."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What one check saw of the work."""

    waiting: int
    """Messages in the worker's queues."""
    free: int
    """Tasks that it could take at once."""
    taken: int
    """Tasks that it has taken since its start."""


def problem(worker: Worker, notes: dict[str, Any], now: float, *, halted: bool = False) -> str | None:
    """Say why the worker is unhealthy, or None.

    Args:
        worker: The worker of this container.
        notes: What the last check remembered; is updated.
        now: Seconds since 1970.
        halted: Whether it must not take tasks now; what it runs goes on.

    """
    try:
        return _halt(worker, notes) if halted else _judge(worker, notes)
    except BrokerAway as error:
        # What was seen before an outage says nothing afterwards.
        notes.pop("seen", None)
        if notes.get("healthy"):
            return outages.problem("broker", error, notes, now)
        # Perhaps its password is wrong: it must not take the place of a worker that reaches the broker.
        return f"the broker is out of reach: {error}"


def _halt(worker: Worker, notes: dict[str, Any]) -> str | None:
    """Take the worker's queues away."""
    notes.pop("seen", None)
    queues = worker.ask("active_queues")
    outages.over(notes)
    if queues is None:
        return "the worker does not answer"
    names = {queue["name"] for queue in queues}
    notes[TAKEN_AWAY] = sorted(names.union(notes.get(TAKEN_AWAY, ())))
    for name in sorted(names):
        worker.ask("cancel_consumer", queue=name)
    return None


def _judge(worker: Worker, notes: dict[str, Any]) -> str | None:
    stats = worker.ask("stats")
    outages.over(notes)
    before = notes.pop("seen", None)
    queues = None if stats is None else worker.ask("active_queues")
    active = None if queues is None else worker.ask("active")
    if queues is None or active is None:
        return "the worker does not answer"
    if lost := sorted(set(notes.get(TAKEN_AWAY, ())) - {queue["name"] for queue in queues}):
        for name in lost:
            worker.ask("add_consumer", queue=name)
        again, notes["given_back"] = notes.get("given_back", False), True
        return f"the worker does not take its queues back: {', '.join(lost)}" if again else None
    notes.pop("given_back", None)
    if not queues:
        return "the worker is subscribed to no queue"
    seen = Seen(
        waiting=sum(worker.waiting(queue["name"]) for queue in queues),
        free=stats["pool"]["max-concurrency"] - len(active),
        taken=sum(stats["total"].values()),
    )
    notes["seen"] = asdict(seen)
    if before and _stands_still(Seen(**before), seen):
        return (
            f"{seen.waiting} tasks wait, {seen.free} slots are free, and none was taken since the last check"
        )
    notes["healthy"] = True
    return None


def _stands_still(before: Seen, now: Seen) -> bool:
    idle = all(seen.waiting > 0 and seen.free > 0 for seen in (before, now))
    return idle and before.taken == now.taken


class CeleryWorker:
    """The worker of this host, asked through kombu: Celery and Airflow would take seconds to import."""

    def __init__(self, url: str) -> None:
        """Remember the broker's address; nothing is connected yet."""
        from kombu import Connection
        from kombu.exceptions import OperationalError

        self._node = f"celery@{socket.gethostname()}"
        self._until: float | None = None
        self._connection: Any = Connection(url, transport_options=dict(ONE_ATTEMPT))
        # A check that takes too long is interrupted by a TimeoutError, which is an OSError.
        self._errors = (
            OperationalError,
            OSError,
            *self._connection.connection_errors,
            *self._connection.channel_errors,
        )

    def ask(self, command: str, **arguments: str) -> Any:
        """Return this worker's answer, or None; nothing is asked once the time is used up."""
        if self._until is None:
            self._until = time.monotonic() + ANSWER_SECONDS
        while (seconds := self._until - time.monotonic()) > 0:
            with self._reached():
                answers = self._mailbox.call(
                    [self._node], command, arguments, timeout=min(seconds, ASK_AGAIN_SECONDS)
                )
            if answer := next((each for each in answers if self._node in each), None):
                return answer[self._node]
        return None

    def waiting(self, queue: str) -> int:
        """Return how many messages wait in a queue."""
        with self._reached():
            return int(self._connection.default_channel.client.llen(queue))

    @cached_property
    def _mailbox(self) -> Any:
        from kombu.pidbox import Mailbox

        return Mailbox("celery", type="fanout", accept=["json"], serializer="json")(self._connection)

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except self._errors as error:
            raise BrokerAway(str(error)) from error
