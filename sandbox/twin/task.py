"""One ECS task: the containers of a task definition, started, watched and stopped together.

Nothing here waits: `tick` does what is due and returns.
"""

from __future__ import annotations

import secrets
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from sandbox.twin.folders import erase
from sandbox.twin.health import START_INTERVAL_SECONDS, Health, HealthMonitor, Running
from sandbox.twin.isolation import CannotStartError, Isolation, Process
from sandbox.twin.logs import Logs
from sandbox.twin.model import Booted, Container, TaskDefinition

__all__ = ["Boot", "Health", "Host", "Placement", "Status", "Task"]

ID_BYTES: Final = 16
ESSENTIAL_EXITED: Final = "Essential container in task exited"
"""The reason that ECS gives."""


class Status(StrEnum):
    """As ECS shows it; what comes before RUNNING is one state here."""

    PROVISIONING = "PROVISIONING"
    RUNNING = "RUNNING"
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"


@dataclass(frozen=True, kw_only=True)
class Placement:
    """What is decided for a task before its containers start."""

    task_id: str
    service: str
    address: str
    folder: Path
    """Private folder of the task: names, scratch."""


Boot = Callable[[Container, Placement], Booted]


@dataclass(frozen=True, kw_only=True)
class Host:
    """Where tasks run; the same for all of them."""

    isolation: Isolation
    boot: Boot
    """Resolves secrets and rewrites what must differ here; whatever it raises stops the task."""
    logs: Logs
    folder: Path
    """Has a folder for each task."""
    start_interval_seconds: float = START_INTERVAL_SECONDS
    """Time between health checks until the first success."""


@dataclass
class _Run:
    """A container of the task."""

    container: Container
    booted: Booted | None = None
    process: Process | None = None
    monitor: HealthMonitor | None = None
    exit_code: int | None = None
    started_at: float = 0.0
    restarts: int = 0
    terminated_at: float | None = None
    killed: bool = False

    def may_restart(self, now: float) -> bool:
        """Return whether its end, just now, is followed by another start."""
        period = self.container.restart_seconds
        return period is not None and now >= self.started_at + period

    @property
    def started(self) -> bool:
        return self.process is not None

    @property
    def running(self) -> bool:
        return self.process is not None and self.exit_code is None

    def fulfils(self, condition: str) -> bool:
        """Return whether a container that waits for this one may start."""
        match condition:
            case "START":
                return self.started
            case "COMPLETE":
                return self.exit_code is not None
            case "SUCCESS":
                return self.exit_code == 0
            case _:
                return self.monitor is not None and self.monitor.health is Health.HEALTHY

    def never_fulfils(self, condition: str) -> bool:
        """Return whether waiting is in vain."""
        if condition == "HEALTHY":
            return self.exit_code is not None or (self.started and self.monitor is None)
        return condition == "SUCCESS" and self.exit_code not in {None, 0}


@dataclass
class Task:
    """A task from its start to its end."""

    definition: TaskDefinition
    service: str
    host: Host
    created_at: float
    id: str = field(default_factory=lambda: secrets.token_hex(ID_BYTES))
    status: Status = Status.PROVISIONING
    address: str = ""
    started_at: float | None = None
    """When all containers ran."""
    healthy_at: float | None = None
    """When the task was healthy for the first time."""
    stopping_at: float | None = None
    stopped_at: float | None = None
    stopped_reason: str = ""
    exit_code: int | None = None
    """Of the essential container that ended first."""

    def __post_init__(self) -> None:
        """Know the containers."""
        self._runs = {each.name: _Run(each) for each in self.definition.containers}

    @property
    def folder(self) -> Path:
        """Private folder of the task."""
        return self.host.folder / self.id

    @property
    def health(self) -> Health:
        """Health of the essential containers that have a check: the worst counts."""
        if self.status is Status.STOPPED:
            return Health.UNKNOWN
        checked = [run for run in self._runs.values() if run.container.essential and run.container.health]
        found = {run.monitor.health if run.monitor else Health.UNKNOWN for run in checked}
        for health in (Health.UNHEALTHY, Health.UNKNOWN):
            if health in found:
                return health
        return Health.HEALTHY if found else Health.UNKNOWN

    @property
    def has_check(self) -> bool:
        """Whether its health will ever be known."""
        return any(each.essential and each.health for each in self.definition.containers)

    @property
    def processes(self) -> Mapping[str, Process]:
        """The started containers by name."""
        return {name: run.process for name, run in self._runs.items() if run.process is not None}

    @property
    def exit_codes(self) -> Mapping[str, int]:
        """Exit codes of the containers that have ended."""
        return {name: run.exit_code for name, run in self._runs.items() if run.exit_code is not None}

    @property
    def restarts(self) -> Mapping[str, int]:
        """How often each container was started again."""
        return {name: run.restarts for name, run in self._runs.items()}

    @property
    def environments(self) -> Mapping[str, Mapping[str, str]]:
        """What each container was started with."""
        return {name: run.booted.environment for name, run in self._runs.items() if run.booted is not None}

    def log(self, container: str) -> Path:
        """Return the log file of a container."""
        return self.host.logs.file(self.service, self.id, container)

    def memory_bytes(self) -> int:
        """Return what its containers use."""
        return sum(run.process.memory_bytes() for run in self._runs.values() if run.process and run.running)

    def signal(self, number: int, container: str | None = None) -> None:
        """Send a signal to the command of a container, or of each essential one."""
        for run in self._runs.values():
            wanted = run.container.essential if container is None else run.container.name == container
            if wanted and run.process is not None:
                run.process.signal(number)

    def kill(self) -> None:
        """End everything in it at once, as when its machine is lost."""
        for run in self._runs.values():
            if run.process is not None:
                run.process.kill()

    def stop(self, reason: str, now: float) -> None:
        """Stop it: SIGTERM to the commands, in reverse order of their dependencies, SIGKILL when the time is over."""
        if self.status in {Status.STOPPING, Status.STOPPED}:
            return
        self.status = Status.STOPPING
        self.stopping_at = now
        self.stopped_reason = reason

    def tick(self, now: float) -> None:
        """Do what is due."""
        if self.status is Status.STOPPED:
            return
        self._observe(now)
        if self.status is Status.PROVISIONING:
            self._start(now)
        for run in self._runs.values():
            if run.monitor is not None and run.running:
                run.monitor.tick(now)
        if self.healthy_at is None and self.health is Health.HEALTHY:
            self.healthy_at = now
        if self.status is Status.STOPPING:
            self._stop(now)

    def _observe(self, now: float) -> None:
        for run in self._runs.values():
            if run.process is None or run.exit_code is not None:
                continue
            run.exit_code = run.process.poll()
            if run.exit_code is None:
                continue
            if run.monitor is not None:
                run.monitor.close()
            if self.status is not Status.STOPPING and run.may_restart(now):
                self._restart(run, now)
            elif run.container.essential:
                self.exit_code = run.exit_code if self.exit_code is None else self.exit_code
                self.stop(ESSENTIAL_EXITED, now)

    def _start(self, now: float) -> None:
        # Whatever keeps one task from starting must not end the twin: it becomes the reason of the task.
        try:
            if not self.address:
                self.address = self.host.isolation.address()
                self.folder.mkdir(parents=True)
            for run in self._runs.values():
                if not run.started and self._may_start(run.container):
                    self._start_container(run, now)
        except CannotStartError as error:
            self.stop(f"CannotStartContainerError: {error}", now)
        except Exception as error:
            self.stop(f"{type(error).__name__}: {error}", now)
        else:
            if self.status is Status.PROVISIONING and all(run.started for run in self._runs.values()):
                self.status = Status.RUNNING
                self.started_at = now

    def _may_start(self, container: Container) -> bool:
        waits = [(self._runs[name], condition) for name, condition in container.depends_on]
        for run, condition in waits:
            if run.never_fulfils(condition):
                raise CannotStartError(
                    f"container {container.name} waits for {run.container.name} to be {condition}, in vain"
                )
        return all(run.fulfils(condition) for run, condition in waits)

    def _restart(self, run: _Run, now: float) -> None:
        """Start a container again; its volumes are as it left them."""
        try:
            self._start_container(run, now)
        except Exception as error:
            # As in a start: the trouble of one container must not end the twin.
            if run.container.essential:
                self.stop(f"{type(error).__name__}: {error}", now)
            return
        run.exit_code = None
        run.restarts += 1

    def _start_container(self, run: _Run, now: float) -> None:
        placement = Placement(task_id=self.id, service=self.service, address=self.address, folder=self.folder)
        run.booted = self.host.boot(run.container, placement)
        run.process = self.host.isolation.start(run.booted, self.log(run.container.name))
        run.started_at = now
        if run.booted.health is not None:
            run.monitor = HealthMonitor(
                run.booted.health,
                lambda command: self._ask(run, command),
                now,
                start_interval_seconds=self.host.start_interval_seconds,
            )

    def _ask(self, run: _Run, command: Sequence[str]) -> Running:
        assert run.process is not None
        assert run.booted is not None
        # The variables of the definition: what the entry point exported is not there on ECS either.
        with self.host.logs.health_file(self.service, self.id, run.container.name).open("ab") as out:
            return run.process.exec(command, run.booted.environment, stdout=out, stderr=subprocess.STDOUT)

    def _stop(self, now: float) -> None:
        for run in self._runs.values():
            if run.process is None or not run.running:
                continue
            if run.terminated_at is None:
                if not self._needed(run.container.name):
                    run.terminated_at = now
                    run.process.signal(signal.SIGTERM)
            elif not run.killed and now >= run.terminated_at + run.container.stop_timeout_seconds:
                run.killed = True
                run.process.kill()
        if not any(run.running for run in self._runs.values()):
            self._end(now)

    def _needed(self, name: str) -> bool:
        """Return whether a container that depends on this one still runs."""
        return any(
            run.running and name in (other for other, _ in run.container.depends_on)
            for run in self._runs.values()
        )

    def _end(self, now: float) -> None:
        self.status = Status.STOPPED
        self.stopped_at = now
        if self.address:
            self.host.isolation.release(self.address)
            # Scratch dies with the task, on Fargate as well.
            erase(self.folder)
