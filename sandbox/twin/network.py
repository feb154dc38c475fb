"""A network of the twin's own: the daemon in a namespace with a bridge, every task in another one behind it.

Nothing of the machine's own network is changed or reachable, and everything is gone with the last process in it.
"""

from __future__ import annotations

import ipaddress
import itertools
import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from sandbox.cli import SandboxError
from sandbox.twin import user_namespace
from sandbox.twin.inside import CLONE_NEWNET, unshare

BRIDGE: Final = "vpc"
BRIDGE_ETHERNET_ADDRESS: Final = "02:00:00:00:00:01"
"""Locally administered. Left to itself, a bridge takes the lowest address of what is connected, so another one when
that task ends, and the others send to nobody until they ask again who has the gateway's address: up to 53 s (measured).
"""
INTERFACE: Final = "eth0"
"""As in a task on Fargate."""
GATEWAY_HOST, FIRST_HOST = 2, 10
"""Within the network: the bridge, and the first task. Below are addresses that a VPC keeps for itself."""

Result = TypeVar("Result")


class NetworkError(SandboxError):
    """The kernel or `ip` refuses; the message has its words."""


@dataclass(frozen=True, kw_only=True)
class Vpc:
    """The daemon's network namespace."""

    network: ipaddress.IPv4Network
    gateway: str
    """Address of the bridge: what listens in the daemon's namespace answers here."""
    namespace: int
    """File descriptor of the namespace."""


def enter_vpc(cidr: str) -> Vpc:
    """Put the calling thread, and threads that it starts later, into a new network with a bridge.

    An ordinary user gets a user namespace first, for the whole process, which may have no other thread then.

    Args:
        cidr: Address range of the stack's VPC.

    Raises:
        NetworkError: Not permitted here.

    """
    network = ipaddress.IPv4Network(cidr)
    gateway = str(network[GATEWAY_HOST])
    try:
        if os.geteuid() != 0:
            user_namespace.enter()
        unshare(CLONE_NEWNET)
    except OSError as error:
        raise NetworkError(str(error)) from error
    _ip(
        "link set lo up",
        f"link add {BRIDGE} address {BRIDGE_ETHERNET_ADDRESS} type bridge",
        f"addr add {gateway}/{network.prefixlen} dev {BRIDGE}",
        f"link set {BRIDGE} up",
    )
    return Vpc(network=network, gateway=gateway, namespace=_own_namespace())


class TaskNetworks:
    """Network namespaces of tasks, by address."""

    def __init__(self, vpc: Vpc) -> None:
        """Make none yet."""
        self._vpc = vpc
        self._hosts = itertools.count(FIRST_HOST)
        self._by_address: dict[str, int] = {}

    def make(self) -> str:
        """Make a network namespace with an address that was never used before.

        Raises:
            NetworkError: Not permitted, or no address is left.

        """
        host = next(self._hosts)
        if host >= self._vpc.network.num_addresses - 1:
            raise NetworkError(f"no address is left in {self._vpc.network}")
        address = self._vpc.network[host]
        peer = f"v{int(address):08x}"
        self._by_address[str(address)] = in_thread(lambda: self._make(str(address), peer))
        _ip(f"link set {peer} master {BRIDGE} up")
        return str(address)

    def _make(self, address: str, peer: str) -> int:
        unshare(CLONE_NEWNET)
        here = self._vpc.namespace
        _ip(
            "link set lo up",
            f"link add {INTERFACE} type veth peer name {peer} netns /proc/self/fd/{here}",
            f"addr add {address}/{self._vpc.network.prefixlen} dev {INTERFACE}",
            f"link set {INTERFACE} up",
            descriptor=here,
        )
        return _own_namespace()

    def __getitem__(self, address: str) -> int:
        """Return the file descriptor of the namespace that has the address."""
        return self._by_address[address]

    def release(self, address: str) -> None:
        """Let go of a namespace; it ends with the last process in it."""
        os.close(self._by_address.pop(address))

    def close(self) -> None:
        """Let go of all of them."""
        for address in tuple(self._by_address):
            self.release(address)


def in_thread(work: Callable[[], Result]) -> Result:
    """Run in a thread of its own, whose namespaces may be changed without an effect on the others."""
    outcome: list[Result] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]


def _own_namespace() -> int:
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def _ip(*lines: str, descriptor: int | None = None) -> None:
    # An ordinary user's PATH often lacks the folders of the system's own programs.
    program = shutil.which("ip", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
    if program is None:
        raise NetworkError("the program ip (iproute2) is not installed")
    done = subprocess.run(
        [program, "-batch", "-"],
        input="\n".join(lines) + "\n",
        text=True,
        capture_output=True,
        check=False,
        pass_fds=() if descriptor is None else (descriptor,),
    )
    if done.returncode != 0:
        raise NetworkError(f"ip: {done.stderr.strip()}")
