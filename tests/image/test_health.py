"""`platform-health`: which check runs, what is remembered between two, and how it ends."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.roles import Role
from components.task import HEALTH_COMMAND, PROCESSES
from images.airflow.platform_runtime import consumption, health, heartbeat, notes
from images.airflow.platform_runtime.health import Check
from images.airflow.platform_runtime.variables import Variables
from tests.image.test_start import BROKER

Remember = dict[str, Any]


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Give a way to replace the worker's check; the container's scratch is a folder of the test's."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["platform-health", "worker"])

    def replace(judge: Any, seconds: float = 5) -> None:
        monkeypatch.setattr(health, "CHECKS", {"worker": Check(judge, seconds)})

    return replace


def test_the_program_asks_for_checks_that_exist() -> None:
    asked = {
        role.value: process.health.command
        for role, process in PROCESSES.items()
        if process.health and HEALTH_COMMAND in process.health.command
    }
    assert asked == {role: ("CMD", "platform-health", role) for role in health.CHECKS}


@pytest.mark.parametrize("role", health.CHECKS)
def test_ecs_waits_longer_than_a_check_takes(role: str) -> None:
    """And Python starts, on a quarter of a vCPU."""
    asked = PROCESSES[Role(role)].health
    assert asked
    assert asked.timeout_seconds >= health.CHECKS[role].longest_seconds + 5


@pytest.mark.parametrize(
    ("problem", "code", "line"), [(None, 0, "healthy\n"), ("it sleeps", 1, "it sleeps\n")]
)
def test_the_end(
    judged: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
    problem: str | None,
    code: int,
    line: str,
) -> None:
    judged(lambda _variables, _notes: problem)
    assert health.main() == code
    assert capsys.readouterr().out == line


def test_a_check_remembers_the_last_one(judged: Callable[..., None], tmp_path: Path) -> None:
    def count(_variables: object, remembered: Remember) -> None:
        remembered["checks"] = remembered.get("checks", 0) + 1

    judged(count)
    health.main()
    health.main()
    assert json.loads((tmp_path / notes.FILE).read_text()) == {"checks": 2}
    assert [path.name for path in tmp_path.iterdir()] == [notes.FILE]


@pytest.mark.parametrize("content", ["", "{", "[1]"], ids=["empty", "cut off", "no object"])
def test_notes_that_cannot_be_read(tmp_path: Path, content: str) -> None:
    (tmp_path / notes.FILE).write_text(content)
    assert notes.read(str(tmp_path)) == {}


def test_missing_variables(judged: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    judged(health._worker)
    assert health.main() == 1
    assert capsys.readouterr().out.startswith(
        "PLATFORM_BROKER_HOST is missing; PLATFORM_BROKER_PORT is missing"
    )


def test_no_home(judged: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    judged(lambda _variables, _notes: None)
    assert health.check("worker", {}) == "AIRFLOW_HOME is missing"


@pytest.mark.parametrize("arguments", [[], ["scheduler"]], ids=["none", "unknown"])
def test_usage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["platform-health", *arguments])
    assert health.main() == 1
    assert capsys.readouterr().err == "usage: platform-health dag-processor|triggerer|worker\n"


def test_a_check_that_hangs_is_interrupted(judged: Callable[..., None]) -> None:
    def hang(_variables: object, _notes: Remember) -> None:
        time.sleep(60)

    judged(hang, seconds=0.05)
    began = time.monotonic()
    assert health.check("worker", {"AIRFLOW_HOME": "/nowhere"}) == "no answer within 0.05 s"
    assert time.monotonic() - began < 5


def test_a_library_that_tries_again_is_interrupted_again(
    judged: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted: list[str] = []

    def hang(_variables: object, _notes: Remember) -> str:
        for _ in range(2):
            try:
                time.sleep(60)
            except OSError as error:
                interrupted.append(str(error))
        return "the broker is away"

    monkeypatch.setattr(health, "AGAIN_SECONDS", 0.05)
    judged(hang, seconds=0.05)
    assert health.check("worker", {"AIRFLOW_HOME": "/nowhere"}) == "the broker is away"
    assert interrupted == ["no answer within 0.05 s"] * 2


def test_nothing_is_interrupted_afterwards(judged: Callable[..., None]) -> None:
    before = signal.getsignal(signal.SIGALRM)
    judged(lambda _variables, _notes: None)
    health.check("worker", {"AIRFLOW_HOME": "/nowhere"})
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) == before


def test_a_full_scratch_does_not_make_a_worker_unhealthy(
    judged: Callable[..., None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(path: Path, _text: str) -> None:
        path.touch()
        raise OSError("No space left on device")

    (tmp_path / notes.FILE).write_text('{"checks": 1}')
    monkeypatch.setattr(Path, "write_text", full)
    judged(lambda _variables, remembered: remembered.clear())
    assert health.main() == 0
    assert notes.read(str(tmp_path)) == {"checks": 1}
    assert [path.name for path in tmp_path.iterdir()] == [notes.FILE]


def test_the_worker_is_asked_over_its_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    urls: list[str] = []
    monkeypatch.setattr(consumption, "CeleryWorker", urls.append)
    monkeypatch.setattr(consumption, "problem", lambda _worker, _notes, _now, halted: None)
    assert health.CHECKS["worker"].judge(Variables(BROKER), {}) is None
    assert urls == ["rediss://u:broker-password@b:6379/0?ssl_cert_reqs=CERT_REQUIRED"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [({}, False), ({"PLATFORM_RELEASES_PATH": "/nothing"}, True)],
    ids=["image", "releases"],
)
def test_a_worker_is_halted_while_its_copies_are_in_trouble(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], expected: bool
) -> None:
    """With DAGs in the image there are no copies; of a folder that is not there the agent says nothing."""
    found: list[bool] = []
    monkeypatch.setattr(consumption, "CeleryWorker", lambda _url: None)
    monkeypatch.setattr(consumption, "problem", lambda _w, _n, _t, halted: found.append(halted))
    health.CHECKS["worker"].judge(Variables(BROKER | given), {})
    assert found == [expected]


def test_a_heartbeat_is_asked_for_the_role(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "problem", lambda role, _variables, _notes, _now: role)
    roles = ("dag-processor", "triggerer")
    assert [health.CHECKS[role].judge(Variables({}), {}) for role in roles] == list(roles)
