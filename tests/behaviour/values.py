"""Values that valid inputs share: ARNs, policies, containers, JSON texts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

ACCOUNT = "111111111111"
REGION = "eu-west-1"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/worker"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:airflow/fernet-AbCdEf"
TARGETS = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/web/0123456789abcdef"
BALANCER = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/app/web/0123456789abcdef"
CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/1234abcd-12ab-34cd-56ef-1234567890ab"


@dataclass(frozen=True)
class Json:
    """A value that a program hands over as JSON text; `cases.py` can change parts of it."""

    value: Any


def plain(value: Any) -> Any:
    """Write every `Json` in a value as text."""
    if isinstance(value, Json):
        return json.dumps(value.value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def policy(**statement: Any) -> Json:
    """Return a policy of one statement that allows."""
    return Json({"Version": "2012-10-17", "Statement": [{"Sid": "One", "Effect": "Allow", **statement}]})


TRUST = policy(Principal={"Service": "ecs-tasks.amazonaws.com"}, Action="sts:AssumeRole")
READ = policy(Action=["s3:GetObject"], Resource=["arn:aws:s3:::releases/*"])
CONTAINER: dict[str, Any] = {
    "name": "scheduler",
    "image": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/airflow@sha256:{'0' * 64}",
    "essential": True,
    "command": ["scheduler"],
    "environment": [{"name": "AIRFLOW__CORE__EXECUTOR", "value": "CeleryExecutor"}],
    "secrets": [{"name": "AIRFLOW__CORE__FERNET_KEY", "valueFrom": f"{SECRET}:key::"}],
    "mountPoints": [{"sourceVolume": "dags", "containerPath": "/opt/airflow/dags", "readOnly": True}],
    "portMappings": [{"containerPort": 8974}],
    "stopTimeout": 120,
    "healthCheck": {"command": ["CMD-SHELL", "true"], "interval": 30, "timeout": 5, "startPeriod": 120},
    "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/airflow"}},
}
SIDECAR: dict[str, Any] = {
    "name": "sidecar",
    "image": "statsd",
    "essential": False,
    "dependsOn": [{"containerName": "scheduler", "condition": "HEALTHY"}],
}
