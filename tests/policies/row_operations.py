"""What can be done to the resources of a golden stack: each operation takes a stack and returns another one.

A value may be `Of` another resource. Then it is what that resource has in the stack, and the changed property counts
as made of it, as the engine records it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

from policies.crossguard.types import canonical
from tests.policies.cases import REMOVED, value_at
from tests.policies.golden import Golden, Row, with_value

Operation = Callable[[Golden], Golden]


@dataclass(frozen=True)
class Of:
    """A value that a resource of the stack has."""

    type: str
    part: str = ""
    """Part of the name of the resource."""
    property: str = "id"
    """The id, or an output."""

    def row(self, golden: Golden) -> Row:
        """Return the resource."""
        found = [row for row in golden.rows if _is(row, self.type, self.part)]
        if len(found) != 1:
            raise LookupError(f"{golden.name} has {len(found)} of {self.type} with {self.part!r} in the name")
        return found[0]

    def value(self, golden: Golden) -> Any:
        """Return the value."""
        row = self.row(golden)
        found = row["id"] if self.property == "id" else value_at(row["outputs"], self.property)
        if found is REMOVED:
            raise LookupError(f"{row['urn']} has no {self.property}")
        return found


def then(*operations: Operation) -> Operation:
    """Return an operation that does several, one after the other."""
    return lambda golden: reduce(lambda stack, operation: operation(stack), operations, golden)


def unchanged(golden: Golden) -> Golden:
    """Do nothing."""
    return golden


def without(token: str, part: str) -> Operation:
    """Remove one resource."""

    def operation(golden: Golden) -> Golden:
        removed = Of(token, part).row(golden)
        return golden.with_rows([row for row in golden.rows if row["urn"] != removed["urn"]])

    return operation


def without_all(token: str, part: str = "") -> Operation:
    """Remove all resources of a type whose names contain a text."""

    def operation(golden: Golden) -> Golden:
        return golden.with_rows([row for row in golden.rows if not _is(row, token, part)])

    return operation


def with_property(token: str, part: str, path: str, value: Any) -> Operation:
    """Give a resource another value at a path, or take it away with REMOVED."""

    def operation(golden: Golden) -> Golden:
        row = with_value(Of(token, part).row(golden), path, _resolved(golden, value))
        return golden.with_row(_made_of_more(row, path, _urns(golden, value)))

    return operation


def with_item(token: str, part: str, path: str, item: Any) -> Operation:
    """Add an item to the end of a list."""

    def operation(golden: Golden) -> Golden:
        listed = value_at(Of(token, part).row(golden)["inputs"], path)
        return with_property(token, part, f"{path}[{len(listed)}]", item)(golden)

    return operation


def without_item(token: str, part: str, path: str, item: Of) -> Operation:
    """Take an item out of a list, which is no more made of it either."""

    def operation(golden: Golden) -> Golden:
        row = Of(token, part).row(golden)
        listed = value_at(row["inputs"], path)
        kept = [each for each in listed if each != item.value(golden)]
        if len(kept) != len(listed) - 1:
            raise LookupError(f"{path} of {row['urn']} does not have it once")
        made_of = dict(row["propertyDependencies"])
        made_of[_top(path)] = [urn for urn in made_of[_top(path)] if urn != item.row(golden)["urn"]]
        return golden.with_row(with_value(row, path, kept) | {"propertyDependencies": made_of})

    return operation


def made_of(token: str, part: str, property: str, *targets: Of) -> Operation:
    """Change what a property was made of, and leave its value."""

    def operation(golden: Golden) -> Golden:
        row = Of(token, part).row(golden)
        urns = [target.row(golden)["urn"] for target in targets]
        return golden.with_row(
            row | {"propertyDependencies": {**row["propertyDependencies"], property: urns}}
        )

    return operation


def with_option(token: str, part: str, option: str, value: Any) -> Operation:
    """Change what the engine keeps beside the properties: `protect`, `provider` or `parent`."""
    return lambda golden: golden.with_row(Of(token, part).row(golden) | {option: value})


def with_resource(
    token: str, name: str, properties: Mapping[str, Any], *, protect: bool = False
) -> Operation:
    """Add a resource of the stack's own provider; of what its properties were made is recorded."""

    def operation(golden: Golden) -> Golden:
        stack = golden.with_added(token, _resolved(golden, properties))
        row = stack.rows[-1]
        dependencies = {key: sorted(_urns(golden, value)) for key, value in properties.items()}
        provider = Of("pulumi:providers:aws").row(golden)
        row |= {
            "urn": f"{row['urn'].rpartition('::')[0]}::{name}",
            "id": name,
            "outputs": {"id": name, **row["outputs"]},
            "dependencies": sorted({urn for urns in dependencies.values() for urn in urns}),
            "propertyDependencies": dependencies,
            "provider": f"{provider['urn']}::{provider['id']}",
            "protect": protect,
        }
        return stack

    return operation


def _is(row: Row, token: str, part: str) -> bool:
    return canonical(row["type"]) == token and part in row["urn"].rpartition("::")[2]


def _top(path: str) -> str:
    return path.partition(".")[0].partition("[")[0]


def _made_of_more(row: Row, path: str, urns: set[str]) -> Row:
    dependencies = row.get("propertyDependencies") or {}
    if not urns:
        return row
    return row | {
        "propertyDependencies": {
            **dependencies,
            _top(path): sorted({*(dependencies.get(_top(path)) or ()), *urns}),
        }
    }


def _resolved(golden: Golden, value: Any) -> Any:
    if isinstance(value, Of):
        return value.value(golden)
    if isinstance(value, Mapping):
        return {key: _resolved(golden, each) for key, each in value.items()}
    if isinstance(value, list):
        return [_resolved(golden, each) for each in value]
    return value


def _urns(golden: Golden, value: Any) -> set[str]:
    return {each.row(golden)["urn"] for each in _references(value)}


def _references(value: Any) -> Iterator[Of]:
    if isinstance(value, Of):
        yield value
    elif isinstance(value, Mapping | list):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _references(each)
