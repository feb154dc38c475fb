"""Texts of which only parts are known: what is known is judged in the first preview already."""

from __future__ import annotations

from typing import Any

import pytest

from policies.crossguard.checks import each as each_item
from policies.crossguard.checks import is_true, parsed
from policies.crossguard.findings import Check
from policies.crossguard.parts import filled
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.values import UNKNOWN, View
from policies.crossguard.verdicts import Verdicts
from tests.policies.packs import THING, relation, rule, urn

OWNER = "urn:pulumi:dev::airflow-platform::airflow:x:Owner::owner"
LOCKS: Check = lambda view: each_item("locks", is_true("shut"))(parsed(view["text"]))  # noqa: E731


def component(documents: Any) -> Resource:
    props = View.of({"documents": documents})
    return Resource(urn=OWNER, type="airflow:x:Owner", token="airflow:x:Owner", name="owner", props=props)


def thing(text: Any, parent: str = OWNER) -> Resource:
    return Resource(
        urn=urn("one"),
        type=THING,
        token=THING,
        name="one",
        props=View.of({"text": text, "befriended": True}),
        parent=parent,
    )


def said(text: Any, documents: Any, parent: str = OWNER) -> list[tuple[str, str]]:
    """Judge a thing whose text is not known when it is registered."""
    judge = Verdicts([rule(check=LOCKS)], [relation()], {})
    found = judge.resource(thing(UNKNOWN, parent)) + judge.stack(
        Stack([component(documents), thing(text, parent)])
    )
    return [(each.policy.name, each.message) for each in found]


def shut(*locks: Any) -> dict[str, Any]:
    return {"one": {"text": {"locks": [{"shut": lock} for lock in locks]}}}


WHOLLY_UNDECIDED = [("undecided", "thing-locked: one: text")]


def test_without_parts_the_rule_is_undecided() -> None:
    assert said(UNKNOWN, {}) == WHOLLY_UNDECIDED


def test_a_known_part_is_judged() -> None:
    assert said(UNKNOWN, shut(True, False)) == [("thing-locked", "text.locks[1].shut is False, want true")]


def test_known_parts_that_are_good_decide() -> None:
    assert said(UNKNOWN, shut(True)) == []


def test_an_unknown_part_is_undecided_by_itself() -> None:
    assert said(UNKNOWN, shut(UNKNOWN, False)) == [
        ("thing-locked", "text.locks[1].shut is False, want true"),
        ("undecided", "thing-locked: one: text.locks[0].shut"),
    ]


def test_a_text_that_is_known_counts_more_than_its_parts() -> None:
    judge = Verdicts([rule(check=LOCKS)], [relation()], {})
    known = thing('{"locks": [{"shut": true}]}')
    assert judge.resource(known) + judge.stack(Stack([component(shut(False)), known])) == []


def test_a_component_speaks_for_its_own_resources_only() -> None:
    assert said(UNKNOWN, shut(False), parent=urn("another")) == WHOLLY_UNDECIDED


@pytest.mark.parametrize("documents", [None, UNKNOWN, "x", [], {"one": "x"}, {"one": UNKNOWN}, {"two": {}}])
def test_other_outputs_of_that_name_change_nothing(documents: Any) -> None:
    assert said(UNKNOWN, documents) == WHOLLY_UNDECIDED


def test_relations_see_the_parts_as_well() -> None:
    stack, changed = filled(Stack([component(shut(True)), thing(UNKNOWN)]))
    assert stack.by_urn[urn("one")].props.at("text.locks").known() == [{"shut": True}]
    assert changed == {urn("one")}
