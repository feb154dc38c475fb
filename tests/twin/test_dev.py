"""Real Airflow, booted from the task definitions of dev: what a data engineer and an operator see."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from base64 import b64encode

import pytest

from sandbox.twin.airflow_api import Run
from tests.twin.running import RunningTwin

pytestmark = pytest.mark.twin

SERVICES = {"api-server", "dag-processor", "flower", "scheduler", "triggerer", "worker"}
EXAMPLES = {
    "example_etl": ["extract success", "load success", "transform success"],
    "example_mapped": ["count success", "count success", "count success", "files success", "total success"],
    "example_deferrable": ["pause success", "report success"],
    "example_retries": ["call_service success", "use success"],
}
"""What each example's tasks end with."""


def get(url: str, **headers: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
            return answer.status, answer.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")


@pytest.fixture(scope="module")
def finished(twin: RunningTwin) -> dict[str, Run]:
    """Run all examples at once; return the finished runs by DAG."""
    airflow = twin.airflow
    airflow.wait_for_dags(EXAMPLES, 60)
    for dag_id in EXAMPLES:
        airflow.pause(dag_id, paused=False)
    runs = {dag_id: airflow.trigger(dag_id) for dag_id in EXAMPLES}
    for dag_id, run in runs.items():
        airflow.wait(dag_id, [run.id], 120)
    return runs


def test_every_service_of_the_stack_runs_and_its_health_check_is_green(twin: RunningTwin) -> None:
    services = twin.call("status")["services"]

    assert {service["role"] for service in services} == SERVICES
    assert [task["health"] for service in services for task in service["tasks"]] == ["HEALTHY"] * len(
        SERVICES
    )


def test_the_balancer_finds_its_targets_healthy(twin: RunningTwin) -> None:
    targets = {role: twin.service(role)["tasks"][0]["target"] for role in ("api-server", "flower")}

    assert targets == {"api-server": "healthy", "flower": "healthy"}


def test_airflow_reports_all_its_parts_healthy(twin: RunningTwin) -> None:
    parts = {name: part["status"] for name, part in twin.airflow.health().items()}

    assert parts == dict.fromkeys(("metadatabase", "scheduler", "triggerer", "dag_processor"), "healthy")


def test_no_dag_fails_to_import(twin: RunningTwin) -> None:
    assert twin.airflow.import_errors() == {}


@pytest.mark.parametrize("dag_id", EXAMPLES)
def test_the_example_ends_as_its_text_says(twin: RunningTwin, finished: dict[str, Run], dag_id: str) -> None:
    instances = twin.airflow.task_instances(dag_id, finished[dag_id].id)

    assert sorted(f"{each.task_id} {each.state}" for each in instances) == EXAMPLES[dag_id]


def test_the_failing_task_succeeds_at_its_second_attempt(twin: RunningTwin, finished: dict[str, Run]) -> None:
    instances = twin.airflow.task_instances("example_retries", finished["example_retries"].id)

    assert {each.task_id: each.try_number for each in instances} == {"call_service": 2, "use": 1}


def test_the_triggerer_has_run_the_deferred_task(twin: RunningTwin, finished: dict[str, Run]) -> None:
    text = twin.airflow.log("example_deferrable", finished["example_deferrable"].id, "pause")

    assert text.index("Pausing task as DEFERRED") < text.index("Trigger fired event")


def test_the_log_of_a_running_task_can_be_read(twin: RunningTwin) -> None:
    airflow = twin.airflow
    airflow.pause("drill_long", paused=False)
    run = airflow.trigger("drill_long", {"seconds": 25})

    text = airflow.wait_for_log("drill_long", run.id, "count", "drill: second 2", 60)

    assert airflow.states("drill_long", run.id) == {("count", -1): "running"}
    assert "drill: second 20" not in text
    airflow.wait("drill_long", [run.id], 60)


def test_the_log_of_a_finished_task_can_be_read_and_lies_in_s3_only(
    twin: RunningTwin, finished: dict[str, Run]
) -> None:
    run = finished["example_etl"].id

    text = twin.airflow.log("example_etl", run, "extract")
    _, local = twin.exec("worker", "find", "/opt/airflow/state/logs", "-name", "*.log", "-path", f"*{run}*")

    assert "s3://airflow-dev-task-logs" in text
    assert local == ""


def test_flower_wants_its_login(twin: RunningTwin) -> None:
    assert get(f"{twin.url}/flower/")[0] == 401


def test_flower_shows_the_worker_to_whoever_has_its_login(twin: RunningTwin) -> None:
    environment = twin.environment("flower")
    login = f"{environment['PLATFORM_FLOWER_USERNAME']}:{environment['PLATFORM_FLOWER_PASSWORD']}"

    status, text = get(
        f"{twin.url}/flower/workers", Authorization=f"Basic {b64encode(login.encode()).decode()}"
    )

    assert (status, "celery@" in text) == (200, True)


@pytest.mark.parametrize(
    "path",
    [
        "/execution/",
        "/execution/health",
        "/%65xecution/health",
        "//execution/health",
        "/x/../execution/health",
    ],
)
def test_the_execution_api_cannot_be_reached_from_outside(twin: RunningTwin, path: str) -> None:
    status, text = get(twin.url + path)

    # What is no path of the API gets the page of the user interface.
    assert status == 404 or text.startswith("<!doctype html>")


FORBIDDEN = re.compile(
    r"METASTORE_(HOST|PORT|DATABASE|USERNAME|PASSWORD|OWNER)|SQL_ALCHEMY|FERNET|JWT_SECRET|ADMIN|FLOWER_|PRIVATE_KEY"
)


def test_a_worker_is_not_even_told_of_metastore_keys_and_other_logins(twin: RunningTwin) -> None:
    assert [name for name in twin.environment("worker") if FORBIDDEN.search(name)] == []


def test_the_worker_process_has_no_secret_of_others_in_its_environment(twin: RunningTwin) -> None:
    """Compare values: a secret under another name would be there as well."""
    others = {
        value
        for role in ("api-server", "scheduler")
        for name, value in twin.environment(role).items()
        if re.search(r"METASTORE_PASSWORD|FERNET_KEY|JWT_SECRET|PRIVATE_KEY", name)
    }
    _, dump = twin.exec("worker", "sh", "-c", "cat /proc/[0-9]*/environ | tr '\\0' '\\n'")

    assert len(others) == 4
    assert [value for value in others if value in dump] == []


def test_a_task_sees_no_password_of_the_broker(twin: RunningTwin) -> None:
    airflow = twin.airflow
    airflow.pause("drill_environment", paused=False)
    run = airflow.trigger("drill_environment")
    airflow.wait("drill_environment", [run.id], 60)

    names = airflow.xcom("drill_environment", run.id, "names")

    assert [name for name in names if "PASSWORD" in name or "PRIVATE" in name] == []


def test_a_connection_is_decrypted_by_the_api_server_and_reaches_the_task(twin: RunningTwin) -> None:
    airflow = twin.airflow
    airflow.set_connection("drill", "generic", password="p@ss:/%#")
    airflow.pause("drill_connection", paused=False)
    run = airflow.trigger("drill_connection")
    airflow.wait("drill_connection", [run.id], 60)

    assert airflow.xcom("drill_connection", run.id, "read") == "p@ss:/%#"


def test_nothing_of_this_process_leaks_into_a_container(twin: RunningTwin) -> None:
    _, dump = twin.exec("scheduler", "sh", "-c", "cat /proc/2/environ | tr '\\0' '\\n'")

    assert not re.search(r"PYTEST|PULUMI|VIRTUAL_ENV|COVERAGE|SSH|UV_", dump)


def test_a_container_cannot_write_into_its_root_file_system(twin: RunningTwin) -> None:
    code, _ = twin.exec("worker", "sh", "-c", "touch /etc/x /opt/platform/x /mnt/dags/x 2>/dev/null; exit $?")

    assert code != 0


def test_the_pool_has_the_slots_of_all_workers(twin: RunningTwin) -> None:
    parallelism = int(twin.environment("scheduler")["AIRFLOW__CORE__PARALLELISM"])

    assert twin.airflow.pools()["default_pool"]["slots"] == parallelism


def test_all_slots_are_free_again_after_more_tasks_than_there_are(twin: RunningTwin) -> None:
    """A result backend that only one side uses shows here and nowhere else."""
    count = int(twin.environment("scheduler")["AIRFLOW__CORE__PARALLELISM"]) + 4

    assert twin.run("drill_burst", 240, {"count": count, "seconds": 0.1}) == "success"


def test_the_status_can_be_read_by_programs(twin: RunningTwin) -> None:
    from tests.twin.running import sandbox

    shown = json.loads(sandbox(twin.project, "twin", "status", "--json").stdout)

    assert shown["ready"] is True
