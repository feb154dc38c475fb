"""`platform-health`: which check runs, what is remembered between two, and how it ends."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from components.roles import Role
from components.task import HEALTH_COMMAND, PROCESSES
from images.airflow.platform_runtime import consumption, health, heartbeat, notes
from images.airflow.platform_runtime.variables import Variables
from tests.image.test_start import BROKER

Remember = dict[str, Any]


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[Any], None]]:
    """Give a way to replace the worker's check; the container's scratch is a folder of the test's."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["platform-health", "worker"])
    before = signal.getsignal(signal.SIGALRM)

    def replace(check: Any) -> None:
        monkeypatch.setattr(health, "CHECKS", {"worker": check})

    yield replace
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def test_the_program_asks_for_checks_that_exist() -> None:
    asked = {
        role.value: process.health.command
        for role, process in PROCESSES.items()
        if process.health and HEALTH_COMMAND in process.health.command
    }
    assert asked == {role: ("CMD", "platform-health", role) for role in health.CHECKS}


def test_ecs_waits_longer_than_a_check_takes() -> None:
    worker = PROCESSES[Role.WORKER].health
    assert worker
    assert worker.timeout_seconds > health.LONGEST_SECONDS


@pytest.mark.parametrize(
    ("problem", "code", "line"), [(None, 0, "healthy\n"), ("it sleeps", 1, "it sleeps\n")]
)
def test_the_end(
    judged: Callable[[Any], None],
    capsys: pytest.CaptureFixture[str],
    problem: str | None,
    code: int,
    line: str,
) -> None:
    judged(lambda _variables, _notes: problem)
    assert health.main() == code
    assert capsys.readouterr().out == line


def test_a_check_remembers_the_last_one(judged: Callable[[Any], None], tmp_path: Path) -> None:
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


def test_missing_variables(judged: Callable[[Any], None], capsys: pytest.CaptureFixture[str]) -> None:
    judged(health._worker)
    assert health.main() == 1
    assert capsys.readouterr().out.startswith(
        "PLATFORM_BROKER_HOST is missing; PLATFORM_BROKER_PORT is missing"
    )


def test_no_home(judged: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch) -> None:
    judged(lambda _variables, _notes: None)
    assert health.check("worker", {}) == "AIRFLOW_HOME is missing"


@pytest.mark.parametrize("arguments", [[], ["scheduler"]], ids=["none", "unknown"])
def test_usage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["platform-health", *arguments])
    assert health.main() == 1
    assert capsys.readouterr().err == "usage: platform-health dag-processor|triggerer|worker\n"


def test_a_check_that_hangs_is_interrupted() -> None:
    """A TimeoutError is an OSError: the worker's check takes it for a broker that is away."""
    with pytest.raises(OSError, match="no answer within 18 s"):
        health._give_up(signal.SIGALRM, None)


def test_the_worker_is_asked_over_its_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    urls: list[str] = []
    monkeypatch.setattr(consumption, "CeleryWorker", urls.append)
    monkeypatch.setattr(consumption, "problem", lambda _worker, _notes, _now: None)
    assert health.CHECKS["worker"](Variables(BROKER), {}) is None
    assert urls == ["rediss://u:broker-password@b:6379/0?ssl_cert_reqs=CERT_REQUIRED"]


def test_a_heartbeat_is_asked_for_the_role(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "problem", lambda role, _variables, _notes: role)
    roles = ("dag-processor", "triggerer")
    assert [health.CHECKS[role](Variables({}), {}) for role in roles] == list(roles)
