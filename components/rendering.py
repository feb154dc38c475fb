"""JSON texts with outputs inside: policy documents, container definitions, events."""

from __future__ import annotations

import json
from typing import Any

import pulumi


class _Hole(int):
    """Stands in a structure for the output of this number."""


def as_json(value: Any, *, sort_keys: bool = False) -> pulumi.Output[str]:
    """Return the JSON text of a structure in which outputs stand anywhere as values.

    Like `pulumi.Output.json_dumps`, which wraps every single text and list in an output of its own: for the few
    outputs among the thousands of texts of a platform that is a third of the program's time.

    Args:
        value: Dicts, lists, tuples, texts, numbers, booleans, None and outputs of them.
        sort_keys: Write the keys of objects in alphabetical order.

    """
    outputs: list[pulumi.Output[Any]] = []

    def taken_out(part: Any) -> Any:
        if isinstance(part, pulumi.Output):
            outputs.append(part)
            return _Hole(len(outputs) - 1)
        if isinstance(part, dict):
            return {key: taken_out(item) for key, item in part.items()}
        return [taken_out(item) for item in part] if isinstance(part, list | tuple) else part

    shape = taken_out(value)
    return pulumi.Output.all(*outputs).apply(
        lambda values: json.dumps(_filled(shape, values), sort_keys=sort_keys)
    )


def _filled(shape: Any, values: list[Any]) -> Any:
    if isinstance(shape, _Hole):
        return values[shape]
    if isinstance(shape, dict):
        return {key: _filled(item, values) for key, item in shape.items()}
    return [_filled(item, values) for item in shape] if isinstance(shape, list) else shape


class Documents:
    """The JSON texts of a component's resources, and what each is made of.

    A text is unknown in a first preview as soon as one value in it is. The component therefore gives the structures
    in its output `documents`, too, where policies find everything that is known already.
    """

    def __init__(self) -> None:
        """Hold none."""
        self.parts: dict[str, dict[str, Any]] = {}
        """Structures by resource and property, in the provider's names."""

    def text(
        self, resource: str, property: str, value: Any, *, sort_keys: bool = False
    ) -> pulumi.Output[str]:
        """Return the JSON text of a structure for a property of a resource, and remember the structure."""
        self.parts.setdefault(resource, {})[property] = value
        return as_json(value, sort_keys=sort_keys)
