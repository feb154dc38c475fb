"""The database's state decides whether the gate goes on, waits or refuses."""

from __future__ import annotations

import pytest

from functions.platform_gate import database
from functions.platform_gate.errors import GateError
from tests.functions.account import Account


def check(aws: Account, lifetime: float = 900) -> None:
    database.wait_until_it_serves(aws.clients.rds, "airflow-dev", aws.clock.pace(lifetime))


@pytest.mark.parametrize(
    "status",
    [
        *("available", "backing-up", "storage-config-upgrade", "storage-initialization"),
        *("storage-optimization", "configuring-enhanced-monitoring"),
    ],
)
def test_serves(aws: Account, status: str) -> None:
    aws.database(status)
    check(aws)
    assert aws.clock.sleeps == []


@pytest.mark.parametrize("status", ["stopped", "stopping", "starting"])
def test_asleep(aws: Account, status: str) -> None:
    aws.database(status)
    with pytest.raises(GateError) as raised:
        check(aws)
    assert str(raised.value) == (
        f"the stack is asleep, its database airflow-dev is {status}: run `operations wake` first"
    )
    assert aws.clock.sleeps == []


@pytest.mark.parametrize(
    "status",
    [
        *("failed", "storage-full", "delete-precheck", "deleting", "insufficient-capacity", "restore-error"),
        *("inaccessible-encryption-credentials", "inaccessible-encryption-credentials-recoverable"),
        "incompatible-parameters",
    ],
)
def test_broken(aws: Account, status: str) -> None:
    aws.database(status)
    with pytest.raises(GateError) as raised:
        check(aws)
    assert str(raised.value) == (
        f"the database airflow-dev is {status}: repair it first, the events of the instance say how"
    )


@pytest.mark.parametrize("status", ["modifying", "rebooting", "upgrading", "a state of the future"])
def test_passing_states_are_waited_for(aws: Account, status: str) -> None:
    aws.database(status)
    aws.before = lambda number, _: aws.database("available") if number == 3 else None
    check(aws)
    assert aws.clock.sleeps == [10, 10]


def test_no_time_left(aws: Account) -> None:
    aws.database("modifying")
    with pytest.raises(GateError) as raised:
        check(aws, 100)
    assert str(raised.value) == (
        "the database airflow-dev is modifying: run `pulumi up` again, it goes on from there"
    )
    assert sum(aws.clock.sleeps) <= 40
