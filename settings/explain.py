"""Turns pydantic's errors into one line each that a person can act on."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from settings.allowed import Node, describe, nearest, node_at, suggest
from settings.errors import Location, show, show_path


def explain(error: ValidationError, schema: dict[str, Any]) -> list[str]:
    """Return one line for each field error, in the order of the fields; `schema` is that of the model."""
    details = error.errors(include_url=False, include_context=False)
    return [_explain_one(detail, schema) for detail in details if not _is_echo(detail, schema)]


def _is_echo(detail: ErrorDetails, schema: Node) -> bool:
    """Pydantic calls a list or map too short when it drops wrong entries; each has an error of its own."""
    if detail["type"] != "too_short":
        return False
    node = node_at(detail["loc"], schema)
    return len(detail["input"]) >= int(node.get("minItems") or node["minProperties"])


def _explain_one(detail: ErrorDetails, schema: Node) -> str:
    location, given = detail["loc"], detail["input"]
    if detail["type"] == "extra_forbidden":
        return _unknown_key(location, schema)
    if _is_key_of_a_map(location, schema):
        allowed = describe(node_at(location[:-2], schema)["propertyNames"], schema)
        return f"{show_path(location[:-2])}: got the key {show(given)}, allowed: {allowed}"
    node = node_at(location, schema)
    allowed = describe(node, schema)
    if detail["type"] == "missing":
        return f"{show_path(location)}: is required, allowed: {allowed}"
    hint, remedy = _meant(given, node), _remedy(given, node)
    return f"{show_path(location)}: got {show(given)}, {hint}allowed: {allowed}{remedy}"


def _is_key_of_a_map(location: Location, schema: Node) -> bool:
    """Pydantic marks an error in a map's key, not its value, by a last part `[key]`."""
    return location[-1:] == ("[key]",) and "patternProperties" in node_at(location[:-2], schema)


def _unknown_key(location: Location, schema: Node) -> str:
    *section, name = location
    suggestion = suggest(str(name), section, schema)
    meant = f", did you mean {suggestion}?" if suggestion else ","
    keys = ", ".join(node_at(section, schema)["properties"])
    return f"{show_path(location)}: unknown key{meant} allowed: {keys}"


def _meant(given: object, node: Node) -> str:
    value = nearest(given, node) if isinstance(given, str) else None
    return f"did you mean {value}? " if value else ""


def _remedy(given: object, node: Node) -> str:
    wanted = node.get("type")
    if wanted == "string" and isinstance(given, int | float) and not isinstance(given, bool):
        return "; put it in quotes: YAML reads bare digits as a number, and leading zeros are lost"
    if wanted in {"integer", "boolean"} and isinstance(given, str):
        return "; without quotes"
    return ""
