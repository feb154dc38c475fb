"""Run the real Pulumi CLI against the simulated cloud, and keep what it leaves behind in order."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from sandbox import recovery
from sandbox.engine import Engine, find
from sandbox.graph import Graph, from_plan, from_preview, from_state
from sandbox.provider.faults import Faults
from sandbox.provider.inventory import Inventory
from sandbox.provider.latency import Latencies
from sandbox.workspace import Workspace

READ_ONLY: Final = frozenset(
    {"preview", "pre", "about", "version", "whoami", "help", "logs", "config", "policy"}
)
"""Subcommands that leave the simulated cloud and the states alone."""
GRACE_SECONDS: Final = 5.0
"""How long an engine that outlived its sandbox may take to end by itself."""
TRACE: Final = "engine.pid"
"""Names the engine under way; what is left of it tells the next run that this one was interrupted."""
PACKAGES: Final = ("aws", "awsx", "docker", "random", "tls")
"""The providers that are simulated, all by one process on one port."""
PLAN_NOTES: Final = ("Update plan written to", "Run `pulumi up --plan=")
"""What the CLI says of the plan file, which only the edge checks read."""
PARALLEL: Final = 64
"""Operations at once: creation is mostly waiting for AWS, and the engine's own default of 8 here is slower."""


class SandboxError(Exception):
    """The sandbox cannot do what was asked; the message is all a person needs."""


class InterruptedRunError(SandboxError):
    """The run was stopped by a signal; what was done stays recorded."""


@dataclass(frozen=True)
class Options:
    """What a person chooses for one run."""

    account: str | None = None
    """Account of the simulated credentials; None takes the one that the program allows."""
    latency_scale: float = 0.0
    """1.0 waits as long as AWS takes, 0.0 not at all."""
    failures: Sequence[str] = ()
    """Planted failures, `TYPE::NAME[=once|always]`."""
    port: int = 0
    """TCP port of the simulated providers on 127.0.0.1; 0 takes a free one."""
    stats: Path | None = None
    """Where to write what the simulated provider cost: calls and processor seconds by method, as JSON."""


def say(line: str) -> None:
    """Tell the person something; standard output belongs to Pulumi."""
    print(f"sandbox: {line}", file=sys.stderr, flush=True)  # noqa: T201


@dataclass
class Sandbox:
    """One project's sandbox with its provider serving; made by `opened`."""

    workspace: Workspace
    engine: Engine
    inventory: Inventory
    environment: dict[str, str]
    serve: Callable[[], None]
    """Starts the simulated providers, once; called when the CLI is already starting, which takes as long."""
    _ready: set[str] = field(default_factory=set)

    # -- the CLI ------------------------------------------------------------------------------------------------------

    def pulumi(
        self,
        arguments: Sequence[str],
        *,
        quiet: bool = False,
        capture: bool = False,
        hide: Sequence[str] = (),
    ) -> subprocess.CompletedProcess[str]:
        """Run the CLI; with `quiet` its output is returned instead of shown.

        Args:
            arguments: The CLI's arguments.
            quiet: Return standard output and errors together, and show nothing.
            capture: Return standard output, and show errors only.
            hide: Lines of its standard error that begin so are not shown.

        Raises:
            InterruptedRunError: SIGINT or SIGTERM arrived; the CLI was given the chance to stop in good order.

        """
        interactive = sys.stdin.isatty() and not (quiet or capture)
        pipe = subprocess.PIPE if quiet or capture else None
        process = subprocess.Popen(
            [self.engine.path, *arguments],
            cwd=self.workspace.folder,
            env=self.environment,
            stdin=None if interactive else subprocess.DEVNULL,
            stdout=pipe,
            stderr=subprocess.STDOUT if quiet else subprocess.PIPE if hide else None,
            text=True,
            # At a terminal Ctrl-C reaches the CLI by itself; elsewhere it is passed on, to the CLI alone.
            process_group=None if interactive else 0,
        )
        self._remember(process.pid)
        self.serve()
        stopped: list[int] = []

        def pass_on(number: int, _frame: object) -> None:
            stopped.append(number)
            if not (interactive and number == signal.SIGINT):
                process.send_signal(signal.SIGINT)

        if hide and process.stderr:
            threading.Thread(target=_show_except, args=(process.stderr, tuple(hide)), daemon=True).start()
        with _handling(pass_on):
            output = process.stdout.read() if process.stdout else ""
            process.wait()
        if process.returncode >= 0:  # a killed engine leaves the trace, for the next run to clean up after it
            (self.workspace.root / TRACE).unlink(missing_ok=True)
        if stopped:
            raise InterruptedRunError(
                "stopped on request; what was finished is recorded, and the same command goes on from there"
            )
        return subprocess.CompletedProcess(process.args, process.returncode, output, "")

    def _remember(self, pid: int) -> None:
        (self.workspace.root / TRACE).write_text(json.dumps({"pid": pid, "path": str(self.engine.path)}))

    # -- whole operations ---------------------------------------------------------------------------------------------

    def prepare(self, stack: str) -> None:
        """Make a stack usable: initialised, its secrets replaced by placeholders, its interruptions cleaned up."""
        if stack in self._ready:
            return
        self.workspace.check_stack(stack)
        if not (self.workspace.states / f"{stack}.json").exists():
            self._quietly(["stack", "init", stack])
        for key, placeholder in self.workspace.plain_secrets(stack):
            say(f"{stack}: the secret {key} is a placeholder here")
            self._quietly(["config", "set", "--secret", key, placeholder, "--stack", stack])
        recovery.clear_dead_locks(self.workspace, stack, say)
        recovery.clear_pending_operations(self.workspace, stack, say)
        self._ready.add(stack)

    def prepare_references(self, stack: str, *, again: bool) -> None:
        """Apply the stacks that a stack references: those never applied, or all of them with `again`."""
        for reference in self.workspace.references(stack):
            if again or not recovery.resources(self.workspace, reference):
                say(f"{stack} references {reference}: applying it first")
                self.up(reference)

    def preview(self, stack: str, extra: Sequence[str] = ()) -> int:
        """Preview one stack and check its mandatory edges."""
        self.prepare_references(stack, again=False)
        self.prepare(stack)
        plan = self.workspace.root / f"{stack}.plan.json"
        done = self.pulumi(["preview", "--stack", stack, "--save-plan", str(plan), *extra], hide=PLAN_NOTES)
        if done.returncode:
            return done.returncode
        self.check_edges(stack, from_plan(plan))
        return 0

    def up(self, stack: str, extra: Sequence[str] = ()) -> None:
        """Apply one stack and what it references, after its edges are proven on a preview.

        Raises:
            SandboxError: The preview, the edges or the update failed.

        """
        self.prepare_references(stack, again=True)
        self.prepare(stack)
        say(f"up {stack}: checking the program on a preview")
        self.refuse_missing_edges(stack)
        done = self.pulumi(
            ["up", "--stack", stack, "--yes", "--skip-preview", "--parallel", str(PARALLEL), *extra]
        )
        if done.returncode:
            raise SandboxError(
                f"up {stack} failed; nothing that was created is lost: fix it and run it again"
            )

    def down(self, stack: str) -> None:
        """Destroy one stack and forget it.

        Raises:
            SandboxError: The destruction failed.

        """
        self.prepare(stack)
        if any(resource.get("protect") for resource in recovery.resources(self.workspace, stack)):
            say(f"{stack}: lifting the protection of its resources (they are simulated)")
            self._quietly(["state", "unprotect", "--all", "--yes", "--stack", stack])
        done = self.pulumi(["destroy", "--stack", stack, "--yes", "--parallel", str(PARALLEL)])
        if done.returncode:
            raise SandboxError(f"down {stack} failed; run it again")
        self._quietly(["stack", "rm", stack, "--yes", "--preserve-config"])
        self._ready.discard(stack)

    def refuse_missing_edges(self, stack: str) -> None:
        """Preview a stack silently and refuse it when a mandatory edge is missing."""
        plan = self.workspace.root / f"{stack}.plan.json"
        done = self.pulumi(
            ["preview", "--stack", stack, "--save-plan", str(plan), "--color", "never"], quiet=True
        )
        if done.returncode:
            sys.stdout.write(done.stdout)
            raise SandboxError(f"up {stack}: the preview failed; nothing was changed")
        self.check_edges(stack, from_plan(plan))

    def check_edges(self, stack: str, graph: Graph) -> None:
        """Refuse a graph that lacks a mandatory edge.

        Raises:
            SandboxError: Lists every missing edge.

        """
        from sandbox.edges import violations

        missing = [f"  {violation}" for violation in violations(graph)]
        if missing:
            raise SandboxError(f"{stack}: {len(missing)} mandatory edge(s) missing:\n" + "\n".join(missing))

    def passthrough(self, arguments: Sequence[str]) -> int:
        """Run any Pulumi command as it stands, with the sandbox's checks around previews and updates."""
        command = next((word for word in arguments if not word.startswith("-")), "")
        stack = stack_option(arguments)
        if stack and arguments[:2] != ["stack", "init"]:
            if command in ("preview", "pre", "up", "update"):
                self.prepare_references(stack, again=False)
            self.prepare(stack)
        if command in ("preview", "pre") and stack and "--save-plan" not in " ".join(arguments):
            if "--json" in arguments or "-j" in arguments:
                return self._json_preview(stack, arguments)
            plan = self.workspace.root / f"{stack}.plan.json"
            done = self.pulumi([*arguments, "--save-plan", str(plan)], hide=PLAN_NOTES)
            if not done.returncode:
                self.check_edges(stack, from_plan(plan))
            return done.returncode
        if command in ("up", "update") and stack and not {"--skip-preview", "-f"} & set(arguments):
            self.refuse_missing_edges(stack)
            if {"--yes", "-y"} & set(arguments):
                arguments = [*arguments, "--skip-preview"]
        code = self.pulumi(arguments).returncode
        if not code and command in ("up", "update") and stack:
            self.check_edges(stack, from_state(recovery.resources(self.workspace, stack)))
        return code

    def _json_preview(self, stack: str, arguments: Sequence[str]) -> int:
        done = self.pulumi(arguments, capture=True)
        sys.stdout.write(done.stdout)
        if not done.returncode:
            self.check_edges(stack, from_preview(done.stdout))
        return done.returncode

    def _quietly(self, arguments: Sequence[str]) -> None:
        done = self.pulumi([*arguments, "--color", "never"], quiet=True)
        if done.returncode:
            raise SandboxError(f"pulumi {' '.join(arguments)} failed:\n{done.stdout.rstrip()}")


def _show_except(lines: IO[str], hide: tuple[str, ...]) -> None:
    for line in lines:
        if not line.startswith(hide):
            sys.stderr.write(line)
            sys.stderr.flush()


def stack_option(arguments: Sequence[str]) -> str | None:
    """Return the stack that Pulumi arguments name with --stack or -s."""
    for index, word in enumerate(arguments):
        if word in ("--stack", "-s") and index + 1 < len(arguments):
            return arguments[index + 1]
        if word.startswith(("--stack=", "-s=")):
            return word.split("=", 1)[1]
    return None


@contextlib.contextmanager
def opened(project: Path, options: Options, *, writes: bool) -> Iterator[Sandbox]:
    """Serve the simulated providers for a project until the block ends.

    Args:
        project: Folder of the program's Pulumi.yaml.
        options: What the person chose.
        writes: Whether states may change: only one such run at a time.

    Raises:
        SandboxError: Another run is under way.
        EngineError: No Pulumi CLI can be had.
        WorkspaceError: The project is not usable.
        OSError: The port is in use.

    """
    workspace = Workspace(project.resolve())
    _ = workspace.name
    faults = Faults(options.failures)
    engine = find(say)
    workspace.refresh(engine)
    with _alone(workspace) if writes else contextlib.nullcontext(), _reserved(options.port) as port:
        inventory = Inventory(workspace.journal, run=uuid.uuid4().hex)
        if writes and (workspace.root / TRACE).exists():
            _wait_for_survivor(workspace)
            for stack in workspace.applied():
                recovery.delete_orphans(workspace, stack, inventory, say)
            (workspace.root / TRACE).unlink()
        with contextlib.ExitStack() as serving:

            @functools.cache
            def serve_once() -> None:
                # Imported late: gRPC and the schema facts take 0.2 s, which the CLI needs to start as well.
                from sandbox.provider.server import SimulatedProvider, serve

                provider = SimulatedProvider(
                    inventory,
                    account=options.account,
                    latencies=Latencies(options.latency_scale),
                    faults=faults,
                )
                serving.enter_context(serve(provider, port))
                if options.stats:
                    serving.callback(_write_stats, options.stats, provider.overhead)

            environment = workspace.environment(engine, debug_providers(port))
            yield Sandbox(workspace, engine, inventory, environment, serve_once)


def debug_providers(port: int) -> str:
    """Return the value of PULUMI_DEBUG_PROVIDERS that attaches the engine to the served port."""
    return ",".join(f"{package}:{port}" for package in PACKAGES)


def _write_stats(path: Path, overhead: Any) -> None:
    path.write_text(json.dumps({"calls": overhead.calls, "seconds": overhead.seconds}))


@contextlib.contextmanager
def _reserved(port: int) -> Iterator[int]:
    """Hold a port for the providers, which start serving on it only after the CLI has been told of it."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as reservation:
        reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            reservation.bind(("127.0.0.1", port))
        except OSError as error:
            raise SandboxError(
                f"port {port} on 127.0.0.1 cannot be had ({error.strerror}); "
                "choose another with --port, or leave it out"
            ) from error
        yield reservation.getsockname()[1]


@contextlib.contextmanager
def _alone(workspace: Workspace) -> Iterator[None]:
    with (workspace.root / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise SandboxError(
                f"another sandbox command is changing {workspace.root} (process {lock.read().strip()}); "
                "wait for it, or stop it"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _wait_for_survivor(workspace: Workspace) -> None:
    """Let the engine of a sandbox that was killed end by itself; then end it: its providers are gone."""
    try:
        known = json.loads((workspace.root / TRACE).read_text())
    except json.JSONDecodeError:  # killed while writing it, just after the engine's start
        return
    deadline = time.monotonic() + GRACE_SECONDS
    told = False
    while _runs(known["pid"], known["path"]):
        if not told:
            say(f"waiting for the engine of an interrupted run (process {known['pid']}) to end")
            told = True
        if time.monotonic() > deadline:
            os.kill(known["pid"], signal.SIGKILL)
        time.sleep(0.1)


def _runs(pid: int, path: str) -> bool:
    """Say whether a process is alive and still that program: numbers are used again."""
    answer = subprocess.run(
        ["ps", "-o", "stat=,command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    line = answer.stdout.strip()
    return path in line and not line.startswith("Z")


@contextlib.contextmanager
def _handling(handler: Any) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
