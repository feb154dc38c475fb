"""Backups: who can read them, and whether a copy is left when a region is lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.crossguard.findings import Finding, Violation, judged
from policies.crossguard.rules import Rule, Severity, Tier
from policies.crossguard.values import View
from policies.security.existence import one_item
from policies.security.keys import own_key

VAULT: Final = "aws:backup/vault:Vault"
PLAN: Final = "aws:backup/plan:Plan"
_REGION: Final = 3
"""Place in an ARN."""


def _copies(plan: View) -> Iterator[Finding]:
    """Judge every rule of a plan: at least one copy of it has to be in another region than the plan."""
    home = plan["region"]

    def is_elsewhere(copy: View) -> Iterator[Finding]:
        target = copy["destinationVaultArn"]
        parts = target.text().split(":")
        if len(parts) <= _REGION or parts[_REGION] in ("", home.text()):
            yield Violation(f"{target.path} is no vault of another region")

    def has_copy(rule: View) -> Iterator[Finding]:
        copies = rule["copyActions"]
        yield from one_item(f"{copies.path} lacks a copy in another region", copies.items(), is_elsewhere)

    rules = plan["rules"]
    if rules.empty:
        yield Violation(f"{rules.path} is {rules.shown()}, want rules")
    for rule in rules.items():
        yield from judged(has_copy, rule)


RULES: Final = (
    Rule(
        name="backup-vault-own-key",
        why="Who may use the key that AWS keeps for backups cannot be decided, and no other account can restore.",
        fix="Set `kmsKeyArn` to a key of this account; the vault is replaced.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("111",),
        references=("Backup.1", "CKV_AWS_166"),
        on=(VAULT,),
        check=own_key("kmsKeyArn"),
    ),
    Rule(
        name="backup-plan-copies-elsewhere",
        why="When the region is lost, the data and all its backups are lost together.",
        fix="Give every rule of the plan a copy in a vault of another region.",
        severity=Severity.MEDIUM,
        tier=Tier.NOWHERE,
        controls=("111",),
        on=(PLAN,),
        check=_copies,
    ),
)
