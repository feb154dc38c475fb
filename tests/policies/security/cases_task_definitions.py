"""Cases of the rules about task definitions, their images and how their containers end."""

from __future__ import annotations

from typing import Any, Final

from policies.security.rules.containers import TASK_DEFINITION
from tests.policies.cases import REMOVED, Case, Change

DIGEST: Final = f"sha256:{'0' * 64}"
REGISTRY: Final = "111111111111.dkr.ecr.eu-west-1.amazonaws.com"
ROLES: Final = "arn:aws:iam::111111111111:role/airflow/dev"
EFS: Final = "volumes[0].efsVolumeConfiguration"
FIRST: Final = "containerDefinitions[0]"

GOOD: Final[dict[str, Any]] = {
    "networkMode": "awsvpc",
    "requiresCompatibilities": ["FARGATE"],
    "cpu": "1024",
    "memory": "2048",
    "executionRoleArn": f"{ROLES}/execution",
    "taskRoleArn": f"{ROLES}/task",
    "volumes": [
        {
            "name": "dags",
            "efsVolumeConfiguration": {
                "fileSystemId": "fs-1",
                "transitEncryption": "ENABLED",
                "authorizationConfig": {"accessPointId": "fsap-1", "iam": "ENABLED"},
                "rootDirectory": "/",
            },
        },
        {"name": "tmp"},
    ],
    "containerDefinitions": [
        {
            "name": "scheduler",
            "essential": True,
            "image": f"{REGISTRY}/airflow@{DIGEST}",
            "environment": [{"name": "PLATFORM_ROLE", "value": "scheduler"}],
            "stopTimeout": 30,
        }
    ],
}
WORKER: Final = GOOD | {
    "containerDefinitions": [
        {"name": "main", "environment": [{"name": "PLATFORM_ROLE", "value": "worker"}], "stopTimeout": 120}
    ]
}


def _case(rule: str, *changes: Change, golden: str | None = "", good: dict[str, Any] = GOOD) -> Case:
    return Case(rule=rule, type=TASK_DEFINITION, good=good, changes=changes, golden=golden)


CASES: Final = (
    _case(
        "ecs-task-own-network",
        Change(path="networkMode", bad="bridge"),
        Change(path="networkMode", bad="host"),
    ),
    _case(
        "ecs-task-own-processes",
        Change(path="pidMode", bad="host", absent=False),
        Change(path="ipcMode", bad="host", absent=False),
    ),
    _case(
        "ecs-volume-encrypted-in-transit",
        Change(path=f"{EFS}.transitEncryption", bad="DISABLED"),
        golden="release-publisher",
    ),
    _case(
        "ecs-volume-authorized",
        Change(path=f"{EFS}.authorizationConfig", bad=REMOVED),
        Change(path=f"{EFS}.authorizationConfig.accessPointId", bad="", typed=False),
        Change(path=f"{EFS}.authorizationConfig.iam", bad="DISABLED"),
        Change(path=f"{EFS}.rootDirectory", bad="/releases", absent=False),
        golden="release-publisher",
    ),
    _case(
        "ecs-task-roles-apart",
        Change(path="executionRoleArn", bad="", typed=False),
        Change(path="taskRoleArn", bad=""),
    ),
    _case(
        "ecs-task-roles-apart",
        Change(path="taskRoleArn", bad=f"{ROLES}/execution"),
        golden=None,
        good={"executionRoleArn": f"{ROLES}/execution", "taskRoleArn": f"{ROLES}/task"},
    ),
    _case(
        "ecs-task-size",
        Change(path="cpu", bad="300"),
        Change(path="cpu", bad="3 vCPU"),
        Change(path="cpu", bad="many"),
        Change(path="memory", bad="1536"),
        Change(path="memory", bad="1.5 GB"),
        Change(path="memory", bad=123_000),
        Change(path="ephemeralStorage.sizeInGib", bad=20, absent=False),
        Change(path="ephemeralStorage.sizeInGib", bad=201, absent=False),
    ),
    _case(
        "container-image-pinned",
        Change(path=f"{FIRST}.image", bad=f"{REGISTRY}/airflow:3.3.2"),
        Change(path=f"{FIRST}.image", bad=f"{REGISTRY}/airflow"),
    ),
    _case(
        "container-image-private",
        Change(path=f"{FIRST}.image", bad=f"apache/airflow@{DIGEST}"),
        Change(path=f"{FIRST}.image", bad=f"public.ecr.aws/airflow/airflow@{DIGEST}"),
        Change(path=f"{FIRST}.image", bad=f"evil.example/{REGISTRY}/airflow@{DIGEST}"),
    ),
    _case(
        "container-stop-timeout",
        Change(path=f"{FIRST}.stopTimeout", bad=29, absent=False),
        Change(path=f"{FIRST}.name", bad="airflow-worker", absent=False),
        Change(path=f"{FIRST}.environment", bad=[{"name": "PLATFORM_ROLE", "value": "worker"}], absent=False),
        golden="scheduler",
    ),
    _case(
        "container-stop-timeout",
        Change(path=f"{FIRST}.stopTimeout", bad=109),
        golden="worker",
        good=WORKER,
    ),
)
