"""The daily backup of everything that an environment cannot make again, in a vault of its own.

It restores nothing: a restore makes a new database, file system or table, and takes a role of its own. Selected by ARN,
resources are backed up whatever services the account has opted in to. Backups of the release ledger are encrypted with
the vault's key where the account has AWS Backup's advanced features for DynamoDB; accounts whose first vault is younger
than November 2021 have them, others switch them on once for the region:
`aws backup update-region-settings --resource-type-management-preference DynamoDB=true`. That setting is the account's,
shared by everything in it, so that no environment makes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from components import checks, naming, night
from components.iam import backups as rights
from components.rendering import Documents, as_json

MIN_RETENTION_DAYS, MAX_RETENTION_DAYS = 7, 3650
NAME_LIMIT: Final = 50
"""Of a vault, a plan and a selection."""
COMPLETION_MINUTES: Final = 23 * 60
"""Before the next day's begins."""


@dataclass(frozen=True, kw_only=True)
class BackupsArgs:
    """Inputs of a Backups."""

    account_id: str
    """The account it is built in."""
    region: str
    """The region it is built in; decides when it is night."""
    role_path: str
    """IAM path of the role that makes the backups."""
    key_arn: pulumi.Input[str]
    """Key of the vault. Another key means another, empty vault."""
    retention_days: int
    """Days that each backup is kept."""
    database_arn: pulumi.Input[str]
    """The RDS instance to back up."""
    file_system_id: pulumi.Input[str]
    """The EFS file system to back up."""
    file_system_arn: pulumi.Input[str]
    """Its ARN."""
    table_arn: pulumi.Input[str]
    """The DynamoDB table to back up."""
    lock: bool = True
    """Keep every backup for its days, whoever asks, and refuse to delete the vault; else it goes with its backups."""

    def __post_init__(self) -> None:
        """Refuse what AWS would refuse only when it is created."""
        checks.account_id(self.account_id)
        checks.matching(
            "role_path", self.role_path, r"/([\w+=,.@-]+/)*", "a path that begins and ends with /"
        )
        checks.between("retention_days", self.retention_days, MIN_RETENTION_DAYS, MAX_RETENTION_DAYS)


class Backups(pulumi.ComponentResource):
    """One vault, one plan with one daily rule, and what it backs up.

    Nobody deletes a backup by hand, not even an administrator: the stack first takes the vault's policy away. With a
    lock its time must be over as well; in governance mode, so that the stack can take the lock away again.
    """

    vault_name: pulumi.Output[str]

    def __init__(self, name: str, args: BackupsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Register the vault with what guards it, the plan, and last what is backed up."""
        super().__init__("airflow:data:Backups", name, {}, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        documents = Documents()
        vault = self._make_vault(name, args)
        self.vault_name = vault.name
        guards = self._make_guards(name, args)
        plan = self._make_plan(name, args)
        role, policy = self._make_role(name, args, vault.arn, documents)
        aws.backup.Selection(
            naming.fit(f"{name}-selection", NAME_LIMIT),
            plan_id=plan.id,
            iam_role_arn=role.arn,
            resources=[args.database_arn, args.file_system_arn, args.table_arn],
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[
                    # AWS Backup tries the role, and refuses a selection whose role may not look for resources.
                    policy,
                    # What is backed up earlier could be deleted, and is not held for its days.
                    *guards,
                ],
            ),
        )
        self._make_automatic_backups(name, args)
        self.register_outputs({"vaultName": self.vault_name, "documents": documents.parts})

    def _make_vault(self, name: str, args: BackupsArgs) -> aws.backup.Vault:
        return aws.backup.Vault(
            naming.fit(f"{name}-vault", NAME_LIMIT),
            kms_key_arn=args.key_arn,
            force_destroy=None if args.lock else True,
            opts=pulumi.ResourceOptions(parent=self, protect=args.lock),
        )

    def _make_guards(self, name: str, args: BackupsArgs) -> list[pulumi.Resource]:
        guards: list[pulumi.Resource] = [
            aws.backup.VaultPolicy(
                f"{name}-vault-policy",
                backup_vault_name=self.vault_name,
                policy=as_json(rights.vault_policy()),
                opts=self._child,
            )
        ]
        if args.lock:
            guards.append(
                aws.backup.VaultLockConfiguration(
                    f"{name}-vault-lock",
                    backup_vault_name=self.vault_name,
                    min_retention_days=args.retention_days,
                    # A vault has one lock, and every change replaces it: the old one's end would end the new one.
                    opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
                )
            )
        return guards

    def _make_plan(self, name: str, args: BackupsArgs) -> aws.backup.Plan:
        return aws.backup.Plan(
            naming.fit(f"{name}-plan", NAME_LIMIT),
            rules=[
                aws.backup.PlanRuleArgs(
                    rule_name="daily",
                    target_vault_name=self.vault_name,
                    schedule=night.daily(args.region),
                    start_window=night.BACKUP_START_MINUTES,
                    completion_window=COMPLETION_MINUTES,
                    lifecycle=aws.backup.PlanRuleLifecycleArgs(delete_after=args.retention_days),
                )
            ],
            opts=self._child,
        )

    def _make_role(
        self, name: str, args: BackupsArgs, vault_arn: pulumi.Input[str], documents: Documents
    ) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
        role = aws.iam.Role(
            naming.fit(f"{name}-role", naming.ROLE_NAME_LIMIT),
            description="AWS Backup backs up metastore, DAG storage and release ledger",
            path=args.role_path,
            assume_role_policy=as_json(rights.backup_trust(args.account_id)),
            opts=self._child,
        )
        facts = rights.BackupFacts(
            region=args.region,
            account_id=args.account_id,
            vault_arn=vault_arn,
            key_arn=args.key_arn,
            database_arn=args.database_arn,
            file_system_arn=args.file_system_arn,
            table_arn=args.table_arn,
        )
        policy = aws.iam.RolePolicy(
            policy_name := f"{name}-role-policy",
            role=role.name,
            policy=documents.text(policy_name, "policy", rights.backup_policy(facts)),
            opts=self._child,
        )
        return role, policy

    def _make_automatic_backups(self, name: str, args: BackupsArgs) -> None:
        """Let EFS back itself up as well: a last copy that depends neither on our plan and role nor on our key.

        It lies in AWS's own vault for 35 days, whose policy must be replaced before anything is restored from it. DAG
        releases are small, so that it costs cents.
        """
        aws.efs.BackupPolicy(
            f"{name}-automatic",
            file_system_id=args.file_system_id,
            backup_policy=aws.efs.BackupPolicyBackupPolicyArgs(status="ENABLED"),
            opts=self._child,
        )
