"""How commands talk to a running twin: a Unix socket in its folder, a line of JSON each way, one question at a time.

A request may bring file descriptors along, such as those of a terminal for a command that runs in a container. Only
the user who started the twin can open the socket. It is found by the twin's folder, so there is no port to choose,
and it works from outside the twin's own network.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import socketserver
import subprocess
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from sandbox.run import SandboxError

SOCKET: Final = "control.sock"
TIMEOUT_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.05
MOST_DESCRIPTORS: Final = 3
LONGEST_PATH: Final = 100
"""Systems take 104 or 108 bytes for the path of a socket."""

OPEN_FILES: Final = Path("/proc/self/fd")

Command = Callable[..., Any]


class NoTwinError(SandboxError):
    """No twin answers in a folder."""


class CommandError(SandboxError):
    """The twin answered that it could not do it; the message is its own."""


class Server:
    """The twin's side: answers in a thread, with commands that run one at a time."""

    def __init__(
        self,
        folder: Path,
        commands: Mapping[str, Command],
        lock: threading.Lock | None = None,
        *,
        unlocked: Collection[str] = (),
    ) -> None:
        """Open the socket; it answers from `start` on.

        Args:
            folder: The twin's folder.
            commands: Functions by name; a request's arguments are their keyword arguments, file descriptors come as
                `descriptors` and are closed afterwards. They return JSON, or a process: its exit code is the answer,
                and it is killed when the asker goes away. Exceptions become the answer, too.
            lock: Held while a command runs; whoever else changes the twin holds it, too.
            unlocked: Commands that take long and change nothing that others use.

        Raises:
            SandboxError: A twin answers there already.

        """
        self._path = folder / SOCKET
        self._commands = commands
        self._lock = lock or threading.Lock()
        self._unlocked = frozenset(unlocked)
        if self._path.exists():
            with contextlib.suppress(NoTwinError):
                _connect(self._path, 1.0).close()
                raise SandboxError(f"a twin runs in {folder} already")
            self._path.unlink()  # of one that was killed
        answer = self._answer

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(ConnectionError):  # the asker has gone
                    for line, descriptors in _requests(self.request):
                        self.request.sendall(answer(self.request, line, descriptors))

        with _short(self._path) as path:
            self._server = _Server(path, Handler, bind_and_activate=False)
            self._server.server_bind()
        # Before it listens nobody can connect, so nobody else gets in between.
        self._path.chmod(0o600)
        self._server.server_activate()

    def start(self) -> None:
        """Answer from now on."""
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True, name="control").start()

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()
        self._path.unlink(missing_ok=True)

    def _answer(self, connection: socket.socket, line: bytes, descriptors: Sequence[int]) -> bytes:
        try:
            request = json.loads(line)
            command, arguments = self._command(request["command"]), request.get("arguments", {})
            if descriptors:
                arguments["descriptors"] = descriptors
            with contextlib.nullcontext() if request["command"] in self._unlocked else self._lock:
                result = command(**arguments)
            if isinstance(result, subprocess.Popen):
                result = _exit_code(result, connection)
            return _line({"ok": True, "result": result})
        except SandboxError as error:
            return _line({"ok": False, "error": str(error)})
        except Exception as error:
            return _line({"ok": False, "error": f"{type(error).__name__}: {error}"})
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _command(self, name: str) -> Command:
        if name not in self._commands:
            raise SandboxError(f"no command {name!r}; there are: {', '.join(sorted(self._commands))}")
        return self._commands[name]


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    block_on_close = False  # a client that stays must not keep a twin from ending


def call(
    folder: Path,
    command: str,
    /,
    *,
    timeout_seconds: float | None = TIMEOUT_SECONDS,
    descriptors: Sequence[int] = (),
    **arguments: Any,
) -> Any:
    """Let the twin of a folder do something, and return its answer.

    Raises:
        NoTwinError: No twin runs there, or it ended before it answered.
        CommandError: It could not.

    """
    with _connect(folder / SOCKET, timeout_seconds) as connection:
        try:
            line = _line({"command": command, "arguments": arguments})
            sent = socket.send_fds(connection, [line], list(descriptors))
            connection.sendall(line[sent:])
            line = connection.makefile("rb").readline()
        except TimeoutError as error:
            raise SandboxError(f"the twin did not answer {command} within {timeout_seconds:g} s") from error
        except OSError as error:
            raise NoTwinError(f"the twin ended while it was asked for {command}") from error
    if not line:
        raise NoTwinError(f"the twin ended while it was asked for {command}")
    answer = json.loads(line)
    if not answer["ok"]:
        raise CommandError(answer["error"])
    return answer["result"]


def _line(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content).encode() + b"\n"


def _requests(connection: socket.socket) -> Iterator[tuple[bytes, list[int]]]:
    """Give each line that comes with the file descriptors that came with it."""
    buffer, held = b"", list[int]()
    while True:
        while b"\n" not in buffer:
            data, descriptors, *_ = socket.recv_fds(connection, 65536, MOST_DESCRIPTORS)
            held += descriptors
            if not data:
                return
            buffer += data
        line, _, buffer = buffer.partition(b"\n")
        yield line, held
        held = []


def _exit_code(process: subprocess.Popen[bytes], connection: socket.socket) -> int:
    """Wait for a process, and kill it when the asker goes away."""
    while True:
        try:
            return process.wait(POLL_SECONDS)
        except subprocess.TimeoutExpired:
            readable, _, _ = select.select([connection], [], [], 0)
            if readable and not connection.recv(1, socket.MSG_PEEK):
                process.kill()


def _connect(path: Path, timeout_seconds: float | None) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(timeout_seconds)
    try:
        with _short(path) as short:
            connection.connect(short)
    except (FileNotFoundError, ConnectionRefusedError) as error:
        connection.close()
        raise NoTwinError(f"no twin runs in {path.parent}") from error
    except BaseException:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def _short(path: Path) -> Iterator[str]:
    """Give a name of a socket that is not too long for the system."""
    if len(os.fsencode(path)) < LONGEST_PATH:
        yield str(path)
        return
    if not OPEN_FILES.exists():
        raise SandboxError(
            f"{path}: a socket's path may have {LONGEST_PATH} bytes here; use a shorter folder"
        )
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield str(OPEN_FILES / str(descriptor) / path.name)
    finally:
        os.close(descriptor)
