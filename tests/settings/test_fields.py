"""One wrong field, one exact line."""

from __future__ import annotations

import json
from ipaddress import IPv4Network
from typing import Any

import pytest

from components.service_roles import SERVICE_PRINCIPALS
from settings import EnvironmentSettings, NatMode, NetworkSettings, ServiceLinkedRole, SharedSettings, parse
from settings.stacks import KINDS
from tests.settings.samples import DELETED, POOL, SAMPLES, changed, mistakes
from tests.settings.tables import fields, fields_platform
from tests.settings.tables.words import NETWORK_KEYS, SERVICES


@pytest.mark.parametrize(
    "wrong",
    [*fields.WRONG, *fields_platform.WRONG],
    ids=lambda wrong: f"{wrong.path}={str(wrong.value)[:20]!a}".replace("\\", ""),
)
def test_wrong_field(wrong: fields.Wrong) -> None:
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
    ("environment", "metastore/storageGib", 20, 65536),
    ("environment", "metastore/maxStorageGib", 20, 65536),
    ("environment", "metastore/backupRetentionDays", 7, 35),
    ("environment", "broker/replicas", 0, 5),
    ("environment", "broker/snapshotRetentionDays", 0, 35),
    ("environment", "broker/visibilityTimeoutMinutes", 10, 10080),
    ("environment", "credentials/keyDeletionDays", 7, 30),
    ("environment", "services/apiServer/memoryMib", 512, 122880),
    ("environment", "services/apiServer/count", 1, 20),
    ("environment", "services/apiServer/processes", 1, 16),
    ("environment", "services/scheduler/count", 1, 10),
    ("environment", "services/dagProcessor/count", 1, 4),
    ("environment", "services/triggerer/count", 1, 20),
    ("environment", "workers/longestTaskMinutes", 1, 2880),
    ("environment", "workers/taskQueuedTimeoutSeconds", 60, 86400),
    ("environment", f"{POOL}/concurrency", 1, 64),
    ("environment", f"{POOL}/minCount", 0, 100),
    ("environment", f"{POOL}/maxCount", 1, 100),
    ("environment", f"{POOL}/spotPercent", 0, 100),
    ("environment", "observability/taskLogRetentionDays", 1, 3650),
    ("environment", "observability/accessLogRetentionDays", 1, 3650),
    ("shared", "shared/noncurrentVersionDays", 1, 3650),
    ("shared", "shared/accessLogRetentionDays", 1, 3650),
    ("shared", "shared/imageRetentionCount", 5, 1000),
    ("shared", "shared/keyDeletionDays", 7, 30),
]


@pytest.mark.parametrize(("kind", "path", "low", "high"), BOUNDS, ids=[row[1] for row in BOUNDS])
def test_bounds(kind: str, path: str, low: int, high: int) -> None:
    """Values at the bounds may not go with others; that is a rule's business, not the field's."""
    stack, sample = SAMPLES[kind]
    name = path.replace("/", ".")
    refused = {
        value
        for value in (low - 1, low, high, high + 1)
        if mistakes(changed(sample, {path: value}), stack)
        == (f"{name}: got {value}, allowed: a whole number from {low} to {high}",)
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
    ("environment", "web/allowedCidrs", ["10.1.2.3/32", "172.16.0.0/12", "192.168.7.0/24", "100.64.0.0/10"]),
    ("environment", "web/hostLabel", "a"),
    ("environment", "web/hostLabel", "air-flow-3-of-us"[:15]),
    ("environment", "web/deletionProtection", True),
    ("environment", "image/airflowVersion", "3.10.0"),
    ("environment", "image/architecture", "x86_64"),
    ("environment", "metastore/instanceClass", "db.r7g.4xlarge"),
    ("environment", "metastore/engineVersion", "16"),
    ("environment", "broker/engineVersion", "7.2"),
    ("environment", "broker/engineVersion", "8.1"),
    ("environment", "services/execEnabled", True),
    ("environment", "services/flower", {"cpuUnits": 256, "memoryMib": 512}),
    ("environment", "services/flower", None),
    ("environment", "backups", {"retentionDays": 7, "lock": False}),
    ("environment", "backups", {"retentionDays": 3650, "lock": True}),
    ("environment", "backups", None),
    ("environment", "observability/alarmEmails", []),
    ("environment", "observability/alarmEmails", [f"a.b+{n}@mail.example.com" for n in range(10)]),
    ("environment", f"{POOL}/queues", ["default", "A.b_c-1", "q" * 64]),
    ("environment", f"{POOL}/spotPercent", 100),
    ("environment", "workers/taskQueuedTimeoutSeconds", 300),
    ("environment", "tags/extra", DELETED),
    ("environment", "tags/extra/" + "k" * 128, "v" * 256),
    ("environment", "tags/extra/empty", ""),
    ("environment", "tags/owner", "a" * 256),
    ("shared", "account/id", "000000000001"),
    ("shared", "shared/domainName", "a-1.b.example.co"),
    ("shared", "shared/domainName", "a" * 28 + ".example.com"),
    ("shared", "shared/protect", True),
    ("shared", "shared/keyDeletionDays", 7),
    ("shared", "shared/keyDeletionDays", 30),
    ("shared", "shared/imageRetentionCount", 1000),
    ("shared", "shared/serviceLinkedRoles", []),
    ("shared", "shared/serviceLinkedRoles", ["elasticloadbalancing", "ecs.application-autoscaling"]),
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
        "access_log_retention_days": 365,
        "image_retention_count": 50,
        "key_deletion_days": 30,
        "service_linked_roles": tuple(ServiceLinkedRole),
    }


def test_every_service_linked_role_of_the_settings_can_be_made() -> None:
    assert [str(role) for role in ServiceLinkedRole] == list(SERVICE_PRINCIPALS)


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
