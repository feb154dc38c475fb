"""The facts of a type compiled for checking: its properties, their tests, their relations."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sandbox.behaviour.formats import format_test, go_pattern
from sandbox.behaviour.relations import Relation, relations_of
from sandbox.behaviour.schema import facts_of

ScalarTest = Callable[[Any], str | None]


@dataclass(eq=False)
class Spec:
    """One property as compiled from its facts; `items` belongs to lists and maps, `shape` to objects."""

    kind: str
    facts: Mapping[str, Any]
    tests: tuple[ScalarTest, ...] = ()
    items: Spec | None = None
    shape: Callable[[], Shape] | None = None


@dataclass(eq=False)
class Shape:
    """The properties of a resource, or of a nested object."""

    path: tuple[str, ...]
    specs: Mapping[str, Spec]
    required: tuple[str, ...]
    defaults: Mapping[str, Any]
    relations: tuple[Relation, ...]


def described(value: Any) -> str:
    """Name a value for a message: its type, and the value itself when it is short."""
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    if isinstance(value, str):
        return f'the string "{value}"' if len(value) <= 40 else "a string"
    if isinstance(value, int | float):
        return f"the number {value}"
    return _CONTAINERS.get(type(value), f"a value of type {type(value).__name__}")


_CONTAINERS: Final[Mapping[type, str]] = {dict: "an object", list: "a list"}


@cache
def shape_of(token: str) -> Shape:
    """Compile the facts of a type; nested objects are compiled when a program first uses them.

    Raises:
        UnknownType: the sandbox does not simulate the type.

    """
    return _compile((), facts_of(token)["properties"], {})


def _compile(
    path: tuple[str, ...],
    properties: Mapping[str, Any],
    around: Mapping[tuple[str, ...], Callable[[], Shape]],
) -> Shape:
    return Shape(
        path=path,
        specs={name: _spec((*path, name), facts, around) for name, facts in properties.items()},
        required=tuple(name for name, facts in properties.items() if facts.get("required")),
        defaults={
            name: facts["default"] for name, facts in properties.items() if facts.get("default") is not None
        },
        relations=relations_of(path, properties),
    )


def _spec(
    path: tuple[str, ...], facts: Mapping[str, Any], around: Mapping[tuple[str, ...], Callable[[], Shape]]
) -> Spec:
    kind = facts["type"]
    if shape := _nested(path, facts, around):
        inner = Spec("object", {}, shape=shape)
        return inner if kind == "object" else Spec(kind, facts, _size_tests(facts), inner)
    if kind in ("list", "map"):
        return Spec(kind, facts, _size_tests(facts), _items(facts))
    return Spec(kind, facts, tuple(scalar_tests(facts)))


def _nested(
    path: tuple[str, ...], facts: Mapping[str, Any], around: Mapping[tuple[str, ...], Callable[[], Shape]]
) -> Callable[[], Shape] | None:
    if "recursive" in facts:
        # The SDK's class name ends with the name of the property that holds the same object further up.
        ends = {above: f"{above[-1][0].upper()}{above[-1][1:]}Args" for above in around}
        return around[max(above for above, end in ends.items() if facts["recursive"].endswith(end))]
    if "properties" not in facts:
        return None
    known = dict(around)

    @cache
    def shape() -> Shape:
        return _compile(path, facts["properties"], known)

    known[path] = shape
    return shape


def _items(facts: Mapping[str, Any]) -> Spec | None:
    kind = facts.get("items")
    if not isinstance(kind, str):
        return None
    if kind.startswith("map<"):
        return Spec("map", {}, items=Spec(kind[4:-1], {}))
    # On lists of scalars the facts' limits apply to the items; `itemRules` says the same in one place.
    rules = (
        {key: value for key, value in facts.items() if key in _SCALAR_KEYS} if facts["type"] == "list" else {}
    )
    rules.update(facts.get("itemRules") or {})
    return Spec(kind, {}, tuple(scalar_tests(rules)))


_SCALAR_KEYS: Final = (
    "enum",
    "enumCaseInsensitive",
    "pattern",
    "format",
    "min",
    "max",
    "minLength",
    "maxLength",
)


def _size_tests(facts: Mapping[str, Any]) -> tuple[ScalarTest, ...]:
    low, high = facts.get("minItems"), facts.get("maxItems")
    tests: list[ScalarTest] = []
    if low:
        tests.append(
            lambda value: f"needs at least {low} items, got {len(value)}" if len(value) < low else None
        )
    if high is not None:
        tests.append(
            lambda value: f"takes at most {high} items, got {len(value)}" if len(value) > high else None
        )
    return tuple(tests)


def scalar_tests(facts: Mapping[str, Any]) -> Iterable[ScalarTest]:
    """Yield the tests of a text or number from its facts."""
    if tests := _enum_tests(facts):
        yield tests
    low, high = facts.get("minLength"), facts.get("maxLength")
    if low is not None or high is not None:
        yield _length_test(low or 0, high)
    if pattern := facts.get("pattern"):
        yield _pattern_test(pattern)
    if name := facts.get("format"):
        test = format_test(name)
        if test is not None:
            yield test
    if facts.get("min") is not None or facts.get("max") is not None:
        yield _range_test(facts.get("min"), facts.get("max"))


def _enum_tests(facts: Mapping[str, Any]) -> ScalarTest | None:
    loose = facts.get("enumCaseInsensitive")
    allowed = loose if isinstance(loose, list) else facts.get("enum")
    if not allowed:
        return None
    folded = {str(item).lower() for item in allowed} if loose else set()
    exact = frozenset(allowed)
    text = ", ".join(str(item) for item in allowed[:40]) + (" ..." if len(allowed) > 40 else "")

    def test(value: Any) -> str | None:
        if value in exact or (loose and str(value).lower() in folded):
            return None
        near = difflib.get_close_matches(str(value), [str(item) for item in allowed], n=1, cutoff=0.6)
        hint = f'; did you mean "{near[0]}"?' if near and len(allowed) > 12 else ""
        return f"got {described(value)}, allowed: {text}{hint}"

    return test


def _length_test(low: int, high: int | None) -> ScalarTest:
    def test(value: Any) -> str | None:
        size = len(value) if isinstance(value, str) else 0
        if not isinstance(value, str) or (size >= low and (high is None or size <= high)):
            return None
        if size < low:
            return f"must have at least {low} characters, got {size}"
        return f"cannot be longer than {high} characters, got {size}"

    return test


def _pattern_test(pattern: str) -> ScalarTest:
    compiled = go_pattern(pattern)

    def test(value: Any) -> str | None:
        if compiled.search(value):
            return None
        return f"{described(value)} does not match {pattern}"

    return test


def _range_test(low: float | None, high: float | None) -> ScalarTest:
    def test(value: Any) -> str | None:
        if value == "":
            return None
        number = float(value)
        if low is not None and number < low:
            return f"must be at least {low}, got {value}"
        if high is not None and number > high:
            return f"must be at most {high}, got {value}"
        return None

    return test
