"""A rule: what it judges, why, how serious it is, and what it is called elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum, StrEnum

from policies.crossguard.findings import Check, Finding, Violation, judged
from policies.crossguard.resources import Resource, Stack


class Severity(StrEnum):
    """How bad a violation is, as Security Hub rates it."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Level(StrEnum):
    """What a violation does, in Pulumi's words."""

    MANDATORY = "mandatory"
    """The preview or the update fails."""
    ADVISORY = "advisory"
    """It is shown."""


class Tier(Enum):
    """Where a rule is mandatory; elsewhere it is advisory."""

    EVERYWHERE = ("nonprod", "prod")
    PROD = ("prod",)
    NOWHERE = ()

    def level(self, account_class: str) -> Level:
        """Return the level in accounts of a class, nonprod or prod."""
        return Level.MANDATORY if account_class in self.value else Level.ADVISORY


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What every rule says about itself."""

    name: str
    """In kebab-case; it stands in messages, exceptions and configuration, and never changes its meaning."""
    why: str
    """What can happen without it: one sentence."""
    fix: str
    """What to change."""
    severity: Severity
    tier: Tier
    controls: tuple[str, ...]
    """Numbers of the rows of controls.csv that it is about, or names of relations such as R4."""
    references: tuple[str, ...] = ()
    """Public names of the same demand, from those rows."""
    implies: frozenset[str] = field(default_factory=frozenset)
    """Rules that a violation of this one can raise as well, since they judge the same value."""


@dataclass(frozen=True, kw_only=True)
class Rule(Policy):
    """A rule about one resource; it judges what the program asks for, before anything is created."""

    on: tuple[str, ...]
    """Types of resources."""
    check: Check

    def judge(self, resource: Resource) -> Iterator[Finding]:
        """Judge a resource; a fault of the rule itself is a violation, since nothing was proved."""
        if resource.type not in self.on:
            return
        try:
            yield from judged(self.check, resource.props)
        except Exception as error:
            yield Violation(f"the rule failed: {type(error).__name__}: {error}")


@dataclass(frozen=True)
class About:
    """A finding and the resource that it is about."""

    urn: str
    finding: Finding


@dataclass(frozen=True, kw_only=True)
class Relation(Policy):
    """A rule about several resources together; during `pulumi up` it is judged when all of them exist already."""

    check: Callable[[Stack], Iterable[About]]

    def judge(self, stack: Stack) -> Iterator[About]:
        """Judge a stack; a fault of the rule itself is a violation, since nothing was proved."""
        try:
            yield from self.check(stack)
        except Exception as error:
            yield About("", Violation(f"the rule failed: {type(error).__name__}: {error}"))
