"""How fast the platform works: our wiring against Airflow's own settings, in turns on one twin.

A burst of short tasks runs on four slots, which cannot be done before `IDEAL_SECONDS`. What is above that is spent on
tasks that start and end, and on slots that stay taken after their task has ended. Compare ratios of one run, not
seconds of two machines.

Before that, with everything as rendered: how long services take to be healthy, and how much of its memory each takes.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from statistics import mean, median
from typing import Any, Final
from urllib.parse import quote, urlencode

from sandbox.twin.airflow_api import FINISHED, Run
from tests.twin.drills import report
from tests.twin.drills.place import place
from tests.twin.running import RunningTwin, running

DAG: Final = "drill_burst"
EXAMPLES: Final = ("example_etl", "example_mapped", "example_deferrable", "example_retries")
TASKS: Final = 60
TASK_SECONDS: Final = 2
SLOTS: Final = 4
IDEAL_SECONDS: Final = TASKS * TASK_SECONDS / SLOTS
TARGET_RATIO: Final = 1.5
TARGET_MEMORY: Final = 0.8
ROUNDS: Final = 2
RUN_SECONDS: Final = 300

BUNDLE: Final = "/opt/platform/certificates/rds-global-bundle.pem"
HEARTBEAT: Final = "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL"
HEARTBEATS: Final = ("1",)
"""Other times between heartbeats to compare with ours, in seconds; Airflow's own, 5, is part of stock."""
CELERY: Final = "AIRFLOW__CELERY__EXTRA_CELERY_CONFIG"
VISIBILITY: Final = "AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT"


@dataclass(frozen=True)
class Taken:
    """A variable that Airflow's own settings do without."""

    role: str
    name: str
    stock: str
    """What Airflow takes."""


STOCK: Final = (
    Taken("worker", HEARTBEAT, "the same 5 seconds; so long a slot stays taken after many tasks"),
    Taken("worker", "AIRFLOW__WORKERS__MAX_FAILED_HEARTBEATS", "3"),
    Taken("worker", "AIRFLOW__WORKERS__EXECUTION_API_RETRIES", "5"),
    Taken("worker", "AIRFLOW__WORKERS__EXECUTION_API_RETRY_WAIT_MAX", "90 seconds"),
    Taken("worker", "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT", "5 seconds"),
    Taken("worker", "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT", "300 seconds"),
    Taken("worker", "AIRFLOW__CELERY__WORKER_PREFETCH_MULTIPLIER", "1"),
    Taken("worker", VISIBILITY, "a day"),
    Taken("worker", CELERY, "none; here it names the metastore, where Airflow keeps results"),
    Taken("scheduler", CELERY, "the same"),
    Taken("scheduler", VISIBILITY, "a day"),
    Taken("scheduler", "AIRFLOW__CORE__PARALLELISM", "32"),
    Taken("scheduler", "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT", "600 seconds"),
    Taken("scheduler", "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT", "300 seconds"),
    Taken("scheduler", "AIRFLOW__EXECUTION_API__JWT_EXPIRATION_TIME", "600 seconds"),
    Taken("api-server", "AIRFLOW__EXECUTION_API__JWT_EXPIRATION_TIME", "600 seconds"),
    Taken("api-server", "AIRFLOW__API__SERVER_TYPE", "uvicorn"),
    Taken("api-server", "AIRFLOW__API__WORKER_REFRESH_INTERVAL", "never"),
)
"""All that is there to be fast or hard to kill. What connects the parts, and where logs and secrets lie, stays."""

Variables = Mapping[str, str | None]


@dataclass(frozen=True)
class Variant:
    """Settings to measure."""

    name: str
    variables: Mapping[str, Variables]
    """By role; roles that are not named are as rendered."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One burst."""

    variant: str
    seconds: float
    slot_seconds: float
    """How long a task kept a slot, the median; its own part is `TASK_SECONDS`."""
    slot_seconds_90: float
    """The same, of the slowest tenth."""
    busy: float
    """Share of the slots' time that was taken."""
    requests: float
    """Requests of workers at the api-server in a second."""
    heartbeats: float
    """Heartbeats among them."""
    request_ms: float
    """How long the api-server took for one of them, on the average."""
    worker_cpu: float
    """Processor seconds of the worker for each task."""
    api_cpu: float
    """Share of a processor that the api-server took."""
    load: float
    """Load average of the machine."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """A service against its size in the stack file."""

    role: str
    healthy_seconds: float
    idle_mib: float
    examples_mib: float
    """The most while the examples ran, and after them."""
    burst_mib: float
    """The most while as many tasks ran at once as there are slots."""
    limit_mib: float

    @property
    def share(self) -> float:
        """The most that was taken of the limit."""
        return max(self.idle_mib, self.examples_mib, self.burst_mib) / self.limit_mib


def main(results: Path, rounds: int = ROUNDS) -> bool:
    """Measure, show tables, and say whether every target is reached."""
    with place() as folder, running(folder / "platform") as twin:
        twin.airflow.wait_for_dags([DAG, *EXAMPLES], RUN_SECONDS)
        sizes = measure_sizes(twin)
        report.show("Services against their sizes", [size_row(each) for each in sizes])
        variants = [stock(twin), Variant("ours", {}), *(heartbeat(seconds) for seconds in HEARTBEATS)]
        seen = [measure(twin, variant) for _ in range(rounds) for variant in variants]
    report.show(f"{TASKS} tasks of {TASK_SECONDS} s on {SLOTS} slots", [row(each) for each in seen])
    ratio = _seconds(seen, "stock") / _seconds(seen, "ours")
    report.say(f"stock against ours: {ratio:.2f} (target {TARGET_RATIO}); ideal: {IDEAL_SECONDS:g} s")
    report.write(
        results,
        "bench",
        {
            "ratio": ratio,
            "bursts": [asdict(each) for each in seen],
            "sizes": [asdict(each) for each in sizes],
        },
    )
    return ratio >= TARGET_RATIO and all(each.share <= TARGET_MEMORY for each in sizes)


def stock(twin: RunningTwin) -> Variant:
    """Return Airflow's own settings."""
    variables: dict[str, dict[str, str | None]] = defaultdict(dict)
    for taken in STOCK:
        assert taken.name in twin.environment(taken.role), f"{taken.role} has no {taken.name} to take away"
        variables[taken.role][taken.name] = None
    # The entry point makes the address of the results, and refuses another; this one wins inside Celery.
    config = json.dumps({"result_backend": f"db+{_metastore(twin.environment('scheduler'))}"})
    for role in ("worker", "scheduler"):
        variables[role][CELERY] = config
    return Variant("stock", variables)


def _metastore(environment: Mapping[str, str]) -> str:
    part = {name.removeprefix("PLATFORM_METASTORE_").lower(): value for name, value in environment.items()}
    login = f"{quote(part['username'], safe='')}:{quote(part['password'], safe='')}"
    query = urlencode({"sslmode": "verify-full", "sslrootcert": BUNDLE})
    return f"postgresql+psycopg2://{login}@{part['host']}:{part['port']}/{part['database']}?{query}"


def heartbeat(seconds: str) -> Variant:
    """Return our settings with another time between heartbeats."""
    return Variant(f"ours, heartbeat {seconds} s", {"worker": {HEARTBEAT: seconds}})


def measure(twin: RunningTwin, variant: Variant) -> Measured:
    """Deploy a variant and run the burst on it."""
    report.say(f"{variant.name} ...")
    for role in ("api-server", "scheduler", "worker"):
        arguments = ["--concurrency", str(SLOTS)] if role == "worker" else []
        twin.change(role, variant.variables.get(role, {}), arguments, wait=False)
    twin.wait_ready()
    twin.run(DAG, RUN_SECONDS, {"count": 2 * SLOTS, "seconds": 0})
    logs = {role: LogPart(twin.log_file(role)) for role in ("worker", "api-server")}
    before = {role: cpu_seconds(twin, role) for role in logs}
    began = time.monotonic()
    run = watched(twin, DAG, {"count": TASKS, "seconds": TASK_SECONDS})
    # A slot is free a moment after its task's end.
    time.sleep(6)
    wall = time.monotonic() - began
    spent = {role: cpu_seconds(twin, role) - before[role] for role in logs}
    taken = sorted(float(text) for text in re.findall(r"succeeded in ([\d.]+)s", logs["worker"].text()))
    requests = re.findall(r"duration_us=(\d+).*path=(/execution/\S+)", logs["api-server"].text())
    beats = sum(path.endswith("/heartbeat") for _, path in requests)
    seconds = _duration(run)
    measured = Measured(
        variant=variant.name,
        seconds=seconds,
        slot_seconds=median(taken),
        slot_seconds_90=taken[len(taken) * 9 // 10],
        busy=sum(taken) / (SLOTS * seconds),
        requests=len(requests) / seconds,
        heartbeats=beats / seconds,
        request_ms=mean(int(microseconds) for microseconds, _ in requests) / 1000,
        worker_cpu=spent["worker"] / TASKS,
        api_cpu=spent["api-server"] / wall,
        load=os.getloadavg()[0],
    )
    report.say(f"{variant.name}: {row(measured)}")
    return measured


def measure_sizes(twin: RunningTwin) -> list[Size]:
    """Look at the memory of every service: idle, with the examples, and with all slots taken."""
    began = {service["role"]: service["tasks"][0] for service in twin.call("status")["services"]}
    idle, examples, burst = Peak(twin), Peak(twin), Peak(twin)
    idle.look()
    for dag_id in EXAMPLES:
        watched(twin, dag_id, {}, examples)
    watched(twin, DAG, {"count": TASKS, "seconds": TASK_SECONDS}, burst)
    return [
        Size(
            role=role,
            healthy_seconds=task["healthy_after_seconds"],
            idle_mib=idle.mib[role],
            examples_mib=examples.mib[role],
            burst_mib=burst.mib[role],
            limit_mib=task["limit_mib"],
        )
        for role, task in began.items()
    ]


class Peak:
    """The most memory of each service."""

    def __init__(self, twin: RunningTwin) -> None:
        """Start with nothing."""
        self._twin = twin
        self.mib: dict[str, float] = defaultdict(float)

    def look(self) -> None:
        """Look at the memory now."""
        for service in self._twin.call("status")["services"]:
            for task in service["tasks"]:
                self.mib[service["role"]] = max(self.mib[service["role"]], task["memory_mib"])


def watched(twin: RunningTwin, dag_id: str, conf: Mapping[str, Any], peak: Peak | None = None) -> Run:
    """Run a DAG to its success, looking at the memory once a second."""
    airflow = twin.airflow
    airflow.pause(dag_id, paused=False)
    run = airflow.trigger(dag_id, conf)
    end = time.monotonic() + RUN_SECONDS
    while run.state not in FINISHED and time.monotonic() < end:
        time.sleep(1)
        run = airflow.run(dag_id, run.id)
        if peak:
            peak.look()
    assert run.state == "success", f"{dag_id} ended with {run.state}"
    return run


class LogPart:
    """What is written into a log from now on."""

    def __init__(self, path: Path) -> None:
        """Remember where the log ends."""
        self._path, self._begin = path, path.stat().st_size

    def text(self) -> str:
        """Return what was written since."""
        with self._path.open("rb") as file:
            file.seek(self._begin)
            return file.read().decode(errors="replace")


def cpu_seconds(twin: RunningTwin, role: str) -> float:
    """Return the processor time that a container has taken, its ended processes included."""
    _, text = twin.exec(role, "sh", "-c", "cat /proc/[0-9]*/stat 2>/dev/null; getconf CLK_TCK")
    *processes, ticks = text.splitlines()
    # After the name in brackets: state is the 1st field, utime, stime, cutime and cstime are the 12th to 15th.
    spent = sum(sum(map(int, line.rpartition(")")[2].split()[11:15])) for line in processes)
    return spent / int(ticks)


def row(measured: Measured) -> dict[str, Any]:
    """Return a burst as people read it."""
    return {
        "settings": measured.variant,
        "seconds": measured.seconds,
        "slot s (median)": measured.slot_seconds,
        "slot s (90 %)": measured.slot_seconds_90,
        "slots taken %": 100 * measured.busy,
        "requests/s": measured.requests,
        "heartbeats/s": measured.heartbeats,
        "ms a request": measured.request_ms,
        "worker CPU s a task": measured.worker_cpu,
        "api-server CPU %": 100 * measured.api_cpu,
        "load": measured.load,
    }


def size_row(size: Size) -> dict[str, Any]:
    """Return a service as people read it."""
    return {
        "service": size.role,
        "healthy after s": size.healthy_seconds,
        "idle MiB": size.idle_mib,
        "examples MiB": size.examples_mib,
        "burst MiB": size.burst_mib,
        "size MiB": size.limit_mib,
        "most %": 100 * size.share,
    }


def _seconds(seen: Sequence[Measured], variant: str) -> float:
    return mean(each.seconds for each in seen if each.variant == variant)


def _duration(run: Run) -> float:
    assert run.start
    assert run.end
    return (datetime.fromisoformat(run.end) - datetime.fromisoformat(run.start)).total_seconds()
