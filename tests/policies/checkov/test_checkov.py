"""Checkov and our policies say the same, or it is known why not."""

from __future__ import annotations

import pytest

from policies.security.pack import RELATIONS, RULES
from sandbox.twin.packages import PackagesError
from tests.policies.checkov.__main__ import KNOWN
from tests.policies.checkov.checker import ask, interpreter
from tests.policies.checkov.compare import Comparison, compared
from tests.policies.checkov.known import stale, unexplained
from tests.policies.checkov.samples import ids_of, samples

UNREACHABLE = "error sending request"
"""What the installer says where it cannot ask the package index."""
LEAST = 130
"""Checks that are compared; fewer would mean that they were lost on the way."""

pytestmark = pytest.mark.checkov


@pytest.fixture(scope="module")
def found() -> Comparison:
    try:
        python = interpreter(print)
    except PackagesError as error:
        if UNREACHABLE not in str(error):
            raise
        pytest.skip("no environment for checkov, and the package index cannot be reached")
    every = samples()
    return compared(every, ask(python, every))


def test_every_difference_has_a_reason(found: Comparison) -> None:
    assert unexplained(found.differences, KNOWN) == []


def test_every_reason_has_a_difference(found: Comparison) -> None:
    assert stale(found.differences, KNOWN) == []


def test_every_check_that_we_name_is_asked(found: Comparison) -> None:
    named = {(id, policy.name) for policy in (*RULES, *RELATIONS) for id in ids_of(policy)}
    assert {(pair.id, pair.policy) for pair in found.pairs} == named


def test_most_checks_are_compared(found: Comparison) -> None:
    assert len(found.ids(compared=True)) >= LEAST
