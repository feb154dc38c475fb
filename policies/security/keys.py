"""Keys of KMS that belong to the account, unlike those that a service of AWS keeps for everybody in it."""

from __future__ import annotations

from typing import Final

from policies.crossguard.checks import wanted
from policies.crossguard.findings import Check
from policies.crossguard.values import View

AWS_MANAGED: Final = "alias/aws/"
"""In the name or ARN of a key whose policy nobody can change."""


def own_key(path: str) -> Check:
    """Return a check that a key of the account is named; where none is, services take their own."""
    return wanted(path, "a KMS key of this account", _is_own)


def _is_own(key: View) -> bool:
    return not key.empty and AWS_MANAGED not in key.text()
