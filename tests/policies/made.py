"""Resources for the small stacks of tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from policies.crossguard.findings import Undecided, Violation
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.rules import Relation
from policies.crossguard.values import View

GOOD, BAD, OPEN = "good", "bad", "undecided"


def made(token: str, name: str, behind: dict[str, Sequence[str]] | None = None, /, **props: Any) -> Resource:
    """Return a resource whose URN is its name.

    Args:
        token: Its type.
        name: Its name.
        behind: Names of what properties were made of.
        props: Its outputs.

    """
    dependencies = {key: tuple(names) for key, names in (behind or {}).items()}
    given = {key: dependencies.get(key, ()) for key in props} | dependencies
    return Resource(
        urn=name,
        type=token,
        token=token,
        name=name,
        props=View.of(props),
        property_dependencies=given,
    )


def left_open(resource: Resource, *properties: str) -> Resource:
    """Return a resource of whose outputs a preview leaves some open that the program did not give."""
    kept = {key: urns for key, urns in resource.property_dependencies.items() if key not in properties}
    return replace(resource, property_dependencies=kept)


def verdict(relation: Relation, urn: str, *resources: Resource) -> str:
    """Return what a relation says about one resource of a stack: GOOD, BAD or OPEN."""
    abouts = list(relation.judge(Stack(resources)))
    assert [about for about in abouts if not about.urn] == []  # the relation did not fail
    found = [about.finding for about in abouts if about.urn == urn]
    if any(isinstance(finding, Violation) for finding in found):
        return BAD
    return OPEN if any(isinstance(finding, Undecided) for finding in found) else GOOD
