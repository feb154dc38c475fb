"""References to secrets, in the form that ECS takes."""

from __future__ import annotations

import pulumi
import pytest

from components.references import SecretReference
from sandbox.behaviour.rules.ecs_containers import Task, judged
from tests.harness import Deployment
from tests.unit.programs import value

ARN = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:airflow-dev-fernet-key-0a1b2c3-AbCdEf"


@pytest.mark.parametrize(
    ("key", "value_from"), [(None, ARN), ("password", f"{ARN}:password::")], ids=["whole value", "one key"]
)
def test_value_from(deploy: Deployment, key: str | None, value_from: str) -> None:
    assert value(deploy, SecretReference(ARN, key).value_from) == value_from


def test_arn_that_is_not_known_yet(deploy: Deployment) -> None:
    reference = SecretReference(pulumi.Output.from_input(ARN), "username")
    assert value(deploy, reference.value_from) == f"{ARN}:username::"


@pytest.mark.parametrize("key", [None, "password"])
def test_ecs_understands_it(deploy: Deployment, key: str | None) -> None:
    source = value(deploy, SecretReference(ARN, key).value_from)
    text = f'[{{"name": "a", "image": "b", "secrets": [{{"name": "X", "valueFrom": "{source}"}}]}}]'
    task = Task(fargate=True, awsvpc=True, volumes=frozenset(), sized=True)
    assert judged(text, task)[0] == ()
