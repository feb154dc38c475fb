"""Policy documents that several components use, written out: what each of them must be given."""

from __future__ import annotations

from typing import Any

from tests.unit.programs import ACCOUNT

LOG_GROUPS = "arn:aws:logs:eu-west-1:111111111111:log-group:*"
KEY_STATEMENTS: list[dict[str, Any]] = [
    {
        "Sid": "AccountDecidesByIam",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111111111111:root"},
        "Action": "kms:*",
        "Resource": "*",
    },
    {
        "Sid": "LogGroupsOfThisAccount",
        "Effect": "Allow",
        "Principal": {"Service": "logs.eu-west-1.amazonaws.com"},
        "Action": [
            "kms:Encrypt",
            "kms:Decrypt",
            "kms:ReEncrypt*",
            "kms:GenerateDataKey*",
        ],
        "Resource": "*",
        "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": LOG_GROUPS}},
    },
]


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    """Return a policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def trust(service: str, source_arn: str) -> dict[str, Any]:
    """Return the statement that lets a service act for resources of the account."""
    return {
        "Sid": "ServiceForOwnResources",
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": ACCOUNT},
            "ArnLike": {"aws:SourceArn": source_arn},
        },
    }
