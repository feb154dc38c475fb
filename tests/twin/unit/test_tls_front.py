"""The TLS front against a small server behind it: who gets through, how connections end, and what waits for whom."""

from __future__ import annotations

import asyncio
import io
import json
import os
import socket
import ssl
import struct
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.twin import certificates, tls_front
from sandbox.twin.certificates import Certificates
from sandbox.twin.tls_front import ACCEPTED, BUFFER_BYTES, POSTGRESQL, REDIS, REFUSED, Front

HOST = "127.0.0.1"
TLS_REQUEST = tls_front.REQUEST.pack(8, tls_front.TLS)
GSS_REQUEST = tls_front.REQUEST.pack(8, tls_front.GSS)
CANCEL_REQUEST = struct.pack("!iiii", 16, tls_front.CANCEL, 1, 2)
PLAIN_START = struct.pack("!ii", 8, 196608)
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates.write(tmp_path_factory.mktemp("tls"), [HOST])


@pytest.fixture
def backend() -> Iterator[Path]:
    """Give the path of a Unix socket, short enough for one."""
    with tempfile.TemporaryDirectory(prefix="front-") as folder:
        yield Path(folder) / "socket"


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send everything back, and end when the client does."""
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


@asynccontextmanager
async def fronted(
    files: Certificates, backend: Path, protocol: str = REDIS, handler: Handler | None = echo
) -> AsyncIterator[int]:
    """Serve a backend behind a front; without a handler nothing listens there."""
    servers = []
    if handler is not None:
        servers.append(await asyncio.start_unix_server(handler, backend))
    front = Front(
        name="one",
        protocol=protocol,
        host=HOST,
        port=0,
        backend=str(backend),
        certificate=str(files.certificate),
        key=str(files.key),
    )
    servers += await tls_front.serve([front])
    try:
        yield servers[-1].sockets[0].getsockname()[1]
    finally:
        for server in servers:
            server.close()


async def connect(
    port: int, authority: Path | None, protocol: str = REDIS
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect and verify; authority None trusts what the system trusts."""
    context = ssl.create_default_context(cafile=authority)
    reader, writer = await asyncio.open_connection(HOST, port)
    if protocol == POSTGRESQL:
        writer.write(TLS_REQUEST)
        assert await reader.readexactly(1) == ACCEPTED
    await writer.start_tls(context, server_hostname=HOST)
    return reader, writer


PROTOCOLS = pytest.mark.parametrize("protocol", [POSTGRESQL, REDIS])


@PROTOCOLS
def test_what_a_client_sends_comes_back(files: Certificates, backend: Path, protocol: str) -> None:
    async def run() -> bytes:
        async with fronted(files, backend, protocol) as port:
            reader, writer = await connect(port, files.authority, protocol)
            writer.write(b"hello")
            answer = await reader.readexactly(5)
            writer.close()
            return answer

    assert asyncio.run(run()) == b"hello"


@PROTOCOLS
def test_a_client_that_does_not_know_the_authority_refuses(
    files: Certificates, backend: Path, protocol: str
) -> None:
    async def run() -> None:
        async with fronted(files, backend, protocol) as port:
            await connect(port, None, protocol)

    with pytest.raises(ssl.SSLCertVerificationError):
        asyncio.run(run())


@PROTOCOLS
def test_without_a_server_the_connection_is_refused(
    files: Certificates, backend: Path, protocol: str
) -> None:
    async def run() -> bytes:
        async with fronted(files, backend, protocol, handler=None) as port:
            reader, writer = await asyncio.open_connection(HOST, port)
            writer.write(TLS_REQUEST)
            return await reader.read()

    with pytest.raises(ConnectionResetError):
        asyncio.run(run())


@PROTOCOLS
def test_a_front_serves_again_when_its_server_does(files: Certificates, backend: Path, protocol: str) -> None:
    async def run() -> bytes:
        async with fronted(files, backend, protocol, handler=None) as port:
            with pytest.raises(ConnectionResetError):
                await connect(port, files.authority, protocol)
            async with await asyncio.start_unix_server(echo, backend):
                reader, writer = await connect(port, files.authority, protocol)
                writer.write(b"back")
                answer = await reader.readexactly(4)
                writer.close()
                return answer

    assert asyncio.run(run()) == b"back"


@PROTOCOLS
def test_a_server_that_speaks_first_is_heard_through_tls_only(
    files: Certificates, backend: Path, protocol: str
) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"welcome")
        await writer.drain()
        await reader.read()
        writer.close()

    async def run() -> bytes:
        async with fronted(files, backend, protocol, speak) as port:
            reader, writer = await connect(port, files.authority, protocol)
            answer = await reader.readexactly(7)
            writer.close()
            return answer

    assert asyncio.run(run()) == b"welcome"


@PROTOCOLS
def test_a_server_that_goes_away_takes_its_clients_along(
    files: Certificates, backend: Path, protocol: str
) -> None:
    """What it said before still arrives."""

    async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(2)
        writer.write(b"last words")
        writer.close()

    async def run() -> bytes:
        async with fronted(files, backend, protocol, leave) as port:
            reader, writer = await connect(port, files.authority, protocol)
            writer.write(b"go")
            everything = await reader.read()
            writer.close()
            return everything

    assert asyncio.run(run()) == b"last words"


@PROTOCOLS
def test_a_client_that_goes_away_is_gone_for_the_server(
    files: Certificates, backend: Path, protocol: str
) -> None:
    """Everything that it said before arrives, then the end."""

    async def run() -> bytes:
        heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.set_result(await reader.read())
            writer.close()

        async with fronted(files, backend, protocol, listen) as port:
            _, writer = await connect(port, files.authority, protocol)
            writer.write(b"x" * 1_000_000)
            writer.close()
            return await asyncio.wait_for(heard, 5)

    assert asyncio.run(run()) == b"x" * 1_000_000


def test_a_client_that_leaves_at_once_leaves_nothing_behind(files: Certificates, backend: Path) -> None:
    async def run() -> bytes:
        ended: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            ended.set_result(await reader.read())
            writer.close()

        async with fronted(files, backend, handler=listen) as port:
            with socket.create_connection((HOST, port)):
                pass
            return await asyncio.wait_for(ended, 5)

    assert asyncio.run(run()) == b""


@PROTOCOLS
def test_a_slow_reader_makes_the_server_wait(files: Certificates, backend: Path, protocol: str) -> None:
    """The front never holds more than its buffers, however much the server has to say."""
    size = 64 * BUFFER_BYTES

    async def run() -> tuple[int, int]:
        sent = 0

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal sent
            while sent < size:
                writer.write(bytes(65536))
                await writer.drain()
                sent += 65536
            writer.close()

        async with fronted(files, backend, protocol, talk) as port:
            reader, writer = await connect(port, files.authority, protocol)
            transport = writer.transport
            assert isinstance(transport, asyncio.Transport)
            transport.pause_reading()
            await asyncio.sleep(0.5)
            waiting = sent
            transport.resume_reading()
            everything = len(await reader.read())
            writer.close()
            return waiting, everything

    waiting, everything = asyncio.run(run())
    # The kernel's buffers of both sockets hold some megabytes as well.
    assert waiting < size * 3 // 4
    assert everything == size


def test_postgresql_without_tls_is_refused_in_its_own_words(files: Certificates, backend: Path) -> None:
    async def run() -> bytes:
        async with fronted(files, backend, POSTGRESQL) as port:
            reader, writer = await asyncio.open_connection(HOST, port)
            writer.write(PLAIN_START)
            answer = await reader.read()
            writer.close()
            return answer

    answer = asyncio.run(run())
    assert answer[:1] == b"E"
    assert struct.unpack("!i", answer[1:5])[0] == len(answer) - 1
    assert answer[5:-1].split(b"\0") == [
        b"SFATAL", b"VFATAL", b"C28000", b"Mno pg_hba.conf entry for this host, no encryption", b"",
    ]  # fmt: skip


def test_postgresql_has_no_gss_and_then_tls(files: Certificates, backend: Path) -> None:
    async def run() -> bytes:
        async with fronted(files, backend, POSTGRESQL) as port:
            reader, writer = await asyncio.open_connection(HOST, port)
            writer.write(GSS_REQUEST)
            first = await reader.readexactly(1)
            writer.write(TLS_REQUEST)
            second = await reader.readexactly(1)
            writer.close()
            return first + second

    assert asyncio.run(run()) == REFUSED + ACCEPTED


def test_a_question_may_come_in_pieces(files: Certificates, backend: Path) -> None:
    async def run() -> bytes:
        async with fronted(files, backend, POSTGRESQL) as port:
            reader, writer = await asyncio.open_connection(HOST, port)
            for number in TLS_REQUEST:
                writer.write(bytes([number]))
                await writer.drain()
                await asyncio.sleep(0.01)
            answer = await reader.readexactly(1)
            writer.close()
            return answer

    assert asyncio.run(run()) == ACCEPTED


def test_what_stands_behind_the_question_is_not_believed(files: Certificates, backend: Path) -> None:
    """Somebody between client and server could have put it there: it would count as if it came through TLS."""

    async def run() -> bytes:
        async with fronted(files, backend, POSTGRESQL) as port:
            reader, writer = await asyncio.open_connection(HOST, port)
            writer.write(TLS_REQUEST + b"DROP TABLE")
            answer = await reader.read()
            writer.close()
            return answer

    assert asyncio.run(run())[:1] == b"E"


def test_a_cancel_request_passes_as_it_is(files: Certificates, backend: Path) -> None:
    async def run() -> bytes:
        async with fronted(files, backend, POSTGRESQL) as port:
            reader, writer = await asyncio.open_connection(HOST, port)
            writer.write(CANCEL_REQUEST)
            answer = await reader.readexactly(16)
            writer.close()
            return answer

    assert asyncio.run(run()) == CANCEL_REQUEST


def test_redis_without_tls_is_refused(files: Certificates, backend: Path) -> None:
    async def run() -> bytes:
        async with fronted(files, backend) as port:
            reader, writer = await asyncio.open_connection(HOST, port)
            writer.write(b"PING\r\n")
            answer = await reader.read()
            writer.close()
            return answer

    assert b"PONG" not in asyncio.run(run())


def test_old_tls_is_refused(files: Certificates, backend: Path) -> None:
    async def run() -> None:
        context = ssl.create_default_context(cafile=files.authority)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("ALL:@SECLEVEL=0")
        async with fronted(files, backend) as port:
            await asyncio.open_connection(HOST, port, ssl=context, server_hostname=HOST)

    with pytest.warns(DeprecationWarning, match="TLSv1"), pytest.raises(OSError, match=r".*"):
        asyncio.run(run())


@settings(max_examples=20)
@given(
    chunks=st.lists(st.binary(min_size=1, max_size=5000), max_size=8),
    protocol=st.sampled_from([POSTGRESQL, REDIS]),
)
def test_everything_arrives_in_order(files: Certificates, chunks: list[bytes], protocol: str) -> None:
    async def run(backend: Path) -> bytes:
        async with fronted(files, backend, protocol) as port:
            reader, writer = await connect(port, files.authority, protocol)
            for chunk in chunks:
                writer.write(chunk)
                await writer.drain()
            answer = await reader.readexactly(sum(map(len, chunks)))
            writer.close()
            return answer

    with tempfile.TemporaryDirectory(prefix="front-") as folder:
        assert asyncio.run(run(Path(folder) / "socket")) == b"".join(chunks)


def test_the_process_says_where_it_listens_and_ends_with_its_input(
    files: Certificates, backend: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    front = Front(
        name="broker",
        protocol=REDIS,
        host=HOST,
        port=0,
        backend=str(backend),
        certificate=str(files.certificate),
        key=str(files.key),
    )
    read_end, write_end = os.pipe()
    os.write(write_end, tls_front.request([front]))
    os.close(write_end)
    with os.fdopen(read_end, "rb") as stream:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(stream))
        tls_front.main()
    assert list(json.loads(capsys.readouterr().out)) == ["broker"]
