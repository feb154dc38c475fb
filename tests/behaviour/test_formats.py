"""Formats of values, and patterns written for Go."""

from __future__ import annotations

import pytest

from sandbox.behaviour.formats import format_test, go_pattern, is_arn
from sandbox.behaviour.schema import all_facts

GOOD = [
    ("arn", "arn:aws:iam::111111111111:role/worker"),
    ("arn", "arn:aws:iam::aws:policy/ReadOnlyAccess"),
    ("arn", "arn:aws-cn:s3:::releases"),
    ("arn", ""),
    ("json", '{"a": [1]}'),
    ("jsonArray", "[]"),
    ("iamPolicyJson", "{}"),
    ("ipv4-network-cidr", "10.0.0.0/16"),
    ("ipv6-network-cidr", "2001:db8::/56"),
    ("ipv6-network-cidr", "2001:0db8:0000::/56"),
    ("cidr", "10.0.0.1/16"),
    ("network-cidr (IPv4 or IPv6)", "10.0.0.0/16"),
    ("network-cidr (IPv4 or IPv6)", "2001:db8::/56"),
    ("ipv4", "10.0.0.1"),
    ("ipv6", "::1"),
    ("ipAddress", "10.0.0.1"),
    ("rfc3339", "2026-01-02T15:04:05Z"),
    ("rfc3339", "2026-01-02T15:04:05.5+01:00"),
    ("utcTimestampRFC3339", "2026-01-02T15:04:05Z"),
    ("nullableIntString", ""),
    ("nullableIntString", "5"),
    ("nullableFloatString", "0.5"),
    ("nullableBoolString", "true"),
    ("goDuration", "1h30m"),
    ("weeklyWindow", "sun:05:00-sun:06:00"),
    ("dailyWindow", "05:00-06:00"),
    ("base64", "YQ=="),
    ("kmsKeyIdOrArnOrAlias", "alias/airflow"),
    ("kmsKeyIdOrArnOrAlias", "1234abcd-12ab-34cd-56ef-1234567890ab"),
    ("regex", "^a+$"),
]

BAD = [
    ("arn", "role/worker", "expected an ARN"),
    ("arn", "arn:aws:iam::1111:role/worker", "expected an ARN"),
    ("arn", "arn:aws:iam:ireland:111111111111:role/worker", "expected an ARN"),
    ("json", "", "contains invalid JSON"),
    ("jsonArray", "{}", "must be a JSON array"),
    ("jsonArray", "[", "contains invalid JSON"),
    ("iamPolicyJson", " {}", 'begins with "{"'),
    ("iamPolicyJson", "", "got an empty string"),
    ("iamPolicyJson", "{", "contains an invalid JSON policy"),
    ("ipv4-network-cidr", "10.0.0.1/16", 'did you mean "10.0.0.0/16"?'),
    ("ipv4-network-cidr", "10.0.0.0", "expected an IPv4 CIDR block"),
    ("ipv4-network-cidr", "2001:db8::/56", "expected an IPv4 CIDR block"),
    ("ipv6-network-cidr", "2001:db8::1/56", 'did you mean "2001:db8::/56"?'),
    ("cidr", "10.0.0.0/33", "expected a CIDR block"),
    ("network-cidr (IPv4 or IPv6)", "10.0.0.1/16", 'did you mean "10.0.0.0/16"?'),
    ("network-cidr (IPv4 or IPv6)", "everywhere", "expected an IPv4 or IPv6 CIDR block"),
    ("ipv4", "10.0.0.256", "expected an IPv4 address"),
    ("ipv6", "10.0.0.1", "expected an IPv6 address"),
    ("rfc3339", "2026-01-02", "RFC 3339"),
    ("rfc3339", "2026-13-02T15:04:05Z", "RFC 3339"),
    ("utcTimestampRFC3339", "2026-01-02T15:04:05+01:00", "a time in UTC"),
    ("nullableIntString", "0.5", "a whole number written as a string"),
    ("nullableFloatString", "half", "a number written as a string"),
    ("nullableBoolString", "yes", '"true" or "false"'),
    ("goDuration", "5 minutes", "a duration such as"),
    ("weeklyWindow", "05:00-06:00", "a weekly window"),
    ("dailyWindow", "5:00-6:00", "a daily window"),
    ("base64", "a", "base64 text"),
    ("kmsKeyIdOrArnOrAlias", "airflow", "a KMS key id"),
    ("regex", "a(", "a regular expression"),
]


@pytest.mark.parametrize(("name", "value"), GOOD)
def test_good_value(name: str, value: str) -> None:
    test = format_test(name)
    assert test is not None
    assert test(value) is None


@pytest.mark.parametrize(("name", "value", "reason"), BAD)
def test_bad_value(name: str, value: str, reason: str) -> None:
    test = format_test(name)
    assert test is not None
    assert reason in (test(value) or "")


@pytest.mark.parametrize("name", ["nullableInt", "jsonOrYaml"])
def test_formats_that_the_type_tells(name: str) -> None:
    assert format_test(name) is None


def test_an_unknown_format() -> None:
    with pytest.raises(LookupError, match="colour"):
        format_test("colour")


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("^a$", "a", "a\n"),
        (r"^\d$", "1", "\u0661"),
        (r"^\w$", "a", "\u00e4"),
        (r"^\$[$]$", "$$", "$"),
        (r"^[\p{L}\p{N}]+$", "\u00e4", "\x00"),
        ("^[]a]$", "]", "b"),
    ],
    ids=["end", "digit", "word", "dollar", "unicode class", "bracket in class"],
)
def test_go_pattern(pattern: str, good: str, bad: str) -> None:
    assert go_pattern(pattern).search(good)
    assert not go_pattern(pattern).search(bad)


def test_every_pattern_of_the_facts_compiles() -> None:
    found = []

    def walk(properties: dict[str, dict[str, object]]) -> None:
        for facts in properties.values():
            rules = facts.get("itemRules")
            for holder in (facts, rules if isinstance(rules, dict) else {}):
                if isinstance(holder.get("pattern"), str):
                    found.append(go_pattern(str(holder["pattern"])))
                if isinstance(holder.get("format"), str):
                    format_test(str(holder["format"]))
            nested = facts.get("properties")
            if isinstance(nested, dict):
                walk(nested)

    for facts in all_facts().values():
        walk(facts["properties"])
    assert len(found) > 150


def test_is_arn() -> None:
    assert is_arn("arn:aws:logs:eu-west-1:111111111111:log-group:/airflow:*")
    assert not is_arn("arn:aws:logs")
