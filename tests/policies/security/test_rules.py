"""Every rule about a resource, by its cases: content, raised, absent, unknown, secret, of another type."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

import tests.policies.security
from policies.crossguard.findings import Finding, Undecided, Violation
from policies.crossguard.resources import Resource
from policies.crossguard.rules import Rule
from policies.crossguard.values import UNKNOWN, Secret, View
from policies.security.pack import RULES
from tests.policies.cases import REMOVED, Case, Change, changed

BY_NAME: Mapping[str, Rule] = {rule.name: rule for rule in RULES}


def _cases() -> Iterator[Case]:
    for module in pkgutil.iter_modules(tests.policies.security.__path__):
        if module.name.startswith("cases_"):
            yield from importlib.import_module(f"tests.policies.security.{module.name}").CASES


CASES = tuple(_cases())
CHANGES = [
    pytest.param(case, change, id=f"{case.rule}-{case.type.rpartition(':')[2]}-{change.path}-{number}")
    for case in CASES
    for number, change in enumerate(case.changes)
]


def judged(rule: str, token: str, properties: Mapping[str, Any]) -> list[Finding]:
    resource = Resource(urn="urn", type=token, token=token, name="x", props=View.of(properties))
    return list(BY_NAME[rule].judge(resource))


def violated(findings: list[Finding]) -> bool:
    return any(isinstance(finding, Violation) for finding in findings)


def test_every_rule_has_a_case() -> None:
    assert {case.rule for case in CASES} == set(BY_NAME)


def test_every_case_is_about_a_type_of_its_rule() -> None:
    assert [case for case in CASES if case.type not in BY_NAME[case.rule].on] == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}-{case.type.rpartition(':')[2]}")
def test_a_rule_is_content_with_what_is_good(case: Case) -> None:
    assert judged(case.rule, case.type, case.good) == []


@pytest.mark.parametrize(("case", "change"), CHANGES)
def test_a_bad_value_raises_it(case: Case, change: Change) -> None:
    assert violated(judged(case.rule, case.type, changed(case.good, change.path, change.bad)))


@pytest.mark.parametrize(("case", "change"), CHANGES)
def test_an_absent_value_is_judged_as_aws_takes_it(case: Case, change: Change) -> None:
    assert violated(judged(case.rule, case.type, changed(case.good, change.path, REMOVED))) is change.absent


@pytest.mark.parametrize(("case", "change"), CHANGES)
def test_an_unknown_value_leaves_it_undecided(case: Case, change: Change) -> None:
    findings = judged(case.rule, case.type, changed(case.good, change.path, UNKNOWN))
    assert not violated(findings)
    assert any(isinstance(finding, Undecided) for finding in findings) is change.decides


@pytest.mark.parametrize(("case", "change"), CHANGES)
def test_a_secret_value_is_judged_and_not_shown(case: Case, change: Change) -> None:
    if change.bad is REMOVED:
        pytest.skip("nothing is there")
    findings = judged(case.rule, case.type, changed(case.good, change.path, Secret(change.bad)))
    assert violated(findings)
    shown = repr(change.bad)
    if isinstance(change.bad, str) and len(change.bad) > 5:
        assert [finding for finding in findings if shown in str(finding)] == []


@pytest.mark.parametrize(("case", "change"), CHANGES)
def test_a_value_of_another_type_raises_it(case: Case, change: Change) -> None:
    if change.typed:
        strange = {"of": "another type"} if not isinstance(change.bad, Mapping) else 7.5
        assert violated(judged(case.rule, case.type, changed(case.good, change.path, strange)))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}-{case.type.rpartition(':')[2]}")
@pytest.mark.parametrize("properties", [UNKNOWN, "text", 7, None, []])
def test_no_properties_make_it_fail(case: Case, properties: Any) -> None:
    """It may be raised or undecided, but never end with an error of its own."""
    assert "the rule failed" not in str(judged(case.rule, case.type, properties))
