"""Auto-names: form, limits, and which types have none."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sandbox.behaviour.names import AutoName, NameTooLongError, auto_name, auto_name_of
from sandbox.behaviour.schema import UnknownType, all_facts

INSTANCE = "aws:rds/instance:Instance"

RULES = [
    ("aws:ec2/securityGroup:SecurityGroup", "name", 255),
    ("aws:ecs/service:Service", "name", 255),
    ("aws:cloudwatch/eventRule:EventRule", "name", 64),
    ("aws:cloudwatch/eventTarget:EventTarget", "targetId", 255),
    ("aws:cloudwatch/logGroup:LogGroup", "name", 255),
    ("aws:cloudwatch/metricAlarm:MetricAlarm", "name", 255),
    ("aws:ecr/repository:Repository", "name", 255),
    ("aws:efs/fileSystem:FileSystem", "creationToken", 255),
    ("aws:elasticache/replicationGroup:ReplicationGroup", "replicationGroupId", 40),
    ("aws:iam/policy:Policy", "name", 255),
    ("aws:iam/role:Role", "name", 64),
    ("aws:iam/rolePolicy:RolePolicy", "name", 255),
    ("aws:kms/alias:Alias", "name", 238),
    ("aws:lambda/function:Function", "name", 64),
    ("aws:lambda/permission:Permission", "statementId", 100),
    ("aws:lb/loadBalancer:LoadBalancer", "name", 255),
    ("aws:lb/targetGroup:TargetGroup", "name", 32),
    ("aws:mq/broker:Broker", "brokerName", 55),
    ("aws:opensearch/domain:Domain", "domainName", 255),
    (INSTANCE, "identifier", 255),
    ("aws:s3/bucket:Bucket", "bucket", 63),
    ("aws:sns/topic:Topic", "name", 80),
    ("aws:sqs/queue:Queue", "name", 80),
    ("aws:ssm/parameter:Parameter", "name", 255),
    ("docker:index/registryImage:RegistryImage", "name", 255),
]

UNNAMED = [
    "aws:accessanalyzer/analyzer:Analyzer",
    "aws:cloudwatch/compositeAlarm:CompositeAlarm",
    "aws:cloudwatch/dashboard:Dashboard",
    "aws:ec2/vpc:Vpc",
    "aws:ecs/taskDefinition:TaskDefinition",
    "aws:elasticache/user:User",
    "aws:route53/record:Record",
    "random:index/randomPassword:RandomPassword",
]


@pytest.mark.parametrize(("token", "property", "limit"), RULES, ids=[row[0] for row in RULES])
def test_rule(token: str, property: str, limit: int) -> None:
    rule = auto_name_of(token)
    assert rule is not None
    assert (rule.property, rule.limit) == (property, limit)


@pytest.mark.parametrize("token", UNNAMED)
def test_types_without_auto_name(token: str) -> None:
    assert auto_name_of(token) is None
    assert auto_name(token, "a", b"", {}) is None


def test_the_property_is_an_input() -> None:
    for token in all_facts():
        rule = auto_name_of(token)
        if rule is not None:
            assert all_facts()[token]["properties"][rule.property]["type"] == "string"


def test_form() -> None:
    name = auto_name("aws:ecs/service:Service", "airflow-worker", b"seed", {})
    assert re.fullmatch(r"airflow-worker-[0-9a-f]{7}", name or "")


NAMES: list[tuple[str, str, str, dict[str, Any]]] = [
    ("aws:s3/bucket:Bucket", "Releases", r"releases-[0-9a-f]{7}", {}),
    ("aws:elasticache/replicationGroup:ReplicationGroup", "Broker", r"broker-[0-9a-f]{7}", {}),
    (INSTANCE, "Airflow", r"Airflow-[0-9a-f]{7}", {"engine": "postgres"}),
    (INSTANCE, "airflow", r"airflow-[0-9a-f]{3}", {"engine": "sqlserver-ex"}),
    ("aws:kms/alias:Alias", "airflow", r"alias/airflow-[0-9a-f]{7}", {}),
    ("aws:kms/alias:Alias", "alias/airflow", r"alias/airflow-[0-9a-f]{7}", {}),
    ("aws:sqs/queue:Queue", "tasks", r"tasks-[0-9a-f]{7}\.fifo", {"fifoQueue": True}),
    ("aws:sqs/queue:Queue", "tasks", r"tasks-[0-9a-f]{7}", {"fifoQueue": False}),
    ("aws:sns/topic:Topic", "alarms", r"alarms-[0-9a-f]{7}\.fifo", {"fifoTopic": True}),
]


@pytest.mark.parametrize(("token", "name", "pattern", "inputs"), NAMES)
def test_forms_of_single_types(token: str, name: str, pattern: str, inputs: dict[str, Any]) -> None:
    assert re.fullmatch(pattern, auto_name(token, name, b"seed", inputs) or "")


def test_same_seed_same_name() -> None:
    first, second = (auto_name("aws:iam/role:Role", "worker", b"seed", {}) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("token", "name", "seed"),
    [
        ("aws:iam/role:Role", "worker", b"other"),
        ("aws:iam/role:Role", "trigger", b"seed"),
        ("aws:iam/policy:Policy", "worker", b"seed"),
    ],
    ids=["seed", "logical name", "type"],
)
def test_the_random_part_depends_on(token: str, name: str, seed: bytes) -> None:
    base = auto_name("aws:iam/role:Role", "worker", b"seed", {})
    assert (auto_name(token, name, seed, {}) or "")[-7:] != (base or "")[-7:]


@pytest.mark.parametrize(
    ("token", "longest"),
    [("aws:iam/role:Role", 56), ("aws:s3/bucket:Bucket", 55), ("aws:lb/targetGroup:TargetGroup", 24)],
)
def test_room(token: str, longest: int) -> None:
    rule = auto_name_of(token)
    name = auto_name(token, "a" * longest, b"", {})
    assert rule is not None
    assert len(name or "") == rule.limit
    with pytest.raises(NameTooLongError, match=f"at most {longest} fit"):
        auto_name(token, "a" * (longest + 1), b"", {})


def test_room_of_a_sql_server() -> None:
    with pytest.raises(NameTooLongError, match="plus 3 random chars is longer than maximum length 15"):
        auto_name(INSTANCE, "a" * 12, b"", {"engine": "sqlserver-ee"})


def test_prefix_properties() -> None:
    assert AutoName("bucket").prefix_property == "bucketPrefix"
    assert AutoName("name").prefix_property == "namePrefix"


def test_unknown_type() -> None:
    with pytest.raises(UnknownType):
        auto_name("aws:ec2/instance:Instance", "a", b"", {})
