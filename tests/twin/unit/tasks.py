"""Tasks that do what a test says, and a service that runs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from sandbox.twin.health import Health
from sandbox.twin.model import HealthCheck, Service, TaskDefinition
from sandbox.twin.service import ServiceController, Throttle
from sandbox.twin.task import Status
from tests.twin.unit.containers import container

CHECK = HealthCheck(
    command=("CMD", "true"), interval_seconds=30, timeout_seconds=5, retries=3, start_period_seconds=120
)


def definition(*containers: Any, family: str = "dev-scheduler") -> TaskDefinition:
    """Return a definition of the given containers, one with a health check if none is given."""
    return TaskDefinition(
        family=family,
        revision=1,
        arn=f"arn:aws:ecs:eu-central-1:123456789012:task-definition/{family}:1",
        containers=containers or (container(health=CHECK),),
        cpu_units=256,
        memory_mib=512,
    )


def service(**changes: Any) -> Service:
    """Return a service of one task that is replaced without a gap, as the program renders it."""
    return replace(
        Service(
            name="scheduler",
            arn="arn:aws:ecs:eu-central-1:123456789012:service/dev/scheduler",
            role="scheduler",
            definition=definition(),
            desired_count=1,
            minimum_healthy_percent=100,
            maximum_percent=200,
            target_groups=(),
            dns_names=(),
            grace_period_seconds=0.0,
        ),
        **changes,
    )


@dataclass(frozen=True)
class Fate:
    """What becomes of a task: seconds after its start."""

    healthy: float | None = 5.0
    unhealthy: float | None = None
    ends: float | None = None
    """By itself."""
    never_runs: bool = False
    stop_seconds: float = 2.0
    """From SIGTERM to its end."""


GOOD = Fate()


@dataclass
class FakeTask:
    """A task that has a fate instead of containers."""

    id: str
    definition: TaskDefinition
    created_at: float
    fate: Fate
    has_check: bool = True
    status: Status = Status.PROVISIONING
    health: Health = Health.UNKNOWN
    started_at: float | None = None
    stopped_reason: str = ""
    exit_code: int | None = None
    stopping_at: float | None = None

    def stop(self, reason: str, now: float) -> None:
        if self.status in {Status.PROVISIONING, Status.RUNNING}:
            self.status, self.stopped_reason, self.stopping_at = Status.STOPPING, reason, now

    def tick(self, now: float) -> None:
        age = now - self.created_at
        if self.status is Status.STOPPING:
            assert self.stopping_at is not None
            if now >= self.stopping_at + self.fate.stop_seconds:
                self.status, self.exit_code = Status.STOPPED, 143
        elif self.status is Status.PROVISIONING:
            if self.fate.never_runs:
                self.status, self.stopped_reason = (
                    Status.STOPPED,
                    "ResourceInitializationError: no such secret",
                )
            else:
                self.status, self.started_at = Status.RUNNING, now
        elif self.status is Status.RUNNING:
            self._live(age)

    def _live(self, age: float) -> None:
        if self.fate.ends is not None and age >= self.fate.ends:
            self.status, self.exit_code = Status.STOPPED, 1
            self.stopped_reason = "Essential container in task exited"
        elif self.fate.unhealthy is not None and age >= self.fate.unhealthy:
            self.health = Health.UNHEALTHY
        elif self.fate.healthy is not None and age >= self.fate.healthy:
            self.health = Health.HEALTHY


@dataclass
class World:
    """A service whose tasks have the given fates, the later ones good ones; time passes in seconds."""

    service: Service
    fates: Iterator[Fate] = field(default_factory=lambda: iter(()))
    target_health: Callable[[FakeTask], Health] | None = None
    throttle: Throttle | None = None
    has_check: bool = True
    now: float = 0.0
    launched: list[FakeTask] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.controller = ServiceController(
            self.service, self._launch, target_health=self.target_health, throttle=self.throttle
        )

    def _launch(self, definition: TaskDefinition, now: float) -> FakeTask:
        task = FakeTask(f"t{len(self.launched)}", definition, now, next(self.fates, GOOD), self.has_check)
        self.launched.append(task)
        return task

    def live(self, seconds: float = 1.0, every: Callable[[], None] = lambda: None) -> None:
        """Let time pass, calling a function after each second."""
        end = self.now + seconds
        while self.now < end:
            self.controller.tick(self.now)
            every()
            self.now += 1.0

    def ids(self, *statuses: Status) -> list[str]:
        """Return the tasks that are in one of the states, of all that are not over if none is given."""
        return [task.id for task in self.controller.tasks if not statuses or task.status in statuses]

    @property
    def serving(self) -> list[str]:
        """The tasks that serve."""
        return [task.id for task in self.controller.healthy_tasks(self.now)]

    @property
    def said(self) -> list[str]:
        """What the events tell, without the name of the service."""
        return [event.text.removeprefix("service scheduler ") for event in self.controller.events]
