"""Rules of firewalls: where traffic comes from or goes to, and on which ports.

One vocabulary for all of them: `aws.vpc.SecurityGroupIngressRule` and its sibling have one address range each, those
inside of security groups and `aws.ec2.SecurityGroupRule` have lists, and those of network ACLs are named otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

from policies.crossguard.findings import Check, Finding, Violation, judged
from policies.crossguard.values import View, WrongTypeError

LAST_PORT: Final = 65535
EVERY_PROTOCOL: Final = frozenset({"", "-1", "all"})
TCP: Final = frozenset({"tcp", "6"})
WITHOUT_PORTS: Final = frozenset({"icmp", "icmpv6", "1", "58"})
"""Their numbers stand for kinds of messages."""
PRIVATE_V6: Final = IPv6Network("fc00::/7")
WIDEST: Final = {4: 8, 6: 16}
"""Prefix length, by IP version. Whatever is larger than 10.0.0.0/8 is no range of somebody's but the internet, or
half of it: two rules with halves are as wide as one with 0.0.0.0/0."""


def addresses(rule: View) -> Iterator[View]:
    """Iterate over the address ranges of a rule.

    Raises:
        UndecidedError: A list of them is not known yet.
        WrongTypeError: It is none.

    """
    for name in ("cidrIpv4", "cidrIpv6", "cidrBlock", "ipv6CidrBlock"):
        if not rule[name].absent:
            yield rule[name]
    for name in ("cidrBlocks", "ipv6CidrBlocks"):
        yield from rule[name].items()


def has_addresses(rule: View) -> bool:
    """Say whether it is a rule with address ranges at all."""
    return any(True for _ in addresses(rule))


def is_everybody(address: View) -> bool:
    """Say whether a range is the internet, or so much of it that it makes no difference.

    Raises:
        UndecidedError: Not known yet.
        WrongTypeError: No range.

    """
    try:
        network: IPv4Network | IPv6Network = ip_network(address.text(), strict=False)
    except ValueError as error:
        raise WrongTypeError(address, "an address range such as 203.0.113.0/24") from error
    if isinstance(network, IPv6Network) and network.subnet_of(PRIVATE_V6):
        return False
    return network.prefixlen < WIDEST[network.version]


def protocol(rule: View) -> str:
    """Return the protocol of a rule in lower case; empty stands for every one, as -1 does."""
    name = "protocol" if rule["ipProtocol"].absent else "ipProtocol"
    return rule[name].text().lower()


def ports(rule: View) -> tuple[float, float]:
    """Return the first and the last port of a rule."""
    if protocol(rule) in EVERY_PROTOCOL:
        return 0, LAST_PORT
    first, last = rule["fromPort"].number(-1), rule["toPort"].number(-1)
    return max(first, 0), LAST_PORT if last < 0 else last


def is_only(rule: View, port: int) -> bool:
    """Say whether a rule is about a single TCP port."""
    return protocol(rule) in TCP and ports(rule) == (port, port)


def reaches(rule: View, *wanted: int) -> bool:
    """Say whether one of several ports is among those of a rule."""
    if protocol(rule) in WITHOUT_PORTS:
        return False
    first, last = ports(rule)
    return any(first <= port <= last for port in wanted)


def is_every_port(rule: View) -> bool:
    """Say whether a rule is about every port, or about so many that it makes no difference."""
    if protocol(rule) in WITHOUT_PORTS:
        return False
    first, last = ports(rule)
    return last - first >= LAST_PORT // 2


def not_with_everybody(refused: Callable[[View], bool], want: str) -> Check:
    """Return a check that a rule of some kind names no range as wide as the internet."""

    def check(rule: View) -> Iterator[Finding]:
        def narrow(address: View) -> Iterator[Finding]:
            if is_everybody(address) and refused(rule):
                yield Violation(f"{address.path} is {address.shown()}, want {want}")

        for address in addresses(rule):
            yield from judged(narrow, address)

    return check
