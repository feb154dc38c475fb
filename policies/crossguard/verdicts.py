"""Judges resources and stacks by a pack's rules, its levels and its exceptions; knows nothing of the engine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Final

from policies.crossguard.exceptions import Exceptions
from policies.crossguard.findings import Finding, Undecided, Violation
from policies.crossguard.parts import filled
from policies.crossguard.resources import Resource, Stack, Urn
from policies.crossguard.rules import Level, Policy, Relation, Rule, Severity, Tier

UNDECIDED: Final = "undecided"
EXCEPTIONS: Final = "exceptions"
SHOWN_RESOURCES: Final = 3
"""Of those on which a rule is undecided, in its line."""

OWN_POLICIES: Final = (
    Policy(
        name=EXCEPTIONS,
        why="An exception that has expired, matches nothing or has no reason hides what nobody decided.",
        fix="Correct the entry in the file of exceptions, or remove it.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=(),
    ),
    Policy(
        name=UNDECIDED,
        why="What is not known before `pulumi up` could not be judged yet; it is judged before it is created.",
        fix="Nothing; or let the program give the value itself, so that the preview can tell.",
        severity=Severity.LOW,
        tier=Tier.NOWHERE,
        controls=(),
    ),
)
"""What the pack itself has to say about a stack."""


@dataclass(frozen=True, kw_only=True)
class Diagnostic:
    """One line for the person who looks at the preview."""

    policy: Policy
    level: Level
    message: str
    urn: str = ""


@dataclass
class Verdicts:
    """The verdicts of one run of the engine."""

    rules: Sequence[Rule]
    relations: Sequence[Relation]
    levels: Mapping[str, Level | None]
    """Level by policy; None switches one off. Without one a violation is mandatory."""
    exceptions: Exceptions = field(default_factory=Exceptions)

    def __post_init__(self) -> None:
        """Sort the rules by type: most resources have few."""
        self._by_type: dict[str, list[Rule]] = defaultdict(list)
        for rule in self.rules:
            if self._level(rule) is not None:
                for token in rule.on:
                    self._by_type[token].append(rule)
        self._judged: dict[str, list[tuple[Policy, Finding]]] = {}
        self._given: dict[str, tuple[str, ...]] = {}
        """Names of the properties that the program gave, by URN."""
        self._lock = Lock()
        """The engine asks about several resources at once."""

    def resource(self, resource: Resource) -> list[Diagnostic]:
        """Judge one resource by its inputs."""
        findings = self._findings(resource)
        given = resource.props.raw
        with self._lock:
            self._judged[resource.urn] = findings
            self._given[resource.urn] = tuple(given) if isinstance(given, Mapping) else ()
        return [*self._violations(resource.urn, findings)]

    def _findings(self, resource: Resource) -> list[tuple[Policy, Finding]]:
        rules = self._by_type.get(resource.type, ())
        return [(rule, finding) for rule in rules for finding in rule.judge(resource)]

    def stack(self, stack: Stack) -> list[Diagnostic]:
        """Judge a stack as a whole; its resources have been judged before."""
        stack, changed = filled(self._recorded(stack))
        related: dict[str, list[tuple[Policy, Finding]]] = defaultdict(list)
        for relation in self.relations:
            if self._level(relation) is not None:
                for about in relation.judge(stack):
                    related[about.urn].append((relation, about.finding))
        with self._lock:
            found = {urn: [*self._judged.get(urn, ())] for urn in stack.by_urn}
        diagnostics = [each for urn, findings in related.items() for each in self._violations(urn, findings)]
        for urn in changed & found.keys():
            again = self._findings(stack.by_urn[urn])
            diagnostics += self._violations(urn, [each for each in again if each not in found[urn]])
            found[urn] = again
        for urn, findings in related.items():
            found.setdefault(urn, []).extend(findings)
        return [*diagnostics, *self._about_exceptions(stack, found), *self._undecided(found)]

    def _recorded(self, stack: Stack) -> Stack:
        """Return the stack with every property that was given among those of which it is known what made them.

        The engine leaves out those that were made of nothing; with all of them, as a state has them, what AWS filled
        in can be told from what the program wants.
        """
        return Stack(
            [
                replace(
                    each,
                    property_dependencies={
                        **dict.fromkeys(self._given.get(each.urn, ()), ()),
                        **each.property_dependencies,
                    },
                )
                for each in stack.resources
            ]
        )

    def _level(self, policy: Policy) -> Level | None:
        return self.levels.get(policy.name, Level.MANDATORY)

    def _violations(self, urn: str, findings: Iterable[tuple[Policy, Finding]]) -> Iterator[Diagnostic]:
        for policy, finding in findings:
            level = self._level(policy)
            if isinstance(finding, Violation) and level and not self.exceptions.covering(policy.name, urn):
                yield Diagnostic(policy=policy, level=level, message=finding.message, urn=urn)

    def _about_exceptions(
        self, stack: Stack, found: Mapping[str, Sequence[tuple[Policy, Finding]]]
    ) -> Iterator[Diagnostic]:
        policy, level = OWN_POLICIES[0], self._level(OWN_POLICIES[0])
        if level is None:
            return
        for problem in self.exceptions.problems:
            yield Diagnostic(policy=policy, level=level, message=problem)
        names = {Urn.of(urn).stack for urn in stack.by_urn}
        needed = {(rule.name, urn) for urn, findings in found.items() for rule, _ in findings}
        for entry in (entry for name in sorted(names) for entry in self.exceptions.of_stack(name)):
            if any(entry.covers(*violation) for violation in needed):
                message = (
                    f"in force until {entry.expires}: {entry}: {entry.reason} ({entry.owner}, {entry.ticket})"
                )
                yield Diagnostic(policy=policy, level=Level.ADVISORY, message=message)
            else:
                yield Diagnostic(policy=policy, level=level, message=f"{entry}: nothing needs this exception")

    def _undecided(self, found: Mapping[str, Sequence[tuple[Policy, Finding]]]) -> Iterator[Diagnostic]:
        policy = OWN_POLICIES[1]
        if self._level(policy) is None:
            return
        places: dict[str, list[str]] = defaultdict(list)
        for urn, findings in found.items():
            for rule, finding in findings:
                if isinstance(finding, Undecided):
                    places[rule.name].append(f"{Urn.of(urn).name or 'the stack'}: {finding.path}")
        lines = []
        for name, several in sorted(places.items()):
            more = len(several) - SHOWN_RESOURCES
            shown = "; ".join(several[:SHOWN_RESOURCES]) + (f"; and {more} more" if more > 0 else "")
            lines.append(f"{name}: {shown}")
        if lines:
            yield Diagnostic(policy=policy, level=Level.ADVISORY, message="\n".join(lines))
