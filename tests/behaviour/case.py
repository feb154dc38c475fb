"""One wrong input: valid inputs, one change, and what must be said about it."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.behaviour.bases import BASES
from tests.behaviour.values import Json, plain

REMOVE: Final = object()
"""Takes a property away."""


@dataclass(frozen=True)
class Case:
    """One wrong input.

    `mutation` maps paths to new values (REMOVE takes away); the refusal must name `property` and hold `reason`.
    """

    id: str
    token: str
    mutation: Mapping[str, Any]
    property: str
    reason: str

    def inputs(self) -> dict[str, Any]:
        """Return the wrong inputs as a program hands them over."""
        changed = copy.deepcopy(dict(BASES[self.token]))
        for path, value in self.mutation.items():
            _change(changed, path, value)
        result: dict[str, Any] = plain(changed)
        return result


def _change(inputs: Any, path: str, value: Any) -> None:
    *parts, last = [int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", path)]
    for part in parts:
        inputs = inputs.value[part] if isinstance(inputs, Json) else inputs[part]
    inputs = inputs.value if isinstance(inputs, Json) else inputs
    if value is REMOVE:
        del inputs[last]
    elif isinstance(last, int) and last == len(inputs):
        inputs.append(value)
    else:
        inputs[last] = value
