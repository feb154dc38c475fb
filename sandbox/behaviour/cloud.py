"""The life of a resource in the simulated cloud: plan, create, update; for AWS and for the other packages."""

from __future__ import annotations

from functools import cache

from sandbox.behaviour import outputs
from sandbox.behaviour.existing import check_changed, check_existing
from sandbox.behaviour.model import Created, Properties, Session, World
from sandbox.behaviour.schema import UTILITIES, facts_of


def plan(token: str, _name: str, inputs: Properties, session: Session) -> Properties:
    """Return what a preview knows of a new resource; the rest is UNKNOWN.

    Raises:
        UnknownType: the sandbox does not simulate the type.

    """
    facts_of(token)
    if token.startswith(UTILITIES):
        from sandbox.behaviour import utilities

        return utilities.plan(token, inputs)
    return outputs.planned(token, inputs, session)


def create(token: str, name: str, inputs: Properties, session: Session, world: World, seed: bytes) -> Created:
    """Create a resource.

    Args:
        token: The Pulumi type.
        name: The logical name.
        inputs: Checked inputs without unknown parts.
        session: Whose account and region.
        world: What exists.
        seed: Makes the ids; the same seed gives the same ids.

    Raises:
        AwsError: AWS refuses it because of what exists, or does not exist.
        UnknownType: the sandbox does not simulate the type.

    """
    facts_of(token)
    if token.startswith(UTILITIES):
        from sandbox.behaviour import utilities

        return utilities.compute(token, name, inputs, session, seed)
    check_existing(token, inputs, session, world)
    return outputs.created(token, name, inputs, session, world, seed)


def plan_update(
    token: str, _resource_id: str, old_outputs: Properties, inputs: Properties, session: Session
) -> Properties:
    """Return what a preview knows of a changed resource."""
    facts_of(token)
    if token.startswith(UTILITIES):
        from sandbox.behaviour import utilities

        return utilities.plan_update(token, old_outputs, inputs)
    return outputs.planned_update(token, old_outputs, inputs, session)


def update(
    token: str, resource_id: str, old_outputs: Properties, inputs: Properties, session: Session, world: World
) -> Properties:
    """Change a resource in place and return its outputs.

    Raises:
        AwsError: AWS refuses the change because of what exists, or does not exist.

    """
    facts_of(token)
    if token.startswith(UTILITIES):
        from sandbox.behaviour import utilities

        return utilities.update(token, resource_id, old_outputs, inputs, session, resource_id.encode())
    check_changed(token, old_outputs, inputs, session, world)
    return outputs.updated(token, resource_id, old_outputs, inputs, session, world)


@cache
def secret_outputs(token: str) -> frozenset[str]:
    """Name the top-level outputs of a type that the provider marks as secret."""
    facts = facts_of(token)
    if token.startswith(UTILITIES):
        from sandbox.behaviour import utilities

        return utilities.secret_outputs(token)
    return frozenset(key for key, spec in facts["properties"].items() if spec.get("sensitive"))
