"""Cases of the rules about database clusters."""

from __future__ import annotations

from typing import Any, Final

from policies.security.rules.rds import CLUSTER
from tests.policies.cases import REMOVED, Case, Change
from tests.policies.security.cases_rds import AWS_KEY, KEY

AURORA: Final[dict[str, Any]] = {
    "engine": "aurora-postgresql",
    "dbSubnetGroupName": "data",
    "storageEncrypted": True,
    "kmsKeyId": KEY,
    "manageMasterUserPassword": True,
    "iamDatabaseAuthenticationEnabled": True,
    "deletionProtection": True,
    "skipFinalSnapshot": False,
    "backupRetentionPeriod": 14,
    "deleteAutomatedBackups": False,
    "copyTagsToSnapshot": True,
    "enabledCloudwatchLogsExports": ["postgresql"],
}
THREE_ZONES: Final[dict[str, Any]] = AURORA | {
    "engine": "postgres",
    "dbClusterInstanceClass": "db.m6gd.large",
    "publiclyAccessible": False,
    "enabledCloudwatchLogsExports": ["postgresql", "upgrade"],
}


def _case(rule: str, *changes: Change, good: dict[str, Any] = AURORA) -> Case:
    return Case(rule=rule, type=CLUSTER, good=good, changes=changes, golden=None)


CASES: Final = (
    _case(
        "rds-cluster-private",
        Change(path="publiclyAccessible", bad=True, absent=False),
        good=THREE_ZONES,
    ),
    _case("rds-cluster-encrypted", Change(path="storageEncrypted", bad=False)),
    _case(
        "rds-cluster-own-key",
        Change(path="kmsKeyId", bad=REMOVED),
        Change(path="kmsKeyId", bad=AWS_KEY),
    ),
    _case("rds-cluster-deletion-protection", Change(path="deletionProtection", bad=False)),
    _case("rds-cluster-final-snapshot", Change(path="skipFinalSnapshot", bad=True, absent=False)),
    _case("rds-cluster-backups", Change(path="backupRetentionPeriod", bad=6)),
    _case("rds-cluster-long-backups", Change(path="backupRetentionPeriod", bad=13, absent=False)),
    _case("rds-cluster-keeps-backups", Change(path="deleteAutomatedBackups", bad=True)),
    _case("rds-cluster-copies-tags", Change(path="copyTagsToSnapshot", bad=False)),
    _case("rds-cluster-exports-logs", Change(path="enabledCloudwatchLogsExports", bad=["instance"])),
    _case(
        "rds-cluster-exports-logs",
        Change(path="enabledCloudwatchLogsExports", bad=["error", "slowquery"]),
        good=AURORA
        | {"engine": "aurora-mysql", "enabledCloudwatchLogsExports": ["audit", "error", "slowquery"]},
    ),
    _case("rds-cluster-iam-authentication", Change(path="iamDatabaseAuthenticationEnabled", bad=False)),
    _case(
        "rds-cluster-managed-password",
        Change(path="manageMasterUserPassword", bad=False),
        Change(path="masterPassword", bad="Tr0ub4dor and 3", absent=False),
    ),
)
