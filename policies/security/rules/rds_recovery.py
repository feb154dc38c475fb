"""Database instances: what is left after a failure or a mistake, and what was seen of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from policies.crossguard.checks import (
    any_of,
    at_least,
    holds,
    is_false,
    is_set,
    is_true,
    one_of,
    when,
)
from policies.crossguard.findings import Finding
from policies.crossguard.rules import Rule, Severity, Tier
from policies.crossguard.values import View
from policies.security.keys import own_key
from policies.security.rules.rds import CLUSTER_INSTANCE, INSTANCE, is_primary

BACKUP_DAYS: Final = 7
LONG_BACKUP_DAYS: Final = 14
"""Where it is about prod: a mistake is found after the holidays."""
LOGS: Final = {
    "postgres": frozenset({"postgresql", "upgrade"}),
    "mysql": frozenset({"error", "slowquery"}),
    "mariadb": frozenset({"error", "slowquery"}),
}
"""By engine."""


def keeps_a_week(database: View) -> bool:
    """Say whether backups are kept long enough to be judged by the longer period; else another rule tells."""
    return database["backupRetentionPeriod"].number(default=1) >= BACKUP_DAYS


def _exports_logs(database: View) -> Iterable[Finding]:
    logs = LOGS.get(database["engine"].text().lower())
    path = "enabledCloudwatchLogsExports"
    return holds(path, logs)(database) if logs else is_set(path, "the logs of the engine")(database)


RULES: Final = (
    Rule(
        name="rds-instance-multi-az",
        why="When its zone fails, the database is away until somebody has restored it elsewhere.",
        fix="Set `multiAz` to true.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("27",),
        references=(
            "RDS.5",
            "3.2.4",
            "CKV_AWS_157",
            "rds_multi_az_support",
            "awsguard:rds-instance-multi-az-enabled",
        ),
        on=(INSTANCE,),
        check=is_true("multiAz"),
    ),
    Rule(
        name="rds-instance-deletion-protection",
        why="One call deletes the database.",
        fix="Set `deletionProtection` to true.",
        severity=Severity.LOW,
        tier=Tier.PROD,
        controls=("28",),
        references=("RDS.8", "CKV_AWS_293", "AWS-0177", "rds_instance_deletion_protection_enabled"),
        on=(INSTANCE,),
        check=is_true("deletionProtection"),
    ),
    Rule(
        name="rds-instance-final-snapshot",
        why="What was written since the last backup goes with a deleted database.",
        fix="Set `skipFinalSnapshot` to false and name the snapshot in `finalSnapshotIdentifier`.",
        severity=Severity.LOW,
        tier=Tier.PROD,
        controls=("28",),
        on=(INSTANCE,),
        check=is_false("skipFinalSnapshot"),
    ),
    Rule(
        name="rds-instance-backups",
        why="A mistake that is found after a few days cannot be undone.",
        fix=f"Set `backupRetentionPeriod` to {BACKUP_DAYS} days at least.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("29",),
        references=(
            "RDS.11",
            "CKV_AWS_133",
            "AWS-0077",
            "db_instance_backup_enabled",
            "rds/Instance/enableBackupRetention",
            "rds/Instance/configureBackupRetention",
        ),
        on=(INSTANCE,),
        check=when(is_primary, at_least("backupRetentionPeriod", BACKUP_DAYS, default=1)),
    ),
    Rule(
        name="rds-instance-long-backups",
        why="A mistake that is found after a week cannot be undone.",
        fix=f"Set `backupRetentionPeriod` to {LONG_BACKUP_DAYS} days at least.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("29",),
        on=(INSTANCE,),
        check=when(keeps_a_week, at_least("backupRetentionPeriod", LONG_BACKUP_DAYS)),
    ),
    Rule(
        name="rds-instance-keeps-backups",
        why="Who deletes the database deletes its backups with it.",
        fix="Set `deleteAutomatedBackups` to false.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("29",),
        on=(INSTANCE,),
        check=is_false("deleteAutomatedBackups", default=True),
    ),
    Rule(
        name="rds-instance-copies-tags",
        why="Nobody knows whose a snapshot is, and rules that go by tags pass it by.",
        fix="Set `copyTagsToSnapshot` to true.",
        severity=Severity.LOW,
        tier=Tier.NOWHERE,
        controls=("30",),
        references=("RDS.17", "CKV2_AWS_60"),
        on=(INSTANCE,),
        check=is_true("copyTagsToSnapshot"),
    ),
    Rule(
        name="rds-instance-exports-logs",
        why="Sign-ins, errors and upgrades are gone after three days, or with the instance.",
        fix="Name the logs of the engine in `enabledCloudwatchLogsExports`: of PostgreSQL postgresql and upgrade, "
        "of MySQL error and slowquery.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("32",),
        references=("RDS.9", "RDS.36", "CKV_AWS_129", "rds_logging_enabled"),
        on=(INSTANCE,),
        check=_exports_logs,
    ),
    Rule(
        name="rds-instance-monitored",
        why="What the operating system below the database did cannot be seen afterwards.",
        fix="Set `monitoringInterval` to the seconds between two measurements, and `monitoringRoleArn`.",
        severity=Severity.LOW,
        tier=Tier.NOWHERE,
        controls=("33",),
        references=("RDS.6", "CKV_AWS_118", "rds_enhanced_monitoring_enabled"),
        on=(INSTANCE, CLUSTER_INSTANCE),
        check=at_least("monitoringInterval", 1),
    ),
    Rule(
        name="rds-instance-insights",
        why="Nobody can tell which query held up the others.",
        fix="Set `performanceInsightsEnabled` to true.",
        severity=Severity.LOW,
        tier=Tier.NOWHERE,
        controls=("33",),
        references=("CKV_AWS_353", "AWS-0133", "rds/Instance/enablePerformanceInsights"),
        on=(INSTANCE, CLUSTER_INSTANCE),
        check=any_of(
            is_true("performanceInsightsEnabled"),
            one_of("databaseInsightsMode", {"advanced"}, default="standard"),
        ),
    ),
    Rule(
        name="rds-instance-insights-own-key",
        why="Insights hold the texts of queries; who may use the key that AWS keeps for RDS cannot be decided.",
        fix="Set `performanceInsightsKmsKeyId` to a key of this account.",
        severity=Severity.LOW,
        tier=Tier.NOWHERE,
        controls=("33",),
        references=("CKV_AWS_354", "AWS-0078", "rds/Instance/disallowUnencryptedPerformanceInsights"),
        on=(INSTANCE, CLUSTER_INSTANCE),
        check=when(
            lambda instance: instance["performanceInsightsEnabled"].flag(),
            own_key("performanceInsightsKmsKeyId"),
        ),
    ),
)
