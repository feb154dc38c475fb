"""Latencies: drawn from the table, inside its bounds, the same every time."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.provider.latency import Delay, Latencies, delay_of

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
