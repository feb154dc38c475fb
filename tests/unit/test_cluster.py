"""The ECS cluster."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.cluster import Cluster, ClusterArgs
from tests.harness import VPC_ID, Deployment, RecordingMonitor
from tests.unit.programs import KEY_ARN, built, run, value

CLUSTER = "aws:ecs/cluster:Cluster"
CAPACITY = "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders"
NAMESPACE = "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
ARGS = ClusterArgs(
    vpc_id=VPC_ID, namespace_name="dev.airflow.internal", key_arn=KEY_ARN, exec_log_retention_days=30
)


def cluster(deploy: Deployment, args: ClusterArgs = ARGS) -> RecordingMonitor:
    return run(deploy, lambda opts: Cluster("compute", args, opts))


@pytest.mark.parametrize("insights", ["enabled", "enhanced"])
def test_cluster(deploy: Deployment, insights: Any) -> None:
    monitor = cluster(deploy, replace(ARGS, container_insights=insights))
    assert monitor.inputs(CLUSTER) == {
        "compute-cluster": {
            "settings": [{"name": "containerInsights", "value": insights}],
            "configuration": {
                "executeCommandConfiguration": {
                    "kmsKeyId": KEY_ARN,
                    "logging": "OVERRIDE",
                    "logConfiguration": {
                        "cloudWatchEncryptionEnabled": True,
                        "cloudWatchLogGroupName": monitor.state(LOG_GROUP)["name"],
                    },
                }
            },
        }
    }


def test_exec_log(deploy: Deployment) -> None:
    assert cluster(deploy).inputs(LOG_GROUP) == {
        "compute-exec-log": {"retentionInDays": 30, "kmsKeyId": KEY_ARN}
    }


def test_capacity_is_on_demand_by_default(deploy: Deployment) -> None:
    monitor = cluster(deploy)
    assert monitor.inputs(CAPACITY) == {
        "compute-capacity": {
            "clusterName": monitor.state(CLUSTER)["name"],
            "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
            "defaultCapacityProviderStrategies": [{"capacityProvider": "FARGATE", "weight": 1}],
        }
    }


def test_namespace(deploy: Deployment) -> None:
    assert cluster(deploy).inputs(NAMESPACE) == {
        "compute-namespace": {
            "name": "dev.airflow.internal",
            "description": "Private names of the Airflow services",
            "vpc": VPC_ID,
        }
    }


def test_nothing_else_is_registered(deploy: Deployment) -> None:
    types = (CLUSTER, CAPACITY, NAMESPACE, LOG_GROUP, "airflow:compute:Cluster", "pulumi:providers:aws")
    assert cluster(deploy).counts == dict.fromkeys(types, 1)


def test_insights_are_on_unless_told_otherwise() -> None:
    assert ARGS.container_insights == "enabled"


def test_outputs(deploy: Deployment) -> None:
    monitor = cluster(deploy)
    made, namespace = monitor.state(CLUSTER), monitor.state(NAMESPACE)
    assert monitor.outputs["compute"] == {
        "clusterArn": made["arn"],
        "clusterName": made["name"],
        "namespaceId": monitor.id(NAMESPACE),
        "namespaceArn": namespace["arn"],
        "namespaceName": "dev.airflow.internal",
    }


def test_services_can_wait_for_capacity(deploy: Deployment) -> None:
    _, component = built(deploy, lambda opts: Cluster("compute", ARGS, opts))
    urns = [value(deploy, resource.urn) for resource in component.capacity_ready]
    assert [urn.rpartition("::")[2] for urn in urns] == ["compute-capacity"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"namespace_name": "Airflow"},
            'namespace_name: want a lower-case DNS name with a dot, got "Airflow"',
        ),
        (
            {"namespace_name": "a." + "x" * 252},
            r"namespace_name \(its length\): want 1 to 253, got 254",
        ),
        ({"exec_log_retention_days": 2}, "exec_log_retention_days: want one of 1, 3, .*, got 2"),
        (
            {"container_insights": "disabled"},
            "container_insights: want one of enabled, enhanced, got disabled",
        ),
    ],
    ids=["name", "long name", "retention", "insights"],
)
def test_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        replace(ARGS, **changes)
