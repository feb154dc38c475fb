"""Tags of every resource: who owns it, who pays for it, and of which environment it is."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from policies.crossguard.checks import parsed
from policies.crossguard.findings import Finding, Undecided, Violation, judged
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.rules import About, Relation, Severity, Tier
from policies.crossguard.values import ABSENT, View

WANTED: Final = ("costCenter", "environment", "owner")


def _tagged(stack: Stack) -> Iterator[About]:
    for resource in stack.resources:
        # What can have tags has `tagsAll`, also when it has none.
        if resource.type.startswith("aws:"):
            for finding in judged(partial(_judged, resource), resource.props):
                yield About(resource.urn, finding)


def _judged(resource: Resource, _: View) -> Iterator[Finding]:
    own, every = resource.props["tags"], resource.props["tagsAll"]
    if own.absent and every.absent:
        return
    tags = [own, _defaults(resource)] if every.unknown or every.absent else [every]
    missing, unknown = [], []
    for key in WANTED:
        values = [each[key] for each in tags]
        # The first one that is there counts, as the provider puts them together.
        value = next((each for each in values if not each.absent), values[-1])
        if value.unknown:
            unknown.append(value.path)
        elif value.text() == "":
            missing.append(key)
    if missing:
        yield Violation(f"it has no tags {', '.join(missing)}")
    yield from map(Undecided, unknown)


def _defaults(resource: Resource) -> View:
    """Return the default tags of its provider; the engine hands on objects of a provider as JSON."""
    if resource.provider is None or resource.provider.props["defaultTags"].absent:
        return View(ABSENT, "defaultTags")
    return parsed(resource.provider.props["defaultTags"])["tags"]


RELATIONS: Final = (
    Relation(
        name="resource-tagged",
        why="Nobody knows whom to ask about it, nor who pays for it, nor whether it may be deleted.",
        fix="Set the tags owner, costCenter and environment, best as default tags of the provider.",
        severity=Severity.LOW,
        tier=Tier.EVERYWHERE,
        controls=("R12",),
        check=_tagged,
    ),
)
