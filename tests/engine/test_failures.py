"""A failure planted in each key resource: a message that names it, and the next `up` goes on from there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.support import Project

pytestmark = pytest.mark.engine

ONE_AFTER_THE_OTHER = [
    "aws:kms/key:Key::airflow-dev-encryption-key",
    "aws:secretsmanager/secret:Secret::airflow-dev-credentials-fernet-key",
    "aws:lambda/invocation:Invocation::airflow-dev-gate-invocation",
    "aws:ecs/service:Service::airflow-dev-api-server-service",
    "aws:ecs/service:Service::airflow-dev-worker-default-service",
    "aws:appautoscaling/target:Target::airflow-dev-worker-default-scaling",
]
"""Each stands on the one before."""
NETWORK = [
    "aws:ec2/natGateway:NatGateway::airflow-dev-network-vpc-1",
    "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders::airflow-dev-compute-capacity",
]
"""Without a complete VPC nothing has subnets."""
SIDE_BY_SIDE = [
    "aws:rds/instance:Instance::airflow-dev-metastore-instance",
    "aws:elasticache/replicationGroup:ReplicationGroup::airflow-dev-broker-group",
    "aws:efs/mountTarget:MountTarget::airflow-dev-dag-storage-1",
    "aws:lb/loadBalancer:LoadBalancer::airflow-dev-web-alb",
]
"""None of them needs another."""
UP = ("pulumi", "up", "--yes", "--skip-preview", "--stack", "dev")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return the platform with its shared stack applied."""
    made = Project.platform(tmp_path / "platform")
    made.run("up", "nonprod-shared")
    return made


def finishes(project: Project, *failed: str) -> None:
    """Assert that the next `up` makes what failed before, and that nothing is left to do or was lost."""
    project.run(*UP)
    made = {each["urn"].rpartition("::")[2] for each in project.state("dev")}
    assert {resource.rpartition("::")[2] for resource in failed} <= made
    project.run(*UP, "--expect-no-changes")
    assert project.unknown_to_state() == 0


def test_every_next_up_gets_past_the_failure_of_the_one_before(project: Project) -> None:
    for resource in ONE_AFTER_THE_OTHER:
        done = project.run("--fail", f"{resource}=once", *UP, check=False)
        assert done.returncode != 0
        assert f"planted failure of {resource}" in done.stdout
        assert "Traceback" not in done.stdout
    finishes(project, *ONE_AFTER_THE_OTHER)


def test_failures_side_by_side_are_each_named_and_the_next_up_finishes(project: Project) -> None:
    for together in (NETWORK, SIDE_BY_SIDE):
        planted = [word for resource in together for word in ("--fail", f"{resource}=once")]
        done = project.run(*planted, *UP, "--continue-on-error", check=False)
        assert done.returncode != 0
        assert [each for each in together if f"planted failure of {each}" not in done.stdout] == []
    finishes(project, *NETWORK, *SIDE_BY_SIDE)
