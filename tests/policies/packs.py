"""Small rules, relations and resources to try the machinery with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policies.crossguard.checks import is_true
from policies.crossguard.findings import Check, Violation, judged
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.rules import About, Relation, Rule, Severity, Tier
from policies.crossguard.values import View

THING = "aws:x/thing:Thing"


def urn(name: str, stack: str = "dev", token: str = THING) -> str:
    return f"urn:pulumi:{stack}::airflow-platform::airflow:x:Owner${token}::{name}"


def resource(name: str = "one", stack: str = "dev", **properties: Any) -> Resource:
    return Resource(urn=urn(name, stack), type=THING, token=THING, name=name, props=View.of(properties))


def rule(name: str = "thing-locked", check: Check | None = None, tier: Tier = Tier.EVERYWHERE) -> Rule:
    return Rule(
        name=name,
        why="An open thing is open.",
        fix="Lock it.",
        severity=Severity.HIGH,
        tier=tier,
        controls=("1",),
        references=("X.1",),
        on=(THING,),
        check=check or is_true("locked"),
    )


def _lonely(stack: Stack) -> Iterator[About]:
    for found in stack.of(THING):
        for finding in judged(is_true("befriended"), found.props):
            yield About(found.urn, finding)


def relation(name: str = "thing-befriended", check: Any = _lonely) -> Relation:
    return Relation(
        name=name,
        why="A lonely thing is lonely.",
        fix="Find a friend.",
        severity=Severity.LOW,
        tier=Tier.PROD,
        controls=("R1",),
        check=check,
    )


def failing(_: Any) -> Iterator[Violation]:
    raise RuntimeError("oh")
    yield
