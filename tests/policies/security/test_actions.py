"""Kinds of actions, and how far resources reach."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.security import actions
from policies.security.actions import (
    NEVER,
    UNAVOIDABLE,
    Kind,
    is_bounded,
    is_never,
    is_wild,
    kind_of,
    names_roles,
    reaches_everything,
    reaches_whole_kind,
    unavoidable,
)

ACCOUNT = "eu-west-1:111122223333"
ROLE = "arn:aws:iam::111122223333:role"


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("iam:PassRole", Kind.PASSES_ROLE),
        ("iam:Pass*", Kind.PASSES_ROLE),
        ("kms:Decrypt", Kind.DECRYPTS),
        ("kms:ReEncrypt*", Kind.DECRYPTS),
        ("kms:Encrypt", Kind.OTHER),
        ("iam:CreateRole", Kind.ESCALATES),
        ("iam:PutUserPolicy", Kind.ESCALATES),
        ("lambda:UpdateFunctionCode", Kind.ESCALATES),
        ("sts:AssumeRole", Kind.MAKES_CREDENTIALS),
        ("iam:CreateAccessKey", Kind.MAKES_CREDENTIALS),
        ("secretsmanager:GetSecretValue", Kind.READS_DATA),
        ("s3:Get*", Kind.READS_DATA),
        ("s3:PutBucketPolicy", Kind.MANAGES_ACCESS),
        ("s3:PutObject", Kind.OTHER),
        ("iam:*", Kind.OTHER),
    ],
)
def test_an_action_is_of_one_kind(action: str, kind: Kind) -> None:
    assert kind_of(action) is kind


def test_no_action_is_of_two_kinds() -> None:
    kinds = actions._KINDS.values()
    assert [first & second for first, second in combinations(kinds, 2) if first & second] == []


def test_names_are_in_lower_case() -> None:
    names = {*UNAVOIDABLE, *NEVER, *(each for kind in actions._KINDS.values() for each in kind)}
    assert {name for name in names if name != name.lower()} == set()


def test_what_no_role_needs_is_of_a_kind() -> None:
    """Else the rule of its kind would not see it."""
    assert {kind_of(action) for action in NEVER} == {Kind.ESCALATES, Kind.MAKES_CREDENTIALS}


def test_what_needs_everything_is_of_no_special_kind() -> None:
    assert {kind_of(action) for action in UNAVOIDABLE} == {Kind.OTHER}
    assert all(why.reason.endswith(".") for why in UNAVOIDABLE.values())


@pytest.mark.parametrize("action", ["*", "s3:*", "s3:?*", "s*:Get", "*:*", "s3", "s3:", "s3:*Object"])
def test_a_whole_service_is_wild(action: str) -> None:
    assert is_wild(action)


@pytest.mark.parametrize("action", ["s3:GetObject", "ec2:Describe*", "kms:ReEncrypt*"])
def test_an_action_with_a_verb_is_not_wild(action: str) -> None:
    assert not is_wild(action)


def test_patterns_reach_what_they_match() -> None:
    assert is_bounded("iam:Put*")
    assert is_bounded("iam:CreateRole")
    assert not is_bounded("iam:GetRole")
    assert is_never("iam:Create*Key")
    assert not is_never("iam:CreateRole")


@pytest.mark.parametrize(
    ("action", "found"),
    [
        ("ecr:GetAuthorizationToken", True),
        ("ec2:DescribeSubnets", True),
        ("ec2:Describe*", True),
        ("ec2:D*", False),
        ("ec2:*", False),
        ("ecr:Get*", False),
        ("s3:GetObject", False),
    ],
)
def test_a_pattern_needs_everything_only_if_all_that_it_reaches_does(action: str, found: bool) -> None:
    assert (unavoidable(action) is not None) is found


@pytest.mark.parametrize(
    "resource",
    [
        "*",
        "a*",
        "arn:*",
        "arn:aws:s3:::*",
        f"arn:aws:ecr:{ACCOUNT}:*",
        f"arn:aws:*:{ACCOUNT}:x",
        "arn:aws:s3:::*/*",
    ],
)
def test_everything(resource: str) -> None:
    assert reaches_everything(resource)
    assert reaches_whole_kind(resource)


@pytest.mark.parametrize(
    "resource",
    [
        f"arn:aws:kms:{ACCOUNT}:key/*",
        f"arn:aws:secretsmanager:{ACCOUNT}:secret:*",
        "arn:aws:secretsmanager:eu-west-1:*:secret:airflow",
        f"{ROLE}/*",
    ],
)
def test_all_of_one_kind(resource: str) -> None:
    assert not reaches_everything(resource)
    assert reaches_whole_kind(resource)


@pytest.mark.parametrize(
    "resource",
    [
        "arn:aws:s3:::bucket/*",
        "arn:aws:s3:::bucket",
        f"arn:aws:secretsmanager:{ACCOUNT}:secret:airflow/dev/*",
        f"arn:aws:logs:{ACCOUNT}:log-group:airflow:*",
        f"arn:aws:ecs:{ACCOUNT}:task/airflow/*",
        "arn:aws:kms:*:111122223333:key/1",
    ],
)
def test_something_certain(resource: str) -> None:
    assert not reaches_whole_kind(resource)


@given(st.text("ab:/*?", max_size=12))
def test_everything_is_all_of_one_kind(text: str) -> None:
    for resource in (text, f"arn:aws:sqs:{ACCOUNT}:{text}"):
        assert reaches_whole_kind(resource) or not reaches_everything(resource)


@pytest.mark.parametrize(
    ("resource", "named"),
    [
        (f"{ROLE}/etl", True),
        (f"{ROLE}/airflow/dev/etl", True),
        (f"{ROLE}/airflow/dev/*", True),
        (f"{ROLE}/*", False),
        (f"{ROLE}/airflow-*", False),
        (f"{ROLE}/airflow/*/etl", False),
        (f"{ROLE}/", False),
        ("arn:aws:iam::*:role/etl", False),
        ("arn:aws:iam::111122223333:user/etl", False),
        ("*", False),
    ],
)
def test_roles_are_named_or_of_a_path(resource: str, named: bool) -> None:
    assert names_roles(resource) is named
