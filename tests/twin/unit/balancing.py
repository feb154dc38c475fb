"""A balancer and its targets on loopback, all in one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import functools
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, ParamSpec

import aiohttp
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sandbox.twin.balancer import serve
from sandbox.twin.balancer_proxy import Balancer
from sandbox.twin.balancer_rules import read

P = ParamSpec("P")
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

QUICK = {"path": "/health", "interval": 0.05, "timeout": 1, "healthy_threshold": 2, "unhealthy_threshold": 2}
DEFAULT = {"status": 404, "body": "Not found"}


def in_loop(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run an asynchronous test to its end."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        asyncio.run(asyncio.wait_for(test(*args, **kwargs), 20))

    return run


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Write a certificate that nobody trusts, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nobody knows me")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.9.9.9"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return files


class Stage:
    """Where a test puts targets and a balancer."""

    def __init__(self, stack: contextlib.AsyncExitStack, certificate: tuple[Path, Path]) -> None:
        """Start with nothing."""
        self._stack = stack
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._tls.load_cert_chain(*certificate)
        self.client = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False)

    async def target(self, handler: Handler, *, tls: bool = True) -> str:
        """Start a target that answers health checks by itself, and return its address."""

        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            return web.Response(text="ok") if request.path == "/health" else await handler(request)

        return await self.raw_target(answer, tls=tls)

    async def raw_target(self, handler: Handler, *, tls: bool = True) -> str:
        """Start a target, and return its address."""
        runner = web.ServerRunner(
            web.Server(handler, auto_decompress=False, handler_cancellation=True), shutdown_timeout=0.1
        )
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        listening = socket.create_server(("127.0.0.1", 0))
        await web.SockSite(runner, listening, ssl_context=self._tls if tls else None).start()
        return f"127.0.0.1:{listening.getsockname()[1]}"

    async def balancer(self, *targets: str, **changes: Any) -> Balancer:
        """Start a balancer with one target group, `api`, that everything goes to."""
        health = QUICK | changes.pop("health", {})
        group = {"health": health} | changes.pop("group", {})
        document = {
            "rules": [{"priority": 30, "target_group": "api"}],
            "default": DEFAULT,
            "target_groups": {"api": group},
            "targets": {"api": targets},
        }
        listening = socket.create_server(("127.0.0.1", 0))
        self.port = listening.getsockname()[1]
        balancer = Balancer(read(document | changes), self.port)
        stop = asyncio.Event()
        serving = asyncio.create_task(serve(balancer, [listening], stop))

        async def end() -> None:
            stop.set()
            await serving

        self._stack.push_async_callback(end)
        if targets:
            await self.until(balancer, lambda found: bool(found) and "initial" not in found.values())
        return balancer

    async def until(self, balancer: Balancer, wanted: Callable[[dict[str, str]], bool]) -> None:
        """Wait until the states of the targets of `api` are as wanted."""
        while not wanted(states(balancer)):
            await asyncio.sleep(0.005)

    def url(self, path: str = "/") -> str:
        """Return an address at the balancer."""
        return f"http://127.0.0.1:{self.port}{path}"

    async def get(self, path: str = "/", **options: Any) -> tuple[int, str]:
        """Return status and body of an answer of the balancer."""
        async with self.client.get(self.url(path), **options) as answer:
            return answer.status, await answer.text()

    async def raw(self, request: bytes) -> bytes:
        """Send bytes to the balancer, and return all that comes back until it closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        try:
            return await reader.read()
        finally:
            writer.close()


def states(balancer: Balancer) -> dict[str, str]:
    """Return the state of each target of `api`."""
    return {address: found["state"] for address, found in balancer.health().get("api", {}).items()}


@contextlib.asynccontextmanager
async def stage(folder: Path) -> AsyncIterator[Stage]:
    """Give a stage, and clear it afterwards."""
    async with contextlib.AsyncExitStack() as stack:
        made = Stage(stack, make_certificate(folder))
        await stack.enter_async_context(made.client)
        yield made
