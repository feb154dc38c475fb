"""Containers for the tests: what is started, where, and what it said."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from sandbox.twin.isolation import Isolation, Process
from sandbox.twin.model import Booted, Container, Mount

PYTHON = str(Path(sys.executable).resolve())
BASE = Path(PYTHON).parents[1]
"""The interpreter's installation, which only root may reach on some machines."""
PATH = "/usr/local/bin:/usr/bin:/bin"
CIDR = "10.20.0.0/16"
WAIT_SECONDS = 10.0
TMP = Mount(volume="tmp", path="/tmp", read_only=False)

Result = TypeVar("Result")


def container(name: str = "main", /, **changes: Any) -> Container:
    """Return a container of the Airflow image's user with scratch at /tmp, as the program renders it."""
    return replace(
        Container(
            name=name,
            image="image@sha256:0",
            entry_point=(),
            command=("true",),
            environment={},
            secrets={},
            health=None,
            stop_timeout_seconds=30.0,
            depends_on=(),
            user="50000:0",
            read_only_root=True,
            mounts=(TMP,),
            ports=(),
            essential=True,
            init=True,
        ),
        **changes,
    )


@dataclass(frozen=True)
class Place:
    """Starts containers in one way, in one folder."""

    isolation: Isolation
    folder: Path
    thread: ThreadPoolExecutor
    """Its only thread lives in the network of the daemon."""

    def inside(self, work: Callable[[], Result]) -> Result:
        """Run where the daemon would run."""
        return self.thread.submit(work).result()

    def address(self) -> str:
        """Return an address for another task."""
        return self.inside(self.isolation.address)

    def booted(
        self,
        *command: str,
        address: str = "",
        environment: Mapping[str, str] | None = None,
        mounts: Mapping[str, Path] | None = None,
        root_mounts: Sequence[Path] = (BASE,),
        volumes: tuple[Mount, ...] = (TMP,),
        user: str = "50000:0",
        **changes: Any,
    ) -> Booted:
        """Return a container with a command, and a task address of its own if none is given."""
        hosts = self.folder / "hosts"
        hosts.touch()
        return Booted(
            container=container(mounts=volumes, user=user, **changes),
            environment={"PATH": PATH} if environment is None else environment,
            command=command,
            health=None,
            address=address or self.address(),
            hosts_file=hosts,
            user=user,
            mounts=mounts or {},
            root_mounts=tuple(root_mounts),
            scratch=self.folder / "scratch",
            volumes=self.folder / "volumes",
            volume_user="50000:0",
        )

    @property
    def log(self) -> Path:
        """Where the output goes."""
        return self.folder / "log"

    def start(self, booted: Booted) -> Process:
        """Start a container."""
        return self.isolation.start(booted, self.log)

    def output(self, *command: str, **options: Any) -> str:
        """Run a container to its end and return what it wrote; it must end well."""
        self.log.unlink(missing_ok=True)
        code = ended(self.start(self.booted(*command, **options)))
        text = self.log.read_text()
        assert code == 0, text
        return text

    def shell(self, line: str, **options: Any) -> str:
        """Run a line of shell to its end and return what it wrote."""
        return self.output("sh", "-c", line, **options)

    def python(self, code: str, **options: Any) -> str:
        """Run Python code to its end and return what it wrote."""
        return self.output(PYTHON, "-c", code, **options)


def ended(process: Process) -> int:
    """Wait for the end of a container and return its exit code."""
    until(lambda: process.poll() is not None)
    code = process.poll()
    assert code is not None
    return code


def until(true: Callable[[], object]) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def commands_with(word: str) -> list[str]:
    """Return the command lines of this machine that have a word in them."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if word in line:
            found.append(line)
    return found
