"""Outputs of resources: inputs completed with defaults, and what AWS computes (tables of `outputs_*`)."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final

from sandbox.behaviour import (
    outputs_cache,
    outputs_compute,
    outputs_containers,
    outputs_dynamodb,
    outputs_endpoints,
    outputs_events,
    outputs_network,
    outputs_operations,
    outputs_rds,
    outputs_security,
    outputs_storage,
)
from sandbox.behaviour.diff import diff
from sandbox.behaviour.model import Created, EmptyWorld, Properties, Session, World
from sandbox.behaviour.outputs_base import Ids, New, Shape
from sandbox.behaviour.schema import Facts, UnknownType, facts_of
from sandbox.behaviour.values import UNKNOWN

SHAPES: Final[Mapping[str, Shape]] = {
    **outputs_network.SHAPES,
    **outputs_endpoints.SHAPES,
    **outputs_compute.SHAPES,
    **outputs_containers.SHAPES,
    **outputs_rds.SHAPES,
    **outputs_cache.SHAPES,
    **outputs_storage.SHAPES,
    **outputs_dynamodb.SHAPES,
    **outputs_security.SHAPES,
    **outputs_events.SHAPES,
    **outputs_operations.SHAPES,
}

_EMPTY: Final = {"string": "", "int": 0, "number": 0, "bool": False, "list": [], "map": {}}


def shape_of(token: str) -> Shape:
    """Return how outputs of a type are made.

    Raises:
        UnknownType: the type has facts but no shape; the message says where to add it.

    """
    try:
        return SHAPES[token]
    except KeyError:
        raise UnknownType(
            f"the sandbox does not know what AWS answers for {token}; "
            "add it to SHAPES of sandbox/behaviour/outputs_*.py"
        ) from None


def created(
    token: str, name: str, inputs: Properties, session: Session, world: World, seed: bytes
) -> Created:
    """Make id and outputs of a new resource.

    Args:
        token: The Pulumi type.
        name: The logical name.
        inputs: Checked inputs.
        session: Whose account and region.
        world: What exists, for values that come from other resources.
        seed: Makes ids; the same seed, token and name give the same ids.

    """
    shape, facts = shape_of(token), facts_of(token)
    outputs = _echo(token, facts, inputs, session, "default", "awsDefault")
    new = New(token, name, inputs, outputs, session, world, Ids(seed, token, name))
    if shape.id != "{arn}":
        new.id = new.format(shape.id) if isinstance(shape.id, str) else shape.id(new)
    if shape.arn is not None:
        outputs["arn"] = new.arn(new.format(shape.arn) if isinstance(shape.arn, str) else shape.arn(new))
    new.id = new.id or new.text("arn")
    _fill(outputs, {key: new.format(v) if isinstance(v, str) else v for key, v in shape.values.items()})
    if shape.fill is not None:
        _fill(outputs, shape.fill(new))
    if not shape.framework:
        for key, spec in facts["properties"].items():
            if spec.get("computed") and key not in outputs and spec["type"] in _EMPTY:
                outputs[key] = copy.copy(_EMPTY[spec["type"]])
    return Created(new.id, outputs)


def planned(token: str, inputs: Properties, session: Session) -> Properties:
    """Make the outputs of a new resource as far as a preview knows them."""
    shape, facts = shape_of(token), facts_of(token)
    outputs = _echo(token, facts, inputs, session, "default")
    _mark_nested(facts["properties"], outputs)
    if shape.planned is not None:
        _fill(outputs, shape.planned(outputs))
    _fill(outputs, dict.fromkeys(_computed(token), UNKNOWN))
    return outputs


def changed_keys(token: str, old: Properties, inputs: Properties) -> frozenset[str]:
    """Name the top-level properties in which new inputs differ from what a resource has."""
    return frozenset(
        re.split(r"[.\[]", change.path, maxsplit=1)[0] for change in diff(token, {}, inputs, old).changes
    )


def planned_update(token: str, old: Properties, inputs: Properties, session: Session) -> Properties:
    """Make the outputs of a changed resource as far as a preview knows them."""
    outputs, changed = _carried(token, old, inputs, session), changed_keys(token, old, inputs)
    for pending in shape_of(token).pending:
        if pending.caused_by(changed, inputs):
            outputs |= {key: UNKNOWN for key in pending.outputs if key not in inputs}
    return outputs


def updated(
    token: str,
    resource_id: str,
    old: Properties,
    inputs: Properties,
    session: Session,
    world: World | None = None,
) -> Properties:
    """Make the outputs of a changed resource."""
    shape, outputs = shape_of(token), _carried(token, old, inputs, session)
    if shape.refresh is not None:
        ids = Ids(resource_id, repr(sorted(inputs.items(), key=lambda item: item[0])))
        new = New(token, resource_id, inputs, outputs, session, world or EmptyWorld(), ids, resource_id)
        outputs |= shape.refresh(new, old, changed_keys(token, old, inputs))
    return outputs


def _carried(token: str, old: Properties, inputs: Properties, session: Session) -> Properties:
    """Lay new inputs over what AWS computed before."""
    facts = facts_of(token)
    kept = {
        key: copy.deepcopy(value)
        for key, value in old.items()
        if key in facts["computedOutputs"] or facts["properties"].get(key, {}).get("computed")
    }
    return kept | _echo(token, facts, inputs, session, "default")


def _fill(outputs: Properties, values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        outputs.setdefault(key, value)


def _echo(token: str, facts: Facts, inputs: Properties, session: Session, *defaults: str) -> Properties:
    """Copy the inputs, completed with defaults at every depth, the region and the tags of the provider."""
    skip = shape_of(token).without_defaults if "awsDefault" in defaults else frozenset()
    outputs: Properties = _completed(facts["properties"], inputs, defaults, skip)
    if "region" in facts["properties"]:
        outputs.setdefault("region", session.region)
    if "tagsAll" in facts["computedOutputs"] and "tagsAll" not in outputs:
        tags = outputs.get("tags", {})
        outputs["tagsAll"] = {**session.default_tags, **tags} if isinstance(tags, dict) else UNKNOWN
    return outputs


def _completed(
    specs: Mapping[str, Facts], value: Properties, defaults: Iterable[str], skip: frozenset[str] = frozenset()
) -> Properties:
    result = {
        key: _value(specs[key], item, ("default",) if key in skip else defaults)
        if key in specs
        else copy.deepcopy(item)
        for key, item in value.items()
        if not key.startswith("__") and not specs.get(key, {}).get("writeOnly")
    }
    for key, spec in specs.items():
        if key in result or key in skip or result.keys() & _rivals(spec):
            continue
        kind = next((kind for kind in defaults if kind in spec), None)
        if kind is not None:
            result[key] = copy.copy(spec[kind])
    return result


def _value(spec: Facts, value: Any, defaults: Iterable[str]) -> Any:
    specs = spec.get("properties")
    if isinstance(value, dict) and specs:
        return _completed(specs, value, defaults)
    if isinstance(value, list):
        return [_value(spec, item, defaults) for item in value]
    return copy.deepcopy(value) if isinstance(value, dict) else value


def _rivals(spec: Facts) -> set[str]:
    return {path.rsplit(".", 1)[-1] for path in spec.get("conflictsWith", ())}


@cache
def _computed(token: str) -> tuple[str, ...]:
    """Name what AWS decides when the program does not: computed outputs, optional and computed properties."""
    facts = facts_of(token)
    optional = (key for key, spec in facts["properties"].items() if spec.get("computed"))
    return (*facts["computedOutputs"], *optional)


def _mark_nested(specs: Mapping[str, Facts], value: Properties) -> None:
    """Mark what AWS decides inside the blocks that the program gave; members of sets stay as given."""
    for key, spec in specs.items():
        inner = spec.get("properties")
        if not inner or key not in value or spec.get("set") or spec.get("unordered"):
            continue
        blocks = value[key] if isinstance(value[key], list) else [value[key]]
        for block in blocks:
            if isinstance(block, dict):
                _mark_nested(inner, block)
                _fill(block, {name: UNKNOWN for name, part in inner.items() if _decided_by_aws(part)})


def _decided_by_aws(spec: Facts) -> bool:
    return bool(spec.get("computed")) and spec["type"] not in ("object", "list", "map")
