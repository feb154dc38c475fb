"""Policies that are fine: what the linter's data or a hasty rule would refuse, and AWS does not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.behaviour.rules.policy_document import Kind, problems

LOGS = "arn:aws:logs:eu-west-1:111111111111:log-group"


def document(**statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


FINE = [
    (
        "all actions of a service on one bucket",
        Kind.IDENTITY,
        {"Action": "s3:*", "Resource": ["arn:aws:s3:::a", "arn:aws:s3:::a/*"]},
    ),
    ("a star that the API forces", Kind.IDENTITY, {"Action": "ecr:GetAuthorizationToken", "Resource": "*"}),
    (
        "single IAM actions",
        Kind.IDENTITY,
        {"Action": "iam:PassRole", "Resource": "arn:aws:iam::111111111111:role/a"},
    ),
    ("log groups", Kind.IDENTITY, {"Action": "logs:DescribeLogGroups", "Resource": f"{LOGS}:*"}),
    ("streams", Kind.IDENTITY, {"Action": "logs:PutLogEvents", "Resource": f"{LOGS}:/airflow:*"}),
    (
        "a key newer than the linter",
        Kind.IDENTITY,
        {
            "Action": "sqs:SendMessage",
            "Resource": "arn:aws:sqs:eu-west-1:111111111111:a",
            "Condition": {"StringEquals": {"aws:SourceOrgID": "o-a"}},
        },
    ),
    (
        "an Arn operator on a text",
        Kind.RESOURCE,
        {
            "Principal": {"Service": "logs.eu-west-1.amazonaws.com"},
            "Action": "kms:Decrypt",
            "Resource": "*",
            "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"{LOGS}:*"}},
        },
    ),
    (
        "a web identity",
        Kind.TRUST,
        {
            "Principal": {
                "Federated": "arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com"
            },
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}},
        },
    ),
    (
        "everybody",
        Kind.RESOURCE,
        {"Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*"},
    ),
    ("one statement alone", Kind.REPOSITORY, {"Principal": "*", "Action": ["ecr:BatchGetImage"]}),
    ("all but", Kind.IDENTITY, {"NotAction": "s3:*", "Resource": "arn:aws:sqs:eu-west-1:111111111111:a"}),
]


@pytest.mark.parametrize(("kind", "statement"), [row[1:] for row in FINE], ids=[row[0] for row in FINE])
def test_fine(kind: Kind, statement: dict[str, Any]) -> None:
    assert problems(document(**statement), kind) == ()


def test_a_statement_may_stand_alone() -> None:
    statement = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}
    assert problems(json.dumps({"Version": "2012-10-17", "Statement": statement}), Kind.IDENTITY) == ()


def test_a_denied_star_is_fine() -> None:
    statement = {"Effect": "Deny", "Action": ["*", "iam:*"], "Resource": "*"}
    assert problems(json.dumps({"Version": "2012-10-17", "Statement": [statement]}), Kind.IDENTITY) == ()


def test_upper_case_does_not_hide_a_star() -> None:
    assert problems(document(Action="IAM:*", Resource="*"), Kind.IDENTITY)[0].startswith(
        "Statement[0]: iam:*"
    )


def test_a_list_is_no_policy() -> None:
    assert problems("[]", Kind.RESOURCE) == ("must be a JSON object",)
