"""Latencies: drawn from the table, inside its bounds, the same every time."""

from __future__ import annotations

import csv
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.provider.latency import DELAYS, VARIANTS, Delay, Latencies, Operation, delay_of

NAT = "aws:ec2/natGateway:NatGateway"
DATABASE = "aws:rds/instance:Instance"
URN = "urn:pulumi:dev::probe::aws:ec2/natGateway:NatGateway::nat"


def test_scale_zero_never_waits() -> None:
    assert Latencies(0.0).seconds(URN, NAT, "create", {}) == 0.0


def test_the_same_operation_takes_the_same_time() -> None:
    assert Latencies(1.0).seconds(URN, NAT, "create", {}) == Latencies(1.0).seconds(URN, NAT, "create", {})


def test_the_scale_is_a_factor() -> None:
    whole = Latencies(1.0).seconds(URN, NAT, "create", {})
    assert Latencies(0.1).seconds(URN, NAT, "create", {}) == pytest.approx(whole / 10)


@pytest.mark.parametrize(
    ("inputs", "median"),
    [({"multiAz": True}, 577), ({"backupRetentionPeriod": 7}, 368), ({}, 196)],
    ids=["multi-az", "with backups", "plain"],
)
def test_a_database_takes_as_long_as_its_variant(inputs: dict[str, object], median: float) -> None:
    assert delay_of(DATABASE, "create", inputs).p50 == median


SERVICE, INVOCATION = "aws:ecs/service:Service", "aws:lambda/invocation:Invocation"
GROUP, FUNCTION = "aws:elasticache/replicationGroup:ReplicationGroup", "aws:lambda/function:Function"
BEHIND = {"waitForSteadyState": True, "loadBalancers": [{"containerPort": 8080}]}


@pytest.mark.parametrize(
    ("token", "operation", "inputs", "median"),
    [
        (SERVICE, "create", {}, 3),
        (SERVICE, "create", {"waitForSteadyState": True}, 80),
        (SERVICE, "create", BEHIND, 95),
        (SERVICE, "update", {}, 3),
        (SERVICE, "update", {"waitForSteadyState": True}, 80),
        (SERVICE, "update", BEHIND, 360),
        (INVOCATION, "create", {"input": "{}"}, 0),
        (INVOCATION, "create", {"input": '{"bootstrap": {"taskDefinition": "arn"}}'}, 75),
        (GROUP, "create", {"numCacheClusters": 1}, 419),
        (GROUP, "create", {"numCacheClusters": 2, "multiAzEnabled": True}, 419),
        (FUNCTION, "create", {}, 8),
        (FUNCTION, "create", {"vpcConfig": {"subnetIds": ["subnet-0a"]}}, 232),
    ],
)
def test_inputs_choose_the_row(
    token: str, operation: Operation, inputs: dict[str, object], median: float
) -> None:
    assert delay_of(token, operation, inputs).p50 == median


@pytest.mark.parametrize(
    ("token", "inputs"),
    [(GROUP, {}), (GROUP, {"numCacheClusters": 2}), (SERVICE, BEHIND), (FUNCTION, {}), (INVOCATION, {})],
)
def test_the_name_of_a_variant_is_in_the_table(token: str, inputs: dict[str, object]) -> None:
    """A name that is not there would silently fall back to the first row."""
    with DELAYS.open(newline="", encoding="utf-8") as file:
        named = {row["what"] for row in csv.DictReader(file) if row["kind"] == "create"}
    assert f"{token} ({VARIANTS[token](inputs)})" in named


def test_a_mount_target_takes_between_one_and_two_minutes() -> None:
    delay = delay_of("aws:efs/mountTarget:MountTarget", "create", {})
    assert (delay.low, delay.high) == (60, 128)


def test_a_derived_row_says_so() -> None:
    with DELAYS.open(newline="", encoding="utf-8") as file:
        derived = [row for row in csv.DictReader(file) if row["source"].startswith("derived")]
    assert derived
    assert {row["confidence"] for row in derived} == {"C"}
    assert all(row["note"].startswith("Derived: ") for row in derived)


def test_an_unlisted_type_takes_less_than_a_second() -> None:
    assert 0.2 <= Latencies(1.0).seconds(URN, "aws:sqs/queuePolicy:QueuePolicy", "create", {}) <= 1.0


@given(st.floats(1, 500), st.floats(1, 5), st.floats(0.2, 1.0), st.floats(1.0, 4.0), st.integers(0, 2**32))
def test_a_draw_stays_between_minimum_and_maximum(
    p50: float, spread: float, low: float, high: float, seed: int
) -> None:
    delay = Delay(p50, p50 * spread, p50 * low, p50 * spread * high)
    assert delay.low is not None
    assert delay.high is not None
    assert delay.low <= delay.draw(random.Random(seed)) <= delay.high
