"""A pool of workers: its command, its limits, its capacity."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.airflow_service import capacity_strategy
from components.worker_pool import WorkerPool, WorkerPoolArgs
from tests.harness import Deployment, RecordingMonitor
from tests.unit import test_airflow_service, test_airflow_task
from tests.unit.programs import built, run, value

SERVICE = "aws:ecs/service:Service"
TARGET = "aws:appautoscaling/target:Target"
DEFINITION = "aws:ecs/taskDefinition:TaskDefinition"
ARGS = WorkerPoolArgs(
    task=test_airflow_service.WORKER,
    cluster_arn=test_airflow_service.CLUSTER,
    cluster_name="airflow-dev",
    subnet_ids=["subnet-0123456789abcdef0"],
    security_group_id="sg-0123456789abcdef0",
    queues=("default", "reports"),
    concurrency=4,
    min_count=0,
    max_count=10,
    spot_percent=50,
)


def pool(deploy: Deployment, args: WorkerPoolArgs = ARGS) -> RecordingMonitor:
    return run(deploy, lambda opts: WorkerPool("worker-default", args, opts))


def test_limits(deploy: Deployment) -> None:
    monitor = pool(deploy)
    assert monitor.inputs(TARGET) == {
        "worker-default-scaling": {
            "serviceNamespace": "ecs",
            "scalableDimension": "ecs:service:DesiredCount",
            "resourceId": f"service/airflow-dev/{monitor.state(SERVICE)['name']}",
            "minCapacity": 0,
            "maxCapacity": 10,
        }
    }


def test_command(deploy: Deployment) -> None:
    worker, _ = json.loads(pool(deploy).one(DEFINITION).inputs["containerDefinitions"])
    assert worker["command"] == [
        "airflow",
        "celery",
        "worker",
        "--queues",
        "default,reports",
        "--concurrency",
        "4",
    ]


def test_service(deploy: Deployment) -> None:
    monitor = pool(deploy)
    assert monitor.inputs(SERVICE) == {
        "worker-default-service": {
            "cluster": test_airflow_service.CLUSTER,
            "taskDefinition": monitor.state(DEFINITION)["arn"],
            "desiredCount": 0,
            "capacityProviderStrategies": [
                {"capacityProvider": "FARGATE", "base": 1, "weight": 50},
                {"capacityProvider": "FARGATE_SPOT", "weight": 50},
            ],
            "forceNewDeployment": True,
            "deploymentMinimumHealthyPercent": 100,
            "deploymentMaximumPercent": 200,
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
            "availabilityZoneRebalancing": "DISABLED",
            "waitForSteadyState": False,
            "enableExecuteCommand": False,
            "networkConfiguration": {
                "subnets": ["subnet-0123456789abcdef0"],
                "securityGroups": ["sg-0123456789abcdef0"],
                "assignPublicIp": False,
            },
            "propagateTags": "SERVICE",
            "enableEcsManagedTags": True,
        }
    }


def test_alarms_watch_its_deployments(deploy: Deployment) -> None:
    inputs = pool(deploy, replace(ARGS, deployment_alarms=["late"])).one(SERVICE).inputs
    assert inputs["alarms"] == {"alarmNames": ["late"], "enable": True, "rollback": True}


def test_number_of_workers_is_left_to_scaling(deploy: Deployment) -> None:
    assert pool(deploy).one(SERVICE).ignore_changes == ("desiredCount",)


def test_starts_after_what_the_caller_names(deploy: Deployment) -> None:
    def program(opts: pulumi.ResourceOptions) -> None:
        gate = aws.sns.Topic("gate", opts=opts)
        WorkerPool("worker-default", replace(ARGS, after=[gate]), opts)

    assert "gate" in run(deploy, program).one(SERVICE).depends_on


def test_counts(deploy: Deployment) -> None:
    assert pool(deploy).counts == {
        "pulumi:providers:aws": 1,
        "airflow:compute:WorkerPool": 1,
        "airflow:compute:AirflowService": 1,
        "airflow:compute:AirflowTask": 1,
        "aws:cloudwatch/logGroup:LogGroup": 1,
        "aws:iam/role:Role": 2,
        "aws:iam/rolePolicy:RolePolicy": 2,
        DEFINITION: 1,
        SERVICE: 1,
        TARGET: 1,
    }


def test_outputs(deploy: Deployment) -> None:
    monitor, component = built(deploy, lambda opts: WorkerPool("worker-default", ARGS, opts))
    name = monitor.state(SERVICE)["name"]
    assert value(deploy, component.service_name) == name
    assert monitor.outputs["worker-default"] == {
        "serviceName": name,
        "scalingResourceId": f"service/airflow-dev/{name}",
    }


@given(st.integers(0, 100))
def test_some_capacity_always_counts(spot_percent: int) -> None:
    """ECS refuses a strategy without weight, and more than one base."""
    entries = capacity_strategy(spot_percent)
    weights: list[Any] = [entry.weight for entry in entries]
    assert sum(weights) == 100
    assert sum(1 for entry in entries if entry.base) <= 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": test_airflow_task.ARGS}, "task.role: want one of worker, got scheduler"),
        ({"queues": ()}, r"queues \(their number\): want 1 to 20, got 0"),
        ({"queues": ("a", "a")}, "queues: want each value once, got a, a"),
        ({"queues": ("a,b",)}, 'queues: want letters, digits and _.-, got "a,b"'),
        ({"concurrency": 0}, "concurrency: want 1 to 64, got 0"),
        ({"max_count": 101}, "max_count: want 1 to 100, got 101"),
        ({"min_count": 11}, "min_count: want 0 to 10, got 11"),
    ],
    ids=["role", "no queue", "queue twice", "comma", "concurrency", "most", "least above most"],
)
def test_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        replace(ARGS, **changes)
