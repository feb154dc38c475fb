"""Whatever stands in a stack file: settings or one SettingsError, never anything else."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from settings import EnvironmentSettings, SettingsError, SharedSettings, parse
from tests.settings.samples import SAMPLES

STACKS = st.sampled_from(["dev", "staging", "preprod", "prod", "nonprod-shared", "prod-shared", "x", "a\nb"])
TEXTS = st.text(max_size=20) | st.text(st.characters(codec=None), max_size=5)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.just(10**400)
GARBAGE = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def check(raw: str, stack: str) -> None:
    """Read `raw`: whatever is refused is refused with printable lines."""
    refusal = None
    try:
        settings = parse(raw, stack)
    except SettingsError as error:
        refusal = error
    if refusal is None:
        assert isinstance(settings, SharedSettings | EnvironmentSettings)
        return
    head, *lines = str(refusal).split("\n")
    assert lines == [f"  {mistake}" for mistake in refusal.mistakes]
    assert refusal.mistakes
    assert all(line.isprintable() for line in (head, *lines))


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of everything below `node`."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in items:
        yield (*path, key)
        yield from places(child, (*path, key))


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """Draw valid settings in which up to three things were replaced, taken out or added."""
    stack, sample = draw(st.sampled_from(list(SAMPLES.values())))
    result = copy.deepcopy(sample)
    for _ in range(draw(st.integers(1, 3))):
        *sections, key = draw(st.sampled_from(list(places(result))))
        target: Any = result
        for section in sections:
            target = target[section]
        match draw(st.sampled_from(["replace", "remove", "add"])):
            case "replace":
                target[key] = draw(GARBAGE)
            case "remove":
                del target[key]
            case _ if isinstance(target, dict):
                target[draw(TEXTS)] = draw(GARBAGE)
            case _:
                target.append(draw(GARBAGE))
        if not result:
            break
    return stack, result


@given(STACKS, GARBAGE)
def test_any_value(stack: str, value: object) -> None:
    check(json.dumps(value), stack)


@given(STACKS, st.text())
def test_any_text(stack: str, raw: str) -> None:
    check(raw, stack)


@given(STACKS, st.sampled_from(["shared", "environment"]), st.dictionaries(TEXTS, GARBAGE, max_size=4))
def test_any_section_of_a_kind(stack: str, kind: str, section: dict[str, Any]) -> None:
    check(json.dumps({**section, "kind": kind}), stack)


@given(damaged())
def test_damaged_settings(drawn: tuple[str, dict[str, Any]]) -> None:
    stack, value = drawn
    check(json.dumps(value), stack)
    check(json.dumps(value, ensure_ascii=False), stack)
