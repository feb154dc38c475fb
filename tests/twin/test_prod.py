"""The highly available platform boots as well: two of what has two, and a pool of workers for each queue."""

from __future__ import annotations

from collections.abc import Iterator

import psutil
import pytest

from tests.twin.running import RunningTwin, running

pytestmark = pytest.mark.twin

TASKS = {
    "api-server": 2,
    "dag-processor": 1,
    "scheduler": 2,
    "triggerer": 2,
    "worker-default": 2,
    "worker-heavy": 1,
}
"""Healthy tasks by the middle of the service's name; the stack file has no more."""


@pytest.fixture(scope="module")
def prod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTwin]:
    with running(tmp_path_factory.mktemp("prod") / "platform", "prod") as found:
        yield found


def test_every_service_has_its_healthy_tasks(prod: RunningTwin) -> None:
    healthy = {
        service["name"].removeprefix("airflow-prod-").partition("-service")[0]: sum(
            task["health"] == "HEALTHY" for task in service["tasks"]
        )
        for service in prod.call("status")["services"]
    }

    assert healthy == TASKS


def test_a_run_succeeds(prod: RunningTwin) -> None:
    assert prod.run("example_mapped") == "success"


def test_the_task_of_a_queue_runs_on_the_workers_that_read_it(prod: RunningTwin) -> None:
    airflow = prod.airflow
    airflow.pause("drill_queue", paused=False)
    run = airflow.trigger("drill_queue")
    airflow.wait("drill_queue", [run.id], 60)
    (heavy,) = [each for each in prod.call("status")["services"] if "heavy" in each["name"]]

    assert airflow.xcom("drill_queue", run.id, "where") == heavy["tasks"][0]["address"]


def test_both_api_servers_are_targets_of_the_balancer(prod: RunningTwin) -> None:
    assert [task["target"] for task in prod.service("api-server")["tasks"]] == ["healthy", "healthy"]


def test_nothing_of_it_survives_its_daemon(prod: RunningTwin) -> None:
    """The last test: it ends the twin as a power failure would."""
    daemon = psutil.Process(int((prod.folder / "lock").read_text()))
    everything = [daemon, *daemon.children(recursive=True)]
    daemon.kill()
    _, alive = psutil.wait_procs(everything, timeout=20)

    assert len(everything) > 20
    assert [process.cmdline() for process in alive] == []
