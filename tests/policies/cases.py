"""Cases of rules: properties with which a rule is content, and what raises it when it is changed.

From one case follow the tests with a value that is absent, unknown, secret and of another type, and the mutation of
the golden stacks.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_STEP: Final = re.compile(r"[^.\[\]]+")
REMOVED: Final = object()
"""Given as a value, it takes away what is there."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One value that raises the rule."""

    path: str
    """Where, as in `containerDefinitions[0].user`; it may lead into a JSON text."""
    bad: Any
    """The value, or REMOVED."""
    absent: bool = True
    """Whether the rule is raised, too, when nothing is there."""
    typed: bool = True
    """Whether the rule is raised, too, by a value of another type; not where only presence counts."""
    decides: bool = True
    """Whether the rule cannot be judged without the value."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A rule, properties that it accepts, and what it does not accept."""

    rule: str
    type: str
    """The type of resource, one of those the rule is on."""
    good: Mapping[str, Any]
    changes: tuple[Change, ...]
    golden: str | None = ""
    """Part of the name of the resource in a golden stack to which the changes are made as well: any of the type by
    default, and None where the golden stacks have nothing of the kind."""


def changed(properties: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return properties with another value at a path, which is made where it is missing."""
    found = copy.deepcopy(dict(properties))
    steps: list[Any] = [int(step) if step.isdigit() else step for step in _STEP.findall(path)]
    _put(found, steps, value)
    return found


def value_at(properties: Any, path: str) -> Any:
    """Return the value at a path, REMOVED when nothing is there."""
    found = properties
    for step in _STEP.findall(path):
        if isinstance(found, str):
            found = json.loads(found)
        key = int(step) if step.isdigit() else step
        try:
            found = found[key]
        except (KeyError, IndexError, TypeError):
            return REMOVED
    return found


def _put(inside: Any, steps: list[Any], value: Any) -> None:
    first, *rest = steps
    if not rest:
        if value is REMOVED:
            if isinstance(inside, list) or first in inside:
                del inside[first]
        elif isinstance(inside, list) and first == len(inside):
            inside.append(value)
        else:
            inside[first] = value
        return
    if isinstance(inside, dict) and inside.get(first) is None:
        inside[first] = [] if isinstance(rest[0], int) else {}
    elif isinstance(inside, list) and first == len(inside):
        inside.append([] if isinstance(rest[0], int) else {})
    if isinstance(inside[first], str):
        document = json.loads(inside[first])
        _put(document, rest, value)
        inside[first] = json.dumps(document)
    else:
        _put(inside[first], rest, value)
