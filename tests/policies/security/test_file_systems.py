"""What has to be beside a file system, and what a backup selection takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from policies.crossguard.resources import Resource
from policies.crossguard.values import UNKNOWN
from policies.security.relations.file_systems import BACKUP_POLICY, RELATIONS
from policies.security.rules.efs import FILE_SYSTEM, FILE_SYSTEM_POLICY
from policies.security.selections import SELECTION
from tests.policies.made import BAD, GOOD, OPEN, left_open, made, verdict

POLICY, AUTOMATIC, IN_PLAN = RELATIONS
ARN = "arn:aws:elasticfilesystem:eu-west-1:111111111111:file-system/fs-1"
FILES = made(FILE_SYSTEM, "files", arn=ARN, tags={"backup": "daily"}, tagsAll={"environment": "dev"})
PREVIEWED = made(FILE_SYSTEM, "files", arn=UNKNOWN)


def beside(token: str, of: Any, *behind: str, **props: Any) -> Resource:
    return made(token, "beside", {"fileSystemId": behind}, fileSystemId=of, **props)


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ([], BAD),
        ([beside(FILE_SYSTEM_POLICY, "fs-1")], GOOD),
        ([beside(FILE_SYSTEM_POLICY, "fs-2")], BAD),
        ([beside(FILE_SYSTEM_POLICY, UNKNOWN)], OPEN),
        ([beside(FILE_SYSTEM_POLICY, 7)], BAD),
    ],
)
def test_a_file_system_has_a_policy(others: list[Resource], said: str) -> None:
    assert verdict(POLICY, "files", FILES, *others) == said


def test_in_a_preview_the_dependency_tells_whose_policy_it_is() -> None:
    other = made(FILE_SYSTEM, "other", arn=UNKNOWN)
    policy = beside(FILE_SYSTEM_POLICY, UNKNOWN, "files")
    assert verdict(POLICY, "files", PREVIEWED, other, policy) == GOOD
    assert verdict(POLICY, "other", PREVIEWED, other, policy) == BAD


@pytest.mark.parametrize(
    ("of", "status", "said"),
    [
        ("fs-1", "ENABLED", GOOD),
        ("fs-1", "DISABLED", BAD),
        ("fs-1", UNKNOWN, OPEN),
        ("fs-1", None, BAD),
        ("fs-1", 7, BAD),
        ("fs-2", "ENABLED", BAD),
        (UNKNOWN, "ENABLED", OPEN),
        (UNKNOWN, "DISABLED", BAD),
    ],
)
def test_a_file_system_backs_itself_up(of: Any, status: Any, said: str) -> None:
    policy = beside(BACKUP_POLICY, of, backupPolicy={"status": status})
    assert verdict(AUTOMATIC, "files", FILES, policy) == said


def test_a_file_system_without_a_backup_policy_does_not() -> None:
    assert verdict(AUTOMATIC, "files", FILES) == BAD


def selection(*behind: str, **props: Any) -> Resource:
    return made(SELECTION, "selection", {"resources": behind}, **props)


def taken(files: Resource, *behind: str, **props: Any) -> str:
    return verdict(IN_PLAN, "files", files, selection(*behind, **props))


def test_without_a_selection_it_is_in_none() -> None:
    assert verdict(IN_PLAN, "files", FILES) == BAD


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ([ARN], GOOD),
        (["*"], GOOD),
        (["arn:aws:elasticfilesystem:*:*:file-system/*"], GOOD),
        (["arn:aws:rds:*:*:db:*", ARN], GOOD),
        (["arn:aws:rds:*:*:db:*"], BAD),
        (["arn:aws:elasticfilesystem:eu-west-1:222222222222:file-system/*"], BAD),
        ([], BAD),
        (None, BAD),
        (UNKNOWN, OPEN),
        ([UNKNOWN], OPEN),
        ([7], BAD),
    ],
)
def test_a_selection_names_it(named: Any, said: str) -> None:
    assert taken(FILES, resources=named) == said


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("*", GOOD),
        ("arn:aws:elasticfilesystem:*:*:file-system/*", GOOD),
        ("arn:aws:elasticfilesystem:eu-west-1:111111111111:file-system/*", OPEN),
        ("arn:aws-cn:*", OPEN),
        ("arn:aws:rds:*:*:db:*", BAD),
    ],
)
def test_in_a_preview_a_pattern_is_compared_with_the_form(named: str, said: str) -> None:
    assert taken(PREVIEWED, resources=[named]) == said


@pytest.mark.parametrize(("behind", "said"), [(["files"], GOOD), (["other"], BAD), ([], OPEN)])
def test_in_a_preview_the_dependency_tells_what_is_taken(behind: Sequence[str], said: str) -> None:
    other = made(FILE_SYSTEM, "other", arn=UNKNOWN)
    found = selection(*behind, resources=[UNKNOWN])
    assert verdict(IN_PLAN, "files", PREVIEWED, other, found) == said


@pytest.mark.parametrize(
    ("excluded", "said"), [([ARN], BAD), (["*"], BAD), (["arn:aws:rds:*"], GOOD), ([UNKNOWN], OPEN)]
)
def test_what_is_left_out_is_not_taken(excluded: Any, said: str) -> None:
    assert taken(FILES, resources=["*"], notResources=excluded) == said


def test_lists_that_a_preview_leaves_open_were_not_given() -> None:
    found = selection(resources=["*"], notResources=UNKNOWN, conditions=UNKNOWN)
    assert verdict(IN_PLAN, "files", FILES, left_open(found, "notResources", "conditions")) == GOOD


def tag(key: Any, value: Any) -> dict[str, Any]:
    return {"type": "STRINGEQUALS", "key": key, "value": value}


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ([tag("backup", "daily")], GOOD),
        ([tag("environment", "dev")], GOOD),
        ([tag("backup", "weekly"), tag("backup", "daily")], GOOD),
        ([tag("backup", "weekly")], BAD),
        ([tag("missing", "x")], BAD),
        ([tag("backup", UNKNOWN)], OPEN),
        (UNKNOWN, OPEN),
        (7, BAD),
    ],
)
def test_a_selection_takes_what_has_its_tags(tags: Any, said: str) -> None:
    assert taken(FILES, selectionTags=tags) == said


def test_a_tag_that_is_not_known_is_undecided() -> None:
    files = made(FILE_SYSTEM, "files", arn=ARN, tags={"backup": UNKNOWN})
    assert taken(files, selectionTags=[tag("backup", "daily")]) == OPEN


def condition(operator: str, value: Any) -> list[dict[str, Any]]:
    return [{operator: [{"key": "aws:ResourceTag/backup", "value": value}]}]


@pytest.mark.parametrize(
    ("operator", "value", "said"),
    [
        ("stringEquals", "daily", GOOD),
        ("stringEquals", "da*", BAD),
        ("stringLikes", "da*", GOOD),
        ("stringNotEquals", "daily", BAD),
        ("stringNotEquals", "never", GOOD),
        ("stringNotLikes", "da*", BAD),
        ("stringEquals", UNKNOWN, OPEN),
        ("stringNotEquals", UNKNOWN, OPEN),
    ],
)
def test_conditions_narrow_what_is_taken(operator: str, value: Any, said: str) -> None:
    assert taken(FILES, resources=["*"], conditions=condition(operator, value)) == said


def test_conditions_that_are_not_known_are_undecided() -> None:
    assert taken(FILES, resources=["*"], conditions=UNKNOWN) == OPEN
