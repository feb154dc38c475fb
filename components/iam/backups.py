"""What AWS Backup may do for an environment, and what nobody may do to its backups.

AWS's guide names, service by service, the statements of the managed policy AWSBackupServiceRolePolicyForBackup that a
role of one's own needs. Here are those for RDS, EFS and DynamoDB, on our resources only and without what clusters,
continuous backups, copies to other regions and sharing need. Nothing here restores: who restores passes another role.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pulumi

from components.iam.base import Document, Statement, document, partition_of, service_trust

SERVICE: Final = "backup.amazonaws.com"


@dataclass(frozen=True, kw_only=True)
class BackupFacts:
    """What the rights to back up are made of."""

    region: str
    account_id: str
    vault_arn: pulumi.Input[str]
    """Where the backups go."""
    key_arn: pulumi.Input[str]
    """Key of the vault and of what is backed up."""
    database_arn: pulumi.Input[str]
    """The RDS instance."""
    file_system_arn: pulumi.Input[str]
    """The EFS file system."""
    table_arn: pulumi.Input[str]
    """The DynamoDB table."""


def backup_trust(account_id: str) -> Document:
    """Return the trust policy: AWS Backup, for backups of this account.

    Its guide names `aws:SourceArn` for topics only, so a role that demands it might never be assumed.
    """
    return service_trust(SERVICE, account_id=account_id)


def backup_policy(facts: BackupFacts) -> Document:
    """Return what AWS Backup needs to make backups and, with the same role, to remove those whose time is over."""
    return document(*_database(facts), *_files_and_table(facts), *_vault(facts), *_key(facts))


def vault_policy() -> Document:
    """Return the policy of the vault: only a refusal, which the end of a backup's time does not fall under.

    A shorter life cycle deletes as well. AWS's own vault for EFS refuses both in the same way.
    """
    return document(
        {
            "Sid": "NobodyDeletesBackups",
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": ["backup:DeleteRecoveryPoint", "backup:UpdateRecoveryPointLifecycle"],
            # In a vault's policy "*" means its backups, which have ARNs of RDS, EFS and DynamoDB.
            "Resource": "*",
        }
    )


def _database(facts: BackupFacts) -> list[Statement]:
    rds = f"arn:{partition_of(facts.region)}:rds:{facts.region}:{facts.account_id}"
    # AWS Backup's own prefix; all environments of the account have it in common.
    snapshots = f"{rds}:snapshot:awsbackup:*"
    return [
        {
            "Sid": "TakeSnapshots",
            "Effect": "Allow",
            "Action": "rds:CreateDBSnapshot",
            "Resource": [facts.database_arn, snapshots],
        },
        {
            "Sid": "TagAndRemoveSnapshots",
            "Effect": "Allow",
            "Action": ["rds:AddTagsToResource", "rds:DeleteDBSnapshot"],
            "Resource": snapshots,
        },
        {
            "Sid": "SeeDatabasesAndSnapshots",
            "Effect": "Allow",
            "Action": ["rds:DescribeDBInstances", "rds:DescribeDBSnapshots", "rds:ListTagsForResource"],
            # A request that names none asks for all of the account, and is refused where one alone is allowed.
            "Resource": [f"{rds}:db:*", f"{rds}:snapshot:*"],
        },
    ]


def _files_and_table(facts: BackupFacts) -> list[Statement]:
    return [
        {
            "Sid": "BackUpFiles",
            "Effect": "Allow",
            "Action": ["elasticfilesystem:Backup", "elasticfilesystem:DescribeTags"],
            "Resource": facts.file_system_arn,
        },
        {
            "Sid": "BackUpTable",
            "Effect": "Allow",
            # StartAwsBackupJob where the account has the advanced features for DynamoDB, else CreateBackup.
            "Action": [
                "dynamodb:CreateBackup",
                "dynamodb:DescribeTable",
                "dynamodb:ListTagsOfResource",
                "dynamodb:StartAwsBackupJob",
            ],
            "Resource": facts.table_arn,
        },
        {
            "Sid": "SeeAndRemoveTableBackups",
            "Effect": "Allow",
            "Action": ["dynamodb:DeleteBackup", "dynamodb:DescribeBackup"],
            "Resource": pulumi.Output.concat(facts.table_arn, "/backup/*"),
        },
    ]


def _vault(facts: BackupFacts) -> list[Statement]:
    backup = f"arn:{partition_of(facts.region)}:backup:{facts.region}:{facts.account_id}"
    return [
        {
            "Sid": "StoreInVault",
            "Effect": "Allow",
            "Action": ["backup:CopyIntoBackupVault", "backup:DescribeBackupVault"],
            "Resource": facts.vault_arn,
        },
        {
            "Sid": "TagBackups",
            "Effect": "Allow",
            "Action": "backup:TagResource",
            # A backup gets its ARN when it is made, and the name of its vault is no part of it.
            "Resource": f"{backup}:recovery-point:*",
        },
        {
            "Sid": "FindResources",
            "Effect": "Allow",
            "Action": "tag:GetResources",
            # tag:GetResources searches, so AWS knows no resource to limit it to; a selection is refused without it.
            "Resource": "*",
        },
    ]


def _key(facts: BackupFacts) -> list[Statement]:
    suffix = "amazonaws.com.cn" if partition_of(facts.region) == "aws-cn" else "amazonaws.com"
    return [
        {
            "Sid": "ReadTableWithKey",
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": facts.key_arn,
            "Condition": {"StringEquals": {"kms:ViaService": f"dynamodb.{facts.region}.{suffix}"}},
        },
        {"Sid": "SeeKey", "Effect": "Allow", "Action": "kms:DescribeKey", "Resource": facts.key_arn},
    ]
