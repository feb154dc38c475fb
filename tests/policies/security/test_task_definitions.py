"""What the rules about task definitions accept and do not, beyond their cases."""

from __future__ import annotations

from typing import Any

import pytest

from components.sizing import FARGATE_MEMORY_MIB
from policies.crossguard.values import UNKNOWN
from policies.security.rules.containers import TASK_DEFINITION
from policies.security.rules.task_definitions import FARGATE_MIB
from tests.policies.security.cases_task_definitions import DIGEST, GOOD
from tests.policies.security.test_rules import judged, violated


def refused(rule: str, properties: Any) -> bool:
    return violated(judged(rule, TASK_DEFINITION, properties))


def of_container(**container: Any) -> dict[str, Any]:
    return {"containerDefinitions": [container]}


def test_the_sizes_are_those_that_the_components_offer() -> None:
    """Two tables, written apart, of the same page of AWS."""
    assert {cpu: tuple(memory) for cpu, memory in FARGATE_MIB.items()} == dict(FARGATE_MEMORY_MIB)


@pytest.mark.parametrize(
    ("cpu", "memory"),
    [
        ("256", "512"),
        ("256", "2048"),
        (1024, 2048),
        ("1 vCPU", "2 GB"),
        (".25vcpu", "0.5gb"),
        ("16384", "122880"),
    ],
)
def test_sizes_of_fargate(cpu: Any, memory: Any) -> None:
    assert not refused("ecs-task-size", GOOD | {"cpu": cpu, "memory": memory})


@pytest.mark.parametrize(
    ("cpu", "memory"), [("256", "1536"), ("512", "512"), ("1024", "8704"), ("8192", "17408"), (True, "512")]
)
def test_sizes_that_fargate_does_not_have(cpu: Any, memory: Any) -> None:
    assert refused("ecs-task-size", GOOD | {"cpu": cpu, "memory": memory})


def test_machines_have_other_sizes() -> None:
    on_ec2 = GOOD | {"requiresCompatibilities": ["EC2"]}
    assert not refused("ecs-task-size", on_ec2 | {"cpu": "300", "memory": "300"})
    assert refused("ecs-task-size", on_ec2 | {"cpu": None})


def test_a_size_that_is_missing_is_told_once() -> None:
    assert len(judged("ecs-task-size", TASK_DEFINITION, GOOD | {"memory": None})) == 1


@pytest.mark.parametrize("gib", [21, 200])
def test_scratch_of_a_task(gib: int) -> None:
    assert not refused("ecs-task-size", GOOD | {"ephemeralStorage": {"sizeInGib": gib}})


def test_a_volume_that_is_not_known_hides_no_bad_one() -> None:
    bad = {"efsVolumeConfiguration": {"transitEncryption": "DISABLED"}}
    assert refused("ecs-volume-encrypted-in-transit", {"volumes": [UNKNOWN, bad]})


@pytest.mark.parametrize(
    "registry",
    [
        "111111111111.dkr.ecr.eu-west-1.amazonaws.com",
        "111111111111.dkr.ecr-fips.us-east-1.amazonaws.com",
        "111111111111.dkr.ecr.cn-north-1.amazonaws.com.cn",
        "111111111111.dkr-ecr.eu-west-1.on.aws",
    ],
)
def test_registries_of_ecr(registry: str) -> None:
    assert not refused("container-image-private", of_container(image=f"{registry}/airflow@{DIGEST}"))


@pytest.mark.parametrize(
    "registry",
    [
        "1111.dkr.ecr.eu-west-1.amazonaws.com",
        "111111111111.dkr.ecr.eu-west-1.amazonaws.com.example",
        "localhost",
    ],
)
def test_registries_of_others(registry: str) -> None:
    assert refused("container-image-private", of_container(image=f"{registry}/airflow@{DIGEST}"))


@pytest.mark.parametrize(
    ("container", "want"),
    [
        ({"name": "worker", "stopTimeout": 110}, False),
        ({"name": "airflow-worker-default", "stopTimeout": 109}, True),
        ({"name": "co-workers", "stopTimeout": 30}, False),
        ({"name": "any", "stopTimeout": 30}, False),
        ({"name": "any"}, False),
        ({"name": "agent", "essential": False, "stopTimeout": 1}, False),
        ({"name": "worker", "essential": False}, False),
        ({"name": UNKNOWN, "stopTimeout": 29}, True),
        ({"name": UNKNOWN, "stopTimeout": 110}, False),
    ],
)
def test_how_long_a_container_may_take_to_end(container: dict[str, Any], want: bool) -> None:
    assert refused("container-stop-timeout", of_container(**container)) is want
