"""What AWS refuses at create time because of what exists: missing references, foreign networks, taken names."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.behaviour import existing_logs, existing_names, existing_network
from sandbox.behaviour.existing_view import BY_NAME, REFERENCES, View
from sandbox.behaviour.model import AwsError, Properties, Session, World


def check_existing(token: str, inputs: Properties, session: Session, world: World) -> None:
    """Compare a resource that is about to be created with what exists.

    References are judged only when the account holds resources of that kind at all: what was made outside the
    sandbox is not known here.

    Args:
        token: The Pulumi type.
        inputs: Checked inputs without unknown parts.
        session: Whose account and region.
        world: What exists.

    Raises:
        AwsError: with AWS's own code, naming the property to blame.

    """
    view = View(inputs, session, world)
    for error in _errors(token, view):
        raise error


def check_changed(token: str, old: Properties, inputs: Properties, session: Session, world: World) -> None:
    """Compare a resource that is about to change in place with what exists, as far as AWS looks at it again.

    Raises:
        AwsError: with AWS's own code, naming the property to blame.

    """
    for error in existing_logs.errors(token, View(inputs, session, world), old):
        raise error


def _errors(token: str, view: View) -> Iterator[AwsError]:
    yield from missing(token, view)
    yield from existing_network.errors(token, view)
    yield from existing_names.errors(token, view)
    yield from existing_logs.errors(token, view)


def missing(token: str, view: View) -> Iterator[AwsError]:
    """Yield the references that point to nothing."""
    for path, kind in (*REFERENCES.get(token, ()), *BY_NAME.get(token, ())):
        for where, value in view.values(path):
            if isinstance(value, str) and view.is_missing(kind, value):
                code, message = kind.error
                yield AwsError(code, message.format(value), where)
