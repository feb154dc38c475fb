"""What ECS's service scheduler would do next: a pure function of what it sees.

The rules, as documented for rolling updates: at most `maximum` tasks are starting or running at a time, at least
`minimum` healthy ones stay. A replacement of an unhealthy task is started first where there is room, otherwise the
unhealthy one is stopped first, one at a time. A task that is lost during a deployment is replaced by one of its own
revision. Where the documentation leaves a choice, no healthy task is stopped earlier than necessary.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto


class Standing(Enum):
    """What a task counts as."""

    STARTING = auto()
    HEALTHY = auto()
    UNHEALTHY = auto()


@dataclass(frozen=True)
class Seen:
    """A task that was not told to stop."""

    id: str
    deployment: int
    """Number of the deployment it belongs to; the highest is the newest."""
    standing: Standing


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How many tasks there should and may be."""

    desired: int
    minimum: int
    """Healthy tasks that stay, rounded up."""
    maximum: int
    """Tasks that are starting or running, rounded down."""

    @classmethod
    def of(cls, desired: int, minimum_healthy_percent: int, maximum_percent: int) -> Limits:
        """Return the limits that follow from the percentages of a service."""
        return cls(
            desired=desired,
            minimum=-(-desired * minimum_healthy_percent // 100),
            maximum=desired * maximum_percent // 100,
        )


@dataclass
class Decisions:
    """What to do now."""

    start: list[int] = field(default_factory=list)
    """Deployments, one for each new task."""
    replaced: list[Seen] = field(default_factory=list)
    """Unhealthy tasks to stop."""
    surplus: list[Seen] = field(default_factory=list)
    """Tasks to stop because there are more than wanted."""
    drained: list[Seen] = field(default_factory=list)
    """Tasks of older deployments to stop; they are not wanted any more."""
    stuck: bool = False
    """The percentages allow neither a start nor a stop, and nothing else will change that."""

    @property
    def stop(self) -> list[Seen]:
        """All tasks to stop."""
        return [*self.replaced, *self.surplus, *self.drained]


def decide(tasks: Sequence[Seen], wanted: Mapping[int, int], limits: Limits, *, may_start: bool) -> Decisions:
    """Return what to do now.

    Args:
        tasks: The oldest first.
        wanted: Tasks that each deployment should have; the newest should have all.
        limits: Of the service.
        may_start: Whether new tasks may be started; not while starts are throttled.

    """
    return _Scheduler(tasks, wanted, limits).decide(may_start=may_start)


class _Scheduler:
    """Takes one decision after the other and keeps count."""

    def __init__(self, tasks: Sequence[Seen], wanted: Mapping[int, int], limits: Limits) -> None:
        self._tasks = tasks
        self._wanted = wanted
        self._limits = limits
        self._newest = max(wanted)
        self._healthy = sum(task.standing is Standing.HEALTHY for task in tasks)
        self._blocked = 0
        """Tasks that could be started if there was room."""
        self._made = Decisions()

    def decide(self, *, may_start: bool) -> Decisions:
        if may_start:
            self._start_missing()
        self._stop_surplus()
        self._stop_replaced()
        self._drain_older()
        self._made.stuck = self._is_stuck()
        return self._made

    def _of(self, deployment: int, *standings: Standing) -> list[Seen]:
        return [task for task in self._tasks if task.deployment == deployment and task.standing in standings]

    def _start_missing(self) -> None:
        room = self._limits.maximum - len(self._tasks)
        for deployment, missing in self._missing():
            started = max(0, min(missing, room))
            self._made.start += [deployment] * started
            room -= started
            self._blocked += missing - started

    def _missing(self) -> Iterator[tuple[int, int]]:
        """Yield how many tasks each deployment lacks, the older ones first: they serve until the newest can."""
        lacking = self._limits.minimum - len(self._of(self._newest, Standing.HEALTHY))
        for deployment in sorted(set(self._wanted) - {self._newest}):
            usable = len(self._of(deployment, Standing.STARTING, Standing.HEALTHY))
            # No more than the minimum needs: an old revision that keeps failing must leave room for the newest.
            lacking -= usable
            missing = max(0, min(self._wanted[deployment] - usable, lacking))
            lacking -= missing
            yield deployment, missing
        usable = len(self._of(self._newest, Standing.STARTING, Standing.HEALTHY))
        yield self._newest, max(0, self._wanted[self._newest] - usable)

    def _stop_surplus(self) -> None:
        for deployment, wanted in self._wanted.items():
            # Those that do not serve yet go first, then the youngest.
            usable = [
                *reversed(self._of(deployment, Standing.STARTING)),
                *reversed(self._of(deployment, Standing.HEALTHY)),
            ]
            for task in usable[: max(0, len(usable) - wanted)]:
                if self._may_lose(task, self._limits.minimum):
                    self._lose(task, self._made.surplus)

    def _stop_replaced(self) -> None:
        waiting = any(task.standing is Standing.STARTING for task in self._tasks) or self._made.start
        for deployment, wanted in self._wanted.items():
            unhealthy = self._of(deployment, Standing.UNHEALTHY)
            if len(self._of(deployment, Standing.HEALTHY)) >= wanted:
                for task in unhealthy:
                    self._lose(task, self._made.replaced)
            elif unhealthy and self._blocked and not waiting and not self._made.replaced:
                self._lose(unhealthy[0], self._made.replaced)

    def _drain_older(self) -> None:
        older = [
            task for task in self._tasks if task.deployment != self._newest and task not in self._made.stop
        ]
        # What does not serve goes first.
        for task in sorted(older, key=lambda task: task.standing is Standing.HEALTHY):
            needed = (
                self._limits.minimum if self._blocked else max(self._limits.minimum, self._limits.desired)
            )
            if self._may_lose(task, needed):
                self._lose(task, self._made.drained)

    def _may_lose(self, task: Seen, needed: int) -> bool:
        left = self._healthy - (task.standing is Standing.HEALTHY)
        return left >= needed

    def _lose(self, task: Seen, list_of_lost: list[Seen]) -> None:
        self._healthy -= task.standing is Standing.HEALTHY
        self._blocked = max(0, self._blocked - 1)
        list_of_lost.append(task)

    def _is_stuck(self) -> bool:
        changing = self._made.start or self._made.stop
        starting = any(task.standing is Standing.STARTING for task in self._tasks)
        return bool(self._blocked) and not changing and not starting
