"""Secrets and what renews them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.crossguard.findings import Finding, Undecided, Violation
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.rules import Relation, Severity, Tier
from policies.security.references import each_of, either, has, tells
from policies.security.rules.secrets_and_keys import ROTATION, SECRET

TAG: Final = "rotation"
"""Tag that says how a secret is renewed that no function renews, such as "by the runbook"."""


def _rotated(stack: Stack, secret: Resource) -> Iterator[Finding]:
    chosen = tells(secret.props["tags"], lambda tags: tells(tags[TAG], lambda tag: not tag.empty))
    found = either([chosen, has(stack, secret, ROTATION, "secretId")])
    if found is False:
        yield Violation(f"it has no rotation, and no tag `{TAG}` that says how it is renewed")
    elif found is None:
        yield Undecided("rotation")


RELATIONS: Final = (
    Relation(
        name="secret-rotated",
        why="A secret that leaked unseen is worth as long as it lasts.",
        fix="Add a SecretRotation, or say in the tag `rotation` how it is renewed.",
        severity=Severity.MEDIUM,
        tier=Tier.NOWHERE,
        controls=("69",),
        references=("SecretsManager.1", "CKV2_AWS_57"),
        check=each_of(_rotated, SECRET),
    ),
)
