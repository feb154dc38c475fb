"""Formats and patterns of property values, as the Terraform AWS provider checks them at plan time."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, Final

Test = Callable[[str], str | None]
"""Returns what is wrong with a value, or None; the empty string counts as not given for most formats."""

_ARN: Final = re.compile(
    r"arn:aws(-[a-z]+)*:[A-Za-z0-9-]+:([a-z]{2}(-[a-z]+)+-\d{1,2}|global|\*)?:"
    r"(aws|aws-managed|third-party|aws-marketplace|\d{12}|cw.{10}|\*)?:.+",
    re.ASCII | re.DOTALL,
)
_DURATION: Final = re.compile(r"0|([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+", re.ASCII)
_CLOCK: Final = r"([01][0-9]|2[0-3]):[0-5][0-9]"
_DAY: Final = r"(mon|tue|wed|thu|fri|sat|sun)"
_DAILY: Final = re.compile(rf"{_CLOCK}-{_CLOCK}")
_WEEKLY: Final = re.compile(rf"{_DAY}:{_CLOCK}-{_DAY}:{_CLOCK}", re.IGNORECASE)
_KMS_KEY: Final = re.compile(
    r"(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|alias/[\w/-]+)", re.ASCII
)


def is_arn(value: str) -> bool:
    """Say whether a text is an ARN of six parts with a known form of partition, region and account."""
    return _ARN.fullmatch(value) is not None


def _optional(test: Callable[[str], bool], expected: str) -> Test:
    return lambda value: None if not value or test(value) else f'expected {expected}, got "{value}"'


def _matches(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda value: pattern.fullmatch(value) is not None


def _parses(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def test(value: str) -> bool:
        try:
            parse(value)
        except (ValueError, binascii.Error):
            return False
        return True

    return test


def _network(parse: Callable[[str], ipaddress.IPv4Network | ipaddress.IPv6Network], kind: str) -> Test:
    def test(value: str) -> str | None:
        try:
            network = parse(value)
        except ValueError:
            return f'expected an {kind} CIDR block such as {_EXAMPLES[kind]}, got "{value}"'
        if "/" not in value:
            return f'expected an {kind} CIDR block such as {_EXAMPLES[kind]}, got "{value}"'
        if str(network) != value and not (network.version == 6 and _same_network(network, value)):
            return f'"{value}" is not the address of a network; did you mean "{network}"?'
        return None

    return test


_EXAMPLES: Final = {"IPv4": "10.0.0.0/16", "IPv6": "2001:db8::/56", "IPv4 or IPv6": "10.0.0.0/16"}


def _same_network(network: ipaddress.IPv4Network | ipaddress.IPv6Network, value: str) -> bool:
    address = ipaddress.ip_address(value.partition("/")[0])
    return address == network.network_address


def network_of(value: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """Parse a CIDR block whose host bits may be set.

    Raises:
        ValueError: it is no CIDR block.

    """
    return ipaddress.ip_network(value, strict=False)


def _json(value: str) -> str | None:
    try:
        json.loads(value)
    except ValueError as error:
        return f"contains invalid JSON: {error}"
    return None


def _json_array(value: str) -> str | None:
    if problem := _json(value):
        return problem
    return None if isinstance(json.loads(value), list) else "must be a JSON array"


def _policy_json(value: str) -> str | None:
    if not value:
        return "must be an IAM policy document in JSON, got an empty string"
    if not value.startswith("{"):
        return 'must be an IAM policy document: a JSON object that begins with "{"'
    try:
        json.loads(value, object_pairs_hook=_unique_keys)
    except ValueError as error:
        return f"contains an invalid JSON policy: {error}"
    return None


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise ValueError(f'duplicate JSON key "{key}"')
        result[key] = value
    return result


def _timestamp(value: str) -> bool:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", value, re.ASCII):
        return False
    datetime.fromisoformat(value.upper())
    return True


def _rfc3339(value: str) -> bool:
    try:
        return _timestamp(value)
    except ValueError:
        return False


def _pattern(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(str(error)) from error


_KNOWN: Final[Mapping[str, Test]] = {
    "arn": _optional(is_arn, "an ARN"),
    "json": _json,
    "jsonArray": _json_array,
    "iamPolicyJson": _policy_json,
    "ipv4-network-cidr": _network(lambda value: ipaddress.IPv4Network(value, strict=False), "IPv4"),
    "ipv6-network-cidr": _network(lambda value: ipaddress.IPv6Network(value, strict=False), "IPv6"),
    "ipv4CidrNetworkAddress": _network(lambda value: ipaddress.IPv4Network(value, strict=False), "IPv4"),
    "ipv6CidrNetworkAddress": _network(lambda value: ipaddress.IPv6Network(value, strict=False), "IPv6"),
    "network-cidr (IPv4 or IPv6)": _network(network_of, "IPv4 or IPv6"),
    "cidr": _optional(_parses(network_of), "a CIDR block"),
    "ipv4": _optional(_parses(ipaddress.IPv4Address), "an IPv4 address"),
    "ipv6": _optional(_parses(ipaddress.IPv6Address), "an IPv6 address"),
    "ipAddress": _optional(_parses(ipaddress.ip_address), "an IP address"),
    "rfc3339": _optional(_rfc3339, "a time in RFC 3339 form such as 2026-01-02T15:04:05Z"),
    "utcTimestampRFC3339": _optional(
        lambda value: _rfc3339(value) and value.endswith("Z"), "a time in UTC such as 2026-01-02T15:04:05Z"
    ),
    "nullableIntString": _optional(_parses(int), "a whole number written as a string"),
    "nullableFloatString": _optional(_parses(float), "a number written as a string"),
    "nullableBoolString": _optional(
        lambda value: value in {"true", "false", "1", "0"}, 'the string "true" or "false"'
    ),
    "goDuration": _optional(_matches(_DURATION), 'a duration such as "10m"'),
    "weeklyWindow": _optional(_matches(_WEEKLY), "a weekly window such as sun:05:00-sun:06:00"),
    "weeklyWindow_ddd:hh24:mi-ddd:hh24:mi": _optional(
        _matches(_WEEKLY), "a weekly window such as sun:05:00-sun:06:00"
    ),
    "dailyWindow": _optional(_matches(_DAILY), "a daily window such as 05:00-06:00"),
    "dailyWindow_hh24:mi-hh24:mi": _optional(_matches(_DAILY), "a daily window such as 05:00-06:00"),
    "base64": _optional(_parses(lambda value: base64.b64decode(value, validate=True)), "base64 text"),
    "kmsKeyIdOrArnOrAlias": _optional(
        lambda value: is_arn(value) or _KMS_KEY.fullmatch(value) is not None, "a KMS key id, key ARN or alias"
    ),
    "regex": _optional(_parses(_pattern), "a regular expression"),
}

UNCHECKED: Final = frozenset({"nullableInt", "jsonOrYaml"})
"""Formats whose whole rule is the property's type."""

JSON_FORMATS: Final = frozenset({"json", "jsonArray", "iamPolicyJson"})
"""Formats for which a dictionary or list is taken too and written as JSON."""


def format_test(name: str) -> Test | None:
    """Return the test of a format, None when its type says all.

    Raises:
        LookupError: no such format.

    """
    return None if name in UNCHECKED else _KNOWN[name]


@cache
def go_pattern(pattern: str) -> re.Pattern[str]:
    r"""Compile a pattern written for Go: `$` is the end of the text and `\d`, `\w` mean ASCII.

    A character class with `\p{...}` is widened to every character that is not a control character, because the
    standard library knows no Unicode classes; what is refused is then refused by Go too.
    """
    result: list[str] = []
    index, start = 0, -1
    while index < len(pattern):
        character = pattern[index]
        step = 2 if character == "\\" else 1
        if start < 0 and character == "[":
            start = len(result)
        elif start >= 0 and character == "]" and len(result) > start + 1:
            text = "".join(result[start:])
            if r"\p{" in text:
                result[start:] = [r"[^\x00-\x08\x0e-\x1f\x7f"]
            start = -1
        result.append(r"\Z" if character == "$" and start < 0 else pattern[index : index + step])
        index += step
    return re.compile("".join(result), re.ASCII)
