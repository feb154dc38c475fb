"""Whole stacks under all rules of the security pack: the golden ones, and each with a single value changed."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from policies.crossguard.resources import Resource, Stack
from policies.crossguard.state import resources
from policies.crossguard.types import canonical
from policies.crossguard.values import View
from policies.crossguard.verdicts import UNDECIDED, Diagnostic, Verdicts
from policies.security.pack import RELATIONS, RULES
from tests.policies.cases import Case, Change, changed

Row = dict[str, Any]


@dataclass(frozen=True)
class Golden:
    """The exported state of a stack in which everything is as it should be."""

    name: str
    content: Mapping[str, Any]

    @property
    def rows(self) -> list[Row]:
        """The resources, as the state has them."""
        deployment = self.content.get("deployment") or self.content["checkpoint"]["latest"]
        rows: list[Row] = deployment["resources"]
        return rows

    def with_rows(self, rows: Sequence[Row]) -> Golden:
        """Return the stack with other resources."""
        return Golden(self.name, {"version": 3, "deployment": {"resources": list(rows)}})

    def with_row(self, row: Row) -> Golden:
        """Return the stack with one resource replaced, the one of the same URN."""
        return self.with_rows([row if each["urn"] == row["urn"] else each for each in self.rows])

    def with_added(self, token: str, properties: Mapping[str, Any]) -> Golden:
        """Return the stack with one more resource."""
        (root,) = (row for row in self.rows if row["type"] == "pulumi:pulumi:Stack")
        added = {
            "urn": f"{root['urn'].rsplit('::', 2)[0]}::{token}::added",
            "custom": True,
            "id": "added",
            "type": token,
            "inputs": properties,
            "outputs": properties,
            "parent": root["urn"],
        }
        return self.with_rows([*self.rows, added])

    def find(self, token: str, part: str = "") -> Row | None:
        """Return a resource of a type whose name contains a text."""
        for row in self.rows:
            if canonical(row["type"]) == token and part in row["urn"].rpartition("::")[2]:
                return row
        return None


def with_value(row: Row, path: str, value: Any) -> Row:
    """Return a resource with another value in what was asked for, and in what came of it."""
    found = copy.deepcopy(row)
    for properties in ("inputs", "outputs"):
        found[properties] = changed(found.get(properties) or {}, path, value)
    return found


def diagnostics(golden: Golden) -> list[Diagnostic]:
    """Return what all rules and relations say about a stack."""
    judge = Verdicts(RULES, RELATIONS, {})
    said = [each for resource in resources(golden.content, "inputs") for each in judge.resource(resource)]
    return said + judge.stack(Stack(resources(golden.content, "outputs")))


def violations(golden: Golden) -> frozenset[tuple[str, str]]:
    """Return the rules and relations that a stack violates, each with the URN of the violator."""
    known = _KNOWN.get(id(golden))
    if known is None:
        # The stack is kept as well: another one must not get its number.
        known = _KNOWN[id(golden)] = (golden, frozenset(_pairs(golden)))
    return known[1]


_KNOWN: dict[int, tuple[Golden, frozenset[tuple[str, str]]]] = {}


def violated(golden: Golden) -> set[str]:
    """Return the names of the rules and relations that a stack violates."""
    return {name for name, _ in violations(golden)}


def newly_violated(before: Golden, after: Golden) -> set[str]:
    """Return the names of the rules that are violated after a change where they were not before."""
    return {name for name, _ in {*_pairs(after)} - violations(before)}


def _pairs(golden: Golden) -> Iterator[tuple[str, str]]:
    for each in diagnostics(golden):
        if each.policy.name != UNDECIDED:
            yield each.policy.name, each.urn


def judged_alone(token: str, properties: Mapping[str, Any]) -> set[str]:
    """Return the names of the rules that one resource violates, without the relations of a stack."""
    judge = Verdicts(RULES, (), {})
    resource = Resource(urn="urn", type=token, token=token, name="x", props=View.of(properties))
    return {each.policy.name for each in judge.resource(resource)}


def fixtures(cases: Sequence[Case]) -> dict[str, dict[str, Any]]:
    """Return one resource of each type, made of all that the cases of the type call good."""
    found: dict[str, dict[str, Any]] = {}
    for case in cases:
        found[case.type] = _merged(found.get(case.type, {}), case.good)
    return found


def _merged(left: Any, right: Any) -> Any:
    if isinstance(left, dict) and isinstance(right, Mapping):
        return left | {key: _merged(left[key], right[key]) if key in left else right[key] for key in right}
    if isinstance(left, list) and isinstance(right, list | tuple):
        pairs = [_merged(one, other) for one, other in zip(left, right, strict=False)]
        return [*pairs, *left[len(pairs) :], *right[len(pairs) :]]
    return right


@dataclass(frozen=True)
class Mutation:
    """A single change of a golden stack, or of a resource of a kind that they do not have."""

    case: Case
    change: Change
    number: int

    def __str__(self) -> str:
        """Name it."""
        return f"{self.case.rule}-{self.case.type.rpartition(':')[2]}-{self.change.path}-{self.number}"

    def place(self, stacks: Sequence[Golden]) -> tuple[Golden, Row] | None:
        """Return the stack and the resource to change, or None where no golden stack has a good one."""
        if self.case.golden is None:
            return None
        for stack in stacks:
            row = stack.find(self.case.type, self.case.golden)
            if row is not None:
                return stack, row
        return None

    def pair(self, stacks: Sequence[Golden], alone: Mapping[str, Mapping[str, Any]]) -> tuple[Golden, Golden]:
        """Return the stack without the change and with it; a resource of another kind is added to the first."""
        place = self.place(stacks)
        if place is not None:
            stack, row = place
            return stack, stack.with_row(with_value(row, self.change.path, self.change.bad))
        # What the case says itself wins over what others of its type say.
        good = {**alone[self.case.type], **self.case.good}
        bad = changed(good, self.change.path, self.change.bad)
        return _added(stacks[0], self.case, good), stacks[0].with_added(self.case.type, bad)

    def raised(self, stacks: Sequence[Golden], alone: Mapping[str, Mapping[str, Any]]) -> set[str]:
        """Make the change and return the names of the rules that it raises."""
        before, after = self.pair(stacks, alone)
        return newly_violated(before, after)


_ADDED: dict[int, Golden] = {}


def _added(stack: Golden, case: Case, good: Mapping[str, Any]) -> Golden:
    """Return the stack with the good resource of a case; the same one for all of its changes."""
    return _ADDED.setdefault(id(case), stack.with_added(case.type, good))


def mutations(cases: Sequence[Case]) -> Iterator[Mutation]:
    """Iterate over the single changes of all cases."""
    for case in cases:
        for number, change in enumerate(case.changes):
            yield Mutation(case, change, number)
