"""The balancer in front of real targets over TLS. What AWS itself would answer is from its documentation only."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.twin.unit.balancing import QUICK, Handler, in_loop, stage, states

EXECUTION = {
    "priority": 10,
    "paths": ["/execution", "/execution/*"],
    "fixed": {"status": 404, "type": "text/plain", "body": "Not found"},
}
ENCODED = {"priority": 11, "path_regexes": ["^/[^/]*%"], "fixed": EXECUTION["fixed"]}
TO_API = {"priority": 30, "hosts": ["localhost", "127.0.0.1"], "target_group": "api"}


async def echo(request: web.BaseRequest) -> web.Response:
    """Answer with what arrived."""
    body = await request.read()
    headers = [[name, value] for name, value in request.headers.items()]
    return web.json_response(
        {
            "method": request.method,
            "path": request.raw_path,
            "headers": headers,
            "body": body.decode("latin-1"),
        }
    )


@in_loop
async def test_a_request_reaches_the_target_with_its_path_as_written(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        await scene.balancer(await scene.target(echo))

        answer = await scene.raw(
            b"GET /a%2Fb/../c//d;e?x=%41&y=a+b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )

        assert b'"path": "/a%2Fb/../c//d;e?x=%41&y=a+b"' in answer


@in_loop
async def test_the_execution_api_is_refused_however_it_is_written(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        await scene.balancer(await scene.target(echo), rules=[TO_API, ENCODED, EXECUTION])

        answers = {
            path: (
                await scene.raw(
                    f"GET {path} HTTP/1.1\r\nHost: localhost:8080\r\nConnection: close\r\n\r\n".encode()
                )
            ).split(b"\r\n")[0]
            for path in (
                "/execution", "/execution/", "/execution/x?y=1", "/%65xecution/", "http://other/execution/",
                "/executions", "/api/v2/dags/a%2Fb",
            )
        }  # fmt: skip

        assert answers == {
            "/execution": b"HTTP/1.1 404 Not Found",
            "/execution/": b"HTTP/1.1 404 Not Found",
            "/execution/x?y=1": b"HTTP/1.1 404 Not Found",
            "/%65xecution/": b"HTTP/1.1 404 Not Found",
            "http://other/execution/": b"HTTP/1.1 404 Not Found",
            "/executions": b"HTTP/1.1 200 OK",
            "/api/v2/dags/a%2Fb": b"HTTP/1.1 200 OK",
        }


@in_loop
async def test_a_fixed_response_is_as_configured(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        await scene.balancer(rules=[EXECUTION], response_headers={"Strict-Transport-Security": "max-age=1"})

        async with scene.client.get(scene.url("/execution/")) as answer:
            assert (answer.status, await answer.text()) == (404, "Not found")
            assert answer.headers["Content-Type"] == "text/plain"
            assert answer.headers["Server"] == "awselb/2.0"
            assert answer.headers["Strict-Transport-Security"] == "max-age=1"


@in_loop
async def test_what_meets_no_rule_gets_the_default_action(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        await scene.balancer(await scene.target(echo), rules=[TO_API])

        assert await scene.get("/", headers={"Host": "elsewhere.example"}) == (404, "Not found")


@in_loop
async def test_the_target_learns_who_asked_and_how(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        target = await scene.target(echo)
        await scene.balancer(target)

        _, body = await scene.get(
            "/",
            headers={
                "Host": "airflow.example:8080", "X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https",
                "X-Forwarded-Port": "443", "Cookie": "a=1; b=2", "User-Agent": "me", "Accept": "x/y",
                "Accept-Encoding": "identity",
            },
        )  # fmt: skip

        headers = json.loads(body)["headers"]
        trace = next(value for name, value in headers if name == "X-Amzn-Trace-Id")
        assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", trace)
        assert sorted(row for row in headers if row[0] != "X-Amzn-Trace-Id") == [
            ["Accept", "x/y"],
            ["Accept-Encoding", "identity"],
            ["Cookie", "a=1; b=2"],
            ["Host", "airflow.example:8080"],
            ["User-Agent", "me"],
            ["X-Forwarded-For", "198.51.100.7, 127.0.0.1"],
            ["X-Forwarded-Port", str(scene.port)],
            ["X-Forwarded-Proto", "http"],
        ]


@in_loop
async def test_headers_of_one_connection_and_invalid_ones_end_at_the_balancer(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        await scene.balancer(await scene.target(echo))

        _, body = await scene.get(
            "/",
            headers={
                "Connection": "keep-alive, X-Mine", "X-Mine": "1", "Keep-Alive": "timeout=5", "TE": "trailers",
                "Proxy-Authorization": "secret", "Upgrade": "h2c", "X_Underscore": "1",
            },
        )  # fmt: skip

        names = {name.lower() for name, _ in json.loads(body)["headers"]}
        assert names.isdisjoint(
            {"connection", "x-mine", "keep-alive", "te", "proxy-authorization", "upgrade", "x_underscore"}
        )


@in_loop
async def test_an_answer_comes_back_with_all_its_headers(tmp_path: Path) -> None:
    async def answer(_request: web.BaseRequest) -> web.Response:
        response = web.Response(status=418, reason="Short And Stout", body=b"\x1f\x8b not gzip")
        response.headers["Content-Encoding"] = "gzip"
        response.headers["Server"] = "teapot"
        response.set_cookie("a", "1", secure=True)
        response.set_cookie("b", "2")
        return response

    async with stage(tmp_path) as scene:
        await scene.balancer(await scene.target(answer))

        async with scene.client.get(scene.url()) as found:
            assert (found.status, found.reason, await found.read()) == (
                418, "Short And Stout", b"\x1f\x8b not gzip",
            )  # fmt: skip
            assert found.headers.getall("Set-Cookie") == ["a=1; Path=/; Secure", "b=2; Path=/"]
            assert found.headers["Server"] == "teapot"
            assert found.headers["Content-Length"] == "11"


@in_loop
async def test_a_redirect_is_the_clients_to_follow(tmp_path: Path) -> None:
    async def answer(_request: web.BaseRequest) -> web.Response:
        return web.Response(status=302, headers={"Location": "/auth/login/"})

    async with stage(tmp_path) as scene:
        await scene.balancer(await scene.target(answer))

        async with scene.client.get(scene.url(), allow_redirects=False) as found:
            assert (found.status, found.headers["Location"]) == (302, "/auth/login/")


@in_loop
async def test_one_clients_cookie_is_not_sent_for_another(tmp_path: Path) -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        response = web.Response(text=request.headers.get("Cookie", "none"))
        response.set_cookie("session", "mine")
        return response

    async with stage(tmp_path) as scene:
        # By name: of a number aiohttp would keep no cookies anyway.
        await scene.balancer((await scene.target(answer)).replace("127.0.0.1", "localhost"))

        assert [await scene.get(), await scene.get()] == [(200, "none"), (200, "none")]


@in_loop
async def test_the_answer_to_head_says_the_length_and_has_no_body(tmp_path: Path) -> None:
    async def answer(_request: web.BaseRequest) -> web.Response:
        return web.Response(body=b"12345")

    async with stage(tmp_path) as scene:
        await scene.balancer(await scene.target(answer))

        found = await scene.raw(b"HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")

        head, _, body = found.partition(b"\r\n\r\n")
        assert b"Content-Length: 5" in head
        assert body == b""


@in_loop
async def test_a_body_arrives_as_it_was_sent(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        await scene.balancer(await scene.target(echo))
        body = bytes(range(256)) * 4096

        async with scene.client.post(
            scene.url(), data=body, headers={"Content-Encoding": "gzip", "Content-Type": "a/b"}
        ) as found:
            assert (await found.json())["body"].encode("latin-1") == body


@in_loop
async def test_a_body_is_passed_on_while_it_comes(tmp_path: Path) -> None:
    seen: asyncio.Queue[bytes] = asyncio.Queue()

    async def collect(request: web.BaseRequest) -> web.Response:
        async for chunk in request.content.iter_any():
            await seen.put(chunk)
        return web.Response(text="end")

    async with stage(tmp_path) as scene:
        await scene.balancer(await scene.target(collect))

        async def pieces() -> AsyncIterator[bytes]:
            yield b"first"
            assert await seen.get() == b"first"  # the second is sent only after the first has arrived
            yield b"second"

        async with scene.client.put(scene.url(), data=pieces()) as found:
            assert await found.text() == "end"
        assert await seen.get() == b"second"


@in_loop
async def test_an_answer_is_passed_on_while_it_comes(tmp_path: Path) -> None:
    go_on = asyncio.Event()

    async def events(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b"data: 1\n\n")
        await go_on.wait()
        await response.write(b"data: 2\n\n")
        return response

    async with stage(tmp_path) as scene:
        await scene.balancer(await scene.target(events))

        async with scene.client.get(scene.url()) as found:
            assert await found.content.readany() == b"data: 1\n\n"
            go_on.set()
            assert await found.content.read() == b"data: 2\n\n"


@in_loop
async def test_a_target_notices_that_the_client_has_gone(tmp_path: Path) -> None:
    gone = asyncio.Event()

    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"more")
                await asyncio.sleep(0.01)
        finally:
            gone.set()

    async with stage(tmp_path) as scene:
        await scene.balancer(await scene.target(endless))

        async with scene.client.get(scene.url()) as found:
            await found.content.readany()
            found.close()
        await gone.wait()


@in_loop
async def test_a_target_need_not_finish_an_answer_that_nobody_waits_for(tmp_path: Path) -> None:
    begun, gone = asyncio.Event(), asyncio.Event()

    async def think(_request: web.BaseRequest) -> web.Response:
        begun.set()
        try:
            return await sleepy(_request)
        finally:
            gone.set()

    async with stage(tmp_path) as scene:
        await scene.balancer(await scene.target(think))
        asked = asyncio.create_task(scene.get())
        await begun.wait()

        asked.cancel()

        await asyncio.wait_for(gone.wait(), 2)


@in_loop
async def test_a_websocket_is_passed_on_both_ways(tmp_path: Path) -> None:
    async def shout(request: web.BaseRequest) -> web.StreamResponse:
        there = web.WebSocketResponse(protocols=["loud"])
        await there.prepare(request)
        async for message in there:
            if message.type is aiohttp.WSMsgType.BINARY:
                await there.send_bytes(message.data[::-1])
            elif message.data == "end":
                await there.close(code=4001)
            else:
                await there.send_str(f"{message.data}! {request.headers['X-Forwarded-Proto']}")
        return there

    async with stage(tmp_path) as scene:
        await scene.balancer(await scene.target(shout))

        async with scene.client.ws_connect(scene.url(), protocols=["quiet", "loud"]) as here:
            await here.send_str("hey")
            assert await here.receive_str() == "hey! http"
            await here.send_bytes(b"abc")
            assert await here.receive_bytes() == b"cba"
            await here.ping()
            await here.send_str("end")
            await here.receive()
            assert (here.protocol, here.close_code) == ("loud", 4001)


@in_loop
async def test_a_refused_websocket_says_the_targets_status(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        await scene.balancer(await scene.target(echo))

        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await scene.client.ws_connect(scene.url())

        assert refused.value.status == 200


@in_loop
async def test_a_websocket_to_a_target_that_refuses_connections_makes_502(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    async with stage(tmp_path) as scene:
        await scene.balancer(address)

        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await scene.client.ws_connect(scene.url())

        assert refused.value.status == 502


@in_loop
async def test_pings_and_pongs_reach_the_other_side(tmp_path: Path) -> None:
    async def answer_pings(request: web.BaseRequest) -> web.StreamResponse:
        there = web.WebSocketResponse(autoping=False)
        await there.prepare(request)
        assert (await there.receive()).type is aiohttp.WSMsgType.PING
        await there.pong(b"from the target")
        await there.receive()
        return there

    async with stage(tmp_path) as scene:
        await scene.balancer(await scene.target(answer_pings))

        async with scene.client.ws_connect(scene.url(), autoping=False) as here:
            await here.ping(b"x")
            assert await here.receive() == (aiohttp.WSMsgType.PONG, b"from the target", "")


@in_loop
async def test_a_silent_websocket_is_closed(tmp_path: Path) -> None:
    async def silent(request: web.BaseRequest) -> web.StreamResponse:
        there = web.WebSocketResponse()
        await there.prepare(request)
        await there.receive()
        return there

    async with stage(tmp_path) as scene:
        await scene.balancer(await scene.target(silent), idle_seconds=0.2)

        async with scene.client.ws_connect(scene.url()) as here:
            assert (await here.receive()).type is aiohttp.WSMsgType.CLOSE


PAGE_503 = """<html>\r
<head><title>503 Service Temporarily Unavailable</title></head>\r
<body>\r
<center><h1>503 Service Temporarily Unavailable</h1></center>\r
</body>\r
</html>\r
"""


@in_loop
async def test_without_a_target_the_answer_is_503(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        await scene.balancer()

        assert await scene.get() == (503, PAGE_503)


@in_loop
async def test_a_target_that_refuses_connections_makes_502(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    async with stage(tmp_path) as scene:
        balancer = await scene.balancer(address)

        status, body = await scene.get()

        assert (status, "502 Bad Gateway" in body) == (502, True)
        assert states(balancer) == {address: "unhealthy"}  # and asked all the same: there is no better one


@in_loop
async def test_a_target_that_breaks_off_before_its_answer_makes_502(tmp_path: Path) -> None:
    async def break_off(request: web.BaseRequest) -> web.Response:
        assert request.transport
        request.transport.abort()
        return web.Response()

    async with stage(tmp_path) as scene:
        await scene.balancer(await scene.target(break_off))

        assert (await scene.get())[0] == 502


@in_loop
async def test_an_answer_that_breaks_off_is_not_passed_on_as_whole(tmp_path: Path) -> None:
    async def break_off(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport
        request.transport.abort()
        return response

    async with stage(tmp_path) as scene:
        await scene.balancer(await scene.target(break_off))

        with pytest.raises(aiohttp.ClientError):
            await scene.get()


async def sleepy(_request: web.BaseRequest) -> web.Response:
    """Answer too late."""
    await asyncio.sleep(5)
    return web.Response()


@in_loop
async def test_a_target_that_stays_silent_makes_504(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        await scene.balancer(await scene.target(sleepy), idle_seconds=0.2)

        status, body = await scene.get()

        assert (status, "504 Gateway Time-out" in body) == (504, True)


@in_loop
async def test_a_client_that_stops_sending_its_body_gets_408(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        await scene.balancer(await scene.target(echo), idle_seconds=0.2)

        answer = await scene.raw(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nConnection: close\r\n\r\nhalf"
        )

        assert answer.startswith(b"HTTP/1.1 408 ")


@in_loop
async def test_an_idle_connection_of_a_client_is_closed(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        await scene.balancer(await scene.target(echo), idle_seconds=0.2)

        assert (await scene.raw(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")).startswith(b"HTTP/1.1 200 ")


@in_loop
async def test_targets_take_turns(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        names = ["one", "two", "three"]
        await scene.balancer(*[await scene.target(named(name)) for name in names])

        answers = [(await scene.get())[1] for _ in range(6)]

        assert sorted(answers[:3]) == sorted(names)
        assert answers[3:] == answers[:3]


def named(name: str) -> Handler:
    """Return a handler that tells its name."""

    async def answer(_request: web.BaseRequest) -> web.Response:
        return web.Response(text=name)

    return answer


@in_loop
async def test_an_unhealthy_target_gets_nothing_while_there_is_a_healthy_one(tmp_path: Path) -> None:
    async def all_wrong(_request: web.BaseRequest) -> web.Response:
        return web.Response(status=500)

    async with stage(tmp_path) as scene:
        bad, good = await scene.raw_target(all_wrong), await scene.target(named("good"))
        balancer = await scene.balancer(bad, good)

        assert [(await scene.get())[1] for _ in range(4)] == ["good"] * 4
        assert balancer.health()["api"] == {
            bad: {"state": "unhealthy", "reason": "Health checks failed with these codes: [500]"},
            good: {"state": "healthy", "reason": ""},
        }


@in_loop
async def test_a_target_is_not_asked_before_its_first_good_health_check(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        balancer = await scene.balancer(health={"interval": 60, "timeout": 60})
        balancer.register({"api": [await scene.raw_target(sleepy)]})

        assert (await scene.get())[0] == 503


@in_loop
async def test_a_health_check_that_takes_too_long_fails(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        target = await scene.raw_target(sleepy)
        balancer = await scene.balancer(target, health={"timeout": 0.05})

        assert balancer.health()["api"][target] == {"state": "unhealthy", "reason": "Request timed out"}


@in_loop
async def test_a_health_check_asks_for_its_path_over_its_protocol(tmp_path: Path) -> None:
    asked: list[tuple[str, str]] = []

    async def note(request: web.BaseRequest) -> web.Response:
        asked.append((request.raw_path, request.headers["User-Agent"]))
        return web.Response(status=204)

    async with stage(tmp_path) as scene:
        target = await scene.raw_target(note, tls=False)
        check = {"path": "/api/v2/version", "protocol": "HTTP", "matcher": "200,204-205"}
        balancer = await scene.balancer(target, health=check, group={"protocol": "HTTP"})

        assert states(balancer) == {target: "healthy"}
        assert asked[0] == ("/api/v2/version", "ELB-HealthChecker/2.0")


@in_loop
async def test_a_target_that_is_taken_away_finishes_its_requests_and_gets_no_more(tmp_path: Path) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_request: web.BaseRequest) -> web.Response:
        begun.set()
        await go_on.wait()
        return web.Response(text="old")

    async with stage(tmp_path) as scene:
        old, new = await scene.target(slow), await scene.target(named("new"))
        balancer = await scene.balancer(old)
        asked = asyncio.create_task(scene.get())
        await begun.wait()

        balancer.register({"api": [new]})

        assert states(balancer) == {old: "draining", new: "initial"}
        await scene.until(balancer, lambda found: found[new] == "healthy")
        assert await scene.get() == (200, "new")
        go_on.set()
        assert await asked == (200, "old")
        await scene.until(balancer, lambda found: found == {new: "healthy"})


@in_loop
async def test_a_request_that_outlives_the_deregistration_delay_gets_502(tmp_path: Path) -> None:
    begun = asyncio.Event()

    async def slow(request: web.BaseRequest) -> web.Response:
        begun.set()
        return await sleepy(request)

    async with stage(tmp_path) as scene:
        balancer = await scene.balancer(await scene.target(slow), group={"deregistration_seconds": 0.1})
        asked = asyncio.create_task(scene.get())
        await begun.wait()

        balancer.register({})

        assert (await asked)[0] == 502


@in_loop
async def test_targets_of_an_unknown_group_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with stage(tmp_path) as scene:
        balancer = await scene.balancer(await scene.target(echo))

        balancer.register({"worker": ["10.0.0.1:1"]})

        assert capsys.readouterr().err == "balancer: no target group 'worker'\n"


def test_the_process_takes_targets_from_standard_input_and_tells_their_health(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        refused = f"127.0.0.1:{free.getsockname()[1]}"
    document = {
        "rules": [EXECUTION], "default": {"status": 404},
        "target_groups": {"api": {"health": QUICK | {"unhealthy_threshold": 1}}},
    }  # fmt: skip
    (tmp_path / "balancer.json").write_text(json.dumps(document))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        process = subprocess.Popen(
            [
                sys.executable, "-m", "sandbox.twin.balancer", "--configuration", tmp_path / "balancer.json",
                "--listen-fd", str(listening.fileno()),
            ],
            pass_fds=[listening.fileno()], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
    assert process.stdin
    assert process.stdout

    told = [json.loads(process.stdout.readline())]
    process.stdin.write(json.dumps({"api": [refused]}) + "\n")
    process.stdin.flush()
    told += [json.loads(process.stdout.readline()), json.loads(process.stdout.readline())]
    process.stdin.close()  # the daemon has ended

    assert process.wait(10) == 0
    assert [row["api"].get(refused, {}).get("state") for row in told] == [None, "initial", "unhealthy"]
    process.stdout.close()


def test_sigterm_ends_the_process(tmp_path: Path) -> None:
    document = {"rules": [], "default": {"status": 404}, "target_groups": {}}
    (tmp_path / "balancer.json").write_text(json.dumps(document))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        process = subprocess.Popen(
            [
                sys.executable, "-m", "sandbox.twin.balancer", "--configuration", tmp_path / "balancer.json",
                "--listen-fd", str(listening.fileno()),
            ],
            pass_fds=[listening.fileno()], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
    assert process.stdout
    process.stdout.readline()

    process.terminate()

    assert process.wait(10) == 0
    process.communicate()
