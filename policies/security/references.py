"""What a property of one resource says about another one of the stack.

Where its value is known it is compared with the names of the other resource; during a preview of something new it is
not, but the engine knows from the start of which resources each property was made. A property can be made of more
resources than it names in the end: one id out of a list was made of everything in the list. Then nobody can tell yet.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final
from weakref import WeakKeyDictionary

from policies.crossguard.findings import Finding, judged
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.rules import About
from policies.crossguard.values import ABSENT, View

Verdict = bool | None
"""None: nobody can tell yet."""

_NAMES: Final = (
    "id",
    "arn",
    "name",
    "bucket",
    "zoneId",
    "clusterIdentifier",
    "mainRouteTableId",
    "defaultRouteTableId",
)
"""Outputs that others refer to. A VPC stands for its main route table, which is no resource of the program."""


def either(verdicts: Iterable[Verdict]) -> Verdict:
    """Say whether one of several is true."""
    found = [*verdicts]
    return True if True in found else None if None in found else False


def every(verdicts: Iterable[Verdict]) -> Verdict:
    """Say whether all of several are true."""
    found = [*verdicts]
    return False if False in found else None if None in found else True


def tells(value: View, test: Callable[[View], Verdict]) -> Verdict:
    """Say what a test says about a value, once it is known."""
    return None if value.unknown else test(value)


def given(resource: Resource, property: str) -> View:
    """Return a property of a resource if the program gave it; what AWS filled in is absent, known or not.

    A resource of which nothing is recorded, such as an imported one, or one that was given nothing, has what is known
    of it: it says how things are.
    """
    value = resource.props[property]
    if property in resource.property_dependencies:
        return value
    return View(ABSENT, property) if resource.property_dependencies or value.unknown else value


def names_of(resource: Resource) -> frozenset[str]:
    """Return the names of a resource as far as they are known."""
    # Asked for thousands of times while one stack is judged, most of the time that this takes.
    found = _KNOWN.get(resource)
    if found is None:
        found = _KNOWN[resource] = frozenset(_names(resource))
    return found


_KNOWN: Final[WeakKeyDictionary[Resource, frozenset[str]]] = WeakKeyDictionary()


def _names(resource: Resource) -> Iterator[str]:
    for key in _NAMES:
        value = resource.props[key]
        text = None if value.unknown else value.known()
        if isinstance(text, str) and text:
            yield text
            if key == "arn":
                yield re.split(r"[:/]", text)[-1]


def refers(
    stack: Stack, owner: Resource, property: str, value: View, target: Resource, kinds: Sequence[str] = ()
) -> Verdict:
    """Say whether a value is a name of another resource.

    Args:
        stack: Where both are.
        owner: The resource that has the value.
        property: The property at its top that the value is, or is a part of.
        value: What is compared.
        target: The other resource.
        kinds: Types of resources that the value can be a name of; that of the target by default.

    Raises:
        WrongTypeError: The value is no text.

    """
    if value.absent:
        return False
    made_of = stack.behind(owner, property, *(kinds or (target.type,)))
    if value.unknown:
        if not made_of:
            return None
    else:
        if value.text() in names_of(target):
            return True
        made_of = [each for each in made_of if not names_of(each)]
    if target not in made_of:
        return False
    return True if len(made_of) == 1 else None


def has(stack: Stack, resource: Resource, kind: str, property: str) -> Verdict:
    """Say whether there is a resource of another type whose property names a resource."""
    return either(refers(stack, each, property, each.props[property], resource) for each in stack.of(kind))


def each_of(
    check: Callable[[Stack, Resource], Iterable[Finding]], *types: str
) -> Callable[[Stack], Iterator[About]]:
    """Return a check of a stack that judges every resource of certain types for itself."""

    def of_stack(stack: Stack) -> Iterator[About]:
        for resource in stack.of(*types):

            def findings(_: View, resource: Resource = resource) -> Iterable[Finding]:
                return check(stack, resource)

            for finding in judged(findings, resource.props):
                yield About(resource.urn, finding)

    return of_stack
