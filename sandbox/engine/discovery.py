"""Find or make a Pulumi CLI, in this order: PATH, an earlier build, official download, Go modules."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from sandbox.engine.build import LANGUAGE_HOST, BuildError, build, cache_folder, cli_version, write_host

MINIMUM_VERSION: Final = (3, 249, 0)
"""The first CLI with `pulumi policy analyze --file`, which checks exported states offline."""
DOWNLOAD_HOST: Final = "get.pulumi.com"
DOWNLOAD_REACH_SECONDS: Final = 3.0

Origin = Literal["path", "download", "build"]
Say = Callable[[str], None]


class EngineError(Exception):
    """No usable Pulumi CLI can be had; the message names the ways to get one."""


@dataclass(frozen=True)
class Engine:
    """A Pulumi CLI; `origin` says where it came from, and `build` that it needs our language host."""

    path: Path
    version: str
    origin: Origin

    @property
    def needs_language_host(self) -> bool:
        """Say whether the sandbox must bring its own Python language host."""
        return self.origin == "build"


def find(say: Say, *, ways: tuple[Origin, ...] = ("path", "download", "build")) -> Engine:
    """Return a usable CLI, making one when none is there.

    Args:
        say: Called with one line of progress at a time.
        ways: The ways to try; the environment variable SANDBOX_ENGINE (comma-separated) overrides it.

    Raises:
        EngineError: No way worked; says why each failed.

    """
    chosen = os.environ.get("SANDBOX_ENGINE")
    wanted = tuple(chosen.split(",")) if chosen else tuple(ways)
    unknown = set(wanted) - set(_WAYS)
    if unknown:
        raise EngineError(
            f"SANDBOX_ENGINE: unknown way {', '.join(sorted(unknown))}; allowed: {', '.join(_WAYS)}"
        )
    reasons = []
    # An engine built earlier is free; a download is not, so it is tried only when there is no such build.
    if "build" in wanted and (ready := built()):
        wanted = tuple(way for way in wanted if way != "download")
        if "path" not in wanted:
            return ready
    for way in wanted:
        try:
            return _WAYS[way](say)
        except (EngineError, BuildError) as error:
            reasons.append(f"  {way}: {error}")
    raise EngineError(
        "no Pulumi CLI can be had. One of these gives one: install Pulumi "
        f"{'.'.join(map(str, MINIMUM_VERSION))} or newer on PATH; internet access for the official download; "
        "Go 1.25 or newer with access to Go modules.\n" + "\n".join(reasons)
    )


def built() -> Engine | None:
    """Return the CLI that an earlier run built from this go.mod, if there is one."""
    path = cache_folder() / "pulumi"
    if not path.exists():
        return None
    write_host(path)
    return Engine(path, cli_version(), "build")


def _from_path(_say: Say) -> Engine:
    found = shutil.which("pulumi")
    if not found:
        raise EngineError("no `pulumi` on PATH")
    path = Path(found).resolve()
    version = _version(path)
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:3])
    if numbers < MINIMUM_VERSION:
        raise EngineError(f"{path} is {version}; {'.'.join(map(str, MINIMUM_VERSION))} or newer is needed")
    if not (path.with_name(LANGUAGE_HOST).exists() or shutil.which(LANGUAGE_HOST)):
        raise EngineError(f"{path} has no {LANGUAGE_HOST} beside it or on PATH")
    return Engine(path, version, "path")


def _from_download(say: Say) -> Engine:
    from pulumi._version import version as sdk_version
    from pulumi.automation import PulumiCommand

    root = cache_folder().with_name(f"pulumi-official-{sdk_version}")
    path = root / "bin" / "pulumi"
    if not path.exists():
        try:
            socket.create_connection((DOWNLOAD_HOST, 443), DOWNLOAD_REACH_SECONDS).close()
        except OSError as error:
            raise EngineError(f"{DOWNLOAD_HOST} is out of reach ({error})") from error
        say(f"downloading the Pulumi CLI {sdk_version}")
        try:
            PulumiCommand.install(root=str(root))
        except Exception as error:  # the installer raises whatever its shell script ended with
            raise EngineError(f"the official installer failed ({error})") from error
    return Engine(path, _version(path), "download")


def _from_build(say: Say) -> Engine:
    return built() or Engine(build(say), cli_version(), "build")


_WAYS: Final[Mapping[str, Callable[[Say], Engine]]] = {
    "path": _from_path,
    "download": _from_download,
    "build": _from_build,
}


def _version(path: Path) -> str:
    """Ask a CLI for its version; remembered by size and time, since asking costs 0.1 s of every command."""
    stat = path.stat()
    stamp = f"{path}|{stat.st_size}|{stat.st_mtime_ns}"
    memory = cache_folder().parent / "versions.json"
    try:
        known: dict[str, str] = json.loads(memory.read_text())
    except (OSError, json.JSONDecodeError):
        known = {}
    if stamp not in known:
        try:
            answer = subprocess.run(
                [path, "version"], capture_output=True, text=True, timeout=60, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise EngineError(f"{path} does not run: {error}") from error
        if answer.returncode:
            raise EngineError(f"{path} does not run: {answer.stderr.strip()}")
        known[stamp] = answer.stdout.strip()
        memory.parent.mkdir(parents=True, exist_ok=True)
        memory.write_text(json.dumps(known))
    return known[stamp]
