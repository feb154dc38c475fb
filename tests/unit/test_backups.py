"""The backups: exact vault, plan and rights, exact order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.backups import Backups, BackupsArgs
from components.iam import backups as rights
from tests.harness import Deployment, RecordingMonitor
from tests.unit.programs import ACCOUNT, KEY_ARN, REGION, once, run

VAULT = "aws:backup/vault:Vault"
VAULT_POLICY = "aws:backup/vaultPolicy:VaultPolicy"
LOCK = "aws:backup/vaultLockConfiguration:VaultLockConfiguration"
PLAN = "aws:backup/plan:Plan"
SELECTION = "aws:backup/selection:Selection"
AUTOMATIC = "aws:efs/backupPolicy:BackupPolicy"
ROLE = "aws:iam/role:Role"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
DATABASE = f"arn:aws:rds:{REGION}:{ACCOUNT}:db:airflow-prod"
FILES = f"arn:aws:elasticfilesystem:{REGION}:{ACCOUNT}:file-system/fs-0123456789abcdef0"
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/ledger"
ARGS = BackupsArgs(
    account_id=ACCOUNT,
    region=REGION,
    role_path="/airflow/prod/",
    key_arn=KEY_ARN,
    retention_days=35,
    database_arn=DATABASE,
    file_system_id="fs-0123456789abcdef0",
    file_system_arn=FILES,
    table_arn=TABLE,
)
FREE = replace(ARGS, lock=False)


def backups(args: BackupsArgs = ARGS) -> RecordingMonitor:
    monitor, _ = once(Backups, "safe", args)
    return monitor


def test_vault() -> None:
    assert backups().one(VAULT).inputs == {"kmsKeyArn": KEY_ARN}


def test_vault_without_a_lock_goes_with_its_backups() -> None:
    assert backups(FREE).one(VAULT).inputs == {"kmsKeyArn": KEY_ARN, "forceDestroy": True}


@pytest.mark.parametrize("args", [ARGS, FREE], ids=["locked", "free"])
def test_only_a_locked_vault_is_protected(args: BackupsArgs) -> None:
    monitor = backups(args)
    protected = {resource.name for resource in monitor.registered if resource.protect}
    assert protected == ({"safe-vault"} if args.lock else set())


@pytest.mark.parametrize("args", [ARGS, FREE], ids=["locked", "free"])
def test_nobody_deletes_by_hand(args: BackupsArgs) -> None:
    monitor = backups(args)
    assert monitor.inputs(VAULT_POLICY) == {
        "safe-vault-policy": {
            "backupVaultName": monitor.state(VAULT)["name"],
            "policy": rights.vault_policy(),
        }
    }


def test_lock_in_governance_mode() -> None:
    """Without `changeableForDays`, with which nobody could ever take it away."""
    monitor = backups()
    assert monitor.one(LOCK).inputs == {
        "backupVaultName": monitor.state(VAULT)["name"],
        "minRetentionDays": 35,
    }


def test_another_lock_comes_after_the_end_of_the_old_one() -> None:
    assert backups().one(LOCK).delete_before_replace


def test_plan() -> None:
    monitor = backups()
    assert monitor.inputs(PLAN) == {
        "safe-plan": {
            "rules": [
                {
                    "ruleName": "daily",
                    "targetVaultName": monitor.state(VAULT)["name"],
                    "schedule": "cron(0 1 * * ? *)",
                    "startWindow": 180,
                    "completionWindow": 1380,
                    "lifecycle": {"deleteAfter": 35},
                }
            ]
        }
    }


def test_plan_runs_at_night_in_its_region(deploy: Deployment) -> None:
    args = replace(ARGS, region="us-west-2")
    monitor = run(deploy, lambda opts: Backups("safe", args, opts))
    assert monitor.one(PLAN).inputs["rules"][0]["schedule"] == "cron(0 9 * * ? *)"


def test_selection() -> None:
    monitor = backups()
    assert monitor.inputs(SELECTION) == {
        "safe-selection": {
            "planId": monitor.id(PLAN),
            "iamRoleArn": monitor.state(ROLE)["arn"],
            "resources": [DATABASE, FILES, TABLE],
        }
    }


def test_nothing_is_backed_up_before_the_role_may_and_the_vault_is_guarded() -> None:
    assert backups().one(SELECTION).depends_on >= {"safe-role-policy", "safe-vault-policy", "safe-vault-lock"}


def test_role() -> None:
    assert backups().inputs(ROLE) == {
        "safe-role": {
            "description": "AWS Backup backs up metastore, DAG storage and release ledger",
            "path": "/airflow/prod/",
            "assumeRolePolicy": rights.backup_trust(ACCOUNT),
        }
    }


def test_role_may_back_up_these_resources_only() -> None:
    monitor = backups()
    inputs = monitor.inputs(ROLE_POLICY)["safe-role-policy"]
    assert inputs["role"] == monitor.state(ROLE)["name"]
    resources = {statement["Sid"]: statement["Resource"] for statement in inputs["policy"]["Statement"]}
    assert resources == {
        "TakeSnapshots": [DATABASE, f"arn:aws:rds:{REGION}:{ACCOUNT}:snapshot:awsbackup:*"],
        "TagAndRemoveSnapshots": f"arn:aws:rds:{REGION}:{ACCOUNT}:snapshot:awsbackup:*",
        "SeeDatabasesAndSnapshots": [
            f"arn:aws:rds:{REGION}:{ACCOUNT}:db:*",
            f"arn:aws:rds:{REGION}:{ACCOUNT}:snapshot:*",
        ],
        "BackUpFiles": FILES,
        "BackUpTable": TABLE,
        "SeeAndRemoveTableBackups": f"{TABLE}/backup/*",
        "StoreInVault": monitor.state(VAULT)["arn"],
        "TagBackups": f"arn:aws:backup:{REGION}:{ACCOUNT}:recovery-point:*",
        "FindResources": "*",
        "ReadTableWithKey": KEY_ARN,
        "SeeKey": KEY_ARN,
    }


def test_file_system_backs_itself_up_as_well() -> None:
    assert backups().inputs(AUTOMATIC) == {
        "safe-automatic": {
            "fileSystemId": "fs-0123456789abcdef0",
            "backupPolicy": {"status": "ENABLED"},
        }
    }


@pytest.mark.parametrize(("args", "locks"), [(ARGS, {LOCK}), (FREE, set())], ids=["locked", "free"])
def test_nothing_else_is_registered(args: BackupsArgs, locks: set[str]) -> None:
    types = {VAULT, VAULT_POLICY, PLAN, SELECTION, AUTOMATIC, ROLE, ROLE_POLICY, *locks}
    others = {"airflow:data:Backups", "pulumi:providers:aws"}
    assert backups(args).counts == dict.fromkeys(types | others, 1)


def test_names_fit_however_long_the_component_s_is(deploy: Deployment) -> None:
    """The simulated account refuses longer ones."""
    monitor = run(deploy, lambda opts: Backups("airflow-preprod-with-a-name-that-goes-on-and-on", ARGS, opts))
    assert len(monitor.state(VAULT)["name"]) <= 50


def test_outputs() -> None:
    monitor = backups()
    policy = monitor.inputs(ROLE_POLICY)["safe-role-policy"]["policy"]
    assert monitor.outputs["safe"] == {
        "vaultName": monitor.state(VAULT)["name"],
        "documents": {"safe-role-policy": {"policy": policy}},
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"account_id": "1"}, 'account_id: want 12 digits, got "1"'),
        ({"role_path": "airflow"}, 'role_path: want a path that begins and ends with /, got "airflow"'),
        ({"retention_days": 6}, "retention_days: want 7 to 3650, got 6"),
        ({"retention_days": 3651}, "retention_days: want 7 to 3650, got 3651"),
    ],
    ids=["account", "path", "short", "long"],
)
def test_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        replace(ARGS, **changes)
