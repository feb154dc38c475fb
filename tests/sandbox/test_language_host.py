"""The language host: programs run once and fail once, policy packs are streamed, and it ends when it should.

Not proven here: a program under a real engine; every engine test does that.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import pulumi
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

from sandbox import language_host
from sandbox.language_host import Host

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Undo what running a program changes in this process."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "argv", ["host", "127.0.0.1:1"])
    # A program finds no module of the sandbox, so each would be loaded a second time by the tests that follow.
    modules = dict(sys.modules)
    yield
    sys.modules.update(modules)
    gc.enable()
    pulumi.runtime.reset_options()


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect what would go to the engine's log."""
    messages: list[str] = []
    monkeypatch.setattr(pulumi.log, "error", messages.append)
    return messages


def run(folder: Path, text: str | None, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a program's text as the engine would, with no monitor behind it."""

    async def only_the_program(program: Any) -> None:
        program()

    monkeypatch.setattr(language_host, "run_in_stack", only_the_program)
    if text is not None:
        (folder / "__main__.py").write_text(text)
    info = language_pb2.ProgramInfo(program_directory=str(folder), entry_point=".")
    return Host().Run(language_pb2.RunRequest(project="probe", stack="dev", info=info, parallel=2), None)


def test_a_program_runs_in_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "helper.py").write_text("NAME = 'here'\n")
    answer = run(tmp_path, "import helper, pathlib\npathlib.Path(helper.NAME).touch()\n", monkeypatch)
    assert answer == language_pb2.RunResponse()
    assert (tmp_path / "here").exists()


def test_a_missing_program_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(tmp_path, None, monkeypatch).error == f"no Python program at {tmp_path / '__main__.py'}"


def test_a_run_error_is_shown_without_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged: list[str]
) -> None:
    answer = run(tmp_path, "import pulumi\nraise pulumi.RunError('the settings are wrong')\n", monkeypatch)
    assert (answer.bail, logged) == (True, ["the settings are wrong"])


def test_another_error_is_shown_once_with_its_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged: list[str]
) -> None:
    answer = run(tmp_path, "1 / 0\n", monkeypatch)
    assert answer.bail
    assert len(logged) == 1
    assert logged[0].startswith("Traceback")
    assert "ZeroDivisionError" in logged[0]


def test_what_the_engine_has_reported_is_not_shown_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged: list[str]
) -> None:
    answer = run(tmp_path, "raise Exception('resource monitor shut down')\n", monkeypatch)
    assert (answer.bail, logged) == (True, [])


def test_a_program_that_exits_ends_the_run_and_not_the_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged: list[str]
) -> None:
    assert run(tmp_path, "raise SystemExit(3)\n", monkeypatch).bail
    assert "SystemExit: 3" in logged[0]


@pytest.fixture
def served() -> Iterator[tuple[subprocess.Popen[str], Any]]:
    """Start a host as the engine does; yields its process and a client."""
    with host_process() as process:
        assert process.stdout is not None
        channel = grpc.insecure_channel(f"127.0.0.1:{process.stdout.readline().strip()}")
        yield process, language_pb2_grpc.LanguageRuntimeStub(channel)


@contextlib.contextmanager
def host_process() -> Iterator[subprocess.Popen[str]]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "sandbox.language_host", "127.0.0.1:1"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_a_policy_pack_is_run_and_streamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its arguments, its folder, both its streams and its exit code; `pulumi.policy` is replaced by a stand-in."""
    fake = tmp_path / "fake" / "pulumi"
    fake.mkdir(parents=True)
    (fake / "__init__.py").touch()
    (fake / "policy.py").write_text(
        "import os, sys\nprint(sys.argv[1:], os.getcwd(), flush=True)\nprint('oops', file=sys.stderr)\nsys.exit(3)\n"
    )
    pack = tmp_path / "pack"
    pack.mkdir()
    request = language_pb2.RunPluginRequest(
        kind="analyzer",
        args=["127.0.0.1:9"],
        env=[f"PYTHONPATH={tmp_path / 'fake'}", f"PATH={os.environ['PATH']}"],
        info=language_pb2.ProgramInfo(program_directory=str(pack)),
    )
    pieces = list(Host().RunPlugin(request, SimpleNamespace(add_callback=lambda callback: True)))
    assert b"".join(piece.stdout for piece in pieces).decode() == f"['127.0.0.1:9', '{pack}'] {pack}\n"
    assert b"".join(piece.stderr for piece in pieces) == b"oops\n"
    assert pieces[-1].exitcode == 3


def test_other_plugins_are_refused(served: tuple[subprocess.Popen[str], Any]) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        list(served[1].RunPlugin(language_pb2.RunPluginRequest(kind="resource")))
    assert caught.value.details() == "plugins of kind resource do not run here"


def test_it_answers_what_the_engine_asks_first(served: tuple[subprocess.Popen[str], Any]) -> None:
    stub = served[1]
    stub.Handshake(language_pb2.LanguageHandshakeRequest(engine_address="127.0.0.1:2"))
    assert stub.GetPluginInfo(empty_pb2.Empty()).version
    assert not stub.GetRequiredPackages(language_pb2.GetRequiredPackagesRequest()).packages
    assert stub.About(language_pb2.AboutRequest()).executable == sys.executable
    installed = list(stub.InstallDependencies(language_pb2.InstallDependenciesRequest()))
    assert b"make setup" in installed[0].stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_at_once_on_a_signal(served: tuple[subprocess.Popen[str], Any], number: int) -> None:
    process = served[0]
    process.send_signal(number)
    assert process.wait(timeout=2) == 0


def test_it_ends_with_its_engine() -> None:
    """A parent that is killed cannot say goodbye; the host notices by itself."""
    start = (
        "import subprocess, sys, time\n"
        "host = subprocess.Popen([sys.executable, '-m', 'sandbox.language_host', 'x'], stdout=subprocess.PIPE)\n"
        "host.stdout.readline()\nprint(host.pid, flush=True)\ntime.sleep(60)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", start], env=environment, stdout=subprocess.PIPE, text=True
    ) as engine:
        assert engine.stdout is not None
        host = int(engine.stdout.readline())
        engine.kill()
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline and alive(host):
            time.sleep(0.05)
        assert not alive(host)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A process whose new parent has not collected it yet is dead all the same.
    status = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return bool(status.stdout.strip()) and not status.stdout.startswith("Z")
