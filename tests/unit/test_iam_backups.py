"""Policy documents of the backups, compared whole: a wider right must show."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.iam import backups as rights
from components.rendering import as_json
from tests.harness import Deployment
from tests.unit.programs import run, value

KEY = "arn:aws:kms:eu-west-1:111111111111:key/0d0c6a6e-3b1f-4c4c-9b57-3b8f5f7a1f11"
VAULT = "arn:aws:backup:eu-west-1:111111111111:backup-vault:airflow"
DATABASE = "arn:aws:rds:eu-west-1:111111111111:db:airflow"
FILES = "arn:aws:elasticfilesystem:eu-west-1:111111111111:file-system/fs-0123456789abcdef0"
TABLE = "arn:aws:dynamodb:eu-west-1:111111111111:table/ledger"
SNAPSHOTS = "arn:aws:rds:eu-west-1:111111111111:snapshot:"


def policy(deploy: Deployment, region: str = "eu-west-1") -> dict[str, Any]:
    facts = rights.BackupFacts(
        region=region,
        account_id="111111111111",
        vault_arn=VAULT,
        key_arn=KEY,
        database_arn=DATABASE,
        file_system_arn=FILES,
        table_arn=TABLE,
    )
    texts: list[Any] = []
    run(deploy, lambda _: texts.append(as_json(rights.backup_policy(facts))))
    document: dict[str, Any] = json.loads(value(deploy, texts[0]))
    return document


def allow(sid: str, action: str | list[str], resource: str | list[str], **more: Any) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": resource, **more}


def test_what_a_backup_needs(deploy: Deployment) -> None:
    assert policy(deploy) == {
        "Version": "2012-10-17",
        "Statement": [
            allow("TakeSnapshots", "rds:CreateDBSnapshot", [DATABASE, f"{SNAPSHOTS}awsbackup:*"]),
            allow(
                "TagAndRemoveSnapshots",
                ["rds:AddTagsToResource", "rds:DeleteDBSnapshot"],
                f"{SNAPSHOTS}awsbackup:*",
            ),
            allow(
                "SeeDatabasesAndSnapshots",
                ["rds:DescribeDBInstances", "rds:DescribeDBSnapshots", "rds:ListTagsForResource"],
                ["arn:aws:rds:eu-west-1:111111111111:db:*", f"{SNAPSHOTS}*"],
            ),
            allow("BackUpFiles", ["elasticfilesystem:Backup", "elasticfilesystem:DescribeTags"], FILES),
            allow(
                "BackUpTable",
                [
                    "dynamodb:CreateBackup",
                    "dynamodb:DescribeTable",
                    "dynamodb:ListTagsOfResource",
                    "dynamodb:StartAwsBackupJob",
                ],
                TABLE,
            ),
            allow(
                "SeeAndRemoveTableBackups",
                ["dynamodb:DeleteBackup", "dynamodb:DescribeBackup"],
                f"{TABLE}/backup/*",
            ),
            allow("StoreInVault", ["backup:CopyIntoBackupVault", "backup:DescribeBackupVault"], VAULT),
            allow(
                "TagBackups",
                "backup:TagResource",
                "arn:aws:backup:eu-west-1:111111111111:recovery-point:*",
            ),
            allow("FindResources", "tag:GetResources", "*"),
            allow(
                "ReadTableWithKey",
                ["kms:Decrypt", "kms:GenerateDataKey"],
                KEY,
                Condition={"StringEquals": {"kms:ViaService": "dynamodb.eu-west-1.amazonaws.com"}},
            ),
            allow("SeeKey", "kms:DescribeKey", KEY),
        ],
    }


@pytest.mark.parametrize("word", ["Restore", "Copy", "Modify", "Share", "Delete"])
def test_nothing_is_restored_shared_or_deleted_but_backups(deploy: Deployment, word: str) -> None:
    actions = [
        action
        for statement in policy(deploy)["Statement"]
        for action in [statement["Action"]]
        for action in (action if isinstance(action, list) else [action])
        if word in action
    ]
    assert actions == {
        "Copy": ["backup:CopyIntoBackupVault"],
        "Delete": ["rds:DeleteDBSnapshot", "dynamodb:DeleteBackup"],
    }.get(word, [])


def test_another_partition(deploy: Deployment) -> None:
    statements = {statement["Sid"]: statement for statement in policy(deploy, "cn-north-1")["Statement"]}
    assert statements["TagAndRemoveSnapshots"]["Resource"] == (
        "arn:aws-cn:rds:cn-north-1:111111111111:snapshot:awsbackup:*"
    )
    assert statements["TagBackups"]["Resource"] == (
        "arn:aws-cn:backup:cn-north-1:111111111111:recovery-point:*"
    )
    assert statements["ReadTableWithKey"]["Condition"] == {
        "StringEquals": {"kms:ViaService": "dynamodb.cn-north-1.amazonaws.com.cn"}
    }


def test_trust() -> None:
    assert rights.backup_trust("111111111111") == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "ServiceForOwnResources",
                "Effect": "Allow",
                "Principal": {"Service": "backup.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"aws:SourceAccount": "111111111111"}},
            }
        ],
    }


def test_vault_policy() -> None:
    assert rights.vault_policy() == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "NobodyDeletesBackups",
                "Effect": "Deny",
                "Principal": {"AWS": "*"},
                "Action": ["backup:DeleteRecoveryPoint", "backup:UpdateRecoveryPointLifecycle"],
                "Resource": "*",
            }
        ],
    }
