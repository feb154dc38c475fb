"""TLS in front of the embedded PostgreSQL and Redis, whose builds have none: `python -m sandbox.twin.tls_front`.

Clients see what they see of RDS and ElastiCache: TLS or nothing. It is a process of its own, so that nothing else
slows the databases down. Its work comes as one JSON object on standard input: a list of fronts. When it listens, it
writes one line of JSON to standard output, the ports by name; it ends when standard input does.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import ssl
import struct
import sys
from collections.abc import Coroutine, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

POSTGRESQL, REDIS = "postgresql", "redis"
REQUEST: Final = struct.Struct("!ii")
"""How every connection to PostgreSQL begins: length and code."""
CANCEL, TLS, GSS = 80877102, 80877103, 80877104
"""Codes of PostgreSQL's protocol; everything else in their place is a protocol version."""
ACCEPTED, REFUSED = b"S", b"N"
BUFFER_BYTES: Final = 256 * 1024
"""What one direction of a connection may hold before the sender has to wait."""
HANDSHAKE_SECONDS: Final = 15.0
SHUTDOWN_SECONDS: Final = 5.0
BACKLOG: Final = 512


@dataclass(frozen=True, kw_only=True)
class Front:
    """One address, and the server behind it."""

    name: str
    protocol: str
    """POSTGRESQL, which asks for TLS in its own words first, or REDIS, which begins with TLS."""
    host: str
    port: int
    """0 for any free one."""
    backend: str
    """The server's Unix socket."""
    certificate: str
    key: str

    def context(self) -> ssl.SSLContext:
        """Return what the server's side of TLS needs."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.certificate, self.key)
        return context


class _Leg(asyncio.Protocol):
    """One side of a connection; what it reads, the other side writes."""

    transport: asyncio.Transport
    other: _Leg

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.set_write_buffer_limits(high=BUFFER_BYTES)

    def data_received(self, data: bytes) -> None:
        self.other.transport.write(data)

    def pause_writing(self) -> None:
        self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        self.other.transport.resume_reading()

    def eof_received(self) -> bool:
        """Pass the end on; the other direction goes on until it ends as well, where TLS allows it."""
        if self.other.transport.can_write_eof():
            self.other.transport.write_eof()
        else:
            self.other.transport.close()
        return True

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio's
        # What the other side has not written yet is still written.
        self.other.transport.close()


class _Client(_Leg):
    """A client: first it is connected to the server, then it gets TLS."""

    def __init__(self, front: Front, context: ssl.SSLContext) -> None:
        self._backend, self._context = front.backend, context
        self._connected = self._lost = False
        self._work: asyncio.Task[None] | None = None
        """Kept here: the loop itself does not keep a task alive."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.pause_reading()
        self._do(self._connect())

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        if self._connected:
            super().connection_lost(exc)

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        self._work = asyncio.get_running_loop().create_task(work)

    async def _connect(self) -> None:
        server = _Leg()
        server.other = self
        try:
            await asyncio.get_running_loop().create_unix_connection(lambda: server, self._backend)
        except OSError:
            self._refuse()
            return
        self.other, self._connected = server, True
        # A server that speaks first must not be heard before there is TLS.
        server.transport.pause_reading()
        if self._lost:
            server.transport.close()
        else:
            await self._greet()

    def _refuse(self) -> None:
        """End the connection as a host does on which nothing listens."""
        raw = self.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    async def _greet(self) -> None:
        await self._encrypt()

    async def _encrypt(self) -> None:
        try:
            transport = await asyncio.get_running_loop().start_tls(
                self.transport,
                self,
                self._context,
                server_side=True,
                ssl_handshake_timeout=HANDSHAKE_SECONDS,
                ssl_shutdown_timeout=SHUTDOWN_SECONDS,
            )
        except OSError:  # also what TLS itself refuses
            self.other.transport.close()
            return
        if transport is None:  # the client left meanwhile
            self.other.transport.close()
            return
        self.transport = transport
        transport.set_write_buffer_limits(high=BUFFER_BYTES)
        self.other.transport.resume_reading()


class _Postgresql(_Client):
    """A client of PostgreSQL asks in plain text whether it may use TLS."""

    def __init__(self, front: Front, context: ssl.SSLContext) -> None:
        super().__init__(front, context)
        self._asked: bytes | None = b""

    async def _greet(self) -> None:
        self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        if self._asked is None:
            self.other.transport.write(data)
        else:
            self._asked += data
            if len(self._asked) >= REQUEST.size:
                asked, self._asked = self._asked, None
                self._answer(asked)

    def _answer(self, asked: bytes) -> None:
        _, code = REQUEST.unpack_from(asked)
        if code == CANCEL:
            # Clients send it without TLS, also to a server that wants TLS; the server checks its key.
            self.other.transport.resume_reading()
            self.other.transport.write(asked)
        elif code == GSS and len(asked) == REQUEST.size:
            self._asked = b""
            self.transport.write(REFUSED)
        elif code == TLS and len(asked) == REQUEST.size:
            self.transport.pause_reading()
            self.transport.write(ACCEPTED)
            self._do(self._encrypt())
        else:
            # Plain text, or something behind the question already, which nobody honest sends.
            self.transport.write(NO_ENCRYPTION)
            self.transport.close()


def _error(severity: str, code: str, message: str) -> bytes:
    fields = "".join(
        f"{kind}{value}\0" for kind, value in (("S", severity), ("V", severity), ("C", code), ("M", message))
    )
    body = fields.encode() + b"\0"
    return b"E" + struct.pack("!i", len(body) + 4) + body


NO_ENCRYPTION: Final = _error("FATAL", "28000", "no pg_hba.conf entry for this host, no encryption")
"""What RDS says to a client without TLS."""


async def serve(fronts: Sequence[Front]) -> list[asyncio.Server]:
    """Listen on all fronts."""
    return [await _listen(front) for front in fronts]


async def _listen(front: Front) -> asyncio.Server:
    context = front.context()
    kind = _Postgresql if front.protocol == POSTGRESQL else _Client
    return await asyncio.get_running_loop().create_server(
        lambda: kind(front, context), front.host, front.port, backlog=BACKLOG
    )


async def _run(fronts: Sequence[Front]) -> None:
    servers = await serve(fronts)
    ports = {
        front.name: server.sockets[0].getsockname()[1] for front, server in zip(fronts, servers, strict=True)
    }
    sys.stdout.write(json.dumps(ports) + "\n")
    sys.stdout.flush()
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    # Whoever started this process holds the other end: it ends with it, however that ends.
    loop.add_reader(sys.stdin.fileno(), lambda: None if os.read(sys.stdin.fileno(), 1) else ended.set())
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    await ended.wait()


def main() -> None:
    """Serve until standard input ends."""
    rows: list[dict[str, Any]] = json.loads(sys.stdin.buffer.readline())
    asyncio.run(_run([Front(**row) for row in rows]))


def request(fronts: Sequence[Front]) -> bytes:
    """Return the line that the process wants on standard input."""
    return json.dumps([asdict(front) for front in fronts]).encode() + b"\n"


if __name__ == "__main__":
    main()
