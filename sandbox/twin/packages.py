"""Python environments beside our own, such as that of the Airflow image: exactly the packages of a lock, made once.

Each lies in the user's cache folder under a name that contains the lock's digest, so another lock is another folder.
A marker, written last, tells a finished environment from one whose making was cut off; that one is made again.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sandbox.cli import SandboxError

READY: Final = ".ready"
REPORT_SECONDS: Final = 10.0
"""Time between two lines of progress; without a package cache the download takes a minute or two."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Purpose:
    """What an environment is for."""

    name: str
    """The first part of its folder's name."""
    packages: str
    """What they are called in a message."""


AIRFLOW: Final = Purpose("airflow", "the packages of the Airflow image")


class PackagesError(SandboxError):
    """The environment cannot be made; the message says what the installer said."""


def environment(lock: Path, python_version: str, say: Say, purpose: Purpose = AIRFLOW) -> Path:
    """Return the folder of the finished environment, making it when there is none; callers wait for one another.

    Args:
        lock: Requirements with hashes.
        python_version: The image's Python, such as 3.11; where it is not installed, the running one is used.
        say: Called with one line of progress at a time.
        purpose: What it is for.

    Raises:
        PackagesError: The packages cannot be installed.

    """
    interpreter, version = _interpreter(python_version, say)
    folder = cache_folder(lock, version, purpose)
    if (folder / READY).exists():
        return folder
    with _only_one(folder, say, purpose):
        if not (folder / READY).exists():
            _make(folder, lock, interpreter, say, purpose)
    return folder


def is_made(lock: Path, python_version: str) -> bool:
    """Say whether `environment` would return at once."""
    _, version = _interpreter(python_version, lambda _: None)
    return (cache_folder(lock, version) / READY).exists()


def cache_folder(lock: Path, python_version: str, purpose: Purpose = AIRFLOW) -> Path:
    """Return where the environment of this lock belongs, whether it exists or not."""
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "airflow-platform"
    machine = f"{platform.system().lower()}-{platform.machine()}"
    return root / f"{purpose.name}-{digest}-{machine}-python{python_version}"


def _interpreter(wanted: str, say: Say) -> tuple[str, str]:
    """Return a Python and its minor version: the image's, or else the running one, which the lock allows as well."""
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    if running == wanted:
        return sys.executable, wanted
    from uv import find_uv_bin

    # Not the PATH: a version manager has names there for versions that are not installed.
    answer = subprocess.run(
        [find_uv_bin(), "python", "find", "--no-python-downloads", wanted],
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode == 0:
        return answer.stdout.strip(), wanted
    say(f"no python{wanted} as in the image, Airflow runs on Python {running}")
    return sys.executable, running


def _make(folder: Path, lock: Path, interpreter: str, say: Say, purpose: Purpose) -> None:
    started = time.monotonic()
    say(f"installing {purpose.packages}, once (10 s to 2 minutes)")
    shutil.rmtree(folder, ignore_errors=True)
    _uv(["venv", "--no-python-downloads", "--python", interpreter, str(folder)], say, purpose)
    _uv(
        [
            "pip", "sync", "--python", str(folder / "bin" / "python"), "--require-hashes", "--compile-bytecode",
            str(lock),
        ],
        say,
        purpose,
    )  # fmt: skip
    (folder / READY).touch()
    say(f"installed {folder} in {time.monotonic() - started:.0f} s")


def _uv(arguments: list[str], say: Say, purpose: Purpose) -> None:
    from uv import find_uv_bin

    # A virtual environment that is active here must not become the target.
    clean = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    process = subprocess.Popen(
        [find_uv_bin(), *arguments, "--quiet"], env=clean, stderr=subprocess.PIPE, text=True
    )
    waited = 0.0
    while True:
        try:
            _, said = process.communicate(timeout=REPORT_SECONDS)
            break
        except subprocess.TimeoutExpired:
            waited += REPORT_SECONDS
            say(f"still installing after {waited:.0f} s")
        except BaseException:
            process.kill()
            process.wait()
            raise
    if process.returncode:
        raise PackagesError(f"{purpose.packages} cannot be installed:\n{said.strip()}")


@contextmanager
def _only_one(folder: Path, say: Say, purpose: Purpose) -> Iterator[None]:
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Beside the folder, not inside: the maker begins by removing what is there.
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another installation of {purpose.packages}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
