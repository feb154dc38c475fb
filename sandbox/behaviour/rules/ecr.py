"""ECR: repositories and their policies."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from sandbox.behaviour.model import Failure
from sandbox.behaviour.rules import Case, known, objects, rule

REPOSITORY: Final = "aws:ecr/repository:Repository"
_NAME: Final = re.compile(r"(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*")
WITH_EXCLUSION: Final = ("IMMUTABLE_WITH_EXCLUSION", "MUTABLE_WITH_EXCLUSION")
_SELECTION: Final = frozenset(
    {"tagStatus", "tagPatternList", "tagPrefixList", "countType", "countUnit", "countNumber", "storageClass"}
)


@rule(REPOSITORY)
def repository(case: Case) -> Iterator[Failure]:
    """Check name, tag mutability and encryption."""
    name = case.known("name")
    if name is not None and not (2 <= len(name) <= 256 and _NAME.fullmatch(name)):
        yield Failure(
            "name", f'"{name}" must be 2 to 256 lower case letters and digits, joined by . _ - or /'
        )
    filters = case.known("imageTagMutabilityExclusionFilters")
    mutability = case.inputs.get("imageTagMutability")
    if filters and isinstance(mutability, str) and mutability not in WITH_EXCLUSION:
        yield Failure(
            "imageTagMutabilityExclusionFilters", f"needs imageTagMutability {' or '.join(WITH_EXCLUSION)}"
        )
    for path, item in objects(filters, "imageTagMutabilityExclusionFilters"):
        if known(item, "filter", "").count("*") > 2:
            yield Failure(f"{path}.filter", "takes at most 2 wildcards *")
    for path, item in objects(case.known("encryptionConfigurations"), "encryptionConfigurations"):
        if known(item, "encryptionType", "KMS") == "AES256" and item.get("kmsKey"):
            yield Failure(f"{path}.kmsKey", "is not allowed with encryptionType AES256")


@rule("aws:ecr/lifecyclePolicy:LifecyclePolicy")
def lifecycle(case: Case) -> Iterator[Failure]:
    """Check the rules of a life cycle policy."""
    text = case.known("policy")
    if text is None:
        return
    document = json.loads(text)
    rules = document.get("rules") if isinstance(document, dict) else None
    if not isinstance(rules, list) or not rules:
        yield Failure("policy", 'must be an object with a list of "rules"')
        return
    priorities: set[Any] = set()
    for index, item in enumerate(rules):
        problem = _rule_problem(item, priorities)
        if problem:
            yield Failure("policy", f"rules[{index}]: {problem}")


def _rule_problem(item: Any, priorities: set[Any]) -> str | None:
    if not isinstance(item, dict) or not isinstance(item.get("selection"), dict):
        return "needs a selection"
    priority, selection = item.get("rulePriority"), item["selection"]
    if not isinstance(priority, int) or priority < 1 or priority in priorities:
        return "needs a rulePriority of its own, a whole number from 1"
    priorities.add(priority)
    if unknown := sorted(selection.keys() - _SELECTION):
        return f'"{unknown[0]}" is not a key of a selection, allowed: {", ".join(sorted(_SELECTION))}'
    status, count = selection.get("tagStatus"), selection.get("countType")
    if status not in ("tagged", "untagged", "any"):
        return "selection.tagStatus must be tagged, untagged or any"
    if status == "tagged" and not selection.get("tagPrefixList") and not selection.get("tagPatternList"):
        return "selection.tagPrefixList or tagPatternList is required with tagStatus tagged"
    if count not in ("imageCountMoreThan", "sinceImagePushed", "sinceImagePulled", "sinceImageTransitioned"):
        return "selection.countType must be imageCountMoreThan or sinceImagePushed"
    if not isinstance(selection.get("countNumber"), int) or selection["countNumber"] < 1:
        return "selection.countNumber must be a whole number from 1"
    if count != "imageCountMoreThan" and selection.get("countUnit") != "days":
        return f"selection.countUnit must be days with countType {count}"
    kind = (item.get("action") or {}).get("type")
    return None if kind in ("expire", "transition") else "action.type must be expire"


@rule("aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration")
def scanning(case: Case) -> Iterator[Failure]:
    """Check that the frequency fits the kind of scan."""
    kind = case.known("scanType")
    rules = list(objects(case.known("rules"), "rules"))
    most = 1 if kind == "BASIC" else 2
    if kind and len(rules) > most:
        yield Failure("rules", f"takes at most {most} with scanType {kind}, got {len(rules)}")
    for path, item in rules:
        if kind == "BASIC" and known(item, "scanFrequency") == "CONTINUOUS_SCAN":
            yield Failure(f"{path}.scanFrequency", "CONTINUOUS_SCAN needs scanType ENHANCED")
