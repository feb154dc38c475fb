"""Wrong inputs are refused by name and reason, and nothing else is said about them."""

from __future__ import annotations

import pytest

from sandbox.behaviour.check import check
from sandbox.behaviour.model import Failure, Session
from tests.behaviour.bases import BASES
from tests.behaviour.case import Case
from tests.behaviour.cases import CASES
from tests.behaviour.values import ACCOUNT, REGION, plain

SESSION = Session(ACCOUNT, REGION)


def refused(token: str, inputs: dict[str, object]) -> tuple[Failure, ...]:
    return check(token, "thing", inputs, None, SESSION, b"seed").failures


@pytest.mark.parametrize("token", BASES)
def test_base_inputs_are_valid(token: str) -> None:
    assert refused(token, plain(BASES[token])) == ()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.token.rpartition(':')[2]}: {case.id}")
def test_wrong_input_is_refused_by_name(case: Case) -> None:
    failures = refused(case.token, case.inputs())
    assert [failure.property for failure in failures] == [case.property]
    assert case.reason in failures[0].reason


def test_cases_cover_enough() -> None:
    assert len(CASES) >= 75
    assert len({case.token for case in CASES}) >= 32


def test_case_ids_are_unique() -> None:
    assert len({(case.token, case.id) for case in CASES}) == len(CASES)
