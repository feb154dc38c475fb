"""Services and what they deploy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.crossguard.checks import is_set, when
from policies.crossguard.findings import judged
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.rules import About, Relation, Severity, Tier
from policies.security.rules.containers import TASK_DEFINITION, containers

SERVICE: Final = "aws:ecs/service:Service"

_CHECKED: Final = containers(
    when(lambda container: container["essential"].flag(default=True), is_set("healthCheck.command"))
)


def definitions_of(stack: Stack, service: Resource) -> list[Resource]:
    """Return the task definitions of a stack that a service deploys: by what it was made of, else by the ARN."""
    found = stack.behind(service, "taskDefinition", TASK_DEFINITION)
    named = service.props["taskDefinition"]
    if found or named.unknown or named.absent:
        return found
    arns = ((each, each.props["arn"]) for each in stack.of(TASK_DEFINITION) if not each.props["arn"].unknown)
    return [each for each, arn in arns if arn.text() == named.text()]


def _health_checks(stack: Stack) -> Iterator[About]:
    deployed = {
        definition.urn: definition
        for service in stack.of(SERVICE)
        for definition in definitions_of(stack, service)
    }
    for definition in deployed.values():
        for finding in judged(_CHECKED, definition.props):
            yield About(definition.urn, finding)


RELATIONS: Final = (
    Relation(
        name="service-health-checks",
        why="A deployment that nobody can see fail is taken for a success.",
        fix="Give every essential container of a service a `healthCheck`.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("13",),
        check=_health_checks,
    ),
)
