"""Kinds of resources that the rules know nothing about, and by which everything else could be made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.crossguard.findings import Violation
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.rules import About, Relation, Severity, Tier
from policies.security.controls import OWN

PACKAGES: Final = frozenset({"aws", "awsx", "pulumi", "random", "tls", "docker", "docker-build", "command"})
"""Packages whose resources are known, or are none of AWS."""
COMPONENTS: Final = "airflow"
"""Our own components; what they make is judged."""
WAYS_ROUND: Final = {
    "aws:cloudcontrol/resource:Resource": "makes any resource from a text",
    "aws:cloudformation/stack:Stack": "makes what its template says",
    "aws:cloudformation/stackSet:StackSet": "makes what its template says",
    "aws:cloudformation/stackInstances:StackInstances": "makes what its template says",
    "aws:cloudformation/stackSetInstance:StackSetInstance": "makes what its template says",
    "aws:serverlessrepository/cloudFormationStack:CloudFormationStack": "makes what its template says",
}
"""Types by which resources are made that no rule can see."""


def _way_round(resource: Resource) -> str:
    package = resource.token.partition(":")[0]
    if resource.token in WAYS_ROUND:
        return f"{resource.token} {WAYS_ROUND[resource.token]}"
    if package in PACKAGES or package == COMPONENTS:
        return ""
    return f"{resource.token} is of the package {package}, which no rule knows"


def _unjudged(stack: Stack) -> Iterator[About]:
    for resource in stack.resources:
        way = _way_round(resource)
        if way:
            yield About(resource.urn, Violation(f"{way}, want resources of the package aws"))


RELATIONS: Final = (
    Relation(
        name="resource-kind-judged",
        why="Through a kind of resource that no rule knows everything can be made that the rules refuse.",
        fix="Use the resources of the package aws; add rules before another package.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=(OWN,),
        check=_unjudged,
    ),
)
