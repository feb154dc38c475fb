"""The facts of every AWS type hold what the Python SDK takes: names, kinds, and what must be given."""

from __future__ import annotations

import collections.abc
import importlib
import inspect
import json
import re
import typing
from collections.abc import Iterator, Mapping
from typing import Any

import pulumi
import pytest
from pulumi import _types

from sandbox.behaviour.schema import DATA, all_facts

# The SDK warns about what it has renamed when a package is imported.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:pulumi_aws.*")

TYPES = sorted(token for token in all_facts() if token.startswith("aws:"))
MODULES = {"lambda": "lambda_"}
SCALARS = {str: "string", bool: "bool", int: "int", float: "number", pulumi.Archive: "archive"}
LOOSER_SDK = "aws:wafv2/webAcl:WebAcl"
"""Its nested classes are shared with another resource, so the SDK does not require what the provider requires."""


def args_of(token: str) -> type:
    # The resource's own module, not its package: packages load lazily, with everything that the SDK has renamed.
    _, path, name = token.split(":")
    package, _, resource = path.partition("/")
    file = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", resource).lower()
    module = importlib.import_module(f"pulumi_aws.{MODULES.get(package, package)}.{file}")
    # A resource called like the nested block of another one has its own arguments under this name.
    found: type = getattr(module, f"{name}InitArgs", None) or getattr(module, f"{name}Args")
    return found


def options(hint: Any) -> list[Any]:
    """Return what a hint allows, without what every input allows: None, awaitables and outputs."""
    if typing.get_origin(hint) is not typing.Union:
        return [hint]
    wrappers = (collections.abc.Awaitable, pulumi.Output)
    return [
        item
        for item in typing.get_args(hint)
        if item is not type(None) and typing.get_origin(item) not in wrappers
    ]


def kind_of(hint: Any) -> tuple[str, type | None]:
    for item in options(hint):
        origin, args = typing.get_origin(item), typing.get_args(item)
        if origin in (list, collections.abc.Sequence):
            kind, nested = kind_of(args[0])
            return f"list of {kind}", nested
        if origin in (dict, collections.abc.Mapping):
            return f"map of {kind_of(args[1])[0]}", None
        if isinstance(item, type) and _types.is_input_type(item):
            return "object", item
        if item in SCALARS:
            return SCALARS[item], None
        if isinstance(item, type) and issubclass(item, str):
            return "string", None
    raise AssertionError(hint)


def kind_in_facts(facts: Mapping[str, Any]) -> str:
    nested = "properties" in facts or "recursive" in facts
    if facts["type"] not in ("list", "map"):
        return str(facts["type"])
    items = "object" if nested else facts["items"].replace("map<string>", "map of string")
    return f"{facts['type']} of {items}"


def differences(args: type, properties: Mapping[str, Any], path: str, strict: bool) -> Iterator[str]:
    signature = inspect.signature(args).parameters.items()
    needed = {name for name, parameter in signature if parameter.default is parameter.empty}
    hints = _types.input_type_types(args)
    names = _types.input_type_py_to_pulumi_names(args)
    for name in properties.keys() - set(names.values()):
        yield f"{path}{name}: not in the SDK"
    for python_name, name in names.items():
        facts = properties.get(name)
        if facts is None:
            yield f"{path}{name}: not in the facts"
            continue
        kind, nested = kind_of(hints[name])
        if kind != kind_in_facts(facts):
            yield f"{path}{name}: {kind} in the SDK, {kind_in_facts(facts)} in the facts"
        if strict and (python_name in needed) != bool(facts.get("required")):
            yield f"{path}{name}: required differs"
        if nested is not None and "recursive" not in facts:
            yield from differences(nested, facts["properties"], f"{path}{name}.", strict)


@pytest.mark.parametrize("token", TYPES)
def test_facts_agree_with_the_sdk(token: str) -> None:
    strict = token != LOOSER_SDK
    assert list(differences(args_of(token), all_facts()[token]["properties"], "", strict)) == []


def test_looser_sdk_still_requires_the_top() -> None:
    args = args_of(LOOSER_SDK)
    needed = {"scope", "default_action", "visibility_config"}
    signature = inspect.signature(args).parameters.items()
    assert needed == {name for name, parameter in signature if parameter.default is parameter.empty} - {
        "__self__"
    }


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
