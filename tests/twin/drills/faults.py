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
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from sandbox.twin.airflow_api import AirflowError
from tests.twin.drills import report
from tests.twin.drills.burst import DAG, Burst, Counts, count
from tests.twin.drills.place import place
from tests.twin.running import STATUS_SECONDS, RunningTwin, running

LONG: Final = 4
"""Tasks that run through the whole outage."""
WAITING: Final = 16
"""Tasks that start when it begins, or wait."""
AWAY_SECONDS: Final = 10
"""How long a restarted broker is away: it takes no time here, a failover of ElastiCache takes seconds."""
STEADY_SECONDS: Final = 240
HALT_SECONDS: Final = 100
"""How long a copy stays wrong: longer than the minute between two health checks of a worker."""


@dataclass
class Scene:
    """A twin with bursts that run, while something is broken."""

    twin: RunningTwin
    bursts: list[Burst] = field(default_factory=list)
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


Around = Callable[[RunningTwin], AbstractContextManager[None]]


@contextmanager
def as_rendered(_twin: RunningTwin) -> Iterator[None]:
    """Leave the twin as it is."""
    yield


@contextmanager
def two_schedulers(twin: RunningTwin) -> Iterator[None]:
    """Run a second scheduler meanwhile."""
    twin.call("scale", service="scheduler", count=2)
    twin.wait_ready()
    yield
    twin.call("scale", service="scheduler", count=1)
    twin.wait_ready()


@dataclass(frozen=True, kw_only=True)
class Drill:
    """One fault."""

    name: str
    act: Callable[[Scene], None]
    retried: int | None = None
    """How many tasks may be retried at most; None: any number."""
    hides: str = ""
    """What the drill timers hide; without a text it runs with the timers as rendered."""
    around: Around = as_rendered
    """What the twin looks like meanwhile."""
    seconds: float = 240
    """How long the bursts may take after the fault."""

    @property
    def timers(self) -> str:
        """Which timers it runs with."""
        return "drill" if self.hides else "rendered"


@dataclass(frozen=True, kw_only=True)
class Result:
    """What was seen."""

    drill: str
    timers: str
    hides: str
    counts: Counts
    away_seconds: float
    """How long the fault lasted."""
    work_seconds: float | None
    """From the end of the fault to the beginning of the next task; None: no task was left."""
    steady_seconds: float
    """From the end of the fault until every service had its healthy tasks."""
    done_seconds: float
    """From the end of the fault to the end of the last task."""
    restarts: dict[str, int]
    """Tasks that each service had to replace."""
    good: bool
    load: float
    """Load average of the machine over the last minute."""


# The faults.


def nothing(scene: Scene) -> None:
    """Break nothing: what the others are compared with."""
    scene.submit(32).until_begun(4)
    with scene.broken():
        pass


def worker_stopped(scene: Scene) -> None:
    """Stop a worker as ECS does: SIGTERM to its main process, SIGKILL after two minutes."""
    scene.submit(24, long=LONG, long_seconds=20).until_begun(6)
    with scene.broken():
        take_away(scene.twin, "stop_task", "worker")


def worker_killed(scene: Scene) -> None:
    """Take a worker away with everything that runs in it, while others wait."""
    scene.submit(24, 4).until_begun(6)
    with scene.broken():
        take_away(scene.twin, "destroy", "worker")


def scheduler_killed(scene: Scene) -> None:
    """Take one of two schedulers away: the one that queues the burst's tasks."""
    scene.submit(40).until_finished(8)
    with scene.broken():
        take_away(scene.twin, "destroy", "scheduler")


def tasks_of_all_ages(scene: Scene, seconds: float) -> None:
    """Submit tasks that run through an outage of so many seconds, and others that just start when this returns."""
    scene.submit(0, long=LONG, long_seconds=seconds + 30).until_begun(LONG)
    # The task before them has ended: the scheduler is about to queue them.
    scene.submit(WAITING).until_finished(1)


def api_server_away(seconds: float) -> Callable[[Scene], None]:
    """Take the only api-server away for so long, the start of the new one included."""

    def act(scene: Scene) -> None:
        twin = scene.twin
        (task,) = twin.service("api-server")["tasks"]
        tasks_of_all_ages(scene, seconds)
        with scene.broken():
            twin.call("scale", service="api-server", count=0)
            # Told to stop it would go on for some seconds.
            twin.call("destroy", service="api-server", task=task["id"])
            time.sleep(max(0.0, seconds - task["healthy_after_seconds"]))
            twin.call("scale", service="api-server", count=1)
            twin.until(lambda: answers(twin), STEADY_SECONDS, "the api-server answers")

    return act


def metastore_away(seconds: float) -> Callable[[Scene], None]:
    """Stop PostgreSQL for so long."""

    def act(scene: Scene) -> None:
        tasks_of_all_ages(scene, seconds)
        with scene.broken():
            scene.twin.call("database", action="stop")
            time.sleep(seconds)
            scene.twin.call("database", action="start")

    return act


def broker_restarted(scene: Scene) -> None:
    """Take Redis away, which forgets everything, and submit more tasks that nobody can publish meanwhile."""
    scene.submit(24).until_begun(6)
    with scene.broken():
        scene.twin.call("broker", action="stop")
        scene.submit(8)
        time.sleep(AWAY_SECONDS)
        scene.twin.call("broker", action="start")


def broker_flushed(scene: Scene) -> None:
    """Delete everything in Redis while messages wait there."""
    scene.submit(32).until_begun(6)
    assert scene.twin.call("queue"), "no message waits"
    with scene.broken():
        scene.twin.call("broker", action="flush")


def copy_changed(scene: Scene) -> None:
    """Change a byte of the worker's copy: what runs goes on, what is submitted waits until it is mended."""
    scene.submit(0, long=LONG, long_seconds=HALT_SECONDS).until_begun(LONG)
    with scene.broken():
        change_copy(scene.twin, "import", "imporT")
        assert not scene.twin.operations("verify")["ok"], "nobody has noticed"
        late = scene.submit(WAITING)
        # What the worker takes first begins and comes back; after its next health check it takes nothing.
        time.sleep(HALT_SECONDS)
        assert not late.marks(), "tasks have begun on a copy that was known to be wrong"
        change_copy(scene.twin, "imporT", "import")
        assert scene.twin.operations("verify")["ok"], "the copy is not right again"


def change_copy(twin: RunningTwin, old: str, new: str) -> None:
    """Change a word in the worker's copy of an example: its size stays, and so does its time."""
    release = twin.operations("verify")["release_id"]
    place = f"/opt/airflow/releases/{release}/example_etl.py"
    commands = (
        f"touch -r {place} /tmp/time",
        f"sed 's/{old}/{new}/' {place} > /tmp/changed",
        f"chmod u+w {place}",
        f"cat /tmp/changed > {place}",
        f"touch -r /tmp/time {place}",
        f"chmod u-w {place}",
    )
    code, said = twin.exec("worker", "sh", "-c", " && ".join(commands), container="release-agent")
    assert code == 0, said


def take_away(twin: RunningTwin, how: str, role: str) -> None:
    """Stop or destroy a service's first task, and wait until the service knows."""
    task = twin.task(role)
    twin.call(how, service=role, task=task)
    twin.until(
        lambda: (
            task not in [each["id"] for each in twin.service(role)["tasks"] if each["status"] == "RUNNING"]
        ),
        STEADY_SECONDS,
        f"{role} misses its task",
        STATUS_SECONDS,
    )


def answers(twin: RunningTwin) -> bool:
    """Say whether Airflow's API answers through the balancer."""
    try:
        return bool(twin.airflow.version())
    except AirflowError:
        return False


NOTICED: Final = "a lost worker is noticed after 30 to 40 seconds, as rendered after 600 to 610"
ADOPTED: Final = "a dead scheduler's tasks are adopted after 15 to 45 seconds, as rendered after 30 to 330"
REQUEUED: Final = "a lost message is sent again after 40 to 50 seconds, as rendered after 1800 to 1920"
DRILLS: Final[tuple[Drill, ...]] = (
    Drill(name="no fault", act=nothing, retried=0),
    Drill(name="worker stopped", act=worker_stopped, retried=0),
    Drill(name="api-server away 40 s", act=api_server_away(40), retried=0),
    # A task that is just starting gives up after 80 seconds on the average, and starts again; running ones go on.
    Drill(name="api-server away 120 s", act=api_server_away(120), retried=WAITING),
    Drill(name="PostgreSQL away 15 s", act=metastore_away(15), retried=0),
    Drill(name="PostgreSQL away 60 s", act=metastore_away(60), retried=0),
    Drill(name="copy changed", act=copy_changed, retried=0, seconds=300),
    Drill(name="worker killed", act=worker_killed, hides=NOTICED),
    Drill(name="scheduler killed", act=scheduler_killed, around=two_schedulers, hides=ADOPTED),
    Drill(name="Redis restarted", act=broker_restarted, hides=REQUEUED),
    Drill(name="Redis flushed", act=broker_flushed, hides=REQUEUED),
)
OPTIONS: Final = {"rendered": (), "drill": ("--timers", "drill")}
"""Of `twin start`, by the timers."""


def main(results: Path, only: str = "") -> bool:
    """Run the drills whose name has a text, show what was seen, and say whether all was as it should be."""
    drills = [drill for drill in DRILLS if only in drill.name]
    assert drills, f"no drill has {only!r} in its name; there are: {', '.join(each.name for each in DRILLS)}"
    seen = [result for timers in OPTIONS for result in run(timers, drills)]
    report.show("Faults", [row(each) for each in seen])
    for text in dict.fromkeys(each.hides for each in drills if each.hides):
        report.say(f"drill timers: {text}")
    report.write(results, "faults", {"drills": [asdict(each) for each in seen]})
    return all(each.good for each in seen)


def run(timers: str, drills: Sequence[Drill]) -> list[Result]:
    """Run the drills for some timers on a twin that has them."""
    chosen = [drill for drill in drills if drill.timers == timers]
    if not chosen:
        return []
    report.say(f"a twin with {timers} timers ...")
    options = ("dev", *OPTIONS[timers])
    with place() as folder, running(folder / "platform", *options) as twin:
        twin.airflow.wait_for_dags([DAG], STEADY_SECONDS)
        return [carry_out(drill, twin) for drill in chosen]


def carry_out(drill: Drill, twin: RunningTwin) -> Result:
    """Run a drill on a twin, and leave the twin as it was."""
    report.say(f"{drill.name} ...")
    scene, before = Scene(twin), restarts(twin)
    with drill.around(twin):
        drill.act(scene)
        twin.wait_ready(STEADY_SECONDS)
        steady = time.time() - scene.mended_at
        for burst in scene.bursts:
            burst.wait(drill.seconds)
    result = _result(drill, scene, steady, restarts(twin) - before)
    report.say(f"{drill.name}: {'good' if result.good else 'NOT as it should be'}: {row(result)}")
    return result


def _result(drill: Drill, scene: Scene, steady: float, replaced: Counter[str]) -> Result:
    marks = {burst.run.id: burst.marks() for burst in scene.bursts}
    counts = count(scene.bursts, marks)
    times = [(mark.time - scene.mended_at, mark.what) for found in marks.values() for mark in found]
    return Result(
        drill=drill.name,
        timers=drill.timers,
        hides=drill.hides,
        counts=counts,
        away_seconds=scene.mended_at - scene.broken_at,
        work_seconds=min((after for after, what in times if after > 0 and what == "began"), default=None),
        steady_seconds=steady,
        done_seconds=max(after for after, _ in times),
        restarts=dict(replaced),
        good=counts.good and (drill.retried is None or counts.retried <= drill.retried),
        load=os.getloadavg()[0],
    )


def row(result: Result) -> dict[str, Any]:
    """Return a result as people read it."""
    counts = result.counts
    return {
        "drill": result.drill,
        "timers": result.timers,
        "submitted": counts.submitted,
        "finished": counts.finished,
        "retried": counts.retried,
        "failed": counts.failed,
        "lost": counts.lost,
        "twice unseen": counts.unseen,
        "overlapping": counts.overlapping,
        "away s": result.away_seconds,
        "work after s": "" if result.work_seconds is None else result.work_seconds,
        "steady after s": result.steady_seconds,
        "done after s": result.done_seconds,
        "restarted": ", ".join(f"{role} {number}" for role, number in result.restarts.items()),
        "load": result.load,
        "good": "yes" if result.good else "NO",
    }


def restarts(twin: RunningTwin) -> Counter[str]:
    """Return how many tasks of each service were replaced so far."""
    return Counter({service["role"]: service["restarts"] for service in twin.call("status")["services"]})
