"""Backups that nobody can delete."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.crossguard.findings import Finding, Undecided, Violation
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.rules import Relation, Severity, Tier
from policies.security.references import each_of, has
from policies.security.rules.backup import VAULT

LOCK: Final = "aws:backup/vaultLockConfiguration:VaultLockConfiguration"


def _locked(stack: Stack, vault: Resource) -> Iterator[Finding]:
    found = has(stack, vault, LOCK, "backupVaultName")
    if found is False:
        yield Violation("the vault has no lock")
    elif found is None:
        yield Undecided("lock of the vault")


RELATIONS: Final = (
    Relation(
        name="backup-vault-locked",
        why="Who takes over the account deletes the backups first.",
        fix="Add a vault lock configuration; with `changeableForDays` nobody can take it away afterwards.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("111",),
        check=each_of(_locked, VAULT),
    ),
)
