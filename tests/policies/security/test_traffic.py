"""What a rule of a firewall opens, in whichever vocabulary it is written."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from policies.crossguard.values import UNKNOWN, UndecidedError, View, WrongTypeError
from policies.security.traffic import (
    addresses,
    is_every_port,
    is_everybody,
    is_only,
    reaches,
)


def rule(protocol: str | None = "tcp", first: Any = None, last: Any = None, **others: Any) -> View:
    return View.of({"protocol": protocol, "fromPort": first, "toPort": last, **others})


@pytest.mark.parametrize(
    "wide", ["0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "2000::/3", "1.2.3.4/0", "64.0.0.0/7"]
)
def test_the_internet_and_parts_of_it_that_nobody_owns_are_everybody(wide: str) -> None:
    assert is_everybody(View.of(wide))


@pytest.mark.parametrize(
    "narrow", ["10.0.0.0/8", "203.0.113.7/32", "203.0.113.7", "fd00::/8", "2001:db8::/32"]
)
def test_ranges_of_somebody_are_not(narrow: str) -> None:
    assert not is_everybody(View.of(narrow))


@given(some.integers(0, 2**32 - 1), some.integers(0, 32))
def test_only_the_width_of_a_range_counts(address: int, prefix: int) -> None:
    network = IPv4Network((address, prefix), strict=False)
    assert is_everybody(View.of(str(network))) is (prefix < 8)


@given(some.integers(0, 2**121 - 1), some.integers(7, 128))
def test_private_addresses_are_not_the_internet(address: int, prefix: int) -> None:
    network = IPv6Network(((0xFC << 120) + address, prefix), strict=False)
    assert not is_everybody(View.of(str(network)))


@pytest.mark.parametrize("strange", ["anywhere", "10.0.0.0/33", ""])
def test_what_is_no_range_is_refused(strange: str) -> None:
    with pytest.raises(WrongTypeError, match="want an address range"):
        is_everybody(View.of(strange, "cidrIpv4"))


def test_an_unknown_range_is_undecided() -> None:
    with pytest.raises(UndecidedError):
        is_everybody(View.of(UNKNOWN))


def test_all_vocabularies_have_addresses() -> None:
    found = View.of(
        {
            "cidrIpv4": "1.0.0.0/8",
            "cidrIpv6": "a::/16",
            "cidrBlock": "2.0.0.0/8",
            "ipv6CidrBlock": "b::/16",
            "cidrBlocks": ["3.0.0.0/8"],
            "ipv6CidrBlocks": ["c::/16"],
        }
    )
    assert {view.path: view.text() for view in addresses(found)} == {
        "cidrIpv4": "1.0.0.0/8",
        "cidrIpv6": "a::/16",
        "cidrBlock": "2.0.0.0/8",
        "ipv6CidrBlock": "b::/16",
        "cidrBlocks[0]": "3.0.0.0/8",
        "ipv6CidrBlocks[0]": "c::/16",
    }


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (rule("tcp", 443, 443), True),
        (rule("6", 443, 443), True),
        (rule(None, 443, 443, ipProtocol="TCP"), True),
        (rule("udp", 443, 443), False),
        (rule("tcp", 443, 444), False),
        (rule("tcp", 0, 443), False),
        (rule("-1", 443, 443), False),
        (rule(None, 443, 443), False),
        (rule("tcp"), False),
    ],
)
def test_a_rule_may_be_about_one_port(found: View, expected: bool) -> None:
    assert is_only(found, 443) is expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (rule("tcp", 22, 22), True),
        (rule("tcp", 0, 1024), True),
        (rule("17", 3389, 3389), True),
        (rule("-1", 0, 0), True),
        (rule("all"), True),
        (rule("tcp", -1, -1), True),
        (rule("tcp", 23, 3388), False),
        (rule("icmp", 22, 22), False),
        (rule("58", 0, 65535), False),
    ],
)
def test_a_rule_reaches_the_ports_in_its_range(found: View, expected: bool) -> None:
    assert reaches(found, 22, 3389) is expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (rule("-1"), True),
        (rule("tcp", 0, 65535), True),
        (rule("tcp", 1, 65534), True),
        (rule("tcp", 0, 32766), False),
        (rule("udp", 443, 443), False),
        (rule("icmp", -1, -1), False),
    ],
)
def test_a_rule_may_be_about_every_port(found: View, expected: bool) -> None:
    assert is_every_port(found) is expected
