"""The stand-in of the Application Load Balancer: `python -m sandbox.twin.balancer`, a process of its own.

It listens on sockets that it inherits, so that it can be reached on this machine while it talks to tasks in the
network of the twin. Each line on standard input, {target group: [addresses]}, replaces the targets; each line on
standard output is the health of all of them, written whenever one changes. It ends with standard input.

TLS to targets is kept, and as in AWS nobody asks who signed their certificate. What it is not: its clients talk
plain HTTP/1.1, and nothing is limited, logged or sticky.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import socket
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from aiohttp import web

from sandbox.twin.balancer_proxy import MAX_HEADER_BYTES, Balancer
from sandbox.twin.balancer_rules import Configuration, read

LINGER_SECONDS: Final = 0.5
"""How long the rest of a request that was answered early is read, so that its client gets to read the answer."""


async def serve(balancer: Balancer, sockets: Iterable[socket.socket], stop: asyncio.Event) -> None:
    """Answer on sockets that listen already, until it is told to stop."""
    server = web.Server(
        balancer.answer,
        handler_cancellation=True,
        access_log=None,
        auto_decompress=False,
        keepalive_timeout=balancer.idle_seconds,
        lingering_time=LINGER_SECONDS,
        max_line_size=MAX_HEADER_BYTES,
        max_field_size=MAX_HEADER_BYTES,
    )
    runner = web.ServerRunner(server, shutdown_timeout=0.5)
    await runner.setup()
    await balancer.start()
    try:
        for listening in sockets:
            await web.SockSite(runner, listening).start()
        await stop.wait()
    finally:
        await runner.cleanup()
        await balancer.close()


async def run(configuration: Configuration, sockets: Sequence[socket.socket]) -> None:
    """Serve until standard input ends or SIGTERM comes; take targets from there, and tell their health."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    balancer = Balancer(configuration, sockets[0].getsockname()[1])
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(serve(balancer, sockets, stop))
        others = [tasks.create_task(_take_targets(balancer, stop)), tasks.create_task(_tell_health(balancer))]
        await serving
        for task in others:
            task.cancel()


async def _take_targets(balancer: Balancer, stop: asyncio.Event) -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer
    )
    while line := await reader.readline():
        balancer.register(json.loads(line))
    stop.set()


async def _tell_health(balancer: Balancer) -> None:
    while True:
        await balancer.change()
        print(json.dumps(balancer.health()), flush=True)  # noqa: T201


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the balancer on inherited sockets."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.twin.balancer", description=__doc__)
    parser.add_argument(
        "--configuration", type=Path, required=True, help="JSON: rules, target groups, targets"
    )
    parser.add_argument(
        "--listen-fd",
        type=int,
        action="append",
        required=True,
        help="an inherited socket that listens; repeatable",
    )
    options = parser.parse_args(arguments)
    configuration = read(json.loads(options.configuration.read_text(encoding="utf-8")))
    asyncio.run(run(configuration, [socket.socket(fileno=number) for number in options.listen_fd]))


if __name__ == "__main__":
    main()
