"""Verdicts: levels, exceptions, what is undecided, and rules that fail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest

from policies.crossguard.entries import Entry
from policies.crossguard.exceptions import Exceptions
from policies.crossguard.findings import Violation
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.rules import About, Level
from policies.crossguard.values import UNKNOWN
from policies.crossguard.verdicts import Diagnostic, Verdicts
from tests.policies.packs import THING, failing, relation, resource, rule, urn

RULE, RELATION = rule(), relation()
LOCKED = "locked is not set, want true"
ENTRY = Entry(
    rule="thing-locked",
    stack="dev",
    type=THING,
    name="one",
    reason="The lock is delivered next week.",
    owner="data-platform",
    ticket="OPS-12",
    expires=date(2026, 12, 31),
)


def verdicts(*entries: Entry, problems: tuple[str, ...] = (), **levels: Level | None) -> Verdicts:
    named = {name.replace("_", "-"): level for name, level in levels.items()}
    return Verdicts([RULE], [RELATION], named, Exceptions(entries, problems))


def whole(judge: Verdicts, *resources: Resource) -> list[Diagnostic]:
    """Judge each resource, then the stack; return what is said about the stack."""
    for each in resources:
        judge.resource(each)
    return judge.stack(Stack(resources))


def said(diagnostics: list[Diagnostic]) -> list[tuple[str, str, str]]:
    return [(each.policy.name, each.level.value, each.message) for each in diagnostics]


GOOD = resource(locked=True, befriended=True)


def test_nothing_is_said_about_what_is_good() -> None:
    judge = verdicts()
    assert judge.resource(GOOD) == []
    assert judge.stack(Stack([GOOD])) == []


def test_a_violation_names_rule_resource_and_level() -> None:
    (found,) = verdicts().resource(resource())
    assert found == Diagnostic(policy=RULE, level=Level.MANDATORY, message=LOCKED, urn=urn("one"))


def test_a_rule_of_another_type_is_not_asked() -> None:
    other = resource()
    assert (
        verdicts().resource(
            Resource(urn="u", type="aws:x/other:Other", token="x", name="x", props=other.props)
        )
        == []
    )


def test_the_configuration_decides_the_level() -> None:
    (found,) = verdicts(thing_locked=Level.ADVISORY).resource(resource())
    assert found.level is Level.ADVISORY


def test_a_rule_can_be_switched_off() -> None:
    assert verdicts(thing_locked=None).resource(resource()) == []


def test_a_relation_is_judged_with_the_stack() -> None:
    found = whole(verdicts(), resource(locked=True))
    assert said(found) == [("thing-befriended", "mandatory", "befriended is not set, want true")]


def test_a_relation_sees_what_the_program_gave() -> None:
    """The engine names only properties that were made of other resources."""
    stacks: list[Stack] = []

    def look(stack: Stack) -> Iterator[About]:
        stacks.append(stack)
        return iter(())

    judge = Verdicts([], [relation(check=look)], {})
    judge.resource(resource(locked=True, key="k"))
    filled_in = replace(resource(locked=True, key="k", id="i"), property_dependencies={"key": (urn("two"),)})
    judge.stack(Stack([filled_in]))
    assert stacks[0].by_urn[urn("one")].property_dependencies == {"locked": (), "key": (urn("two"),)}


def test_a_relation_can_be_switched_off() -> None:
    assert whole(verdicts(thing_befriended=None), resource(locked=True)) == []


def test_a_rule_that_fails_is_a_violation() -> None:
    judge = Verdicts([rule(check=failing)], [], {})
    assert said(judge.resource(resource())) == [
        ("thing-locked", "mandatory", "the rule failed: RuntimeError: oh")
    ]


def test_a_relation_that_fails_is_a_violation() -> None:
    judge = Verdicts([], [relation(check=failing)], {})
    assert said(judge.stack(Stack([]))) == [
        ("thing-befriended", "mandatory", "the rule failed: RuntimeError: oh")
    ]


def test_an_exception_takes_the_violation_away() -> None:
    assert verdicts(ENTRY).resource(resource()) == []


def test_an_exception_in_force_is_shown_with_its_reason() -> None:
    (found,) = whole(verdicts(ENTRY), resource(befriended=True))
    assert said([found]) == [
        (
            "exceptions",
            "advisory",
            f"in force until 2026-12-31: {ENTRY}: The lock is delivered next week. (data-platform, OPS-12)",
        )
    ]


def test_an_exception_that_nothing_needs_is_a_violation() -> None:
    message = f"thing-locked for {THING} one in dev: nothing needs this exception"
    assert said(whole(verdicts(ENTRY), GOOD)) == [("exceptions", "mandatory", message)]


def test_an_exception_for_a_resource_that_is_gone_is_a_violation() -> None:
    message = f"thing-locked for {THING} one in dev: nothing needs this exception"
    other = resource("two", locked=True, befriended=True)
    assert said(whole(verdicts(ENTRY), other)) == [("exceptions", "mandatory", message)]


def test_an_exception_may_be_needed_while_its_rule_is_undecided() -> None:
    found = whole(verdicts(ENTRY), resource(locked=UNKNOWN, befriended=True))
    assert [each.level for each in found if each.policy.name == "exceptions"] == [Level.ADVISORY]


def test_an_exception_of_another_stack_is_left_alone() -> None:
    other = resource(stack="prod", locked=True, befriended=True)
    assert whole(verdicts(ENTRY), other) == []


def test_an_exception_can_be_for_a_relation() -> None:
    entry = ENTRY.model_copy(update={"rule": "thing-befriended"})
    assert [each.policy.name for each in whole(verdicts(entry), resource(locked=True))] == ["exceptions"]


def test_what_is_wrong_with_the_file_is_a_violation() -> None:
    assert said(whole(verdicts(problems=("x: y",)), GOOD)) == [("exceptions", "mandatory", "x: y")]


def test_what_is_undecided_is_said_once_a_rule() -> None:
    things = [resource(f"t{number}", locked=UNKNOWN, befriended=True) for number in range(5)]
    assert said(whole(verdicts(), *things)) == [
        ("undecided", "advisory", "thing-locked: t0: locked; t1: locked; t2: locked; and 2 more")
    ]


def test_all_undecided_rules_are_said_together() -> None:
    found = whole(verdicts(), resource(locked=UNKNOWN, befriended=UNKNOWN))
    assert said(found) == [
        ("undecided", "advisory", "thing-befriended: one: befriended\nthing-locked: one: locked")
    ]


def test_an_undecided_rule_is_no_violation() -> None:
    assert verdicts().resource(resource(locked=UNKNOWN)) == []


def test_an_undecided_relation_is_said_as_well() -> None:
    found = whole(verdicts(), resource(locked=True, befriended=UNKNOWN))
    assert said(found) == [("undecided", "advisory", "thing-befriended: one: befriended")]


@pytest.mark.parametrize("locked", [True, UNKNOWN])
def test_the_last_verdict_on_a_resource_counts(locked: object) -> None:
    """The engine judges a resource in the preview, and again before it is created."""
    judge = verdicts(ENTRY)
    judge.resource(resource())
    judge.resource(resource(locked=locked, befriended=True))
    levels = [
        each.level
        for each in judge.stack(Stack([resource(befriended=True)]))
        if each.policy.name == "exceptions"
    ]
    assert levels == [Level.MANDATORY if locked is True else Level.ADVISORY]


def test_the_lines_about_undecided_rules_can_be_switched_off() -> None:
    assert whole(verdicts(undecided=None), resource(locked=UNKNOWN, befriended=True)) == []


def test_the_lines_about_exceptions_can_be_switched_off() -> None:
    assert whole(verdicts(ENTRY, exceptions=None), GOOD) == []


def test_a_rule_judges_by_itself() -> None:
    assert list(RULE.judge(resource())) == [Violation(LOCKED)]
