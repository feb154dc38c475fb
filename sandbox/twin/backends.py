"""PostgreSQL and Redis on this machine, in the place of RDS and ElastiCache.

They come as wheels; where there is none for the machine, programs of the same name on PATH take their place. They
listen on Unix sockets only: whoever wants in comes through the TLS front, as in AWS. Nothing in them is superuser
but the twin itself, with passwords of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final

from sandbox.cli import SandboxError
from sandbox.twin.programs import Account, ProgramError, postgresql, redis
from sandbox.twin.tls_front import Front, request

START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 15.0
POLL_SECONDS: Final = 0.01
SUPERUSER: Final = "rdsadmin"
"""RDS's name for the one that customers cannot be."""
MAX_CONNECTIONS: Final = 300
"""The smallest instance class, db.t4g.small with 2 GiB, allows about 200 by RDS's formula, a medium one 400."""


class BackendError(SandboxError):
    """A server cannot be started or does not answer; the message holds the end of its log."""


class _Server:
    """What both have in common: a folder, a log and a process."""

    name = ""

    def __init__(self, root: Path, account: Account | None = None) -> None:
        """Take a folder for data; nothing is started.

        Args:
            root: The twin's folder.
            account: Whom to run as; this process's own by default.

        """
        self.account = account or Account.here()
        root.mkdir(parents=True, exist_ok=True)
        self.data = self.account.folder(root / self.name)
        self.log = root / f"{self.name}.log"
        self._passwords = root / f"{self.name}.json"
        # A Unix socket's path may have 107 characters, and the folder's may have more.
        self._sockets = Path(tempfile.mkdtemp(prefix="twin-"))
        self.account.give(self._sockets)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        """Where the server listens."""
        raise NotImplementedError

    @property
    def pid(self) -> int | None:
        """The server's process, while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def ready(self) -> bool:
        """Say whether the server answers."""
        raise NotImplementedError

    def start(self) -> float:
        """Start the server, wait until it answers, and return how many seconds that took."""
        began = time.monotonic()
        if self.pid is None:
            self._end_survivor()
            self._process = self.account.start(self._arguments(), self.log, self._stop_signal)
        self._wait(self.ready, START_SECONDS, "does not answer")
        return time.monotonic() - began

    def stop(self, mode: str = "fast") -> None:
        """Stop the server and wait for its end.

        Args:
            mode: "fast" ends it in good order, "kill" as a power failure does.

        """
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(self._kill_signal if mode == "kill" else self._stop_signal)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def close(self) -> None:
        """Stop the server and remove what only lives as long as this object."""
        self.stop()
        shutil.rmtree(self._sockets, ignore_errors=True)

    def erase(self) -> None:
        """Stop the server and forget everything that it keeps."""
        self.close()
        shutil.rmtree(self.data, ignore_errors=True)
        self._passwords.unlink(missing_ok=True)

    _stop_signal: signal.Signals
    _kill_signal: signal.Signals

    def _arguments(self) -> list[str | Path]:
        raise NotImplementedError

    def _survivor(self) -> int | None:
        """Return the number of a process that an earlier twin left behind on the same data."""
        raise NotImplementedError

    def _end_survivor(self) -> None:
        number = self._survivor()
        if number is None or str(self.data) not in _command_line(number):
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, self._stop_signal)
        self._wait(
            lambda: not _command_line(number), STOP_SECONDS, f"of an earlier twin ({number}) does not end"
        )

    def _wait(self, done: Callable[[], bool], seconds: float, problem: str) -> None:
        end = time.monotonic() + seconds
        while not done():
            if self._process is not None and self._process.poll() is not None:
                raise BackendError(f"{self.name} ended with {self._process.returncode}:\n{_tail(self.log)}")
            if time.monotonic() > end:
                raise BackendError(f"{self.name} {problem}:\n{_tail(self.log)}")
            time.sleep(POLL_SECONDS)


class PostgreSql(_Server):
    """The metastore. Its owner is what RDS makes the master user: it may make databases and roles, and no more."""

    name = "postgresql"
    _stop_signal = signal.SIGINT
    # It ends all its processes at once, and recovers at the next start; killed itself, it would leave them behind.
    _kill_signal = signal.SIGQUIT

    def __init__(self, root: Path, *, database: str, owner: str, account: Account | None = None) -> None:
        """Take a folder and names; nothing is started.

        Args:
            root: The twin's folder.
            database: The database to make.
            owner: The role that owns it.
            account: Whom to run as; this process's own by default.

        """
        super().__init__(root, account)
        self._database, self._owner = database, owner
        self._bin = postgresql(self.account)
        self.owner_password = ""
        """Known once it is started."""
        self._admin_password = ""

    @property
    def socket(self) -> Path:
        """PostgreSQL's own naming."""
        return self._sockets / ".s.PGSQL.5432"

    def start(self) -> float:
        """Start the server; the first time, make the database and its owner."""
        began = time.monotonic()
        self._initialize()
        super().start()
        if not self._passwords.exists():
            self._make_database()
        return time.monotonic() - began

    def ready(self) -> bool:
        """Ask as pg_isready does, which needs no login."""
        with contextlib.suppress(ProgramError):
            self.account.run(self._bin / "pg_isready", "-h", self._sockets, "-q")
            return True
        return False

    def sql(self, text: str, database: str = "postgres") -> str:
        """Run SQL as superuser and return its rows, values separated by |."""
        return self.account.run(
            *(self._bin / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1"),
            *("-h", self._sockets, "-U", SUPERUSER, "-d", database),
            environment={"PGPASSWORD": self._admin_password},
            text=text,
        ).strip()

    def _initialize(self) -> None:
        if self._passwords.exists():
            known = json.loads(self._passwords.read_text(encoding="utf-8"))
            self._admin_password, self.owner_password = known["admin"], known["owner"]
            return
        # Without the passwords what is there is of no use: an earlier start was cut off.
        if (self.data / "PG_VERSION").exists():
            self._end_survivor()
            shutil.rmtree(self.data)
            self.data.mkdir(mode=0o700)
            self.account.give(self.data)
        self._admin_password, self.owner_password = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        password = self._sockets / "password"
        _write_private(password, self._admin_password)
        self.account.give(password)
        self.account.run(
            *(self._bin / "initdb", "-D", self.data, "-U", SUPERUSER, "-E", "UTF8", "--locale=C"),
            *("--auth=scram-sha-256", f"--pwfile={password}", "--no-sync", "--no-instructions"),
        )
        password.unlink()

    def _make_database(self) -> None:
        owner, database = _quoted(self._owner), _quoted(self._database)
        self.sql(
            f"CREATE ROLE {owner} LOGIN CREATEROLE CREATEDB PASSWORD '{self.owner_password}';\n"
            f"CREATE DATABASE {database} OWNER {owner};\n"
        )
        _write_private(
            self._passwords, json.dumps({"admin": self._admin_password, "owner": self.owner_password})
        )

    def _arguments(self) -> list[str | Path]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._sockets),
            "max_connections": str(MAX_CONNECTIONS),
            # A crash of the machine may cost the twin its data; nothing less does.
            "fsync": "off",
            "full_page_writes": "off",
            "shared_buffers": "128MB",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [self._bin / "postgres", "-D", self.data, *options]

    def _survivor(self) -> int | None:
        try:
            return int((self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0])
        except (OSError, ValueError, IndexError):
            return None


class Redis(_Server):
    """The broker. As in ElastiCache nobody may do anything until a user is switched on; its users outlive a restart."""

    name = "redis"
    _stop_signal = signal.SIGTERM
    _kill_signal = signal.SIGKILL

    def __init__(self, root: Path, account: Account | None = None) -> None:
        """Take a folder; nothing is started."""
        super().__init__(root, account)
        self._program = redis(self.account)
        self._users = self.data / "users.acl"
        self._password = ""

    @property
    def socket(self) -> Path:
        """The one place where it listens."""
        return self._sockets / "redis.sock"

    def start(self) -> float:
        """Start the server; the first time, make its administrator."""
        if self._passwords.exists() and self._users.exists():
            self._password = json.loads(self._passwords.read_text(encoding="utf-8"))["admin"]
        else:
            self._password = secrets.token_hex(24)
            self._users.write_text(
                f"user default off -@all\nuser {SUPERUSER} on >{self._password} ~* &* +@all\n",
                encoding="utf-8",
            )
            self._users.chmod(0o600)
            self.account.give(self._users)
            _write_private(self._passwords, json.dumps({"admin": self._password}))
        return super().start()

    def ready(self) -> bool:
        """Ask for a PONG."""
        with contextlib.suppress(OSError, BackendError):
            return bool(self.command("PING") == "PONG")
        return False

    def set_user(self, name: str, access: str, passwords: Sequence[str]) -> None:
        """Give a user its rights and passwords, and no others, as ElastiCache's ModifyUser does."""
        words = [f">{password}" for password in passwords]
        self.command("ACL", "SETUSER", name, "reset", *access.split(), *words)
        self.command("ACL", "SAVE")

    def flush(self) -> None:
        """Forget all messages and results."""
        self.command("FLUSHALL")

    def command(self, *words: str) -> Any:
        """Run one command as administrator and return its answer."""
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as connection:
            connection.settimeout(5)
            connection.connect(str(self.socket))
            with connection.makefile("rb") as answers:
                for line in (("AUTH", SUPERUSER, self._password), words):
                    connection.sendall(_encoded(line))
                    answer = _decoded(answers)
                return answer

    def _arguments(self) -> list[str | Path]:
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.data),
            "aclfile": str(self._users),
            "pidfile": str(self.data / "redis.pid"),
            # A single node of ElastiCache keeps nothing either.
            "save": "",
            "appendonly": "no",
            # The broker's memory is for queues: ElastiCache's parameter group says the same.
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
            # Its arguments tell whose process it is, should it outlive its twin.
            "set-proc-title": "no",
        }
        return [self._program, *(part for name, value in settings.items() for part in (f"--{name}", value))]

    def _survivor(self) -> int | None:
        try:
            return int((self.data / "redis.pid").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None


class TlsFront:
    """The process that speaks TLS for both servers; it ends with this one."""

    def __init__(self, fronts: Sequence[Front], log: Path) -> None:
        """Take what to listen on; nothing is started."""
        self._fronts, self._log = list(fronts), log
        self._process: subprocess.Popen[bytes] | None = None
        self.ports: Mapping[str, int] = {}
        """Where it listens, by the names of the fronts."""

    @property
    def pid(self) -> int | None:
        """The process, while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> float:
        """Listen, and return how many seconds it took."""
        began = time.monotonic()
        if self.pid is not None:
            return 0.0
        with self._log.open("ab") as output:
            # Without the packages of site: it needs none, and starts in a third of the time.
            self._process = subprocess.Popen(
                [sys.executable, "-S", "-m", "sandbox.twin.tls_front"],
                cwd=Path(__file__).parents[2],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                start_new_session=True,
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(request(self._fronts))
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            self.stop()
            raise BackendError(f"the TLS front cannot listen: {_tail(self._log, 1)}")
        self.ports = json.loads(line)
        return time.monotonic() - began

    def stop(self) -> None:
        """Close every connection and stop listening."""
        process, self._process = self._process, None
        if process is None:
            return
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _command_line(number: int) -> str:
    answer = subprocess.run(
        ["ps", "-o", "stat=,args=", "-ww", "-p", str(number)], capture_output=True, text=True, check=False
    )
    line = answer.stdout.strip()
    return "" if line.startswith("Z") else line


def _tail(log: Path, lines: int = 10) -> str:
    if not log.exists():
        return "(no log)"
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def _write_private(path: Path, text: str) -> None:
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _encoded(words: Sequence[str]) -> bytes:
    parts = [word.encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


def _decoded(answers: IO[bytes]) -> Any:
    line = answers.readline()
    if not line.endswith(b"\r\n"):
        raise BackendError("redis closed the connection")
    kind, rest = line[:1], line[1:-2]
    if kind == b"-":
        raise BackendError(f"redis: {rest.decode()}")
    if kind == b":":
        return int(rest)
    if kind == b"$":
        return None if rest == b"-1" else answers.read(int(rest) + 2)[:-2].decode()
    if kind == b"*":
        return [_decoded(answers) for _ in range(int(rest))]
    return rest.decode()
