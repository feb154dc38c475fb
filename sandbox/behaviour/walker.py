"""Walks a resource's inputs along the facts of its type: names, types, limits, patterns, formats, relations.

The result of a walk is a completed copy of the inputs: schema defaults filled in, policies given as dictionaries
written as JSON, references to resources turned into ids. What AWS decides later (UNKNOWN) is skipped part by part.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sandbox.behaviour.formats import JSON_FORMATS
from sandbox.behaviour.model import Failure, Properties
from sandbox.behaviour.relations import broken
from sandbox.behaviour.specs import Shape, Spec, described
from sandbox.behaviour.values import UNKNOWN, Archive, Asset, ResourceReference, has_unknown


@dataclass
class Walk:
    """One pass over a resource's inputs: what is wrong so far, and the objects around the current one."""

    label: str
    failures: list[Failure] = field(default_factory=list)
    parents: list[Mapping[str, Any]] = field(default_factory=list)

    def fail(self, path: str, reason: str) -> None:
        """Note a refused property."""
        self.failures.append(Failure(path, reason))

    def object(self, value: Mapping[str, Any], shape: Shape, path: str) -> Properties:
        """Check one object and return it completed."""
        result: Properties = {}
        self.parents.append(value)
        for name, item in value.items():
            where = join(path, name)
            spec = shape.specs.get(name)
            if spec is None:
                self.fail(where, _unknown_property(name, shape, self.label))
            elif spec.facts.get("computedOnly"):
                self.fail(where, "is set by AWS and cannot be given")
            else:
                result[name] = self.value(item, spec, where)
        for name in shape.required:
            if name not in value:
                self.fail(join(path, name), "is required, but missing")
        refused, conflicts = broken(shape.relations, self.parents)
        for name, reason in refused:
            self.fail(join(path, name), reason)
        for name, default in shape.defaults.items():
            if name not in value and name not in conflicts:
                result[name] = default
        self.parents.pop()
        return result

    def value(self, value: Any, spec: Spec, path: str) -> Any:
        """Check one value and return it completed."""
        if value is UNKNOWN:
            return value
        if isinstance(value, ResourceReference) and spec.kind == "string":
            return value.id
        if spec.facts.get("format") in JSON_FORMATS and isinstance(value, dict | list):
            value = (
                UNKNOWN if has_unknown(value) else json.dumps(value, sort_keys=True, separators=(",", ":"))
            )
            if value is UNKNOWN:
                return value
        if not _TYPES[spec.kind](value):
            self.fail(path, f"expected {_EXPECTED[spec.kind]}, got {described(value)}")
            return value
        if spec.kind in ("list", "map"):
            return self._container(value, spec, path)
        if spec.shape is not None:
            return self.object(value, spec.shape(), path)
        for test in spec.tests:
            if problem := test(value):
                self.fail(path, problem)
                break
        return value

    def _container(self, value: Any, spec: Spec, path: str) -> Any:
        for test in spec.tests:
            if problem := test(value):
                self.fail(path, problem)
        items = spec.items
        if items is None:
            return value
        if spec.kind == "map":
            return {key: self.value(item, items, join(path, key)) for key, item in value.items()}
        return [self.value(item, items, f"{path}[{index}]") for index, item in enumerate(value)]


def join(path: str, name: str) -> str:
    """Append a property or a map's key to a path; keys that are no plain name are quoted: `tags["a.b"]`."""
    if not name.replace("_", "").replace("-", "").isalnum():
        return f'{path}["{name}"]'
    return f"{path}.{name}" if path else name


_TYPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "string": lambda value: isinstance(value, str),
    "bool": lambda value: isinstance(value, bool),
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "list": lambda value: isinstance(value, list),
    "map": lambda value: isinstance(value, dict),
    "object": lambda value: isinstance(value, dict),
    "archive": lambda value: isinstance(value, Archive | Asset),
}

_EXPECTED: Final = {
    "string": "a string", "bool": "a boolean", "int": "a whole number", "number": "a number", "list": "a list",
    "map": "a map", "object": "an object", "archive": "an archive",
}  # fmt: skip


def _unknown_property(name: str, shape: Shape, label: str) -> str:
    owner = ".".join((label, *shape.path))
    near = difflib.get_close_matches(name, shape.specs, n=1, cutoff=0.6)
    return f"is not a property of {owner}" + (f'; did you mean "{near[0]}"?' if near else "")
