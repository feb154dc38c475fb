"""How a container runs on this machine: in Linux namespaces of its own, or, where that is refused, as a plain process.

Both kinds are started by `inside.py`, the container's init, and both are gone with the process that started them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Protocol

from sandbox.twin.launch import CannotStartError, Stream, Streams
from sandbox.twin.model import Booted, Container
from sandbox.twin.namespaces import Namespaces, enter, host_name
from sandbox.twin.network import NetworkError, Vpc, enter_vpc
from sandbox.twin.plain import LOCALHOST, Plain, beside

__all__ = [
    "CannotStartError",
    "Isolation",
    "Mode",
    "Namespaces",
    "NetworkError",
    "Plain",
    "Process",
    "Streams",
    "Vpc",
    "choose",
    "enter_vpc",
    "exec_from",
    "host_name",
]

_ROOT: Final = Path(__file__).parents[2]
_TRIAL: Final = (
    sys.executable,
    "-c",
    "import sys; from sandbox.twin.isolation import trial; sys.exit(trial() or 0)",
)
_TRIAL_CIDR: Final = "10.0.0.0/28"
_TRIAL_SECONDS: Final = 10.0


class Process(Protocol):
    """A started container."""

    @property
    def pid(self) -> int:
        """The command's process, as this machine numbers it."""

    def poll(self) -> int | None:
        """Return the exit code as ECS shows it, 143 after SIGTERM, or None while the container runs."""

    def signal(self, number: int) -> None:
        """Send a signal to the command's process alone, as the init does."""

    def kill(self) -> None:
        """End everything in the container at once."""

    def memory_bytes(self) -> int:
        """Return the memory of everything in the container, shared pages by parts, the init not counted."""

    def exec(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        stdout: Stream = None,
        stderr: Stream = None,
    ) -> subprocess.Popen[bytes]:
        """Start a further command in the container, with nothing but the given variables.

        Raises:
            CannotStartError: The container is over, or has no such command.

        """

    @property
    def entry(self) -> Mapping[str, object]:
        """Return what `exec_from` needs to do the same from another process; JSON can hold it."""


class Isolation(Protocol):
    """A way to start containers."""

    name: str

    def address(self) -> str:
        """Return an address for a new task; its containers share it."""

    def release(self, address: str) -> None:
        """Take back the address of a task that is over."""

    def start(self, booted: Booted, log: Path) -> Process:
        """Start a container whose output is appended to the log; it runs its command when this returns.

        Raises:
            CannotStartError: It does not get that far.

        """

    def close(self) -> None:
        """End what is still running."""


def exec_from(
    entry: Mapping[str, Any], command: Sequence[str], environment: Mapping[str, str], streams: Streams
) -> subprocess.Popen[bytes]:
    """Start a command in a container that another process has started.

    Args:
        entry: The container's `entry`.
        command: Program and arguments.
        environment: All of its variables.
        streams: What it reads and writes.

    Raises:
        CannotStartError: The container is over, or has no such command.

    """
    if not entry:
        return beside(command, environment, streams)
    user, group = entry["user"]
    return enter(entry["init"], (user, group), command, environment, streams)


class Mode(StrEnum):
    """How containers are kept apart."""

    NAMESPACES = "namespaces"
    PLAIN = "plain"


def choose(say: Callable[[str], None], *, plain: bool = False) -> Mode:
    """Return how containers can be kept apart here, and say it with the reason.

    Args:
        say: Called with one line.
        plain: Plain processes are wanted.

    """
    reason = "as asked" if plain else _refusal()
    if reason:
        say(f"containers run as plain processes on {LOCALHOST}: {reason}")
        return Mode.PLAIN
    rights = "" if os.geteuid() == 0 else ", by a user namespace instead of root"
    say(f"containers run in Linux namespaces with their user, root file system and address{rights}")
    return Mode.NAMESPACES


def _refusal() -> str:
    """Return why namespaces cannot be had; empty when a container could be started."""
    if sys.platform != "linux":
        return f"namespaces need Linux, this is {sys.platform}"
    # In a process of its own, which may enter a user namespace.
    done = subprocess.run(_TRIAL, cwd=_ROOT, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return ""
    # The last line: of a traceback it is the error itself.
    said = (done.stdout + done.stderr).strip().splitlines() or [f"the trial ends with {done.returncode}"]
    return f"namespaces are refused here: {said[-1]}"


def trial() -> str:
    """Start a container that ends at once, in a network of its own; return why that fails."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "hosts").touch()
        try:
            isolation = Namespaces(enter_vpc(_TRIAL_CIDR))
            try:
                started = isolation.start(_trial(isolation.address(), folder), folder / "log")
                return _outcome(started, folder / "log")
            finally:
                isolation.close()
        except (CannotStartError, NetworkError, OSError) as error:
            return str(error)


def _outcome(started: Process, log: Path) -> str:
    until = time.monotonic() + _TRIAL_SECONDS
    while (code := started.poll()) is None:
        if time.monotonic() > until:
            return "a container that should end at once does not"
        time.sleep(0.005)
    return "" if code == 0 else f"a container ends with {code}: {log.read_text().strip()}"


def _trial(address: str, folder: Path) -> Booted:
    container = Container(
        name="trial",
        image="",
        entry_point=(),
        command=("true",),
        environment={},
        secrets={},
        health=None,
        stop_timeout_seconds=0,
        depends_on=(),
        user="50000:0",
        read_only_root=True,
        mounts=(),
        ports=(),
        essential=True,
        init=True,
    )
    return Booted(
        container=container,
        environment={"PATH": os.defpath},
        command=container.command,
        health=None,
        address=address,
        hosts_file=folder / "hosts",
        user=container.user,
        mounts={},
        root_mounts=(),
        scratch=folder / "scratch",
        volumes=folder / "volumes",
        volume_user=container.user,
    )
