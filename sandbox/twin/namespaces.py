"""Containers in Linux namespaces of their own: network, mount, PID, UTS and IPC, with a root file system made anew."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from sandbox.twin import inside, root_files
from sandbox.twin.launch import CannotStartError, Init, Started, Stream, Streams, end_all, launch, order_for
from sandbox.twin.model import Booted
from sandbox.twin.network import TaskNetworks, Vpc, in_thread

_JOINED: Final = ("ipc", "uts", "net", "pid", "mnt")
_RIGHTS: Final = "user"
"""Joined first, where it is not this process's own: it gives the right to join the others."""
_MAIN: Final = 2
"""The command's number in its PID namespace: the first that the init starts."""


def host_name(address: str) -> str:
    """Return the host name of a task, made of its address as on Fargate."""
    return f"ip-{address.replace('.', '-')}.compute.internal"


class _Contained(Started):
    """A container in namespaces of its own."""

    def __init__(self, init: Init, user: tuple[int, int]) -> None:
        super().__init__(init, 0)
        self._user = user
        self.pid = self._main()

    def kill(self) -> None:
        # The kernel ends a PID namespace with its first process.
        self._init.destroy()

    def members(self) -> list[int]:
        """Return all processes of the container but the init."""
        return [pid for pid in _same_namespace(self._init.pid) if pid != self._init.pid]

    def _main(self) -> int:
        for pid in self.members():
            if _number_inside(pid) == _MAIN:
                return pid
        return 0

    @property
    def entry(self) -> dict[str, object]:
        """Return the way into the container's namespaces."""
        return {"init": self._init.pid, "user": list(self._user)}

    def exec(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        stdout: Stream = None,
        stderr: Stream = None,
    ) -> subprocess.Popen[bytes]:
        """Start a command in the container's namespaces, as its user and without privileges.

        Raises:
            CannotStartError: The container is over, or has no such command.

        """
        return enter(self._init.pid, self._user, command, environment, Streams(stdout=stdout, stderr=stderr))


def enter(
    init: int, user: tuple[int, int], command: Sequence[str], environment: Mapping[str, str], streams: Streams
) -> subprocess.Popen[bytes]:
    """Start a command in the namespaces of a container.

    Args:
        init: The container's first process.
        user: User and group of the command.
        command: Program and arguments.
        environment: All of its variables.
        streams: What it reads and writes.

    Raises:
        CannotStartError: The container is over, or has no such command.

    """
    namespaces: list[int] = []
    try:
        own = (
            Path(f"/proc/self/ns/{_RIGHTS}").stat().st_ino == Path(f"/proc/{init}/ns/{_RIGHTS}").stat().st_ino
        )
        for name in _JOINED if own else (_RIGHTS, *_JOINED):
            namespaces.append(os.open(f"/proc/{init}/ns/{name}", os.O_RDONLY | os.O_CLOEXEC))  # noqa: PERF401
        # No lifeline: what joined a container ends with it.
        process, _ = launch(order_for(command, environment, user) | {"join": namespaces}, streams)
        return process
    except FileNotFoundError as error:
        raise CannotStartError("the container is not running") from error
    finally:
        for namespace in namespaces:
            os.close(namespace)


class Namespaces:
    """Containers in network, mount, PID, UTS and IPC namespaces with a root file system of their own."""

    name = "namespaces"

    def __init__(self, vpc: Vpc) -> None:
        """Start none yet.

        Args:
            vpc: The network that the calling process has entered.

        """
        self._networks = TaskNetworks(vpc)
        self._lifeline, self._alive = os.pipe()
        self._started: list[_Contained] = []

    def address(self) -> str:
        """Return the address of a new network namespace.

        Raises:
            NetworkError: None can be made.

        """
        return self._networks.make()

    def release(self, address: str) -> None:
        """Let go of a task's network namespace."""
        self._networks.release(address)

    def start(self, booted: Booted, log: Path) -> Started:
        """Start a container.

        Raises:
            CannotStartError: It does not get to its command.

        """
        user = root_files.user_of(booted)
        if not _is_root() and user != (own := (os.geteuid(), os.getegid())):
            raise CannotStartError(f"without root containers run as {own[0]}:{own[1]}, not as {booted.user}")
        for folder in root_files.scratch_volumes(booted).values():
            _make_scratch(folder, root_files.volume_user_of(booted))
        root = booted.scratch / "root"
        root.mkdir(parents=True, exist_ok=True)
        order = order_for(booted.command, booted.environment, user) | {
            "root": str(root),
            "steps": root_files.steps(booted),
            "read_only": booted.container.read_only_root,
            "host_name": host_name(booted.address),
        }
        network = self._networks[booted.address]

        def launch_inside() -> tuple[Init, int]:
            inside.join(network)
            # The next child of this thread is the first process of a new namespace.
            inside.unshare(inside.CLONE_NEWPID)
            with log.open("ab") as out:
                return launch(order, Streams(stdout=out, stderr=subprocess.STDOUT), lifeline=self._lifeline)

        init, _ = in_thread(launch_inside)
        started = _Contained(init, user)
        self._started = [other for other in self._started if other.poll() is None] + [started]
        return started

    def close(self) -> None:
        """End what is still running and let go of every network."""
        end_all(self._started)
        self._networks.close()
        os.close(self._alive)
        os.close(self._lifeline)


def _make_scratch(folder: Path, user: tuple[int, int]) -> None:
    if folder.exists():
        return  # another container of the task has it as well
    folder.mkdir(parents=True)
    folder.chmod(root_files.SCRATCH_MODE)
    if _is_root():
        os.chown(folder, *user)


def _is_root() -> bool:
    """Return whether this process may become other users; one in a user namespace of its own knows only itself."""
    return os.geteuid() == 0


def _same_namespace(pid: int) -> list[int]:
    """Return all processes of a PID namespace, as numbers of this one."""
    try:
        wanted = Path(f"/proc/{pid}/ns/pid").stat().st_ino
    except FileNotFoundError:
        return []
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (path / "ns" / "pid").stat().st_ino == wanted:
                found.append(int(path.name))
    return found


def _number_inside(pid: int) -> int:
    """Return the number that a process has in its own PID namespace, 0 when it is gone."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("NSpid:"):
                return int(line.split()[-1])
    return 0
