"""What a property of one resource says about another one."""

from __future__ import annotations

from typing import Any

import pytest

from policies.crossguard.resources import Resource, Stack
from policies.crossguard.values import UNKNOWN, View, WrongTypeError
from policies.security.references import Verdict, either, every, given, has, names_of, refers, tells
from tests.policies.made import left_open, made

FILES, POLICY, OTHER = (
    "aws:efs/fileSystem:FileSystem",
    "aws:efs/fileSystemPolicy:FileSystemPolicy",
    "aws:x/y:Y",
)
ARN = "arn:aws:elasticfilesystem:eu-west-1:111111111111:file-system/fs-1"


def policy(of: Any, *behind: str) -> Resource:
    return made(POLICY, "policy", {"fileSystemId": behind}, fileSystemId=of)


def said(owner: Resource, target: Resource, *others: Resource) -> Verdict:
    stack = Stack([owner, target, *others])
    return refers(stack, owner, "fileSystemId", owner.props["fileSystemId"], target)


@pytest.mark.parametrize(
    ("verdicts", "some", "all_"),
    [
        ([], False, True),
        ([True, False], True, False),
        ([True, None], True, None),
        ([False, None], None, False),
        ([True, True], True, True),
    ],
)
def test_what_nobody_can_tell_yet_is_neither(verdicts: list[Verdict], some: Verdict, all_: Verdict) -> None:
    assert (either(verdicts), every(verdicts)) == (some, all_)


def test_an_unknown_value_is_not_tested() -> None:
    assert (tells(View.of(UNKNOWN), View.flag), tells(View.of(True), View.flag)) == (None, True)


def test_the_names_of_a_resource_are_its_id_its_arn_and_the_end_of_that() -> None:
    found = names_of(made(FILES, "files", id="fs-1", arn=ARN, name="files", other="x"))
    assert found == {"fs-1", ARN, "files"}


def test_names_that_are_not_known_or_no_text_are_none() -> None:
    assert names_of(made(FILES, "files", id=UNKNOWN, arn=7, name="")) == frozenset()


def test_a_database_is_named_by_the_end_of_its_arn() -> None:
    assert "airflow" in names_of(made(FILES, "x", arn="arn:aws:rds:eu-west-1:111111111111:db:airflow"))


@pytest.mark.parametrize("value", ["fs-1", ARN])
def test_a_known_value_is_compared_with_the_names(value: str) -> None:
    files = made(FILES, "files", arn=ARN)
    assert said(policy(value), files) is True


def test_another_name_is_another_resource() -> None:
    assert said(policy("fs-2", "files"), made(FILES, "files", arn=ARN)) is False


def test_no_value_names_nothing() -> None:
    assert said(policy(None), made(FILES, "files", arn=ARN)) is False


def test_in_a_preview_the_dependency_tells() -> None:
    assert said(policy(UNKNOWN, "files"), made(FILES, "files", arn=UNKNOWN)) is True


def test_what_a_value_was_not_made_of_it_does_not_name() -> None:
    files, other = made(FILES, "files"), made(FILES, "other")
    assert said(policy(UNKNOWN, "other"), files, other) is False


def test_a_value_made_of_several_can_be_each_of_them() -> None:
    files, other = made(FILES, "files"), made(FILES, "other")
    assert said(policy(UNKNOWN, "files", "other"), files, other) is None


def test_dependencies_of_another_type_do_not_count() -> None:
    assert said(policy(UNKNOWN, "files", "thing"), made(FILES, "files"), made(OTHER, "thing")) is True


def test_other_types_count_where_they_have_names_of_the_kind() -> None:
    owner, target, other = policy(UNKNOWN, "files", "thing"), made(FILES, "files"), made(OTHER, "thing")
    stack = Stack([owner, target, other])
    value = owner.props["fileSystemId"]
    assert refers(stack, owner, "fileSystemId", value, target, (FILES, OTHER)) is None


def test_an_unknown_value_that_was_made_of_nothing_can_be_anything() -> None:
    assert said(policy(UNKNOWN), made(FILES, "files", arn=ARN)) is None


def test_a_known_value_can_name_what_has_no_known_name_only_if_it_was_made_of_it() -> None:
    nameless = made(FILES, "files", arn=UNKNOWN)
    assert (said(policy("fs-1", "files"), nameless), said(policy("fs-1"), nameless)) == (True, False)


def test_a_value_of_another_type_is_refused() -> None:
    with pytest.raises(WrongTypeError, match="fileSystemId is 7, want a text"):
        said(policy(7), made(FILES, "files", arn=ARN))


def test_what_a_preview_leaves_open_was_not_given() -> None:
    table = made(OTHER, "table", routes=UNKNOWN)
    assert given(left_open(table, "routes"), "routes").absent
    assert given(table, "routes").unknown


def test_there_is_a_resource_that_names_another() -> None:
    files = made(FILES, "files", arn=ARN)
    assert [
        has(Stack([files, *others]), files, POLICY, "fileSystemId")
        for others in ([policy("fs-1")], [policy("fs-2")], [policy(UNKNOWN)], [])
    ] == [True, False, None, False]
