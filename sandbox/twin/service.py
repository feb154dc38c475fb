"""One ECS service: keeps the desired number of tasks running, replaces them, deploys new revisions.

It has no thread and no clock of its own: `tick` does what is due at the given time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Generic, Protocol, TypeVar

from sandbox.twin.decisions import Decisions, Limits, Seen, Standing, decide
from sandbox.twin.health import Health
from sandbox.twin.model import Service, TaskDefinition
from sandbox.twin.task import Status

KEPT_EVENTS: Final = 200
KEPT_STOPPED: Final = 20
SETTLE_SECONDS: Final = 40.0
"""A task without any health check counts as healthy after this time."""
UNABLE: Final = (
    "was unable to stop or start tasks during a deployment because of the service deployment configuration: "
    "change the minimum healthy percent or the maximum percent"
)
FAILED_CHECKS: Final = "Task failed container health checks"
FAILED_TARGET: Final = "Task failed ELB health checks"
STOPPED_BY_USER: Final = "Task stopped by user"


class ServiceTask(Protocol):
    """What the controller needs of a task."""

    @property
    def id(self) -> str:
        """As ECS shows it."""

    @property
    def status(self) -> Status:
        """Where it is in its life."""

    @property
    def health(self) -> Health:
        """What its health checks say."""

    @property
    def has_check(self) -> bool:
        """Whether its health will ever be known."""

    @property
    def started_at(self) -> float | None:
        """When all its containers ran."""

    @property
    def stopped_reason(self) -> str:
        """Why it stops or stopped."""

    @property
    def exit_code(self) -> int | None:
        """Of its essential container."""

    def stop(self, reason: str, now: float) -> None:
        """Begin to stop it."""

    def tick(self, now: float) -> None:
        """Do what is due."""


TaskType = TypeVar("TaskType", bound=ServiceTask)


@dataclass(frozen=True)
class Event:
    """Something that the scheduler did or saw."""

    time: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Throttle:
    """How long the next start waits while tasks end before they were ever healthy.

    ECS doubles the wait for tasks that do not reach RUNNING, up to 27 minutes, and does not delay those that do: there
    each start takes the half minute that Fargate needs. Here a start takes no time, so both wait, and at most as long.
    """

    first_seconds: float = 1.0
    most_seconds: float = 30.0

    def delay(self, failures: int) -> float:
        """Return the wait after so many failures in a row; the first one is replaced at once."""
        if failures <= 1:
            return 0.0
        # Beyond 30 doublings the limit is reached for certain.
        return float(min(self.most_seconds, self.first_seconds * 2 ** min(failures - 2, 30)))


@dataclass
class _Member(Generic[TaskType]):
    """A task of the service."""

    task: TaskType
    deployment: int
    was_healthy: bool = False
    told: bool = False
    """Whether somebody asked it to stop."""


@dataclass
class _Deployment:
    """A revision that has or should have tasks."""

    definition: TaskDefinition
    wanted: int


class ServiceController(Generic[TaskType]):
    """Brings the tasks of a service to what is desired."""

    def __init__(
        self,
        service: Service,
        launch: Callable[[TaskDefinition, float], TaskType],
        *,
        target_health: Callable[[TaskType], Health] | None = None,
        throttle: Throttle | None = None,
    ) -> None:
        """Start nothing before the first tick.

        Args:
            service: What is desired.
            launch: Makes a task of a definition at a time; its first tick starts it.
            target_health: What the load balancer says of a task; only asked where the service has a target group.
            throttle: How long failing starts wait.

        """
        self.service = service
        self.restarts = 0
        """Tasks that ended without being told to."""
        self.events: deque[Event] = deque(maxlen=KEPT_EVENTS)
        self.stopped: deque[TaskType] = deque(maxlen=KEPT_STOPPED)
        """Tasks that are over, the latest last."""
        self._launch = launch
        self._target_health = target_health if service.target_groups else None
        self._throttle = throttle or Throttle()
        self._members: list[_Member[TaskType]] = []
        self._deployments = {1: _Deployment(service.definition, service.desired_count)}
        self._failures = 0
        self._next_start = float("-inf")
        self._said_steady = False
        self._said_stuck = False

    @property
    def tasks(self) -> Sequence[TaskType]:
        """Tasks that are not over, the oldest first."""
        return [member.task for member in self._members]

    @property
    def deploying(self) -> bool:
        """Whether tasks of an older deployment are still wanted or running."""
        return len(self._deployments) > 1

    def healthy_tasks(self, now: float) -> list[TaskType]:
        """Return the tasks that serve: names and target groups point to them."""
        return [member.task for member in self._live() if self._serves(member, now)]

    def is_steady(self, now: float) -> bool:
        """Return whether exactly the desired tasks run, all healthy and of the newest deployment."""
        live = self._live()
        return (
            len(live) == self.service.desired_count
            and all(member.deployment == self._newest for member in live)
            and all(self._serves(member, now) for member in live)
        )

    def deploy(self, service: Service, now: float) -> None:
        """Replace all tasks by new ones of the service's definition, the same or another one."""
        # Only what serves is kept alive meanwhile.
        older = self._deployments[self._newest]
        older.wanted = min(older.wanted, sum(self._serves(member, now) for member in self._of(self._newest)))
        self.service = service
        self._deployments[self._newest + 1] = _Deployment(service.definition, service.desired_count)
        # ECS forgets failures of the past as well.
        self._failures, self._next_start = 0, now
        self._said_steady = self._said_stuck = False
        self._say(now, f"began deployment {self._newest} of {service.definition.family}")

    def scale(self, count: int, now: float) -> None:
        """Change the desired count; 0 stops everything."""
        self.service = replace(self.service, desired_count=count)
        self._deployments[self._newest].wanted = count
        self._said_steady = self._said_stuck = False
        self._say(now, f"has set its desired count to {count}")

    def stop_task(self, task_id: str, now: float, reason: str = STOPPED_BY_USER) -> None:
        """Stop one task, as StopTask does; the service replaces it.

        Raises:
            KeyError: No such task is running.

        """
        for member in self._live():
            if member.task.id == task_id:
                self._stop(member, reason, now)
                return
        raise KeyError(task_id)

    def tick(self, now: float) -> None:
        """Do what is due."""
        for member in self._members:
            member.task.tick(now)
        self._notice(now)
        seen = self._seen(now)
        self._finish_deployments(seen)
        wanted = {number: each.wanted for number, each in self._deployments.items()}
        decisions = decide(seen, wanted, self._limits(), may_start=now >= self._next_start)
        self._carry_out(decisions, now)
        self._report(decisions, now)

    @property
    def _newest(self) -> int:
        return max(self._deployments)

    def _limits(self) -> Limits:
        service = self.service
        return Limits.of(service.desired_count, service.minimum_healthy_percent, service.maximum_percent)

    def _live(self) -> list[_Member[TaskType]]:
        over = {Status.STOPPING, Status.STOPPED}
        return [member for member in self._members if member.task.status not in over]

    def _of(self, deployment: int) -> list[_Member[TaskType]]:
        return [member for member in self._live() if member.deployment == deployment]

    def _serves(self, member: _Member[TaskType], now: float) -> bool:
        return self._standing(member.task, now) is Standing.HEALTHY

    def _seen(self, now: float) -> list[Seen]:
        return [
            Seen(member.task.id, member.deployment, self._standing(member.task, now))
            for member in self._live()
        ]

    def _standing(self, task: TaskType, now: float) -> Standing:
        if task.started_at is None:
            return Standing.STARTING
        opinions = self._opinions(task, now)
        # In the grace period ECS ignores failures of both kinds of checks.
        if Health.UNHEALTHY in opinions and now >= task.started_at + self.service.grace_period_seconds:
            return Standing.UNHEALTHY
        return Standing.HEALTHY if opinions == {Health.HEALTHY} else Standing.STARTING

    def _opinions(self, task: TaskType, now: float) -> set[Health]:
        opinions = {task.health} if task.has_check else set()
        if self._target_health is not None:
            opinions.add(self._target_health(task))
        if opinions:
            return opinions
        assert task.started_at is not None
        return {Health.HEALTHY if now >= task.started_at + SETTLE_SECONDS else Health.UNKNOWN}

    def _notice(self, now: float) -> None:
        """Look at what happened to the tasks since the last time."""
        for member in self._live():
            if not member.was_healthy and self._serves(member, now):
                # Those that serve for long say nothing about the starts of others.
                member.was_healthy = True
                self._failures = 0
        for member in [member for member in self._members if member.task.status is Status.STOPPED]:
            self._members.remove(member)
            self.stopped.append(member.task)
            code = "" if member.task.exit_code is None else f" (exit code {member.task.exit_code})"
            self._say(now, f"task {member.task.id} has stopped: {member.task.stopped_reason}{code}")
            if not member.told:
                self._count_failure(member, now)

    def _count_failure(self, member: _Member[TaskType], now: float) -> None:
        self.restarts += 1
        self._said_steady = False
        if member.was_healthy:
            return
        self._failures += 1
        wait = self._throttle.delay(self._failures)
        self._next_start = now + wait
        if wait:
            self._say(now, f"is unable to consistently start tasks successfully: waits {wait:g} s")

    def _carry_out(self, decisions: Decisions, now: float) -> None:
        members = {member.task.id: member for member in self._members}
        for seen in decisions.replaced:
            self._stop(members[seen.id], self._failed_check(members[seen.id].task), now)
        for seen in [*decisions.surplus, *decisions.drained]:
            self._stop(members[seen.id], f"Scaling activity initiated by (deployment {self._newest})", now)
        for seen in decisions.drained:
            self._deployments[seen.deployment].wanted -= 1
        for number in decisions.start:
            task = self._launch(self._deployments[number].definition, now)
            self._members.append(_Member(task, number))
            self._say(now, f"has started task {task.id}")

    def _failed_check(self, task: TaskType) -> str:
        return FAILED_CHECKS if task.has_check and task.health is Health.UNHEALTHY else FAILED_TARGET

    def _stop(self, member: _Member[TaskType], reason: str, now: float) -> None:
        member.told = True
        member.task.stop(reason, now)
        self._say(now, f"stops task {member.task.id}: {reason}")

    def _finish_deployments(self, seen: Sequence[Seen]) -> None:
        """Want no task of older deployments once the newest is complete; forget those without a task."""
        serving = [
            task for task in seen if task.standing is Standing.HEALTHY and task.deployment == self._newest
        ]
        complete = len(serving) >= self.service.desired_count
        running = {task.deployment for task in seen}
        for number in [number for number in self._deployments if number != self._newest]:
            if complete:
                self._deployments[number].wanted = 0
            if number not in running and not self._deployments[number].wanted:
                del self._deployments[number]

    def _report(self, decisions: Decisions, now: float) -> None:
        if decisions.stuck and not self._said_stuck:
            self._said_stuck = True
            self._say(now, UNABLE)
        if self.is_steady(now) and not self._said_steady:
            self._said_steady = True
            self._say(now, "has reached a steady state")

    def _say(self, now: float, text: str) -> None:
        self.events.append(Event(now, f"service {self.service.name} {text}"))
