"""What parliament, the IAM linter, knows: actions, ARN formats and condition keys of every service.

Refused are the findings that make a statement void or are rejected by AWS. Left out are matters of taste (a star where
an ARN would do, an older operator that works) and findings of its resource formats on wildcard actions such as `s3:*`,
which never all match one resource.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final

_ERRORS: Final = frozenset(
    {"UNKNOWN_ACTION", "UNKNOWN_PREFIX", "INVALID_ARN", "UNKNOWN_OPERATOR", "UNKNOWN_PRINCIPAL", "MALFORMED",
     "MALFORMED_JSON", "UNKNOWN_CONDITION_FOR_ACTION", "MISMATCHED_TYPE", "MISMATCHED_TYPE_OPERATION_TO_NULL"}
)  # fmt: skip
_NEWER_KEYS: Final = frozenset(
    {"aws:SourceOrgID", "aws:SourceOrgPaths", "aws:SourceVpcArn", "aws:VpceAccount", "aws:VpceOrgID",
     "aws:VpceOrgPaths", "aws:ViaAWSMCPService", "aws:CalledViaAWSMCP"}
)  # fmt: skip
"""Global condition keys that are younger than the linter's data."""

_ALSO_ON_RESOURCES: Final = frozenset({"logs:describeloggroups"})
"""Actions that AWS authorises on a resource although the linter's data knows none for them."""

_TITLES: Final = {
    "UNKNOWN_OPERATOR": "unknown condition operator",
    "UNKNOWN_PRINCIPAL": "unknown principal",
    "INVALID_ARN": "malformed resource",
    "MISMATCHED_TYPE_OPERATION_TO_NULL": "a Bool or Null condition needs true or false",
}


@cache
def _analyze() -> Callable[[str], Any]:
    with warnings.catch_warnings():
        # The linter imports pkg_resources, which warns about its own end.
        warnings.simplefilter("ignore")
        import parliament
    analyze: Callable[[str], Any] = parliament.analyze_policy_string
    return analyze


def lint(document: dict[str, Any], identity: bool) -> Iterator[str]:
    """Yield the errors that the linter finds.

    Args:
        document: A parsed policy of correct shape.
        identity: Whether it is an identity policy, whose resources must fit the actions.

    """
    found = document["Statement"]
    statements = [
        statement if "Resource" in statement or "NotResource" in statement else {**statement, "Resource": "*"}
        for statement in (found if isinstance(found, list) else [found])
    ]
    findings = _analyze()(json.dumps({**document, "Statement": statements})).findings
    issues = {finding.issue for finding in findings}
    seen: set[str] = set()
    for finding in findings:
        if finding.issue == "MISMATCHED_TYPE" and "UNKNOWN_OPERATOR" in issues:
            continue
        text = _text(finding, statements, identity)
        if text and text not in seen:
            seen.add(text)
            yield text


def _text(finding: Any, statements: list[dict[str, Any]], identity: bool) -> str | None:
    if finding.issue == "RESOURCE_MISMATCH":
        return _mismatch(finding.detail, statements) if identity else None
    if finding.issue not in _ERRORS:
        return None
    detail = str(finding.detail or "")
    if finding.issue == "UNKNOWN_CONDITION_FOR_ACTION" and _is_newer(detail):
        return None
    # AWS itself documents Arn operators on text keys, such as the encryption context of log groups.
    if finding.issue == "MISMATCHED_TYPE" and "requires a value of type Arn but given String" in detail:
        return None
    title = _TITLES.get(finding.issue)
    where = finding.location.get("string") if isinstance(finding.location, dict) else None
    parts = [
        part
        for part in (title, str(where) if where and finding.issue == "INVALID_ARN" else "", detail)
        if part
    ]
    return ": ".join(parts) or str(finding.issue)


def _is_newer(detail: str) -> bool:
    match = re.match(r"Unknown condition (\S+) for action", detail)
    # Keys of identity providers carry the provider's host name: token.actions.githubusercontent.com:sub.
    return match is not None and (match[1] in _NEWER_KEYS or "." in match[1].partition(":")[0])


def _mismatch(detail: Any, statements: list[dict[str, Any]]) -> str | None:
    listed = [statement.get("Action", []) for statement in statements]
    actions = [action for found in listed for action in (found if isinstance(found, list) else [found])]
    literal = {action.lower() for action in actions if "*" not in action}
    void = [item for item in detail if item["action"].lower() in literal - _ALSO_ON_RESOURCES]
    if not void:
        return None
    return "; ".join(
        f"no resource fits {item['action']}, which needs {item['required_format']}" for item in void
    )
