"""One entry of a file of exceptions, and what can be wrong with it; imported only where there are any."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date, timedelta
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from policies.crossguard.resources import Urn

LONGEST: Final = timedelta(days=180)
"""How far an exception may reach: longer ones are decisions, and belong into the rules."""
WILDCARDS: Final = frozenset("*?[")

_Line = Annotated[str, Field(min_length=1, pattern=r"\S")]


class Entry(BaseModel):
    """One exception."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rule: _Line
    """Name of the rule."""
    stack: _Line
    """Name of the stack."""
    type: _Line
    """Type of the resource, as in its URN's last part before the name."""
    name: _Line
    """Pulumi's name of the resource."""
    reason: Annotated[str, Field(min_length=20)]
    """Why the rule cannot be kept here, in a sentence."""
    owner: _Line
    """Who answers for it."""
    ticket: _Line
    """Where it is decided and followed up."""
    expires: date
    """The last day on which it counts."""

    def __str__(self) -> str:
        """Name the entry."""
        return f"{self.rule} for {self.type} {self.name} in {self.stack}"

    def covers(self, rule: str, urn: str) -> bool:
        """Say whether it is about a violation of a rule by a resource."""
        parts = Urn.of(urn)
        return (rule, parts.stack, parts.type, parts.name) == (self.rule, self.stack, self.type, self.name)


def parsed(row: Any) -> tuple[Entry | None, list[str]]:
    """Return the entry that a row of the file is, or what is wrong with its fields."""
    try:
        return Entry.model_validate(row), []
    except ValidationError as error:
        return None, [
            f"{'.'.join(map(str, each['loc'])) or 'entry'}: {each['msg'][:1].lower()}{each['msg'][1:]}"
            for each in error.errors()
        ]


def faults(entry: Entry, rules: Collection[str], today: date, before: Sequence[Entry]) -> Iterator[str]:
    """Yield why an entry does not count; `before` are those above it in the file."""
    for field in ("rule", "stack", "type", "name"):
        if WILDCARDS & set(getattr(entry, field)):
            yield f"{field}: {getattr(entry, field)} is too broad: an exception is for one rule and one resource"
    if entry.rule not in rules and not WILDCARDS & set(entry.rule):
        yield f"rule: there is no rule {entry.rule}"
    if entry.expires < today:
        yield f"expires: {entry} ended on {entry.expires}; mend it, or decide again"
    if entry.expires > today + LONGEST:
        yield f"expires: {entry.expires} is more than {LONGEST.days} days away"
    if any(str(other) == str(entry) for other in before):
        yield f"{entry} is there twice"
