"""Resources of an exported state."""

from __future__ import annotations

from typing import Any

import pytest

from policies.crossguard.state import resources
from policies.crossguard.wire import SECRET, SIGNATURE
from tests.policies.packs import THING, urn

PROVIDER = {
    "urn": "urn:pulumi:dev::airflow-platform::pulumi:providers:aws::aws",
    "type": "pulumi:providers:aws",
    "inputs": {"region": "eu-west-1"},
}
ROW: dict[str, Any] = {
    "urn": urn("one"),
    "type": THING,
    "inputs": {"locked": True},
    "outputs": {"locked": True, "id": "i", "word": {SIGNATURE: SECRET, "ciphertext": "v1:x"}},
    "parent": urn("parent"),
    "protect": True,
    "provider": f"{PROVIDER['urn']}::4711",
    "dependencies": [urn("two")],
    "propertyDependencies": {"key": [urn("two")], "other": None},
}


def exported(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"version": 3, "deployment": {"resources": [PROVIDER, *rows]}}


def test_an_exported_state_has_the_resource_with_all_that_is_known() -> None:
    _, found = resources(exported(ROW), "inputs")
    assert found.provider is not None
    assert (found.urn, found.type, found.name, found.parent) == (urn("one"), THING, "one", urn("parent"))
    assert (found.protect, found.dependencies) == (True, (urn("two"),))
    assert found.property_dependencies == {"key": (urn("two"),), "other": ()}
    assert found.provider.props["region"].text() == "eu-west-1"


def test_a_rule_sees_inputs() -> None:
    assert resources(exported(ROW), "inputs")[1].props["id"].absent


def test_a_relation_sees_outputs() -> None:
    assert resources(exported(ROW), "outputs")[1].props["id"].text() == "i"


def test_a_secret_is_there_and_not_known() -> None:
    word = resources(exported(ROW), "outputs")[1].props["word"]
    assert (word.unknown, word.secret) == (True, True)


def test_the_file_of_the_backend_is_read_as_well() -> None:
    content = {"checkpoint": {"latest": {"resources": [ROW]}}}
    assert [each.name for each in resources(content, "inputs")] == ["one"]


def test_what_waits_for_its_deletion_is_left_out() -> None:
    assert len(resources(exported(ROW, ROW | {"delete": True}), "inputs")) == 2


@pytest.mark.parametrize(
    "content", [{"deployment": {}, "checkpoint": {"latest": {}}}, {"checkpoint": {"latest": {}}}]
)
def test_an_empty_stack_has_no_resources(content: dict[str, Any]) -> None:
    assert resources(content, "inputs") == []


def test_a_resource_without_anything_has_empty_parts() -> None:
    (found,) = resources({"deployment": {"resources": [{"urn": urn("one"), "type": THING}]}}, "inputs")
    assert (found.protect, found.provider, found.dependencies, found.property_dependencies) == (
        False,
        None,
        (),
        {},
    )


def test_properties_have_the_names_of_the_type_that_rules_know() -> None:
    bucket = ROW | {"type": "aws:s3/bucketV2:BucketV2", "inputs": {"versionings": [{"enabled": True}]}}
    assert resources(exported(bucket), "inputs")[1].props.at("versioning.enabled").flag()
