"""What the rules about functions accept and do not, beyond their cases; what calls functions asynchronously."""

from __future__ import annotations

from typing import Any

import pytest

from policies.crossguard.findings import Finding, Undecided, Violation
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.values import UNKNOWN, View
from policies.security.relations.invocations import FAILURES, RELATIONS
from policies.security.rules.functions import (
    FUNCTION,
    FUNCTION_POLICY,
    LAYER_PERMISSION,
    PERMISSION,
    SCHEDULE,
)
from tests.policies.security.test_rules import judged, violated

(DEAD_LETTERS,) = RELATIONS
ARN = "arn:aws:lambda:eu-west-1:111111111111:function:gate"
QUEUE = "arn:aws:sqs:eu-west-1:111111111111:queue"
MISSING = "deadLetterConfig.targetArn is not set, want a queue or a topic: it is called asynchronously"


@pytest.mark.parametrize(
    ("rule", "token", "properties"),
    [
        pytest.param("lambda-caller-named", PERMISSION, {"principal": "111111111111"}, id="an account"),
        pytest.param(
            "lambda-not-public", PERMISSION, {"principal": "*", "principalOrgId": "o-1"}, id="an organization"
        ),
        pytest.param(
            "lambda-not-public",
            LAYER_PERMISSION,
            {"principal": "*", "organizationId": "o-1"},
            id="its layers",
        ),
        pytest.param("lambda-runtime-supported", FUNCTION, {"packageType": "Image"}, id="an image"),
        pytest.param("lambda-several-zones", FUNCTION, {}, id="no network of ours"),
        pytest.param(
            "lambda-concurrency-limited", FUNCTION, {"reservedConcurrentExecutions": 0}, id="switched off"
        ),
        pytest.param(
            "lambda-environment-own-key", FUNCTION, {"environment": {"variables": {}}}, id="no variables"
        ),
        pytest.param(
            "lambda-caller-named",
            FUNCTION_POLICY,
            {"policy": {"Statement": {"Effect": "Deny", "Principal": {"Service": "sns.amazonaws.com"}}}},
            id="a denial",
        ),
    ],
)
def test_what_is_accepted(rule: str, token: str, properties: dict[str, Any]) -> None:
    assert judged(rule, token, properties) == []


def test_services_in_china_are_services() -> None:
    assert violated(judged("lambda-caller-named", PERMISSION, {"principal": "sns.amazonaws.com.cn"}))


def test_an_organization_that_is_not_known_decides() -> None:
    found = judged("lambda-not-public", PERMISSION, {"principal": "*", "principalOrgId": UNKNOWN})
    assert found == [Undecided("principalOrgId")]


def resource(token: str, properties: dict[str, Any], **behind: tuple[str, ...]) -> Resource:
    return Resource(
        urn=token,
        type=token,
        token=token,
        name="x",
        props=View.of(properties),
        property_dependencies=behind,
    )


def function(arn: Any = ARN, dead_letters: Any = None, **behind: tuple[str, ...]) -> Resource:
    return resource(FUNCTION, {"arn": arn, "name": "gate", "deadLetterConfig": dead_letters}, **behind)


def permission(principal: Any = "sns.amazonaws.com", name: Any = ARN, **behind: tuple[str, ...]) -> Resource:
    return resource(PERMISSION, {"principal": principal, "function": name}, **behind)


def said(*resources: Resource) -> list[Finding]:
    abouts = list(DEAD_LETTERS.judge(Stack(resources)))
    assert {about.urn for about in abouts} <= {FUNCTION}
    return [about.finding for about in abouts]


@pytest.mark.parametrize(
    "caller",
    [
        pytest.param(permission(), id="by ARN"),
        pytest.param(permission(name="gate"), id="by name"),
        pytest.param(permission(name=UNKNOWN, function=(FUNCTION,)), id="by what it was made of"),
        pytest.param(permission("s3.amazonaws.com"), id="S3"),
        pytest.param(resource(SCHEDULE, {"target": {"arn": ARN}}), id="a schedule"),
    ],
)
def test_a_function_that_is_called_without_waiting_keeps_what_fails(caller: Resource) -> None:
    assert said(function(), caller) == [Violation(MISSING)]
    assert said(function(dead_letters={"targetArn": QUEUE}), caller) == []


@pytest.mark.parametrize(
    "callers",
    [
        pytest.param([], id="nobody"),
        pytest.param([permission("elasticloadbalancing.amazonaws.com")], id="who waits"),
        pytest.param([permission("111111111111")], id="an account"),
        pytest.param([permission(name="another")], id="of another function"),
        pytest.param([resource(SCHEDULE, {"target": {"arn": QUEUE}})], id="a schedule of something else"),
    ],
)
def test_other_functions_need_not(callers: list[Resource]) -> None:
    assert said(function(), *callers) == []


@pytest.mark.parametrize(
    "resources",
    [
        pytest.param([function(), permission(principal=UNKNOWN)], id="who calls"),
        pytest.param([function(arn=UNKNOWN), permission(name=UNKNOWN)], id="what is called"),
        pytest.param([function(dead_letters=UNKNOWN, deadLetterConfig=()), permission()], id="where it goes"),
    ],
)
def test_what_is_not_known_leaves_it_undecided(resources: list[Resource]) -> None:
    assert said(*resources) == [Undecided("deadLetterConfig.targetArn")]


def test_a_queue_that_is_made_in_the_same_update_is_one() -> None:
    assert said(function(dead_letters={"targetArn": UNKNOWN}, deadLetterConfig=("queue",)), permission()) == [
        Undecided("deadLetterConfig.targetArn")
    ]
    queue = Resource(urn="queue", type="queue", token="queue", name="q", props=View.of({}))
    made = function(dead_letters={"targetArn": UNKNOWN}, deadLetterConfig=("queue",))
    assert said(made, permission(), queue) == []


def test_a_destination_for_failures_does_as_well() -> None:
    destination = {"functionName": ARN, "destinationConfig": {"onFailure": {"destination": QUEUE}}}
    assert said(function(), permission(), resource(FAILURES, destination)) == []
    success = {"functionName": ARN, "destinationConfig": {"onSuccess": {"destination": QUEUE}}}
    assert said(function(), permission(), resource(FAILURES, success)) == [Violation(MISSING)]


def test_a_caller_of_another_type_is_a_violation() -> None:
    (found,) = said(function(), permission(principal=7))
    assert found == Violation("principal is 7, want a text")
