"""Security groups made at random: what is open to everybody is found, inside of the group and beside it alike."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from policies.crossguard.values import UNKNOWN
from policies.security.rules.security_groups import GROUP, INGRESS_RULE, OLD_RULE
from tests.policies.golden import judged_alone

RULE = "sg-not-open-to-everybody"
Row = dict[str, Any]

ranges4 = st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32)).map(
    lambda pair: IPv4Network(pair, strict=False)
)
ranges6 = st.tuples(st.integers(0x20 << 120, (0x40 << 120) - 1), st.integers(0, 128)).map(
    lambda pair: IPv6Network(pair, strict=False)
)
ports = st.sampled_from([(443, 443), (80, 80), (0, 65535), (5432, 5432), (440, 450), (443, 444)])
protocols = st.sampled_from(["tcp", "6", "udp", "-1"])
rows = st.tuples(st.lists(ranges4, max_size=2), st.lists(ranges6, max_size=2), ports, protocols)


def inline(row: Any) -> Row:
    """Return a rule as it stands inside of a group, or as a resource of the older kind."""
    four, six, (first, last), protocol = row
    return {
        "protocol": protocol,
        "fromPort": 0 if protocol == "-1" else first,
        "toPort": 0 if protocol == "-1" else last,
        "cidrBlocks": [str(each) for each in four],
        "ipv6CidrBlocks": [str(each) for each in six],
        "description": "random",
    }


def is_open(row: Any) -> bool:
    """Say by itself whether a rule lets everybody in to more than HTTPS."""
    four, six, found, protocol = row
    wide = any(each.prefixlen < 8 for each in four) or any(each.prefixlen < 16 for each in six)
    only_https = protocol in ("tcp", "6") and found == (443, 443)
    return wide and not only_https


def raised(token: str, properties: Mapping[str, Any]) -> bool:
    return RULE in judged_alone(token, properties)


@given(st.lists(rows, max_size=4))
def test_a_group_is_as_open_as_its_widest_rule(given_rows: list[Any]) -> None:
    group = {"description": "random", "ingress": [inline(row) for row in given_rows]}
    assert raised(GROUP, group) is any(map(is_open, given_rows))


@given(rows)
def test_the_older_kind_of_rule_is_judged_alike(row: Any) -> None:
    assert raised(OLD_RULE, inline(row) | {"type": "ingress"}) is is_open(row)


@given(rows)
def test_what_goes_out_is_no_matter_of_this_rule(row: Any) -> None:
    assert not raised(OLD_RULE, inline(row) | {"type": "egress"})


@given(ranges4 | ranges6, ports, protocols)
def test_a_rule_of_its_own_is_judged_alike(network: Any, found: Any, protocol: str) -> None:
    name = "cidrIpv4" if isinstance(network, IPv4Network) else "cidrIpv6"
    properties = {"ipProtocol": protocol, name: str(network), "description": "random"}
    if protocol != "-1":
        properties |= {"fromPort": found[0], "toPort": found[1]}
    row = (
        ([network], [], found, protocol)
        if isinstance(network, IPv4Network)
        else ([], [network], found, protocol)
    )
    assert raised(INGRESS_RULE, properties) is is_open(row)


@given(st.lists(rows, min_size=1, max_size=3), st.integers(0, 3))
def test_an_unknown_range_hides_no_open_one(given_rows: list[Any], place: int) -> None:
    found = [inline(row) for row in given_rows]
    found.insert(
        place % (len(found) + 1), {"protocol": "tcp", "fromPort": 22, "toPort": 22, "cidrBlocks": [UNKNOWN]}
    )
    group = {"description": "random", "ingress": found}
    assert raised(GROUP, group) is any(map(is_open, given_rows))
