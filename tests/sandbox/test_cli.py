"""The CLI as a process: output, signals, and the trace of a run; a shell script stands in for Pulumi."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from sandbox.cli import Cli, InterruptedRunError, wait_for_survivor


def cli(folder: Path, script: str) -> Cli:
    path = folder / "pulumi"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return Cli(path, folder, dict(os.environ), folder / "engine.pid", lambda: None)


def test_arguments_and_exit_code_are_the_clis(tmp_path: Path) -> None:
    done = cli(tmp_path, 'echo "$@"; exit 3').run(["up", "--yes"], capture=True)
    assert (done.stdout, done.returncode) == ("up --yes\n", 3)


def test_quiet_returns_errors_too(tmp_path: Path) -> None:
    assert cli(tmp_path, "echo out; echo err >&2").run([], quiet=True).stdout == "out\nerr\n"


def test_hidden_lines_are_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli(tmp_path, "echo Update plan written >&2; echo error: no >&2").run([], hide=("Update plan",))
    assert capsys.readouterr().err == "error: no\n"


def test_a_run_that_ends_leaves_no_trace(tmp_path: Path) -> None:
    made = cli(tmp_path, f'sleep 0.5; test -s "{tmp_path}/engine.pid"')
    assert made.run([]).returncode == 0, "the trace must be there while it runs"
    assert not made.trace.exists()


def test_a_killed_run_leaves_its_trace(tmp_path: Path) -> None:
    made = cli(tmp_path, "kill -9 $$")
    assert made.run([]).returncode == -signal.SIGKILL
    assert json.loads(made.trace.read_text())["path"] == str(made.path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_passed_on_as_an_interrupt(tmp_path: Path, number: int) -> None:
    wait = "sleep 20 >/dev/null 2>&1 & wait"
    script = f'trap "echo stopped >{tmp_path}/stopped; exit 1" INT; kill -{int(number)} $PPID; {wait}'
    with pytest.raises(InterruptedRunError, match="stopped on request; what was finished is recorded"):
        cli(tmp_path, script).run([], quiet=True)
    assert (tmp_path / "stopped").exists()


def test_a_signal_before_the_process_is_known_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    popen = subprocess.Popen

    def interrupted(*args: Any, **kwargs: Any) -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        return popen(*args, **kwargs)

    made = cli(tmp_path, "exec sleep 20")
    monkeypatch.setattr("sandbox.cli.subprocess.Popen", interrupted)
    started = time.monotonic()
    with pytest.raises(InterruptedRunError):
        made.run([], quiet=True)
    assert time.monotonic() - started < 10, "the process ran to its own end"


def test_a_survivor_is_waited_for_and_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.cli.GRACE_SECONDS", 0.3)
    path = tmp_path / "pulumi"
    path.write_text("import time\nprint('running', flush=True)\ntime.sleep(30)\n")
    with subprocess.Popen([sys.executable, str(path)], stdout=subprocess.PIPE) as survivor:
        assert survivor.stdout is not None
        survivor.stdout.readline()
        (tmp_path / "engine.pid").write_text(json.dumps({"pid": survivor.pid, "path": str(path)}))
        wait_for_survivor(tmp_path / "engine.pid")
        assert survivor.wait(timeout=5) == -signal.SIGKILL


def test_another_process_with_the_same_number_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "engine.pid").write_text(json.dumps({"pid": os.getpid(), "path": "/opt/pulumi/pulumi"}))
    wait_for_survivor(tmp_path / "engine.pid")
