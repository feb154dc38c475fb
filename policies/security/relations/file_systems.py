"""What has to be beside a file system."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.crossguard.findings import Finding, Undecided, Violation
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.rules import Relation, Severity, Tier
from policies.security.references import each_of, either, every, has, refers, tells
from policies.security.rules.efs import FILE_SYSTEM, FILE_SYSTEM_POLICY
from policies.security.selections import is_selected

BACKUP_POLICY: Final = "aws:efs/backupPolicy:BackupPolicy"
ARN: Final = "arn:aws:elasticfilesystem:*:*:file-system/*"


def _has_policy(stack: Stack, file_system: Resource) -> Iterator[Finding]:
    found = has(stack, file_system, FILE_SYSTEM_POLICY, "fileSystemId")
    if found is False:
        yield Violation("the file system has no policy: every client that reaches it may mount it")
    elif found is None:
        yield Undecided("policy of the file system")


def _backs_itself_up(stack: Stack, file_system: Resource) -> Iterator[Finding]:
    enabled = either(
        every(
            [
                refers(stack, each, "fileSystemId", each.props["fileSystemId"], file_system),
                tells(each.props.at("backupPolicy.status"), lambda status: status.text() == "ENABLED"),
            ]
        )
        for each in stack.of(BACKUP_POLICY)
    )
    if enabled is False:
        yield Violation("the file system has no backup policy that is ENABLED")
    elif enabled is None:
        yield Undecided("backup policy of the file system")


def _in_plan(stack: Stack, file_system: Resource) -> Iterator[Finding]:
    selected = is_selected(stack, file_system, ARN)
    if selected is False:
        yield Violation("the file system is in no selection of a backup plan")
    elif selected is None:
        yield Undecided("backup selection of the file system")


RELATIONS: Final = (
    Relation(
        name="efs-has-policy",
        why="Without a policy everybody who reaches the network mounts the file system, without any identity.",
        fix="Add a file system policy.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("49",),
        check=each_of(_has_policy, FILE_SYSTEM),
    ),
    Relation(
        name="efs-automatic-backups",
        why="What is deleted or overwritten by mistake is gone, unless some plan happens to take it.",
        fix="Add a backup policy with the status ENABLED.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("45",),
        references=("EFS.7",),
        check=each_of(_backs_itself_up, FILE_SYSTEM),
    ),
    Relation(
        name="efs-in-backup-plan",
        why="Backups that no plan of yours makes end when EFS decides, and lie in a vault that nobody locked.",
        fix="Name the file system in a backup selection, or give it the tags of one.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("45", "R5"),
        references=("EFS.2", "CKV2_AWS_18", "efs_resources_protected_by_backup_plan"),
        check=each_of(_in_plan, FILE_SYSTEM),
    ),
)
