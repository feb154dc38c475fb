"""Build the Pulumi CLI from its published Go modules, pinned by the committed go.mod and go.sum."""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

MODULE: Final = Path(__file__).parent / "cli"
PACKAGE: Final = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
MINIMUM_GO: Final = (1, 25)
REPORT_SECONDS: Final = 5.0
"""Time between two lines of progress; a cold build takes two to three minutes on two cores."""


LANGUAGE_HOST: Final = "pulumi-language-python"
HOST_SCRIPT: Final = """\
#!/bin/sh
# Starts the sandbox's Python language host; the sandbox sets both variables.
PYTHONPATH="${SANDBOX_SOURCE:?set by the sandbox}" exec "${SANDBOX_PYTHON:?set by the sandbox}" \\
    -P -m sandbox.language_host "$@"
"""


class BuildError(Exception):
    """The CLI could not be built; the message says what is missing or what the compiler said."""


@cache
def cli_version() -> str:
    """Return the CLI's version from go.mod, such as v3.259.0."""
    found = re.search(r"github.com/pulumi/pulumi/pkg/v3 (v\S+)", (MODULE / "go.mod").read_text())
    if not found:
        raise BuildError(f"{MODULE / 'go.mod'} does not name github.com/pulumi/pulumi/pkg/v3")
    return found[1]


@cache
def cache_folder() -> Path:
    """Return the folder of the built CLI: in the user's cache, named by version, pins and machine."""
    pins = hashlib.sha256((MODULE / "go.mod").read_bytes() + (MODULE / "go.sum").read_bytes()).hexdigest()[
        :12
    ]
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "airflow-platform"
    return root / f"pulumi-{cli_version()}-{pins}-{platform.system().lower()}-{platform.machine()}"


def build(say: Callable[[str], None]) -> Path:
    """Build the CLI and return its path; a second caller waits for the first.

    Raises:
        BuildError: Go is missing or too old, modules are out of reach, or the build failed.

    """
    go = _go()
    target = cache_folder() / "pulumi"
    with _only_one(target.parent, say):
        if target.exists():
            return target
        started = time.monotonic()
        say(f"building the Pulumi CLI {cli_version()} from its Go modules, once (2-3 minutes on two cores)")
        # Not `go mod download`: that asks for every module of the graph, not only for those that are compiled.
        total = len(_run([go, "list", "-deps", PACKAGE], say, "downloading modules"))
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            fresh = Path(folder) / "pulumi"
            version_flag = f"-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={cli_version()}"
            command = [
                go, "build", "-v", "-trimpath", "-mod=readonly", "-tags", "osusergo,grpcnotrace",
                "-ldflags", f"-s -w {version_flag}", "-o", str(fresh), PACKAGE,
            ]  # fmt: skip
            _run(command, say, "compiling packages", total=total)
            write_host(target)
            fresh.replace(target)
        say(f"built {target} in {time.monotonic() - started:.0f} s")
    return target


def write_host(cli: Path) -> None:
    """Put the language host beside the CLI, where the official distribution has it too: the engine warns otherwise."""
    host = cli.with_name(LANGUAGE_HOST)
    if not host.exists() or host.read_text() != HOST_SCRIPT:
        fresh = host.with_name(f"{LANGUAGE_HOST}.{os.getpid()}")
        fresh.write_text(HOST_SCRIPT)
        fresh.chmod(0o755)
        fresh.replace(host)


def _go() -> str:
    go = shutil.which("go")
    if not go:
        raise BuildError("no `go` on PATH")
    answer = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=False).stdout
    numbers = tuple(int(number) for number in re.findall(r"\d+", answer)[:2])
    if numbers < MINIMUM_GO:
        raise BuildError(f"{go} is {answer.strip()}; {'.'.join(map(str, MINIMUM_GO))} or newer is needed")
    return go


def _environment() -> dict[str, str]:
    # The pins decide everything: no workspace, flag or toolchain switch of the user's may change the build.
    return os.environ | {"GOWORK": "off", "GOFLAGS": "", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}


def _run(command: list[str], say: Callable[[str], None], doing: str, total: int = 0) -> list[str]:
    """Run a Go command; returns its output lines, and reports its progress (stderr lines) as it goes."""
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            command, cwd=MODULE, env=_environment(), stdout=output, stderr=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        lines, reported = [], time.monotonic()
        for line in process.stderr:
            lines.append(line)
            if time.monotonic() - reported >= REPORT_SECONDS:
                reported = time.monotonic()
                say(f"{doing}: {len(lines)}" + (f" of {total} at most" if total else ""))
        if process.wait():
            raise BuildError(f"{doing} failed:\n" + "".join(lines[-15:]))
        output.seek(0)
        return output.read().splitlines()


@contextmanager
def _only_one(folder: Path, say: Callable[[str], None]) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another build of the Pulumi CLI")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
