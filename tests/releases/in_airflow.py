"""What the real Airflow does with the bundle, printed as JSON; runs in Airflow's environment, not in that of the tests.

No server is asked: the database is a file, and the API that tasks report to is played here.
"""

from __future__ import annotations

import fcntl
import inspect
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

# Airflow's own path; the tests' is another.
from platform_runtime.releases import bundle, runs, state, usage  # type: ignore[import-not-found]

RELEASES = [letter * 64 for letter in "abc"]
FILES = 8
SWITCHES = 6
DAG = """
import time
from airflow.sdk import dag, task

time.sleep(0.1)
from lib.who{number} import RELEASE


@dag(dag_id="dag{number}", schedule=None, tags=["{release}", "lib-" + RELEASE])
def make():
    @task
    def show():
        with open(__file__) as file:
            assert "{release}" in file.read()
        time.sleep(0.5)

    show()


make()
"""

DATE = "2026-11-20T00:00:00Z"
RUN = {
    "dag_run": {
        "dag_id": "dag0",
        "run_id": "r",
        "logical_date": DATE,
        "data_interval_start": DATE,
        "data_interval_end": DATE,
        "start_date": DATE,
        "end_date": None,
        "run_type": "manual",
        "run_after": DATE,
        "state": "running",
        "partition_key": None,
        "consumed_asset_events": [],
    },
    "max_tries": 1,
}
"""What the API tells a task that begins."""


class Stop(Exception):
    """Ends the dag-processor's loop."""


def write_releases(local: Path) -> None:
    """Write three releases: each of their DAGs says of which release it is, and so does what it imports."""
    for release in RELEASES:
        library = local / release / "lib"
        library.mkdir(parents=True)
        (library / "__init__.py").touch()
        for number in range(FILES):
            (library / f"who{number}.py").write_text(f"RELEASE = {release!r}\n")
            (local / release / f"dag{number}.py").write_text(DAG.format(number=number, release=release))


def serve(local: Path, release: str, status: str = "verified") -> None:
    """Say what the agent says."""
    told = state.State(
        sequence=1,
        release_id=release,
        serving=release,
        status=state.Status(status),
        verified_at=datetime.now(UTC),
        detail="",
    )
    state.write(local, told)
    state.Pulse(local).beat()


def make_database() -> None:
    """Make the tables; migrations would take much longer."""
    import airflow.models
    from airflow.utils.db import _create_db_from_orm
    from airflow.utils.session import create_session

    airflow.models.import_all_models()
    with create_session() as session:
        _create_db_from_orm(session)


class Processor:
    """The dag-processor's own loop, and what it writes down."""

    def __init__(self, local: Path) -> None:
        self.local = local
        self.written: list[tuple[float, str, list[str]]] = []
        self.latencies: list[float] = []
        self.served = RELEASES[0]

    def run(self, script: Iterator[None]) -> None:
        """Run the loop; the script goes on by one step in each round."""
        from airflow.dag_processing.manager import DagFileProcessorManager

        persist = DagFileProcessorManager.persist_parsing_result

        def noting(manager: Any, **result: Any) -> None:
            for dag in result["parsing_result"].serialized_dags:
                self.written.append((time.monotonic(), result["bundle_version"], dag.data["dag"]["tags"]))
            persist(manager, **result)

        def beat() -> None:
            if next(script, self) is self:
                raise Stop

        serve(self.local, self.served)
        with patch.object(DagFileProcessorManager, "persist_parsing_result", noting):
            manager = DagFileProcessorManager(max_runs=-1, heartbeat=beat)
            try:
                manager.run()
            except Stop:
                manager.end()

    def switch(self, release: str) -> Iterator[None]:
        """Serve another release, and wait until half of it is written down: the rest is queued or being parsed."""
        begun = time.monotonic()
        self.served = release
        serve(self.local, release)
        yield from self.wait(FILES // 2, begun)
        first = min(
            (at for at, version, _ in self.written if version == release and at > begun), default=begun + 99
        )
        self.latencies.append(round(first - begun, 2))

    def wait(self, files: int, since: float, seconds: float = 10) -> Iterator[None]:
        """Wait until so many files of the served release are written down."""
        while time.monotonic() < since + seconds and self.count(since) < files:
            yield

    def count(self, since: float) -> int:
        """Return how many files of the served release were written down."""
        return sum(1 for at, version, _ in self.written if at > since and version == self.served)

    def facts(self) -> dict[str, Any]:
        """Return what is compared."""
        releases = [{tag.removeprefix("lib-") for tag in tags} for _, _, tags in self.written]
        return {
            "written": len(self.written),
            "mixed": sum(1 for found in releases if len(found) != 1),
            "wrong": sum(
                1 for found, (_, version, _) in zip(releases, self.written, strict=True) if found != {version}
            ),
            "latencies": self.latencies,
        }


def switching(local: Path) -> dict[str, Any]:
    """Switch releases while half of each is parsed."""
    make_database()
    processor = Processor(local)

    def script() -> Iterator[None]:
        yield from processor.wait(FILES // 2, 0, 20 + time.monotonic())
        for number in range(SWITCHES):
            yield from processor.switch(RELEASES[(number + 1) % 3])

    processor.run(script())
    return processor.facts()


def withholding(local: Path) -> dict[str, Any]:
    """Find the served copy wrong, and right again."""
    make_database()
    processor = Processor(local)
    counts: dict[str, int] = {}

    def script() -> Iterator[None]:
        yield from processor.wait(FILES, 0, 20 + time.monotonic())
        state.set_problem(local, RELEASES[0], "mismatch: x")
        # Two rounds of the bundle's refresh; then everything is due again, by its age.
        until = time.monotonic() + 3
        while time.monotonic() < until:
            yield
        before = time.monotonic()
        while time.monotonic() < before + 2:
            yield
        counts["while it is wrong"] = processor.count(before)
        counts["active"] = _active()
        state.set_problem(local, RELEASES[0], None)
        after = time.monotonic()
        yield from processor.wait(FILES, after)
        counts["afterwards"] = processor.count(after)

    processor.run(script())
    return counts


def _active() -> int:
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session
    from sqlalchemy import func, select  # type: ignore[import-not-found]

    with create_session() as session:
        return int(session.scalar(select(func.count()).where(~DagModel.is_stale)))


def counting(local: Path) -> dict[str, Any]:
    """Count the runs in the dag-processor's loop, and then runs of all states by hand."""
    make_database()
    processor = Processor(local)
    runs.COUNT_SECONDS = 1.0
    file = Path(os.environ["AIRFLOW_HOME"]) / usage.FILE

    def script() -> Iterator[None]:
        until = time.monotonic() + 20
        yield from processor.wait(FILES, 0, 20 + time.monotonic())
        while time.monotonic() < until:
            if (told := usage.read(file)) and told.runs:
                return
            yield

    processor.run(script())
    told = usage.read(file)
    return {
        "written": dict(told.runs),
        "complete": told.complete,
        "counted": _with_runs(),
        "indexes": sorted(_indexes()),
        "not asked for": [release for release in RELEASES[2:] if release in runs.unfinished_runs()],
    }


def _with_runs() -> dict[str, int]:
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from airflow.utils.state import DagRunState
    from airflow.utils.types import DagRunType

    first, second, third = RELEASES
    versions: dict[DagRunState, list[str | None]] = {
        DagRunState.QUEUED: [first, first, None],
        DagRunState.RUNNING: [first, first, second, None, "main"],
        DagRunState.SUCCESS: [third, first],
        DagRunState.FAILED: [third],
    }
    with create_session() as session:
        for state_, there in versions.items():
            for number, version in enumerate(there):
                run = DagRun(
                    dag_id=f"dag{number % FILES}",
                    run_id=f"{state_}-{number}",
                    run_type=DagRunType.MANUAL,
                    run_after=datetime.now(UTC),
                    state=state_,
                    bundle_version=version,
                )
                session.add(run)
    found = runs.unfinished_runs()
    # What is no release of ours is left out when it is written.
    assert found.pop("main") == 1
    return dict(found)


def _indexes() -> set[str]:
    """Return the indexes by which the database finds unfinished runs."""
    from airflow.utils.session import create_session
    from sqlalchemy import text

    with create_session() as session:
        question = runs.question().compile(session.get_bind(), compile_kwargs={"literal_binds": False})
        assert not question.params
        plan = session.execute(text(f"EXPLAIN QUERY PLAN {question}")).all()
    return {word for *_, step in plan for word in step.split() if word.startswith("idx_dag_run")}


class Api:
    """The API that a task reports to."""

    def __init__(self, retries: bool) -> None:
        self.retries = retries
        self.reported: list[str] = []

    def client(self) -> Any:
        """Return a client that asks here."""
        import httpx  # type: ignore[import-not-found]
        from airflow.sdk.api.client import Client

        return Client(base_url=None, dry_run=True, token="", transport=httpx.MockTransport(self._answer))

    def _answer(self, request: Any) -> Any:
        import httpx

        if request.url.path.endswith("/state"):
            self.reported.append(json.loads(request.content)["state"])
        if request.url.path.endswith("/run"):
            return httpx.Response(200, json=RUN | {"should_retry": self.retries})
        return httpx.Response(200, json={})


def run_task(version: str | None, *, retries: bool = True) -> tuple[str, bool]:
    """Run a task as a worker does; return what was reported, and whether its version was locked meanwhile."""
    from airflow.executors.workloads.base import BundleInfo
    from airflow.sdk.api.datamodels._generated import TaskInstance
    from airflow.sdk.execution_time.supervisor import ActivitySubprocess, supervise_task

    api = Api(retries)
    locked, ended = threading.Event(), threading.Event()

    def watch() -> None:
        while not ended.wait(0.05):
            if any(is_locked(release) for release in RELEASES):
                locked.set()

    watcher = threading.Thread(target=watch)
    begun = ActivitySubprocess._on_child_started

    def watching(process: Any, **what: Any) -> None:
        # Not before: the task's process is forked.
        watcher.start()
        begun(process, **what)

    task = TaskInstance(
        id=uuid4(), task_id="show", dag_id="dag0", run_id="r", try_number=1, dag_version_id=uuid4()
    )
    with patch.object(ActivitySubprocess, "_on_child_started", watching):
        supervise_task(
            ti=task,
            bundle_info=BundleInfo(name="dags", version=version),
            dag_rel_path="dag0.py",
            token="",
            client=api.client(),
        )
    ended.set()
    watcher.join()
    return ", ".join(api.reported), locked.is_set()


def is_locked(release: str) -> bool:
    """Say whether somebody uses a version, as the agent looks."""
    from airflow.dag_processing.bundles.base import get_bundle_tracking_file

    try:
        with get_bundle_tracking_file("dags", release).open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def tasks(local: Path) -> dict[str, Any]:
    """Run tasks in all situations."""
    os.environ["PLATFORM_ROLE"] = "worker"
    bundle.WAIT_SECONDS = 1.0
    first, second, third = RELEASES
    found: dict[str, Any] = {}
    serve(local, second)
    found["here"] = run_task(first)
    found["unlocked afterwards"] = is_locked(first)
    found["no version"] = run_task(None)
    found["not here"] = run_task("f" * 64)
    found["asked for"] = state.requested(Path(os.environ["AIRFLOW_HOME"]) / state.REQUESTS)
    state.set_problem(local, third, "mismatch: 1 changed (dag0.py)")
    found["wrong, with retries"] = run_task(third)
    found["wrong, without"] = run_task(third, retries=False)
    found["no release"] = run_task("main", retries=False)
    for status in ("mismatch", "no ledger", "waiting"):
        serve(local, second, status)
        found[status] = run_task(first)
    (local / state.CURRENT).unlink()
    found["no state"] = run_task(first)
    return found


def elsewhere(local: Path) -> dict[str, Any]:
    """Use the bundle as the api-server and the scheduler do, which have no copies; and clean up as Airflow does."""
    from airflow.dag_processing.bundles.base import BundleUsageTrackingManager, get_bundle_tracking_file
    from airflow.dag_processing.bundles.manager import DagBundlesManager

    serve(local, RELEASES[1])
    manager = DagBundlesManager()
    (made,) = manager.get_all_dag_bundles()
    version = manager.get_bundle("dags", version=RELEASES[0])
    found = {
        "path": str(made.path),
        "current": made.get_current_version().version,
        "versioned": str(version.path),
        "refresh": made.refresh_interval,
        "url": made.view_url_template(),
    }
    (local / state.CURRENT).unlink()
    (empty,) = manager.get_all_dag_bundles()
    found["nothing"] = [str(empty.path), empty.get_current_version()]
    # Airflow's own clean-up of versions that were not used for long.
    for number in range(12):
        file = get_bundle_tracking_file("dags", RELEASES[0] if not number else f"{number:064x}")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"2020-01-{number + 1:02d}T00:00:00+00:00")
    try:
        BundleUsageTrackingManager().remove_stale_bundle_versions()
    except FileNotFoundError as error:
        found["clean-up"] = str(error.filename)
    found["copies"] = sorted(path.name[0] for path in local.iterdir() if path.is_dir())
    found["shape"] = shape()
    return found


def shape() -> dict[str, list[str]]:
    """Return what Airflow's classes take, for the tests' stand-in."""
    from airflow.dag_processing.bundles.base import BaseDagBundle, BundleVersion, BundleVersionLock
    from airflow.sdk.exceptions import AirflowRescheduleException

    calls = {
        "bundle": BaseDagBundle.__init__,
        "version": BundleVersion,
        "lock": BundleVersionLock.__init__,
        "reschedule": AirflowRescheduleException.__init__,
    }
    return {name: list(inspect.signature(call).parameters) for name, call in calls.items()}


COMMANDS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "switching": switching,
    "withholding": withholding,
    "counting": counting,
    "tasks": tasks,
    "elsewhere": elsewhere,
}

if __name__ == "__main__":
    logging.disable(logging.INFO)
    write_releases(Path(sys.argv[2]))
    print("\n" + json.dumps(COMMANDS[sys.argv[1]](Path(sys.argv[2]))))  # noqa: T201 - what it is for
