"""Which properties changed between two sets of inputs, and which changes replace or are refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from sandbox.behaviour.diff_comparison import Comparison
from sandbox.behaviour.diff_rules import RULES
from sandbox.behaviour.diff_values import same_text
from sandbox.behaviour.model import Change, ChangeKind, Diff, Properties
from sandbox.behaviour.names import auto_name_of
from sandbox.behaviour.schema import Facts, facts_of
from sandbox.behaviour.values import UNKNOWN, Archive, Asset, has_unknown

MISSING: Final = object()
MISSING_IS_NO_CHANGE: Final = frozenset(
    {
        ("aws:cloudwatch/eventRule:EventRule", "state"),
        ("aws:cloudwatch/eventRule:EventRule", "isEnabled"),
        ("aws:ecr/repository:Repository", "encryptionConfigurations"),
        ("aws:ecr/repository:Repository", "imageScanningConfiguration"),
        ("aws:scheduler/schedule:Schedule", "target.retryPolicy"),
        ("aws:sfn/stateMachine:StateMachine", "encryptionConfiguration"),
        ("aws:sfn/stateMachine:StateMachine", "loggingConfiguration"),
        ("aws:sfn/stateMachine:StateMachine", "tracingConfiguration"),
    }
)
"""What keeps its value in AWS when the program drops it, besides optional and computed properties."""


def diff(token: str, old_inputs: Properties, new_inputs: Properties, old_outputs: Properties) -> Diff:
    """Compare new inputs with what the state holds.

    The state's outputs count as the old values, as for the real provider: a drift that a refresh has found
    is a change. Properties that outputs do not have are compared with the old inputs.

    Args:
        token: The Pulumi type.
        old_inputs: The checked inputs of the last update.
        new_inputs: The checked inputs of this one; at preview an unknown part counts as a change.
        old_outputs: The outputs in the state.

    Raises:
        UnknownType: the sandbox does not simulate the type.

    """
    facts = facts_of(token)
    specs = facts["properties"]
    state = {
        key: value
        for key, value in {**old_inputs, **old_outputs}.items()
        if key in specs and not _echo_only(specs[key], key, old_inputs, value)
    }
    walk = _Walk(token)
    changes = [
        *walk.objects(specs, state, _shown(new_inputs), "", ""),
        *_tags(old_inputs, new_inputs, old_outputs),
    ]
    comparison = Comparison(state, new_inputs, old_outputs, changes)
    if token in RULES:
        RULES[token](comparison)
    kept = tuple(comparison.changes)
    return Diff(kept, _deletes_first(token, facts, new_inputs, kept), tuple(comparison.refused))


def _echo_only(spec: Facts, key: str, old_inputs: Properties, value: Any) -> bool:
    """Leave out defaults that outputs show, and the inputs never had."""
    return key not in old_inputs and (
        value in ("", [], {}) or (not spec.get("computed") and value == _default(spec))
    )


def _shown(inputs: Properties) -> Properties:
    return {key: value for key, value in inputs.items() if not key.startswith("__")}


def _default(spec: Facts) -> Any:
    value = spec.get("default", MISSING)
    return spec.get("awsDefault", MISSING) if value is MISSING else value


class _Walk:
    """The comparison of one resource, property by property."""

    def __init__(self, token: str) -> None:
        self.token, self.replacing = token, _replacing(token)

    def objects(
        self, specs: Mapping[str, Facts], old: Properties, new: Properties, path: str, dotted: str
    ) -> Iterator[Change]:
        """Compare two objects with known properties."""
        for key in sorted(old.keys() | new.keys()):
            spec = specs.get(key)
            if spec is None or key.startswith("__") or spec.get("writeOnly"):
                continue
            before, after = old.get(key, MISSING), new.get(key, MISSING)
            name = f"{dotted}{key}"
            if after is MISSING and (spec.get("computed") or self._kept(name, spec)):
                continue
            filled = _default(spec)
            before = filled if before is MISSING else before
            after = filled if after is MISSING else after
            yield from self.values(spec, before, after, f"{path}{key}", name)

    def values(self, spec: Facts, old: Any, new: Any, path: str, dotted: str) -> Iterator[Change]:
        """Compare two values of one property."""
        if old is new or _both_empty(spec, old, new):
            return
        if new is UNKNOWN or MISSING in (old, new) or type(old) is not type(new):
            if new is UNKNOWN or not same_text(self.token, dotted, spec, old, new):
                yield self._whole(spec, old, new, path, dotted)
        elif isinstance(new, dict):
            yield from self._dicts(spec, old, new, path, dotted)
        elif isinstance(new, list):
            yield from self._lists(spec, old, new, path, dotted)
        elif isinstance(new, Asset | Archive):
            if old.hash != new.hash:
                yield self._whole(spec, old, new, path, dotted)
        elif not same_text(self.token, dotted, spec, old, new):
            yield Change(path, ChangeKind.UPDATE, dotted in self.replacing)

    def _dicts(
        self, spec: Facts, old: Properties, new: Properties, path: str, dotted: str
    ) -> Iterator[Change]:
        if spec.get("properties"):
            yield from self.objects(spec["properties"], old, new, f"{path}.", f"{dotted}.")
            return
        for key in sorted(old.keys() | new.keys()):
            if not key.startswith("__") and (has_unknown(new.get(key)) or old.get(key) != new.get(key)):
                kind = _kind(old.get(key, MISSING), new.get(key, MISSING))
                yield Change(_in_map(path, key), kind, dotted in self.replacing)

    def _lists(self, spec: Facts, old: list[Any], new: list[Any], path: str, dotted: str) -> Iterator[Change]:
        if old == new and not has_unknown(new):
            return
        pairs = list(enumerate(new))
        if spec.get("set") or spec.get("unordered"):
            old, pairs = self._unmatched(spec, old, pairs, dotted)
        for number in range(max(len(old), len(pairs))):
            before = old[number] if number < len(old) else MISSING
            index, after = pairs[number] if number < len(pairs) else (number, MISSING)
            yield from self._element(spec, before, after, f"{path}[{index}]", dotted)

    def _element(self, spec: Facts, old: Any, new: Any, path: str, dotted: str) -> Iterator[Change]:
        if isinstance(old, dict) and isinstance(new, dict):
            yield from self._dicts(spec, old, new, path, dotted)
        elif old is MISSING or new is MISSING or new is UNKNOWN:
            yield self._whole(spec, old, new, path, dotted)
        elif not same_text(self.token, dotted, spec, old, new):
            yield Change(path, ChangeKind.UPDATE, dotted in self.replacing)

    def _unmatched(
        self, spec: Facts, old: list[Any], pairs: list[tuple[int, Any]], dotted: str
    ) -> tuple[list[Any], list[tuple[int, Any]]]:
        """Take out the members that both sides of a set have, in whatever order."""
        left, changed = list(old), []
        for index, item in pairs:
            match = next((n for n, other in enumerate(left) if self._same(spec, other, item, dotted)), None)
            if match is None:
                changed.append((index, item))
            else:
                del left[match]
        return left, changed

    def _same(self, spec: Facts, old: Any, new: Any, dotted: str) -> bool:
        if has_unknown(new):
            return False
        return old == new or next(self._element(spec, old, new, "", dotted), None) is None

    def _whole(self, spec: Facts, old: Any, new: Any, path: str, dotted: str) -> Change:
        """Report a value that appears, disappears or is unknown; a block replaces when a part of it does."""
        replace = dotted in self.replacing
        if not replace and spec.get("properties") and new is not UNKNOWN:
            block = old if new is MISSING else new
            replace = any(f"{dotted}.{key}" in self.replacing for key in _keys(block))
        return Change(path, _kind(old, new), replace)

    def _kept(self, dotted: str, spec: Facts) -> bool:
        reason = str(spec.get("diffSuppressed", ""))
        missing = "missing in the program" in reason or "dropped from the program" in reason
        return missing or (self.token, dotted) in MISSING_IS_NO_CHANGE


def _keys(block: Any) -> set[str]:
    blocks = block if isinstance(block, list) else [block]
    return {key for item in blocks if isinstance(item, dict) for key in item}


def _both_empty(spec: Facts, old: Any, new: Any) -> bool:
    """Take a missing value for the empty one of any type, as the provider's plugin protocol does.

    An empty block is no missing block: `allow: {}` says something.
    """
    if old is MISSING or new is MISSING:
        other = new if old is MISSING else old
        if other == {} and spec.get("type") == "object":
            return False
        return other is MISSING or (
            not isinstance(other, Asset | Archive) and other in (False, 0, "", None, [], {})
        )
    return False


def _kind(old: Any, new: Any) -> ChangeKind:
    if old is MISSING:
        return ChangeKind.ADD
    return ChangeKind.DELETE if new is MISSING else ChangeKind.UPDATE


def _in_map(path: str, key: str) -> str:
    return f"{path}.{key}" if key.replace("_", "").replace("-", "").isalnum() else f'{path}["{key}"]'


def _tags(old_inputs: Properties, new_inputs: Properties, old_outputs: Properties) -> Iterator[Change]:
    """Compare the tags that AWS really gets, which also change with the provider's default tags."""
    new = new_inputs.get("tagsAll", new_inputs.get("tags", {}))
    old = old_outputs.get("tagsAll", old_inputs.get("tagsAll"))
    if old is None:
        return
    if not isinstance(new, dict):
        yield Change("tagsAll", ChangeKind.UPDATE, replace=False)
        return
    for key in sorted(old.keys() | new.keys()):
        if not key.startswith("__") and old.get(key) != new.get(key):
            kind = _kind(old.get(key, MISSING), new.get(key, MISSING))
            yield Change(_in_map("tagsAll", key), kind, replace=False)


@cache
def _replacing(token: str) -> frozenset[str]:
    return frozenset(facts_of(token)["replaceOnChange"])


def _deletes_first(token: str, facts: Facts, inputs: Properties, changes: tuple[Change, ...]) -> bool:
    """Say whether the old resource must go before its replacement comes, because both would have one name."""
    if not any(change.replace for change in changes):
        return False
    if facts.get("deleteBeforeReplace"):
        return True
    name = _auto_named(token)
    return "__defaults" in inputs and name in inputs and name not in inputs["__defaults"]


@cache
def _auto_named(token: str) -> str:
    """Name the property that gets a random name when the program leaves it out; empty when there is none."""
    named = auto_name_of(token) if token.startswith("aws:") else None
    return named.property if named else ""
