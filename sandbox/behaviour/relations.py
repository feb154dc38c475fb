"""Relations between properties: what excludes, needs or replaces what.

As in the Terraform provider an unknown value satisfies a need, and never causes a conflict: it may still become null.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sandbox.behaviour.values import UNKNOWN

KINDS: Final = ("exactlyOneOf", "conflictsWith", "atLeastOneOf", "requiredWith")


@dataclass(frozen=True)
class Target:
    """Another property: how many objects up from the one at hand, and the path down from there."""

    up: int
    path: tuple[str, ...]

    @property
    def name(self) -> str:
        """The path in words of the object that holds it."""
        return ".".join(self.path)


@dataclass(frozen=True)
class Relation:
    """One relation of a property (`name`) of an object."""

    kind: str
    name: str
    targets: tuple[Target, ...]

    @property
    def key(self) -> tuple[str, frozenset[str]]:
        """What tells groups apart: every member of a group repeats the same group."""
        return self.kind, frozenset({*(target.name for target in self.targets)})


def relations_of(path: tuple[str, ...], properties: Mapping[str, Any]) -> tuple[Relation, ...]:
    """Compile the relations of the properties of one object that sits at a path of the resource."""
    return tuple(
        Relation(kind, name, tuple(_target(path, properties, other) for other in facts[kind]))
        for kind in KINDS
        for name, facts in properties.items()
        if facts.get(kind)
    )


def _target(path: tuple[str, ...], properties: Mapping[str, Any], other: str) -> Target:
    parts = tuple(other.split("."))
    if len(parts) == 1 and other in properties:
        return Target(0, parts)
    common = 0
    while common < min(len(path), len(parts) - 1) and path[common] == parts[common]:
        common += 1
    return Target(len(path) - common, parts[common:])


def broken(
    relations: Sequence[Relation], parents: Sequence[Mapping[str, Any]]
) -> tuple[list[tuple[str, str]], set[str]]:
    """Return what is refused in the innermost object, and which absent properties must get no default.

    Args:
        relations: The relations of the innermost object.
        parents: The objects from the resource down to the innermost one.

    Returns:
        Pairs of property and reason; names of properties whose default would conflict.

    """
    refused: list[tuple[str, str]] = []
    without_default: set[str] = set()
    done: set[object] = set()
    here = parents[-1]
    for relation in relations:
        given = [target for target in relation.targets if _found(target, parents) is not None]
        if relation.kind in ("exactlyOneOf", "conflictsWith") and relation.name not in here and given:
            without_default.add(relation.name)
        if relation.key in done and relation.kind != "conflictsWith":
            continue
        reason = _REASONS[relation.kind](relation, given, parents, done)
        if reason:
            done.add(relation.key)
            refused.append(reason)
    return refused, without_default


def _exactly_one(
    relation: Relation, given: list[Target], parents: Sequence[Mapping[str, Any]], done: set[object]
) -> tuple[str, str] | None:
    names = ", ".join(target.name for target in relation.targets)
    if not given:
        return relation.name, f"exactly one of {names} is required, got none"
    known = [target.name for target in given if _found(target, parents) is not UNKNOWN]
    if len(known) < 2 or relation.name not in known:
        return None
    done.update(("pair", frozenset({one, other})) for one in known for other in known)
    return relation.name, f"exactly one of {names} is allowed, got {' and '.join(known)}"


def _conflict(
    relation: Relation, given: list[Target], parents: Sequence[Mapping[str, Any]], done: set[object]
) -> tuple[str, str] | None:
    if parents[-1].get(relation.name, UNKNOWN) is UNKNOWN:
        return None
    names = [target.name for target in given if _found(target, parents) is not UNKNOWN]
    pairs = {name: ("pair", frozenset({name.rpartition(".")[2], relation.name})) for name in names}
    names = [name for name in names if pairs[name] not in done and name != relation.name]
    done.update(pairs[name] for name in names)
    return (relation.name, f"conflicts with {' and '.join(names)}") if names else None


def _at_least_one(
    relation: Relation, given: list[Target], _parents: Sequence[Mapping[str, Any]], _done: set[object]
) -> tuple[str, str] | None:
    names = ", ".join(target.name for target in relation.targets)
    return None if given else (relation.name, f"one of {names} is required, got none")


def _needs(
    relation: Relation, given: list[Target], parents: Sequence[Mapping[str, Any]], _done: set[object]
) -> tuple[str, str] | None:
    if parents[-1].get(relation.name, UNKNOWN) is UNKNOWN or len(given) == len(relation.targets):
        return None
    missing = [target.name for target in relation.targets if target not in given]
    return relation.name, f"needs {' and '.join(missing)} as well"


_REASONS: Final = {
    "exactlyOneOf": _exactly_one,
    "conflictsWith": _conflict,
    "atLeastOneOf": _at_least_one,
    "requiredWith": _needs,
}


def _found(target: Target, parents: Sequence[Mapping[str, Any]]) -> Any:
    """Return the value of another property, UNKNOWN when an object on the way is unknown, None when absent."""
    values: list[Any] = [parents[len(parents) - 1 - target.up]]
    for part in target.path:
        if any(value is UNKNOWN for value in values):
            return UNKNOWN
        objects = [item for value in values for item in (value if isinstance(value, list) else [value])]
        values = [item[part] for item in objects if isinstance(item, dict) and item.get(part) is not None]
    return values[0] if values else None
