"""Every rule between settings, with settings that pass it and settings that break it, and its exact line."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest

from settings import EnvironmentSettings, SharedSettings, rules
from settings.layout import addresses_needed, zone_mask
from tests.settings.samples import ENVIRONMENT, SHARED, changed, mistakes

TASKS = ["ecr.api", "ecr.dkr", "logs", "secretsmanager"]
OPERATION = ["kms", "monitoring", "sts"]
PROD: dict[str, object] = {"environment": "prod", "shared/stack": "prod-shared", "network/nat": "perZone"}
RESERVED = "Name, SubnetType, costCenter, environment, managedBy, owner, project, stack"
MASKS = "network.publicMask, network.privateMask, network.dataMask"


class Row(NamedTuple):
    """Changes to a valid sample in a stack, and what one rule says to them; no line when it passes."""

    rule: str
    stack: str
    changes: dict[str, object]
    line: str | None = None


ROWS = [
    Row("kind_suits_the_stack", "nonprod-shared", {"kind": "shared"}),
    Row("kind_suits_the_stack", "dev", {}),
    Row(
        "kind_suits_the_stack",
        "dev",
        {"kind": "shared"},
        'kind: got "shared", allowed: environment; shared only in the stacks nonprod-shared, prod-shared',
    ),
    Row(
        "kind_suits_the_stack",
        "prod-shared",
        {},
        'kind: got "environment", allowed: shared in the stack prod-shared',
    ),
    Row("environment_is_the_stack", "dev", {}),
    Row("environment_is_the_stack", "nonprod-shared", {"kind": "shared"}),
    Row(
        "environment_is_the_stack",
        "prod",
        {},
        'environment: got "dev", allowed: prod, the name of the stack',
    ),
    Row(
        "environment_is_the_stack",
        "test",
        {},
        'environment: got "dev", allowed: the name of the stack: dev, staging, preprod, prod',
    ),
    Row("shared_stack_is_of_the_same_account", "dev", {}),
    Row("shared_stack_is_of_the_same_account", "staging", {"environment": "staging"}),
    Row(
        "shared_stack_is_of_the_same_account",
        "preprod",
        {"environment": "preprod", "shared/stack": "prod-shared"},
    ),
    Row("shared_stack_is_of_the_same_account", "prod", PROD),
    Row(
        "shared_stack_is_of_the_same_account",
        "dev",
        {"shared/stack": "prod-shared"},
        'shared.stack: got "prod-shared", allowed: nonprod-shared for dev',
    ),
    Row(
        "shared_stack_is_of_the_same_account",
        "preprod",
        {"environment": "preprod"},
        'shared.stack: got "nonprod-shared", allowed: prod-shared for preprod',
    ),
    Row("prod_shared_is_protected", "prod-shared", {"kind": "shared", "shared/protect": True}),
    Row("prod_shared_is_protected", "nonprod-shared", {"kind": "shared", "shared/protect": False}),
    Row(
        "prod_shared_is_protected",
        "prod-shared",
        {"kind": "shared", "shared/protect": False},
        "shared.protect: got false, allowed: true in the stack prod-shared",
    ),
    Row("zones_are_of_the_region", "dev", {}),
    Row(
        "zones_are_of_the_region",
        "dev",
        {"network/zones": ["eu-west-1a", "eu-west-2b"]},
        'network.zones[1]: got "eu-west-2b", allowed: a zone of eu-west-1 (account.region)',
    ),
    Row("zones_are_distinct", "dev", {}),
    Row(
        "zones_are_distinct",
        "dev",
        {"network/zones": ["eu-west-1a", "eu-west-1b", "eu-west-1a"]},
        'network.zones: got ["eu-west-1a", "eu-west-1b", "eu-west-1a"], allowed: each zone once',
    ),
    Row(
        "subnets_fit_in_their_zone",
        "dev",
        {"network/publicMask": 20, "network/privateMask": 20, "network/dataMask": 19},
    ),
    Row(
        "subnets_fit_in_their_zone",
        "dev",
        {
            "network/cidr": "10.0.0.0/20",
            "network/publicMask": 25,
            "network/privateMask": 24,
            "network/dataMask": 25,
        },
    ),
    Row(
        "subnets_fit_in_their_zone",
        "dev",
        {"network/privateMask": 19},
        f"{MASKS}: got [22, 19, 24], allowed: subnets that fit, in this order and aligned, in a zone's share "
        "of 10.20.0.0/16: a /18 with 16384 addresses, these need 16640",
    ),
    Row(
        "subnets_fit_in_their_zone",
        "dev",
        {"network/cidr": "10.0.0.0/20"},
        f"{MASKS}: got [22, 20, 24], allowed: subnets that fit, in this order and aligned, in a zone's share "
        "of 10.0.0.0/20: a /22 with 1024 addresses, these need 8448",
    ),
    Row("prod_survives_a_zone", "dev", {"network/nat": "single"}),
    Row("prod_survives_a_zone", "prod", PROD),
    Row("prod_survives_a_zone", "prod", {**PROD, "network/nat": "none"}),
    Row(
        "prod_survives_a_zone",
        "prod",
        {**PROD, "network/nat": "single"},
        'network.nat: got "single", allowed: perZone or none for prod',
    ),
    Row(
        "prod_survives_a_zone",
        "preprod",
        {**PROD, "environment": "preprod", "network/nat": "single"},
        'network.nat: got "single", allowed: perZone or none for preprod',
    ),
    Row("endpoints_are_distinct", "dev", {"network/interfaceEndpoints": ["logs", "sts"]}),
    Row(
        "endpoints_are_distinct",
        "dev",
        {"network/interfaceEndpoints": ["logs", "sts", "logs", "sts", "kms"]},
        'network.interfaceEndpoints: got ["logs", "sts"], allowed: each service once',
    ),
    Row(
        "no_nat_needs_endpoints_of_tasks",
        "dev",
        {"network/nat": "none", "network/interfaceEndpoints": TASKS},
    ),
    Row("no_nat_needs_endpoints_of_tasks", "dev", {"network/interfaceEndpoints": []}),
    Row(
        "no_nat_needs_endpoints_of_tasks",
        "dev",
        {"network/nat": "none", "network/interfaceEndpoints": ["ecr.dkr", "logs"]},
        'network.interfaceEndpoints: got ["ecr.dkr", "logs"], allowed: with nat none also ecr.api, '
        "secretsmanager, which no task starts without",
    ),
    Row(
        "no_nat_in_prod_needs_endpoints_of_operation",
        "dev",
        {"network/nat": "none", "network/interfaceEndpoints": TASKS},
    ),
    Row(
        "no_nat_in_prod_needs_endpoints_of_operation",
        "prod",
        {**PROD, "network/nat": "none", "network/interfaceEndpoints": [*TASKS, *OPERATION]},
    ),
    Row("no_nat_in_prod_needs_endpoints_of_operation", "prod", PROD),
    Row(
        "no_nat_in_prod_needs_endpoints_of_operation",
        "prod",
        {**PROD, "network/nat": "none", "network/interfaceEndpoints": ["ecr.api", "kms"]},
        'network.interfaceEndpoints: got ["ecr.api", "kms"], allowed: with nat none also monitoring, sts, '
        "which prod does not run without",
    ),
    Row("tags_do_not_begin_with_aws", "dev", {"tags/extra": {"awsome": "x aws:"}}),
    Row(
        "tags_do_not_begin_with_aws",
        "dev",
        {"tags/extra": {"AWS:team": "x"}},
        'tags.extra: got "AWS:team", allowed: keys that do not begin with aws:',
    ),
    Row(
        "tags_do_not_begin_with_aws",
        "nonprod-shared",
        {"kind": "shared", "tags/extra": {"team": "aws:x"}},
        'tags.extra: got "aws:x", allowed: values that do not begin with aws:',
    ),
    Row(
        "tags_do_not_begin_with_aws",
        "dev",
        {"tags/costCenter": "aws:x"},
        'tags.costCenter: got "aws:x", allowed: values that do not begin with aws:',
    ),
    Row("tag_keys_are_free", "dev", {"tags/extra": {"names": "x"}}),
    Row(
        "tag_keys_are_free",
        "dev",
        {"tags/extra": {"managedby": "x"}},
        f'tags.extra: got "managedby", allowed: keys other than {RESERVED}',
    ),
    Row(
        "tag_keys_are_free",
        "nonprod-shared",
        {"kind": "shared", "tags/extra": {"Name": "x"}},
        f'tags.extra: got "Name", allowed: keys other than {RESERVED}',
    ),
    Row("tag_keys_differ_beyond_case", "dev", {"tags/extra": {"team": "x", "teams": "x"}}),
    Row(
        "tag_keys_differ_beyond_case",
        "dev",
        {"tags/extra": {"team": "x", "Team": "y"}},
        'tags.extra: got "Team", allowed: keys that differ from team in more than case',
    ),
]


def sample(row: Row) -> dict[str, Any]:
    """Return the row's settings; `kind: shared` starts from the shared sample."""
    return changed(SHARED if row.changes.get("kind") == "shared" else ENVIRONMENT, row.changes)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.rule}-{'breaks' if row.line else 'passes'}")
def test_rule(row: Row) -> None:
    """Only what the named rule says counts: a row may break another rule as well."""
    text = json.dumps(sample(row))
    model = SharedSettings if row.changes.get("kind") == "shared" else EnvironmentSettings
    rule: rules.Rule = getattr(rules, row.rule)
    found = [str(mistake) for mistake in rule(model.model_validate_json(text), row.stack)]
    assert found == ([row.line] if row.line else [])


@pytest.mark.parametrize("row", [row for row in ROWS if row.line], ids=lambda row: row.rule)
def test_broken_rule_refuses_the_settings(row: Row) -> None:
    assert row.line in mistakes(sample(row), row.stack)


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_every_rule_has_a_passing_and_a_breaking_row(rule: rules.Rule) -> None:
    rows = [row for row in ROWS if row.rule == rule.__name__]
    assert {row.line is None for row in rows} == {True, False}


def test_all_broken_rules_come_at_once() -> None:
    broken = changed(
        ENVIRONMENT,
        {
            "environment": "prod",
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
