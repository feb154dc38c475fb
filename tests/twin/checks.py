"""What must be true of a platform that works: each function here raises when it is not.

Tests look with them at a platform as it is rendered, drills at one with something broken on purpose.
"""

from __future__ import annotations

import json
import re
import shlex
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, urlsplit

from sandbox.twin.airflow_api import Airflow, Run
from tests.twin.running import RunningTwin

Check = Callable[[RunningTwin], None]

RUN_SECONDS: Final = 45.0
"""For a task that takes none; what waits in vain waits so long."""
START_SECONDS: Final = 120.0
"""For a service: processes of Airflow start slowly on a busy machine."""
PARSE_SECONDS: Final = 25.0
"""For a release of DAGs to be read: the dag-processor notices it within seconds, and processes start slowly."""
POLL_SECONDS: Final = 0.3
CONNECTION: Final = "drill"
PASSWORD: Final = "p@ss:/%#?&$"
"""Every character that means something in an address."""
LOST: Final = {"failed", "up_for_retry", "upstream_failed"}
STARTED: Final = re.compile(r"has started task ([0-9a-f]{32})")
ENDED: Final = re.compile(
    r"task ([0-9a-f]{32}) has stopped: (?:Essential container|\w+Error)|stops task ([0-9a-f]{32}): Task failed"
)


def name(check: Check) -> str:
    """Return a check's name for people."""
    return check.__name__.replace("_", " ")


# Tasks.


def a_task_runs(twin: RunningTwin) -> None:
    """Let scheduler, broker, worker and Execution API work together."""
    run(twin, "drill_environment")


def all_slots_are_free_after_more_tasks_than_there_are(twin: RunningTwin) -> None:
    """Fill the scheduler's slots: only that shows a result backend that one side alone uses."""
    count = int(twin.environment("scheduler")["AIRFLOW__CORE__PARALLELISM"]) + 4
    run(twin, "drill_burst", {"count": count, "seconds": 0.1}, seconds=RUN_SECONDS + count)


def a_deferred_task_goes_on(twin: RunningTwin) -> None:
    """Let a task hand over to the triggerer, and take over again."""
    run(twin, "example_deferrable")


def a_trigger_of_the_scheduler_ends(twin: RunningTwin) -> None:
    """Let a task begin in the triggerer: what the scheduler stores for it is encrypted."""
    run(twin, "drill_trigger")


def a_lost_task_has_a_second_attempt(twin: RunningTwin) -> None:
    """Lose a task: a message that the broker loses does that, and many DAGs say nothing of attempts."""
    started = trigger(twin, "drill_retry")
    wait(lambda: states(twin.airflow, started) & {"failed", "up_for_retry"}, RUN_SECONDS, "it fails")
    assert states(twin.airflow, started) == {"up_for_retry"}, "the task has failed for good"


def a_client_can_wait_for_a_run(twin: RunningTwin) -> None:
    """Ask the one question of the public API that the api-server answers over its asynchronous connection."""
    finished = run(twin, "drill_environment")
    path = f"/api/v2/dags/{finished.dag_id}/dagRuns/{quote(finished.id)}/wait?interval=1"
    status, text = get(twin.url + path, Authorization=f"Bearer {_token(twin)}")
    assert (status, '"success"' in text) == (200, True), f"the answer is {status} {telling(text)}"


def a_task_sees_no_login_of_the_platform(twin: RunningTwin) -> None:
    """Look around as the code of DAGs can, which runs inside the worker."""
    finished = run(twin, "drill_environment")
    names = twin.airflow.xcom("drill_environment", finished.id, "names")
    found = [each for each in names if re.search(r"PASSWORD|PRIVATE|METASTORE_USER|FERNET|JWT", each)]
    assert not found, f"a task sees {', '.join(found)}"


# Logs of tasks.


def the_log_of_a_running_task_can_be_read(twin: RunningTwin) -> None:
    """Let the api-server ask the worker: by the name that it wrote down, with a key that both know."""
    airflow, started = twin.airflow, trigger(twin, "drill_long", {"seconds": 9})
    text = airflow.wait_for_log("drill_long", started.id, "count", "drill: second 2", RUN_SECONDS)
    assert "drill: second 2" in text, f"the log says: {telling(text)}"
    assert "drill: second 8" not in text, "the log could be read after the end only"
    ended(airflow, started, RUN_SECONDS)


def the_log_of_a_running_trigger_can_be_read(twin: RunningTwin) -> None:
    """Let the api-server ask the triggerer."""
    airflow, started = twin.airflow, trigger(twin, "drill_trigger_log")
    wait(lambda: "deferred" in states(airflow, started), RUN_SECONDS, "it is deferred")
    text = airflow.wait_for_log("drill_trigger_log", started.id, "wait", "trigger starting", 15)
    assert "deferred" in states(airflow, started), "the log could be read after the end only"
    assert "trigger starting" in text, f"the log says: {telling(text)}"


def the_log_of_a_finished_task_lies_in_s3(twin: RunningTwin) -> None:
    """Read it from where it outlives the container."""
    finished = run(twin, "drill_environment")
    text = twin.airflow.log("drill_environment", finished.id, "names")
    assert "s3://" in text, f"the log is not read from S3: {telling(text)}"


def no_log_of_a_finished_task_stays_on_the_worker(twin: RunningTwin) -> None:
    """Look for copies, which would fill the scratch."""
    finished = run(twin, "drill_environment")
    found = said(
        twin, "worker", "find", "/opt/airflow/state/logs", "-name", "*.log", "-path", f"*{finished.id}*"
    )
    assert not found, f"the worker keeps {found}"


# Connections.


def a_connection_reaches_a_task(twin: RunningTwin) -> None:
    """Let the api-server decrypt what was stored before, and hand it to the worker."""
    finished = run(twin, "drill_connection")
    assert twin.airflow.xcom("drill_connection", finished.id, "read") == PASSWORD


def a_connection_of_secrets_manager_reaches_a_task(twin: RunningTwin) -> None:
    """Let the worker look there, before it asks the api-server."""
    finished = run(twin, "drill_secret_connection")
    assert twin.airflow.xcom("drill_secret_connection", finished.id, "read") == PASSWORD


# DAGs.


def only_our_own_dags_are_known(twin: RunningTwin) -> None:
    """Look for DAGs of others: examples of Airflow would run."""

    def foreign() -> list[str]:
        dags = twin.airflow.dags().items()
        return sorted(dag_id for dag_id, dag in dags if dag["bundle_name"] != "dags")

    end = time.monotonic() + PARSE_SECONDS
    while time.monotonic() < end and not foreign():
        time.sleep(1)
    found = foreign()
    assert not found, f"{len(found)} DAGs of others, such as {found[0]}"


def a_new_dag_is_seen_soon(twin: RunningTwin) -> None:
    """Release a file: it must be known within seconds, not after Airflow's 5 minutes."""
    dag_id = f"drill_new_{int(time.time())}"
    file = twin.project / "dags" / "drills" / f"{dag_id}.py"
    file.write_text(
        f"from airflow.sdk import dag\n\n\n@dag(schedule=None)\ndef {dag_id}() -> None:\n    ...\n\n\n{dag_id}()\n"
    )
    try:
        twin.release()
        wait(lambda: dag_id in twin.airflow.dags(), PARSE_SECONDS, "a new DAG is known")
    finally:
        file.unlink()
        twin.release()


# Logins.


def the_administrator_can_log_in(twin: RunningTwin) -> None:
    """Use the password of the secret, that is the auth manager which bootstrap prepared."""
    Airflow(twin.url, twin.username, twin.password).pools()


def flower_wants_its_login(twin: RunningTwin) -> None:
    """Ask without one: whoever gets in can end workers."""
    status, _ = get(f"{twin.url}/flower/")
    assert status == 401, f"without a login the answer is {status}"


def flower_shows_the_worker(twin: RunningTwin) -> None:
    """Ask with its login."""
    environment = twin.environment("flower")
    login = f"{environment['PLATFORM_FLOWER_USERNAME']}:{environment['PLATFORM_FLOWER_PASSWORD']}"
    status, text = get(
        f"{twin.url}/flower/workers", Authorization=f"Basic {b64encode(login.encode()).decode()}"
    )
    assert (status, "celery@" in text) == (200, True), f"the answer is {status}, without a worker"


def redirects_stay_at_the_address_of_the_user(twin: RunningTwin) -> None:
    """Follow none, and compare: Airflow must believe the load balancer about scheme and host."""
    for path in ("/auth/login", "/"):
        request = urllib.request.Request(twin.url + path)
        try:
            _STAYING.open(request, timeout=10).close()
        except urllib.error.HTTPError as error:
            place = urlsplit(error.headers.get("Location", ""))
            origin = f"{place.scheme}://{place.netloc}"
            assert not place.netloc or origin == twin.url, f"{path} leads to {origin}"


# Certificates. Another authority, or the right one and another name: who connects must refuse both.


def the_metastore_must_show_a_certificate_of_its_authority(twin: RunningTwin) -> None:
    """Trust others only: somebody else's server would look like this."""
    _refused(twin, "scheduler", {"PLATFORM_METASTORE_CA_BUNDLE": OTHER_AUTHORITIES}, CONNECT_METASTORE)


def the_metastore_must_show_a_certificate_with_its_name(twin: RunningTwin) -> None:
    """Use another name: another database of the same authority would look like this."""
    _refused(
        twin, "scheduler", {"PLATFORM_METASTORE_HOST": _address("PLATFORM_METASTORE_HOST")}, CONNECT_METASTORE
    )


def the_broker_must_show_a_certificate_of_its_authority(twin: RunningTwin) -> None:
    """Trust others only: whoever is in between would read the messages, and write them."""
    _refused(twin, "worker", {"SSL_CERT_FILE": OTHER_AUTHORITIES}, CONNECT_BROKER)


def the_broker_must_show_a_certificate_with_its_name(twin: RunningTwin) -> None:
    """Use another name: another server of the same authority would look like this."""
    _refused(twin, "worker", {"PLATFORM_BROKER_HOST": _address("PLATFORM_BROKER_HOST")}, CONNECT_BROKER)


OTHER_AUTHORITIES: Final = '$(python -c "import certifi; print(certifi.where())")'
CONNECT_METASTORE: Final = (
    "import os, sqlalchemy;"
    " sqlalchemy.create_engine(os.environ['AIRFLOW__DATABASE__SQL_ALCHEMY_CONN']).connect(); print('connected')"
)
CONNECT_BROKER: Final = (
    "from airflow.providers.celery.executors.celery_executor import app;"
    " app.connection().ensure_connection(max_retries=1); print('connected')"
)


def _address(host: str) -> str:
    return f"$(getent hosts ${host} | cut -d' ' -f1)"


def _refused(twin: RunningTwin, role: str, variables: Mapping[str, str], program: str) -> None:
    """Connect as the role does, with some variables changed; the reason must be the certificate."""
    assignments = " ".join(f"{key}={value}" for key, value in variables.items())
    line = f"{assignments} platform-entrypoint python -c {shlex.quote(program)}"
    code, text = twin.exec(role, "sh", "-c", f"{line} 2>&1")
    assert code != 0, "the connection is made all the same"
    assert "certificate" in text.lower(), f"the connection fails for another reason: {telling(text)}"


# Services.


def every_service_is_healthy(twin: RunningTwin) -> None:
    """Ask ECS, the load balancer and Airflow itself."""
    wait(lambda: twin.call("status")["ready"], START_SECONDS, "every service is steady")
    parts = {name: part["status"] for name, part in twin.airflow.health().items()}
    ill = [name for name, status in parts.items() if status != "healthy"]
    assert not ill, f"Airflow reports unhealthy: {', '.join(ill)}"


def starts(
    twin: RunningTwin, role: str, since: float, *, alone: bool = True, seconds: float = START_SECONDS
) -> None:
    """Wait until a service runs its newest deployment; the first task that ends or fails its checks ends the wait.

    Args:
        twin: Where.
        role: Of the service.
        since: When the deployment began, seconds of the epoch.
        alone: Wait for the end of older tasks as well.
        seconds: How long.

    Raises:
        AssertionError: It does not start; the text says what was the last that one of its tasks said.

    """
    service = twin.service(role)["name"]
    end = time.monotonic() + seconds
    while True:
        events = [text for moment, text in twin.call("events") if moment >= since and f" {service} " in text]
        new = {found[1] for text in events if (found := STARTED.search(text))}
        for text in events:
            found = ENDED.search(text)
            if found and (task := found[1] or found[2]) in new:
                raise AssertionError(_last_words(twin, service, role, task, text))
        tasks = twin.service(role)["tasks"]
        if _serve(tasks, twin.service(role)["desired"], new, alone=alone):
            return
        if time.monotonic() > end:
            text = f"not healthy after {seconds:g} s"
            raise AssertionError(_last_words(twin, service, role, tasks[-1]["id"], text))
        time.sleep(POLL_SECONDS)


def _serve(tasks: Sequence[Mapping[str, Any]], desired: int, new: Collection[str], *, alone: bool) -> bool:
    """Say whether the new tasks, and only they, do what the service is for."""
    running = [task for task in tasks if task["status"] == "RUNNING"]
    healthy = [
        task for task in running if task["health"] == "HEALTHY" and task["target"] in {None, "healthy"}
    ]
    return (
        len(running) == len(healthy) == desired
        and {task["id"] for task in running} <= set(new)
        and (not alone or len(tasks) == desired)
    )


def _last_words(twin: RunningTwin, service: str, role: str, task: str, text: str) -> str:
    """Return how a task ended, and what its container or its health check said last."""
    folder = twin.folder / "logs" / service / task

    def lines(name: str) -> list[str]:
        return (folder / name).read_text(errors="replace").splitlines() if (folder / name).exists() else []

    log, health = lines(f"{role}.log"), lines(f"{role}.health.log")
    refusals = [line.partition(":   - ")[2] for line in log if ":   - " in line]
    errors = [line for line in log if re.match(r"[\w.]*(Error|Exception)\b", line)]
    code = re.search(r"exit code (\d+)", text)
    how = f"ends with {code[1]}" if code else text.rpartition(": ")[2]
    return f"{how}: {'; '.join(refusals or errors[-1:] or health[-1:] or log[-1:])}"


# What the checks are made of.


def run(
    twin: RunningTwin, dag_id: str, conf: Mapping[str, Any] | None = None, seconds: float = RUN_SECONDS
) -> Run:
    """Run a DAG; the first task that is lost ends the wait."""
    return ended(twin.airflow, trigger(twin, dag_id, conf), seconds)


def ended(airflow: Airflow, started: Run, seconds: float) -> Run:
    """Wait for the success of a run.

    Raises:
        AssertionError: A task is lost, or it takes too long.

    """
    end = time.monotonic() + seconds
    while (found := airflow.run(started.dag_id, started.id)).state != "success":
        tasks = airflow.task_instances(started.dag_id, started.id)
        lost = [task for task in tasks if task.state in LOST]
        assert not lost, f"task {lost[0].task_id} is {lost[0].state}"
        shown = ", ".join(sorted({f"{task.task_id} {task.state}" for task in tasks}))
        assert time.monotonic() < end, f"{started.dag_id} is {found.state} after {seconds:g} s: {shown}"
        time.sleep(POLL_SECONDS)
    return found


def states(airflow: Airflow, started: Run) -> set[str]:
    """Return the states of a run's tasks."""
    return set(airflow.states(started.dag_id, started.id).values())


def wait(done: Callable[[], object], seconds: float, what: str) -> None:
    """Wait until something is true; an API that cannot be reached has not said yes.

    Raises:
        AssertionError: It is not in time.

    """
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, f"not after {seconds:g} s: {what}"
        time.sleep(POLL_SECONDS)


def trigger(twin: RunningTwin, dag_id: str, conf: Mapping[str, Any] | None = None) -> Run:
    """Start a run of a DAG; a new DAG is paused."""
    twin.airflow.pause(dag_id, paused=False)
    return twin.airflow.trigger(dag_id, conf)


def said(twin: RunningTwin, role: str, *command: str) -> str:
    """Return what a command in a container says."""
    return twin.exec(role, *command)[1].strip()


def get(url: str, **headers: str) -> tuple[int, str]:
    """Return status and body of an answer."""
    try:
        with _DIRECT.open(urllib.request.Request(url, headers=headers), timeout=10) as answer:
            return answer.status, answer.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")


def telling(text: str) -> str:
    """Return the last line that says what is wrong, otherwise the last one that says anything."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    wrong = [
        line
        for line in lines
        if re.search(r"error|could not|cannot|please|denied|refused", line, re.IGNORECASE)
    ]
    return next(reversed(wrong or lines), "nothing")


def _token(twin: RunningTwin) -> str:
    body = json.dumps({"username": twin.username, "password": twin.password}).encode()
    request = urllib.request.Request(f"{twin.url}/auth/token", body, {"Content-Type": "application/json"})
    with _DIRECT.open(request, timeout=10) as answer:
        return str(json.load(answer)["access_token"])


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect."""

    def redirect_request(self, *arguments: Any, **more: Any) -> None:
        return None


_DIRECT: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_STAYING: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay)
