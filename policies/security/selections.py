"""What a selection of AWS Backup takes into its plan: by ARN or pattern, by tags, and not what is left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.crossguard.resources import Resource, Stack
from policies.crossguard.values import View
from policies.security.documents import has_wildcard, like
from policies.security.references import Verdict, either, every, given, refers, tells

SELECTION: Final = "aws:backup/selection:Selection"
_TAG: Final = "aws:ResourceTag/"
_SERVICE: Final = 2
"""Place in an ARN."""


def is_selected(stack: Stack, resource: Resource, arn: str) -> Verdict:
    """Say whether some plan backs a resource up.

    Args:
        stack: The resource's own.
        resource: What holds data.
        arn: The form of its ARN, as in `arn:aws:rds:*:*:db:*`, for when the ARN itself is not known yet.

    """
    return either(_takes(stack, each, resource, arn) for each in stack.of(SELECTION))


def _takes(stack: Stack, selection: Resource, resource: Resource, arn: str) -> Verdict:
    named = _named(stack, selection, "resources", resource, arn)
    excluded = _named(stack, selection, "notResources", resource, arn)
    conditions = _conditions(given(selection, "conditions"), resource)
    return every(
        [
            either([named, *_tagged(given(selection, "selectionTags"), resource)]),
            None if excluded is None else not excluded,
            *conditions,
        ]
    )


def _named(stack: Stack, selection: Resource, property: str, resource: Resource, arn: str) -> Verdict:
    value = given(selection, property)
    items = [value] if value.unknown else [*value.items()]
    return either(_names(stack, selection, property, item, resource, arn) for item in items)


def _names(
    stack: Stack, selection: Resource, property: str, item: View, resource: Resource, arn: str
) -> Verdict:
    if item.unknown or not has_wildcard(item.text()):
        return refers(stack, selection, property, item, resource)
    pattern, own = item.text(), resource.props["arn"]
    if not own.unknown and not own.absent:
        return like(own.text(), pattern)
    if like(arn, pattern):
        return True
    # Region, account and name can still be those of the pattern; the service never changes.
    service, parts = arn.split(":")[_SERVICE], pattern.split(":")
    return False if len(parts) > _SERVICE and not like(service, parts[_SERVICE]) else None


def _tag(resource: Resource, key: str) -> View:
    tag = resource.props["tags"][key]
    return resource.props["tagsAll"][key] if tag.absent else tag


def _tagged(tags: View, resource: Resource) -> Iterator[Verdict]:
    if tags.unknown:
        yield None
        return
    for item in tags.items():
        yield _compares(item["value"], _tag(resource, item["key"].text()), pattern=False)


def _compares(wanted: View, tag: View, *, pattern: bool) -> Verdict:
    def equals(own: View) -> bool:
        return like(own.text(), wanted.text()) if pattern else own.text() == wanted.text()

    return tells(wanted, lambda _: tells(tag, equals))


def _conditions(conditions: View, resource: Resource) -> Iterator[Verdict]:
    """Yield for every condition whether a resource meets it: all of them have to be met."""
    if conditions.unknown:
        yield None
        return
    for group in conditions.items():
        for operator, items in group.entries():
            for item in items.items():
                tag = _tag(resource, item["key"].text().removeprefix(_TAG))
                met = _compares(item["value"], tag, pattern="like" in operator.lower())
                yield met if met is None or "not" not in operator.lower() else not met
