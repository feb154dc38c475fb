"""Commands and a twin over a real socket."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.run import SandboxError
from sandbox.twin import control
from sandbox.twin.control import SOCKET, CommandError, NoTwinError, Server, call


def refuse() -> None:
    raise SandboxError("the service has no such task")


def fail() -> None:
    raise KeyError("bug")


STARTED: list[subprocess.Popen[bytes]] = []


def run(script: str, descriptors: list[int]) -> subprocess.Popen[bytes]:
    STARTED.append(subprocess.Popen(["sh", "-c", script], stdout=descriptors[0], stderr=descriptors[1]))
    return STARTED[-1]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Give the folder of a twin that answers."""
    commands: dict[str, Any] = {
        "add": lambda a, b: {"sum": a + b},
        "refuse": refuse,
        "fail": fail,
        "sleep": lambda: time.sleep(1),
        "nothing": lambda: None,
        "run": run,
        "path": Path,
    }
    server = Server(tmp_path, commands)
    server.start()
    yield tmp_path
    server.close()


def test_a_command_gets_its_arguments_and_its_result_comes_back(folder: Path) -> None:
    assert call(folder, "add", a=2, b=3) == {"sum": 5}
    assert call(folder, "nothing") is None


def test_a_refusal_comes_back_in_its_own_words(folder: Path) -> None:
    with pytest.raises(CommandError, match=r"^the service has no such task$"):
        call(folder, "refuse")


def test_an_unexpected_error_comes_back_with_its_kind_and_the_twin_lives_on(folder: Path) -> None:
    with pytest.raises(CommandError, match=r"^KeyError: 'bug'$"):
        call(folder, "fail")
    assert call(folder, "add", a=1, b=1) == {"sum": 2}


def test_a_result_that_is_no_json_is_an_error(folder: Path) -> None:
    with pytest.raises(CommandError, match=r"^TypeError: .* is not JSON serializable"):
        call(folder, "path")


def test_an_unknown_command_is_answered_with_the_known_ones(folder: Path) -> None:
    with pytest.raises(
        CommandError, match=r"^no command 'scale'; there are: add, fail, nothing, path, refuse, run, sleep$"
    ):
        call(folder, "scale")


def test_nobody_else_may_open_the_socket(folder: Path) -> None:
    assert stat.S_IMODE((folder / SOCKET).stat().st_mode) == 0o600


def test_one_connection_takes_many_requests(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(folder / SOCKET))
        lines = connection.makefile("rwb")
        for number in (1, 2):
            lines.write(b'{"command": "add", "arguments": {"a": 1, "b": %d}}\n' % number)
            lines.flush()
            assert json.loads(lines.readline()) == {"ok": True, "result": {"sum": 1 + number}}
        lines.write(b"not json\n")
        lines.flush()
        assert json.loads(lines.readline())["ok"] is False
        lines.close()


def test_without_a_twin_the_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoTwinError, match=f"^no twin runs in {tmp_path}$"):
        call(tmp_path, "status")


def test_a_killed_twin_does_not_keep_the_next_one_from_starting(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / SOCKET))
    with pytest.raises(NoTwinError):
        call(tmp_path, "status")

    server = Server(tmp_path, {"status": lambda: "new"})
    server.start()

    assert call(tmp_path, "status") == "new"
    server.close()


def test_a_second_twin_in_the_same_folder_is_refused(folder: Path) -> None:
    with pytest.raises(SandboxError, match=f"^a twin runs in {folder} already$"):
        Server(folder, {})
    assert call(folder, "nothing") is None


def test_a_closed_twin_leaves_no_socket(tmp_path: Path) -> None:
    server = Server(tmp_path, {})
    server.start()

    server.close()

    assert list(tmp_path.iterdir()) == []


def test_an_answer_that_does_not_come_is_said(folder: Path) -> None:
    with pytest.raises(SandboxError, match=r"^the twin did not answer sleep within 0\.1 s$"):
        call(folder, "sleep", timeout_seconds=0.1)


def test_a_twin_that_ends_before_its_answer_is_said(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / SOCKET))
        listening.listen()

        def hang_up() -> None:
            listening.accept()[0].close()

        threading.Thread(target=hang_up, daemon=True).start()

        with pytest.raises(NoTwinError, match=r"^the twin ended while it was asked for status$"):
            call(tmp_path, "status")


def test_commands_run_one_at_a_time_and_never_beside_the_holder_of_the_lock(tmp_path: Path) -> None:
    lock = threading.Lock()
    server = Server(tmp_path, {"status": lock.locked}, lock)
    server.start()
    with lock, pytest.raises(SandboxError, match="did not answer"):
        call(tmp_path, "status", timeout_seconds=0.1)

    assert call(tmp_path, "status") is True
    server.close()


def test_a_long_folder_name_works(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    server = Server(folder, {"status": lambda: "ok"})
    server.start()

    assert call(folder, "status") == "ok"
    server.close()


def test_a_process_writes_to_the_descriptors_of_the_asker_and_its_exit_code_is_the_answer(
    folder: Path, tmp_path: Path
) -> None:
    with (tmp_path / "out").open("wb") as out, (tmp_path / "err").open("wb") as errors:
        code = call(
            folder, "run", descriptors=(out.fileno(), errors.fileno()), script="echo to; echo fro >&2; exit 7"
        )

    assert code == 7
    assert (tmp_path / "out").read_text() == "to\n"
    assert (tmp_path / "err").read_text() == "fro\n"


def test_the_twin_keeps_no_descriptor_of_an_asker(folder: Path) -> None:
    reading, writing = os.pipe()
    call(folder, "run", descriptors=(writing, writing), script="exit 0")
    os.close(writing)

    assert os.read(reading, 1) == b""  # nobody can write into it any more
    os.close(reading)


def test_a_process_is_killed_when_its_asker_goes_away(folder: Path) -> None:
    with pytest.raises(SandboxError, match="did not answer"):
        call(folder, "run", descriptors=(1, 2), script="exec sleep 60", timeout_seconds=0.1)

    assert STARTED[-1].wait(5) == -signal.SIGKILL


def test_where_a_long_folder_name_cannot_work_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "OPEN_FILES", tmp_path / "none")
    folder = tmp_path / ("long" * 30)
    folder.mkdir()

    with pytest.raises(SandboxError, match="a socket's path may have 100 bytes here; use a shorter folder"):
        Server(folder, {})
