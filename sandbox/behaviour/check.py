"""Check of a resource's inputs before anything is planned: what is refused, and the inputs completed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sandbox.behaviour.model import Checked, Failure, Properties, Session
from sandbox.behaviour.names import NameTooLongError, auto_name, auto_name_of
from sandbox.behaviour.regions import ZONES
from sandbox.behaviour.rules import Case, rule_failures
from sandbox.behaviour.schema import UTILITIES, facts_of
from sandbox.behaviour.specs import shape_of
from sandbox.behaviour.values import UNKNOWN
from sandbox.behaviour.walker import Walk

DEFAULTS = "__defaults"
"""The input that lists the top-level inputs the provider filled in itself."""


@dataclass(frozen=True)
class _Naming:
    """The auto-name of one check: the property, its value, what went wrong."""

    property: str = ""
    value: str | None = None
    failure: Failure | None = None


def check(
    token: str, name: str, news: Properties, olds: Properties | None, session: Session, seed: bytes
) -> Checked:
    """Check and complete the inputs of a resource.

    Args:
        token: The Pulumi type.
        name: The logical name.
        news: The inputs as the program gives them; UNKNOWN parts are skipped.
        olds: The last checked inputs, None for a new resource; an auto-name in them is kept.
        session: Whose region and default tags.
        seed: Makes the random part of an auto-name.

    Returns:
        The inputs with schema defaults, auto-name, region, merged tags and `__defaults`; every failure names its
        property. Rules of AWS that go beyond the schema are looked at only when the schema has no complaint, as in
        the real provider.

    Raises:
        UnknownType: the sandbox does not simulate the type.

    """
    facts, shape = facts_of(token), shape_of(token)
    given = {key: value for key, value in news.items() if not key.startswith("__")}
    naming = _named(token, name, given, olds, seed)
    candidate = given if naming.value is None else {**given, naming.property: naming.value}
    walk = Walk(token)
    inputs = walk.object(candidate, shape, "")
    failures = [_explained(failure, naming, name) for failure in walk.failures]
    if naming.failure:
        failures.append(naming.failure)
    if "region" in shape.specs:
        failures += _region(inputs, session)
    if "tagsAll" in facts["computedOutputs"] and session.default_tags:
        inputs["tagsAll"] = _merged(session, inputs.get("tags", {}))
    if not failures and token.startswith(UTILITIES):
        from sandbox.behaviour import utilities

        completed = utilities.complete(token, inputs)
        inputs, failures = completed.inputs, list(completed.failures)
    elif not failures:
        failures += rule_failures(Case(token, name, inputs, given, session))
    # `tagsAll` is computed from `tags`, not defaulted: like the real provider it is not listed.
    inputs[DEFAULTS] = sorted(key for key in inputs if key not in given and key != "tagsAll")
    return Checked(inputs, tuple(failures))


def _named(token: str, name: str, given: Properties, olds: Properties | None, seed: bytes) -> _Naming:
    rule = auto_name_of(token)
    if rule is None or rule.property in given or rule.prefix_property in given:
        return _Naming()
    if olds and rule.property in olds.get(DEFAULTS, ()) and rule.property in olds:
        return _Naming(rule.property, olds[rule.property])
    try:
        return _Naming(rule.property, auto_name(token, name, seed, given))
    except NameTooLongError as error:
        return _Naming(rule.property, failure=Failure(rule.property, str(error)))


def _explained(failure: Failure, naming: _Naming, name: str) -> Failure:
    """Say of a refused auto-name where it comes from."""
    if naming.value is None or failure.property != naming.property:
        return failure
    return Failure(
        failure.property,
        f'{failure.reason} ("{naming.value}" was made from the logical name "{name}"; give {naming.property})',
    )


def _region(inputs: Properties, session: Session) -> list[Failure]:
    region = inputs.setdefault("region", session.region)
    if region is UNKNOWN or not isinstance(region, str):
        return []
    if region not in ZONES:
        return [Failure("region", f'"{region}" is not an AWS region')]
    if replace(session, region=region).partition != session.partition:
        return [Failure("region", f'"{region}" is not a region of the partition {session.partition}')]
    return []


def _merged(session: Session, tags: Any) -> Any:
    return UNKNOWN if tags is UNKNOWN else {**session.default_tags, **tags}
