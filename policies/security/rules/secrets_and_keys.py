"""Secrets of Secrets Manager and keys of KMS: who may use them, how long they last, and how they can be brought back.

A secret that no function rotates is rotated by the runbook; the program says so by the tag `rotation`. Whether a secret
has a rotation at all is a relation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.crossguard.checks import (
    any_of,
    at_least,
    at_most,
    is_set,
    is_true,
    matches,
    when,
)
from policies.crossguard.findings import Finding, judged
from policies.crossguard.rules import Rule, Severity, Tier
from policies.crossguard.values import View
from policies.security.documents import Statement, each_grant, has_wildcard, names_principals
from policies.security.keys import own_key

SECRET: Final = "aws:secretsmanager/secret:Secret"
SECRET_POLICY: Final = "aws:secretsmanager/secretPolicy:SecretPolicy"
ROTATION: Final = "aws:secretsmanager/secretRotation:SecretRotation"
KEY: Final = "aws:kms/key:Key"
KEY_POLICY: Final = "aws:kms/keyPolicy:KeyPolicy"
REPLICA: Final = "aws:kms/replicaKey:ReplicaKey"
EXTERNAL: Final = "aws:kms/externalKey:ExternalKey"
EXTERNAL_REPLICA: Final = "aws:kms/replicaExternalKey:ReplicaExternalKey"

LEAST_RECOVERY_DAYS: Final = 7
DEFAULT_RECOVERY_DAYS: Final = 30
LONGEST_ROTATION_DAYS: Final = 90
DELETION_DAYS: Final = 30
"""The longest that KMS waits, and its default."""
SYMMETRIC: Final = "SYMMETRIC_DEFAULT"
"""Of all kinds of keys KMS rotates these alone."""
LIMITS: Final = ("kms:ViaService", "kms:CallerAccount")
"""Keys of conditions that make `*` in the policy of a key mean somebody."""


def _names_users(view: View) -> Iterator[Finding]:
    """Check who may use a key: by name, or everybody through one service or of one account."""
    statement = Statement(view)
    limits = [value for key in LIMITS for value in statement.condition(key, "StringEquals")]
    if not limits or any(has_wildcard(limit) for limit in limits):
        yield from judged(names_principals, view)


def _is_symmetric(key: View) -> bool:
    return key["customerMasterKeySpec"].text(SYMMETRIC) == SYMMETRIC


RULES: Final = (
    Rule(
        name="secret-customer-key",
        why="Access through the key of AWS cannot be limited, nor taken away for all secrets at once.",
        fix="Set `kmsKeyId` to a key of the account.",
        severity=Severity.LOW,
        tier=Tier.PROD,
        controls=("68",),
        references=("CKV_AWS_149", "AWS-0098", "secretsmanager/Secret/configureCustomerManagedKey"),
        on=(SECRET,),
        check=own_key("kmsKeyId"),
    ),
    Rule(
        name="secret-recoverable",
        why="A secret deleted by mistake is gone, and with the Fernet key all connections and variables.",
        fix="Set `recoveryWindowInDays` to 7 days or more.",
        severity=Severity.LOW,
        tier=Tier.PROD,
        controls=("68",),
        on=(SECRET,),
        check=at_least("recoveryWindowInDays", LEAST_RECOVERY_DAYS, default=DEFAULT_RECOVERY_DAYS),
    ),
    Rule(
        name="secret-rotation-often",
        why="A secret that leaked unseen is worth as long as it lasts.",
        fix="Rotate every 90 days or more often, by `automaticallyAfterDays` or a rate in days.",
        severity=Severity.MEDIUM,
        tier=Tier.NOWHERE,
        controls=("69",),
        references=("SecretsManager.4", "CKV_AWS_304"),
        on=(ROTATION,),
        check=any_of(
            at_most("rotationRules.automaticallyAfterDays", LONGEST_ROTATION_DAYS, default=float("inf")),
            matches(
                "rotationRules.scheduleExpression",
                r"rate\((\d{1,4} hours?|1 day|([1-8]?\d|90) days)\)",
                "a rate of 90 days or less",
            ),
        ),
    ),
    Rule(
        name="secret-policy-named",
        why="A secret whose policy names everybody is read from any account.",
        fix="Name the roles that may read it; without a policy nobody of another account may.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("70",),
        references=("2.21", "secretsmanager_not_publicly_accessible"),
        on=(SECRET_POLICY, SECRET),
        check=each_grant("policy", names_principals),
    ),
    Rule(
        name="key-rotates",
        why="A key that never changes puts all data of all years at stake at once.",
        fix="Set `enableKeyRotation`.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("71",),
        references=(
            "KMS.4",
            "4.6",
            "CKV_AWS_7",
            "AWS-0065",
            "cmk_backing_key_rotation_enabled",
            "kms/Key/enableKeyRotation",
        ),
        on=(KEY,),
        check=when(_is_symmetric, is_true("enableKeyRotation")),
    ),
    Rule(
        name="key-recoverable",
        why="Without its key everything that it encrypted is lost, backups too.",
        fix="Set `deletionWindowInDays` to 30, the longest wait; it costs nothing.",
        severity=Severity.CRITICAL,
        tier=Tier.EVERYWHERE,
        controls=("71",),
        references=("KMS.3",),
        on=(KEY, REPLICA, EXTERNAL, EXTERNAL_REPLICA),
        check=at_least("deletionWindowInDays", DELETION_DAYS, default=DELETION_DAYS),
    ),
    Rule(
        name="key-enabled",
        why="Nothing that a key encrypted can be read while it is switched off.",
        fix="Remove `isEnabled`, or set it.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("71",),
        references=("CKV_AWS_227",),
        on=(KEY,),
        check=is_true("isEnabled", default=True),
    ),
    Rule(
        name="key-policy-named",
        why="A key whose policy names everybody decrypts for any account.",
        fix="Name accounts, roles or services, or limit `*` by kms:ViaService or kms:CallerAccount.",
        severity=Severity.CRITICAL,
        tier=Tier.EVERYWHERE,
        controls=("72",),
        references=("KMS.5", "CKV_AWS_33", "kms_no_wildcard_principal"),
        implies=frozenset({"key-policy-fits"}),
        on=(KEY, KEY_POLICY, REPLICA, EXTERNAL, EXTERNAL_REPLICA),
        check=each_grant("policy", _names_users),
    ),
    Rule(
        name="key-policy-set",
        why="Who reads the program does not see who may use a key whose policy AWS makes.",
        fix="Set `policy`.",
        severity=Severity.MEDIUM,
        tier=Tier.NOWHERE,
        controls=("72",),
        references=("CKV2_AWS_64",),
        implies=frozenset({"key-policy-fits"}),
        on=(KEY, KEY_POLICY, REPLICA, EXTERNAL, EXTERNAL_REPLICA),
        check=is_set("policy", "a policy"),
    ),
)
