"""The process behind a twin: `python -m sandbox.twin.daemon`, started by `python -m sandbox twin start`.

What must be reachable on this machine, the balancer's socket and the one for commands, is opened first. Then the
process moves into a network of its own, and everything that it starts is in there, too.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from sandbox import recovery
from sandbox.cli import SandboxError
from sandbox.twin import gate, image, isolation, platform, rewriting, surroundings
from sandbox.twin.aws_endpoint import StandIns, TaskRequest, TaskState
from sandbox.twin.control import Server
from sandbox.twin.image import Image
from sandbox.twin.isolation import Isolation, Mode, Namespaces, Plain
from sandbox.twin.model import SecretSource
from sandbox.twin.platform import Platform
from sandbox.twin.rewrites import Facts, Sizes
from sandbox.twin.status import Login, Status
from sandbox.twin.surroundings import BalancerProcess, Servers
from sandbox.twin.twin import ONE_OFF, Twin
from sandbox.workspace import Workspace

TICK_SECONDS: Final = 0.05
STOP_SECONDS: Final = 150.0
"""A worker gets 120 seconds for its running tasks."""
LOCK: Final = "lock"
"""Held while the twin lives; it says which process that is."""
DAGS: Final = "dags"
"""Folder of the project's DAGs: what the shared volume holds."""
STARTING: Final = "services start"
UPDATING: Final = "the services are brought up to date"
READY: Final = "ready"
PLAIN_NOTE: Final = "plain processes: one task of each service, live logs of one worker only"


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
        self.folder = self._workspace.root / "twin" / stack
        self._platform = platform.read(recovery.resources(self._workspace, stack))
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._failure = ""
        self._phase = "reading the stack's state"
        self._notes: list[str] = []
        self._mode = Mode.PLAIN
        self._url = ""
        self._twin: Twin | None = None

    def run(self, port: int) -> int:
        """Run the twin until it is told to end, and return an exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._end.set())
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._alone())
            self._clear()
            listening = stack.enter_context(_listening(port))
            self._url = f"http://localhost:{listening.getsockname()[1]}"
            # Packages may have to be fetched, which is over once this process has a network of its own.
            installed = image.installed(self._note)
            self._mode = isolation.choose(self._note, plain=self._plain)
            if self._mode is Mode.PLAIN:
                self._note(PLAIN_NOTE)
            vpc = isolation.enter_vpc(self._platform.vpc_cidr) if self._mode is Mode.NAMESPACES else None
            control = Server(self.folder, self._commands(), self._lock)
            stack.callback(control.close)
            control.start()
            containers: Isolation = Namespaces(vpc) if vpc else Plain()
            stack.callback(containers.close)
            return self._serve(stack, installed, containers, vpc.gateway if vpc else None, listening)

    def _serve(
        self,
        stack: contextlib.ExitStack,
        installed: Image,
        containers: Isolation,
        gateway: str | None,
        listening: socket.socket,
    ) -> int:
        self._enter("starting database, broker and AWS endpoint")
        servers = stack.enter_context(
            surroundings.serving(self._platform, self.folder, gateway, self._stand_ins())
        )
        twin = Twin(
            facts=self._facts(installed, servers),
            servers=servers,
            isolation=containers,
            gateway=gateway,
            folder=self.folder,
        )
        self._twin = twin
        stack.callback(self._stop, twin)
        opening = threading.Thread(target=self._open, args=(twin, stack, listening), daemon=True)
        opening.start()
        while not self._end.is_set():
            with self._lock:
                twin.tick()
                if self._phase == STARTING and twin.ready():
                    self._enter(READY)
            self._end.wait(TICK_SECONDS)
        opening.join(timeout=STOP_SECONDS)
        if self._failure:
            say(self._failure)
        return 1 if self._failure else 0

    def _open(self, twin: Twin, stack: contextlib.ExitStack, listening: socket.socket) -> None:
        """Let the gate prepare everything, then create the services."""
        try:
            self._enter("the gate makes secrets and prepares the database")
            self._open_gate(twin)
            balancer = BalancerProcess(rewriting.balancer(twin.facts), listening.fileno(), self.folder)
            stack.callback(balancer.close)
            with self._lock:
                twin.start_services(balancer)
            self._enter(STARTING)
        except Exception as error:
            traceback.print_exc()
            self._failure = f"{error}\n{self._bootstrap_log(twin)}".rstrip()
            self._end.set()

    def _open_gate(self, twin: Twin) -> None:
        rendered = json.loads(self._platform.gate.invocation["input"])["hostName"]
        gate.open_gate(
            self._platform,
            twin.servers.endpoint.url,
            self._workspace.program,
            host_name=rewriting.certificate_host(rendered, twin.facts),
        )

    def _bootstrap_log(self, twin: Twin) -> str:
        files = [Path(each["path"]) for each in twin.logs_path(ONE_OFF)]
        return "\n".join(path.read_text(errors="replace") for path in files if path.exists())

    def _facts(self, installed: Image, servers: Servers) -> Facts:
        dags = self._workspace.program / DAGS
        shared = {name for each in self._platform.definitions for name in each.shared_volumes}
        plain = self._mode is Mode.PLAIN
        return Facts(
            platform=self._platform,
            image=installed,
            mode=self._mode,
            url=self._url,
            aws_url=servers.aws_url,
            authority=servers.authority,
            volumes=dict.fromkeys(shared, dags),
            ports={**servers.ports, **_free_ports(self._platform)} if plain else {},
            timers=self._drill,
            sizes=Sizes(tasks=1) if plain else Sizes(),
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

        return StandIns(run_task=run_task, modify_user=modify_user, running=running)

    def _running(self) -> Twin:
        if self._twin is None:
            raise SandboxError(f"the twin is not that far yet: {self._phase}")
        return self._twin

    def _commands(self) -> Mapping[str, Callable[..., Any]]:
        def asked(name: str) -> Callable[..., Any]:
            def ask(**arguments: Any) -> Any:
                return getattr(self._running(), name)(**arguments)

            return ask

        names = (
            "broker", "change", "database", "deploy", "destroy", "environment", "events", "kill", "logs_path", "queue",
            "scale", "stop_task",
        )  # fmt: skip
        return {
            **{name: asked(name) for name in names},
            "exec": asked("execute"),
            "status": self.status,
            "update": self.update,
            "login": self.login,
            "shutdown": self._end.set,
        }

    def status(self) -> Status:
        """Return what the twin is doing."""
        return Status(
            stack=self._stack,
            url=self._url,
            mode=self._mode.value,
            phase=self._phase,
            ready=self._phase == READY and self._running().ready(),
            notes=self._notes,
            services=self._twin.status() if self._twin else [],
        )

    def update(self) -> None:
        """Bring the services to what the stack's state says now; the gate opens first where it was invoked again."""
        twin = self._running()
        if self._phase not in (READY, STARTING):
            raise SandboxError(f"the twin cannot be updated now: {self._phase}")
        found = platform.read(recovery.resources(self._workspace, self._stack))
        invoked = found.gate.invocation != self._platform.gate.invocation
        self._platform = found
        facts = replace(twin.facts, platform=found)
        self._enter(UPDATING)
        threading.Thread(target=self._apply, args=(twin, facts, invoked), daemon=True).start()

    def _apply(self, twin: Twin, facts: Facts, invoked: bool) -> None:
        try:
            if invoked:
                self._open_gate(twin)
            with self._lock:
                twin.update(facts)
            self._enter(STARTING)
        except Exception as error:
            traceback.print_exc()
            self._note(f"the update failed: {error}")
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

    def _stop(self, twin: Twin) -> None:
        self._enter("stopping")
        with self._lock:
            twin.stop_all(STOP_SECONDS)

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
        """Begin with an empty database, as a new stack does; only logs of the last twin are worth looking at."""
        for path in self.folder.iterdir():
            if path.name in (LOCK, "daemon.log"):
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


@contextlib.contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", port))
        except OSError as error:
            raise SandboxError(
                f"port {port} on localhost is taken ({error.strerror}); choose another with --port, 0 takes a free one"
            ) from error
        listening.listen(128)
        yield listening


def _free_ports(found: Platform) -> dict[int, int]:
    """Return a free port for every port that a container listens on."""
    wanted = {port for each in found.definitions for container in each.containers for port in container.ports}
    wanted |= {
        int(value)
        for each in found.definitions
        for container in each.containers
        for name, value in container.environment.items()
        if name.startswith("AIRFLOW__") and name.endswith("_PORT")
    }
    with contextlib.ExitStack() as stack:
        sockets = {port: stack.enter_context(socket.socket()) for port in wanted}
        for each in sockets.values():
            each.bind(("127.0.0.1", 0))
        return {port: each.getsockname()[1] for port, each in sockets.items()}


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
    os.umask(0o022)
    try:
        daemon = Daemon(
            options.project.resolve(), options.stack, plain=options.plain, drill=options.timers == "drill"
        )
        return daemon.run(options.port)
    except Exception as error:
        say(f"error: {error}")
        if not isinstance(error, SandboxError):
            traceback.print_exc()
        return 1


if __name__ == "__main__":
    sys.exit(main())
