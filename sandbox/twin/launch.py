"""Starting the init of a container and looking after it: what containers of both kinds have in common."""

from __future__ import annotations

import contextlib
import marshal
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, TypeAlias

from sandbox.twin import inside

START_SECONDS: Final = 30.0
"""A container that does not get to its command in this time is given up."""
KILL_SECONDS: Final = 10.0
_INIT: Final = (sys.executable, "-I", "-S", "-X", "utf8", inside.__file__)
"""Without site packages and the environment's influence: it starts in 20 ms and stays small."""
_UNCATCHABLE: Final = frozenset({signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT})

Stream: TypeAlias = IO[bytes] | int | None


class CannotStartError(Exception):
    """The container does not get to its command; the message says why, as ECS's CannotStartContainerError does."""


class Init(subprocess.Popen[bytes]):
    """The process of `inside.py`."""

    def kill(self) -> None:
        """Kill the command; the init reaps it and ends with it."""
        self.send_signal(inside.KILL_COMMAND)

    def destroy(self) -> None:
        """Kill the init."""
        super().kill()


class Started:
    """What both kinds of containers have in common: an init that this process waits for."""

    def __init__(self, init: Init, pid: int) -> None:
        """Take over a started init and the number of the command's process."""
        self._init = init
        self.pid = pid

    def poll(self) -> int | None:
        """Return the exit code, or None while the container runs."""
        code = self._init.poll()
        return code if code is None or code >= 0 else 128 - code

    def signal(self, number: int) -> None:
        """Send a signal to the command's process alone."""
        # The init hands on what it can catch; the others would hit itself.
        target = self.pid if number in _UNCATCHABLE else self._init.pid
        # A command that ended within its start was never seen, and 0 would mean this process's own group.
        if self.poll() is None and target:
            with contextlib.suppress(ProcessLookupError):
                os.kill(target, number)

    def wait(self, seconds: float) -> None:
        """Wait until the container is gone."""
        self._init.wait(seconds)

    def memory_bytes(self) -> int:
        """Return the memory of everything in the container but the init."""
        return sum(_proportional_bytes(pid) for pid in self.members())

    def kill(self) -> None:
        """End everything in the container at once."""
        raise NotImplementedError

    def exec(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        stdout: Stream = None,
        stderr: Stream = None,
    ) -> subprocess.Popen[bytes]:
        """Start a further command in the container, with nothing but the given variables."""
        raise NotImplementedError

    @property
    def entry(self) -> dict[str, object]:
        """Return what another process needs to start a command in the container; JSON can hold it."""
        raise NotImplementedError

    def members(self) -> list[int]:
        """Return the processes of the container without its init."""
        raise NotImplementedError


def order_for(
    command: Sequence[str], environment: Mapping[str, str], user: tuple[int, int]
) -> dict[str, object]:
    """Return an order to the init with what is the same for all."""
    return {
        "command": list(command),
        "environment": dict(environment),
        "user": user[0],
        "group": user[1],
        "switch_user": os.geteuid() == 0,
        "isolated": True,
        "root": "",
        "join": [],
    }


@dataclass(frozen=True, kw_only=True)
class Streams:
    """Standard input, output and errors of a command."""

    stdin: Stream = subprocess.DEVNULL
    stdout: Stream = None
    stderr: Stream = None


def launch(order: Mapping[str, object], streams: Streams, *, lifeline: int | None = None) -> tuple[Init, int]:
    """Start an init and return it with the number of the command's process, once the command runs.

    Args:
        order: What `inside.py` shall do.
        streams: What the command reads and writes.
        lifeline: Reading end of a pipe; the container ends when nobody holds the other end any more.

    Raises:
        CannotStartError: The command does not run.

    """
    joined = order["join"]
    assert isinstance(joined, list)
    read_status, write_status = os.pipe()
    read_order, write_order = os.pipe()
    kept = [read_order, write_status, *joined, *([] if lifeline is None else [lifeline])]
    with open(read_status, "rb", buffering=0) as status, open(write_order, "wb") as orders:  # noqa: PTH123
        try:
            init = Init(
                [*_INIT, str(read_order)],
                env={},
                cwd="/",
                stdin=streams.stdin,
                stdout=streams.stdout,
                stderr=streams.stderr,
                pass_fds=kept,
                start_new_session=True,
            )
        finally:
            os.close(read_order)
            os.close(write_status)
        orders.write(marshal.dumps({**order, "lifeline": lifeline, "status": write_status}))
        orders.close()
        # The status closes when the command is executed; a reason is in it when that fails.
        said = list(filter(None, _read_all(status.fileno()).splitlines()))
    # A command that fails at once may be quicker than its init, which writes the number.
    numbers = [line for line in said if line.isdigit()]
    problems = [line for line in said if not line.isdigit()]
    if numbers and not problems:
        return init, int(numbers[0])
    init.destroy()
    init.wait()
    raise CannotStartError("\n".join(problems) or "it ended before it started its command")


def _read_all(descriptor: int) -> str:
    text = b""
    while True:
        ready, _, _ = select.select([descriptor], [], [], START_SECONDS)
        if not ready:
            return f"\nnot started after {START_SECONDS:.0f} s"
        if not (part := os.read(descriptor, 4096)):
            return text.decode(errors="replace")
        text += part


def end_all(started: Sequence[Started]) -> None:
    """Kill containers and wait until they are gone."""
    for process in started:
        process.kill()
    for process in started:
        process.wait(KILL_SECONDS)


def _proportional_bytes(pid: int) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        # Not Linux, or gone meanwhile.
        return _resident_bytes(pid)
    return next((int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:")), 0)


def _resident_bytes(pid: int) -> int:
    listed = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return int(listed.stdout.strip() or 0) * 1024
