"""A twin for tests and drills: started in a project of its own, asked through its socket and its public API."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sandbox.twin import control
from sandbox.twin.airflow_api import Airflow
from tests.engine.support import ROOT, Project

START_SECONDS = 400
SETTLE_SECONDS = 180
POLL_SECONDS = 0.2
STATUS_SECONDS = 1.0
"""Between looks at the status, which adds up the memory of every process."""
DRILL_DAGS = Path(__file__).with_name("dags")


@dataclass
class RunningTwin:
    """A twin that answers."""

    project: Path
    stack: str
    url: str
    username: str
    password: str

    @property
    def folder(self) -> Path:
        """Folder of the twin."""
        return self.project / ".sandbox" / "twin" / self.stack

    @cached_property
    def airflow(self) -> Airflow:
        """Airflow as its administrator."""
        return Airflow(self.url, self.username, self.password)

    def call(self, command: str, **arguments: Any) -> Any:
        """Let the twin do something."""
        return control.call(self.folder, command, **arguments)

    def service(self, role: str) -> Mapping[str, Any]:
        """Return the status of the service with a role or a name."""
        (found,) = [each for each in self.call("status")["services"] if role in (each["role"], each["name"])]
        service: Mapping[str, Any] = found
        return service

    def task(self, role: str) -> str:
        """Return the id of the first running task of a service."""
        ids = [str(task["id"]) for task in self.service(role)["tasks"] if task["status"] == "RUNNING"]
        return ids[0]

    def environment(self, role: str) -> Mapping[str, str]:
        """Return what the container that a service is about was started with."""
        service = self.service(role)
        environment: Mapping[str, str] = self.call("environment", service=service["name"])[service["role"]]
        return environment

    def change(
        self,
        role: str,
        variables: Mapping[str, str | None],
        arguments: Sequence[str] = (),
        *,
        wait: bool = True,
    ) -> None:
        """Deploy a service with other variables; none at all: as rendered."""
        self.call("change", service=role, variables=dict(variables), arguments=list(arguments))
        if wait:
            self.wait_ready()

    def wait_ready(self, seconds: float = SETTLE_SECONDS) -> float:
        """Wait until every service is steady; return how long that took."""
        return self.until(
            lambda: self.call("status")["ready"], seconds, "every service is steady", STATUS_SECONDS
        )

    def until(
        self, done: Callable[[], bool], seconds: float, what: str, poll_seconds: float = POLL_SECONDS
    ) -> float:
        """Wait until something is true; return how long that took.

        Raises:
            TimeoutError: It is not in time.

        """
        began = time.monotonic()
        while not done():
            if time.monotonic() > began + seconds:
                raise TimeoutError(f"not after {seconds:g} s: {what}; {self.call('status')}")
            time.sleep(poll_seconds)
        return time.monotonic() - began

    def run(self, dag_id: str, seconds: float = 120, conf: Mapping[str, Any] | None = None) -> str:
        """Run a DAG and return its final state."""
        airflow = self.airflow
        airflow.pause(dag_id, paused=False)
        run = airflow.trigger(dag_id, conf)
        airflow.wait(dag_id, [run.id], seconds)
        return airflow.run(dag_id, run.id).state

    def log(self, role: str) -> str:
        """Return what the containers of a service have written, those of stopped tasks included."""
        files = sorted((self.folder / "logs" / self.service(role)["name"]).rglob("*.log"))
        return "\n".join(file.read_text(errors="replace") for file in files)

    def log_file(self, role: str) -> Path:
        """Return the log of the first running task of a service: of the container that the service is about."""
        name = self.service(role)["role"]
        files = self.call("logs_path", service=role, task=self.task(role))
        return next(Path(each["path"]) for each in files if each["container"] == name)

    def release(self) -> None:
        """Release the project's DAGs as they are.

        Raises:
            AssertionError: They are not released.

        """
        assert self._sandbox("twin", "release", "--stack", self.stack).returncode == 0, (
            "the DAGs are not released"
        )

    def operations(self, *arguments: str) -> Any:
        """Run a command of the operators and return its result."""
        environment = {**os.environ, **self.call("status", memory=False)["aws"]}
        command = [sys.executable, "-m", "operations", *arguments, "--json"]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=False
        )
        return json.loads(done.stdout)

    def exec(self, role: str, *command: str, container: str | None = None) -> tuple[int, str]:
        """Run a command in a container, by default the one that the service is about; return exit code and output."""
        which = ["--container", container] if container else []
        done = self._sandbox("twin", "exec", role, "--stack", self.stack, *which, "--", *command)
        return done.returncode, done.stdout

    def _sandbox(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return sandbox(self.project, *arguments)


def sandbox(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the sandbox on a project; its standard error goes where this process's goes."""
    command = [sys.executable, "-m", "sandbox", "--project", str(project), *arguments]
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)


@contextlib.contextmanager
def running(
    folder: Path, stack: str = "dev", *options: str, prepare: Callable[[Project], None] = lambda _: None
) -> Iterator[RunningTwin]:
    """Apply a stack of this repository's program in a folder, and run its twin until the block ends.

    Args:
        folder: Where the project is made.
        stack: What is applied.
        options: Of `twin start`, such as --plain.
        prepare: Changes the project before it is applied.

    """
    copied = Project.platform(folder)
    prepare(copied)
    project = copied.folder
    shutil.copytree(ROOT / "dags", project / "dags", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(DRILL_DAGS, project / "dags" / "drills", ignore=shutil.ignore_patterns("__pycache__"))
    assert sandbox(project, "--no-checkpoints", "up", stack).returncode == 0, f"{stack} cannot be applied"
    started = sandbox(project, "twin", "start", stack, "--port", "0", *options)
    try:
        assert started.returncode == 0, f"the twin does not start: {started.stdout}"
        twin = project / ".sandbox" / "twin" / stack
        status, login = control.call(twin, "status"), control.call(twin, "login")
        yield RunningTwin(project, stack, status["url"], login["username"], login["password"])
    finally:
        twin = project / ".sandbox" / "twin" / stack
        end(twin)
    assert "Traceback" not in (twin / "daemon.log").read_text(), "the daemon had trouble of its own"


def end(folder: Path) -> None:
    """End the daemon of a twin by its process, however far it has come."""
    try:
        number = int((folder / "lock").read_text())
        os.kill(number, signal.SIGTERM)
    except (OSError, ValueError):
        return
    until = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < until:
        try:
            with (folder / "lock").open() as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            time.sleep(POLL_SECONDS)
    os.kill(number, signal.SIGKILL)
