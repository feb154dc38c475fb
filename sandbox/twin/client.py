"""A twin as commands and drills see it: started as a daemon, found by its folder, asked over its socket."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import sandbox
from sandbox.cli import InterruptedRunError, SandboxError, say
from sandbox.twin import control
from sandbox.twin.airflow_api import Airflow
from sandbox.twin.dag_check import Check
from sandbox.twin.dag_release import Release
from sandbox.twin.image import installed
from sandbox.twin.status import News, ServiceStatus, Status, missing
from sandbox.workspace import FOLDER

PROGRAM: Final = "python -m sandbox twin"
DAEMON: Final = "sandbox.twin.daemon"
LOG: Final = "daemon.log"
OUTPUTS: Final = "outputs.json"
"""The stack's outputs."""
LOCK: Final = "lock"
"""Held while a twin lives; it says which process that is."""
ERROR: Final = " error: "
"""Begins the last words of a daemon that cannot go on."""
LOG_LINES: Final = 15
"""Lines of the daemon's log that an error shows."""
START_SECONDS: Final = 300.0
STOP_SECONDS: Final = 60.0
"""Longer than a twin takes to end everything."""
POLL_SECONDS: Final = 0.5


def folders(project: Path) -> Path:
    """Return where the twins of a project have their folders, one for each stack."""
    return project.resolve() / FOLDER / "twin"


class Twin:
    """A twin that runs."""

    def __init__(self, folder: Path) -> None:
        """Take the twin of a folder; nothing is asked yet."""
        self._folder = folder
        self.stack = folder.name

    @classmethod
    def find(cls, project: Path, stack: str | None = None) -> Twin:
        """Find the twin of a project.

        Args:
            project: The folder of its Pulumi.yaml.
            stack: Which; None takes the only one.

        Raises:
            SandboxError: There is none, or more than one.

        """
        known = folders(project)
        if stack is None:
            stacks = sorted(path.parent.name for path in known.glob(f"*/{control.SOCKET}"))
            if not stacks:
                raise SandboxError(f"no twin runs in {known}; start one: {PROGRAM} start STACK")
            if len(stacks) > 1:
                raise SandboxError(f"several twins run, choose one with --stack: {', '.join(stacks)}")
            stack = stacks[0]
        return cls(known / stack)

    def call(self, command: str, /, **arguments: Any) -> Any:
        """Let it do something; see `control.call`."""
        try:
            return control.call(self._folder, command, **arguments)
        except control.NoTwinError as error:
            raise control.NoTwinError(f"{error}; start one: {PROGRAM} start {self.stack}") from error

    def status(self) -> Status:
        """Return what it says of itself."""
        status: Status = self.call("status")
        return status

    def brief_status(self) -> Status:
        """Return the same without memory, which takes time to count."""
        status: Status = self.call("status", memory=False)
        return status

    def airflow(self) -> Airflow:
        """Return its Airflow, as the admin."""
        login = self.call("login")
        return Airflow(self.status()["url"], login["username"], login["password"])

    def service(self, wanted: str) -> ServiceStatus:
        """Return a service by its name or role."""
        services = self.status()["services"]
        found = [service for service in services if wanted in {service["name"], service["role"]}]
        if not found:
            roles = ", ".join(service["role"] for service in services)
            raise SandboxError(f"no service {wanted!r}; there are: {roles}")
        if len(found) > 1:
            names = ", ".join(service["name"] for service in found)
            raise SandboxError(f"several services are {wanted!r}, choose one: {names}")
        return found[0]

    def task(self, service: str, beginning: str) -> str:
        """Return a task's id by its beginning."""
        ids = [task["id"] for task in self.service(service)["tasks"]]
        found = [id for id in ids if id.startswith(beginning)]
        if len(found) != 1:
            known = ", ".join(ids) or "none"
            raise SandboxError(
                f"{len(found) or 'no'} tasks of {service} begin with {beginning!r}; there are: {known}"
            )
        return found[0]

    def tasks(self, service: str, beginning: str | None = None) -> list[str]:
        """Return the id of a task by its beginning, or of each that runs."""
        if beginning is not None:
            return [self.task(service, beginning)]
        return [task["id"] for task in self.service(service)["tasks"] if task["status"] == "RUNNING"]

    def stop(self) -> None:
        """End it, and wait until nothing answers any more."""
        self.call("shutdown")
        end = time.monotonic() + STOP_SECONDS
        with contextlib.suppress(control.NoTwinError):
            while time.monotonic() < end:
                self.call("status", memory=False)
                time.sleep(POLL_SECONDS)
            raise SandboxError(
                f"the twin of {self.stack} still runs after {STOP_SECONDS:g} s; see {self._folder / LOG}"
            )


def start(
    project: Path, stack: str, *options: str, told: Callable[[str], None], check: Check | None = None
) -> Twin:
    """Start the twin of a stack, or bring one that runs up to date, and wait until it is healthy.

    Its DAGs are released meanwhile, as soon as its AWS answers.

    Args:
        project: The folder of the program's Pulumi.yaml.
        stack: An applied stack.
        options: The daemon's.
        told: Gets each line of progress.
        check: Of the DAGs, if one is under way; they are released after it.

    Raises:
        SandboxError: It ended; or it was not healthy in time, or the DAGs are not released, and it goes on.

    """
    folder = folders(project) / stack
    twin, process = Twin(folder), None
    try:
        twin.call("update")
        told(f"the twin of {stack} runs already: bringing it up to date; port and mode stay as they are")
    except control.NoTwinError:
        installed(told)  # here, where a person sees how far it is
        process = _spawn(project, folder, ["--stack", stack, *options])
    news, status = News(), None
    with _taking_along(process), _Releasing(project, folder, told, check) as releasing:
        for status in _statuses(twin, process, folder / LOG):
            for line in news.of(status):
                told(line)
            if status["error"]:
                raise SandboxError(status["error"])
            released = releasing.look(status)
            if status["ready"] and released:
                return twin
    what = missing(status) if status else "it does not answer"
    raise SandboxError(
        f"the twin of {stack} is not healthy after {START_SECONDS:g} s ({what}) and goes on; look with "
        f"`{PROGRAM} status` and `{PROGRAM} logs SERVICE`, end it with `{PROGRAM} stop`; its own log is {folder / LOG}"
    )


def release(project: Path, twin: Twin, told: Callable[[str], None]) -> None:
    """Release the project's DAGs as they are.

    Raises:
        SandboxError: They are not released.

    """
    status = twin.brief_status()
    if not status["aws"]:
        raise SandboxError(f"the twin is not that far yet: {status['phase']}")
    with _Releasing(project, folders(project) / twin.stack, told) as releasing:
        while not releasing.look(status):
            time.sleep(POLL_SECONDS)


class _Releasing:
    """The release of the DAGs that belongs to a start."""

    def __init__(
        self, project: Path, folder: Path, told: Callable[[str], None], check: Check | None = None
    ) -> None:
        self._project, self._folder, self._told, self._check = project.resolve(), folder, told, check
        self._release: Release | None = None
        self._said = False

    def __enter__(self) -> _Releasing:
        return self

    def __exit__(self, *_: object) -> None:
        if self._release is not None:
            self._release.stop()

    def look(self, status: Status) -> bool:
        """Begin when the twin's AWS answers; return whether it has ended well."""
        if self._release is None:
            if not status["aws"] or not (self._check is None or self._check.over):
                return False
            self._release = Release(self._project, self._folder, status["aws"])
        if self._release.over and not self._said:
            self._said = True
            self._release.tell(self._told)
        return self._said


def _spawn(project: Path, folder: Path, options: list[str]) -> subprocess.Popen[bytes]:
    """Start the daemon, which outlives this process."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    with (folder / LOG).open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", DAEMON, "--project", str(project.resolve()), *options],
            env={**os.environ, "PYTHONPATH": str(Path(sandbox.__file__).parent.parent)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


@contextlib.contextmanager
def _taking_along(process: subprocess.Popen[bytes] | None) -> Iterator[None]:
    """End the daemon with a start that is stopped on request."""
    try:
        yield
    except (KeyboardInterrupt, InterruptedRunError):
        if process is not None and process.poll() is None:
            say("ending the twin")
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
        raise


def _statuses(twin: Twin, process: subprocess.Popen[bytes] | None, log: Path) -> Iterator[Status]:
    """Give one status after the other until the time for a start is over."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        try:
            yield twin.brief_status()
        except control.NoTwinError:
            if process is None:
                raise
        if process is not None and process.poll() is not None:
            raise SandboxError(_last_words(log, process.returncode))
        time.sleep(POLL_SECONDS)


def _last_words(log: Path, code: int) -> str:
    """Return why a daemon ended: its own error, otherwise the end of its log."""
    lines = log.read_text(errors="replace").splitlines()
    errors = [number for number, line in enumerate(lines) if ERROR in line[:20]]
    if errors:
        first, *rest = lines[errors[-1] :]
        return "\n".join([f"the twin cannot start: {first.partition(ERROR)[2]}", *rest])
    return "\n".join([f"the twin ended with {code}; the end of {log}:", *lines[-LOG_LINES:]])
