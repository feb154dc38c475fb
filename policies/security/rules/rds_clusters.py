"""Database clusters, of Aurora and of RDS: the demands on instances, where clusters decide them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from policies.crossguard.checks import (
    all_of,
    any_of,
    at_least,
    holds,
    is_false,
    is_set,
    is_true,
    when,
)
from policies.crossguard.findings import Finding, Violation
from policies.crossguard.rules import Rule, Severity, Tier
from policies.crossguard.values import View
from policies.security.keys import own_key
from policies.security.rules.rds import CLUSTER, is_primary, no_password
from policies.security.rules.rds_recovery import BACKUP_DAYS, LONG_BACKUP_DAYS, keeps_a_week

LOGS: Final = {
    "postgres": frozenset({"postgresql", "upgrade"}),
    "mysql": frozenset({"error", "slowquery"}),
    "aurora-postgresql": frozenset({"postgresql"}),
    "aurora-mysql": frozenset({"audit", "error", "slowquery"}),
}
"""By engine; Aurora's PostgreSQL exports no other log."""


def _private(cluster: View) -> Iterator[Finding]:
    # Only clusters with a class of their own take the property; RDS opens them where they name no subnets.
    instances_are_its_own = not cluster["dbClusterInstanceClass"].empty
    in_default_subnets = cluster["dbSubnetGroupName"].text("default") == "default"
    public = cluster["publiclyAccessible"]
    if public.flag(default=instances_are_its_own and in_default_subnets):
        yield Violation(f"{public.path} is {public.shown()}, want false")


def _exports_logs(cluster: View) -> Iterable[Finding]:
    logs = LOGS.get(cluster["engine"].text().lower())
    path = "enabledCloudwatchLogsExports"
    return holds(path, logs)(cluster) if logs else is_set(path, "the logs of the engine")(cluster)


def _no_plain_password(cluster: View) -> Iterator[Finding]:
    if not cluster["masterPassword"].empty:
        yield from no_password("masterPassword")


RULES: Final = (
    Rule(
        name="rds-cluster-private",
        why="A database with a public address is attacked from everywhere, and one weak rule opens it.",
        fix="Set `publiclyAccessible` to false.",
        severity=Severity.CRITICAL,
        tier=Tier.EVERYWHERE,
        controls=("25",),
        on=(CLUSTER,),
        check=_private,
    ),
    Rule(
        name="rds-cluster-encrypted",
        why="Storage, snapshots and backups that are not encrypted are read by whoever gets hold of them.",
        fix="Set `storageEncrypted` to true; a cluster that exists has to be restored from an encrypted copy.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("40",),
        references=("RDS.27", "CKV_AWS_96", "AWS-0079", "rds/Cluster/disallowUnencryptedStorage"),
        on=(CLUSTER,),
        check=is_true("storageEncrypted"),
    ),
    Rule(
        name="rds-cluster-own-key",
        why="Who may use the key that AWS keeps for RDS cannot be decided, and it cannot be taken away.",
        fix="Set `kmsKeyId` to a key of this account.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("40",),
        references=("CKV_AWS_327", "rds/Cluster/configureCustomerManagedKey"),
        on=(CLUSTER,),
        check=own_key("kmsKeyId"),
    ),
    Rule(
        name="rds-cluster-deletion-protection",
        why="One call deletes the database.",
        fix="Set `deletionProtection` to true.",
        severity=Severity.LOW,
        tier=Tier.PROD,
        controls=("40",),
        references=("RDS.7", "CKV_AWS_139", "AWS-0343"),
        on=(CLUSTER,),
        check=is_true("deletionProtection"),
    ),
    Rule(
        name="rds-cluster-final-snapshot",
        why="What was written since the last backup goes with a deleted database.",
        fix="Set `skipFinalSnapshot` to false and name the snapshot in `finalSnapshotIdentifier`.",
        severity=Severity.LOW,
        tier=Tier.PROD,
        controls=("40",),
        on=(CLUSTER,),
        check=is_false("skipFinalSnapshot"),
    ),
    Rule(
        name="rds-cluster-backups",
        why="A mistake that is found after a few days cannot be undone.",
        fix=f"Set `backupRetentionPeriod` to {BACKUP_DAYS} days at least.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("40",),
        references=("RDS.50", "rds/Cluster/enableBackupRetention", "rds/Cluster/configureBackupRetention"),
        on=(CLUSTER,),
        check=at_least("backupRetentionPeriod", BACKUP_DAYS, default=1),
    ),
    Rule(
        name="rds-cluster-long-backups",
        why="A mistake that is found after a week cannot be undone.",
        fix=f"Set `backupRetentionPeriod` to {LONG_BACKUP_DAYS} days at least.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("40",),
        on=(CLUSTER,),
        check=when(keeps_a_week, at_least("backupRetentionPeriod", LONG_BACKUP_DAYS)),
    ),
    Rule(
        name="rds-cluster-keeps-backups",
        why="Who deletes the database deletes its backups with it.",
        fix="Set `deleteAutomatedBackups` to false.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("40",),
        on=(CLUSTER,),
        check=is_false("deleteAutomatedBackups", default=True),
    ),
    Rule(
        name="rds-cluster-copies-tags",
        why="Nobody knows whose a snapshot is, and rules that go by tags pass it by.",
        fix="Set `copyTagsToSnapshot` to true.",
        severity=Severity.LOW,
        tier=Tier.NOWHERE,
        controls=("40",),
        references=("RDS.16", "CKV_AWS_313"),
        on=(CLUSTER,),
        check=is_true("copyTagsToSnapshot"),
    ),
    Rule(
        name="rds-cluster-exports-logs",
        why="Sign-ins, errors and upgrades are gone after three days, or with the cluster.",
        fix="Name the logs of the engine in `enabledCloudwatchLogsExports`: of PostgreSQL postgresql, "
        "of MySQL error and slowquery, of Aurora's MySQL audit as well.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("40",),
        references=("RDS.34", "RDS.37", "CKV_AWS_324"),
        on=(CLUSTER,),
        check=_exports_logs,
    ),
    Rule(
        name="rds-cluster-iam-authentication",
        why="A password can be passed on and stays valid; a token of IAM ends by itself.",
        fix="Set `iamDatabaseAuthenticationEnabled` to true, and let nobody connect who need not.",
        severity=Severity.MEDIUM,
        tier=Tier.NOWHERE,
        controls=("40",),
        references=("RDS.12", "CKV_AWS_162"),
        on=(CLUSTER,),
        check=is_true("iamDatabaseAuthenticationEnabled"),
    ),
    Rule(
        name="rds-cluster-managed-password",
        why="A password in the program is in the state, in plans and in logs, and is never changed.",
        fix="Set `manageMasterUserPassword` to true, and remove `masterPassword`.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("36",),
        on=(CLUSTER,),
        check=all_of(
            _no_plain_password,
            when(is_primary, any_of(is_true("manageMasterUserPassword"), is_set("masterPasswordWo"))),
        ),
    ),
)
