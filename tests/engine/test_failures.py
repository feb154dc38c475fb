"""A failure planted in each key resource: a message that names it, and the next `up` goes on from there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.conftest import Applied
from tests.engine.support import Project

pytestmark = pytest.mark.engine

ROUNDS = [
    # Almost everything waits for the key.
    ["aws:kms/key:Key::airflow-dev-encryption-key"],
    ["aws:secretsmanager/secret:Secret::airflow-dev-credentials-fernet-key"],
    # Without a complete VPC nothing has subnets.
    [
        "aws:ec2/natGateway:NatGateway::airflow-dev-network-vpc-1",
        "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders::airflow-dev-compute-capacity",
    ],
    # None of them needs another.
    [
        "aws:rds/instance:Instance::airflow-dev-metastore-instance",
        "aws:elasticache/replicationGroup:ReplicationGroup::airflow-dev-broker-group",
        "aws:efs/mountTarget:MountTarget::airflow-dev-dag-storage-1",
        "aws:lb/loadBalancer:LoadBalancer::airflow-dev-web-alb",
    ],
    # Each stands on the one before.
    ["aws:lambda/invocation:Invocation::airflow-dev-gate-invocation"],
    ["aws:ecs/service:Service::airflow-dev-api-server-service"],
    ["aws:ecs/service:Service::airflow-dev-worker-default-service"],
    ["aws:appautoscaling/target:Target::airflow-dev-worker-default-scaling"],
]
"""What fails in each `up`, once; the next one makes it and gets to the failures of its own round."""
UP = ("pulumi", "up", "--yes", "--skip-preview", "--stack", "dev")


def existing(project: Project) -> set[str]:
    """Return what dev has, as type and name."""
    return {f"{each['type']}::{each['urn'].rpartition('::')[2]}" for each in project.state("dev")}


def test_every_next_up_gets_past_the_failures_of_the_one_before(
    platform_with: Applied, tmp_path: Path
) -> None:
    """Where several fail side by side, each is named; in the end nothing is left to do, and nothing was lost."""
    project = platform_with("nonprod-shared", tmp_path / "platform")
    made: set[str] = set()
    for failing in ROUNDS:
        planted = [word for resource in failing for word in ("--fail", f"{resource}=once")]
        side_by_side = ["--continue-on-error"] if len(failing) > 1 else []
        done = project.run(*planted, *UP, *side_by_side, check=False)
        assert done.returncode != 0
        assert [each for each in failing if f"planted failure of {each}" not in done.stdout] == []
        assert "Traceback" not in done.stdout
        assert made <= existing(project)
        assert existing(project).isdisjoint(failing)
        made.update(failing)
    project.run(*UP)
    assert made <= existing(project)
    project.run(*UP, "--expect-no-changes")
    assert project.unknown_to_state() == 0


def test_there_are_twelve_failures() -> None:
    assert len({each for failing in ROUNDS for each in failing}) == 12
