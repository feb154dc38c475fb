"""One wrong field, one exact line."""

from __future__ import annotations

import json
from ipaddress import IPv4Network
from typing import Any, NamedTuple

import pytest

from settings import EnvironmentSettings, NatMode, NetworkSettings, SharedSettings, parse
from settings.stacks import KINDS
from tests.settings.samples import DELETED, SAMPLES, changed, mistakes

ACCOUNT_ID = '12 digits in quotes, such as "111111111111"'
QUOTE = "; put it in quotes: YAML reads bare digits as a number, and leading zeros are lost"
REGION = "a region of the standard AWS partition, such as eu-west-1"
CIDR = (
    "a range of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16, /16 to /20, without host bits, "
    "such as 10.20.0.0/16"
)
ZONE = "an availability zone of the account's region, such as eu-west-1a"
NETWORK_KEYS = "cidr, zones, nat, interfaceEndpoints, publicMask, privateMask, dataMask, flowLogRetentionDays"
SERVICES = (
    "athena, batch, ecr.api, ecr.dkr, ecs, ecs-agent, ecs-telemetry, elasticfilesystem, events, glue, kms, "
    "lambda, logs, monitoring, rds, redshift-data, secretsmanager, sns, sqs, ssm, ssmmessages, states, sts"
)
PERIODS = (
    "1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653"
)
DOMAIN = "a lower-case DNS name without a final dot, such as nonprod.example.com"
SIGNS = "letters a to z, digits, spaces and _.:/=+-@"


class Wrong(NamedTuple):
    """One field with a value, and the line it is refused with."""

    kind: str
    path: str
    value: object
    line: str


WRONG = [
    Wrong("environment", "kind", DELETED, "kind: is required, allowed: shared, environment"),
    Wrong("environment", "kind", "images", 'kind: got "images", allowed: shared, environment'),
    Wrong("environment", "kind", ["shared"], 'kind: got ["shared"], allowed: shared, environment'),
    Wrong(
        "environment",
        "environment",
        "test",
        'environment: got "test", allowed: dev, staging, preprod, prod',
    ),
    Wrong(
        "environment",
        "environment",
        "Prod",
        'environment: got "Prod", did you mean prod? allowed: dev, staging, preprod, prod',
    ),
    Wrong(
        "environment", "account/id", 12345678901, f"account.id: got 12345678901, allowed: {ACCOUNT_ID}{QUOTE}"
    ),
    Wrong("environment", "account/id", "123", f'account.id: got "123", allowed: {ACCOUNT_ID}'),
    Wrong(
        "environment",
        "account/id",
        "٠١٢٣٤٥٦٧٨٩٠١",
        f'account.id: got "٠١٢٣٤٥٦٧٨٩٠١", allowed: {ACCOUNT_ID}',
    ),
    Wrong("shared", "account/id", DELETED, f"account.id: is required, allowed: {ACCOUNT_ID}"),
    Wrong("shared", "account/id", None, f"account.id: got null, allowed: {ACCOUNT_ID}"),
    Wrong("shared", "account/region", "eu-west-1a", f'account.region: got "eu-west-1a", allowed: {REGION}'),
    Wrong("shared", "account/region", "cn-north-1", f'account.region: got "cn-north-1", allowed: {REGION}'),
    Wrong("shared", "account", "x", 'account: got "x", allowed: a section with the keys id, region'),
    Wrong("shared", "account", DELETED, "account: is required, allowed: a section with the keys id, region"),
    Wrong(
        "environment", "network/cidr", "10.20.0.1/16", f'network.cidr: got "10.20.0.1/16", allowed: {CIDR}'
    ),
    Wrong("environment", "network/cidr", "10.20.0.0", f'network.cidr: got "10.20.0.0", allowed: {CIDR}'),
    Wrong(
        "environment",
        "network/cidr",
        "10.20.0.0/255.255.0.0",
        f'network.cidr: got "10.20.0.0/255.255.0.0", allowed: {CIDR}',
    ),
    Wrong("environment", "network/cidr", "10.0.0.0/15", f'network.cidr: got "10.0.0.0/15", allowed: {CIDR}'),
    Wrong("environment", "network/cidr", "10.0.0.0/21", f'network.cidr: got "10.0.0.0/21", allowed: {CIDR}'),
    Wrong("environment", "network/cidr", "11.0.0.0/16", f'network.cidr: got "11.0.0.0/16", allowed: {CIDR}'),
    Wrong(
        "environment", "network/cidr", "172.32.0.0/16", f'network.cidr: got "172.32.0.0/16", allowed: {CIDR}'
    ),
    Wrong(
        "environment", "network/cidr", "10.256.0.0/16", f'network.cidr: got "10.256.0.0/16", allowed: {CIDR}'
    ),
    Wrong(
        "environment", "network/cidr", "10.020.0.0/16", f'network.cidr: got "10.020.0.0/16", allowed: {CIDR}'
    ),
    Wrong("environment", "network/cidr", 167772160, f"network.cidr: got 167772160, allowed: {CIDR}{QUOTE}"),
    Wrong(
        "environment",
        "network/zones",
        ["eu-west-1a"],
        f'network.zones: got ["eu-west-1a"], allowed: a list of 2 to 3, each {ZONE}',
    ),
    Wrong(
        "environment",
        "network/zones",
        ["eu-west-1a", "eu-west-1b", "eu-west-1c", "eu-west-1d"],
        'network.zones: got ["eu-west-1a", "eu-west-1b", "eu-west-1c", "eu-west-1d"], '
        f"allowed: a list of 2 to 3, each {ZONE}",
    ),
    Wrong(
        "environment",
        "network/zones",
        "eu-west-1a",
        f'network.zones: got "eu-west-1a", allowed: a list of 2 to 3, each {ZONE}',
    ),
    Wrong(
        "environment",
        "network/zones",
        ["eu-west-1a", "eu-west-1"],
        f'network.zones[1]: got "eu-west-1", allowed: {ZONE}',
    ),
    Wrong("environment", "network/nat", "two", 'network.nat: got "two", allowed: none, single, perZone'),
    Wrong(
        "environment",
        "network/nat",
        "per-zone",
        'network.nat: got "per-zone", did you mean perZone? allowed: none, single, perZone',
    ),
    Wrong("environment", "network/nat", None, "network.nat: got null, allowed: none, single, perZone"),
    Wrong("environment", "network/nat", DELETED, "network.nat: is required, allowed: none, single, perZone"),
    Wrong(
        "environment",
        "network/interfaceEndpoints",
        ["logs", "s3"],
        f'network.interfaceEndpoints[1]: got "s3", allowed: {SERVICES}',
    ),
    Wrong(
        "environment",
        "network/interfaceEndpoints",
        ["ecr-api"],
        f'network.interfaceEndpoints[0]: got "ecr-api", did you mean ecr.api? allowed: {SERVICES}',
    ),
    Wrong(
        "environment",
        "network/interfaceEndpoints",
        "logs",
        f'network.interfaceEndpoints: got "logs", allowed: a list, each {SERVICES}',
    ),
    Wrong(
        "environment",
        "network/publicMask",
        "22",
        'network.publicMask: got "22", allowed: a whole number from 18 to 27; without quotes',
    ),
    Wrong(
        "environment",
        "network/publicMask",
        28,
        "network.publicMask: got 28, allowed: a whole number from 18 to 27",
    ),
    Wrong(
        "environment",
        "network/privateMask",
        17,
        "network.privateMask: got 17, allowed: a whole number from 18 to 27",
    ),
    Wrong(
        "environment",
        "network/dataMask",
        24.5,
        "network.dataMask: got 24.5, allowed: a whole number from 18 to 28",
    ),
    Wrong(
        "environment",
        "network/dataMask",
        29,
        "network.dataMask: got 29, allowed: a whole number from 18 to 28",
    ),
    Wrong(
        "environment",
        "network/flowLogRetentionDays",
        8,
        f"network.flowLogRetentionDays: got 8, allowed: {PERIODS}",
    ),
    Wrong(
        "environment",
        "network/flowLogRetentionDays",
        True,
        f"network.flowLogRetentionDays: got true, allowed: {PERIODS}",
    ),
    Wrong(
        "environment",
        "network/natt",
        "none",
        f"network.natt: unknown key, did you mean nat? allowed: {NETWORK_KEYS}",
    ),
    Wrong(
        "environment",
        "network/flow_log_retention_days",
        7,
        "network.flow_log_retention_days: unknown key, did you mean flowLogRetentionDays? "
        f"allowed: {NETWORK_KEYS}",
    ),
    Wrong(
        "environment",
        "nat",
        "none",
        "nat: unknown key, did you mean network.nat? "
        "allowed: kind, environment, account, network, shared, tags",
    ),
    Wrong(
        "environment",
        "zzz",
        1,
        "zzz: unknown key, allowed: kind, environment, account, network, shared, tags",
    ),
    Wrong(
        "environment",
        "a\nb",
        1,
        '["a\\nb"]: unknown key, allowed: kind, environment, account, network, shared, tags',
    ),
    Wrong(
        "environment",
        "shared/stack",
        "shared",
        'shared.stack: got "shared", did you mean prod-shared? allowed: nonprod-shared, prod-shared',
    ),
    Wrong(
        "shared",
        "shared/domainName",
        "Example.com",
        f'shared.domainName: got "Example.com", allowed: {DOMAIN}',
    ),
    Wrong(
        "shared", "shared/domainName", "localhost", f'shared.domainName: got "localhost", allowed: {DOMAIN}'
    ),
    Wrong(
        "shared",
        "shared/domainName",
        "-a.example.com",
        f'shared.domainName: got "-a.example.com", allowed: {DOMAIN}',
    ),
    Wrong(
        "shared",
        "shared/domainName",
        "a." * 100 + "com",
        f'shared.domainName: got "{"a." * 28}..., allowed: {DOMAIN}',
    ),
    Wrong(
        "shared",
        "shared/protect",
        "true",
        'shared.protect: got "true", allowed: true or false; without quotes',
    ),
    Wrong("shared", "shared/protect", 1, "shared.protect: got 1, allowed: true or false"),
    Wrong("shared", "shared/protect", DELETED, "shared.protect: is required, allowed: true or false"),
    Wrong(
        "shared",
        "shared/keyDeletionDays",
        6,
        "shared.keyDeletionDays: got 6, allowed: a whole number from 7 to 30",
    ),
    Wrong(
        "shared",
        "shared/imageRetentionCount",
        4,
        "shared.imageRetentionCount: got 4, allowed: a whole number from 5 to 1000",
    ),
    Wrong(
        "shared",
        "shared/noncurrentVersionDays",
        0,
        "shared.noncurrentVersionDays: got 0, allowed: a whole number from 1 to 3650",
    ),
    Wrong(
        "shared",
        "network",
        {},
        "network: unknown key, allowed: kind, account, shared, tags",
    ),
    Wrong("shared", "tags/owner", "", f'tags.owner: got "", allowed: 1 to 256 characters: {SIGNS}'),
    Wrong("shared", "tags/owner", "a&b", f'tags.owner: got "a&b", allowed: 1 to 256 characters: {SIGNS}'),
    Wrong(
        "shared",
        "tags/owner",
        "a" * 257,
        f'tags.owner: got "{"a" * 56}..., allowed: 1 to 256 characters: {SIGNS}',
    ),
    Wrong(
        "shared",
        "tags/costCenter",
        4711,
        f"tags.costCenter: got 4711, allowed: 1 to 256 characters: {SIGNS}{QUOTE}",
    ),
    Wrong(
        "environment",
        "tags/extra/a*b",
        "c",
        f'tags.extra: got the key "a*b", allowed: 1 to 128 characters: {SIGNS}; not beginning with aws:',
    ),
    Wrong(
        "environment",
        "tags/extra/" + "k" * 129,
        "c",
        f'tags.extra: got the key "{"k" * 56}..., allowed: 1 to 128 characters: {SIGNS}; '
        "not beginning with aws:",
    ),
    Wrong(
        "environment",
        "tags/extra/Team",
        False,
        f"tags.extra.Team: got false, allowed: at most 256 characters: {SIGNS}",
    ),
    Wrong(
        "environment",
        "tags/extra/[key]",
        7,
        f'tags.extra["[key]"]: got 7, allowed: at most 256 characters: {SIGNS}{QUOTE}',
    ),
]


@pytest.mark.parametrize(
    "wrong", WRONG, ids=lambda wrong: f"{wrong.path}={str(wrong.value)[:20]!a}".replace("\\", "")
)
def test_wrong_field(wrong: Wrong) -> None:
    stack, sample = SAMPLES[wrong.kind]
    lines = mistakes(changed(sample, {wrong.path: wrong.value}), stack)
    # The key "[key]" itself is no valid tag key either; its own line comes first or second.
    assert [line for line in lines if 'got the key "[key]"' not in line] == [wrong.line]


def test_tags_of_the_program_leave_room_below_the_limit_of_aws() -> None:
    stack, sample = SAMPLES["shared"]
    extra = {f"key{number}": "" for number in range(42)}
    assert mistakes(changed(sample, {"tags/extra": extra}), stack) == ()
    (line,) = mistakes(changed(sample, {"tags/extra": {**extra, "one more": ""}}), stack)
    assert line.startswith('tags.extra: got {"key0": "", ')
    assert line.endswith("allowed: a section of at most 42 keys, each with a text")


BOUNDS = [
    ("environment", "network/publicMask", 18, 27),
    ("environment", "network/privateMask", 18, 27),
    ("environment", "network/dataMask", 18, 28),
    ("shared", "shared/noncurrentVersionDays", 1, 3650),
    ("shared", "shared/imageRetentionCount", 5, 1000),
    ("shared", "shared/keyDeletionDays", 7, 30),
]


@pytest.mark.parametrize(("kind", "path", "low", "high"), BOUNDS, ids=[row[1] for row in BOUNDS])
def test_bounds(kind: str, path: str, low: int, high: int) -> None:
    """Subnets of an extreme size may not fit together; that is a rule's business, not the field's."""
    stack, sample = SAMPLES[kind]
    name = path.replace("/", ".")
    refused = {
        value
        for value in (low - 1, low, high, high + 1)
        if f"{name}: got {value}, allowed: a whole number from {low} to {high}"
        in mistakes(changed(sample, {path: value}), stack)
    }
    assert refused == {low - 1, high + 1}


RIGHT: list[tuple[str, str, object]] = [
    ("environment", "network/cidr", "172.16.0.0/16"),
    ("environment", "network/cidr", "192.168.0.0/16"),
    ("environment", "network/cidr", "172.16.0.0/16"),
    ("environment", "network/zones", ["eu-west-1c", "eu-west-1a", "eu-west-1b"]),
    ("environment", "network/nat", "perZone"),
    ("environment", "network/interfaceEndpoints", SERVICES.split(", ")),
    ("environment", "network/interfaceEndpoints", DELETED),
    ("environment", "network/publicMask", 27),
    ("environment", "network/privateMask", 27),
    ("environment", "network/dataMask", 28),
    ("environment", "network/flowLogRetentionDays", 3653),
    ("environment", "tags/extra", DELETED),
    ("environment", "tags/extra/" + "k" * 128, "v" * 256),
    ("environment", "tags/extra/empty", ""),
    ("environment", "tags/owner", "a" * 256),
    ("shared", "account/id", "000000000001"),
    ("shared", "shared/domainName", "a-1.b.example.co"),
    ("shared", "shared/protect", True),
    ("shared", "shared/keyDeletionDays", 7),
    ("shared", "shared/keyDeletionDays", 30),
    ("shared", "shared/imageRetentionCount", 1000),
]


@pytest.mark.parametrize(("kind", "path", "value"), RIGHT, ids=lambda value: str(value)[:24])
def test_right_field(kind: str, path: str, value: object) -> None:
    stack, sample = SAMPLES[kind]
    assert mistakes(changed(sample, {path: value}), stack) == ()


@pytest.mark.parametrize(
    "region", ["eu-west-1", "us-east-2", "ap-southeast-4", "ca-central-1", "mx-central-1"]
)
def test_regions(region: str) -> None:
    stack, sample = SAMPLES["shared"]
    assert mistakes(changed(sample, {"account/region": region}), stack) == ()


def test_all_field_errors_come_at_once_in_the_order_of_the_sections() -> None:
    stack, sample = SAMPLES["environment"]
    several = changed(sample, {"account/id": 1, "network/nat": "x", "tags/owner": DELETED, "zzz": 1})
    assert [line.split(":")[0] for line in mistakes(several, stack)] == [
        "account.id",
        "network.nat",
        "tags.owner",
        "zzz",
    ]


def test_snake_case_is_no_other_way_to_write_a_key() -> None:
    stack, sample = SAMPLES["environment"]
    renamed = changed(sample, {"network/dataMask": DELETED, "network/data_mask": 24})
    assert mistakes(renamed, stack) == (
        "network.dataMask: is required, allowed: a whole number from 18 to 28",
        f"network.data_mask: unknown key, did you mean dataMask? allowed: {NETWORK_KEYS}",
    )


def test_values_as_python_sees_them() -> None:
    stack, sample = SAMPLES["environment"]
    settings = parse(json.dumps(sample), stack)
    assert isinstance(settings, EnvironmentSettings)
    assert (str(settings.network.cidr), settings.network.zones) == (
        "10.20.0.0/16",
        ("eu-west-1a", "eu-west-1b"),
    )
    assert settings.account.id == "012345678901"
    assert settings.tags.as_tags() == {"owner": "data-platform", "costCenter": "4711", "Team": "a b"}


def test_python_builds_a_section_by_its_own_names() -> None:
    """Tests of components do; a stack file cannot."""
    network = NetworkSettings(
        cidr=IPv4Network("10.20.0.0/16"),
        zones=("eu-west-1a", "eu-west-1b"),
        nat=NatMode.NONE,
        public_mask=22,
        private_mask=20,
        data_mask=24,
        flow_log_retention_days=7,
    )
    assert network.interface_endpoints == ()


def test_defaults_of_the_shared_stack() -> None:
    stack, sample = SAMPLES["shared"]
    settings = parse(json.dumps(sample), stack)
    assert isinstance(settings, SharedSettings)
    assert settings.shared.model_dump(exclude={"domain_name", "protect"}) == {
        "noncurrent_version_days": 90,
        "image_retention_count": 50,
        "key_deletion_days": 30,
    }


@pytest.mark.parametrize("kind", KINDS)
def test_settings_survive_a_round_trip(kind: str) -> None:
    stack, sample = SAMPLES[kind]
    settings = parse(json.dumps(sample), stack)
    assert parse(settings.model_dump_json(by_alias=True), stack) == settings


def test_settings_are_immutable() -> None:
    stack, sample = SAMPLES["environment"]
    settings: Any = parse(json.dumps(sample), stack)
    with pytest.raises(ValueError, match="frozen"):
        settings.network.nat = "none"
