"""Every rule between settings, with settings that pass it and settings that break it, and its exact line."""

from __future__ import annotations

import inspect
import json
from typing import Any

import pytest

from settings import EnvironmentSettings, SharedSettings, rules
from settings.layout import addresses_needed, zone_mask
from tests.settings.samples import ENVIRONMENT, PROD, SHARED, changed, mistakes
from tests.settings.tables import rules as basic_rows
from tests.settings.tables import rules_platform, rules_workers
from tests.settings.tables.rules import Row

ROWS = [*basic_rows.ROWS, *rules_platform.ROWS, *rules_workers.ROWS]
BY_NAME = {rule.__name__: rule for rule in rules.RULES}


def sample(row: Row) -> dict[str, Any]:
    """Return the row's settings; `kind: shared` starts from the shared sample."""
    return changed(SHARED if row.changes.get("kind") == "shared" else ENVIRONMENT, row.changes)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.rule}-{'breaks' if row.line else 'passes'}")
def test_rule(row: Row) -> None:
    """Only what the named rule says counts: a row may break another rule as well."""
    text = json.dumps(sample(row))
    model = SharedSettings if row.changes.get("kind") == "shared" else EnvironmentSettings
    rule = BY_NAME[row.rule]
    found = [str(mistake) for mistake in rule(model.model_validate_json(text), row.stack)]
    assert found == ([row.line] if row.line else [])


@pytest.mark.parametrize("row", [row for row in ROWS if row.line], ids=lambda row: row.rule)
def test_broken_rule_refuses_the_settings(row: Row) -> None:
    assert row.line in mistakes(sample(row), row.stack)


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_every_rule_has_a_passing_and_a_breaking_row(rule: rules.Rule) -> None:
    rows = [row for row in ROWS if row.rule == rule.__name__]
    assert {row.line is None for row in rows} == {True, False}


def test_sample_of_prod_is_valid() -> None:
    assert mistakes(changed(ENVIRONMENT, PROD), "prod") == ()
    assert mistakes(changed(ENVIRONMENT, {**PROD, "environment": "preprod"}), "preprod") == ()


def test_no_rule_is_forgotten() -> None:
    """Whatever a module of rules defines with a rule's arguments is in its list."""
    for module in rules.MODULES:
        defined = {
            name
            for name, value in vars(module).items()
            if not name.startswith("_")
            and inspect.isfunction(value)
            and value.__module__ == module.__name__
            and list(inspect.signature(value).parameters)[1:] in (["_"], ["stack"])
        }
        assert defined == {rule.__name__ for rule in module.RULES}


def test_all_broken_rules_come_at_once() -> None:
    broken = changed(
        ENVIRONMENT,
        {
            **PROD,
            "network/nat": "single",
            "shared/stack": "nonprod-shared",
            "network/zones": ["eu-west-2a", "eu-west-2a"],
            "network/interfaceEndpoints": ["kms", "kms"],
        },
    )
    assert [line.split(":")[0] for line in mistakes(broken, "dev")] == [
        "environment",
        "shared.stack",
        "network.zones[0]",
        "network.zones[1]",
        "network.zones",
        "network.nat",
        "network.interfaceEndpoints",
    ]


def test_rules_wait_until_every_field_is_right() -> None:
    broken = changed(ENVIRONMENT, {"shared/stack": "prod-shared", "network/nat": "two"})
    assert mistakes(broken, "dev") == ('network.nat: got "two", allowed: none, single, perZone',)


def test_share_of_a_zone() -> None:
    """A quarter, whatever the number of zones: a third one moves nothing."""
    assert zone_mask(16) == 18


@pytest.mark.parametrize(
    ("masks", "needed"),
    [((20, 20, 24), 8448), ((24, 20, 24), 8448), ((20, 24, 24), 4608), ((), 0)],
    ids=str,
)
def test_addresses_of_aligned_subnets(masks: tuple[int, ...], needed: int) -> None:
    """With 20, 20, 24 the data subnet starts at x.x.32.0 and ends 256 addresses later."""
    assert addresses_needed(masks) == needed
