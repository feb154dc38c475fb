"""One of several things has to be as wanted."""

from __future__ import annotations

import pytest

from policies.crossguard.findings import Finding, Undecided, Violation
from policies.security.existence import one_is_good

GOOD: list[Finding] = []
BAD: list[Finding] = [Violation("bad")]
OPEN: list[Finding] = [Undecided("x")]
NONE: list[Finding] = [Violation("none")]


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([], NONE),
        ([BAD], NONE),
        ([BAD, GOOD], GOOD),
        ([OPEN, GOOD], GOOD),
        ([GOOD, OPEN], GOOD),
        ([BAD, OPEN], OPEN),
        ([OPEN, BAD], OPEN),
        ([[*OPEN, *BAD]], NONE),
        ([[*OPEN, Undecided("y")]], OPEN),
    ],
)
def test_one_is_enough(outcomes: list[list[Finding]], expected: list[Finding]) -> None:
    assert [*one_is_good("none", outcomes)] == expected
