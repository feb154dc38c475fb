"""Kinds of resources that no rule knows."""

from __future__ import annotations

import pytest

from policies.crossguard.resources import Resource, Stack
from policies.crossguard.values import View
from policies.security.relations.kinds import RELATIONS

(JUDGED,) = RELATIONS


def said(token: str) -> list[str]:
    resource = Resource(urn="urn", type=token, token=token, name="x", props=View.of({}))
    return [str(about.finding) for about in JUDGED.judge(Stack([resource]))]


@pytest.mark.parametrize(
    "token",
    [
        "aws:rds/instance:Instance",
        "awsx:ec2:Vpc",
        "airflow:data:Broker",
        "pulumi:pulumi:Stack",
        "pulumi:providers:aws",
        "pulumi:pulumi:StackReference",
        "random:index/randomId:RandomId",
    ],
)
def test_known_kinds(token: str) -> None:
    assert said(token) == []


@pytest.mark.parametrize(
    ("token", "what"),
    [
        ("aws:cloudcontrol/resource:Resource", "makes any resource from a text"),
        ("aws:cloudformation/stack:Stack", "makes what its template says"),
        ("aws-native:rds:DBInstance", "is of the package aws-native, which no rule knows"),
        ("pulumi-python:dynamic:Resource", "is of the package pulumi-python, which no rule knows"),
        ("kubernetes:core/v1:Pod", "is of the package kubernetes, which no rule knows"),
    ],
)
def test_ways_round(token: str, what: str) -> None:
    assert said(token) == [f"Violation(message='{token} {what}, want resources of the package aws')"]
