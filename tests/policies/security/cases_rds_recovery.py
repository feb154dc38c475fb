"""Cases of the rules about what is left of a database instance, and what was seen of it."""

from __future__ import annotations

from typing import Any, Final

from policies.security.rules.rds import CLUSTER_INSTANCE, INSTANCE
from tests.policies.cases import REMOVED, Case, Change
from tests.policies.security.cases_rds import AWS_KEY, KEY

WATCHED: Final[dict[str, Any]] = {
    "monitoringInterval": 60,
    "performanceInsightsEnabled": True,
    "performanceInsightsKmsKeyId": KEY,
}
GOOD: Final[dict[str, Any]] = WATCHED | {
    "engine": "postgres",
    "multiAz": True,
    "deletionProtection": True,
    "skipFinalSnapshot": False,
    "backupRetentionPeriod": 35,
    "deleteAutomatedBackups": False,
    "copyTagsToSnapshot": True,
    "enabledCloudwatchLogsExports": ["postgresql", "upgrade"],
}


def _case(rule: str, *changes: Change, **more: Any) -> Case:
    return Case(rule=rule, type=INSTANCE, good=GOOD | more, changes=changes, golden=None if more else "")


def _twice(rule: str, *changes: Change) -> tuple[Case, ...]:
    """Return cases of an instance of its own and of one in a cluster."""
    member = Case(rule=rule, type=CLUSTER_INSTANCE, good=WATCHED, changes=changes, golden=None)
    return _case(rule, *changes), member


CASES: Final = (
    _case("rds-instance-multi-az", Change(path="multiAz", bad=False)),
    _case("rds-instance-deletion-protection", Change(path="deletionProtection", bad=False)),
    _case("rds-instance-final-snapshot", Change(path="skipFinalSnapshot", bad=True, absent=False)),
    _case(
        "rds-instance-backups",
        Change(path="backupRetentionPeriod", bad=0),
        Change(path="backupRetentionPeriod", bad=6),
    ),
    # What is shorter than a week is what the other rule is about, and so is what is not set.
    _case(
        "rds-instance-long-backups",
        Change(path="backupRetentionPeriod", bad=7, absent=False),
        Change(path="backupRetentionPeriod", bad=13, absent=False),
    ),
    _case("rds-instance-keeps-backups", Change(path="deleteAutomatedBackups", bad=True)),
    _case("rds-instance-copies-tags", Change(path="copyTagsToSnapshot", bad=False)),
    _case(
        "rds-instance-exports-logs",
        Change(path="enabledCloudwatchLogsExports", bad=["postgresql"]),
        Change(path="enabledCloudwatchLogsExports", bad=[]),
    ),
    _case(
        "rds-instance-exports-logs",
        Change(path="enabledCloudwatchLogsExports", bad=["error", "audit"]),
        engine="mysql",
        enabledCloudwatchLogsExports=["error", "slowquery"],
    ),
    _case(
        "rds-instance-exports-logs",
        Change(path="enabledCloudwatchLogsExports", bad=[], typed=False),
        engine="oracle-ee",
        enabledCloudwatchLogsExports=["alert"],
    ),
    *_twice("rds-instance-monitored", Change(path="monitoringInterval", bad=0)),
    *_twice("rds-instance-insights", Change(path="performanceInsightsEnabled", bad=False)),
    *_twice(
        "rds-instance-insights-own-key",
        Change(path="performanceInsightsKmsKeyId", bad=REMOVED),
        Change(path="performanceInsightsKmsKeyId", bad=AWS_KEY),
    ),
)
