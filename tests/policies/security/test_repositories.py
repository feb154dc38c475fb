"""Repositories and what the registry does for them."""

from __future__ import annotations

from typing import Any

import pytest

from policies.crossguard.resources import Resource
from policies.crossguard.rules import Relation
from policies.crossguard.values import UNKNOWN
from policies.security.relations.repositories import LIFECYCLE, RELATIONS, SCANNING
from policies.security.rules.registries import REPOSITORY
from tests.policies.made import BAD, GOOD, OPEN, made, verdict

BY_NAME: dict[str, Relation] = {relation.name: relation for relation in RELATIONS}


def repository(name: Any = "platform/airflow", scan: Any = None, urn: str = "airflow") -> Resource:
    return made(REPOSITORY, urn, name=name, imageScanningConfiguration={"scanOnPush": scan})


@pytest.mark.parametrize(
    ("scan", "expected"), [(True, GOOD), (False, BAD), (None, BAD), (UNKNOWN, OPEN), ("true", BAD)]
)
def test_a_repository_scans(scan: Any, expected: str) -> None:
    assert verdict(BY_NAME["ecr-scanned"], "airflow", repository(scan=scan)) == expected


def registry(pattern: Any, frequency: Any = "CONTINUOUS_SCAN") -> Resource:
    rule = {"scanFrequency": frequency, "repositoryFilters": [{"filter": pattern, "filterType": "WILDCARD"}]}
    return made(SCANNING, "registry", rules=[rule])


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (registry("*"), GOOD),
        (registry("platform/*"), GOOD),
        (registry("airflow"), GOOD),
        (registry("flow*"), BAD),
        (registry("*", "SCAN_ON_PUSH"), GOOD),
        (registry("*", "MANUAL"), BAD),
        (registry(UNKNOWN), OPEN),
        (registry("*", UNKNOWN), OPEN),
        (registry(7), BAD),
        (made(SCANNING, "registry", rules=UNKNOWN), OPEN),
        (made(SCANNING, "registry", rules=[]), BAD),
    ],
)
def test_the_registry_may_scan_instead(found: Resource, expected: str) -> None:
    assert verdict(BY_NAME["ecr-scanned"], "airflow", repository(scan=False), found) == expected


@pytest.mark.parametrize(("pattern", "expected"), [("*", GOOD), ("platform/*", OPEN)])
def test_a_name_that_is_not_known_yet_is_only_needed_for_some_filters(pattern: str, expected: str) -> None:
    found = (repository(UNKNOWN, scan=False), registry(pattern))
    assert verdict(BY_NAME["ecr-scanned"], "airflow", *found) == expected


def test_what_the_repository_says_counts_also_when_the_registry_is_undecided() -> None:
    assert verdict(BY_NAME["ecr-scanned"], "airflow", repository(scan=True), registry(UNKNOWN)) == GOOD


@pytest.mark.parametrize(
    ("of", "behind", "expected"),
    [
        ("platform/airflow", (), GOOD),
        ("platform/other", (), BAD),
        (UNKNOWN, ("airflow",), GOOD),
        (UNKNOWN, ("other",), BAD),
        (UNKNOWN, (), OPEN),
        (7, (), BAD),
    ],
)
def test_a_repository_has_a_lifecycle(of: Any, behind: tuple[str, ...], expected: str) -> None:
    policy = made(LIFECYCLE, "policy", {"repository": behind}, repository=of)
    found = (repository(), repository("platform/other", urn="other"), policy)
    assert verdict(BY_NAME["ecr-has-lifecycle"], "airflow", *found) == expected


def test_a_repository_alone_has_none() -> None:
    assert verdict(BY_NAME["ecr-has-lifecycle"], "airflow", repository()) == BAD
