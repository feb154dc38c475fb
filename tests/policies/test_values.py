"""Guarded reads: nothing unknown is decided on, nothing secret is shown, nothing of another type is guessed."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.crossguard.values import ABSENT, UNKNOWN, Secret, UndecidedError, View, WrongTypeError

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def test_a_path_leads_to_a_value() -> None:
    view = View.of({"a": {"b": "x"}}).at("a.b")
    assert (view.text(), view.path) == ("x", "a.b")


def test_items_know_their_place() -> None:
    assert [item.path for item in View.of({"a": [1, 2]})["a"].items()] == ["a[0]", "a[1]"]


def test_entries_know_their_place() -> None:
    assert [(key, item.path) for key, item in View.of({"a": {"x": 1}})["a"].entries()] == [("x", "a.x")]


@pytest.mark.parametrize("value", [{}, {"a": None}])
def test_null_is_as_good_as_absent(value: dict[str, Any]) -> None:
    assert View.of(value)["a"].absent


def test_what_is_below_an_absent_value_is_absent() -> None:
    assert View.of({}).at("a.b.c").absent


def test_what_is_below_an_unknown_value_is_unknown() -> None:
    assert View.of({"a": UNKNOWN}).at("a.b.c").unknown


def test_an_unknown_value_is_not_absent() -> None:
    assert not View.of(UNKNOWN).absent


@pytest.mark.parametrize(
    "read",
    [
        lambda view: view.known(),
        lambda view: view.text(),
        lambda view: view.flag(),
        lambda view: view.number(),
        lambda view: view.empty,
        lambda view: list(view.items()),
        lambda view: list(view.entries()),
    ],
)
def test_to_decide_on_an_unknown_value_is_refused(read: Any) -> None:
    with pytest.raises(UndecidedError, match=r"^a\.b$"):
        read(View.of({"a": {"b": UNKNOWN}}).at("a.b"))


@pytest.mark.parametrize(
    ("read", "value", "message"),
    [
        (lambda view: view.text(), 7, "a is 7, want a text"),
        (lambda view: view.flag(), "true", "a is 'true', want true or false"),
        (lambda view: view.flag(), 1, "a is 1, want true or false"),
        (lambda view: view.number(), "7", "a is '7', want a number"),
        (lambda view: view.number(), True, "a is True, want a number"),
        (lambda view: list(view.items()), "x", "a is 'x', want a list"),
        (lambda view: list(view.entries()), [], r"a is \[\], want an object"),
        (lambda view: view["b"], "x", "a is 'x', want an object"),
    ],
)
def test_a_value_of_another_type_is_named(read: Any, value: Any, message: str) -> None:
    with pytest.raises(WrongTypeError, match=f"^{message}$"):
        read(View.of({"a": value})["a"])


@pytest.mark.parametrize(
    ("read", "default"),
    [
        (lambda view: view.text("x"), "x"),
        (lambda view: view.flag(default=True), True),
        (lambda view: view.number(7), 7),
        (lambda view: list(view.items()), []),
        (lambda view: list(view.entries()), []),
        (lambda view: view.known(), ABSENT),
    ],
)
def test_an_absent_value_reads_as_its_default(read: Any, default: Any) -> None:
    assert read(View.of({})["a"]) == default


@pytest.mark.parametrize(
    ("value", "empty"),
    [("", True), ([], True), ({}, True), (None, True), (0, False), (False, False), ("x", False)],
)
def test_empty(value: Any, empty: bool) -> None:
    assert View.of({"a": value})["a"].empty is empty


def test_a_secret_is_judged_by_its_value() -> None:
    assert View.of({"a": Secret("x")})["a"].text() == "x"


def test_a_secret_is_not_shown() -> None:
    assert View.of({"a": Secret("x")})["a"].shown() == "[secret]"


def test_what_is_inside_a_secret_is_secret() -> None:
    assert View.of({"a": Secret({"b": ["x"]})}).at("a.b").shown() == "[secret]"


def test_items_of_a_secret_are_secret() -> None:
    assert [item.shown() for item in View.of(Secret(["x"])).items()] == ["[secret]"]


def test_an_error_about_a_secret_does_not_show_it() -> None:
    with pytest.raises(WrongTypeError, match=r"^a is \[secret\], want a number$"):
        View.of({"a": Secret("x")})["a"].number()


def test_a_long_value_is_cut() -> None:
    assert View.of("x" * 99).shown() == "'" + "x" * 56 + "..."


@given(PLAIN)
def test_whatever_is_there_reading_ends_with_a_value_or_a_named_error(value: Any) -> None:
    view = View.of({"a": value})["a"]
    for read in (view.text, view.flag, view.number, lambda: list(view.items()), lambda: list(view.entries())):
        with contextlib.suppress(WrongTypeError):
            read()
