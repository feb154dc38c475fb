"""The client against a server that plays Airflow. That Airflow itself answers so is the system tests' matter."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from sandbox.twin.airflow_api import Airflow, AirflowError, Run, TaskInstance, Unavailable

RUN = {"dag_id": "d", "dag_run_id": "r+1", "state": "success", "start_date": "s", "end_date": "e"}


class FakeAirflow(http.server.ThreadingHTTPServer):
    """Gives prepared answers, and notes what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {"POST /auth/token": (201, {"access_token": "t1"})}
        """By method and path without query: status and body; a list gives one after the other, then the last."""
        self.asked: list[tuple[str, Any]] = []
        self.tokens: list[str | None] = []
        super().__init__(("127.0.0.1", 0), Handler)

    def questions(self) -> list[str]:
        """Return method, path and query of all questions but logins."""
        return [question for question, _ in self.asked if question != "POST /auth/token"]


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers one question."""

    server: FakeAirflow

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        question = f"{self.command} {self.path}"
        self.server.asked.append((question, json.loads(body) if body else None))
        self.server.tokens.append(self.headers.get("Authorization"))
        prepared = self.server.answers.get(
            f"{self.command} {urlsplit(self.path).path}", (404, {"detail": "no"})
        )
        if isinstance(prepared, list):
            prepared = prepared.pop(0) if len(prepared) > 1 else prepared[0]
        status, content = prepared
        if callable(content):
            content = content({key: found[0] for key, found in parse_qs(urlsplit(self.path).query).items()})
        data = json.dumps(content).encode() if content is not None else b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PATCH = answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def fake() -> Iterator[FakeAirflow]:
    with FakeAirflow() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def airflow(fake: FakeAirflow) -> Airflow:
    return Airflow(f"http://127.0.0.1:{fake.server_address[1]}", "admin", "p@:/%", poll_seconds=0.01)


def paged(key: str, entries: list[Any]) -> Any:
    """Return an answer that gives the asked part of a list."""

    def part(query: dict[str, str]) -> dict[str, Any]:
        offset, limit = int(query["offset"]), int(query["limit"])
        return {key: entries[offset : offset + limit], "total_entries": len(entries)}

    return 200, part


def test_a_login_serves_many_questions(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.answers["GET /api/v2/pools"] = paged("pools", [])

    airflow.pools()
    airflow.pools()

    assert fake.asked[0] == ("POST /auth/token", {"username": "admin", "password": "p@:/%"})
    assert fake.tokens == [None, "Bearer t1", "Bearer t1"]


@pytest.mark.parametrize("status", [401, 403])
def test_an_outdated_token_is_replaced(fake: FakeAirflow, airflow: Airflow, status: int) -> None:
    fake.answers["POST /auth/token"] = [(201, {"access_token": "t1"}), (201, {"access_token": "t2"})]
    ok = (200, {"pools": [], "total_entries": 0})
    fake.answers["GET /api/v2/pools"] = [ok, (status, {"detail": "Invalid JWT token"}), ok]

    airflow.pools()
    airflow.pools()

    assert fake.tokens == [None, "Bearer t1", "Bearer t1", None, "Bearer t2"]


def test_a_refusal_with_a_new_token_is_final(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.answers["GET /api/v2/pools"] = (403, {"detail": "Forbidden"})

    with pytest.raises(AirflowError) as refused:
        airflow.pools()

    assert refused.value.status == 403
    assert str(refused.value) == (
        f'GET {airflow.url}/api/v2/pools?limit=100&offset=0: 403: {{"detail": "Forbidden"}}'
    )


@pytest.mark.parametrize("status", [502, 503, 504])
def test_the_balancers_errors_mean_later(fake: FakeAirflow, airflow: Airflow, status: int) -> None:
    fake.answers["GET /api/v2/version"] = (status, {})

    with pytest.raises(Unavailable):
        airflow.version()


def test_nobody_there_means_later() -> None:
    with pytest.raises(Unavailable, match="Connection refused"):
        Airflow("http://127.0.0.1:1", "a", "b").version()


def test_the_password_is_not_shown(airflow: Airflow) -> None:
    assert "p@:/%" not in repr(airflow)


def test_health_and_version_need_no_login(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.answers["GET /api/v2/version"] = (200, {"version": "3.3.2"})
    fake.answers["GET /api/v2/monitor/health"] = (200, {"scheduler": {"status": "healthy"}})

    assert (airflow.version(), airflow.health()) == ("3.3.2", {"scheduler": {"status": "healthy"}})
    assert fake.tokens == [None, None]


def test_lists_are_read_to_their_end(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.answers["GET /api/v2/dags"] = paged("dags", [{"dag_id": f"d{number}"} for number in range(201)])

    assert len(airflow.dags()) == 201
    assert fake.questions() == [f"GET /api/v2/dags?limit=100&offset={offset}" for offset in (0, 100, 200)]


def test_no_more_runs_are_read_than_asked_for(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.answers["GET /api/v2/dags/d/dagRuns"] = paged("dag_runs", [RUN] * 500)

    assert len(airflow.runs("d", newest=150)) == 150
    assert fake.questions() == [
        "GET /api/v2/dags/d/dagRuns?order_by=-run_after&limit=100&offset=0",
        "GET /api/v2/dags/d/dagRuns?order_by=-run_after&limit=50&offset=100",
    ]


def test_a_run_is_triggered_with_its_configuration(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.answers["POST /api/v2/dags/d/dagRuns"] = (200, RUN)

    assert airflow.trigger("d", {"n": 1}) == Run(dag_id="d", id="r+1", state="success", start="s", end="e")
    assert fake.asked[-1][1] == {"logical_date": None, "conf": {"n": 1}}


def test_pausing_and_letting_go(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.answers["PATCH /api/v2/dags/d"] = (200, {})

    airflow.pause("d")
    airflow.pause("d", paused=False)

    assert [body for question, body in fake.asked if question == "PATCH /api/v2/dags/d"] == [
        {"is_paused": True},
        {"is_paused": False},
    ]


def test_ids_are_quoted_in_paths(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.answers["GET /api/v2/dags/d/dagRuns/manual__1%3A2%2B00"] = (200, RUN)

    assert airflow.run("d", "manual__1:2+00").state == "success"


def test_waiting_asks_once_for_all_runs_and_tells_what_changes(fake: FakeAirflow, airflow: Airflow) -> None:
    def runs(*states: str) -> tuple[int, dict[str, Any]]:
        rows = [RUN | {"dag_run_id": f"r{number}", "state": state} for number, state in enumerate(states)]
        return 200, {"dag_runs": [*rows, RUN | {"dag_run_id": "other"}], "total_entries": len(states) + 1}

    fake.answers["GET /api/v2/dags/d/dagRuns"] = [
        runs("queued", "queued"), runs("queued", "queued"), (503, {}), runs("running", "success"),
        runs("failed", "success"),
    ]  # fmt: skip
    told: list[dict[str, int]] = []

    found = airflow.wait("d", ["r0", "r1"], 10, lambda counts: told.append(dict(counts)))

    assert {id: run.state for id, run in found.items()} == {"r0": "failed", "r1": "success"}
    assert told == [{"queued": 2}, {"running": 1, "success": 1}, {"failed": 1, "success": 1}]
    assert len(fake.questions()) == 5


def test_waiting_ends_with_runs_that_have_not_finished(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.answers["GET /api/v2/dags/d/dagRuns"] = (
        200, {"dag_runs": [RUN | {"state": "running"}], "total_entries": 1},
    )  # fmt: skip

    assert [run.state for run in airflow.wait("d", ["r+1"], 0.05).values()] == ["running"]


def test_waiting_for_an_api_that_stays_away_fails(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.answers["GET /api/v2/dags/d/dagRuns"] = (503, {})

    with pytest.raises(Unavailable):
        airflow.wait("d", ["r"], 0.05)


def test_waiting_for_dags_ends_once_they_are_known(fake: FakeAirflow, airflow: Airflow) -> None:
    none = (200, {"dags": [], "total_entries": 0})
    fake.answers["GET /api/v2/dags"] = [none, none, (200, {"dags": [{"dag_id": "d"}], "total_entries": 1})]

    airflow.wait_for_dags(["d"], 10)

    assert len(fake.questions()) == 3


def test_dags_that_do_not_come_are_named_with_the_import_errors(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.answers["GET /api/v2/dags"] = (200, {"dags": [{"dag_id": "d"}], "total_entries": 1})
    fake.answers["GET /api/v2/importErrors"] = paged(
        "import_errors", [{"filename": "x.py", "stack_trace": "SyntaxError"}]
    )

    with pytest.raises(AirflowError, match=r"^DAGs \['x'\] are not known after 0\.02 s; x\.py: SyntaxError$"):
        airflow.wait_for_dags(["d", "x"], 0.02)


TASK = {
    "task_id": "t", "map_index": 0, "state": "running", "try_number": 2, "hostname": "10.20.0.11",
    "queued_when": "q", "start_date": "s", "end_date": None,
}  # fmt: skip


def test_task_instances_and_their_states(fake: FakeAirflow, airflow: Airflow) -> None:
    rows = [TASK, TASK | {"map_index": 1, "state": None, "hostname": None}]
    fake.answers["GET /api/v2/dags/d/dagRuns/r/taskInstances"] = paged("task_instances", rows)

    assert airflow.task_instances("d", "r")[0] == TaskInstance(
        task_id="t", map_index=0, state="running", try_number=2, hostname="10.20.0.11", queued="q", start="s",
        end=None,
    )  # fmt: skip
    assert airflow.states("d", "r") == {("t", 0): "running", ("t", 1): "none"}


def test_counting_asks_for_a_single_entry(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.answers["GET /api/v2/dags/~/dagRuns/~/taskInstances"] = (200, {"total_entries": 28})

    assert airflow.count("queued") == 28
    assert fake.questions() == ["GET /api/v2/dags/~/dagRuns/~/taskInstances?state=queued&limit=1"]


LOG = "GET /api/v2/dags/d/dagRuns/r/taskInstances/t/logs/1"


def test_a_log_is_its_events(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.answers[LOG] = (200, {"content": [{"event": "one"}, "two"]})

    assert airflow.log("d", "r", "t", map_index=3) == "one\ntwo"
    assert fake.questions()[-1] == f"{LOG}?full_content=true&map_index=3"


def test_a_log_may_be_plain_text(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.answers[LOG] = (200, {"content": "one\ntwo"})

    assert airflow.log("d", "r", "t") == "one\ntwo"


def test_a_running_tasks_log_is_read_until_it_has_a_text(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.answers[LOG] = [(404, {}), (200, {"content": ["begun"]}), (200, {"content": ["begun", "step 2"]})]

    assert airflow.wait_for_log("d", "r", "t", "step 2", 10) == "begun\nstep 2"


def test_a_log_without_the_text_is_returned_in_the_end(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.answers[LOG] = (200, {"content": ["begun"]})

    assert airflow.wait_for_log("d", "r", "t", "step 2", 0.02) == "begun"


def test_a_log_that_cannot_be_read_is_an_error(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.answers[LOG] = (500, {"detail": "secret_key"})

    with pytest.raises(AirflowError, match="secret_key"):
        airflow.wait_for_log("d", "r", "t", "step 2", 10)


def test_what_a_task_returned(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.answers["GET /api/v2/dags/d/dagRuns/r/taskInstances/t/xcomEntries/return_value"] = (
        200, {"value": {"DE": 1650}},
    )  # fmt: skip

    assert airflow.xcom("d", "r", "t") == {"DE": 1650}


def test_slots_of_pools(fake: FakeAirflow, airflow: Airflow) -> None:
    pool = {"name": "default_pool", "slots": 8, "open_slots": 5, "running_slots": 3, "description": "x"}
    fake.answers["GET /api/v2/pools"] = paged("pools", [pool])

    assert airflow.pools() == {"default_pool": {"slots": 8, "open_slots": 5, "running_slots": 3}}
    assert airflow.open_slots() == 5


def test_a_variable_is_made_or_changed(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.answers["POST /api/v2/variables"] = [(201, {}), (409, {})]
    fake.answers["PATCH /api/v2/variables/k"] = (200, {})

    airflow.set_variable("k", "1")
    airflow.set_variable("k", "2")

    assert fake.asked[1:] == [
        ("POST /api/v2/variables", {"key": "k", "value": "1"}),
        ("POST /api/v2/variables", {"key": "k", "value": "2"}),
        ("PATCH /api/v2/variables/k", {"key": "k", "value": "2"}),
    ]


def test_a_connection_is_made_with_its_fields(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.answers["POST /api/v2/connections"] = (201, None)

    airflow.set_connection("c", "http", host="h", password="p@")

    assert fake.asked[-1][1] == {"connection_id": "c", "conn_type": "http", "host": "h", "password": "p@"}


def test_a_connection_that_is_refused_is_an_error(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.answers["POST /api/v2/connections"] = (422, {"detail": "conn_type"})

    with pytest.raises(AirflowError, match="conn_type"):
        airflow.set_connection("c", "no such type")
