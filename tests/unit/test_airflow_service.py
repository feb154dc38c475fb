"""A service: exact inputs with and without a load balancer and a private name, and what it waits for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.airflow_service import AirflowService, AirflowServiceArgs, Discovery, capacity_strategy
from components.roles import Role
from tests.harness import Deployment, RecordingMonitor
from tests.unit import test_airflow_task
from tests.unit.programs import built, run, value

SERVICE = "aws:ecs/service:Service"
NAME = "aws:servicediscovery/service:Service"
DEFINITION = "aws:ecs/taskDefinition:TaskDefinition"
CLUSTER = "arn:aws:ecs:eu-west-1:111111111111:cluster/airflow-dev"
TARGET_GROUP = "arn:aws:elasticloadbalancing:eu-west-1:111111111111:targetgroup/api/0123456789abcdef"
SCHEDULER = test_airflow_task.ARGS
API_SERVER = replace(SCHEDULER, role=Role.API_SERVER)
WORKER = replace(
    SCHEDULER,
    role=Role.WORKER,
    dag_volume=test_airflow_task.DAGS,
    agent_environment=test_airflow_task.AGENT,
)
ARGS = AirflowServiceArgs(
    task=SCHEDULER,
    cluster_arn=CLUSTER,
    subnet_ids=["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
    security_group_id="sg-0123456789abcdef0",
    count=2,
)
BALANCED = replace(
    ARGS,
    task=API_SERVER,
    target_group_arn=TARGET_GROUP,
    discovery=Discovery(namespace_id="ns-0123456789abcdef", name="api-server"),
)
ON_DEMAND = [{"capacityProvider": "FARGATE", "base": 1, "weight": 100}]


def service(deploy: Deployment, args: AirflowServiceArgs = ARGS) -> RecordingMonitor:
    return run(deploy, lambda opts: AirflowService("scheduler", args, opts))


def expected(monitor: RecordingMonitor, **changes: Any) -> dict[str, Any]:
    return {
        "cluster": CLUSTER,
        "taskDefinition": monitor.state(DEFINITION)["arn"],
        "desiredCount": 2,
        "capacityProviderStrategies": ON_DEMAND,
        "forceNewDeployment": True,
        "deploymentMinimumHealthyPercent": 100,
        "deploymentMaximumPercent": 200,
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        "availabilityZoneRebalancing": "ENABLED",
        "waitForSteadyState": True,
        "enableExecuteCommand": False,
        "networkConfiguration": {
            "subnets": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
            "securityGroups": ["sg-0123456789abcdef0"],
            "assignPublicIp": False,
        },
        "propagateTags": "SERVICE",
        "enableEcsManagedTags": True,
        **changes,
    }


def test_service(deploy: Deployment) -> None:
    monitor = service(deploy)
    assert monitor.inputs(SERVICE) == {"scheduler-service": expected(monitor)}


def test_service_behind_the_load_balancer_with_a_name(deploy: Deployment) -> None:
    monitor = service(deploy, BALANCED)
    balanced = {
        "loadBalancers": [
            {"targetGroupArn": TARGET_GROUP, "containerName": "api-server", "containerPort": 8080}
        ],
        "healthCheckGracePeriodSeconds": 180,
        "serviceRegistries": {"registryArn": monitor.state(NAME)["arn"]},
    }
    assert monitor.inputs(SERVICE) == {"scheduler-service": expected(monitor, **balanced)}


def test_private_name(deploy: Deployment) -> None:
    assert service(deploy, BALANCED).inputs(NAME) == {
        "scheduler-name": {
            "name": "api-server",
            "description": "Addresses of the running tasks",
            "dnsConfig": {
                "namespaceId": "ns-0123456789abcdef",
                "dnsRecords": [{"type": "A", "ttl": 10}],
                "routingPolicy": "MULTIVALUE",
            },
            "healthCheckCustomConfig": {"failureThreshold": 1},
        }
    }


def test_workers_are_left_alone_by_an_update_and_by_the_zones(deploy: Deployment) -> None:
    """Nothing protects their tasks yet, and an update depends on none of them."""
    monitor = service(deploy, replace(ARGS, task=WORKER, spot_percent=80))
    spread = [
        {"capacityProvider": "FARGATE", "base": 1, "weight": 20},
        {"capacityProvider": "FARGATE_SPOT", "weight": 80},
    ]
    assert monitor.inputs(SERVICE) == {
        "scheduler-service": expected(
            monitor,
            waitForSteadyState=False,
            availabilityZoneRebalancing="DISABLED",
            capacityProviderStrategies=spread,
        )
    }


def test_alarms_watch_deployments(deploy: Deployment) -> None:
    monitor = service(deploy, replace(ARGS, deployment_alarms=["few", "errors"]))
    watched = {"alarmNames": ["few", "errors"], "enable": True, "rollback": True}
    assert monitor.inputs(SERVICE) == {"scheduler-service": expected(monitor, alarms=watched)}


def test_exec(deploy: Deployment) -> None:
    args = replace(ARGS, task=replace(SCHEDULER, exec_enabled=True))
    assert service(deploy, args).one(SERVICE).inputs["enableExecuteCommand"] is True


@pytest.mark.parametrize(("scaled", "ignored"), [(False, ()), (True, ("desiredCount",))])
def test_scaled_number_is_left_alone(deploy: Deployment, scaled: bool, ignored: tuple[str, ...]) -> None:
    assert service(deploy, replace(ARGS, scaled=scaled)).one(SERVICE).ignore_changes == ignored


def test_waits_for_the_rights_of_its_roles(deploy: Deployment) -> None:
    policies = {"scheduler-execution-policy", "scheduler-task-policy"}
    assert policies <= service(deploy).one(SERVICE).depends_on


@pytest.mark.parametrize("later", [False, True], ids=["list", "output"])
def test_waits_for_what_the_caller_names(deploy: Deployment, later: bool) -> None:
    def program(opts: pulumi.ResourceOptions) -> None:
        gate = aws.sns.Topic("gate", opts=opts)
        after: Any = pulumi.Output.from_input([gate]) if later else [gate]
        AirflowService("scheduler", replace(ARGS, after=after), opts)

    assert "gate" in run(deploy, program).one(SERVICE).depends_on


@pytest.mark.parametrize(("args", "names"), [(ARGS, {}), (BALANCED, {NAME: 1})], ids=["plain", "balanced"])
def test_counts(deploy: Deployment, args: AirflowServiceArgs, names: dict[str, int]) -> None:
    assert service(deploy, args).counts == {
        "pulumi:providers:aws": 1,
        "airflow:compute:AirflowService": 1,
        "airflow:compute:AirflowTask": 1,
        "aws:cloudwatch/logGroup:LogGroup": 1,
        "aws:iam/role:Role": 2,
        "aws:iam/rolePolicy:RolePolicy": 2,
        DEFINITION: 1,
        SERVICE: 1,
        **names,
    }


def test_outputs(deploy: Deployment) -> None:
    monitor, component = built(deploy, lambda opts: AirflowService("scheduler", ARGS, opts))
    name = monitor.state(SERVICE)["name"]
    assert value(deploy, component.service_name) == name
    assert monitor.outputs["scheduler"] == {
        "serviceName": name,
        "taskDefinitionArn": monitor.state(DEFINITION)["arn"],
    }


def strategy(spot_percent: int) -> dict[str, tuple[Any, Any]]:
    entries = capacity_strategy(spot_percent)
    return {str(entry.capacity_provider): (entry.base, entry.weight) for entry in entries}


@given(st.integers(1, 99))
def test_share_of_spot(spot_percent: int) -> None:
    assert strategy(spot_percent) == {
        "FARGATE": (1, 100 - spot_percent),
        "FARGATE_SPOT": (None, spot_percent),
    }


def test_nothing_on_spot() -> None:
    assert strategy(0) == {"FARGATE": (1, 100)}


def test_everything_on_spot() -> None:
    assert strategy(100) == {"FARGATE_SPOT": (None, 100)}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"count": -1}, "count: want 0 to 5000, got -1"),
        ({"spot_percent": 1}, "spot_percent: want 0 to 0, got 1"),
        ({"task": WORKER, "spot_percent": 101}, "spot_percent: want 0 to 100, got 101"),
        (
            {"task": replace(SCHEDULER, role=Role.BOOTSTRAP)},
            "task.role: want a process that runs all the time, got bootstrap",
        ),
        (
            {"task": test_airflow_task.PUBLISHER},
            "task.role: want a process that runs all the time, got release-publisher",
        ),
        ({"target_group_arn": TARGET_GROUP}, "target_group_arn: want none, the role scheduler has no port"),
    ],
    ids=["count", "scheduler on Spot", "Spot", "bootstrap", "publisher", "no port"],
)
def test_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        replace(ARGS, **changes)
