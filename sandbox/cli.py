"""Running the Pulumi CLI as a process: its signals, its output, and what is left when it dies."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, Final

GRACE_SECONDS: Final = 5.0
"""How long an engine that outlived its sandbox may take to end by itself."""


class SandboxError(Exception):
    """The sandbox cannot do what was asked; the message is all a person needs."""


class InterruptedRunError(SandboxError):
    """The run was stopped by a signal; what was done stays recorded."""

    def __init__(self) -> None:
        """Say what a person can count on."""
        super().__init__(
            "stopped on request; what was finished is recorded, and the same command goes on from there"
        )


def say(line: str) -> None:
    """Tell the person something; standard output belongs to Pulumi."""
    print(f"sandbox: {line}", file=sys.stderr, flush=True)  # noqa: T201


@dataclass(frozen=True)
class Cli:
    """The CLI with the sandbox's environment."""

    path: Path
    folder: Path
    environment: dict[str, str]
    trace: Path
    """Names the process under way; what is left of it tells the next run that this one was interrupted."""
    started: Callable[[], None]
    """Called once the CLI is starting: the time for what it needs only later."""

    def run(
        self,
        arguments: Sequence[str],
        *,
        quiet: bool = False,
        capture: bool = False,
        hide: Sequence[str] = (),
        extra: Mapping[str, str] = MappingProxyType({}),
    ) -> subprocess.CompletedProcess[str]:
        """Run the CLI to its end.

        Args:
            arguments: The CLI's arguments.
            quiet: Return standard output and errors together, and show nothing.
            capture: Return standard output, and show errors only.
            hide: Lines of its standard error that begin so are not shown.
            extra: Environment variables for this run alone.

        Raises:
            InterruptedRunError: SIGINT or SIGTERM arrived; the CLI was given the chance to stop in good order.

        """
        interactive = sys.stdin.isatty() and not (quiet or capture)
        stopped: list[int] = []
        running: list[subprocess.Popen[str]] = []

        def pass_on(number: int, _frame: object) -> None:
            stopped.append(number)
            # At a terminal Ctrl-C reaches the CLI by itself; elsewhere it is passed on, to the CLI alone.
            if running and not (interactive and number == signal.SIGINT):
                running[0].send_signal(signal.SIGINT)

        with _handling(pass_on):
            process = subprocess.Popen(
                [self.path, *arguments],
                cwd=self.folder,
                env=self.environment | dict(extra),
                stdin=None if interactive else subprocess.DEVNULL,
                stdout=subprocess.PIPE if quiet or capture else None,
                stderr=subprocess.STDOUT if quiet else subprocess.PIPE if hide else None,
                text=True,
                process_group=None if interactive else 0,
            )
            running.append(process)
            self.trace.write_text(json.dumps({"pid": process.pid, "path": str(self.path)}))
            if stopped:  # it came while the process was being made
                process.send_signal(signal.SIGINT)
            self.started()
            with _showing(process.stderr if hide else None, tuple(hide)):
                output = process.stdout.read() if process.stdout else ""
                process.wait()
        if process.returncode >= 0:  # a killed engine leaves the trace, for the next run to clean up after it
            self.trace.unlink(missing_ok=True)
        if stopped:
            raise InterruptedRunError
        return subprocess.CompletedProcess(process.args, process.returncode, output, "")


def wait_for_survivor(trace: Path) -> None:
    """Let the engine of a sandbox that was killed end by itself; then end it: its providers are gone."""
    try:
        known = json.loads(trace.read_text())
    except json.JSONDecodeError:  # killed while writing it, just after the engine's start
        return
    deadline = time.monotonic() + GRACE_SECONDS
    told = False
    while _runs(known["pid"], known["path"]):
        if not told:
            say(f"waiting for the engine of an interrupted run (process {known['pid']}) to end")
            told = True
        if time.monotonic() > deadline:
            with contextlib.suppress(ProcessLookupError):
                os.kill(known["pid"], signal.SIGKILL)
        time.sleep(0.1)


def _runs(pid: int, path: str) -> bool:
    """Say whether a process is alive and still that program: numbers are used again."""
    process = Path("/proc") / str(pid)
    if Path("/proc/self").exists():
        try:
            alive = process.joinpath("stat").read_text().rpartition(")")[2].split()[0] != "Z"
            return alive and path in process.joinpath("cmdline").read_text().split("\0")
        except OSError:
            return False
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


@contextlib.contextmanager
def _showing(lines: IO[str] | None, hide: tuple[str, ...]) -> Iterator[None]:
    """Show a stream as it comes, except for lines with certain beginnings; its end is waited for."""

    def show() -> None:
        for line in lines or ():
            if not line.startswith(hide):
                sys.stderr.write(line)
                sys.stderr.flush()

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    yield
    thread.join()
