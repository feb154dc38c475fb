"""Counts what the rules cover, and finds what is wrong with what they say about themselves."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from policies.crossguard.rules import Policy
from policies.security.controls import OWN, RELATIONS, Control

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")


@dataclass(frozen=True)
class Coverage:
    """How many of the demands have a rule."""

    controls: int
    of_controls: int
    relations: int
    of_relations: int
    rules: int

    def __str__(self) -> str:
        """Say it in one line."""
        return (
            f"{self.rules} rules cover {self.controls} of {self.of_controls} controls "
            f"and {self.relations} of {self.of_relations} relations"
        )


def coverage(policies: Sequence[Policy], table: Sequence[Control]) -> Coverage:
    """Count what a pack covers."""
    covered = {control for policy in policies for control in policy.controls}
    numbers = {control.number for control in table}
    return Coverage(
        controls=len(covered & numbers),
        of_controls=len(numbers),
        relations=len(covered & RELATIONS.keys()),
        of_relations=len(RELATIONS),
        rules=len(policies),
    )


def mistakes(policies: Sequence[Policy], table: Sequence[Control], reasons: dict[str, str]) -> Iterator[str]:
    """Yield every mistake in what rules say about themselves.

    Args:
        policies: All rules.
        table: All controls.
        reasons: Why a control or relation has no rule.

    """
    numbers = {control.number: control for control in table}
    for name, count in Counter(policy.name for policy in policies).items():
        if count > 1:
            yield f"{name}: the name is there {count} times"
    names = {policy.name for policy in policies}
    for policy in policies:
        for fault in _faults(policy, numbers, names):
            yield f"{policy.name}: {fault}"
    known = [*numbers, *RELATIONS]
    covered = {control for policy in policies for control in policy.controls}
    for control in known:
        if control not in covered and not reasons.get(control, "").strip():
            yield f"control {control}: no rule is about it, and no reason is given"
        if control in covered and control in reasons:
            yield f"control {control}: a rule is about it, so it needs no reason"
    for control in reasons.keys() - set(known):
        yield f"control {control}: there is none"


def _faults(policy: Policy, numbers: dict[str, Control], names: set[str]) -> Iterator[str]:
    yield from _wrong_words(policy)
    yield from _wrong_names(policy, numbers)
    for implied in sorted(policy.implies - names):
        yield f"there is no rule {implied} to imply"
    if policy.name in policy.implies:
        yield "it implies itself"


def _wrong_names(policy: Policy, numbers: dict[str, Control]) -> Iterator[str]:
    if not policy.controls:
        yield "it names no control"
    for control in policy.controls:
        if control not in numbers and control not in RELATIONS and control != OWN:
            yield f"there is no control {control}"
    allowed = {name for control in policy.controls if control in numbers for name in numbers[control].names}
    for reference in policy.references:
        if reference not in allowed:
            yield f"{reference} is no name of its controls {', '.join(policy.controls)}"


def _wrong_words(policy: Policy) -> Iterator[str]:
    if not _NAME.fullmatch(policy.name):
        yield "want a name of lower-case words with hyphens"
    for field in ("why", "fix"):
        text = getattr(policy, field)
        if not text[:1].isupper() or not text.endswith("."):
            yield f"{field} is no sentence: {text!r}"
