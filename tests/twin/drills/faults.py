"""What becomes of running and waiting tasks when a part of the platform fails.

Each drill submits a burst, breaks something in the middle of it, mends it, and counts. Nothing may be lost: a task is
lost when it has not succeeded in the end. Executions are counted by the tasks themselves (see dags/drill_faults.py), so
that one which Airflow does not know of is seen as well.

Some faults are only noticed when a timer of minutes runs out. Those drills run with the drill timers of the table of
rewrites; a column says what that hides. All others run with the timers as rendered, above all those in which a worker
must be patient: with the drill timers it gives up after 21 seconds.
"""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from sandbox.twin.airflow_api import AirflowError
from sandbox.twin.control import CommandError
from tests.twin.drills import report
from tests.twin.drills.burst import DAG, Burst, Mark, Outcome, overlapping, unseen
from tests.twin.running import RunningTwin, running

AWAY_SECONDS: Final = 10
"""How long a restarted broker is away: it takes no time here, a failover of ElastiCache takes seconds."""
STEADY_SECONDS: Final = 240


@dataclass
class Scene:
    """A twin with a burst that runs, while something is broken."""

    twin: RunningTwin
    bursts: list[Burst]
    broken_at: float = 0.0
    mended_at: float = 0.0

    def submit(self, count: int, seconds: float = 2, *, long: int = 0, long_seconds: float = 0) -> Burst:
        """Start some more tasks."""
        self.bursts.append(Burst.submit(self.twin, count, seconds, long=long, long_seconds=long_seconds))
        return self.bursts[-1]

    @contextmanager
    def broken(self) -> Iterator[None]:
        """Note when a fault begins and when it is over."""
        self.broken_at = time.time()
        yield
        self.mended_at = time.time()


@dataclass(frozen=True, kw_only=True)
class Drill:
    """One fault."""

    name: str
    does: str
    act: Callable[[Scene], None]
    hides: str = ""
    """With drill timers: what the timers hide. Without: it runs with the timers as rendered."""
    prepare: Callable[[RunningTwin], None] = field(default=lambda _twin: None)
    retried: int | None = None
    """How many tasks may be retried at most; None: any number, but each with success."""
    seconds: float = 240
    """How long the burst may take after the fault."""

    @property
    def timers(self) -> str:
        """Which timers it runs with."""
        return "drill" if self.hides else "rendered"


@dataclass(frozen=True, kw_only=True)
class Result:
    """What was seen."""

    drill: str
    timers: str
    outcome: Outcome
    away_seconds: float
    """How long the fault lasted."""
    work_seconds: float | None
    """From the end of the fault to the first task that began after it."""
    steady_seconds: float
    """From the end of the fault until every service had its healthy tasks."""
    done_seconds: float
    """From the end of the fault to the end of the last task."""
    restarts: dict[str, int]
    good: bool
    load: float
    """Load average of the machine in the last minute; a free machine of two cores is at 2 during a burst."""


# The faults.


def nothing(scene: Scene) -> None:
    """Break nothing: what the others are compared with."""
    scene.submit(32).until_running(4)
    with scene.broken():
        pass


def worker_stopped(scene: Scene) -> None:
    """Stop a worker as ECS does: SIGTERM to its main process, SIGKILL after two minutes."""
    scene.submit(24, long=4, long_seconds=20).until_running(6)
    with scene.broken():
        scene.twin.call("stop_task", service="worker", task=scene.twin.task("worker"))


def worker_killed(scene: Scene) -> None:
    """Take a worker away with everything that runs in it, while others wait."""
    scene.submit(24, 4).until_running(6)
    with scene.broken():
        scene.twin.call("destroy", service="worker", task=scene.twin.task("worker"))


def two_schedulers(twin: RunningTwin) -> None:
    """Run two schedulers."""
    twin.call("scale", service="scheduler", count=2)
    twin.wait_ready()


def one_scheduler(twin: RunningTwin) -> None:
    """Run as many as rendered."""
    twin.call("scale", service="scheduler", count=1)
    twin.wait_ready()


def scheduler_killed(scene: Scene) -> None:
    """Take one of two schedulers away: the one that queues the burst's tasks."""
    scene.submit(40).until_finished(8)
    with scene.broken():
        scene.twin.call("destroy", service="scheduler", task=scene.twin.task("scheduler"))


def api_server_away(seconds: float) -> Callable[[Scene], None]:
    """Take the only api-server away for so long, and the time that a new one needs to start."""

    def act(scene: Scene) -> None:
        scene.submit(12, long=4, long_seconds=seconds + 30).until_running(6)
        task = scene.twin.task("api-server")
        with scene.broken():
            scene.twin.call("scale", service="api-server", count=0)
            # It would answer requests for some seconds.
            scene.twin.call("destroy", service="api-server", task=task)
            time.sleep(seconds)
            scene.twin.call("scale", service="api-server", count=1)
            scene.twin.until(lambda: answers(scene.twin), STEADY_SECONDS, "the api-server answers")

    return act


def metastore_away(seconds: float) -> Callable[[Scene], None]:
    """Stop PostgreSQL for so long."""

    def act(scene: Scene) -> None:
        scene.submit(20, long=4, long_seconds=seconds + 30).until_running(6)
        with scene.broken():
            scene.twin.call("database", action="stop")
            time.sleep(seconds)
            scene.twin.call("database", action="start")

    return act


def broker_restarted(scene: Scene) -> None:
    """Kill Redis, which forgets everything, and submit more tasks while it is away: publishing them fails."""
    scene.submit(24).until_running(6)
    with scene.broken():
        scene.twin.call("broker", action="stop")
        scene.submit(8)
        time.sleep(AWAY_SECONDS)
        scene.twin.call("broker", action="start")


def broker_flushed(scene: Scene) -> None:
    """Delete everything in Redis while messages wait there."""
    scene.submit(32).until_running(6)
    assert scene.twin.call("queue"), "no message waits"
    with scene.broken():
        scene.twin.call("broker", action="flush")


NOTICED: Final = "a lost worker is noticed after 30 seconds, as rendered after 600"
REQUEUED: Final = "a lost message is sent again after 40 to 50 seconds, as rendered after 1800 to 1920"
DRILLS: Final[tuple[Drill, ...]] = (
    Drill(name="no fault", does="what the others are compared with", act=nothing, retried=0),
    Drill(name="worker stopped", does="SIGTERM, as ECS", act=worker_stopped, retried=0),
    Drill(name="api-server away 40 s", does="", act=api_server_away(40)),
    Drill(name="api-server away 120 s", does="", act=api_server_away(120)),
    Drill(name="PostgreSQL away 15 s", does="", act=metastore_away(15)),
    Drill(name="PostgreSQL away 60 s", does="", act=metastore_away(60)),
    Drill(name="worker killed", does="", act=worker_killed, hides=NOTICED),
    Drill(
        name="scheduler killed",
        does="one of two",
        act=scheduler_killed,
        prepare=two_schedulers,
        hides="a dead scheduler's tasks are adopted after 15 to 45 seconds, as rendered after 30 to 330",
    ),
    Drill(name="Redis restarted", does="", act=broker_restarted, hides=REQUEUED),
    Drill(name="Redis flushed", does="", act=broker_flushed, hides=REQUEUED),
)


def answers(twin: RunningTwin) -> bool:
    """Say whether Airflow's API answers through the balancer."""
    try:
        return bool(twin.airflow.version())
    except AirflowError:
        return False
