"""Argument checks: the message names the field, what is wanted, what was given."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from components import checks

PERIODS = (
    "1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653"
)
REFUSALS: dict[str, tuple[Callable[[], None], str]] = {
    "pattern": (lambda: checks.matching("field", "a!", "[a-z]+", "letters"), 'field: want letters, got "a!"'),
    "pattern in the middle": (lambda: checks.matching("f", "1a", "[a-z]+", "x"), 'f: want x, got "1a"'),
    "too low": (lambda: checks.between("days", 6, 7, 30), "days: want 7 to 30, got 6"),
    "too high": (lambda: checks.between("days", 31, 7, 30), "days: want 7 to 30, got 31"),
    "not allowed": (lambda: checks.one_of("mode", "c", ("a", "b")), "mode: want one of a, b, got c"),
    "twice": (lambda: checks.distinct("zones", ["a", "a"]), "zones: want each value once, got a, a"),
    "account": (lambda: checks.account_id("1234"), 'account_id: want 12 digits, got "1234"'),
    "never expires": (
        lambda: checks.retention_days("days", 0),
        f"days: want one of {PERIODS}, got 0",
    ),
}
ACCEPTED: dict[str, Callable[[], None]] = {
    "pattern": lambda: checks.matching("field", "abc", "[a-z]+", "letters"),
    "lowest": lambda: checks.between("days", 7, 7, 30),
    "highest": lambda: checks.between("days", 30, 7, 30),
    "allowed": lambda: checks.one_of("mode", "a", ("a", "b")),
    "distinct": lambda: checks.distinct("zones", ["a", "b"]),
    "account": lambda: checks.account_id("012345678901"),
    "retention": lambda: checks.retention_days("days", 365),
}


@pytest.mark.parametrize(("call", "message"), REFUSALS.values(), ids=REFUSALS)
def test_refused(call: Callable[[], None], message: str) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011  the whole message is compared
        call()
    assert str(refusal.value) == message


@pytest.mark.parametrize("call", ACCEPTED.values(), ids=ACCEPTED)
def test_accepted(call: Callable[[], None]) -> None:
    call()
