"""What the rules about services, clusters and machines accept and do not, beyond their cases."""

from __future__ import annotations

from typing import Any

import pytest

from policies.crossguard.findings import Undecided
from policies.crossguard.values import UNKNOWN
from policies.security.rules.clusters import CAPACITY_PROVIDER, CLUSTER
from policies.security.rules.instances import GROUP, INSTANCE, TEMPLATE
from policies.security.rules.services import SERVICE, SPOT
from tests.policies.security.test_rules import judged, violated

REQUIREMENTS = {"instanceRequirements": {"vcpuCount": {"min": 2}}}


def on_capacity(*strategies: dict[str, Any]) -> list[Any]:
    return judged("ecs-service-keeps-on-demand", SERVICE, {"capacityProviderStrategies": list(strategies)})


@pytest.mark.parametrize(
    "strategies",
    [
        [],
        [{"capacityProvider": "FARGATE", "weight": 1}],
        [{"capacityProvider": "machines", "base": 1}, {"capacityProvider": SPOT, "weight": 1}],
        [{"capacityProvider": SPOT, "weight": 1}, {"capacityProvider": "FARGATE", "base": 2}],
    ],
)
def test_capacity_that_stays(strategies: list[dict[str, Any]]) -> None:
    assert on_capacity(*strategies) == []


@pytest.mark.parametrize(
    "strategies",
    [
        [{"capacityProvider": SPOT, "base": 1}],
        [{"capacityProvider": "fargate_spot", "weight": 1}],
        [{"capacityProvider": "FARGATE", "weight": 99}, {"capacityProvider": SPOT, "weight": 1}],
    ],
)
def test_capacity_that_can_go_as_a_whole(strategies: list[dict[str, Any]]) -> None:
    assert violated(on_capacity(*strategies))


def test_capacity_that_is_not_known_yet_may_be_one_that_stays() -> None:
    found = on_capacity({"capacityProvider": UNKNOWN, "base": 1}, {"capacityProvider": SPOT, "weight": 1})
    assert [type(each) for each in found] == [Undecided]


@pytest.mark.parametrize(("count", "want"), [(None, False), (1, False), (2, True)])
def test_only_several_tasks_can_stay(count: int | None, want: bool) -> None:
    service = {"desiredCount": count, "deploymentMinimumHealthyPercent": 50}
    assert violated(judged("ecs-service-stays-during-deployment", SERVICE, service)) is want


def test_how_many_tasks_there_are_decides() -> None:
    service = {"desiredCount": UNKNOWN, "deploymentMinimumHealthyPercent": 50}
    found = judged("ecs-service-stays-during-deployment", SERVICE, service)
    assert found == [Undecided("desiredCount")]


def test_a_service_without_alarms_is_told_once() -> None:
    assert len(judged("ecs-service-deployment-alarms", SERVICE, {})) == 1


@pytest.mark.parametrize(
    ("settings", "want"),
    [
        ([{"name": "containerInsights", "value": "enhanced"}], False),
        ([{"name": "another", "value": "enabled"}], True),
        ([{"name": "containerInsights", "value": "ENABLED"}], True),
    ],
)
def test_insights(settings: list[dict[str, Any]], want: bool) -> None:
    assert violated(judged("ecs-cluster-insights", CLUSTER, {"settings": settings})) is want


@pytest.mark.parametrize("target", [{"s3BucketName": "sessions"}, {"cloudWatchLogGroupName": "sessions"}])
def test_sessions_are_recorded_in_a_log_or_a_bucket(target: dict[str, str]) -> None:
    command = {"logging": "OVERRIDE", "logConfiguration": target}
    cluster = {"configuration": {"executeCommandConfiguration": command}}
    assert judged("ecs-cluster-exec-recorded", CLUSTER, cluster) == []


def test_machines_that_ecs_itself_starts_are_not_in_a_group() -> None:
    provider = {"managedInstancesProvider": {"infrastructureRoleArn": "arn"}}
    assert judged("ecs-capacity-protects-tasks", CAPACITY_PROVIDER, provider) == []


def test_metadata_that_nobody_can_ask_for_needs_no_token() -> None:
    assert (
        judged("instance-metadata-token", INSTANCE, {"metadataOptions": {"httpEndpoint": "disabled"}}) == []
    )


@pytest.mark.parametrize(
    ("mapping", "want"),
    [
        ({"ebs": {"encrypted": "true"}}, False),
        ({"ebs": {"encrypted": True}}, False),
        ({"ebs": {"encrypted": "1"}}, False),
        ({"ebs": {"encrypted": "0"}}, True),
        ({"noDevice": "true"}, False),
        ({"noDevice": "false"}, True),
        ({"virtualName": "ephemeral0"}, False),
        ({"ebs": {"volumeSize": 30}}, True),
        ({"deviceName": "/dev/xvda"}, True),
    ],
)
def test_volumes_of_launch_templates(mapping: dict[str, Any], want: bool) -> None:
    template = {"blockDeviceMappings": [mapping]}
    assert violated(judged("launch-template-volumes-encrypted", TEMPLATE, template)) is want


@pytest.mark.parametrize(
    ("group", "want"),
    [
        ({"availabilityZones": ["a", "b"]}, False),
        ({"vpcZoneIdentifiers": [UNKNOWN, UNKNOWN]}, False),
        ({"availabilityZones": ["a"]}, True),
    ],
)
def test_zones_of_a_group(group: dict[str, Any], want: bool) -> None:
    assert violated(judged("autoscaling-group-zones", GROUP, group)) is want


def test_types_of_instances_may_be_described() -> None:
    group = {"mixedInstancesPolicy": {"launchTemplate": {"overrides": [REQUIREMENTS]}}}
    assert judged("autoscaling-group-mixed-instances", GROUP, group) == []
