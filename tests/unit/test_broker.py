"""The broker: exact settings, and a user that nobody can be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.broker import ACCESS_STRING, Broker, BrokerArgs
from tests.harness import Deployment, RecordingMonitor
from tests.unit.programs import KEY_ARN, built, run, value

GROUP = "aws:elasticache/replicationGroup:ReplicationGroup"
USER = "aws:elasticache/user:User"
USER_GROUP = "aws:elasticache/userGroup:UserGroup"
PARAMETER_GROUP = "aws:elasticache/parameterGroup:ParameterGroup"
SUBNET_GROUP = "aws:elasticache/subnetGroup:SubnetGroup"
SUBNETS = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
SECURITY_GROUP = "sg-0123456789abcdef0"
ARGS = BrokerArgs(
    subnet_ids=SUBNETS,
    security_group_id=SECURITY_GROUP,
    key_arn=KEY_ARN,
    node_type="cache.t4g.small",
    engine_version="8.0",
    replicas=1,
    snapshot_retention_days=3,
    user_id="airflow-dev",
)


def broker(deploy: Deployment, args: BrokerArgs = ARGS) -> RecordingMonitor:
    return run(deploy, lambda opts: Broker("broker", args, opts))


def test_replication_group(deploy: Deployment) -> None:
    monitor = broker(deploy)
    assert monitor.inputs(GROUP) == {
        "broker-group": {
            "description": "Celery messages and results of broker",
            "engine": "valkey",
            "engineVersion": "8.0",
            "autoMinorVersionUpgrade": True,
            "nodeType": "cache.t4g.small",
            "applyImmediately": True,
            "clusterMode": "disabled",
            "numCacheClusters": 2,
            "automaticFailoverEnabled": True,
            "multiAzEnabled": True,
            "port": 6379,
            "parameterGroupName": monitor.state(PARAMETER_GROUP)["name"],
            "subnetGroupName": monitor.state(SUBNET_GROUP)["name"],
            "securityGroupIds": [SECURITY_GROUP],
            "userGroupIds": ["airflow-dev"],
            "transitEncryptionEnabled": True,
            "transitEncryptionMode": "required",
            "atRestEncryptionEnabled": True,
            "kmsKeyId": KEY_ARN,
            "snapshotRetentionLimit": 3,
        }
    }


@pytest.mark.parametrize(("replicas", "nodes", "failover"), [(0, 1, False), (1, 2, True), (5, 6, True)])
def test_failover_needs_a_replica(deploy: Deployment, replicas: int, nodes: int, failover: bool) -> None:
    inputs = broker(deploy, replace(ARGS, replicas=replicas)).one(GROUP).inputs
    keys = ("numCacheClusters", "automaticFailoverEnabled", "multiAzEnabled")
    assert [inputs[key] for key in keys] == [nodes, failover, failover]


def test_snapshots_can_be_off(deploy: Deployment) -> None:
    inputs = broker(deploy, replace(ARGS, snapshot_retention_days=0)).one(GROUP).inputs
    assert inputs["snapshotRetentionLimit"] == 0


@pytest.mark.parametrize(("version", "family"), [("7.2", "valkey7"), ("8.0", "valkey8"), ("8.1", "valkey8")])
def test_nothing_is_evicted(deploy: Deployment, version: str, family: str) -> None:
    assert broker(deploy, replace(ARGS, engine_version=version)).inputs(PARAMETER_GROUP) == {
        "broker-parameters": {
            "description": "Valkey settings of broker",
            "family": family,
            "parameters": [{"name": "maxmemory-policy", "value": "noeviction"}],
        }
    }


def test_subnet_group(deploy: Deployment) -> None:
    assert broker(deploy).inputs(SUBNET_GROUP) == {
        "broker-subnets": {"description": "Data subnets of broker", "subnetIds": SUBNETS}
    }


def test_user_is_off_and_has_no_password(deploy: Deployment) -> None:
    assert broker(deploy).inputs(USER) == {
        "broker-user": {
            "engine": "valkey",
            "userId": "airflow-dev",
            "userName": "airflow-dev",
            "accessString": "off -@all",
            "authenticationMode": {"type": "iam"},
        }
    }


def test_what_the_gate_sets_is_not_set_back(deploy: Deployment) -> None:
    ignored = broker(deploy).one(USER).ignore_changes
    assert ignored == ("accessString", "authenticationMode", "noPasswordRequired", "passwords")


def test_user_group(deploy: Deployment) -> None:
    assert broker(deploy).inputs(USER_GROUP) == {
        "broker-users": {"engine": "valkey", "userGroupId": "airflow-dev", "userIds": ["airflow-dev"]}
    }


def test_replication_group_waits_for_its_user(deploy: Deployment) -> None:
    assert "broker-users" in broker(deploy).one(GROUP).depends_on


def test_switched_on_user_has_no_administrative_rights() -> None:
    assert ACCESS_STRING == "on ~* &* +@all -@admin -@dangerous +info"


def test_long_name_fits_into_the_group_id(deploy: Deployment) -> None:
    monitor = run(deploy, lambda opts: Broker("airflow-environment-with-a-long-name", ARGS, opts))
    assert len(monitor.state(GROUP)["replicationGroupId"]) <= 40


def test_nothing_else_is_registered(deploy: Deployment) -> None:
    types = (GROUP, USER, USER_GROUP, PARAMETER_GROUP, SUBNET_GROUP)
    assert broker(deploy).counts == dict.fromkeys((*types, "airflow:data:Broker", "pulumi:providers:aws"), 1)


def test_children_belong_to_the_component(deploy: Deployment) -> None:
    children = [child for child in broker(deploy).registered if child.type.startswith("aws:")]
    assert {child.parent for child in children} == {"broker"}


@pytest.mark.parametrize("protect", [True, False])
def test_protection_is_of_the_replication_group_alone(deploy: Deployment, protect: bool) -> None:
    monitor = broker(deploy, replace(ARGS, protect=protect))
    assert {child.type for child in monitor.registered if child.protect} == ({GROUP} if protect else set())


@pytest.mark.parametrize("replicas", [0, 2])
def test_metrics_know_every_node(deploy: Deployment, replicas: int) -> None:
    args = replace(ARGS, replicas=replicas)
    monitor, component = built(deploy, lambda opts: Broker("broker", args, opts))
    found = [value(deploy, node) for node in component.node_ids]
    assert found == monitor.state(GROUP)["memberClusters"]
    assert len(found) == replicas + 1


def test_broker_is_protected_unless_told_otherwise() -> None:
    assert ARGS.protect


def test_outputs(deploy: Deployment) -> None:
    monitor = broker(deploy)
    assert monitor.outputs["broker"] == {
        "host": monitor.state(GROUP)["primaryEndpointAddress"],
        "userId": "airflow-dev",
        "userArn": monitor.state(USER)["arn"],
    }


def test_fields(deploy: Deployment) -> None:
    monitor, component = built(deploy, lambda opts: Broker("broker", ARGS, opts))
    assert (value(deploy, component.host), value(deploy, component.user_arn)) == (
        monitor.state(GROUP)["primaryEndpointAddress"],
        monitor.state(USER)["arn"],
    )


def test_plain_fields(deploy: Deployment) -> None:
    _, component = built(deploy, lambda opts: Broker("broker", ARGS, opts))
    assert (component.port, component.user_id) == (6379, "airflow-dev")


USER_ID = "user_id: want 1 to 40 lower-case letters, digits and single hyphens, beginning with a letter"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"node_type": "t4g.small"}, 'node_type: want a type such as cache.t4g.small, got "t4g.small"'),
        ({"engine_version": "7.1"}, r"engine_version: want one of 7\.2, 8\.0, 8\.1, got 7\.1"),
        ({"replicas": -1}, "replicas: want 0 to 5, got -1"),
        ({"replicas": 6}, "replicas: want 0 to 5, got 6"),
        ({"snapshot_retention_days": 36}, "snapshot_retention_days: want 0 to 35, got 36"),
        ({"user_id": "Airflow"}, f'{USER_ID}, got "Airflow"'),
        ({"user_id": "1airflow"}, f'{USER_ID}, got "1airflow"'),
        ({"user_id": "a--b"}, f'{USER_ID}, got "a--b"'),
        ({"user_id": "a" * 41}, f'{USER_ID}, got "{"a" * 41}"'),
    ],
)
def test_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        replace(ARGS, **changes)
