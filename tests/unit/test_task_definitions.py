"""The task definitions of the real stacks, against AWS's own model of them and against the secrets that exist.

Registered in moto's ECS with boto3, which validates every parameter by botocore's service model first, and given to
the image's entry point. Not proved: that Airflow understands what the entry point makes of it; the twin runs it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.platform_gate.kinds import JSON_KEYS, SecretKind
from images.airflow.platform_runtime.start import compose
from tests.harness import RecordingMonitor
from tests.unit.stacks import ENVIRONMENTS, deployed

DEFINITION = "aws:ecs/taskDefinition:TaskDefinition"
SECRET = "aws:secretsmanager/secret:Secret"
INSTANCE = "aws:rds/instance:Instance"
POLICY = "aws:iam/rolePolicy:RolePolicy"
ROLE = "aws:iam/role:Role"
POINT = "aws:efs/accessPoint:AccessPoint"
MASTER_KEYS = ("username", "password")
"""What RDS writes into the secret that it manages for the owner."""
REFERENCE = re.compile(r"(arn:aws:secretsmanager:[\w-]+:\d{12}:secret:[\w/!+=.@-]+)(?::(\w+)::)?")


@dataclass
class Stack:
    """One environment as it was registered."""

    name: str
    monitor: RecordingMonitor

    @cached_property
    def definitions(self) -> dict[str, dict[str, Any]]:
        """The inputs of every task definition, by name."""
        return {resource.name: resource.inputs for resource in self.monitor.by_type[DEFINITION]}

    @cached_property
    def secret_keys(self) -> dict[str, tuple[str, ...]]:
        """The JSON keys of every secret that exists, by ARN; none for plain text."""
        made = {}
        for resource in self.monitor.by_type[SECRET]:
            kind = next(kind for kind in SecretKind if resource.name.endswith(f"-{kind}"))
            made[self.monitor.resources[resource.urn].state["arn"]] = JSON_KEYS[kind]
        owner = self.monitor.state(INSTANCE)["masterUserSecrets"][0]["secretArn"]
        return made | {owner: MASTER_KEYS}

    def containers(self, definition: str) -> list[dict[str, Any]]:
        """Return the container definitions of a task definition."""
        found: list[dict[str, Any]] = json.loads(self.definitions[definition]["containerDefinitions"])
        return found

    def references(self, definition: str) -> set[tuple[str, str | None]]:
        """Return the secrets that a definition names: ARN and key."""
        found = set()
        for container in self.containers(definition):
            for secret in container["secrets"]:
                match = REFERENCE.fullmatch(secret["valueFrom"])
                assert match, secret
                found.add((match[1], match[2]))
        return found

    def readable(self, definition: str) -> set[str]:
        """Return the secrets that the definition's execution role may read."""
        role_arn = self.definitions[definition]["executionRoleArn"]
        roles = {self.monitor.resources[each.urn].state["arn"]: each for each in self.monitor.by_type[ROLE]}
        role = self.monitor.resources[roles[role_arn].urn].state["name"]
        found: set[str] = set()
        for policy in self.monitor.by_type[POLICY]:
            if policy.inputs["role"] == role:
                for statement in json.loads(policy.inputs["policy"])["Statement"]:
                    if "secretsmanager:GetSecretValue" in statement["Action"]:
                        found.update(statement["Resource"])
        return found


@pytest.fixture(scope="module", params=ENVIRONMENTS)
def stack(request: pytest.FixtureRequest) -> Stack:
    return Stack(request.param, deployed(request.param))


def registration(inputs: dict[str, Any]) -> dict[str, Any]:
    """Return what RegisterTaskDefinition is sent for the inputs, as the provider translates them."""
    request = {
        "family": inputs["family"],
        "networkMode": inputs["networkMode"],
        "requiresCompatibilities": inputs["requiresCompatibilities"],
        "cpu": inputs["cpu"],
        "memory": inputs["memory"],
        "executionRoleArn": inputs["executionRoleArn"],
        "taskRoleArn": inputs["taskRoleArn"],
        "containerDefinitions": json.loads(inputs["containerDefinitions"]),
        "runtimePlatform": inputs["runtimePlatform"],
        "volumes": [_volume(volume) for volume in inputs["volumes"]],
    }
    left = inputs.keys() - request.keys() - {"skipDestroy"}
    assert left == set(), f"not sent: {left}"
    return request


def _volume(volume: dict[str, Any]) -> dict[str, Any]:
    efs = volume.get("efsVolumeConfiguration")
    return {"name": volume["name"]} | ({"efsVolumeConfiguration": efs} if efs else {})


def test_every_definition_registers(stack: Stack) -> None:
    with mock_aws():
        ecs = boto3.client("ecs", "eu-west-1", aws_access_key_id="none", aws_secret_access_key="none")
        registered = [
            ecs.register_task_definition(**registration(inputs))["taskDefinition"]
            for inputs in stack.definitions.values()
        ]
    assert {each["status"] for each in registered} == {"ACTIVE"}
    assert {each["family"] for each in registered} == {
        name.removesuffix("-definition") for name in stack.definitions
    }


def test_every_reference_names_a_secret_and_a_key_that_exist(stack: Stack) -> None:
    wrong = [
        (name, arn, key)
        for name in stack.definitions
        for arn, key in stack.references(name)
        if arn not in stack.secret_keys or (key or None) not in (stack.secret_keys[arn] or (None,))
    ]
    assert wrong == []


def test_execution_roles_read_exactly_the_secrets_that_their_definition_names(stack: Stack) -> None:
    """Both directions: a missing right stops the task, one too many is a leak."""
    named = {name: {arn for arn, _ in stack.references(name)} for name in stack.definitions}
    assert {name: stack.readable(name) for name in stack.definitions} == named


def test_every_secret_is_named_by_some_definition(stack: Stack) -> None:
    named = {arn for name in stack.definitions for arn, _ in stack.references(name)}
    assert stack.secret_keys.keys() - named == set()


def test_workers_hold_no_credential_of_the_metastore_and_no_key(stack: Stack) -> None:
    arns = {arn: name for name, arn in _arns_by_name(stack).items()}
    workers = [name for name in stack.definitions if "-worker-" in name]
    kinds = {arns[arn].rpartition("credentials-")[2] for name in workers for arn, _ in stack.references(name)}
    assert kinds == {"broker-user", "api-server-certificate", "api-secret-key"}


def _arns_by_name(stack: Stack) -> dict[str, str]:
    monitor = stack.monitor
    made = {each.name: monitor.resources[each.urn].state["arn"] for each in monitor.by_type[SECRET]}
    return made | {"owner": monitor.state(INSTANCE)["masterUserSecrets"][0]["secretArn"]}


SECRET_LIKE = re.compile(r"PASSWORD|TOKEN|SECRET(?!S_BACKEND|S__BACKEND)|FERNET|PRIVATE|CREDENTIAL")


def test_nothing_secret_stands_in_plain_environment(stack: Stack) -> None:
    plain = [
        (name, variable["name"])
        for name in stack.definitions
        for container in stack.containers(name)
        for variable in container["environment"]
        if SECRET_LIKE.search(variable["name"]) or ("://" in variable["value"] and "@" in variable["value"])
    ]
    assert plain == []


def test_containers_are_locked_down(stack: Stack) -> None:
    for name in stack.definitions:
        for container in stack.containers(name):
            publisher = container["name"] == "release-publisher"
            assert {
                "user": container["user"],
                "readonlyRootFilesystem": container["readonlyRootFilesystem"],
                "linuxParameters": container["linuxParameters"],
                "privileged": container.get("privileged", False),
            } == {
                "user": "50001:0" if publisher else "50000:0",
                "readonlyRootFilesystem": True,
                "linuxParameters": {"initProcessEnabled": True, "capabilities": {"drop": ["ALL"]}},
                "privileged": False,
            }, name


def test_every_container_that_stays_has_a_health_check(stack: Stack) -> None:
    without = [
        name
        for name in stack.definitions
        if not all("healthCheck" in each for each in stack.containers(name))
    ]
    assert sorted(without) == [
        f"airflow-{stack.name}-{name}-definition" for name in ("bootstrap", "release-publisher")
    ]


def test_an_agent_stands_beside_every_reader_of_dags(stack: Stack) -> None:
    """And beside nobody else; Airflow's own container comes first."""
    start = len(f"airflow-{stack.name}-")
    names = {
        name[start:].removesuffix("-definition"): [each["name"] for each in stack.containers(name)]
        for name in stack.definitions
    }
    with_agent = {name: found[0] for name, found in names.items() if found[1:] == ["release-agent"]}
    workers = {name: "worker" for name in names if name.startswith("worker-")}
    assert with_agent == {"dag-processor": "dag-processor", "triggerer": "triggerer"} | workers
    assert {name for name, found in names.items() if len(found) > 1} == with_agent.keys()


def test_only_the_agent_and_the_publisher_mount_the_storage_of_dags(stack: Stack) -> None:
    """What runs the code of DAGs sees verified copies, and cannot change them."""
    mounts = {
        (each["name"], mount["sourceVolume"], mount["readOnly"])
        for name in stack.definitions
        for each in stack.containers(name)
        for mount in each["mountPoints"]
        if mount["sourceVolume"] in ("dags", "releases")
    }
    assert mounts == {
        ("dag-processor", "releases", True),
        ("triggerer", "releases", True),
        ("worker", "releases", True),
        ("release-agent", "releases", False),
        ("release-agent", "dags", True),
        ("release-publisher", "dags", False),
    }


def test_everything_that_is_mounted_is_a_volume_of_the_task(stack: Stack) -> None:
    for name, inputs in stack.definitions.items():
        mounted = {mount["sourceVolume"] for each in stack.containers(name) for mount in each["mountPoints"]}
        assert mounted == {volume["name"] for volume in inputs["volumes"]}, name


def test_only_the_publisher_comes_in_through_the_writers_access_point(stack: Stack) -> None:
    monitor = stack.monitor
    points = {monitor.id(POINT, each.name): each.name for each in monitor.by_type[POINT]}
    writers = {
        name
        for name, inputs in stack.definitions.items()
        for volume in inputs["volumes"]
        if (efs := volume.get("efsVolumeConfiguration"))
        and points[efs["authorizationConfig"]["accessPointId"]].endswith("-writer")
    }
    assert writers == {f"airflow-{stack.name}-release-publisher-definition"}


def test_no_task_role_but_the_publishers_may_write_to_the_storage_of_dags(stack: Stack) -> None:
    writers = {
        policy.name
        for policy in stack.monitor.by_type[POLICY]
        for statement in json.loads(policy.inputs["policy"])["Statement"]
        if "elasticfilesystem:ClientWrite" in statement["Action"]
    }
    assert writers == {f"airflow-{stack.name}-release-publisher-task-policy"}


AIRFLOW_VERSION = "3.3.2"
OF_THE_IMAGE = {"PLATFORM_METASTORE_CA_BUNDLE": "/opt/platform/certificates/rds-global-bundle.pem"}
VALUES = {
    "AIRFLOW__CORE__FERNET_KEY": "A" * 43 + "=",
    "PLATFORM_API_SERVER_CERTIFICATE": "-----BEGIN CERTIFICATE-----",
    "PLATFORM_API_SERVER_PRIVATE_KEY": "-----BEGIN PRIVATE KEY-----",
}


def test_the_entry_point_starts_every_container(stack: Stack) -> None:
    """It names everything that is missing or contradictory, so nothing of either is left in a definition."""
    for name in stack.definitions:
        for container in stack.containers(name):
            plain = {each["name"]: each["value"] for each in container["environment"]}
            secret = {each["name"]: VALUES.get(each["name"], "x" * 40) for each in container["secrets"]}
            start = compose(OF_THE_IMAGE | plain | secret, container["command"], AIRFLOW_VERSION)
            assert start.files.keys() <= {
                "/opt/airflow/state/api-server.pem",
                "/opt/airflow/state/api-server.key",
            }


def test_workers_know_the_memory_of_their_task(stack: Stack) -> None:
    memory = {
        name: (variable["value"], inputs["memory"])
        for name, inputs in stack.definitions.items()
        for container in stack.containers(name)
        for variable in container["environment"]
        if variable["name"] == "PLATFORM_TASK_MEMORY_MIB"
    }
    assert memory.keys() == {name for name in stack.definitions if "-worker-" in name}
    assert all(told == given for told, given in memory.values())
