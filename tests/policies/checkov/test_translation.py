"""Cases and stacks as a plan of Terraform has them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from policies.crossguard.values import UNKNOWN
from tests.policies.checkov.more import MORE
from tests.policies.checkov.parts import Part, Small
from tests.policies.checkov.samples import ADAPTED, BESIDE, NEVER_ABSENT, samples
from tests.policies.checkov.stacks import STACKS
from tests.policies.checkov.terraform import (
    BLOCKS,
    TYPES,
    Block,
    Link,
    block,
    document,
    plan,
    snake,
    type_of,
)
from tests.policies.security.test_rules import CASES

ASKED = samples()


@pytest.mark.parametrize(
    ("token", "translated"),
    [
        ("aws:rds/instance:Instance", "aws_db_instance"),
        ("aws:rds/cluster:Cluster", "aws_rds_cluster"),
        ("aws:ec2/launchConfiguration:LaunchConfiguration", "aws_launch_configuration"),
        ("aws:ecs/taskSet:TaskSet", "aws_ecs_task_set"),
        ("aws:route53/hostedZoneDnsSec:HostedZoneDnsSec", "aws_route53_hosted_zone_dnssec"),
    ],
)
def test_a_type(token: str, translated: str) -> None:
    assert type_of(token) == translated


@pytest.mark.parametrize(
    ("name", "translated"),
    [
        ("kmsKeyId", "kms_key_id"),
        ("cidrIpv4", "cidr_ipv4"),
        ("ipv6CidrBlocks", "ipv6_cidr_blocks"),
        ("s3BucketName", "s3_bucket_name"),
        ("capacityProviderStrategies", "capacity_provider_strategy"),
    ],
)
def test_a_property(name: str, translated: str) -> None:
    assert snake(name) == translated


@pytest.mark.parametrize(
    ("properties", "values", "links"),
    [
        ({"multiAz": True, "kmsKeyId": None}, {"multi_az": True}, {}),
        ({"rootDirectory": {"path": "/"}}, {"root_directory": [{"path": "/"}]}, {}),
        ({"rules": [{"ruleName": 1}, {}]}, {"rule": [{"rule_name": 1}, {}]}, {}),
        ({"tags": {"costCenter": "a"}}, {"tags": {"costCenter": "a"}}, {}),
        ({"policy": {"Version": "1"}}, {"policy": '{"Version": "1"}'}, {}),
        ({"policy": "text"}, {"policy": "text"}, {}),
        ({"vpcId": Link("aws_vpc.a")}, {}, {"vpc_id": {"references": ["aws_vpc.a.id", "aws_vpc.a"]}}),
        (
            {"aliases": [{"name": Link("aws_lb.a", "dns_name")}]},
            {"alias": [{}]},
            {"alias": [{"name": {"references": ["aws_lb.a.dns_name", "aws_lb.a"]}}]},
        ),
        (
            {"resources": [Link("aws_efs.a", "arn")]},
            {},
            {"resources": {"references": ["aws_efs.a.arn", "aws_efs.a"]}},
        ),
    ],
)
def test_properties(properties: dict[str, Any], values: dict[str, Any], links: dict[str, Any]) -> None:
    made = block("aws:ec2/vpc:Vpc", "a", properties)
    assert (made.values, made.links) == (values, links)


def test_a_document() -> None:
    statement = {
        "Effect": "Allow",
        "Action": "kms:*",
        "NotResource": ["a", "b"],
        "Principal": {"AWS": "1", "Service": ["s"]},
        "Condition": {"StringEquals": {"kms:ViaService": "s3"}},
    }
    made = document("a", json.dumps({"Statement": statement}))
    assert made.address == "data.aws_iam_policy_document.a"
    assert made.values == {
        "statement": [
            {
                "effect": "Allow",
                "actions": ["kms:*"],
                "not_resources": ["a", "b"],
                "principals": [
                    {"type": "AWS", "identifiers": ["1"]},
                    {"type": "Service", "identifiers": ["s"]},
                ],
                "condition": [{"test": "StringEquals", "variable": "kms:ViaService", "values": ["s3"]}],
            }
        ]
    }


def test_a_document_for_everybody() -> None:
    made = document("a", {"Statement": [{"Effect": "Deny", "Principal": "*", "Action": ["s3:*"]}]})
    assert made.values["statement"] == [
        {"effect": "Deny", "actions": ["s3:*"], "principals": [{"type": "*", "identifiers": ["*"]}]}
    ]


def test_a_plan() -> None:
    vpc = Block(type="aws_vpc", name="a", values={"cidr_block": "10.0.0.0/16"})
    log = Block(type="aws_flow_log", name="a", values={}, links={"vpc_id": {"references": ["aws_vpc.a"]}})
    written = json.loads(plan([vpc, log]))
    planned = written["planned_values"]["root_module"]["resources"]
    assert [(each["address"], each["mode"], each["values"]) for each in planned] == [
        ("aws_vpc.a", "managed", {"cidr_block": "10.0.0.0/16"}),
        ("aws_flow_log.a", "managed", {}),
    ]
    configured = written["configuration"]["root_module"]["resources"]
    assert [(each["address"], each["expressions"]) for each in configured] == [
        ("aws_flow_log.a", {"vpc_id": {"references": ["aws_vpc.a"]}})
    ]


def test_a_part_of_a_stack_in_a_preview() -> None:
    seen = Part("aws:a", "a", {"to": [{"arn": Link("b")}], "name": "x"}).resource()
    assert seen.props.raw == {"to": [{"arn": UNKNOWN}], "name": "x"}
    assert seen.property_dependencies == {"to": ("b",), "name": ()}


def test_a_stack_in_a_plan() -> None:
    parts = (
        Part("aws:ec2/vpc:Vpc", "vpc"),
        Part("aws:ec2/flowLog:FlowLog", "log", {"vpcId": Link("vpc")}),
        Part("airflow:compute:WorkerPool", "pool"),
    )
    small = Small(relation="vpc-has-flow-log", what="with a log", about="vpc", parts=parts)
    assert [(each.address, each.links) for each in small.blocks("s")] == [
        ("aws_vpc.s_vpc", {}),
        ("aws_flow_log.s_log", {"vpc_id": {"references": ["aws_vpc.s_vpc.id", "aws_vpc.s_vpc"]}}),
    ]


def test_every_address_is_there_once() -> None:
    addresses = [each.address for sample in ASKED for each in sample.blocks]
    assert len(set(addresses)) == len(addresses)


def names(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inside in value.items():
            yield str(key)
            yield from names(inside)
    elif isinstance(value, list | tuple):
        for inside in value:
            yield from names(inside)


def test_every_name_in_the_tables_is_needed() -> None:
    given = [case.good for case in CASES] + [part.properties for small in STACKS for part in small.parts]
    tokens = {case.type for case in CASES} | {part.token for small in STACKS for part in small.parts}
    assert set(BLOCKS) - set(names(given)) == set()
    assert set(TYPES) - tokens == set()


def test_every_adaptation_is_needed() -> None:
    asked = {(id, sample.on) for sample in ASKED for id in sample.ids}
    beside = {(id, token) for token, each in BESIDE.items() for id in each.ids}
    assert ({*ADAPTED} | beside) - asked == set()
    paths = {change.path for case in (*CASES, *MORE) for change in case.changes}
    assert NEVER_ABSENT - paths == set()
