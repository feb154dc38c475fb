"""Policy documents: their shape as IAM demands it, and what a linter knows of actions, resources and conditions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

from sandbox.behaviour.rules.policy_linter import lint

VERSION: Final = "2012-10-17"
_TOP: Final = frozenset({"Version", "Id", "Statement"})
_KEYS: Final = frozenset(
    {
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    }
)
_SID: Final = re.compile(r"[A-Za-z0-9]*")
_PRINCIPALS: Final = frozenset({"AWS", "Service", "Federated", "CanonicalUser"})


class Kind(StrEnum):
    """Where a policy is attached; it decides which elements a statement has."""

    IDENTITY = "identity"
    TRUST = "trust"
    RESOURCE = "resource"
    REPOSITORY = "repository"


@lru_cache(maxsize=512)
def problems(text: str, kind: Kind) -> tuple[str, ...]:
    """Return what is wrong with a policy document, given as valid JSON."""
    document = json.loads(text)
    shape = tuple(_shape(document, kind))
    return shape or (*_too_wide(document, kind), *lint(document, kind == Kind.IDENTITY))


def statements_of(document: Any) -> list[Any]:
    """Return the statements of a parsed document as a list; one statement may stand alone."""
    found = document.get("Statement") if isinstance(document, dict) else None
    return found if isinstance(found, list) else [found]


def texts(value: Any) -> list[str]:
    """Return an element that may be one text or a list of texts as a list."""
    return value if isinstance(value, list) else [value]


def label(index: int, statement: dict[str, Any]) -> str:
    """Name a statement in a message."""
    return f"Statement[{index}]" + (f' "{statement["Sid"]}"' if statement.get("Sid") else "")


def _shape(document: Any, kind: Kind) -> Iterator[str]:
    if not isinstance(document, dict):
        yield "must be a JSON object"
        return
    for key in sorted(document.keys() - _TOP):
        yield f'"{key}" is no element of a policy, allowed: {", ".join(sorted(_TOP))}'
    if document.get("Version") != VERSION:
        got = f'"{document["Version"]}"' if "Version" in document else "none"
        yield f'Version must be "{VERSION}", got {got}'
    statements = statements_of(document)
    if not document.get("Statement"):
        yield "Statement needs at least one statement"
        return
    sids: set[str] = set()
    for index, statement in enumerate(statements):
        if not isinstance(statement, dict):
            yield f"Statement[{index}] must be an object"
            continue
        sid = statement.get("Sid")
        if sid and sid in sids:
            yield f'{label(index, statement)}: the Sid "{sid}" is used twice'
        sids.add(sid or "")
        for problem in _statement(statement, kind):
            yield f"{label(index, statement)}: {problem}"


def _statement(statement: dict[str, Any], kind: Kind) -> Iterator[str]:
    for key in sorted(statement.keys() - _KEYS):
        yield f'"{key}" is no element of a statement, allowed: {", ".join(sorted(_KEYS))}'
    if statement.get("Effect") not in ("Allow", "Deny"):
        yield f"Effect must be Allow or Deny, got {json.dumps(statement.get('Effect'))}"
    yield from _one_of(statement, "Action", required=True)
    yield from _one_of(statement, "Resource", required=kind in (Kind.IDENTITY, Kind.RESOURCE))
    if kind in (Kind.TRUST, Kind.REPOSITORY) and ("Resource" in statement or "NotResource" in statement):
        yield f"a {kind} policy has no Resource"
    if kind == Kind.IDENTITY and not _SID.fullmatch(str(statement.get("Sid") or "")):
        yield "a Sid may hold letters and digits only"
    yield from _principal(statement, kind)
    condition = statement.get("Condition", {})
    if not isinstance(condition, dict) or not all(isinstance(item, dict) for item in condition.values()):
        yield 'Condition must look like {"operator": {"key": "value"}}'


def _one_of(statement: dict[str, Any], element: str, *, required: bool) -> Iterator[str]:
    given = [key for key in (element, f"Not{element}") if key in statement]
    if len(given) > 1:
        yield f"{element} and Not{element} exclude each other"
    elif not given and required:
        yield f"{element} or Not{element} is required"
    for key in given:
        values = texts(statement[key])
        if not values or not all(isinstance(value, str) and value for value in values):
            yield f"{key} must be a text or a list of texts"


def _principal(statement: dict[str, Any], kind: Kind) -> Iterator[str]:
    given = [key for key in ("Principal", "NotPrincipal") if key in statement]
    if kind == Kind.IDENTITY:
        if given:
            yield f"{given[0]} is not allowed in an identity policy"
        return
    if not given:
        yield "Principal is required in a policy of this kind"
        return
    principal = statement[given[0]]
    if principal == "*":
        return
    if not isinstance(principal, dict) or not principal:
        yield f'{given[0]} must be "*" or an object such as {{"Service": "ecs-tasks.amazonaws.com"}}'
        return
    for key in sorted(principal.keys() - _PRINCIPALS):
        yield f'"{key}" is no kind of principal, allowed: {", ".join(sorted(_PRINCIPALS))}'
    for service in texts(principal.get("Service", [])):
        if not re.fullmatch(r"[a-z0-9.-]+\.(amazonaws\.com(\.cn)?|amazon\.com|aws\.internal)", str(service)):
            yield f'"{service}" is no service principal'


def _too_wide(document: dict[str, Any], kind: Kind) -> Iterator[str]:
    if kind != Kind.IDENTITY:
        return
    for index, statement in enumerate(statements_of(document)):
        if statement["Effect"] != "Allow":
            continue
        actions = [action.lower() for action in texts(statement.get("Action", []))]
        if "iam:*" in actions:
            yield f"{label(index, statement)}: iam:* lets its holder become anybody; name the actions"
        if "*" in actions and "*" in texts(statement.get("Resource", [])):
            yield f'{label(index, statement)}: Action "*" on Resource "*" allows everything; name what is needed'
