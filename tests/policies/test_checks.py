"""Checks: what they accept, what they say otherwise, and what stays undecided."""

from __future__ import annotations

from typing import Any

import pytest

from policies.crossguard import checks
from policies.crossguard.findings import Check, Finding, Undecided, Violation, judged
from policies.crossguard.values import UNKNOWN, View


def of(check: Check, **properties: Any) -> list[Finding]:
    return list(judged(check, View.of(properties)))


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (checks.is_true("a"), True),
        (checks.is_true("a", default=True), None),
        (checks.is_false("a"), False),
        (checks.is_false("a"), None),
        (checks.is_set("a"), "x"),
        (checks.is_set("a"), 0),
        (checks.is_absent("a"), None),
        (checks.is_absent("a"), []),
        (checks.one_of("a", {"x", "y"}), "y"),
        (checks.one_of("a", {"x"}, default="x"), None),
        (checks.none_of("a", {"x"}), "y"),
        (checks.none_of("a", {"x"}), None),
        (checks.at_least("a", 7), 7),
        (checks.at_least("a", 7, default=7), None),
        (checks.at_most("a", 7, default=1), 7),
        (checks.at_most("a", 7, default=7), None),
        (checks.holds("a", {"x"}), ["y", "x"]),
        (checks.matches("a", "x+", "x"), "xx"),
        (checks.each("a", checks.is_true("b")), [{"b": True}]),
        (checks.each("a", checks.is_true("b")), None),
    ],
)
def test_content(check: Check, value: Any) -> None:
    assert of(check, a=value) == []


@pytest.mark.parametrize(
    ("check", "value", "message"),
    [
        (checks.is_true("a"), False, "a is False, want true"),
        (checks.is_true("a"), None, "a is not set, want true"),
        (checks.is_true("a", default=True), False, "a is False, want true"),
        (checks.is_false("a"), True, "a is True, want false"),
        (checks.is_false("a", default=True), None, "a is not set, want false"),
        (checks.is_set("a"), "", "a is '', want a value"),
        (checks.is_set("a", "a key"), None, "a is not set, want a key"),
        (checks.is_absent("a"), ["x"], "a is ['x'], want nothing"),
        (checks.one_of("a", {"x", "y"}), "z", "a is 'z', want one of x, y"),
        (checks.one_of("a", {"x"}), None, "a is not set, want x"),
        (checks.none_of("a", {"x"}), "X", "a is 'X', want anything but x"),
        (checks.at_least("a", 7), 6, "a is 6, want at least 7"),
        (checks.at_least("a", 7), None, "a is not set, want at least 7"),
        (checks.at_most("a", 7, default=8), None, "a is not set, want at most 7"),
        (checks.holds("a", {"x", "y"}), ["z"], "a lacks x, y"),
        (checks.matches("a", "x+", "only x"), "xy", "a is 'xy', want only x"),
        (checks.each("a", checks.is_true("b")), [{"b": True}, {}], "a[1].b is not set, want true"),
    ],
)
def test_a_violation_says_what_is_where_and_what_is_wanted(check: Check, value: Any, message: str) -> None:
    assert of(check, a=value) == [Violation(message)]


@pytest.mark.parametrize(
    "check",
    [
        checks.is_true("a"),
        checks.is_false("a"),
        checks.is_set("a"),
        checks.is_absent("a"),
        checks.one_of("a", {"x"}),
        checks.none_of("a", {"x"}),
        checks.at_least("a", 1),
        checks.at_most("a", 1, default=0),
        checks.holds("a", {"x"}),
        checks.matches("a", "x", "x"),
        checks.each("a", checks.is_true("b")),
    ],
)
def test_an_unknown_value_is_undecided(check: Check) -> None:
    assert of(check, a=UNKNOWN) == [Undecided("a")]


def test_all_of_goes_on_after_what_is_undecided() -> None:
    check = checks.all_of(checks.is_true("a"), checks.is_true("b"))
    assert of(check, a=UNKNOWN, b=False) == [Undecided("a"), Violation("b is False, want true")]


def test_each_goes_on_after_an_item_that_is_undecided() -> None:
    check = checks.each("a", checks.is_true("b"))
    assert of(check, a=[{"b": UNKNOWN}, {}]) == [
        Undecided("a[0].b"),
        Violation("a[1].b is not set, want true"),
    ]


EITHER = checks.any_of(checks.is_true("a"), checks.is_true("b"))


@pytest.mark.parametrize(
    ("a", "b", "findings"),
    [
        (True, False, []),
        (UNKNOWN, True, []),
        (UNKNOWN, False, [Undecided("a")]),
        (False, False, [Violation("a is False, want true; and b is False, want true")]),
    ],
)
def test_any_of(a: Any, b: Any, findings: list[Finding]) -> None:
    assert of(EITHER, a=a, b=b) == findings


WHERE = checks.when(lambda view: view["a"].flag(), checks.is_true("b"))


@pytest.mark.parametrize(
    ("a", "findings"),
    [(True, [Violation("b is False, want true")]), (False, []), (UNKNOWN, [Undecided("a")])],
)
def test_when(a: Any, findings: list[Finding]) -> None:
    assert of(WHERE, a=a, b=False) == findings


def test_json_is_read_as_data() -> None:
    assert checks.parsed(View.of('{"x": 1}', "a")).at("x").known() == 1


def test_data_stays_data() -> None:
    assert checks.parsed(View.of({"x": 1}, "a")).at("x").path == "a.x"


def test_what_is_no_json_is_a_violation() -> None:
    check: Check = lambda view: checks.is_set("x")(checks.parsed(view["a"]))  # noqa: E731
    assert of(check, a="{") == [Violation("a is '{', want JSON with every name once")]


def test_json_with_a_name_twice_is_a_violation() -> None:
    """Of a list or an object that is there twice, the provider keeps parts of both."""
    check: Check = lambda view: checks.is_set("x")(checks.parsed(view["a"]))  # noqa: E731
    (found,) = of(check, a='{"x": {"y": 1, "y": 2}}')
    assert found == Violation("""a is '{"x": {"y": 1, "y": 2}}', want JSON with every name once""")
