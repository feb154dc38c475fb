"""The metastore: exact settings, exact rights, exact order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.iam import data
from components.metastore import Metastore, MetastoreArgs
from tests.harness import Deployment, RecordingMonitor
from tests.unit.documents import document, trust
from tests.unit.programs import ACCOUNT, KEY_ARN, REGION, built, run, value

INSTANCE = "aws:rds/instance:Instance"
SUBNET_GROUP = "aws:rds/subnetGroup:SubnetGroup"
PARAMETER_GROUP = "aws:rds/parameterGroup:ParameterGroup"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
ROLE = "aws:iam/role:Role"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
SUBNETS = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
SECURITY_GROUP = "sg-0123456789abcdef0"
ARGS = MetastoreArgs(
    account_id=ACCOUNT,
    region=REGION,
    role_path="/airflow/dev/",
    subnet_ids=SUBNETS,
    security_group_id=SECURITY_GROUP,
    key_arn=KEY_ARN,
    identifier="airflow-dev",
    instance_class="db.t4g.medium",
    engine_version="17",
    multi_az=False,
    storage_gib=20,
    max_storage_gib=100,
    backup_retention_days=14,
    log_retention_days=30,
)
FREE = replace(ARGS, protect=False)


def metastore(deploy: Deployment, args: MetastoreArgs = ARGS) -> RecordingMonitor:
    return run(deploy, lambda opts: Metastore("meta", args, opts))


def test_instance(deploy: Deployment) -> None:
    monitor = metastore(deploy)
    assert monitor.inputs(INSTANCE) == {
        "meta-instance": {
            "identifier": "airflow-dev",
            "engine": "postgres",
            "engineVersion": "17",
            "allowMajorVersionUpgrade": True,
            "autoMinorVersionUpgrade": True,
            "engineLifecycleSupport": "open-source-rds-extended-support-disabled",
            "instanceClass": "db.t4g.medium",
            "applyImmediately": True,
            "multiAz": False,
            "dbName": "airflow",
            "port": 5432,
            "username": "airflow_owner",
            "manageMasterUserPassword": True,
            "masterUserSecretKmsKeyId": KEY_ARN,
            "iamDatabaseAuthenticationEnabled": False,
            "parameterGroupName": monitor.state(PARAMETER_GROUP)["name"],
            "caCertIdentifier": "rds-ca-rsa2048-g1",
            "dbSubnetGroupName": monitor.state(SUBNET_GROUP)["name"],
            "vpcSecurityGroupIds": [SECURITY_GROUP],
            "publiclyAccessible": False,
            "storageType": "gp3",
            "allocatedStorage": 20,
            "maxAllocatedStorage": 100,
            "storageEncrypted": True,
            "kmsKeyId": KEY_ARN,
            "backupRetentionPeriod": 14,
            "backupWindow": "00:00-00:30",
            "maintenanceWindow": "sun:05:00-sun:05:30",
            "deleteAutomatedBackups": False,
            "copyTagsToSnapshot": True,
            "deletionProtection": True,
            "skipFinalSnapshot": False,
            "finalSnapshotIdentifier": "airflow-dev-final",
            "enabledCloudwatchLogsExports": ["postgresql", "upgrade"],
            "monitoringInterval": 60,
            "monitoringRoleArn": monitor.state(ROLE)["arn"],
            "databaseInsightsMode": "standard",
            "performanceInsightsEnabled": True,
            "performanceInsightsKmsKeyId": KEY_ARN,
            "performanceInsightsRetentionPeriod": 7,
        }
    }


def test_unprotected_instance_can_be_deleted(deploy: Deployment) -> None:
    inputs = metastore(deploy, FREE).one(INSTANCE).inputs
    assert (inputs["deletionProtection"], inputs["skipFinalSnapshot"]) == (False, True)


def test_unprotected_instance_names_no_final_snapshot(deploy: Deployment) -> None:
    assert "finalSnapshotIdentifier" not in metastore(deploy, FREE).one(INSTANCE).inputs


@pytest.mark.parametrize("multi_az", [True, False])
def test_standby(deploy: Deployment, multi_az: bool) -> None:
    assert metastore(deploy, replace(ARGS, multi_az=multi_az)).one(INSTANCE).inputs["multiAz"] is multi_az


def test_subnet_group(deploy: Deployment) -> None:
    assert metastore(deploy).inputs(SUBNET_GROUP) == {
        "meta-subnets": {"description": "Data subnets of meta", "subnetIds": SUBNETS}
    }


@pytest.mark.parametrize(("version", "family"), [("16", "postgres16"), ("17", "postgres17")])
def test_parameter_group(deploy: Deployment, version: str, family: str) -> None:
    assert metastore(deploy, replace(ARGS, engine_version=version)).inputs(PARAMETER_GROUP) == {
        "meta-parameters": {
            "description": "PostgreSQL settings of meta",
            "family": family,
            "parameters": [
                {"name": "rds.force_ssl", "value": "1", "applyMethod": "immediate"},
                {"name": "log_lock_waits", "value": "1", "applyMethod": "immediate"},
            ],
        }
    }


def test_log_groups_have_the_names_that_rds_uses(deploy: Deployment) -> None:
    assert metastore(deploy).inputs(LOG_GROUP) == {
        f"meta-{export}-log": {
            "name": f"/aws/rds/instance/airflow-dev/{export}",
            "retentionInDays": 30,
            "kmsKeyId": KEY_ARN,
        }
        for export in ("postgresql", "upgrade")
    }


def test_monitoring_role_trusts_this_instance_only(deploy: Deployment) -> None:
    assert metastore(deploy).inputs(ROLE) == {
        "meta-monitoring": {
            "description": "RDS writes operating system metrics of the metastore",
            "path": "/airflow/dev/",
            "assumeRolePolicy": document(
                trust("monitoring.rds.amazonaws.com", "arn:aws:rds:eu-west-1:111111111111:db:airflow-dev")
            ),
        }
    }


def test_monitoring_role_may_write_metrics_only(deploy: Deployment) -> None:
    monitor = metastore(deploy)
    assert monitor.inputs(ROLE_POLICY) == {
        "meta-monitoring-policy": {
            "role": monitor.state(ROLE)["name"],
            "policy": data.enhanced_monitoring(REGION, ACCOUNT),
        }
    }


@pytest.mark.parametrize(
    "first",
    ["meta-monitoring-policy", "meta-postgresql-log", "meta-upgrade-log"],
    ids=["rights to monitor", "log", "log of upgrades"],
)
def test_instance_waits_for(deploy: Deployment, first: str) -> None:
    assert first in metastore(deploy).one(INSTANCE).depends_on


def test_nothing_else_is_registered(deploy: Deployment) -> None:
    types = (INSTANCE, SUBNET_GROUP, PARAMETER_GROUP, ROLE, ROLE_POLICY)
    assert metastore(deploy).counts == {
        **dict.fromkeys((*types, "airflow:data:Metastore", "pulumi:providers:aws"), 1),
        LOG_GROUP: 2,
    }


def test_children_belong_to_the_component(deploy: Deployment) -> None:
    children = [child for child in metastore(deploy).registered if child.type.startswith("aws:")]
    assert {child.parent for child in children} == {"meta"}


@pytest.mark.parametrize("protect", [True, False])
def test_protection_is_of_the_instance_alone(deploy: Deployment, protect: bool) -> None:
    monitor = metastore(deploy, replace(ARGS, protect=protect))
    assert {child.type for child in monitor.registered if child.protect} == ({INSTANCE} if protect else set())


def test_metastore_is_protected_unless_told_otherwise() -> None:
    assert ARGS.protect


def test_outputs(deploy: Deployment) -> None:
    monitor = metastore(deploy)
    state = monitor.state(INSTANCE)
    assert monitor.outputs["meta"] == {
        "host": state["address"],
        "identifier": "airflow-dev",
        "instanceArn": state["arn"],
        "resourceId": state["resourceId"],
        "ownerSecretArn": state["masterUserSecrets"][0]["secretArn"],
    }


def test_fields(deploy: Deployment) -> None:
    monitor, component = built(deploy, lambda opts: Metastore("meta", ARGS, opts))
    state = monitor.state(INSTANCE)
    resolved = [
        value(deploy, output)
        for output in (
            component.host,
            component.instance_arn,
            component.resource_id,
            component.owner_secret_arn,
        )
    ]
    assert resolved == [
        state["address"],
        state["arn"],
        state["resourceId"],
        state["masterUserSecrets"][0]["secretArn"],
    ]


def test_plain_fields(deploy: Deployment) -> None:
    _, component = built(deploy, lambda opts: Metastore("meta", ARGS, opts))
    assert (component.port, component.database_name, component.identifier) == (5432, "airflow", "airflow-dev")


def test_least_headroom_is_accepted() -> None:
    assert replace(ARGS, storage_gib=25, max_storage_gib=28).max_storage_gib == 28


IDENTIFIER = "identifier: want 1 to 63 lower-case letters, digits and single hyphens, beginning with a letter"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"account_id": "1"}, 'account_id: want 12 digits, got "1"'),
        ({"role_path": "airflow"}, 'role_path: want a path that begins and ends with /, got "airflow"'),
        ({"identifier": "Airflow"}, f'{IDENTIFIER}, got "Airflow"'),
        ({"identifier": "a--b"}, f'{IDENTIFIER}, got "a--b"'),
        ({"identifier": "a-"}, f'{IDENTIFIER}, got "a-"'),
        ({"identifier": "a" * 64}, f'{IDENTIFIER}, got "{"a" * 64}"'),
        (
            {"instance_class": "t4g.medium"},
            'instance_class: want a class such as db.t4g.medium, got "t4g.medium"',
        ),
        ({"engine_version": "15"}, "engine_version: want one of 16, 17, got 15"),
        ({"storage_gib": 19}, "storage_gib: want 20 to 65536, got 19"),
        ({"max_storage_gib": 21}, "max_storage_gib: want 22 to 65536, got 21"),
        ({"storage_gib": 25, "max_storage_gib": 27}, "max_storage_gib: want 28 to 65536, got 27"),
        ({"max_storage_gib": 65537}, "max_storage_gib: want 22 to 65536, got 65537"),
        ({"backup_retention_days": 6}, "backup_retention_days: want 7 to 35, got 6"),
        ({"backup_retention_days": 36}, "backup_retention_days: want 7 to 35, got 36"),
        ({"log_retention_days": 31}, r"log_retention_days: want one of 1, 3, .*, got 31"),
    ],
)
def test_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        replace(ARGS, **changes)
