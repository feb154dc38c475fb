"""Checks of which resource a property of another one means, and of what the program itself said.

The answers are those of `references`; what nobody can tell yet makes a check undecided.
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.crossguard.findings import Check, Finding, Violation
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.values import UndecidedError, View
from policies.security.references import Verdict, either, refers


def means(stack: Stack, source: Resource, place: str, target: Resource) -> bool:
    """Say whether a property means a certain resource.

    Args:
        stack: The stack of both.
        source: The one with the property.
        place: The property, or one inside of it, as in `accessLogs.bucket`.
        target: The other one.

    Raises:
        UndecidedError: Neither values nor what they were made of tell.

    """
    return _decided(refers(stack, source, _property(place), source.props.at(place), target), place)


def lists(stack: Stack, source: Resource, place: str, target: Resource, part: str = "") -> bool:
    """Say whether one item of a list means a certain resource.

    Args:
        stack: The stack of both.
        source: The one with the list.
        place: The list, as in `networkConfiguration.securityGroups`.
        target: The other one.
        part: The property of the item that means it; empty where the items are texts.

    Raises:
        UndecidedError: Neither values nor what they were made of tell.

    """
    listed = source.props.at(place)
    made_of = stack.behind(source, _property(place), target.type)
    if target in made_of or (listed.unknown and made_of):
        return target in made_of
    items = [item[part] if part else item for item in listed.items()]
    return _decided(either(refers(stack, source, _property(place), item, target) for item in items), place)


def is_meant(stack: Stack, source: Resource, place: str, target: Resource) -> Check:
    """Return a check that a property of one resource means another one; it looks at nothing else."""

    def check(_: View) -> Iterator[Finding]:
        if not means(stack, source, place, target):
            yield Violation(f"{place} of {source.name} means something else than {target.name}")

    return check


def _property(place: str) -> str:
    return place.partition(".")[0]


def _decided(verdict: Verdict, place: str) -> bool:
    if verdict is None:
        raise UndecidedError(place)
    return verdict
