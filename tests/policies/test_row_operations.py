"""The operations on the resources of a stack change what they say, and leave the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.policies.cases import REMOVED
from tests.policies.golden import Golden, Row
from tests.policies.row_operations import (
    Of,
    Operation,
    made_of,
    then,
    with_item,
    with_option,
    with_property,
    with_resource,
    without,
    without_all,
    without_item,
)

PLACE = "urn:pulumi:prod::airflow-platform"
KEY, ROLE = "aws:kms/key:Key", "aws:iam/role:Role"


def row(token: str, name: str, made: dict[str, list[str]] | None = None, /, **inputs: Any) -> Row:
    return {
        "urn": f"{PLACE}::{token}::{name}",
        "id": f"id-{name}",
        "type": token,
        "inputs": inputs,
        "outputs": {**inputs, "arn": f"arn-{name}"},
        "propertyDependencies": made or {},
    }


FIRST, SECOND = row(KEY, "first", policy=json.dumps({"Statement": [1]})), row(KEY, "second")
USER = row(ROLE, "user", {"keys": [FIRST["urn"], SECOND["urn"]]}, keys=["arn-first", "arn-second"])
PROVIDER = row("pulumi:providers:aws", "aws")
ROWS = [row("pulumi:pulumi:Stack", "prod"), PROVIDER, FIRST, SECOND, USER]
GOLDEN = Golden("prod", {"deployment": {"resources": ROWS}})


def done(operation: Operation) -> list[Row]:
    """Return the rows that an operation changed or added."""
    return [each for each in operation(GOLDEN).rows if each not in ROWS]


def names(operation: Operation) -> list[str]:
    return [each["urn"].rpartition("::")[2] for each in operation(GOLDEN).rows]


def test_one_resource_is_removed() -> None:
    assert names(without(KEY, "first")) == ["prod", "aws", "second", "user"]


def test_all_of_a_type_are_removed() -> None:
    assert names(without_all(KEY)) == ["prod", "aws", "user"]
    assert names(without_all(KEY, "sec")) == ["prod", "aws", "first", "user"]


@pytest.mark.parametrize("part", ["", "third"])
def test_a_name_that_is_not_one_resource_is_refused(part: str) -> None:
    with pytest.raises(LookupError):
        without(KEY, part)(GOLDEN)


def test_a_value_is_changed_in_inputs_and_outputs() -> None:
    (changed,) = done(with_property(KEY, "second", "spec", "RSA"))
    assert (changed["inputs"], changed["outputs"]) == ({"spec": "RSA"}, {"spec": "RSA", "arn": "arn-second"})


def test_a_value_is_taken_away() -> None:
    (changed,) = done(with_property(ROLE, "user", "keys[0]", REMOVED))
    assert (changed["inputs"]["keys"], changed["outputs"]["keys"]) == (["arn-second"], ["arn-second"])


def test_a_value_of_another_resource_is_what_the_property_is_made_of() -> None:
    (changed,) = done(with_property(KEY, "second", "of.role", Of(ROLE)))
    assert changed["inputs"] == {"of": {"role": "id-user"}}
    assert changed["propertyDependencies"] == {"of": [USER["urn"]]}


def test_an_output_that_a_resource_does_not_have_is_refused() -> None:
    with pytest.raises(LookupError):
        with_property(KEY, "second", "spec", Of(ROLE, "", "name"))(GOLDEN)


def test_an_item_is_added_in_a_text() -> None:
    (changed,) = done(with_item(KEY, "first", "policy.Statement", 2))
    assert json.loads(changed["outputs"]["policy"]) == {"Statement": [1, 2]}


def test_an_item_is_taken_out_with_what_it_was_made_of() -> None:
    (changed,) = done(without_item(ROLE, "user", "keys", Of(KEY, "first", "arn")))
    assert changed["outputs"]["keys"] == ["arn-second"]
    assert changed["propertyDependencies"] == {"keys": [SECOND["urn"]]}


def test_an_item_that_is_not_there_is_refused() -> None:
    with pytest.raises(LookupError):
        without_item(ROLE, "user", "keys", Of(KEY, "first"))(GOLDEN)


def test_what_a_property_was_made_of_is_changed_without_its_value() -> None:
    (changed,) = done(made_of(ROLE, "user", "keys", Of(KEY, "second")))
    assert changed == USER | {"propertyDependencies": {"keys": [SECOND["urn"]]}}


def test_an_option_is_changed() -> None:
    assert done(with_option(KEY, "first", "protect", True)) == [FIRST | {"protect": True}]


def test_an_added_resource_is_one_of_the_stack_and_its_provider() -> None:
    (added,) = done(with_resource(KEY, "third", {"by": [Of(ROLE)], "spec": "RSA"}, protect=True))
    assert added["urn"] == f"{PLACE}::{KEY}::third"
    assert (added["inputs"], added["id"]) == ({"by": ["id-user"], "spec": "RSA"}, "third")
    assert added["propertyDependencies"] == {"by": [USER["urn"]], "spec": []}
    assert (added["provider"], added["protect"]) == (f"{PROVIDER['urn']}::id-aws", True)


def test_operations_follow_each_other() -> None:
    assert names(then(without(KEY, "first"), without(KEY, ""))) == ["prod", "aws", "user"]


def test_the_stack_itself_is_left_as_it_was() -> None:
    before = json.dumps(GOLDEN.content)
    then(with_item(ROLE, "user", "keys", 1), with_resource(KEY, "third", {}), without(ROLE, ""))(GOLDEN)
    assert json.dumps(GOLDEN.content) == before
