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
from components.rendering import as_json
from components.roles import DAG_READERS, ONE_OFF, Role
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
STORAGE = {"sourceVolume": "dags", "containerPath": "/mnt/dags", "readOnly": True}
RELEASES = {"sourceVolume": "releases", "containerPath": "/opt/airflow/releases", "readOnly": True}
ARGS = ContainerArgs(
    role=Role.SCHEDULER,
    image=IMAGE,
    region="eu-west-1",
    log_group_name="scheduler-log",
    environment={"B": "2", "A": "1"},
    secrets={"Z": SecretReference(SECRET, "password"), "Y": SecretReference(SECRET)},
)


def rendered(deploy: Deployment, *containers: ContainerArgs) -> str:
    return str(value(deploy, as_json([task.container(each) for each in containers])))


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
    Role.RELEASE_AGENT: ["platform-release-agent", "run"],
    Role.RELEASE_PUBLISHER: ["platform-publisher", "verify"],
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
    Role.RELEASE_AGENT: (["CMD", "platform-release-agent", "healthy"], 5, 5, 3),
}
STOP = {
    Role.API_SERVER: 120,
    Role.SCHEDULER: 30,
    Role.DAG_PROCESSOR: 30,
    Role.TRIGGERER: 60,
    Role.WORKER: 120,
    Role.FLOWER: 30,
    Role.BOOTSTRAP: 120,
    Role.RELEASE_AGENT: 10,
    Role.RELEASE_PUBLISHER: 30,
}
MOUNTS = {
    **dict.fromkeys(Role, SCRATCH),
    Role.DAG_PROCESSOR: [RELEASES, *SCRATCH],
    Role.TRIGGERER: [RELEASES, *SCRATCH],
    Role.WORKER: [RELEASES, *SCRATCH],
    Role.RELEASE_AGENT: [STORAGE, {**RELEASES, "readOnly": False}, *SCRATCH],
    Role.RELEASE_PUBLISHER: [{**STORAGE, "readOnly": False}, *SCRATCH],
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
    if role in ONE_OFF:
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
    """Airflow sees verified copies and cannot change them; the file system is the agent's, and the publisher's."""
    assert of_role(deploy, role)["mountPoints"] == MOUNTS[role]


@pytest.mark.parametrize("role", Role)
def test_user(deploy: Deployment, role: Role) -> None:
    """What the publisher has written, nobody else may change: neither Airflow nor its agent is the owner."""
    assert of_role(deploy, role)["user"] == ("50001:0" if role is Role.RELEASE_PUBLISHER else "50000:0")


@pytest.mark.parametrize("role", Role)
def test_the_end_of_the_agent_alone_ends_no_task(deploy: Deployment, role: Role) -> None:
    assert of_role(deploy, role)["essential"] is (role is not Role.RELEASE_AGENT)


@pytest.mark.parametrize("role", Role)
def test_the_agent_alone_is_started_again(deploy: Deployment, role: Role) -> None:
    """ECS replaces the task of all others, as they are essential."""
    wanted = {"enabled": True, "restartAttemptPeriod": 60} if role is Role.RELEASE_AGENT else None
    assert of_role(deploy, role).get("restartPolicy") == wanted


@pytest.mark.parametrize("role", Role)
def test_readers_start_when_the_agent_has_a_release(deploy: Deployment, role: Role) -> None:
    wanted = [{"containerName": "release-agent", "condition": "HEALTHY"}] if role in DAG_READERS else None
    assert of_role(deploy, role).get("dependsOn") == wanted


@pytest.mark.parametrize("role", Role)
def test_a_task_whose_agent_gets_no_release_is_given_up(deploy: Deployment, role: Role) -> None:
    """Another one may be luckier."""
    wanted = 120 if role is Role.RELEASE_AGENT else None
    assert of_role(deploy, role).get("startTimeout") == wanted


def test_several_containers_stand_in_the_order_given(deploy: Deployment) -> None:
    agent, worker = replace(ARGS, role=Role.RELEASE_AGENT), replace(ARGS, role=Role.WORKER)
    assert json.loads(rendered(deploy, worker, agent)) == [
        of_role(deploy, Role.WORKER),
        of_role(deploy, Role.RELEASE_AGENT),
    ]


@pytest.mark.parametrize("role", sorted(ONE_OFF))
def test_log_of_what_runs_once_loses_nothing(deploy: Deployment, role: Role) -> None:
    assert of_role(deploy, role)["logConfiguration"]["options"] == {
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


def test_agent_of_an_image_with_dags_mounts_no_storage(deploy: Deployment) -> None:
    args = replace(ARGS, role=Role.RELEASE_AGENT, dags_in_image=True)
    assert container(deploy, args)["mountPoints"] == [{**RELEASES, "readOnly": False}, *SCRATCH]


def refused(deploy: Deployment, *roles: Role) -> list[str]:
    volumes = frozenset({"dags", "releases", "state", "tmp"})
    facts = Task(fargate=True, awsvpc=True, volumes=volumes, sized=True)
    containers = rendered(deploy, *(replace(ARGS, role=role) for role in roles))
    return [failure.reason for failure in judged(containers, facts)[0]]


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.RELEASE_AGENT}))
def test_ecs_accepts_it(deploy: Deployment, role: Role) -> None:
    assert refused(deploy, role, *([Role.RELEASE_AGENT] if role in DAG_READERS else [])) == []


@pytest.mark.parametrize("reader", sorted(DAG_READERS))
def test_ecs_refuses_a_reader_without_an_agent(deploy: Deployment, reader: Role) -> None:
    assert refused(deploy, reader) == ['there is no container "release-agent"']


def test_ecs_refuses_an_agent_alone(deploy: Deployment) -> None:
    assert refused(deploy, Role.RELEASE_AGENT) == ["needs at least one essential container"]


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
