"""Pools, ranges, host name and defaults of an environment."""

from __future__ import annotations

import json
from ipaddress import IPv4Network

import pytest

from settings import (
    Architecture,
    DagDelivery,
    Environment,
    EnvironmentSettings,
    WebAccess,
    WorkerPoolSettings,
    parse,
)
from tests.settings.samples import SAMPLES, changed, mistakes
from tests.settings.tables.words import (
    DOMAIN,
    POOL_KEYS,
    POOL_NAME,
    RANGE,
)


@pytest.mark.parametrize("name", ["Heavy", "heavy_jobs", "1heavy", "heavy-", "a" * 17, "", "a.b"])
def test_wrong_name_of_a_pool(name: str) -> None:
    stack, sample = SAMPLES["environment"]
    pool = {**sample["workers"]["pools"]["default"], "queues": ["heavy"]}
    assert mistakes(changed(sample, {f"workers/pools/{name}": pool}), stack) == (
        f'workers.pools: got the key "{name}", allowed: {POOL_NAME}',
    )


def test_pool_with_a_wrong_name_is_not_called_missing() -> None:
    """Pydantic drops the only pool and then counts none; that count is no mistake of its own."""
    stack, sample = SAMPLES["environment"]
    pool = sample["workers"]["pools"]["default"]
    assert mistakes(changed(sample, {"workers/pools": {"Default": pool}}), stack) == (
        f'workers.pools: got the key "Default", allowed: {POOL_NAME}',
    )


def test_number_of_pools() -> None:
    stack, sample = SAMPLES["environment"]
    pool = sample["workers"]["pools"]["default"]
    more = {f"p{number}": {**pool, "queues": [f"q{number}"]} for number in range(9)}
    assert mistakes(changed(sample, {"workers/pools": {"default": pool, **more}}), stack) == ()
    too_many = {"default": pool, **more, "p9": {**pool, "queues": ["q9"]}}
    (line,) = mistakes(changed(sample, {"workers/pools": too_many}), stack)
    assert line.endswith(f"allowed: a section of 1 to 10 keys, each a section with the keys {POOL_KEYS}")


def test_number_of_ranges() -> None:
    stack, sample = SAMPLES["environment"]
    ranges = [f"10.0.{number}.0/24" for number in range(51)]
    assert mistakes(changed(sample, {"web/allowedCidrs": ranges[:50]}), stack) == ()
    (line,) = mistakes(changed(sample, {"web/allowedCidrs": ranges}), stack)
    assert line.endswith(f"allowed: a list of 1 to 50, each {RANGE}")


@pytest.mark.parametrize(
    ("days", "accepted"), [(0, True), (1, False), (6, False), (7, True), (30, True), (31, False)]
)
def test_recovery_days(days: int, accepted: bool) -> None:
    stack, sample = SAMPLES["environment"]
    line = f"credentials.recoveryDays: got {days}, allowed: 0, or a whole number from 7 to 30"
    wanted = () if accepted else (line,)
    assert mistakes(changed(sample, {"credentials/recoveryDays": days}), stack) == wanted


def test_sections_of_an_environment_as_python_sees_them() -> None:
    stack, sample = SAMPLES["environment"]
    settings = parse(json.dumps(sample), stack)
    assert isinstance(settings, EnvironmentSettings)
    assert settings.web.access is WebAccess.INTERNAL
    assert settings.web.allowed_cidrs == (IPv4Network("10.0.0.0/8"),)
    assert settings.dags.delivery is DagDelivery.RELEASE
    (pool,) = settings.workers.pools.values()
    assert isinstance(pool, WorkerPoolSettings)
    assert (pool.queues, pool.cpu_units, pool.memory_mib) == (("default",), 1024, 4096)


def test_defaults_of_an_environment() -> None:
    stack, sample = SAMPLES["environment"]
    settings = parse(json.dumps(sample), stack)
    assert isinstance(settings, EnvironmentSettings)
    assert settings.web.host_label == "airflow"
    assert settings.image.architecture is Architecture.ARM64
    assert (settings.metastore.engine_version, settings.broker.engine_version) == ("17", "8.0")
    assert settings.services.exec_enabled is False
    assert settings.services.flower is None
    assert settings.backups is None
    assert settings.observability.alarm_emails == ()
    assert settings.services.api_server.processes == 1
    assert settings.workers.task_queued_timeout_seconds == 1800
    assert settings.workers.pools["default"].spot_percent == 0


def test_longest_host_name_fits_in_a_certificate() -> None:
    """A certificate's first name has at most 64 characters: label, environment and zone together."""
    label, domain = "a" * 15, "a" * 28 + ".example.com"
    names = [f"{label}.{environment}.{domain}" for environment in Environment]
    assert max(map(len, names)) == 64
    assert mistakes(changed(SAMPLES["environment"][1], {"web/hostLabel": label}), "dev") == ()
    longer = changed(SAMPLES["shared"][1], {"shared/domainName": f"a{domain}"})
    assert mistakes(longer, "nonprod-shared") == (f'shared.domainName: got "a{domain}", allowed: {DOMAIN}',)
