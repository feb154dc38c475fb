"""The boundary of roles: every role has it, and it allows exactly what their policies need."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.iam import boundary
from components.role_boundary import with_boundary
from tests.harness import Deployment
from tests.unit.programs import ACCOUNT, REGION, run
from tests.unit.stacks import ENVIRONMENTS, deployed

ROLE = "aws:iam/role:Role"
ARN = f"arn:aws:iam::{ACCOUNT}:policy/boundaries/airflow-platform-boundary"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "ecs-tasks.amazonaws.com"},
            "Action": "sts:AssumeRole",
        },
    }
)


class Inner(pulumi.ComponentResource):
    """A component with a role."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions) -> None:
        super().__init__("test:x:Inner", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        aws.iam.Role(f"{name}-role", assume_role_policy=TRUST, opts=child)
        aws.cloudwatch.LogGroup(f"{name}-log", opts=child)


class Outer(pulumi.ComponentResource):
    """A component with a boundary, and a component below it."""

    def __init__(self, name: str, _: None, opts: pulumi.ResourceOptions) -> None:
        bounded = pulumi.ResourceOptions(transformations=[with_boundary(ARN)])
        super().__init__("test:x:Outer", name, {}, pulumi.ResourceOptions.merge(opts, bounded))
        Inner(f"{name}-inner", pulumi.ResourceOptions(parent=self))


def test_a_role_of_an_inner_component_has_the_boundary(deploy: Deployment) -> None:
    monitor = run(deploy, lambda opts: Outer("x", None, opts))
    assert monitor.one(ROLE).inputs["permissionsBoundary"] == ARN


def test_other_resources_are_as_they_were(deploy: Deployment) -> None:
    monitor = run(deploy, lambda opts: Outer("x", None, opts))
    assert "permissionsBoundary" not in monitor.one("aws:cloudwatch/logGroup:LogGroup").inputs


@pytest.mark.parametrize("stack", ENVIRONMENTS)
def test_every_role_of_an_environment_has_the_boundary_of_its_account(stack: str) -> None:
    monitor = deployed(stack)
    account = json.loads(monitor.one("pulumi:providers:aws").inputs["allowedAccountIds"])[0]
    arn = f"arn:aws:iam::{account}:policy/boundaries/airflow-platform-boundary"
    assert {role.inputs.get("permissionsBoundary") for role in monitor.by_type[ROLE]} == {arn}


def _actions(document: dict[str, Any]) -> Iterator[str]:
    for statement in document["Statement"]:
        action = statement["Action"]
        yield from [action] if isinstance(action, str) else action


def _needed() -> set[str]:
    return {
        action
        for stack in ENVIRONMENTS
        for policy in deployed(stack).by_type["aws:iam/rolePolicy:RolePolicy"]
        for action in _actions(json.loads(policy.inputs["policy"]))
    }


SESSIONS = {action for action in boundary.WITHOUT_RESOURCE if action.startswith("ssmmessages:")}
"""Of ECS Exec, which neither stack has on."""


def test_the_boundary_allows_what_the_roles_need_and_nothing_else() -> None:
    allowed = set(_actions(boundary.permissions_boundary(REGION, ACCOUNT)))
    assert allowed == _needed() | SESSIONS


def test_no_action_is_there_twice() -> None:
    actions = list(_actions(boundary.permissions_boundary(REGION, ACCOUNT)))
    assert len(actions) == len(set(actions))


def test_the_boundary_ends_at_the_account_and_the_region() -> None:
    document = boundary.permissions_boundary(REGION, ACCOUNT)
    found = {each["Sid"]: each["Resource"] for each in document["Statement"] if each["Sid"].startswith("Our")}
    assert found.pop("OurBuckets") == ["arn:aws:s3:::airflow-*", "arn:aws:s3:::airflow-*/*"]
    assert found.pop("OurRoles") == f"arn:aws:iam::{ACCOUNT}:role/airflow/*"
    for sid, resource in found.items():
        assert resource == f"arn:aws:{sid.removeprefix('Our').lower()}:{REGION}:{ACCOUNT}:*"
