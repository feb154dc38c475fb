"""A task from its start to its end: with containers that do what the test says, and with real ones."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from sandbox.twin import hosts
from sandbox.twin.isolation import CannotStartError
from sandbox.twin.logs import Logs
from sandbox.twin.model import Booted, Container
from sandbox.twin.task import Health, Host, Placement, Status, Task
from tests.twin.unit.containers import PATH, Place, container, until
from tests.twin.unit.tasks import CHECK, definition


@dataclass
class FakeProcess:
    """A container that ends when the test says so."""

    booted: Booted
    code: int | None = None
    pid: int = 4711
    ends_on_term: bool = True
    signals: list[int] = field(default_factory=list)
    checks: list[tuple[list[str], Mapping[str, str]]] = field(default_factory=list)
    check_code: int = 0

    @property
    def entry(self) -> Mapping[str, object]:
        return {}

    def poll(self) -> int | None:
        return self.code

    def signal(self, number: int) -> None:
        self.signals.append(number)
        if number == signal.SIGTERM and self.ends_on_term:
            self.code = 143

    def kill(self) -> None:
        self.signals.append(signal.SIGKILL)
        self.code = 137

    def memory_bytes(self) -> int:
        return 1000

    def exec(
        self, command: Sequence[str], environment: Mapping[str, str], **_: Any
    ) -> subprocess.Popen[bytes]:
        self.checks.append((list(command), environment))
        check = subprocess.Popen(["sh", "-c", f"exit {self.check_code}"])
        check.wait()
        return check


@dataclass
class FakeIsolation:
    """Starts containers that do nothing."""

    name: str = "fake"
    started: dict[str, FakeProcess] = field(default_factory=dict)
    released: list[str] = field(default_factory=list)
    refuses: str = ""
    stubborn: bool = False

    def address(self) -> str:
        return "10.20.0.10"

    def release(self, address: str) -> None:
        self.released.append(address)

    def start(self, booted: Booted, log: Path) -> FakeProcess:
        if booted.container.name == self.refuses:
            raise CannotStartError("exec: 'main': No such file or directory")
        process = FakeProcess(booted, ends_on_term=not self.stubborn)
        self.started[booted.container.name] = process
        return process

    def close(self) -> None:
        raise AssertionError("a task does not close it")


@dataclass
class Stage:
    """A task among fakes; time passes in seconds."""

    folder: Path
    containers: Sequence[Container]
    isolation: FakeIsolation = field(default_factory=FakeIsolation)
    boot: Callable[[Container, Placement], Booted] | None = None
    now: float = 0.0

    def __post_init__(self) -> None:
        host = Host(
            isolation=self.isolation,
            boot=self.boot or boot,
            logs=Logs(self.folder / "logs"),
            folder=self.folder / "tasks",
        )
        self.task = Task(definition(*self.containers), "scheduler", host, self.now)

    def live(self, seconds: float = 1.0) -> None:
        """Let time pass."""
        end = self.now + seconds
        while self.now < end:
            self.task.tick(self.now)
            self.now += 1.0

    def process(self, name: str = "main") -> FakeProcess:
        """Return a started container."""
        return self.isolation.started[name]


def boot(container: Container, placement: Placement) -> Booted:
    """Change nothing of a container."""
    hosts.write(placement.folder / "hosts", placement.address, {})
    return Booted(
        container=container,
        environment={"PATH": PATH, "NAME": container.name},
        command=(*container.entry_point, *container.command),
        health=container.health,
        address=placement.address,
        hosts_file=placement.folder / "hosts",
        user=container.user,
        mounts={},
        root_mounts=(),
        scratch=placement.folder / "scratch",
        volumes=placement.folder / "volumes",
        volume_user=container.user,
    )


@pytest.fixture
def stage(tmp_path: Path) -> Callable[..., Stage]:
    """Return what sets a task on its stage."""
    return lambda *containers, **options: Stage(tmp_path, containers or [container(health=CHECK)], **options)


# The start.


def test_the_id_looks_like_that_of_ecs(stage: Callable[..., Stage]) -> None:
    assert re.fullmatch("[0-9a-f]{32}", stage().task.id)


def test_a_task_begins_as_provisioning_and_runs_when_its_containers_do(stage: Callable[..., Stage]) -> None:
    there = stage()
    assert there.task.status is Status.PROVISIONING
    there.live()
    assert (there.task.status, there.task.started_at) == (Status.RUNNING, 0.0)


def test_every_container_is_booted_with_the_tasks_placement(tmp_path: Path) -> None:
    placed: list[tuple[str, Placement]] = []

    def look(container: Container, placement: Placement) -> Booted:
        placed.append((container.name, placement))
        return boot(container, placement)

    there = Stage(tmp_path, [container("a"), container("b")], boot=look)
    there.live()
    expected = Placement(
        task_id=there.task.id, service="scheduler", address="10.20.0.10", folder=there.task.folder
    )
    assert placed == [("a", expected), ("b", expected)]


def test_the_log_is_named_by_service_task_and_container(stage: Callable[..., Stage], tmp_path: Path) -> None:
    task = stage().task
    assert task.log("main") == tmp_path / "logs" / "scheduler" / task.id / "main.log"


def test_what_each_container_was_started_with_is_known(stage: Callable[..., Stage]) -> None:
    there = stage()
    there.live()
    assert there.task.environments == {"main": {"PATH": PATH, "NAME": "main"}}


def test_memory_is_that_of_all_running_containers(stage: Callable[..., Stage]) -> None:
    there = stage(container("a"), container("b"), container("c", essential=False))
    there.live()
    there.process("c").code = 0
    there.live()
    assert there.task.memory_bytes() == 2000


def test_a_container_that_cannot_start_stops_the_task(stage: Callable[..., Stage]) -> None:
    there = stage(container("main"), isolation=FakeIsolation(refuses="main"))
    there.live()
    assert (there.task.status, there.task.started_at) == (Status.STOPPED, None)
    assert there.task.stopped_reason == "CannotStartContainerError: exec: 'main': No such file or directory"


def test_what_boot_refuses_is_the_reason(tmp_path: Path) -> None:
    class ResourceInitializationError(Exception):
        pass

    def refuse(container: Container, placement: Placement) -> Booted:
        raise ResourceInitializationError("secret dev/jwt has no key current")

    there = Stage(tmp_path, [container()], boot=refuse)
    there.live()
    assert there.task.stopped_reason == "ResourceInitializationError: secret dev/jwt has no key current"
    assert there.isolation.released == ["10.20.0.10"]


# Dependencies.


def _pair(condition: str, **first: Any) -> tuple[Container, Container]:
    essential = condition in {"START", "HEALTHY"}
    return container("first", essential=essential, **first), container(
        "second", depends_on=(("first", condition),)
    )


@pytest.mark.parametrize("order", [1, -1])
def test_a_container_starts_after_the_one_it_depends_on(stage: Callable[..., Stage], order: int) -> None:
    there = stage(*_pair("START")[::order])
    there.live(2)
    assert list(there.isolation.started) == ["first", "second"]
    assert there.task.status is Status.RUNNING


@pytest.mark.parametrize(("condition", "code"), [("COMPLETE", 3), ("SUCCESS", 0)])
def test_a_container_waits_for_the_end_of_another(
    stage: Callable[..., Stage], condition: str, code: int
) -> None:
    there = stage(*_pair(condition))
    there.live(5)
    assert (list(there.isolation.started), there.task.status) == (["first"], Status.PROVISIONING)
    there.process("first").code = code
    there.live()
    assert (list(there.isolation.started), there.task.status) == (["first", "second"], Status.RUNNING)


def test_a_container_waits_for_the_health_of_another(stage: Callable[..., Stage]) -> None:
    there = stage(*_pair("HEALTHY", health=CHECK))
    there.live(5)
    assert list(there.isolation.started) == ["first"]
    there.live(3)
    assert list(there.isolation.started) == ["first", "second"]


@pytest.mark.parametrize(
    ("condition", "code"), [("SUCCESS", 1), ("HEALTHY", 0)], ids=["failed", "ended before it was healthy"]
)
def test_a_dependency_that_cannot_come_true_stops_the_task(
    stage: Callable[..., Stage], condition: str, code: int
) -> None:
    first = replace(container("first", essential=False), health=CHECK if condition == "HEALTHY" else None)
    there = stage(first, container("second", depends_on=(("first", condition),)))
    there.live()
    there.process("first").code = code
    there.live()
    assert there.task.status is Status.STOPPED
    assert there.task.stopped_reason == (
        f"CannotStartContainerError: container second waits for first to be {condition}, in vain"
    )


def test_a_dependency_on_the_health_of_a_container_without_a_check_stops_the_task(
    stage: Callable[..., Stage],
) -> None:
    there = stage(*_pair("HEALTHY"))
    there.live(2)
    assert "waits for first to be HEALTHY, in vain" in there.task.stopped_reason


# Health.


def test_a_task_is_healthy_when_its_container_is(stage: Callable[..., Stage]) -> None:
    there = stage()
    there.live(5)
    assert (there.task.health, there.task.healthy_at) == (Health.UNKNOWN, None)
    there.live(3)
    assert (there.task.health, there.task.healthy_at) == (Health.HEALTHY, 6.0)


def test_a_check_gets_the_variables_of_the_container(stage: Callable[..., Stage]) -> None:
    there = stage()
    there.live(6)
    assert there.process().checks == [(["true"], {"PATH": PATH, "NAME": "main"})]


def test_an_unhealthy_container_makes_the_task_unhealthy(stage: Callable[..., Stage]) -> None:
    sick = replace(CHECK, start_period_seconds=0, interval_seconds=1, retries=2)
    there = stage(container("a", health=CHECK), container("b", health=sick))
    there.live()
    there.process("b").check_code = 1
    there.live(10)
    assert there.task.health is Health.UNHEALTHY
    assert there.task.status is Status.RUNNING  # its service decides


@pytest.mark.parametrize(
    "containers",
    [
        [container()],
        [container("a", health=CHECK, essential=False), container("b")],
    ],
    ids=["no check", "the check of one that is not essential"],
)
def test_without_a_check_that_counts_the_health_stays_unknown(
    stage: Callable[..., Stage], containers: list[Container]
) -> None:
    there = stage(*containers)
    there.live(10)
    assert (there.task.has_check, there.task.health) == (False, Health.UNKNOWN)


# The end.


def test_the_end_of_an_essential_container_stops_the_task(stage: Callable[..., Stage]) -> None:
    there = stage(container("a"), container("b"))
    there.live()
    there.process("a").code = 3
    there.live(2)
    assert (there.task.status, there.task.exit_code) == (Status.STOPPED, 3)
    assert there.task.stopped_reason == "Essential container in task exited"
    assert there.task.exit_codes == {"a": 3, "b": 143}


def test_the_end_of_another_container_does_not(stage: Callable[..., Stage]) -> None:
    there = stage(container("a"), container("b", essential=False))
    there.live()
    there.process("b").code = 3
    there.live(5)
    assert there.task.status is Status.RUNNING


# The restart.


def test_a_container_that_ran_long_enough_is_started_again_in_its_task(stage: Callable[..., Stage]) -> None:
    there = stage(container("a"), container("b", essential=False, restart_seconds=60))
    there.live(61)
    first = there.process("b")
    first.code = 3
    there.live()
    assert there.process("b") is not first
    assert (there.task.status, there.task.restarts) == (Status.RUNNING, {"a": 0, "b": 1})
    assert there.task.exit_codes == {}


def test_a_container_that_ends_early_is_not_started_again(stage: Callable[..., Stage]) -> None:
    """The time counts from its last start."""
    there = stage(container("a"), container("b", essential=False, restart_seconds=60))
    there.live(61)
    there.process("b").code = 3
    there.live(30)
    there.process("b").code = 4
    there.live(100)
    assert (there.task.restarts["b"], there.task.exit_codes, there.task.status) == (
        1,
        {"b": 4},
        Status.RUNNING,
    )


def test_a_restart_keeps_the_task_of_an_essential_container(stage: Callable[..., Stage]) -> None:
    there = stage(container("a", restart_seconds=60))
    there.live(61)
    there.process("a").code = 1
    there.live()
    assert (there.task.status, there.task.exit_code) == (Status.RUNNING, None)
    there.process("a").code = 1
    there.live(2)
    assert (there.task.status, there.task.exit_code) == (Status.STOPPED, 1)


def test_a_container_is_not_started_again_while_its_task_stops(stage: Callable[..., Stage]) -> None:
    there = stage(container("a", restart_seconds=60))
    there.live(100)
    there.task.stop("Task stopped by user", there.now)
    there.live(3)
    assert (there.task.status, there.task.restarts) == (Status.STOPPED, {"a": 0})


def test_the_health_of_a_container_begins_anew_with_its_restart(stage: Callable[..., Stage]) -> None:
    there = stage(container("a", health=CHECK, restart_seconds=60))
    there.live(100)
    seen = [there.task.health]
    there.process("a").code = 1
    for seconds in (1, 10):
        there.live(seconds)
        seen.append(there.task.health)
    assert seen == [Health.HEALTHY, Health.UNKNOWN, Health.HEALTHY]


def test_a_restart_that_fails_is_the_end_of_the_container(stage: Callable[..., Stage]) -> None:
    there = stage(container("a"), container("b", essential=False, restart_seconds=60))
    there.live(61)
    there.isolation.refuses = "b"
    there.process("b").code = 3
    there.live(3)
    assert (there.task.status, there.task.exit_codes) == (Status.RUNNING, {"b": 3})


def test_a_stop_is_sigterm_first(stage: Callable[..., Stage]) -> None:
    there = stage()
    there.live(3)
    there.task.stop("Task stopped by user", there.now)
    assert there.task.status is Status.STOPPING
    there.live(2)
    assert there.process().signals == [signal.SIGTERM]
    assert (there.task.status, there.task.exit_code, there.task.stopped_at) == (Status.STOPPED, 143, 4.0)


def test_a_stop_is_sigkill_after_the_stop_timeout(stage: Callable[..., Stage]) -> None:
    there = stage(container(stop_timeout_seconds=120.0), isolation=FakeIsolation(stubborn=True))
    there.live()
    there.task.stop("", there.now)
    there.live(120)
    assert there.process().signals == [signal.SIGTERM]
    there.live(2)
    assert there.process().signals == [signal.SIGTERM, signal.SIGKILL]
    assert there.task.exit_code == 137


def test_containers_are_stopped_in_reverse_order(stage: Callable[..., Stage]) -> None:
    there = stage(*_pair("START"), isolation=FakeIsolation(stubborn=True))
    there.live(2)
    there.task.stop("", there.now)
    there.live(5)
    assert (there.process("second").signals, there.process("first").signals) == ([signal.SIGTERM], [])
    there.process("second").code = 0
    there.live()
    assert there.process("first").signals == [signal.SIGTERM]


def test_the_first_reason_stays(stage: Callable[..., Stage]) -> None:
    there = stage()
    there.live()
    there.task.stop("first", there.now)
    there.task.stop("second", there.now)
    there.live(2)
    there.task.stop("third", there.now)
    assert there.task.stopped_reason == "first"


def test_a_task_can_be_stopped_before_it_starts(stage: Callable[..., Stage]) -> None:
    there = stage()
    there.task.stop("Task stopped by user", 0.0)
    there.live()
    assert (there.task.status, there.isolation.started, there.isolation.released) == (Status.STOPPED, {}, [])


def test_a_stopped_task_leaves_its_logs_only(stage: Callable[..., Stage]) -> None:
    there = stage()
    there.live()
    there.task.log("main").touch()
    assert there.task.folder.exists()
    there.task.stop("", there.now)
    there.live(3)
    assert not there.task.folder.exists()
    assert there.task.log("main").exists()
    assert there.isolation.released == ["10.20.0.10"]


def test_a_stopped_task_has_no_health(stage: Callable[..., Stage]) -> None:
    there = stage()
    there.live(10)
    there.task.stop("", there.now)
    there.live(3)
    assert there.task.health is Health.UNKNOWN


def test_a_signal_reaches_every_essential_container_or_the_one_that_is_named(
    stage: Callable[..., Stage],
) -> None:
    there = stage(container("a"), container("b"), container("c", essential=False))
    there.live()
    there.task.signal(signal.SIGHUP)
    there.task.signal(signal.SIGUSR1, "c")
    assert [there.process(name).signals for name in "abc"] == [[signal.SIGHUP]] * 2 + [[signal.SIGUSR1]]


def test_releases_that_nobody_may_write_end_with_their_task(stage: Callable[..., Stage]) -> None:
    there = stage()
    there.live()
    release = there.task.folder / "volumes" / "releases" / "0123"
    release.mkdir(parents=True)
    (release / "etl.py").touch(mode=0o444)
    release.chmod(0o555)
    there.task.stop("", there.now)
    there.live(3)
    assert not there.task.folder.exists()


def test_a_lost_machine_ends_the_task_with_137(stage: Callable[..., Stage]) -> None:
    there = stage()
    there.live()
    there.task.kill()
    there.live(2)
    assert (there.task.status, there.task.exit_code) == (Status.STOPPED, 137)


# With real containers.


def test_a_real_task_starts_is_healthy_and_stops(place: Place) -> None:
    line = "trap 'echo asked; exit 143' TERM; touch /tmp/here-$NAME; echo up; while true; do sleep 0.05; done"
    check = replace(CHECK, command=("CMD-SHELL", "echo checked $NAME; true"))
    host = Host(
        isolation=place.isolation,
        boot=boot,
        logs=Logs(place.folder / "logs"),
        folder=place.folder / "tasks",
        start_interval_seconds=0.1,
    )
    plain = place.isolation.name == "plain"
    real = container(
        entry_point=("sh", "-c"), command=(line.replace("touch", "true") if plain else line,), health=check
    )
    task = place.inside(lambda: Task(definition(real), "scheduler", host, time.monotonic()))

    def over(condition: Callable[[], bool]) -> Callable[[], bool]:
        def look() -> bool:
            place.inside(lambda: task.tick(time.monotonic()))
            return condition()

        return look

    until(over(lambda: task.health is Health.HEALTHY))
    assert task.memory_bytes() > 0
    # Asked earlier, the shell would end before it knows what to say.
    until(lambda: task.log("main").read_text() == "up\n")
    task.stop("Task stopped by user", time.monotonic())
    until(over(lambda: task.status is Status.STOPPED))
    assert task.exit_code == 143
    assert task.log("main").read_text() == "up\nasked\n"
    assert "checked main" in host.logs.health_file("scheduler", task.id, "main").read_text()
    assert not task.folder.exists()
