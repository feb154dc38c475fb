"""The Airflow image without a container engine: what its Dockerfile says, and the packages of its lock.

The Dockerfile stays the only truth: variables, entry point, user, scratch and copied files are read from it. Added is
only what the official base image sets and a container would notice.
"""

from __future__ import annotations

import io
import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any, Final

from sandbox.cli import SandboxError
from sandbox.twin import packages
from sandbox.twin.packages import PackagesError

__all__ = ["FOLDER", "Image", "ImageError", "PackagesError", "installed"]

FOLDER: Final = Path(__file__).parents[2] / "images" / "airflow"
LOCK: Final = "requirements.lock"
SYSTEM_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
BASE_IMAGE_PATH: Final = "/root/bin:/home/airflow/.local/bin:/usr/python/bin"
"""What the official image puts in front of the system's PATH; here that is the environment's bin folder."""
BASE_IMAGE_ENVIRONMENT: Final[Mapping[str, str]] = MappingProxyType(
    {
        # apache/airflow's Dockerfile, stage "main", read on 2026-11-21; what only its build or pip reads is left out.
        "LANG": "C.UTF-8",
        "LANGUAGE": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "LC_CTYPE": "C.UTF-8",
        "LC_MESSAGES": "C.UTF-8",
        "GUNICORN_CMD_ARGS": "--worker-tmp-dir /dev/shm",
        "AIRFLOW_HOME": "/opt/airflow",
        "AIRFLOW_USER_HOME_DIR": "/home/airflow",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "DUMB_INIT_SETSID": "1",
        # Docker derives it from the user.
        "HOME": "/home/airflow",
    }
)


class ImageError(SandboxError):
    """The Dockerfile lacks what a container needs; the message names it."""


@dataclass(frozen=True, kw_only=True)
class Image:
    """What a container of the image has."""

    airflow_version: str
    python: Path
    """Interpreter of the environment with the lock's packages."""
    base_prefix: Path
    """Installation of that interpreter, which the environment only points to."""
    environment: Mapping[str, str]
    """Variables of the image where its files lie as in the image; only PATH names the environment's bin folder here."""
    entry_point: tuple[str, ...]
    user: str
    """User and group, as numbers."""
    scratch: tuple[str, ...]
    """Declared volumes: paths that the user may write to."""
    files: Mapping[str, Path]
    """What the Dockerfile copies: path in the container to the file or folder here."""

    @property
    def bin(self) -> Path:
        """The environment's programs: airflow, celery, python."""
        return self.python.parent

    @property
    def site_packages(self) -> Path:
        """Where the environment's packages are."""
        return next(self.python.parents[1].glob("lib/python*/site-packages"))

    @cached_property
    def root_mounts(self) -> tuple[Path, ...]:
        """Paths of this machine that must be visible under the same names: the environment and its Python."""
        link = self.python.readlink() if self.python.is_symlink() else self.python
        # The link may lead through another name of the installation, which must be there as well.
        named = link.parents[1] if link.is_absolute() else self.base_prefix
        return tuple(dict.fromkeys((self.python.parents[1], self.base_prefix, named)))

    @cached_property
    def environment_in_place(self) -> Mapping[str, str]:
        """Variables for a process that has no file system of its own: files where they are on this machine."""
        return MappingProxyType({name: self._here(value) for name, value in self.environment.items()})

    def _here(self, value: str) -> str:
        parts = (
            self.place(part) if part.startswith("/") and str(self.place(part)) != part else part
            for part in value.split(":")
        )
        return ":".join(map(str, parts))

    def place(self, path: str) -> Path:
        """Return where a path of the container lies on this machine, itself when the image does not bring it."""
        wanted = PurePosixPath(path)
        for copied, here in self.files.items():
            if wanted.is_relative_to(copied):
                return here / wanted.relative_to(copied)
            # A folder that only holds a copied one, as PYTHONPATH names it.
            if PurePosixPath(copied).parent == wanted and here.name == PurePosixPath(copied).name:
                return here.parent
        return Path(path)


def is_installed(folder: Path = FOLDER) -> bool:
    """Say whether `installed` would return at once."""
    dockerfile = _Dockerfile((folder / "Dockerfile").read_bytes())
    return packages.is_made(folder / LOCK, dockerfile.argument("PYTHON_VERSION"))


def installed(say: Callable[[str], None], folder: Path = FOLDER) -> Image:
    """Return the image, its packages installed; a second caller waits for the first.

    Args:
        say: Called with one line of progress at a time.
        folder: The image's folder, with Dockerfile and requirements.lock.

    Raises:
        ImageError: The Dockerfile lacks something.
        PackagesError: The packages cannot be installed.

    """
    dockerfile, lock = _Dockerfile((folder / "Dockerfile").read_bytes()), folder / LOCK
    home = packages.environment(lock, dockerfile.argument("PYTHON_VERSION"), say)
    python = home / "bin" / "python"
    variables = dict(dockerfile.environment)
    variables["PATH"] = variables["PATH"].replace(BASE_IMAGE_PATH, str(python.parent))
    return Image(
        airflow_version=dockerfile.argument("AIRFLOW_VERSION"),
        python=python,
        base_prefix=python.resolve().parents[1],
        environment=MappingProxyType(variables),
        entry_point=tuple(dockerfile.exec_form("ENTRYPOINT")),
        user=dockerfile.last("USER"),
        scratch=tuple(dockerfile.exec_form("VOLUME")),
        files=MappingProxyType({target: folder / source for source, target in dockerfile.copies}),
    )


class _Dockerfile:
    """The few instructions that matter here."""

    def __init__(self, content: bytes) -> None:
        from dockerfile_parse import DockerfileParser

        base = {**BASE_IMAGE_ENVIRONMENT, "PATH": f"{BASE_IMAGE_PATH}:{SYSTEM_PATH}"}
        parser: Any = DockerfileParser(fileobj=io.BytesIO(content), parent_env=base)
        self.environment: Mapping[str, str] = base | dict(parser.envs)
        self._instructions = [(item["instruction"], item["value"]) for item in parser.structure]

    def argument(self, name: str) -> str:
        for instruction, value in self._instructions:
            if instruction == "ARG" and value.startswith(f"{name}="):
                return str(value).removeprefix(f"{name}=").strip("\"'")
        raise ImageError(f"the Dockerfile has no ARG {name} with a value")

    def last(self, instruction: str) -> str:
        values = [value for name, value in self._instructions if name == instruction]
        if not values:
            raise ImageError(f"the Dockerfile has no {instruction}")
        return str(values[-1])

    def exec_form(self, instruction: str) -> list[str]:
        value = self.last(instruction)
        try:
            return [str(part) for part in json.loads(value)]
        except json.JSONDecodeError as error:
            raise ImageError(f"the Dockerfile's {instruction}: want a JSON list, got {value}") from error

    @property
    def copies(self) -> list[tuple[str, str]]:
        """Source in the build context and target of every COPY."""
        pairs = []
        for instruction, value in self._instructions:
            if instruction == "COPY":
                source, target = [word for word in shlex.split(value) if not word.startswith("--")]
                pairs.append((source, target))
        return pairs
