"""What the containers of a twin find around them: database, broker, AWS, and the load balancer in front."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import sandbox
from sandbox.twin import aws_endpoint, certificates, tls_front
from sandbox.twin.aws_endpoint import Endpoint, StandIns
from sandbox.twin.backends import PostgreSql, Redis, TlsFront
from sandbox.twin.balancer_rules import Configuration
from sandbox.twin.platform import Platform
from sandbox.twin.tls_front import Front

LOCALHOST: Final = "127.0.0.1"
EVERY_ADDRESS: Final = "0.0.0.0"  # noqa: S104  of a network of its own
STOP_SECONDS: Final = 5.0


@dataclass(frozen=True, kw_only=True)
class Servers:
    """The servers of one twin, all running."""

    postgresql: PostgreSql
    redis: Redis
    endpoint: Endpoint
    authority: Path
    """Who signed for database and broker."""
    aws_url: str
    """The endpoint, as containers reach it."""
    ports: Mapping[int, int]
    """Where database and broker listen, by their rendered ports."""


@contextlib.contextmanager
def serving(
    platform: Platform,
    folder: Path,
    gateway: str | None,
    stand_ins: StandIns,
    starter: Executor,
    outside: socket.socket,
) -> Iterator[Servers]:
    """Run database, broker and AWS endpoint until the block ends.

    Args:
        platform: Whose they are.
        folder: Where their files go.
        gateway: Address that containers reach; None when they are plain processes on this machine.
        stand_ins: Who does what the endpoint cannot do.
        starter: Starts database and broker, which end with its thread.
        outside: Listens on this machine for whoever asks AWS from outside of the twin's network.

    """
    metastore, broker = platform.metastore, platform.broker
    signed = certificates.write(folder / "tls", [metastore.host, broker.host, "localhost"])
    with contextlib.ExitStack() as stack:
        postgresql = PostgreSql(folder, database=metastore.database, owner=metastore.owner)
        stack.callback(postgresql.erase)
        redis = Redis(folder)
        stack.callback(redis.erase)
        for server in (postgresql, redis):
            starter.submit(server.start).result()
        fronts = [
            Front(
                name=server.name,
                protocol=protocol,
                host=gateway or LOCALHOST,
                # On this machine the port may be taken.
                port=port if gateway else 0,
                backend=str(server.socket),
                certificate=str(signed.certificate),
                key=str(signed.key),
            )
            for server, protocol, port in (
                (postgresql, tls_front.POSTGRESQL, metastore.port),
                (redis, tls_front.REDIS, broker.port),
            )
        ]
        front = TlsFront(fronts, folder / "tls_front.log")
        stack.callback(front.stop)
        front.start()
        endpoint = stack.enter_context(
            aws_endpoint.serving(
                stand_ins,
                region=platform.region,
                address=EVERY_ADDRESS if gateway else LOCALHOST,
                account=platform.account,
                outside=outside,
            )
        )
        endpoint.show(platform, postgresql.owner_password)
        yield Servers(
            postgresql=postgresql,
            redis=redis,
            endpoint=endpoint,
            authority=signed.authority,
            aws_url=endpoint.url.replace(LOCALHOST, gateway or LOCALHOST),
            ports={
                metastore.port: front.ports[postgresql.name],
                broker.port: front.ports[redis.name],
            },
        )


class BalancerProcess:
    """The load balancer, a process that listens on a socket of this one."""

    def __init__(self, configuration: Configuration, listening: int, folder: Path) -> None:
        """Start it, without targets.

        Args:
            configuration: What it is told.
            listening: File descriptor of the socket; it may belong to another network than this process.
            folder: Where its files go.

        """
        document = folder / "balancer.json"
        document.write_text(json.dumps(asdict(configuration)), encoding="utf-8")
        self._targets: Mapping[str, Sequence[str]] = {}
        self._health: Mapping[str, Mapping[str, Mapping[str, str]]] = {}
        with (folder / "balancer.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "sandbox.twin.balancer"),
                    *("--configuration", document, "--listen-fd", str(listening)),
                ],
                cwd=Path(sandbox.__file__).parents[1],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                pass_fds=(listening,),
                start_new_session=True,
            )
        self._listener = threading.Thread(target=self._listen, daemon=True, name="balancer")
        self._listener.start()

    def register(self, targets: Mapping[str, Sequence[str]]) -> None:
        """Say which targets there are, by target group; nothing happens when they are the same as before."""
        if targets == self._targets:
            return
        self._targets = targets
        assert self._process.stdin is not None
        # Whoever asks whether it is alive learns of its end.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(targets).encode() + b"\n")
            self._process.stdin.flush()

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def state(self, target: str) -> str | None:
        """Return the state of a target, such as healthy; None when it is not one."""
        for group in self._health.values():
            if target in group:
                return group[target]["state"]
        return None

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        # Its last line has been read by now, or never will be.
        self._listener.join()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            found: dict[str, Any] = json.loads(line)
            self._health = found
