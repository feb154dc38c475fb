"""Container definitions of ECS: their JSON against the API model that botocore ships."""

from __future__ import annotations

import difflib
import gzip
import importlib.util
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from sandbox.behaviour.model import Failure
from sandbox.behaviour.specs import described
from sandbox.behaviour.walker import join

ROOT: Final = "ContainerDefinition"


@cache
def _shapes() -> Mapping[str, Any]:
    spec = importlib.util.find_spec("botocore")
    assert spec is not None, "botocore is missing: install requirements-dev.txt"
    assert spec.origin is not None
    folder = max((Path(spec.origin).parent / "data" / "ecs").iterdir())
    model = next(folder.glob("service-2.json*"))
    text = gzip.decompress(model.read_bytes()) if model.suffix == ".gz" else model.read_bytes()
    shapes: Mapping[str, Any] = json.loads(text)["shapes"]
    return shapes


def model_failures(value: Any, path: str, shape: str = ROOT) -> Iterator[Failure]:
    """Yield where a value departs from a shape of the ECS API: unknown members, types, enums, missing members.

    Args:
        value: Parsed JSON.
        path: Where the value stands, for the failures.
        shape: The name of the shape.

    """
    rules = _shapes()[shape]
    kind = rules["type"]
    if kind == "structure":
        yield from _structure(value, path, rules, shape)
    elif kind == "list":
        yield from _list(value, path, rules)
    elif kind == "map":
        yield from _map(value, path, rules)
    elif not _SCALARS[kind](value):
        yield Failure(path, f"expected {_EXPECTED[kind]}, got {described(value)}")
    elif "enum" in rules and value not in rules["enum"]:
        yield Failure(path, f"got {described(value)}, allowed: {', '.join(rules['enum'])}")


def _structure(value: Any, path: str, rules: Mapping[str, Any], shape: str) -> Iterator[Failure]:
    if not isinstance(value, dict):
        yield Failure(path, f"expected an object, got {described(value)}")
        return
    members = rules["members"]
    for name, item in value.items():
        if name not in members:
            near = difflib.get_close_matches(name, members, n=1, cutoff=0.6)
            hint = f'; did you mean "{near[0]}"?' if near else ""
            yield Failure(join(path, name), f"is not a member of {shape} in the ECS API{hint}")
        elif item is not None:
            yield from model_failures(item, join(path, name), members[name]["shape"])
    for name in rules.get("required", ()):
        if value.get(name) is None:
            yield Failure(join(path, name), "is required, but missing")


def _list(value: Any, path: str, rules: Mapping[str, Any]) -> Iterator[Failure]:
    if not isinstance(value, list):
        yield Failure(path, f"expected a list, got {described(value)}")
        return
    for index, item in enumerate(value):
        yield from model_failures(item, f"{path}[{index}]", rules["member"]["shape"])


def _map(value: Any, path: str, rules: Mapping[str, Any]) -> Iterator[Failure]:
    if not isinstance(value, dict):
        yield Failure(path, f"expected a map, got {described(value)}")
        return
    for key, item in value.items():
        yield from model_failures(item, join(path, key), rules["value"]["shape"])


_SCALARS: Final = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
}

_EXPECTED: Final = {"string": "a string", "integer": "a whole number", "boolean": "a boolean"}
