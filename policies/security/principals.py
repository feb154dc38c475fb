"""Who a statement of a policy document lets in: accounts by their number, services, or everybody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from policies.security.documents import Statement

_ACCOUNT: Final = re.compile(r"(?:arn:aws[a-z-]*:(?:iam|sts)::)?(\d{12})(?::.+)?")
EVERYBODY: Final = "*"
EQUAL: Final = ("StringEquals", "StringLike", "ArnEquals", "ArnLike")
"""Operators that let nothing pass for which a key has no value; those with IfExists do."""
ACCOUNT_KEYS: Final = ("aws:PrincipalAccount", "aws:SourceAccount")
OWNER_KEYS: Final = (
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:SourceArn",
    "aws:SourceOrgID",
    "aws:SourceOrgPaths",
)


def account_of(principal: str) -> str:
    """Return the account of a principal of the kind AWS, such as 111122223333 or an ARN; empty if it names none."""
    found = _ACCOUNT.fullmatch(principal)
    return found.group(1) if found else ""


def accounts(statement: Statement) -> Iterator[str]:
    """Iterate over the accounts that a statement names, as principals or by conditions."""
    for kind, principal in statement.principals:
        if kind == "AWS" and account_of(principal):
            yield account_of(principal)
    for key in ACCOUNT_KEYS:
        yield from statement.condition(key, *EQUAL)
    yield from filter(None, map(account_of, statement.condition("aws:PrincipalArn", *EQUAL)))


def is_narrowed(statement: Statement) -> bool:
    """Say whether conditions limit whose identities or resources a statement is about."""
    by_owner = [statement.condition(key, *EQUAL) for key in (*ACCOUNT_KEYS, *OWNER_KEYS)]
    arns = statement.condition("aws:PrincipalArn", *EQUAL)
    return any(values and all(value.strip("*") for value in values) for values in by_owner) or bool(
        arns and all(map(account_of, arns))
    )


def is_open(statement: Statement) -> bool:
    """Say whether a statement lets everybody in, or everybody but a few."""
    if not statement.allows or is_narrowed(statement):
        return False
    return not statement.view["NotPrincipal"].empty or any(
        principal == EVERYBODY for _, principal in statement.principals
    )
