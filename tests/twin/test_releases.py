"""DAG releases on real Airflow: the start has made one, a person makes others, every reader proves what it holds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.twin import checks
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
    with file(twin, "drill_broken.py", "import nothing_of_that_name\n"):
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
