"""The command line with a twin that only notes what it is asked."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from sandbox.cli import SandboxError
from sandbox.twin import airflow_api, client
from sandbox.twin.commands import app
from sandbox.twin.control import Server
from tests.twin.unit.statuses import make_service, make_status, make_task

root = typer.Typer()
root.add_typer(app, name="twin")


@root.callback()
def choose(project: Annotated[Path, typer.Option()] = Path()) -> None:
    """Play the program's own options."""


class Scene:
    """A project with a twin of `dev`."""

    def __init__(self, project: Path) -> None:
        """Start a twin that answers."""
        self.project = project
        self.folder = project / ".sandbox/twin/dev"
        self.folder.mkdir(parents=True)
        self.asked: list[tuple[str, dict[str, Any]]] = []
        tasks = make_task("aaaaaaaaaaaa"), make_task("bbbbbbbbbbbb")
        self.status = make_status(make_service("worker", *tasks, desired=2), make_service("flower"))
        self.commands: dict[str, Any] = {
            "status": lambda memory=True: self.status,
            "login": lambda: {"username": "admin", "password": "made up", "source": "secret dev/admin"},
            "events": lambda: [[time.mktime((2026, 1, 2, 3, 4, 5, 0, 0, -1)), "worker: steady"]],
            **{name: self._noting(name) for name in ("stop_task", "kill", "deploy", "scale")},
        }
        self.server = Server(self.folder, self.commands)
        self.server.start()

    def _noting(self, name: str) -> Any:
        def note(**arguments: Any) -> None:
            self.asked.append((name, arguments))

        return note

    def run(self, *words: str) -> Result:
        """Run a command; an error of the program is raised."""
        result = CliRunner().invoke(root, ["--project", str(self.project), "twin", *words])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.server.close()


def test_status_is_a_table_or_json(scene: Scene) -> None:
    assert scene.run("status").stdout.splitlines()[0] == "dev at http://localhost:8080 (namespaces): ready"
    assert json.loads(scene.run("status", "--stack", "dev", "--json").stdout) == scene.status


def test_the_environment_is_for_a_shell(scene: Scene) -> None:
    shown = scene.run("env", "dev").stdout
    script = (
        f"export AWS_PROFILE=prod NO_PROXY=internal\n{shown}\necho $AWS_ENDPOINT_URL $no_proxy $AWS_PROFILE"
    )
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["http://127.0.0.1:5000", "127.0.0.1,internal"]


def test_before_its_aws_answers_there_is_no_environment(scene: Scene) -> None:
    scene.status = make_status(aws={}, phase="starting database, broker and AWS endpoint")
    with pytest.raises(SandboxError, match=r"^the twin is not that far yet: starting database"):
        scene.run("env")
    with pytest.raises(SandboxError, match=r"^the twin is not that far yet: starting database"):
        scene.run("release")


def test_a_signal_for_another_container_than_the_services_own(scene: Scene) -> None:
    scene.run("kill", "worker", "--task", "a", "--container", "release-agent")
    signalled = {"service": "dev-worker", "task": "aaaaaaaaaaaa", "signal": 9, "container": "release-agent"}
    assert scene.asked == [("kill", signalled)]


def test_logs_are_shown_with_task_and_container(scene: Scene) -> None:
    (scene.folder / "log").write_text("one\ntwo\n")
    asked: list[Any] = []

    def logs_path(**arguments: Any) -> Any:
        asked.append(arguments)
        return [{"task": "bbbbbbbbbbbb", "container": "airflow", "path": str(scene.folder / "log")}]

    scene.commands["logs_path"] = logs_path

    assert scene.run("logs", "worker", "--task", "b", "-n", "1").stdout == "bbbbbbbb airflow: two\n"
    assert asked == [{"service": "dev-worker", "task": "bbbbbbbbbbbb"}]


def test_stopping_a_service_stops_each_running_task(scene: Scene) -> None:
    result = scene.run("stop", "worker")

    assert scene.asked == [
        ("stop_task", {"service": "dev-worker", "task": "aaaaaaaaaaaa"}),
        ("stop_task", {"service": "dev-worker", "task": "bbbbbbbbbbbb"}),
    ]
    assert result.stderr == "sandbox: dev-worker: 2 task(s) being stopped: aaaaaaaa, bbbbbbbb\n"


def test_stopping_one_task(scene: Scene) -> None:
    scene.run("stop", "worker", "--task", "bb")

    assert scene.asked == [("stop_task", {"service": "dev-worker", "task": "bbbbbbbbbbbb"})]


def test_a_task_without_its_service_is_refused(scene: Scene) -> None:
    with pytest.raises(SandboxError, match="want the task's service as well"):
        scene.run("stop", "--task", "bb")


def test_stop_ends_the_twin(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []
    monkeypatch.setattr(client.Twin, "stop", lambda twin: ended.append(twin.stack))

    assert scene.run("stop").stderr == "sandbox: the twin of dev has ended\n"
    assert ended == ["dev"]


@pytest.mark.parametrize(("name", "number"), [("KILL", 9), ("term", 15), ("SIGSTOP", 19)])
def test_a_signal_goes_to_the_tasks(scene: Scene, name: str, number: int) -> None:
    scene.run("kill", "worker", "--task", "a", "--signal", name)

    assert scene.asked == [("kill", {"service": "dev-worker", "task": "aaaaaaaaaaaa", "signal": number})]


def test_a_kill_kills_unless_told_otherwise(scene: Scene) -> None:
    assert "got SIGKILL: aaaaaaaa, bbbbbbbb" in scene.run("kill", "worker").stderr


@pytest.mark.parametrize("name", ["NONE", "_DFL", ""])
def test_an_unknown_signal_is_refused(scene: Scene, name: str) -> None:
    with pytest.raises(SandboxError, match=f"^--signal: no signal '{name}'$"):
        scene.run("kill", "worker", "--signal", name)


def test_deploying_and_scaling(scene: Scene) -> None:
    scene.run("deploy", "worker")
    scene.run("scale", "flower", "0")

    assert scene.asked == [
        ("deploy", {"service": "dev-worker"}),
        ("scale", {"service": "dev-flower", "count": 0}),
    ]


def test_events_have_their_time(scene: Scene) -> None:
    assert scene.run("events").stdout == "03:04:05 worker: steady\n"


def execute(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `exec` as a process: it hands its own output on."""
    code = f"import os; from sandbox.twin.commands import app; os.chdir({str(project)!r}); app()"
    return subprocess.run(
        [sys.executable, "-c", code, "exec", *words], capture_output=True, text=True, check=False
    )


def test_exec_runs_a_command_with_the_askers_output_and_exit_code(scene: Scene) -> None:
    asked: list[dict[str, Any]] = []

    def run(command: list[str], descriptors: list[int], **arguments: Any) -> subprocess.Popen[bytes]:
        asked.append(arguments)
        return subprocess.Popen(command, stdout=descriptors[0], stderr=descriptors[1])

    scene.commands["exec"] = run

    done = execute(
        scene.project,
        "worker",
        "--task",
        "bb",
        "--container",
        "airflow",
        "--",
        "sh",
        "-c",
        "echo a; echo b >&2; exit 3",
    )

    assert (done.returncode, done.stdout, done.stderr) == (3, "a\n", "b\n")
    assert asked == [{"service": "dev-worker", "task": "bbbbbbbbbbbb", "container": "airflow"}]


def test_exec_of_a_command_that_dies_of_a_signal_ends_as_in_a_shell(scene: Scene) -> None:
    def run(command: list[str], descriptors: list[int], **_arguments: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(command)

    scene.commands["exec"] = run

    assert execute(scene.project, "worker", "--", "sh", "-c", "kill -9 $$").returncode == 128 + signal.SIGKILL


def test_exec_needs_a_running_task(scene: Scene) -> None:
    with pytest.raises(SandboxError, match=r"^no task of flower runs$"):
        scene.run("exec", "flower", "--", "true")


def test_start_shows_where_airflow_is_and_who_may_log_in(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Any] = []

    def start(project: Path, stack: str, *options: str, told: Any, check: Any) -> client.Twin:
        started.append((project, stack, options))
        told("worker: healthy")
        return client.Twin(scene.folder)

    monkeypatch.setattr(client, "start", start)

    result = scene.run("start", "dev", "--port", "8081", "--plain", "--timers", "drill")

    assert started == [(scene.project, "dev", ("--port", "8081", "--plain", "--timers", "drill"))]
    assert result.stderr == "sandbox: worker: healthy\n"
    assert result.stdout.splitlines()[:2] == [
        "Airflow   http://localhost:8080",
        "log in    admin, password made up",
    ]


def test_start_is_on_port_8080_in_namespaces_with_airflows_own_timers(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Any] = []

    def start(*arguments: Any, told: Any, check: Any) -> client.Twin:
        started.append(arguments[1:])
        return client.Twin(scene.folder)

    monkeypatch.setattr(client, "start", start)
    scene.run("start", "dev")

    assert started == [("dev", "--port", "8080")]


def test_other_timers_are_refused(scene: Scene) -> None:
    with pytest.raises(SandboxError, match=r"^--timers: want drill, got 'fast'$"):
        scene.run("start", "dev", "--timers", "fast")


class FakeAirflow:
    """Notes what it is asked; its runs end as told."""

    url = "http://localhost:8080"

    def __init__(self, state: str) -> None:
        self.state, self.asked = state, list[Any]()

    def trigger(self, dag_id: str, conf: Any) -> Any:
        if dag_id == "nope":
            raise airflow_api.AirflowError("404: no such DAG", 404)
        self.asked.append((dag_id, conf))
        return SimpleNamespace(id="r1", state="queued")

    def pause(self, dag_id: str, *, paused: bool) -> None:
        self.asked.append(("paused", paused))

    def wait(self, _dag_id: str, run_ids: list[str], _seconds: float, progress: Any) -> Any:
        progress({"running": 1})
        return {run_ids[0]: SimpleNamespace(state=self.state)}

    def states(self, _dag_id: str, _run_id: str) -> Any:
        return {("total", -1): "success", ("count", 1): self.state, ("count", 0): "success"}


@pytest.mark.parametrize(("state", "code"), [("success", 0), ("failed", 1), ("running", 1)])
def test_waiting_for_a_run_shows_its_tasks_and_ends_as_it_did(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, state: str, code: int
) -> None:
    fake = FakeAirflow(state)
    monkeypatch.setattr(client.Twin, "airflow", lambda _twin: fake)

    result = scene.run("trigger", "d", "--conf", '{"n": 1}', "--wait")

    assert result.exit_code == code
    assert fake.asked == [("d", {"n": 1}), ("paused", False)]
    assert result.stdout == f"count[0] success\ncount[1] {state}\ntotal success\n"
    assert result.stderr.splitlines()[0] == "sandbox: d: http://localhost:8080/dags/d/runs/r1"
    assert result.stderr.splitlines()[1].startswith("sandbox: d: running after 0.")


def test_a_run_is_only_started_unless_it_is_to_be_waited_for(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client.Twin, "airflow", lambda _twin: FakeAirflow("failed"))

    result = scene.run("trigger", "d")

    assert (result.exit_code, result.stdout) == (0, "")


def test_what_airflow_refuses_is_one_message(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client.Twin, "airflow", lambda _twin: FakeAirflow(""))

    with pytest.raises(SandboxError, match=r"^404: no such DAG$"):
        scene.run("trigger", "nope")


def test_a_configuration_that_is_no_json_is_refused(scene: Scene) -> None:
    with pytest.raises(SandboxError, match=r"^--conf: want JSON, got '\{n'"):
        scene.run("trigger", "d", "--conf", "{n")


def test_the_rewrites_are_a_table(scene: Scene) -> None:
    first, *others = scene.run("rewrites").stdout.splitlines()

    assert first.split() == ["KIND", "WHERE", "BECOMES", "WHEN", "WHY"]
    assert len(others) > 10


def test_the_commands_cost_the_program_little() -> None:
    heavy = ["aiohttp", "boto3", "pulumi", "urllib.request", "sandbox.twin.client"]
    code = f"import sys, sandbox.twin.commands; print([name for name in {heavy} if name in sys.modules])"

    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )

    assert answer.stdout == "[]\n"
