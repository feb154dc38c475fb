"""Who a statement lets in."""

from __future__ import annotations

from typing import Any

import pytest

from policies.crossguard.values import View
from policies.security.documents import Statement
from policies.security.principals import account_of, accounts, is_open

ACCOUNT = "111122223333"


def statement(principal: Any, condition: Any = None, **others: Any) -> Statement:
    return Statement(View.of({"Effect": "Allow", "Principal": principal, "Condition": condition, **others}))


@pytest.mark.parametrize(
    ("principal", "account"),
    [
        (ACCOUNT, ACCOUNT),
        (f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT),
        (f"arn:aws-us-gov:sts::{ACCOUNT}:assumed-role/x/y", ACCOUNT),
        ("*", ""),
        ("arn:aws:iam::*:root", ""),
        ("11112222333", ""),
        ("arn:aws:iam::cloudfront:user/x", ""),
    ],
)
def test_the_account_of_a_principal(principal: str, account: str) -> None:
    assert account_of(principal) == account


def test_accounts_are_named_as_principals_and_by_conditions() -> None:
    found = statement(
        {"AWS": ["111111111111", "*"], "Service": "lambda.amazonaws.com"},
        {
            "StringEquals": {"aws:PrincipalAccount": "222222222222", "AWS:SourceAccount": ["333333333333"]},
            "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::444444444444:role/x"},
            "StringNotEquals": {"aws:PrincipalAccount": "555555555555"},
        },
    )
    assert [*accounts(found)] == ["111111111111", "222222222222", "333333333333", "444444444444"]


@pytest.mark.parametrize(
    "condition",
    [
        None,
        {"StringEquals": {"aws:PrincipalOrgID": "*"}},
        {"StringLike": {"aws:PrincipalAccount": ["*", ACCOUNT]}},
        {"StringEqualsIfExists": {"aws:PrincipalAccount": ACCOUNT}},
        {"StringNotEquals": {"aws:PrincipalAccount": ACCOUNT}},
        {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/x"}},
        {"Bool": {"aws:SecureTransport": "true"}},
    ],
)
def test_conditions_that_everybody_can_meet_leave_it_open(condition: Any) -> None:
    assert is_open(statement("*", condition))


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}},
        {"StringEquals": {"aws:PrincipalOrgID": "o-1"}},
        {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::logs"}},
        {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/*"}},
    ],
)
def test_conditions_that_name_an_owner_close_it(condition: Any) -> None:
    assert not is_open(statement({"AWS": "*"}, condition))


def test_naming_an_account_closes_it() -> None:
    assert not is_open(statement({"AWS": ACCOUNT}))


def test_everybody_but_a_few_is_everybody() -> None:
    assert is_open(statement(None, NotPrincipal={"AWS": ACCOUNT}))


def test_what_denies_lets_nobody_in() -> None:
    assert not is_open(statement("*", Effect="Deny"))
