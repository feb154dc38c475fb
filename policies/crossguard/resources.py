"""A resource and a stack as a policy pack sees them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from policies.crossguard.values import View


@dataclass(frozen=True)
class Urn:
    """The parts of a URN that name a resource."""

    stack: str
    type: str
    name: str

    @classmethod
    def of(cls, urn: str) -> Urn:
        """Take a URN apart; one that is none has empty parts."""
        parts = urn.removeprefix("urn:pulumi:").split("::", 3)
        if len(parts) != 4:
            return cls("", "", "")
        return cls(parts[0], parts[2].rsplit("$", 1)[-1], parts[3])


@dataclass(frozen=True, kw_only=True)
class Provider:
    """The explicit or default provider of a resource."""

    urn: str
    name: str
    props: View


@dataclass(frozen=True, kw_only=True, eq=False)
class Resource:
    """One resource of a stack, a component or one that exists in AWS."""

    urn: str
    type: str
    """The token under which the provider's own documentation has it; aliases are resolved."""
    token: str
    """The token as the program registered it."""
    name: str
    props: View
    """Of a rule about one resource its inputs; of a relation its outputs, which repeat the inputs in a preview."""
    protect: bool = False
    parent: str = ""
    """URN; empty for the stack itself."""
    provider: Provider | None = None
    dependencies: tuple[str, ...] = ()
    """URNs of all that it waits for."""
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """URNs of what each property that was given was made of: known in a preview, when the value is not."""


@dataclass(frozen=True, eq=False)
class Stack:
    """All resources of a stack."""

    resources: Sequence[Resource]

    @cached_property
    def by_urn(self) -> Mapping[str, Resource]:
        """The resources by URN."""
        return {resource.urn: resource for resource in self.resources}

    @cached_property
    def _by_type(self) -> Mapping[str, Sequence[Resource]]:
        found: dict[str, list[Resource]] = defaultdict(list)
        for resource in self.resources:
            found[resource.type].append(resource)
        return found

    @cached_property
    def _by_parent(self) -> Mapping[str, Sequence[Resource]]:
        found: dict[str, list[Resource]] = defaultdict(list)
        for resource in self.resources:
            found[resource.parent].append(resource)
        return found

    def of(self, *types: str) -> Iterator[Resource]:
        """Iterate over the resources of certain types, type by type."""
        return (resource for each in dict.fromkeys(types) for resource in self._by_type.get(each, ()))

    def behind(self, resource: Resource, property: str, *types: str) -> list[Resource]:
        """Return the resources that a property was made of, of certain types or of any."""
        urns = resource.property_dependencies.get(property, ())
        found = [self.by_urn[urn] for urn in urns if urn in self.by_urn]
        return [each for each in found if not types or each.type in types]

    def children(self, parent: Resource) -> Iterator[Resource]:
        """Iterate over the resources right below a component."""
        return iter(self._by_parent.get(parent.urn, ()))
