"""Services and what they deploy."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policies.crossguard.findings import Undecided, Violation
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.rules import About
from policies.crossguard.values import UNKNOWN, View
from policies.security.relations.deployments import RELATIONS, SERVICE
from policies.security.rules.containers import TASK_DEFINITION

(CHECKED,) = RELATIONS
GOOD = {"name": "scheduler", "healthCheck": {"command": ["CMD", "true"]}}
ARN = "arn:aws:ecs:eu-west-1:111111111111:task-definition/x:1"


def definition(*containers: Any, arn: Any = ARN, text: Any = None) -> Resource:
    given = json.dumps(containers) if text is None else text
    props = View.of({"containerDefinitions": given, "arn": arn})
    return Resource(urn="definition", type=TASK_DEFINITION, token=TASK_DEFINITION, name="d", props=props)


def service(task_definition: Any = ARN, *behind: str) -> Resource:
    return Resource(
        urn="service",
        type=SERVICE,
        token=SERVICE,
        name="s",
        props=View.of({"taskDefinition": task_definition}),
        property_dependencies={"taskDefinition": behind},
    )


def said(*resources: Resource) -> list[About]:
    return list(CHECKED.judge(Stack(resources)))


MISSING = About(
    "definition", Violation("containerDefinitions[0].healthCheck.command is not set, want a value")
)


def test_a_container_with_a_check_is_good() -> None:
    assert said(service(), definition(GOOD)) == []


@pytest.mark.parametrize("container", [{"name": "x"}, {"name": "x", "healthCheck": {"command": []}}])
def test_a_container_without_one_is_a_violation(container: Any) -> None:
    (found,) = said(service(), definition(container))
    assert (found.urn, type(found.finding)) == ("definition", Violation)


def test_a_container_that_may_end_needs_none() -> None:
    assert said(service(), definition(GOOD, {"name": "x", "essential": False})) == []


def test_a_task_that_runs_once_needs_none() -> None:
    assert said(definition({"name": "x"})) == []


def test_in_a_preview_the_dependency_tells_what_is_deployed() -> None:
    assert said(service(UNKNOWN, "definition"), definition({"name": "x"}, arn=UNKNOWN)) == [MISSING]


def test_a_definition_of_another_stack_is_not_ours_to_judge() -> None:
    assert said(service("arn:of:another"), definition({"name": "x"})) == []


def test_an_unknown_text_is_undecided() -> None:
    assert said(service(), definition(text=UNKNOWN)) == [
        About("definition", Undecided("containerDefinitions"))
    ]


def test_a_text_that_is_no_json_is_a_violation() -> None:
    assert said(service(), definition(text="{")) == [
        About("definition", Violation("containerDefinitions is '{', want JSON with every name once"))
    ]


def test_two_services_of_one_definition_say_it_once() -> None:
    assert said(service(), service(), definition({"name": "x"})) == [MISSING]
