"""How the balancer answers one request: by rule, from a target, in the headers and the errors of the real one."""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import ssl
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Final

import aiohttp
import multidict
import yarl
from aiohttp import web

from sandbox.twin.balancer_rules import Configuration, Fixed
from sandbox.twin.balancer_targets import Target, TargetGroup

CONNECT_SECONDS: Final = 10.0
"""How long a target may take to accept a connection; AWS's own limit."""
MAX_HEADER_BYTES: Final = 16 * 1024
"""AWS's limit of a request line and of a header."""
SERVER: Final = "awselb/2.0"
NOT_FORWARDED: Final = frozenset(
    {
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te",
        "trailer", "transfer-encoding", "upgrade",
    }
)  # fmt: skip
"""Headers that are about one connection only."""
ADDED_BY_CLIENT: Final = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
"""What aiohttp would add to a request that lacks it."""
TITLES: Final = {
    408: "408 Request Time-out",
    502: "502 Bad Gateway",
    503: "503 Service Temporarily Unavailable",
    504: "504 Gateway Time-out",
}

Headers = multidict.CIMultiDict[str]
Socket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse[bool]


class StalledClient(Exception):
    """A client sent nothing for too long."""


class Balancer:
    """Forwards requests by rules to targets."""

    def __init__(self, configuration: Configuration, port: int) -> None:
        """Prepare; nothing is asked before `start`.

        Args:
            configuration: Rules, target groups and the rest.
            port: What X-Forwarded-Port says.

        """
        self._told = configuration
        self._port = port
        self.idle_seconds = configuration.idle_seconds
        self._changed = asyncio.Event()
        self._groups: dict[str, TargetGroup] = {}
        self._open = contextlib.AsyncExitStack()

    async def start(self) -> None:
        """Open what talks to targets, and register those that the configuration names."""
        self._session = await self._open.enter_async_context(_session(keep=True))
        checks = await self._open.enter_async_context(_session(keep=False))
        for name, settings in self._told.target_groups.items():
            group = self._groups[name] = TargetGroup(settings, checks, self._changed.set)
            self._open.push_async_callback(group.close)
        self.register(self._told.targets)

    async def close(self) -> None:
        """Stop asking targets, and end every connection to them."""
        await self._open.aclose()

    def register(self, targets: Mapping[str, Sequence[str]]) -> None:
        """Make these the targets; a group that is not named has none."""
        for name in targets.keys() - self._groups.keys():
            print(f"balancer: no target group {name!r}", file=sys.stderr, flush=True)  # noqa: T201
        for name, group in self._groups.items():
            group.register(targets.get(name, ()))
        self._changed.set()

    def health(self) -> Mapping[str, Mapping[str, Mapping[str, str]]]:
        """Return state and reason of each target of each target group."""
        return {name: group.health() for name, group in self._groups.items()}

    async def change(self) -> None:
        """Wait until the health of a target has changed since the last time."""
        await self._changed.wait()
        self._changed.clear()

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request as the rule says that it meets."""
        path = _target(request.raw_path)
        rule = self._told.rule(request.headers.get("Host", ""), path.partition("?")[0])
        if rule is None or rule.target_group is None:
            return self._fixed((rule and rule.fixed) or self._told.default)
        group = self._groups[rule.target_group]
        target = group.next()
        if target is None:
            return self._page(503)
        url = yarl.URL(f"{group.settings.protocol.lower()}://{target.address}{path}", encoded=True)
        if request.method == "GET" and request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._websocket(request, target, url)
        return await self._forward(request, target, url)

    async def _forward(self, request: web.BaseRequest, target: Target, url: yarl.URL) -> web.StreamResponse:
        response: web.StreamResponse | None = None
        limit: asyncio.Timeout | None = None
        try:
            async with (
                target.request() as limit,
                self._session.request(
                    request.method,
                    url,
                    headers=self._request_headers(request),
                    data=self._body(request) if request.can_read_body else None,
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(sock_connect=CONNECT_SECONDS, sock_read=self.idle_seconds),
                ) as answer,
            ):
                response = web.StreamResponse(
                    status=answer.status, reason=answer.reason, headers=self._response_headers(answer.headers)
                )
                await response.prepare(request)
                async for chunk in answer.content.iter_any():
                    await response.write(chunk)
                await response.write_eof()
                return response
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            if response is not None and response.prepared:
                return _cut(request, response)
            return self._page(_status(error, limit))

    async def _websocket(self, request: web.BaseRequest, target: Target, url: yarl.URL) -> web.StreamResponse:
        headers = self._request_headers(request)
        offered = [
            name.strip() for name in headers.popall("Sec-WebSocket-Protocol", []) for name in name.split(",")
        ]
        for name in {name for name in headers if name.lower().startswith("sec-websocket-")}:
            headers.popall(name)
        try:
            async with asyncio.timeout(self.idle_seconds):
                there = await self._session.ws_connect(
                    url, headers=headers, protocols=offered, autoping=False, max_msg_size=0
                )
        except aiohttp.WSServerHandshakeError as error:
            return web.Response(status=error.status, text=error.message)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return self._page(_status(error, None))
        chosen = [there.protocol] if there.protocol else []
        here = web.WebSocketResponse(protocols=chosen, autoping=False, max_msg_size=0, compress=False)
        await here.prepare(request)
        with contextlib.suppress(TimeoutError):
            async with target.request(), asyncio.timeout(self.idle_seconds) as idle, there:

                def moved() -> None:
                    idle.reschedule(asyncio.get_running_loop().time() + self.idle_seconds)

                await asyncio.gather(_copy(here, there, moved), _copy(there, here, moved))
        await here.close(code=there.close_code or aiohttp.WSCloseCode.GOING_AWAY)
        return here

    async def _body(self, request: web.BaseRequest) -> AsyncIterator[bytes]:
        while not request.content.at_eof():
            try:
                async with asyncio.timeout(self.idle_seconds):
                    chunk = await request.content.readany()
            except TimeoutError as error:
                raise StalledClient from error
            if chunk:
                yield chunk

    def _request_headers(self, request: web.BaseRequest) -> Headers:
        headers = _end_to_end(request.headers)
        if self._told.drop_invalid_headers:
            for name in {name for name in headers if not re.fullmatch(r"[-A-Za-z0-9]+", name)}:
                headers.popall(name)
        chain = [*headers.popall("X-Forwarded-For", []), request.remote or ""]
        headers["X-Forwarded-For"] = ", ".join(chain)
        headers["X-Forwarded-Proto"] = self._told.forwarded_proto
        headers["X-Forwarded-Port"] = str(self._port)
        headers.setdefault("X-Amzn-Trace-Id", f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)}")
        return headers

    def _response_headers(self, headers: Mapping[str, str]) -> Headers:
        kept = _end_to_end(headers)
        kept.update(self._told.response_headers)
        return kept

    def _fixed(self, fixed: Fixed) -> web.Response:
        headers = Headers({"Server": SERVER, "Content-Type": fixed.type, **self._told.response_headers})
        return web.Response(status=fixed.status, body=fixed.body.encode(), headers=headers)

    def _page(self, status: int) -> web.Response:
        title = TITLES[status]
        lines = (
            "<html>", f"<head><title>{title}</title></head>", "<body>", f"<center><h1>{title}</h1></center>",
            "</body>", "</html>", "",
        )  # fmt: skip
        return self._fixed(Fixed(status=status, type="text/html", body="\r\n".join(lines)))


async def _copy(source: Socket, sink: Socket, moved: Callable[[], None]) -> None:
    """Pass messages on until one side closes, then close the other one."""
    with contextlib.suppress(ConnectionError):
        async for message in source:
            moved()
            if message.type is aiohttp.WSMsgType.TEXT:
                await sink.send_str(message.data)
            elif message.type is aiohttp.WSMsgType.BINARY:
                await sink.send_bytes(message.data)
            elif message.type is aiohttp.WSMsgType.PING:
                await sink.ping(message.data)
            elif message.type is aiohttp.WSMsgType.PONG:
                await sink.pong(message.data)
    await sink.close(code=source.close_code or aiohttp.WSCloseCode.GOING_AWAY)


def _session(*, keep: bool) -> aiohttp.ClientSession:
    """Return what talks to targets; like the real one it does not ask who signed a certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=context, limit=0, force_close=not keep),
        # Cookies belong to the browsers behind it.
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        skip_auto_headers=ADDED_BY_CLIENT,
        timeout=aiohttp.ClientTimeout(sock_connect=CONNECT_SECONDS),
        max_line_size=MAX_HEADER_BYTES,
        max_field_size=MAX_HEADER_BYTES,
    )


def _target(written: str) -> str:
    """Return the path and query as they were written; a request may carry a whole address instead."""
    return re.sub(r"\A[a-z]+://[^/?]*", "", written, flags=re.IGNORECASE) or "/"


def _end_to_end(headers: Mapping[str, str]) -> Headers:
    """Return headers without those of one connection, which the Connection header may name, too."""
    kept = Headers(headers)
    named = {name.strip().lower() for value in kept.getall("Connection", []) for name in value.split(",")}
    for name in (NOT_FORWARDED | named) & {name.lower() for name in kept}:
        kept.popall(name)
    return kept


def _status(error: BaseException, limit: asyncio.Timeout | None) -> int:
    """Return what AWS answers when a target or the client fails like this."""
    if isinstance(error.__cause__, StalledClient):
        return 408
    left = limit is not None and limit.expired()
    return 504 if isinstance(error, TimeoutError) and not left else 502


def _cut(request: web.BaseRequest, response: web.StreamResponse) -> web.StreamResponse:
    """Break the connection under an answer that has begun and cannot be finished: the client has to notice."""
    if request.transport is not None:
        request.transport.abort()
    return response
