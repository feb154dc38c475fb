"""Security groups and their rules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from sandbox.behaviour.formats import network_of
from sandbox.behaviour.model import Failure
from sandbox.behaviour.rules import Case, known, objects, rule

GROUP: Final = "aws:ec2/securityGroup:SecurityGroup"
DEFAULT_GROUP: Final = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
INGRESS: Final = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS: Final = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
CLASSIC: Final = "aws:ec2/securityGroupRule:SecurityGroupRule"
SOURCES: Final = ("cidrBlocks", "ipv6CidrBlocks", "prefixListIds", "securityGroups", "self")
ALL: Final = ("-1", "all")
PORTS: Final = ("tcp", "udp", "6", "17")
MAX_PORT: Final = 65535
_TEXT: Final = re.compile(r"[A-Za-z0-9 ._\-:/()#,@\[\]+=&;{}!$*]*")


@rule(GROUP, DEFAULT_GROUP)
def group(case: Case) -> Iterator[Failure]:
    """Check texts and inline rules."""
    for key in ("name", "description"):
        value = case.known(key)
        if value is not None and not _TEXT.fullmatch(value):
            yield Failure(key, "may hold letters, digits, spaces and ._-:/()#,@[]+=&;{}!$* only")
    for direction in ("ingress", "egress"):
        for path, item in objects(case.known(direction), direction):
            yield from _ports(item, f"{path}.", "protocol")
            if not any(item.get(source) for source in SOURCES):
                yield Failure(path, f"needs at least one of {', '.join(SOURCES)}")
            yield from _blocks(item, path)


@rule(CLASSIC)
def classic_rule(case: Case) -> Iterator[Failure]:
    """Check one rule of the older kind."""
    yield from _ports(case.inputs, "", "protocol")
    yield from _blocks(case.inputs, "")


@rule(INGRESS, EGRESS)
def single_rule(case: Case) -> Iterator[Failure]:
    """Check that the ports of one rule fit the protocol."""
    protocol = case.known("ipProtocol")
    ports = [key for key in ("fromPort", "toPort") if case.has(key)]
    if protocol in ALL and ports:
        yield Failure(ports[0], "must not be set with ipProtocol -1, which means all ports")
    elif protocol in (*PORTS, "icmp", "icmpv6") and len(ports) < 2:
        missing = "toPort" if "fromPort" in ports else "fromPort"
        yield Failure(missing, f"is required with ipProtocol {protocol}")
    else:
        yield from _range(case.inputs, "", protocol)
    description = case.known("description")
    if description is not None and not _TEXT.fullmatch(description):
        yield Failure("description", "may hold letters, digits, spaces and ._-:/()#,@[]+=&;{}!$* only")


def _ports(item: dict[str, Any], prefix: str, key: str) -> Iterator[Failure]:
    protocol = known(item, key)
    if protocol in ALL:
        for port in ("fromPort", "toPort"):
            if known(item, port, 0) != 0:
                yield Failure(f"{prefix}{port}", "must be 0 with protocol -1, which means all ports")
                return
    else:
        yield from _range(item, prefix, protocol)


def _range(item: dict[str, Any], prefix: str, protocol: Any) -> Iterator[Failure]:
    low, high = known(item, "fromPort"), known(item, "toPort")
    if protocol not in PORTS:
        return
    for key, port in (("fromPort", low), ("toPort", high)):
        if port is not None and not 0 <= port <= MAX_PORT:
            yield Failure(f"{prefix}{key}", f"must be a port from 0 to {MAX_PORT}, got {port}")
            return
    if low is not None and high is not None and low > high:
        yield Failure(f"{prefix}toPort", f"must not be below fromPort {low}, got {high}")


def _blocks(item: dict[str, Any], path: str) -> Iterator[Failure]:
    for key in ("cidrBlocks", "ipv6CidrBlocks"):
        for index, block in enumerate(known(item, key) or ()):
            yield from _block(block, f"{path}.{key}[{index}]" if path else f"{key}[{index}]")


def _block(block: Any, path: str) -> Iterator[Failure]:
    if not isinstance(block, str):
        return
    try:
        network = network_of(block)
    except ValueError:
        yield Failure(path, f'expected a CIDR block such as 10.0.0.0/16, got "{block}"')
        return
    if "/" not in block:
        yield Failure(path, f'expected a CIDR block such as {network}, got "{block}"')
    elif network.version == 4 and str(network) != block:
        yield Failure(path, f'"{block}" is not the address of a network; did you mean "{network}"?')
