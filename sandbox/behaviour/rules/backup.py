"""AWS Backup: plans, selections, locks, restore tests; budgets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from sandbox.behaviour.formats import is_arn
from sandbox.behaviour.model import Failure
from sandbox.behaviour.rules import Case, known, objects, rule
from sandbox.behaviour.rules.policy_document import Kind, problems, statements_of, texts

_PLAN_NAME: Final = re.compile(r"[a-zA-Z0-9._-]{1,50}")
_DECIMAL: Final = re.compile(r"\d+(\.\d+)?")
_BUDGET_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d_\d\d:\d\d")
COLD_STORAGE_DAYS: Final = 90


@rule("aws:backup/plan:Plan")
def plan(case: Case) -> Iterator[Failure]:
    """Check name, windows and life cycle."""
    name = case.known("name")
    if name is not None and not _PLAN_NAME.fullmatch(name):
        yield Failure("name", f'"{name}" may hold letters, digits, . _ and - only, up to 50')
    for path, item in objects(case.known("rules"), "rules"):
        start, completion = known(item, "startWindow"), known(item, "completionWindow")
        if start is not None and start < 60:
            yield Failure(f"{path}.startWindow", f"must be at least 60 minutes, got {start}")
        if start is not None and completion is not None and completion < start + 60:
            yield Failure(f"{path}.completionWindow", f"must be at least startWindow + 60, got {completion}")
        life = known(item, "lifecycle")
        cold, delete = known(life, "coldStorageAfter"), known(life, "deleteAfter")
        if cold and delete and delete < cold + COLD_STORAGE_DAYS:
            yield Failure(
                f"{path}.lifecycle.deleteAfter", f"must be at least coldStorageAfter + 90, got {delete}"
            )
        if known(item, "enableContinuousBackup") and delete and delete > 35:
            yield Failure(
                f"{path}.lifecycle.deleteAfter", f"must be at most 35 for continuous backup, got {delete}"
            )


@rule("aws:backup/selection:Selection")
def selection(case: Case) -> Iterator[Failure]:
    """Check that something is selected."""
    if not any(case.inputs.get(key) for key in ("resources", "selectionTags", "conditions")):
        yield Failure("resources", "one of resources, selectionTags, conditions is required, got none")


@rule("aws:backup/vaultLockConfiguration:VaultLockConfiguration")
def lock(case: Case) -> Iterator[Failure]:
    """Check the days of a vault lock."""
    low, high = case.known("minRetentionDays"), case.known("maxRetentionDays")
    if low is not None and low < 1:
        yield Failure("minRetentionDays", f"must be at least 1, got {low}")
    if high is not None and high > 36500:
        yield Failure("maxRetentionDays", f"must be at most 36500, got {high}")
    if low is not None and high is not None and low > high:
        yield Failure("maxRetentionDays", f"must not be below minRetentionDays {low}, got {high}")
    days = case.known("changeableForDays")
    if days is not None and days < 3:
        yield Failure("changeableForDays", f"must be at least 3, got {days}")


@rule("aws:backup/vaultPolicy:VaultPolicy")
def vault_policy(case: Case) -> Iterator[Failure]:
    """Check that a vault's policy names every action in full, as AWS Backup demands."""
    text = case.known("policy")
    if not text or problems(text, Kind.RESOURCE):
        return
    for statement in statements_of(json.loads(text)):
        for action in texts(statement.get("Action", [])):
            if "*" in action or "?" in action:
                yield Failure("policy", f'"{action}" is no action: a vault\'s policy takes no wildcard')


@rule("aws:backup/restoreTestingPlan:RestoreTestingPlan")
def restore_plan(case: Case) -> Iterator[Failure]:
    """Check the vaults of a restore test."""
    for key in ("includeVaults", "excludeVaults"):
        path = f"recoveryPointSelection.{key}"
        for index, vault in enumerate(known(case.known("recoveryPointSelection"), key) or ()):
            if isinstance(vault, str) and vault != "*" and not is_arn(vault):
                yield Failure(f"{path}[{index}]", f'expected an ARN or "*", got "{vault}"')


@rule("aws:budgets/budget:Budget")
def budget(case: Case) -> Iterator[Failure]:
    """Check amounts, times and notifications of a budget."""
    amount = case.known("limitAmount")
    if amount is not None and not _DECIMAL.fullmatch(amount):
        yield Failure("limitAmount", f'expected a decimal number as a string, got "{amount}"')
    for key in ("timePeriodStart", "timePeriodEnd"):
        value = case.known(key)
        if value is not None and not _BUDGET_TIME.fullmatch(value):
            yield Failure(key, f'expected the form 2026-01-31_00:00, got "{value}"')
    name = case.known("name")
    if name is not None and (len(name) > 100 or ":" in name or "\\" in name):
        yield Failure("name", "may have up to 100 characters without : and \\")
    if not case.has("limitAmount") and not case.has("plannedLimits") and not case.has("autoAdjustData"):
        yield Failure("limitAmount", "is required without plannedLimits or autoAdjustData")
    notifications = list(objects(case.known("notifications"), "notifications"))
    if len(notifications) > 10:
        yield Failure("notifications", f"takes at most 10 items, got {len(notifications)}")
    for path, item in notifications:
        if not item.get("subscriberEmailAddresses") and not item.get("subscriberSnsTopicArns"):
            yield Failure(f"{path}.subscriberEmailAddresses", "needs an e-mail address or an SNS topic")
