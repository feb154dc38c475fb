"""Small stacks for relations, as Pulumi sees them in a first preview and as a plan has them.

What is known only once another resource exists is a `Link` to it: unknown to our relation, which has to decide by what
properties were made of, and a reference in the plan, by which checkov decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from policies.crossguard.resources import Resource
from policies.crossguard.rules import Relation
from policies.crossguard.values import UNKNOWN
from tests.policies.checkov.terraform import Block, Link, block, type_of
from tests.policies.made import BAD, GOOD, made, verdict


@dataclass(frozen=True)
class Part:
    """A resource of a stack."""

    token: str
    name: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    """As the program gives them; a Link is to another part."""
    parent: str = ""

    def resource(self) -> Resource:
        """Return it as our relations see it."""
        links: dict[str, Sequence[str]] = {
            name: [link.to for link in _links(value)] for name, value in self.properties.items()
        }
        values = {name: _unknown(value) for name, value in self.properties.items()}
        return replace(made(self.token, self.name, links, **values), parent=self.parent)


@dataclass(frozen=True, kw_only=True)
class Small:
    """A stack, and what is right or wrong in it."""

    relation: str
    what: str
    about: str
    """The part that the relation judges."""
    parts: tuple[Part, ...]

    @property
    def on(self) -> str:
        """The type of what is judged."""
        return next(part.token for part in self.parts if part.name == self.about)

    def accepted(self, relation: Relation) -> bool:
        """Say whether a relation is content."""
        said = verdict(relation, self.about, *(part.resource() for part in self.parts))
        if said not in (GOOD, BAD):
            raise ValueError(f"{self.relation} cannot judge a stack {self.what}")
        return said == GOOD

    def blocks(self, prefix: str) -> Iterator[Block]:
        """Iterate over the resources of its plan, whose names begin with a prefix; components are none."""
        types = {part.name: part.token for part in self.parts}
        for part in self.parts:
            if part.token.startswith("aws:"):
                placed = {name: _placed(value, types, prefix) for name, value in part.properties.items()}
                yield block(part.token, f"{prefix}_{part.name}", placed)


def _links(value: Any) -> Iterator[Link]:
    if isinstance(value, Link):
        yield value
    elif isinstance(value, Mapping):
        for inside in value.values():
            yield from _links(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from _links(inside)


def _unknown(value: Any) -> Any:
    if isinstance(value, Link):
        return UNKNOWN
    if isinstance(value, Mapping):
        return {key: _unknown(inside) for key, inside in value.items()}
    return [_unknown(inside) for inside in value] if isinstance(value, list) else value


def _placed(value: Any, types: Mapping[str, str], prefix: str) -> Any:
    if isinstance(value, Link):
        return Link(f"{type_of(types[value.to])}.{prefix}_{value.to}", value.output)
    if isinstance(value, Mapping):
        return {key: _placed(inside, types, prefix) for key, inside in value.items()}
    return [_placed(inside, types, prefix) for inside in value] if isinstance(value, list) else value
