"""Container definitions: exact content for each role, and what ECS says to them.

Not proved here: that the commands and health checks work in the image.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components import task
from components.references import SecretReference
from components.roles import DAG_READERS, Role
from components.task import ContainerArgs
from sandbox.behaviour.rules.ecs_containers import Task, judged
from tests.harness import Deployment
from tests.unit.programs import value

IMAGE = f"111111111111.dkr.ecr.eu-west-1.amazonaws.com/airflow@sha256:{'0' * 64}"
SECRET = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:jwt-AbCdEf"
SCRATCH = [
    {"sourceVolume": "state", "containerPath": "/opt/airflow/state", "readOnly": False},
    {"sourceVolume": "tmp", "containerPath": "/tmp", "readOnly": False},
]
DAGS = {"sourceVolume": "dags", "containerPath": "/mnt/dags", "readOnly": True}
ARGS = ContainerArgs(
    role=Role.SCHEDULER,
    image=IMAGE,
    region="eu-west-1",
    log_group_name="scheduler-log",
    environment={"B": "2", "A": "1"},
    secrets={"Z": SecretReference(SECRET, "password"), "Y": SecretReference(SECRET)},
)


def rendered(deploy: Deployment, args: ContainerArgs = ARGS) -> str:
    return str(value(deploy, task.container_definitions(args)))


def container(deploy: Deployment, args: ContainerArgs = ARGS) -> dict[str, Any]:
    (definition,) = json.loads(rendered(deploy, args))
    return dict(definition)


def of_role(deploy: Deployment, role: Role) -> dict[str, Any]:
    return container(deploy, replace(ARGS, role=role))


def test_whole_definition(deploy: Deployment) -> None:
    assert container(deploy) == {
        "name": "scheduler",
        "image": IMAGE,
        "essential": True,
        "command": ["airflow", "scheduler"],
        "user": "50000:0",
        "readonlyRootFilesystem": True,
        "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
        "secrets": [
            {"name": "Y", "valueFrom": SECRET},
            {"name": "Z", "valueFrom": f"{SECRET}:password::"},
        ],
        "linuxParameters": {"initProcessEnabled": True, "capabilities": {"drop": ["ALL"]}},
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": "scheduler-log",
                "awslogs-region": "eu-west-1",
                "awslogs-stream-prefix": "task",
                "mode": "non-blocking",
                "max-buffer-size": "25m",
            },
        },
        "mountPoints": SCRATCH,
        "stopTimeout": 30,
        "healthCheck": {
            "command": ["CMD", "curl", "-fsS", "--max-time", "9", "http://localhost:8974/health"],
            "interval": 30,
            "timeout": 10,
            "retries": 5,
            "startPeriod": 120,
        },
    }


COMMANDS = {
    Role.API_SERVER: ["airflow", "api-server", "--proxy-headers"],
    Role.SCHEDULER: ["airflow", "scheduler"],
    Role.DAG_PROCESSOR: ["airflow", "dag-processor"],
    Role.TRIGGERER: ["airflow", "triggerer"],
    Role.WORKER: ["airflow", "celery", "worker"],
    Role.FLOWER: ["airflow", "celery", "flower"],
    Role.BOOTSTRAP: ["platform-bootstrap"],
}
HEALTH = {
    Role.API_SERVER: (
        ["CMD", "curl", "-fsSk", "--max-time", "4", "https://localhost:8080/api/v2/version"],
        30,
        5,
        3,
    ),
    Role.SCHEDULER: (["CMD", "curl", "-fsS", "--max-time", "9", "http://localhost:8974/health"], 30, 10, 5),
    Role.DAG_PROCESSOR: (["CMD", "platform-health", "dag-processor"], 30, 20, 5),
    Role.TRIGGERER: (["CMD", "platform-health", "triggerer"], 30, 20, 5),
    Role.WORKER: (["CMD", "platform-health", "worker"], 60, 30, 5),
    Role.FLOWER: (
        ["CMD", "curl", "-fsSk", "--max-time", "4", "https://localhost:5555/flower/healthcheck"],
        30,
        5,
        3,
    ),
}
STOP = {
    Role.API_SERVER: 120,
    Role.SCHEDULER: 30,
    Role.DAG_PROCESSOR: 30,
    Role.TRIGGERER: 60,
    Role.WORKER: 120,
    Role.FLOWER: 30,
    Role.BOOTSTRAP: 120,
}
PORTS = {Role.API_SERVER: 8080, Role.TRIGGERER: 8794, Role.WORKER: 8793, Role.FLOWER: 5555}


@pytest.mark.parametrize("role", Role)
def test_command(deploy: Deployment, role: Role) -> None:
    assert of_role(deploy, role)["command"] == COMMANDS[role]


def test_own_command(deploy: Deployment) -> None:
    assert container(deploy, replace(ARGS, command=("airflow", "version")))["command"] == [
        "airflow",
        "version",
    ]


@pytest.mark.parametrize("role", Role)
def test_health_check(deploy: Deployment, role: Role) -> None:
    """Only what runs once and ends has none."""
    check = of_role(deploy, role).get("healthCheck")
    if role is Role.BOOTSTRAP:
        assert check is None
        return
    command, interval, timeout, retries = HEALTH[role]
    assert check == {
        "command": command,
        "interval": interval,
        "timeout": timeout,
        "retries": retries,
        "startPeriod": 120,
    }


@pytest.mark.parametrize("role", Role)
def test_time_to_stop(deploy: Deployment, role: Role) -> None:
    assert of_role(deploy, role)["stopTimeout"] == STOP[role]


@pytest.mark.parametrize("role", Role)
def test_ports(deploy: Deployment, role: Role) -> None:
    want = [{"containerPort": PORTS[role], "protocol": "tcp"}] if role in PORTS else None
    assert of_role(deploy, role).get("portMappings") == want


@pytest.mark.parametrize("role", Role)
def test_mounts(deploy: Deployment, role: Role) -> None:
    """DAGs are read-only, and only where they are read."""
    assert of_role(deploy, role)["mountPoints"] == ([DAGS, *SCRATCH] if role in DAG_READERS else SCRATCH)


def test_log_of_the_bootstrap_loses_nothing(deploy: Deployment) -> None:
    assert of_role(deploy, Role.BOOTSTRAP)["logConfiguration"]["options"] == {
        "awslogs-group": "scheduler-log",
        "awslogs-region": "eu-west-1",
        "awslogs-stream-prefix": "task",
        "mode": "blocking",
    }


def test_exec_needs_a_writable_root(deploy: Deployment) -> None:
    assert container(deploy, replace(ARGS, exec_enabled=True)) == {
        **container(deploy),
        "readonlyRootFilesystem": False,
    }


@pytest.mark.parametrize("role", Role)
def test_ecs_accepts_it(deploy: Deployment, role: Role) -> None:
    facts = Task(fargate=True, awsvpc=True, volumes=frozenset({"dags", "state", "tmp"}), sized=True)
    assert judged(rendered(deploy, replace(ARGS, role=role)), facts)[0] == ()


def test_values_that_are_not_known_yet(deploy: Deployment) -> None:
    later = replace(ARGS, environment={"HOST": pulumi.Output.from_input("db.internal")})
    assert container(deploy, later)["environment"] == [{"name": "HOST", "value": "db.internal"}]


NAMES = st.text("ABCDEFGH_", min_size=1, max_size=6)


@given(st.dictionaries(NAMES, st.text(max_size=5), max_size=8), st.sets(NAMES, max_size=8), st.randoms())
def test_order_of_variables_does_not_matter(plain: dict[str, str], secret: set[str], random: Any) -> None:
    """A definition that differs in its order only would be a new revision, and a deployment."""
    deploy = Deployment()

    def shuffled(names: Mapping[str, Any]) -> dict[str, Any]:
        return {name: names[name] for name in random.sample(list(names), len(names))}

    references = {name: SecretReference(SECRET, name) for name in secret}
    args = replace(ARGS, environment=plain, secrets=references)
    again = replace(ARGS, environment=shuffled(plain), secrets=shuffled(references))
    try:
        assert rendered(deploy, args) == rendered(deploy, again)
    finally:
        deploy.close()
