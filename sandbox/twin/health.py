"""The health of a container as ECS keeps it: a state machine over the results of its health check command.

The rules are those of Docker's health monitor, which ECS takes over: a check starts when the last one has ended and the
interval has passed; a failure before the first success does not count within the start period; `retries` failures in a
row make the container unhealthy, one success makes it healthy again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Protocol

from sandbox.twin.isolation import CannotStartError
from sandbox.twin.model import HealthCheck

START_INTERVAL_SECONDS = 5.0
"""Between checks within the start period, until the first success; Docker's value since version 25."""


class Health(StrEnum):
    """As ECS shows it."""

    UNKNOWN = "UNKNOWN"
    HEALTHY = "HEALTHY"
    UNHEALTHY = "UNHEALTHY"


class Running(Protocol):
    """A started check, such as subprocess.Popen."""

    def poll(self) -> int | None:
        """Return the exit code, None while it runs."""

    def kill(self) -> None:
        """End it at once."""


def command_of(check: HealthCheck) -> list[str]:
    """Return what is executed for a check.

    Raises:
        ValueError: The command begins with neither CMD nor CMD-SHELL.

    """
    match check.command:
        case ("CMD", *command) if command:
            return command
        case ("CMD-SHELL", line):
            return ["/bin/sh", "-c", line]
    raise ValueError(
        f"health check: want CMD with arguments or CMD-SHELL with a line, got {list(check.command)}"
    )


class HealthMonitor:
    """Asks one container for its health, again and again; never waits for the answer."""

    def __init__(
        self,
        check: HealthCheck,
        ask: Callable[[Sequence[str]], Running],
        started_at: float,
        *,
        start_interval_seconds: float = START_INTERVAL_SECONDS,
    ) -> None:
        """Know nothing yet.

        Args:
            check: What is asked, and how often.
            ask: Starts the command of the check in the container.
            started_at: When the container was started.
            start_interval_seconds: Time between checks until the first success within the start period.

        """
        self.health = Health.UNKNOWN
        self.failures = 0
        """Failures in a row that count."""
        self._check = check
        self._ask = ask
        self._started_at = started_at
        self._start_interval = min(start_interval_seconds, check.interval_seconds)
        self._running: Running | None = None
        self._asked_at = started_at
        self._next_at = started_at + self._interval(started_at)

    def tick(self, now: float) -> None:
        """Take the answer if there is one, or ask when it is time."""
        if self._running is not None:
            self._look(self._running, now)
        elif now >= self._next_at:
            self._asked_at = now
            try:
                self._running = self._ask(command_of(self._check))
            except (CannotStartError, OSError):
                self._answer(good=False, now=now)

    def close(self) -> None:
        """Ask no more."""
        if self._running is not None:
            self._running.kill()
            self._running = None
        self._next_at = float("inf")

    def _look(self, running: Running, now: float) -> None:
        code = running.poll()
        if code is not None:
            self._answer(good=code == 0, now=now)
        elif now >= self._asked_at + self._check.timeout_seconds:
            running.kill()
            self._answer(good=False, now=now)

    def _answer(self, *, good: bool, now: float) -> None:
        self._running = None
        if good:
            self.health, self.failures = Health.HEALTHY, 0
        elif self.health is not Health.UNKNOWN or not self._starting(self._asked_at):
            self.failures += 1
            if self.failures >= self._check.retries:
                self.health = Health.UNHEALTHY
        self._next_at = now + self._interval(now)

    def _interval(self, now: float) -> float:
        early = self.health is Health.UNKNOWN and self._starting(now)
        return self._start_interval if early else self._check.interval_seconds

    def _starting(self, now: float) -> bool:
        return now < self._started_at + self._check.start_period_seconds
