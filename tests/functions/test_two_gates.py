"""Two gates at once: one update repeats its call after a lost connection, or two people run `pulumi up`.

Not proved here: what AWS itself does with two calls at the same instant; the simulated account does one after the
other, as client tokens and fixed version ids make AWS do.
"""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.platform_gate.aws import Clients
from functions.platform_gate.kinds import SecretKind
from tests.functions.account import Account, account
from tests.functions.faults import CALLS, CutOff, again, at, finished


@pytest.mark.parametrize("number", range(1, CALLS + 1))
def test_two_gates(aws: Account, number: int) -> None:
    """A second gate runs from its beginning to its end in the middle of the first."""
    seen: list[dict[SecretKind, str]] = []

    def other(call: int, _: str) -> None:
        if call == number:
            aws.before = None
            aws.gate()
            seen.append(aws.values())

    aws.before = other
    aws.gate()
    assert seen == [aws.values()]
    finished(aws)


@settings(max_examples=20)
@given(
    first=st.integers(1, CALLS),
    length=st.integers(1, CALLS),
    when=st.sampled_from(["before", "after"]),
    running=st.booleans(),
)
def test_second_gate_is_cut_off_in_the_middle_of_the_first(
    clients: Clients, first: int, length: int, when: str, running: bool
) -> None:
    with account(clients) as aws:
        if running:
            aws.add_service("scheduler", running=1)

        def second(call: int, _: str) -> None:
            if call == first:
                aws.before = None
                setattr(aws, when, at(call + length, CutOff()))
                with suppress(CutOff):
                    aws.gate()
                aws.before = aws.after = None

        aws.before = second
        aws.gate()
        kept = aws.values()
        finished(aws)
        again(aws, kept)
