"""JSON texts of which only parts are known: in a first preview one unknown value makes the whole text unknown.

A component can say as data what such a text will be made of, in its output `documents`: names of its resources, their
properties, and the structures. There the unknown values are where they are, and rules judge the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from policies.crossguard.resources import Resource, Stack
from policies.crossguard.values import UNKNOWN, View

OUTPUT: Final = "documents"


def filled(stack: Stack) -> tuple[Stack, frozenset[str]]:
    """Return the stack with the parts that are known in place of unknown texts, and the URNs that this changed."""
    parts = {urn: found for component in stack.resources for urn, found in _parts(stack, component)}
    resources = [
        replace(each, props=View.of({**each.props.raw, **parts[each.urn]})) if each.urn in parts else each
        for each in stack.resources
    ]
    return Stack(resources), frozenset(parts)


def _parts(stack: Stack, component: Resource) -> Iterator[tuple[str, dict[str, Any]]]:
    documents = component.props.raw.get(OUTPUT) if isinstance(component.props.raw, Mapping) else None
    if not isinstance(documents, Mapping):
        return
    for child in stack.children(component):
        given = documents.get(child.name)
        if isinstance(given, Mapping) and isinstance(child.props.raw, Mapping):
            known = {name: part for name, part in given.items() if child.props.raw.get(name) is UNKNOWN}
            if known:
                yield child.urn, known
