"""Prints what the Python SDK takes for resource types, as JSON; a program of its own because the SDK loads lazily.

Usage: python sdk_shapes.py < tokens.json. The answer maps each token to its class of arguments, and each class to its
properties: name on the wire, kind, class of nested objects, whether it must be given.
"""

from __future__ import annotations

import collections.abc
import importlib
import inspect
import json
import sys
import typing
from typing import Any

import pulumi
from pulumi import _types

MODULES = {"lambda": "lambda_"}
SCALARS = {str: "string", bool: "bool", int: "int", float: "number", pulumi.Archive: "archive"}


def args_of(token: str) -> type:
    """Return the class that holds the arguments of a type."""
    _, path, name = token.split(":")
    module = path.partition("/")[0]
    package = importlib.import_module(f"pulumi_aws.{MODULES.get(module, module)}")
    # A resource called like the nested block of another one has its own arguments under this name.
    found: type = getattr(package, f"{name}InitArgs", None) or getattr(package, f"{name}Args")
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
    """Return the kind of a hint in words, and the class of its objects."""
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
    raise ValueError(hint)


def describe(args: type, classes: dict[str, Any]) -> str:
    """Add a class and its nested classes to a collection; returns its name."""
    name = f"{args.__module__}.{args.__qualname__}"
    if name in classes:
        return name
    properties = classes[name] = {}
    signature = inspect.signature(args).parameters
    hints = _types.input_type_types(args)
    for python_name, wire_name in _types.input_type_py_to_pulumi_names(args).items():
        kind, nested = kind_of(hints[wire_name])
        properties[wire_name] = {
            "kind": kind,
            "class": describe(nested, classes) if nested else None,
            "required": signature[python_name].default is inspect.Parameter.empty,
        }
    return name


if __name__ == "__main__":
    found: dict[str, Any] = {}
    types = {token: describe(args_of(token), found) for token in json.load(sys.stdin)}
    json.dump({"types": types, "classes": found}, sys.stdout)
