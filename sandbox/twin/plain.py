"""Containers as plain processes of this user: what runs where namespaces are refused."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from sandbox.twin import inside, root_files
from sandbox.twin.launch import CannotStartError, Started, Stream, Streams, end_all, launch, order_for
from sandbox.twin.model import Booted

LOCALHOST: Final = "127.0.0.1"


class _Beside(Started):
    """A container that is a process tree of this machine."""

    def kill(self) -> None:
        if self.poll() is not None:
            return
        # Stopped first, the init cannot end and set the rest free.
        for pid in [self._init.pid, *self.members()]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        for pid in [*self.members(), self._init.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def members(self) -> list[int]:
        """Return the descendants of the init."""
        table = inside.parents() or _parents_by_ps()
        found = {self._init.pid}
        while more := {pid for pid, parent in table if parent in found} - found:
            found |= more
        return sorted(found - {self._init.pid})

    @property
    def entry(self) -> dict[str, object]:
        """Return nothing: there is no wall to get through."""
        return {}

    def exec(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        stdout: Stream = None,
        stderr: Stream = None,
    ) -> subprocess.Popen[bytes]:
        """Start a command beside the container.

        Raises:
            CannotStartError: There is no such command.

        """
        return beside(command, environment, Streams(stdout=stdout, stderr=stderr))


def beside(
    command: Sequence[str], environment: Mapping[str, str], streams: Streams
) -> subprocess.Popen[bytes]:
    """Start a command with nothing but the given variables.

    Raises:
        CannotStartError: There is no such command.

    """
    # Popen would look for the program in this process's PATH.
    program = shutil.which(command[0], path=environment.get("PATH", os.defpath))
    if program is None:
        raise CannotStartError(f"exec: {command[0]!r}: No such file or directory")
    return subprocess.Popen(
        [program, *command[1:]],
        env=dict(environment),
        cwd="/",
        stdin=streams.stdin,
        stdout=streams.stdout,
        stderr=streams.stderr,
    )


class Plain:
    """Containers as processes of this user on the loopback address; nothing keeps their files and ports apart."""

    name = "plain"

    def __init__(self) -> None:
        """Start none yet."""
        self._lifeline, self._alive = os.pipe()
        self._started: list[_Beside] = []

    def address(self) -> str:
        """Return the one address that every system has."""
        return LOCALHOST

    def release(self, address: str) -> None:
        """Do nothing: all tasks share the address."""

    def start(self, booted: Booted, log: Path) -> Started:
        """Start a container.

        Raises:
            CannotStartError: It does not get to its command.

        """
        for folder in root_files.scratch_volumes(booted).values():
            folder.mkdir(parents=True, exist_ok=True)
        order = order_for(booted.command, booted.environment, (0, 0)) | {"isolated": False}
        with log.open("ab") as out:
            streams = Streams(stdout=out, stderr=subprocess.STDOUT)
            init, main = launch(order, streams, lifeline=self._lifeline)
        started = _Beside(init, main)
        self._started = [other for other in self._started if other.poll() is None] + [started]
        return started

    def close(self) -> None:
        """End what is still running."""
        end_all(self._started)
        os.close(self._alive)
        os.close(self._lifeline)


def _parents_by_ps() -> list[tuple[int, int]]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
    rows = (line.split() for line in listed.stdout.splitlines())
    return [(int(pid), int(parent)) for pid, parent in rows]
