"""DAG releases on real Airflow: the start has made one, a person makes others, every reader proves what it holds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sandbox.twin.airflow_api import Run
from tests.twin import checks
from tests.twin.drills.faults import change_copy
from tests.twin.running import RunningTwin, sandbox

pytestmark = pytest.mark.twin

READERS = ("dag-processor", "triggerer", "worker")
RESTART_SECONDS = 60.0
"""What the definition of the agent says; an earlier end is its last one."""


def verified(twin: RunningTwin) -> dict[str, Any]:
    """Let every reader read its copies again; return what they found."""
    found: dict[str, Any] = twin.operations("verify")
    assert found["ok"], found
    return found


@contextmanager
def file(twin: RunningTwin, name: str, text: str) -> Iterator[Path]:
    """Have a file among the project's DAGs for a while."""
    path = twin.project / "dags" / "drills" / name
    path.write_text(text)
    try:
        yield path
    finally:
        path.unlink()


def test_every_reader_holds_the_release_that_the_start_has_made(twin: RunningTwin) -> None:
    found = verified(twin)
    (current,) = [each for each in twin.operations("releases")["releases"] if each["current"]]

    assert {each["service"] for each in found["containers"]} == {
        twin.service(role)["name"] for role in READERS
    }
    assert {each["computed_id"] for each in found["containers"]} == {current["release_id"]}
    assert (twin.folder / "efs" / current["release_id"] / "tree" / "example_etl.py").exists()


def test_a_released_dag_is_seen_within_seconds(twin: RunningTwin) -> None:
    checks.a_new_dag_is_seen_soon(twin)


def test_a_dag_that_airflow_cannot_read_is_not_released(twin: RunningTwin) -> None:
    before = verified(twin)["release_id"]
    with file(twin, "drill_broken.py", "import nothing_of_that_name\nfrom airflow.sdk import dag\n"):
        assert sandbox(twin.project, "twin", "release").returncode == 1

    assert verified(twin)["release_id"] == before
    assert twin.airflow.import_errors() == {}


def test_a_rollback_goes_back_within_seconds(twin: RunningTwin) -> None:
    before = verified(twin)["release_id"]
    with file(twin, "drill_later.py", "# nothing\n"):
        twin.release()
    later = verified(twin)["release_id"]
    back = twin.operations("rollback", "--to", before)

    assert later != before
    assert (back["ok"], back["release_id"], verified(twin)["release_id"]) == (True, before, before)


STAMPED = """\
import time

from airflow.sdk import Variable, dag, task


@dag(schedule=None, catchup=False, tags=["drill"])
def drill_stamp() -> None:
    \"\"\"Say which release it is of, after a task that waits to be let go.\"\"\"

    @task
    def wait() -> None:
        while Variable.get("drill_go", "no") != "yes":
            time.sleep(0.5)

    @task
    def stamp() -> str:
        return "A"

    wait() >> stamp()


drill_stamp()
"""


def released(twin: RunningTwin) -> str:
    """Release the DAGs as they are, and wait until the dag-processor has read the stamp's."""
    twin.release()
    release: str = verified(twin)["release_id"]
    parsed(twin, release)
    return release


def parsed(twin: RunningTwin, release: str) -> None:
    def version() -> str:
        return str(twin.airflow.dags().get("drill_stamp", {}).get("bundle_version"))

    checks.wait(lambda: version() == release, checks.PARSE_SECONDS, "the release is parsed")


def stamped(twin: RunningTwin, run: Run) -> str:
    """Wait for the end of a run and return the stamp of its code."""
    checks.ended(twin.airflow, run, checks.RUN_SECONDS)
    return str(twin.airflow.xcom("drill_stamp", run.id, "stamp"))


def test_a_run_ends_on_the_release_that_it_began_with(twin: RunningTwin) -> None:
    """One byte is another one between the releases; the second task of the first run begins after the switch."""
    airflow = twin.airflow
    airflow.set_variable("drill_go", "no")
    with file(twin, "drill_stamp.py", STAMPED) as path:
        first = released(twin)
        old = checks.trigger(twin, "drill_stamp")
        checks.wait(lambda: "running" in checks.states(airflow, old), checks.RUN_SECONDS, "it waits")
        path.write_text(STAMPED.replace('"A"', '"B"'))
        second = released(twin)
        new = checks.trigger(twin, "drill_stamp")
        airflow.set_variable("drill_go", "yes")
        stamps = [stamped(twin, old), stamped(twin, new)]
        assert twin.operations("rollback")["release_id"] == first != second
        parsed(twin, first)
        stamps.append(stamped(twin, checks.trigger(twin, "drill_stamp")))

    assert stamps == ["A", "B", "A"]
    twin.release()


def test_a_byte_that_is_changed_in_a_containers_copy_is_found(twin: RunningTwin) -> None:
    release = verified(twin)["release_id"]
    change_copy(twin, "import", "imporT")
    found = twin.operations("verify")
    change_copy(twin, "imporT", "import")
    wrong = [each for each in found["containers"] if each["computed_id"] != release]

    assert not found["ok"]
    assert [each["service"] for each in wrong] == [twin.service("worker")["name"]]
    assert "example_etl.py" in wrong[0]["detail"]
    verified(twin)


def test_airflow_has_read_only_copies_and_not_the_file_system(twin: RunningTwin) -> None:
    _, seen = twin.exec("worker", "sh", "-c", "ls -A /mnt; touch /opt/airflow/releases/x 2>&1; env; true")

    assert "Read-only file system" in seen
    assert "dags" not in seen.splitlines()
    assert "PLATFORM_LEDGER_TABLE" not in seen


def test_an_agent_that_is_killed_comes_back_in_the_same_task(twin: RunningTwin) -> None:
    task = twin.task("worker")
    (container,) = [each for each in verified(twin)["containers"] if each["task_id"] == task]
    age = (datetime.now(UTC) - datetime.fromisoformat(container["started_at"])).total_seconds()
    # The agent is a little older than its task, which runs when Airflow does.
    time.sleep(max(0.0, RESTART_SECONDS - age))
    twin.call("kill", service="worker", task=task, signal=9, container="release-agent")

    verified(twin)
    assert twin.task("worker") == task
