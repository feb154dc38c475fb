"""Container repositories and what the registry does for them."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import partial
from typing import Final

from policies.crossguard.checks import is_true
from policies.crossguard.findings import Finding, Violation
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.rules import Relation, Severity, Tier
from policies.crossguard.values import View
from policies.security.existence import exists, one_item
from policies.security.links import is_meant
from policies.security.references import each_of
from policies.security.rules.registries import REPOSITORY

LIFECYCLE: Final = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
SCANNING: Final = "aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration"
"""Of the whole registry: it counts in place of what a repository says."""
AUTOMATIC: Final = frozenset({"SCAN_ON_PUSH", "CONTINUOUS_SCAN"})


def _scanned(stack: Stack, repository: Resource) -> Iterator[Finding]:
    by_registry = (partial(_scans, each.props, repository.props["name"]) for each in stack.of(SCANNING))
    own = is_true("imageScanningConfiguration.scanOnPush")
    message = f"{repository.name} has no imageScanningConfiguration.scanOnPush, and no rule of the registry scans it"
    yield from exists(message, own, *by_registry)(repository.props)


def _scans(registry: View, name: View, _: View) -> Iterator[Finding]:
    yield from one_item("no rule scans it", registry["rules"].items(), partial(_covers, name))


def _covers(name: View, rule: View) -> Iterator[Finding]:
    """Judge whether a rule of the registry scans the images of a repository when they come."""
    filters = (each["filter"].text() for each in rule["repositoryFilters"].items())
    if rule["scanFrequency"].text() not in AUTOMATIC or not any(
        pattern == "*" or fnmatchcase(name.text(), _pattern(pattern)) for pattern in filters
    ):
        yield Violation(f"{rule.path} is about something else")


def _pattern(text: str) -> str:
    """Return what a filter means: without a wildcard, every name that contains it."""
    return text if "*" in text else f"*{text}*"


def _expires(stack: Stack, repository: Resource) -> Iterator[Finding]:
    found = (is_meant(stack, policy, "repository", repository) for policy in stack.of(LIFECYCLE))
    yield from exists(f"{repository.name} has no lifecycle policy", *found)(repository.props)


RELATIONS: Final = (
    Relation(
        name="ecr-scanned",
        why="Nobody learns that an image has a hole that everybody else knows.",
        fix="Set `imageScanningConfiguration.scanOnPush`, or add a rule to the RegistryScanningConfiguration.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("73",),
        references=(
            "ECR.1",
            "CKV_AWS_163",
            "AWS-0030",
            "ecr_repo_scan_on_push_rule",
            "ecr/Repository/enableImageScan",
            "ecr/Repository/configureImageScan",
        ),
        check=each_of(_scanned, REPOSITORY),
    ),
    Relation(
        name="ecr-has-lifecycle",
        why="Images with holes that were mended long ago stay, and are paid for.",
        fix="Add a LifecyclePolicy for the repository.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("75",),
        references=("ECR.3",),
        check=each_of(_expires, REPOSITORY),
    ),
)
