"""Policy documents: every way to write the same thing is read as the same thing."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.crossguard.checks import is_set
from policies.crossguard.findings import Undecided, Violation, judged
from policies.crossguard.values import UNKNOWN, Secret, UndecidedError, View, WrongTypeError
from policies.security.documents import (
    Statement,
    each_grant,
    each_principal,
    each_statement,
    each_value,
    has_wildcard,
    like,
    names_principals,
    statements,
    values,
)

WORDS = st.text("abcDEF:*?", min_size=1, max_size=8)
LISTS = st.lists(WORDS, min_size=1, max_size=4)


@st.composite
def forms(draw: st.DrawFn) -> tuple[list[str], Any]:
    """Draw texts, and one of the ways to write them: one alone may stand without a list."""
    texts = draw(LISTS)
    return texts, texts[0] if len(texts) == 1 and draw(st.booleans()) else texts


def statement(**elements: Any) -> Statement:
    return Statement(View.of({"Effect": "Allow", **elements}, "policy.Statement[0]"))


def document(*found: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(found)}


@given(forms())
def test_one_action_is_a_list_of_one(form: tuple[list[str], Any]) -> None:
    texts, written = form
    assert statement(Action=written).actions == [text.lower() for text in texts]


@given(forms())
def test_one_resource_is_a_list_of_one(form: tuple[list[str], Any]) -> None:
    texts, written = form
    assert statement(Resource=written).resources == texts


@given(forms(), st.sampled_from(["AWS", "Service", "Federated", "CanonicalUser"]))
def test_one_principal_is_a_list_of_one(form: tuple[list[str], Any], kind: str) -> None:
    texts, written = form
    assert statement(Principal={kind: written}).principals == [(kind, text) for text in texts]


@given(forms())
def test_a_principal_without_a_kind_is_one_of_aws(form: tuple[list[str], Any]) -> None:
    texts, _ = form
    assert statement(Principal=texts[0]).principals == [("AWS", texts[0])]


@given(forms(), forms())
def test_conditions_of_one_key_are_put_together(
    first: tuple[list[str], Any], second: tuple[list[str], Any]
) -> None:
    found = statement(Condition={"StringEquals": {"aws:Key": first[1]}, "ArnLike": {"AWS:key": second[1]}})
    assert found.condition("aws:KEY") == first[0] + second[0]
    assert found.condition("aws:key", "arnlike") == second[0]
    assert list(found.conditions()) == [
        ("StringEquals", "aws:key", first[0]),
        ("ArnLike", "aws:key", second[0]),
    ]


@given(forms(), st.booleans())
def test_one_statement_is_a_list_of_one_and_a_text_is_data(form: tuple[list[str], Any], text: bool) -> None:
    inside = {"Effect": "Allow", "Action": form[1], "Resource": "*"}
    for written in ({"Statement": inside}, {"Statement": [inside]}):
        view = View.of(json.dumps(written) if text else written, "policy")
        assert [each.resources for each in statements(view)] == [["*"]]
        assert [each.actions for each in statements(view)] == [[word.lower() for word in form[0]]]


@given(WORDS, WORDS)
def test_patterns_are_those_of_iam(text: str, pattern: str) -> None:
    """Without brackets they are those of the shell."""
    assert like(text, pattern) is fnmatchcase(text, pattern)


@pytest.mark.parametrize(
    ("text", "pattern", "matches"),
    [
        ("s3:GetObject", "s3:Get*", True),
        ("s3:GetObject", "s3:get*", False),
        ("airflow[dev]", "airflow[dev]", True),
        ("airflowd", "airflow[dev]", False),
        ("a.c", "a.c", True),
        ("abc", "a.c", False),
        ("abc", "a?c", True),
        ("a\nc", "a*c", True),
        ("abc", "ab", False),
    ],
)
def test_a_pattern_has_two_signs_only(text: str, pattern: str, matches: bool) -> None:
    assert like(text, pattern) is matches


@pytest.mark.parametrize(
    ("elements", "grants"),
    [
        ({"Action": "s3:getobject"}, True),
        ({"Action": ["sqs:*", "s3:Get*"]}, True),
        ({"Action": "s3:Put*"}, False),
        ({"NotAction": "s3:Put*"}, True),
        ({"NotAction": ["iam:*", "s3:Get*"]}, False),
        ({"Effect": "Deny", "Action": "*"}, False),
        ({"Action": [UNKNOWN, "s3:GetObject"]}, True),
    ],
)
def test_an_action_is_granted(elements: dict[str, Any], grants: bool) -> None:
    assert statement(**elements).grants("s3:GetObject") is grants


@pytest.mark.parametrize("element", ["Action", "NotAction"])
def test_whether_an_action_is_granted_may_hang_on_what_is_unknown(element: str) -> None:
    with pytest.raises(UndecidedError, match="Action"):
        statement(**{element: ["sqs:SendMessage", UNKNOWN]}).grants("s3:GetObject")


def test_anything_but_deny_grants() -> None:
    assert statement(Effect="Allow").allows
    assert statement(Effect="").allows
    assert not statement(Effect="Deny").allows
    assert not statement(Effect="deny").allows


def test_inverted_elements_are_told() -> None:
    assert statement(NotAction="a", NotPrincipal="b").inverted == ["NotAction", "NotPrincipal"]


def test_values_of_conditions_may_be_no_texts() -> None:
    found = statement(
        Condition={"Bool": {"aws:SecureTransport": False}, "NumericLessThan": {"age": 123456789012}}
    )
    assert found.condition("aws:SecureTransport") == ["false"]
    assert found.condition("age") == ["123456789012"]


def test_another_condition_that_is_unknown_does_not_matter() -> None:
    found = statement(Condition={"StringEquals": {"aws:SourceArn": UNKNOWN, "aws:SourceAccount": "1"}})
    assert found.condition("aws:SourceAccount", "StringEquals") == ["1"]
    with pytest.raises(UndecidedError):
        found.condition("aws:SourceArn")


@pytest.mark.parametrize(
    ("view", "found"),
    [
        (View.of(None), []),
        (View.of("a"), ["a"]),
        (View.of(["a", UNKNOWN]), ["a", UNKNOWN]),
        (View.of(UNKNOWN), [UNKNOWN]),
        (View.of(Secret(["a"])), ["a"]),
    ],
)
def test_a_value_that_is_unknown_is_one_all_the_same(view: View, found: list[Any]) -> None:
    assert [each.raw for each in values(view)] == found


def test_a_kind_of_principals_that_iam_does_not_know_is_refused() -> None:
    with pytest.raises(WrongTypeError, match="want principals by AWS, Service"):
        list(statement(Principal={"Group": "x"}).each_principal())


@pytest.mark.parametrize("content", [None, {}, '{"Statement": []}'])
def test_a_document_may_have_no_statement(content: Any) -> None:
    assert list(statements(View.of(content))) == []


@pytest.mark.parametrize("content", ["no document", "[", '"text"', 7, {"Statement": "text"}])
def test_what_is_no_document_is_refused(content: Any) -> None:
    with pytest.raises(WrongTypeError):
        list(statements(View.of(content, "policy")))


@pytest.mark.parametrize("content", [UNKNOWN, {"Statement": UNKNOWN}])
def test_an_unknown_document_decides_nothing(content: Any) -> None:
    with pytest.raises(UndecidedError):
        list(statements(View.of(content, "policy")))


def test_each_statement_is_judged_for_itself() -> None:
    found = document({"Effect": "Allow", "Sid": "a"}, {"Effect": "Deny"}, {"Effect": "Allow", "Sid": UNKNOWN})
    check = each_statement("policy", is_set("Sid"))
    assert list(judged(check, View.of({"policy": found}))) == [
        Violation("policy.Statement[1].Sid is not set, want a value"),
        Undecided("policy.Statement[2].Sid"),
    ]


def test_refusals_are_no_grants() -> None:
    found = document({"Effect": "Deny"}, {"Effect": UNKNOWN}, {"Effect": "Allow"})
    assert list(judged(each_grant("policy", is_set("Sid")), View.of({"policy": found}))) == [
        Undecided("policy.Statement[1].Effect"),
        Violation("policy.Statement[2].Sid is not set, want a value"),
    ]


def _never(value: View) -> list[Violation]:
    return [Violation(f"{value.path} is {value.text()}")]


def test_each_value_is_judged_for_itself() -> None:
    found = View.of({"Action": ["a", UNKNOWN, "b"], "Principal": {"AWS": "x", "Service": [UNKNOWN, "y"]}})
    assert list(judged(each_value("Action", _never), found)) == [
        Violation("Action[0] is a"),
        Undecided("Action[1]"),
        Violation("Action[2] is b"),
    ]
    assert list(judged(each_principal(_never), found)) == [
        Violation("Principal.AWS is x"),
        Undecided("Principal.Service[0]"),
        Violation("Principal.Service[1] is y"),
    ]


@pytest.mark.parametrize(
    "elements",
    [
        {"Principal": "*"},
        {"Principal": {"AWS": "*"}},
        {"Principal": {"AWS": ["arn:aws:iam::111122223333:role/a", "*"]}},
        {"Principal": {"AWS": [UNKNOWN, "*"]}},
        {"Principal": {"Service": "*"}},
        {"NotPrincipal": {"AWS": "111122223333"}, "Principal": UNKNOWN},
    ],
)
def test_everybody_is_nobodys_name(elements: dict[str, Any]) -> None:
    findings = list(judged(names_principals, View.of(elements)))
    assert [finding for finding in findings if isinstance(finding, Violation)] != []


@pytest.mark.parametrize(
    "principal", [{"AWS": "111122223333"}, {"Service": ["ec2.amazonaws.com"], "Federated": "x"}, None]
)
def test_names_are_names(principal: Any) -> None:
    assert list(judged(names_principals, View.of({"Principal": principal}))) == []


def test_wildcards_are_seen() -> None:
    assert [has_wildcard(text) for text in ("a*", "a?", "a[b]", "")] == [True, True, False, False]
