"""The process behind a twin: `python -m sandbox.twin.daemon`, started by `python -m sandbox twin start`.

What must be reachable on this machine, the balancer's socket and the one for commands, is opened first. Then the
process moves into a network of its own, and everything that it starts is in there, too. The main loop alone changes
the twin; what takes long runs beside it and is concluded in it.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from sandbox import recovery
from sandbox.cli import SandboxError
from sandbox.twin import gate, image, isolation, platform, preparation, rewriting, surroundings
from sandbox.twin.aws_endpoint import ServiceTask, StandIns, TaskRequest, TaskState
from sandbox.twin.client import LOCK, LOG, OUTPUTS, folders
from sandbox.twin.control import Server
from sandbox.twin.folders import erase
from sandbox.twin.isolation import Isolation, Mode, Namespaces, Plain
from sandbox.twin.job import Job
from sandbox.twin.model import SecretSource, TaskDefinition
from sandbox.twin.platform import Platform
from sandbox.twin.status import Login, Status
from sandbox.twin.surroundings import BalancerProcess
from sandbox.twin.twin import ONE_OFF, Twin
from sandbox.workspace import Workspace

TICK_SECONDS: Final = 0.05
GRACE_SECONDS: Final = 15.0
"""What tasks get to end with the twin: its database goes with it, so nobody waits for what they would still do."""
JOB_SECONDS: Final = 10.0
OPENING: Final = "the gate makes secrets and prepares the database"
STARTING: Final = "services start"
UPDATING: Final = "the services are brought up to date"
READY: Final = "ready"
STOPPING: Final = "stopping"
OUTPUTS_VARIABLE: Final = "OPERATIONS_OUTPUTS"
"""Where `python -m operations` looks for the file of the outputs."""
PLAIN_NOTE: Final = "plain processes: one task of each service, live logs of one worker only"
FIXED: Final = (
    "account", "region", "vpc_cidr", "metastore", "broker", "buckets", "release_bucket", "access_points", "ledger",
)  # fmt: skip
"""What of a platform a running twin cannot take over."""


class Daemon:
    """One twin from its start to its end."""

    def __init__(self, project: Path, stack: str, *, plain: bool, drill: bool) -> None:
        """Read what the stack's state says.

        Raises:
            PlatformError: The state holds no platform.
            WorkspaceError: The project is not usable.

        """
        self._workspace = Workspace(project)
        self._stack, self._plain, self._drill = stack, plain, drill
        self.folder = folders(project) / stack
        self._platform = platform.read(recovery.resources(self._workspace, stack))
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._phase = "reading the stack's state"
        self._notes: list[str] = []
        self._error = ""
        """Why the last update failed, or what has ended that should not."""
        self._failure = ""
        """Why the twin cannot start."""
        self._mode = Mode.PLAIN
        self._url = ""
        self._twin: Twin | None = None
        self._balancer: BalancerProcess | None = None
        self._job: Job | None = None
        # Servers end with the thread that starts them, so it must live as long as this process.
        self._servers = ThreadPoolExecutor(1, "servers")

    def run(self, port: int) -> None:
        """Run the twin until it is told to end.

        Raises:
            SandboxError: It cannot start.

        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._end.set())
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._alone())
            self._clear()
            listening = stack.enter_context(preparation.listening(port))
            self._url = f"http://localhost:{listening.getsockname()[1]}"
            outside = stack.enter_context(preparation.listening(0))
            # Packages may have to be fetched, which is over once this process has a network of its own.
            installed = image.installed(say)
            preparation.check_readable(installed)
            self._mode = isolation.choose(self._note, plain=self._plain)
            if self._mode is Mode.PLAIN:
                self._note(PLAIN_NOTE)
            vpc = isolation.enter_vpc(self._platform.vpc_cidr) if self._mode is Mode.NAMESPACES else None
            gateway = vpc.gateway if vpc else None
            stack.callback(self._servers.shutdown)
            control = Server(self.folder, self._commands(), self._lock, unlocked=("broker", "database"))
            stack.callback(control.close)
            control.start()
            containers: Isolation = Namespaces(vpc) if vpc else Plain()
            stack.callback(containers.close)
            self._enter("starting database, broker and AWS endpoint")
            servers = stack.enter_context(
                surroundings.serving(
                    self._platform, self.folder, gateway, self._stand_ins(), self._servers, outside
                )
            )
            self._write_outputs()
            facts = preparation.facts(
                self._platform,
                installed,
                servers,
                mode=self._mode,
                url=self._url,
                folder=self.folder,
                drill=self._drill,
            )
            twin = Twin(
                facts=facts,
                servers=servers,
                isolation=containers,
                gateway=gateway,
                folder=self.folder,
                told=say,
            )
            self._twin = twin
            try:
                self._begin(
                    OPENING,
                    lambda: self._open_gate(self._platform),
                    lambda: self._start_services(twin, listening),
                    self._fail,
                )
                self._loop(twin)
            finally:
                self._stop(twin)
        if self._failure:
            raise SandboxError(self._failure)

    # The main loop.

    def _loop(self, twin: Twin) -> None:
        while not self._end.is_set():
            with self._lock:
                twin.tick()
                self._advance(twin)
            self._end.wait(TICK_SECONDS)

    def _advance(self, twin: Twin) -> None:
        if self._job is not None and self._job.over:
            job, self._job = self._job, None
            job.conclude()
        if self._phase == STARTING and twin.ready():
            self._enter(READY)
        if self._balancer is not None and not self._balancer.alive:
            self._error = f"the balancer has ended; see {self.folder / 'balancer.log'}; start the twin again"

    def _begin(
        self,
        phase: str,
        work: Callable[[], Any],
        then: Callable[[], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._enter(phase)
        self._job = Job(work, then, failed)

    def _start_services(self, twin: Twin, listening: socket.socket) -> None:
        self._listening = listening
        twin.start_services(self._new_balancer(twin))
        self._enter(STARTING)

    def _new_balancer(self, twin: Twin) -> BalancerProcess:
        if self._balancer is not None:
            self._balancer.close()
        configuration = rewriting.balancer(twin.facts)
        self._balancer = BalancerProcess(configuration, self._listening.fileno(), self.folder)
        return self._balancer

    def _fail(self, error: Exception) -> None:
        own = {each.name for each in self._platform.bootstrap.containers}
        files = self._running().logs_path(ONE_OFF)
        logs = [Path(each["path"]) for each in files if each["container"] in own]
        said = [path.read_text(errors="replace") for path in logs if path.exists()]
        self._failure = "\n".join([str(error), *said]).rstrip()
        self._end.set()

    def _stop(self, twin: Twin) -> None:
        self._enter(STOPPING)
        if self._job is not None:
            # The gate ends with the event.
            self._job.join(JOB_SECONDS)
        with self._lock:
            twin.stop()
        end = time.monotonic() + GRACE_SECONDS
        while not twin.over and time.monotonic() < end:
            with self._lock:
                twin.tick()
            time.sleep(TICK_SECONDS)
        if self._balancer is not None:
            self._balancer.close()

    # The gate, and what AWS's endpoint asks for.

    def _open_gate(self, opened: Platform) -> None:
        twin = self._running()
        rendered = json.loads(opened.gate.invocation["input"])["hostName"]
        gate.open_gate(
            opened,
            twin.servers.endpoint.url,
            self._workspace.program,
            host_name=rewriting.certificate_host(rendered, twin.facts),
            stop=self._end,
        )

    def _stand_ins(self) -> StandIns:
        """Return what the endpoint asks for; its threads wait for the twin's lock."""

        def run_task(request: TaskRequest) -> Callable[[], TaskState]:
            with self._lock:
                return self._running().run_task(request)

        def modify_user(request: Mapping[str, Any]) -> None:
            self._running().modify_user(request)

        def running(service: str) -> int:
            with self._lock:
                return self._running().running_count(service)

        def tasks() -> list[ServiceTask]:
            with self._lock:
                return self._running().service_tasks()

        def definition(named: str) -> TaskDefinition | None:
            with self._lock:
                return self._running().definition(named)

        def log(group: str, stream: str) -> list[str] | None:
            with self._lock:
                return self._running().log_lines(group, stream)

        def metadata(container_id: str) -> Mapping[str, Any] | None:
            with self._lock:
                return self._running().metadata(container_id)

        return StandIns(
            run_task=run_task,
            modify_user=modify_user,
            running=running,
            tasks=tasks,
            definition=definition,
            log=log,
            metadata=metadata,
        )

    def _running(self) -> Twin:
        if self._twin is None:
            raise SandboxError(f"the twin is not that far yet: {self._phase}")
        return self._twin

    # Commands.

    def _commands(self) -> Mapping[str, Callable[..., Any]]:
        def asked(name: str) -> Callable[..., Any]:
            def ask(**arguments: Any) -> Any:
                return getattr(self._running(), name)(**arguments)

            return ask

        def on_servers(name: str) -> Callable[..., Any]:
            return lambda **arguments: self._servers.submit(asked(name), **arguments).result()

        names = (
            "change", "deploy", "destroy", "environment", "events", "kill", "logs_path", "queue", "scale", "stop_task",
        )  # fmt: skip
        return {
            **{name: asked(name) for name in names},
            "broker": on_servers("broker"),
            "database": on_servers("database"),
            "exec": asked("execute"),
            "status": self.status,
            "update": self.update,
            "login": self.login,
            "shutdown": self._end.set,
        }

    def status(self, *, memory: bool = True) -> Status:
        """Return what the twin is doing; without memory it is much cheaper."""
        twin = self._twin
        return Status(
            stack=self._stack,
            url=self._url,
            mode=self._mode.value,
            phase=self._phase,
            ready=self._phase == READY and twin is not None and twin.ready(),
            error=self._error,
            aws={**twin.servers.endpoint.outside, OUTPUTS_VARIABLE: str(self.folder / OUTPUTS)}
            if twin
            else {},
            notes=self._notes,
            services=twin.status(memory=memory) if twin else [],
        )

    def update(self) -> None:
        """Bring the services to what the stack's state says now; the gate opens first where it was invoked again.

        Raises:
            SandboxError: Something changed that a running twin cannot take over.

        """
        if self._phase not in (READY, STARTING):
            return  # it is on its way to that very state, or was asked already
        twin = self._running()
        found = platform.read(recovery.resources(self._workspace, self._stack))
        changed = [name for name in FIXED if getattr(found, name) != getattr(self._platform, name)]
        if changed:
            raise SandboxError(
                f"the twin of {self._stack} cannot take over another {', '.join(changed)}: stop it and start it again"
            )
        self._error = ""
        invoked = found.gate.invocation != self._platform.gate.invocation
        self._begin(
            UPDATING,
            lambda: self._open_gate(found) if invoked else None,
            lambda: self._apply(twin, found),
            self._update_failed,
        )

    def _apply(self, twin: Twin, found: Platform) -> None:
        before = rewriting.balancer(twin.facts)
        self._platform = found
        self._write_outputs()
        twin.servers.endpoint.know(found)
        twin.update(replace(twin.facts, platform=found))
        if rewriting.balancer(twin.facts) != before:
            twin.balancer = self._new_balancer(twin)
        self._enter(STARTING)

    def _update_failed(self, error: Exception) -> None:
        self._error = f"the update failed, the services run as before: {error}"
        say(self._error)
        self._enter(READY)

    def login(self) -> Login:
        """Return who can log in to Airflow."""
        twin = self._running()
        arn = self._platform.secrets["admin-user"]
        resolve = twin.servers.endpoint.resolve
        return Login(
            username=resolve(SecretSource(arn=arn, key="username")),
            password=resolve(SecretSource(arn=arn, key="password")),
            source=arn.rpartition(":")[2],
        )

    # The folder.

    def _write_outputs(self) -> None:
        """Write what `pulumi stack output --json` prints, for those who have no access to the state."""
        text = json.dumps(self._platform.outputs, indent=2, sort_keys=True)
        (self.folder / OUTPUTS).write_text(f"{text}\n", encoding="utf-8")

    def _enter(self, phase: str) -> None:
        self._phase = phase
        say(phase)

    def _note(self, text: str) -> None:
        say(text)
        self._notes.append(text)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        with (self.folder / LOCK).open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise SandboxError(f"a twin of {self._stack} runs already") from None
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            yield

    def _clear(self) -> None:
        """Begin with an empty database, as a new stack does."""
        for path in self.folder.iterdir():
            if path.name in (LOCK, LOG):
                continue
            if path.is_dir() and not path.is_symlink():
                erase(path)
            else:
                path.unlink()


def say(text: str) -> None:
    """Write a line of the daemon's log."""
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)  # noqa: T201


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a twin."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.twin.daemon", description=__doc__)
    parser.add_argument("--project", type=Path, required=True, help="folder of the Pulumi program")
    parser.add_argument("--stack", required=True, help="an applied stack")
    parser.add_argument("--port", type=int, required=True, help="port on localhost; 0: a free one")
    parser.add_argument("--plain", action="store_true", help="plain processes")
    parser.add_argument("--timers", choices=["drill"], help="shorten the timers that faults run into")
    options = parser.parse_args(arguments)
    # Containers read some of its files as another user; the folder itself is for this user only.
    os.umask(0o022)
    try:
        Daemon(
            options.project.resolve(), options.stack, plain=options.plain, drill=options.timers == "drill"
        ).run(options.port)
    except Exception as error:
        if not isinstance(error, SandboxError):
            traceback.print_exc()
        say(f"error: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
