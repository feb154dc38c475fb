"""The policy document data source: IAM policy JSON, with the provider's layout and merging of documents."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable
from typing import Any, Final

from sandbox.behaviour.model import AwsError, Properties

VERSION: Final = "2012-10-17"
ORDER: Final = (
    "Sid",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Principal",
    "NotPrincipal",
    "Condition",
)
_VARIABLE: Final = re.compile(r"&\{")


def policy_document(args: Properties) -> Properties:
    """Build a policy document.

    Args:
        args: `statements`, `sourcePolicyDocuments`, `overridePolicyDocuments`, `policyId`, `version`.

    Raises:
        AwsError: a document that is no JSON, or a statement id that occurs twice.

    """
    statements: list[Properties] = []
    version, policy_id = args.get("version", VERSION), args.get("policyId", "")
    sources = [*args.get("sourcePolicyDocuments", []), *filter(None, [args.get("sourceJson")])]
    for number, text in enumerate(sources):
        parsed = _parsed(text, f"sourcePolicyDocuments[{number}]")
        version = args.get("version", parsed.get("Version", version))
        policy_id = policy_id or parsed.get("Id", "")
        known = {item["Sid"] for item in statements if item.get("Sid")}
        for item in _statements(parsed):
            if item.get("Sid") in known:
                raise AwsError(
                    "DuplicateSid",
                    f"duplicate Sid ({item['Sid']}) in sourcePolicyDocuments",
                    "sourcePolicyDocuments",
                )
            statements.append(item)
    own = [_statement(item, str(version)) for item in args.get("statements", [])]
    _refuse_duplicates(own)
    statements = _overridden(statements, own)
    overrides = [*args.get("overridePolicyDocuments", []), *filter(None, [args.get("overrideJson")])]
    for number, text in enumerate(overrides):
        statements = _overridden(statements, _statements(_parsed(text, f"overridePolicyDocuments[{number}]")))
    return _answer(
        args, {"Version": version, **({"Id": policy_id} if policy_id else {}), "Statement": statements}
    )


def _answer(args: Properties, document: Properties) -> Properties:
    text = _escaped(json.dumps(document, indent=2, ensure_ascii=False))
    minified = _escaped(json.dumps(document, separators=(",", ":"), ensure_ascii=False))
    given = {
        key: value
        for key, value in args.items()
        if key in ("statements", "policyId") or "olicyDocuments" in key
    }
    return {
        **given,
        "id": str(zlib.crc32(text.encode())),
        "json": text,
        "minifiedJson": minified,
        "version": VERSION,
    } | ({"version": args["version"]} if "version" in args else {})


def _escaped(text: str) -> str:
    """Write the three characters that Go's encoder escapes."""
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _parsed(text: str, where: str) -> Properties:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise AwsError("InvalidJson", f"not a policy document: {error}", where) from None
    if not isinstance(document, dict):
        raise AwsError("InvalidJson", "not a policy document: it must be a JSON object", where)
    return document


def _statements(document: Properties) -> list[Properties]:
    found = document.get("Statement", [])
    return [
        {key: item[key] for key in ORDER if key in item and item[key] != ""}
        for item in (found if isinstance(found, list) else [found])
    ]


def _refuse_duplicates(statements: Iterable[Properties]) -> None:
    seen: set[str] = set()
    for item in statements:
        sid = item.get("Sid")
        if sid and sid in seen:
            raise AwsError("DuplicateSid", f"duplicate Sid ({sid})", "statements")
        seen.add(sid or "")


def _overridden(base: list[Properties], newer: list[Properties]) -> list[Properties]:
    """Lay statements over others: the same statement id replaces, everything else is added."""
    result = list(base)
    for item in newer:
        sid = item.get("Sid")
        place = next((n for n, old in enumerate(result) if sid and old.get("Sid") == sid), None)
        if place is None:
            result.append(item)
        else:
            result[place] = item
    return result


def _statement(args: Properties, version: str) -> Properties:
    parts: Properties = {
        "Sid": args.get("sid", ""),
        "Effect": args.get("effect", "Allow"),
        "Action": _one_or_many(args.get("actions")),
        "NotAction": _one_or_many(args.get("notActions")),
        "Resource": _variables(_one_or_many(args.get("resources")), version),
        "NotResource": _variables(_one_or_many(args.get("notResources")), version),
        "Principal": _principals(args.get("principals"), version),
        "NotPrincipal": _principals(args.get("notPrincipals"), version),
        "Condition": _conditions(args.get("conditions"), version),
    }
    return {key: value for key, value in parts.items() if value not in ("", None, {}, [])}


def _one_or_many(values: list[str] | None) -> Any:
    if not values:
        return None
    return values[0] if len(values) == 1 else sorted(set(values), reverse=True)


def _variables(value: Any, version: str) -> Any:
    """Turn `&{aws:username}` into `${aws:username}`; only the current policy language has variables."""
    if isinstance(value, list):
        return [_variables(item, version) for item in value]
    if not isinstance(value, str) or not _VARIABLE.search(value):
        return value
    if version == "2008-10-17":
        raise AwsError("InvalidVersion", "found &{ sequence in a document of version 2008-10-17", "version")
    return _VARIABLE.sub("${", value)


def _principals(items: list[Properties] | None, version: str) -> Any:
    if not items:
        return None
    grouped: dict[str, list[str]] = {}
    for item in items:
        grouped.setdefault(item["type"], []).extend(item["identifiers"])
    if grouped.get("*") == ["*"] and len(grouped) == 1:
        return "*"
    return {
        kind: _variables(_one_or_many(identifiers), version) or []
        for kind, identifiers in sorted(grouped.items())
    }


def _conditions(items: list[Properties] | None, version: str) -> Any:
    grouped: dict[str, dict[str, list[str]]] = {}
    for item in items or []:
        values = grouped.setdefault(item["test"], {}).setdefault(item["variable"], [])
        values.extend(_variables(list(item["values"]), version))
    return {
        test: {name: values[0] if len(values) == 1 else values for name, values in sorted(variables.items())}
        for test, variables in sorted(grouped.items())
    }
