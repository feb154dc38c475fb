"""Lambda functions and what calls them without waiting for an answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.crossguard.findings import Finding, Undecided, Violation
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.rules import Relation, Severity, Tier
from policies.security.references import Verdict, each_of, either, every, given, refers, tells
from policies.security.rules.functions import FUNCTION, PERMISSION, SCHEDULE, SERVICES

FAILURES: Final = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"
SYNCHRONOUS: Final = frozenset({"apigateway", "cognito-idp", "elasticloadbalancing", "lex", "vpc-lattice"})
"""Services that wait for the answer, and so learn of a failure themselves."""


def _is_asynchronous(principal: str) -> bool:
    return principal.endswith(SERVICES) and principal.partition(".")[0] not in SYNCHRONOUS


def _called(stack: Stack, function: Resource) -> Iterator[Verdict]:
    for permission in stack.of(PERMISSION):
        yield every(
            (
                tells(permission.props["principal"], lambda principal: _is_asynchronous(principal.text())),
                refers(stack, permission, "function", permission.props["function"], function),
            )
        )
    for schedule in stack.of(SCHEDULE):
        yield refers(stack, schedule, "target", schedule.props.at("target.arn"), function)


def _kept(stack: Stack, function: Resource) -> Iterator[Verdict]:
    """Say whether what the function failed to do is sent somewhere, by a setting of it or beside it."""
    if stack.behind(function, "deadLetterConfig"):
        yield True
    else:
        yield tells(given(function, "deadLetterConfig")["targetArn"], lambda target: not target.empty)
    for each in stack.of(FAILURES):
        yield every(
            (
                not each.props.at("destinationConfig.onFailure").absent,
                refers(stack, each, "functionName", each.props["functionName"], function),
            )
        )


def _dead_letters(stack: Stack, function: Resource) -> Iterator[Finding]:
    called, kept = either(_called(stack, function)), either(_kept(stack, function))
    if called is False or kept:
        return
    target = function.props.at("deadLetterConfig.targetArn")
    if called is None or kept is None:
        yield Undecided(target.path)
    else:
        yield Violation(
            f"{target.path} is {target.shown()}, want a queue or a topic: it is called asynchronously"
        )


RELATIONS: Final = (
    Relation(
        name="lambda-dead-letters",
        why="What a function could not do is forgotten: nobody waits for an answer.",
        fix="Set `deadLetterConfig` of the function, or a destination for failures.",
        severity=Severity.LOW,
        tier=Tier.NOWHERE,
        controls=("102",),
        references=("CKV_AWS_116", "lambda_dlq_check"),
        check=each_of(_dead_letters, FUNCTION),
    ),
)
