"""The DAG storage: who gets in, as whom, and what protects the releases."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from components.dag_storage import DagStorage, DagStorageArgs
from components.iam import data
from tests.harness import Deployment, RecordingMonitor
from tests.unit.programs import KEY_ARN, built, run, value

FILE_SYSTEM = "aws:efs/fileSystem:FileSystem"
ACCESS_POINT = "aws:efs/accessPoint:AccessPoint"
MOUNT_TARGET = "aws:efs/mountTarget:MountTarget"
POLICY = "aws:efs/fileSystemPolicy:FileSystemPolicy"
TABLE = "aws:dynamodb/table:Table"
SUBNETS = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1", "subnet-0123456789abcdef2"]
SECURITY_GROUP = "sg-0123456789abcdef0"
ARGS = DagStorageArgs(subnet_ids=SUBNETS[:2], zone_count=2, security_group_id=SECURITY_GROUP, key_arn=KEY_ARN)


def storage(deploy: Deployment, args: DagStorageArgs = ARGS) -> RecordingMonitor:
    return run(deploy, lambda opts: DagStorage("dags", args, opts))


def test_file_system(deploy: Deployment) -> None:
    assert storage(deploy).inputs(FILE_SYSTEM) == {
        "dags-files": {
            "encrypted": True,
            "kmsKeyId": KEY_ARN,
            "performanceMode": "generalPurpose",
            "throughputMode": "bursting",
            "tags": {"Name": "dags-files"},
        }
    }


def test_both_ways_in_lead_to_the_publishers_directory(deploy: Deployment) -> None:
    monitor = storage(deploy)
    directory = {
        "path": "/releases",
        "creationInfo": {"ownerUid": 50001, "ownerGid": 0, "permissions": "0755"},
    }
    assert monitor.inputs(ACCESS_POINT) == {
        f"dags-{role}": {
            "fileSystemId": monitor.id(FILE_SYSTEM),
            "posixUser": {"uid": uid, "gid": 0},
            "rootDirectory": directory,
            "tags": {"Name": f"dags-{role}"},
        }
        for role, uid in (("reader", 50000), ("writer", 50001))
    }


@pytest.mark.parametrize("zones", [2, 3])
def test_one_mount_target_a_zone(deploy: Deployment, zones: int) -> None:
    monitor = storage(deploy, replace(ARGS, subnet_ids=SUBNETS[:zones], zone_count=zones))
    assert monitor.inputs(MOUNT_TARGET) == {
        f"dags-{zone + 1}": {
            "fileSystemId": monitor.id(FILE_SYSTEM),
            "subnetId": SUBNETS[zone],
            "securityGroups": [SECURITY_GROUP],
        }
        for zone in range(zones)
    }


def test_file_system_policy(deploy: Deployment) -> None:
    monitor = storage(deploy)
    assert monitor.inputs(POLICY) == {
        "dags-policy": {
            "fileSystemId": monitor.id(FILE_SYSTEM),
            "policy": data.efs_policy(
                monitor.state(FILE_SYSTEM)["arn"],
                reader_access_point_arn=monitor.state(ACCESS_POINT, "dags-reader")["arn"],
                writer_access_point_arn=monitor.state(ACCESS_POINT, "dags-writer")["arn"],
            ),
        }
    }


@pytest.mark.parametrize("protect", [True, False])
def test_ledger(deploy: Deployment, protect: bool) -> None:
    assert storage(deploy, replace(ARGS, protect=protect)).inputs(TABLE) == {
        "dags-ledger": {
            "billingMode": "PAY_PER_REQUEST",
            "hashKey": "pk",
            "rangeKey": "sk",
            "attributes": [{"name": "pk", "type": "S"}, {"name": "sk", "type": "S"}],
            "ttl": {"attributeName": "expiresAt", "enabled": True},
            "pointInTimeRecovery": {"enabled": True},
            "serverSideEncryption": {"enabled": True, "kmsKeyArn": KEY_ARN},
            "deletionProtectionEnabled": protect,
        }
    }


def test_nothing_else_is_registered(deploy: Deployment) -> None:
    assert storage(deploy).counts == {
        **dict.fromkeys((FILE_SYSTEM, POLICY, TABLE, "airflow:data:DagStorage", "pulumi:providers:aws"), 1),
        ACCESS_POINT: 2,
        MOUNT_TARGET: 2,
    }


def test_children_belong_to_the_component(deploy: Deployment) -> None:
    children = [child for child in storage(deploy).registered if child.type.startswith("aws:")]
    assert {child.parent for child in children} == {"dags"}


@pytest.mark.parametrize("protect", [True, False])
def test_protection_is_of_file_system_and_ledger(deploy: Deployment, protect: bool) -> None:
    monitor = storage(deploy, replace(ARGS, protect=protect))
    protected = {child.type for child in monitor.registered if child.protect}
    assert protected == ({FILE_SYSTEM, TABLE} if protect else set())


def test_storage_is_protected_unless_told_otherwise() -> None:
    assert ARGS.protect


def test_long_name_fits_into_the_creation_token(deploy: Deployment) -> None:
    monitor = run(deploy, lambda opts: DagStorage("airflow-" + "x" * 60, ARGS, opts))
    assert len(monitor.state(FILE_SYSTEM)["creationToken"]) <= 64


def test_ready_waits_for_mount_targets_and_policy(deploy: Deployment) -> None:
    _, component = built(deploy, lambda opts: DagStorage("dags", ARGS, opts))
    names = {value(deploy, resource.urn).rpartition("::")[2] for resource in component.ready}
    assert names == {"dags-1", "dags-2", "dags-policy"}


def test_outputs(deploy: Deployment) -> None:
    monitor = storage(deploy)
    policy = json.loads(monitor.one("aws:efs/fileSystemPolicy:FileSystemPolicy").inputs["policy"])
    assert monitor.outputs["dags"] == {
        "fileSystemId": monitor.id(FILE_SYSTEM),
        "readerAccessPointId": monitor.id(ACCESS_POINT, "dags-reader"),
        "writerAccessPointId": monitor.id(ACCESS_POINT, "dags-writer"),
        "ledgerName": monitor.state(TABLE)["name"],
        "documents": {"dags-policy": {"policy": policy}},
    }


def test_fields(deploy: Deployment) -> None:
    monitor, component = built(deploy, lambda opts: DagStorage("dags", ARGS, opts))
    resolved = {
        field: value(deploy, getattr(component, field))
        for field in (
            "file_system_id",
            "file_system_arn",
            "reader_access_point_id",
            "reader_access_point_arn",
            "writer_access_point_id",
            "writer_access_point_arn",
            "ledger_name",
            "ledger_arn",
        )
    }
    assert resolved == {
        "file_system_id": monitor.id(FILE_SYSTEM),
        "file_system_arn": monitor.state(FILE_SYSTEM)["arn"],
        "reader_access_point_id": monitor.id(ACCESS_POINT, "dags-reader"),
        "reader_access_point_arn": monitor.state(ACCESS_POINT, "dags-reader")["arn"],
        "writer_access_point_id": monitor.id(ACCESS_POINT, "dags-writer"),
        "writer_access_point_arn": monitor.state(ACCESS_POINT, "dags-writer")["arn"],
        "ledger_name": monitor.state(TABLE)["name"],
        "ledger_arn": monitor.state(TABLE)["arn"],
    }


@pytest.mark.parametrize("zones", [0, 7])
def test_refused(zones: int) -> None:
    with pytest.raises(ValueError, match=f"^zone_count: want 1 to 6, got {zones}$"):
        replace(ARGS, zone_count=zones)
