"""What a place in the settings allows, in words, read from the JSON Schema of the models.

Messages and the generated documentation both take their words from here, so they cannot disagree with the
models.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from settings.errors import Location

Node = Mapping[str, Any]
NEAR = 0.6  # how alike two names must be, from 0 to 1, to be suggested


def resolve(node: Node, schema: Node) -> Node:
    """Return `node` with its reference replaced by the definition; what stands beside the reference wins.

    Of an optional section, which the schema calls "this or null", the section is returned.
    """
    if "anyOf" in node:
        (section,) = (choice for choice in node["anyOf"] if choice.get("type") != "null")
        node = {**section, **{key: value for key, value in node.items() if key != "anyOf"}}
    reference = node.get("$ref")
    if reference is None:
        return node
    definition = schema["$defs"][reference.rsplit("/", 1)[1]]
    return {**definition, **{key: value for key, value in node.items() if key != "$ref"}}


def node_at(location: Location, schema: Node) -> Node:
    """Return the schema node of a location; an empty node where the schema describes nothing."""
    node = resolve(schema, schema)
    for part in location:
        if isinstance(part, int):
            child = node.get("items", {})
        elif "properties" in node:
            child = node["properties"].get(part, {})
        else:
            child = map_value(node, schema)
        node = resolve(child, schema)
    return node


def describe(node: Node, schema: Node) -> str:
    """Say what the values of `node` are: `none, single, perZone` or `a whole number from 18 to 27`."""
    node = resolve(node, schema)
    if "x-allowed" in node:
        return str(node["x-allowed"])
    if "const" in node:
        return str(node["const"])
    if "enum" in node:
        return ", ".join(str(value) for value in node["enum"])
    return _describe_type(node, schema)


def _describe_type(node: Node, schema: Node) -> str:
    kind = node.get("type")
    if kind == "integer":
        return f"a whole number from {node['minimum']} to {node['maximum']}"
    if kind == "boolean":
        return "true or false"
    if kind == "array":
        sizes = f" of {node['minItems']} to {node['maxItems']}" if "maxItems" in node else ""
        return f"a list{sizes}, each {describe(node['items'], schema)}"
    if "properties" in node:
        return f"a section with the keys {', '.join(node['properties'])}"
    least = f"{node['minProperties']} to" if "minProperties" in node else "at most"
    value = map_value(node, schema)
    content = f"each {describe(value, schema)}" if "properties" in value else "each with a text"
    return f"a section of {least} {node['maxProperties']} keys, {content}"


def map_value(node: Node, schema: Node) -> Node:
    """Return the node of the values of a map, a section whose keys the stack file chooses; empty for others."""
    return resolve(next(iter(node.get("patternProperties", {}).values()), {}), schema)


def suggest(name: str, location: Location, schema: Node) -> str | None:
    """Return the name that was probably meant by an unknown key at `location`, if there is one.

    A key of the same section comes first, then a key of that very name in another section.
    """
    sibling = _near(name, node_at(location, schema).get("properties", {}))
    return sibling or next((path for path in _paths(schema, schema) if path.rsplit(".", 1)[-1] == name), None)


def nearest(value: str, node: Node) -> str | None:
    """Return the allowed value nearest to `value`, if the node has a list of values and one is near."""
    return _near(value, node.get("enum", []))


def _near(name: str, choices: Iterable[object]) -> str | None:
    by_folded = {_fold(str(choice)): str(choice) for choice in choices}
    near = difflib.get_close_matches(_fold(name), by_folded, n=1, cutoff=NEAR)
    return by_folded[near[0]] if near else None


def _fold(name: str) -> str:
    """Drop what people get wrong: case and separators."""
    return "".join(char for char in name[:100].lower() if char.isalnum())


def _paths(node: Node, schema: Node, prefix: str = "") -> Iterator[str]:
    for name, child in resolve(node, schema).get("properties", {}).items():
        yield f"{prefix}{name}"
        yield from _paths(child, schema, f"{prefix}{name}.")
        yield from _paths(map_value(resolve(child, schema), schema), schema, f"{prefix}{name}.<name>.")
