"""Stacks on simulated AWS: prepared, previewed, applied and destroyed with the real Pulumi CLI."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import json
import os
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from sandbox import recovery
from sandbox.arguments import Arguments, parse
from sandbox.cli import Cli, InterruptedRunError, SandboxError, say, wait_for_survivor
from sandbox.engine import find
from sandbox.graph import Graph, from_plan, from_state
from sandbox.policies import options as policy_options
from sandbox.provider.faults import Faults
from sandbox.provider.inventory import Inventory
from sandbox.provider.latency import Latencies
from sandbox.workspace import Workspace

if TYPE_CHECKING:
    from sandbox.invocation.runner import Functions

__all__ = ["InterruptedRunError", "Options", "Sandbox", "SandboxError", "opened", "say"]

READ_ONLY: Final = frozenset({"", "about", "help", "logs", "policy", "version", "whoami"})
"""Commands that leave the simulated cloud, the states and the copies of the stack files alone."""
PACKAGES: Final = ("aws", "awsx", "docker", "random", "tls")
"""The providers that are simulated, all by one process on one port."""
PLAN_NOTES: Final = ("Update plan written to", "Run `pulumi up --plan=")
"""What the CLI says of the plan file, which only the edge checks read."""
NO_CHECKPOINTS: Final = MappingProxyType({"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"})
"""Let the engine save a state once, at the end, instead of twice for each resource: a third of the time."""
PARALLEL: Final = 64
"""Operations at once: creation is mostly waiting for AWS, and fewer at a time make a slower `up`."""


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
    functions_endpoint: str | None = None
    """URL on this machine that answers the AWS calls of invoked functions; None runs no function."""
    checkpoints: bool = True
    """Whether the state of a new stack is saved while it is applied; else once, at the end."""
    policies: bool = True
    """Whether the project's policy packs judge what is previewed and applied."""
    stats: Path | None = None
    """Where to write what the simulated provider cost: calls and processor seconds by method, as JSON."""


@dataclass
class Sandbox:
    """One project's sandbox; made by `opened`."""

    workspace: Workspace
    inventory: Inventory
    cli: Cli
    checkpoints: bool = True
    policies: bool = True
    _ready: set[str] = field(default_factory=set)

    def prepare(self, stack: str) -> None:
        """Make a stack usable: initialised, and its secrets replaced by placeholders."""
        if stack in self._ready:
            return
        self.workspace.check_stack(stack)
        if not (self.workspace.states / f"{stack}.json").exists():
            self._quietly(["stack", "init", stack])
        for path, placeholder in self.workspace.plain_secrets(stack):
            say(f"{stack}: the secret {path} is a placeholder here")
            self._quietly(["config", "set", "--secret", "--path", path, placeholder, "--stack", stack])
        self._ready.add(stack)

    def prepare_references(self, stack: str, *, again: bool) -> None:
        """Apply the stacks that a stack references: those never applied, or all of them with `again`."""
        for reference in self.workspace.references(stack):
            if again or not recovery.resources(self.workspace, reference):
                say(f"{stack} references {reference}: applying it first")
                self.up(reference)

    def preview(self, stack: str, extra: Sequence[str] = ()) -> int:
        """Preview one stack and check its mandatory edges."""
        self.workspace.check_file(stack)
        self.prepare_references(stack, again=False)
        self.prepare(stack)
        plan = self._plan(stack)
        done = self.cli.run(
            ["preview", "--stack", stack, "--save-plan", str(plan), *self._packs(stack), *extra],
            hide=PLAN_NOTES,
        )
        if done.returncode:
            return done.returncode
        self.check_edges(stack, self._planned(stack, plan))
        return 0

    def up(self, stack: str, extra: Sequence[str] = ()) -> None:
        """Apply one stack and what it references, after its edges are proven on a preview.

        Raises:
            SandboxError: The preview, the edges or the update failed.

        """
        self.workspace.check_file(stack)
        self.prepare_references(stack, again=True)
        self.prepare(stack)
        say(f"up {stack}: checking the program on a preview")
        self.refuse_missing_edges(stack)
        done = self.cli.run(
            [
                *("up", "--stack", stack, "--yes", "--skip-preview", "--parallel", str(PARALLEL)),
                *(*self._packs(stack), *extra),
            ],
            extra=self._saving(stack),
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
        done = self.cli.run(["destroy", "--stack", stack, "--yes", "--parallel", str(PARALLEL)])
        if done.returncode:
            raise SandboxError(f"down {stack} failed; run it again")
        self._quietly(["stack", "rm", stack, "--yes", "--preserve-config"])
        self._ready.discard(stack)

    def refuse_missing_edges(self, stack: str) -> None:
        """Preview a stack silently and refuse it when a mandatory edge is missing."""
        plan = self._plan(stack)
        done = self.cli.run(
            ["preview", "--stack", stack, "--save-plan", str(plan), "--color", "never", *self._packs(stack)],
            quiet=True,
        )
        if done.returncode:
            sys.stdout.write(done.stdout)
            raise SandboxError(f"up {stack}: the preview failed; nothing was changed")
        self.check_edges(stack, self._planned(stack, plan))

    def check_edges(self, stack: str, graph: Graph) -> None:
        """Refuse a graph that lacks a mandatory edge, or has one that nothing asks for.

        Raises:
            SandboxError: Lists every edge that is missing or wrong.

        """
        from sandbox.edges import refusals

        found = [f"  {violation}" for violation in refusals(graph)]
        if found:
            raise SandboxError(f"{stack}: {len(found)} edge(s) missing or wrong:\n" + "\n".join(found))

    def passthrough(self, words: Sequence[str]) -> int:
        """Run any Pulumi command as it stands, with the sandbox's checks around previews and updates."""
        arguments = parse(words)
        # Without a terminal an update that nobody approves is refused by the CLI itself.
        refused = arguments.command == "up" and not arguments.has("--yes", "-y") and not sys.stdin.isatty()
        if arguments.command in READ_ONLY or arguments.has("--help", "-h") or refused:
            return self.cli.run(words).returncode
        stack = arguments.stack or self.workspace.selected()
        if stack is None or (arguments.command == "stack" and "init" in words):
            return self.cli.run(words).returncode
        if arguments.command in ("preview", "up"):
            self.workspace.check_file(stack)
            self.prepare_references(stack, again=False)
        self.prepare(stack)
        if arguments.command == "preview":
            return self._checked_preview(stack, words)
        if arguments.command == "up":
            return self._checked_up(stack, words)
        return self.cli.run(words).returncode

    def _checked_preview(self, stack: str, words: Sequence[str]) -> int:
        arguments = parse(words)
        # The plan names every resource; what --json prints leaves out those that stay the same.
        plan = arguments.flags.get("--save-plan") or str(self._plan(stack))
        ours = [] if "--save-plan" in arguments.flags else ["--save-plan", plan]
        done = self.cli.run(
            [*words, *ours, *self._packs_beside(stack, arguments)], hide=PLAN_NOTES if ours else ()
        )
        if not done.returncode:
            self.check_edges(stack, self._planned(stack, self.workspace.folder / plan))
        return done.returncode

    def _checked_up(self, stack: str, words: Sequence[str]) -> int:
        arguments = parse(words)
        if not arguments.has("--skip-preview", "-f"):
            self.refuse_missing_edges(stack)
            if arguments.has("--yes", "-y"):
                words = [*words, "--skip-preview"]
        code = self.cli.run([*words, *self._packs_beside(stack, arguments)]).returncode
        if not code:
            self.check_edges(stack, from_state(recovery.resources(self.workspace, stack)))
        return code

    def _packs(self, stack: str) -> list[str]:
        return policy_options(self.workspace.project, stack) if self.policies else []

    def _packs_beside(self, stack: str, arguments: Arguments) -> list[str]:
        """Return the packs for a command that somebody typed; who names packs there wants those."""
        return [] if "--policy-pack" in arguments.flags else self._packs(stack)

    def _saving(self, stack: str) -> Mapping[str, str]:
        # When such a run is killed, the state knows nothing of what it has made, and the next run deletes that. With a
        # state that knew something before, its updates and deletions would be forgotten.
        known = recovery.resources(self.workspace, stack)
        return {} if self.checkpoints or known else NO_CHECKPOINTS

    def _planned(self, stack: str, plan: Path) -> Graph:
        return from_plan(plan, recovery.resources(self.workspace, stack))

    def _plan(self, stack: str) -> Path:
        return self.workspace.root / f"{stack}.plan.json"

    def _quietly(self, arguments: Sequence[str]) -> None:
        done = self.cli.run([*arguments, "--color", "never"], quiet=True)
        if done.returncode:
            raise SandboxError(f"pulumi {' '.join(arguments)} failed:\n{done.stdout.rstrip()}")


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
        inventory = Inventory(workspace.journal)
        # A command that only reads must not touch the trace of an update beside it.
        trace = workspace.root / ("engine.pid" if writes else f"reader-{os.getpid()}.pid")
        if writes:
            inventory.compact()
            _clean_up(workspace, inventory, trace)
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
                    functions=_functions(options, inventory, workspace),
                )
                serving.enter_context(serve(provider, port))
                if options.stats:
                    serving.callback(_write_stats, options.stats, provider.overhead)

            environment = workspace.environment(engine, debug_providers(port))
            cli = Cli(engine.path, workspace.folder, environment, trace, serve_once)
            yield Sandbox(workspace, inventory, cli, options.checkpoints, options.policies)


def _functions(options: Options, inventory: Inventory, workspace: Workspace) -> Functions | None:
    if options.functions_endpoint is None:
        return None
    from sandbox.invocation.runner import Functions

    return Functions(options.functions_endpoint, inventory, workspace.program)


def _clean_up(workspace: Workspace, inventory: Inventory, trace: Path) -> None:
    """Put in order what an interrupted run left behind, for every stack: nobody else is at work now."""
    interrupted = trace.exists()
    if interrupted:
        wait_for_survivor(trace)
        recovery.clear_torn_attributes(workspace)
    for stack in workspace.applied():
        recovery.clear_dead_locks(workspace, stack, say)
        recovery.clear_pending_operations(workspace, stack, say)
        if interrupted:
            recovery.delete_orphans(workspace, stack, inventory, say)
    trace.unlink(missing_ok=True)


def debug_providers(port: int) -> str:
    """Return the value of PULUMI_DEBUG_PROVIDERS that attaches the engine to the served port."""
    return ",".join(f"{package}:{port}" for package in PACKAGES)


def _write_stats(path: Path, overhead: Any) -> None:
    path.write_text(json.dumps({"calls": overhead.calls, "seconds": overhead.seconds}))


@contextlib.contextmanager
def _reserved(port: int) -> Iterator[int]:
    """Hold a port for the providers, which start serving on it only after the CLI has been told of it."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as reservation:
        try:
            if port:
                # Sharing a port is allowed below, so another sandbox on it would go unnoticed.
                with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as alone:
                    alone.bind(("127.0.0.1", port))
            reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
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
