"""The facts of every AWS type hold what the Python SDK takes: names, kinds, and what must be given."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from sandbox.behaviour.schema import DATA, all_facts

TYPES = sorted(token for token in all_facts() if token.startswith("aws:"))
LOOSER_SDK = "aws:wafv2/webAcl:WebAcl"
"""Its nested classes are shared with another resource, so the SDK does not require what the provider requires."""


@pytest.fixture(scope="module")
def sdk() -> dict[str, Any]:
    script = Path(__file__).parent / "sdk_shapes.py"
    command = [sys.executable, "-W", "ignore", str(script)]
    done = subprocess.run(command, input=json.dumps(TYPES), capture_output=True, text=True, check=True)
    shapes: dict[str, Any] = json.loads(done.stdout)
    return shapes


def kind_in_facts(facts: Mapping[str, Any]) -> str:
    nested = "properties" in facts or "recursive" in facts
    if facts["type"] not in ("list", "map"):
        return str(facts["type"])
    items = "object" if nested else facts["items"].replace("map<string>", "map of string")
    return f"{facts['type']} of {items}"


def differences(
    classes: Mapping[str, Any], name: str, properties: Mapping[str, Any], path: str, strict: bool
) -> Iterator[str]:
    inputs = classes[name]
    yield from (f"{path}{key}: not in the SDK" for key in properties.keys() - inputs.keys())
    for key, given in inputs.items():
        facts = properties.get(key)
        if facts is None:
            yield f"{path}{key}: not in the facts"
            continue
        if given["kind"] != kind_in_facts(facts):
            yield f"{path}{key}: {given['kind']} in the SDK, {kind_in_facts(facts)} in the facts"
        if strict and given["required"] != bool(facts.get("required")):
            yield f"{path}{key}: required differs"
        if given["class"] and "recursive" not in facts:
            yield from differences(classes, given["class"], facts["properties"], f"{path}{key}.", strict)


@pytest.mark.parametrize("token", TYPES)
def test_facts_agree_with_the_sdk(sdk: dict[str, Any], token: str) -> None:
    name, properties = sdk["types"][token], all_facts()[token]["properties"]
    assert list(differences(sdk["classes"], name, properties, "", token != LOOSER_SDK)) == []


def test_looser_sdk_still_requires_the_top(sdk: dict[str, Any]) -> None:
    inputs = sdk["classes"][sdk["types"][LOOSER_SDK]]
    needed = {key for key, given in inputs.items() if given["required"]}
    assert needed == {"scope", "defaultAction", "visibilityConfig"}


def test_every_nested_type_was_compared(sdk: dict[str, Any]) -> None:
    assert len(sdk["classes"]) > 700
    assert sum(map(len, sdk["classes"].values())) > 2500


def test_every_extracted_type_is_there() -> None:
    assert len(json.loads((DATA / "aws_schema.json").read_text())) == 118


def test_the_one_entry_that_repeats_an_extracted_one_only_adds() -> None:
    token = "aws:scheduler/schedule:Schedule"
    extracted = json.loads((DATA / "aws_schema.json").read_text())[token]
    added = json.loads((DATA / "aws_schema_extra.json").read_text())[token]
    block = added["properties"]["target"]["properties"]["eventbridgeParameters"]["properties"]
    assert block.pop("source")["type"] == "string"
    assert added["properties"] == extracted["properties"]
    assert added["notes"][:-1] == extracted["notes"]
    assert {key: added[key] for key in added if key not in ("properties", "notes")} == {
        key: extracted[key] for key in extracted if key not in ("properties", "notes")
    }
