"""The facts of each resource type: properties, what replaces, limits, names (data files in `sandbox/data`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

DATA = Path(__file__).parent.parent / "data"
FILES = ("aws_schema.json", "aws_schema_extra.json", "utility_schema.json")
"""Extracted facts of 118 AWS types; AWS types that we added by hand; docker, random and tls types."""

UTILITIES: Final = ("docker:", "random:", "tls:")
"""Beginnings of the type tokens that belong to no AWS account."""

Facts = Mapping[str, Any]


class UnknownType(LookupError):
    """A resource type, or an invoke, that the sandbox does not simulate."""


@cache
def all_facts() -> Mapping[str, Facts]:
    """Return the facts of every simulated type by Pulumi type token."""
    return {token: facts for file in FILES for token, facts in json.loads((DATA / file).read_text()).items()}


def facts_of(token: str) -> Facts:
    """Return the facts of one type.

    Raises:
        UnknownType: the sandbox does not simulate the type; the message names it.

    """
    try:
        return all_facts()[token]
    except KeyError:
        raise UnknownType(
            f"the sandbox does not simulate the resource type {token}; "
            f"the types it knows are listed in sandbox/data ({', '.join(FILES)})"
        ) from None
