"""The broker's user gets its rights and its password."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from moto.backends import get_backend

from functions.platform_gate import broker
from functions.platform_gate.errors import GateError
from functions.platform_gate.missing_secrets import Login
from tests.functions.account import ACCESS_STRING, Account
from tests.functions.stand_ins import ACCOUNT, REGION, USER, refused

LOGIN = Login(username=USER, password="p" * 40)


def enable(aws: Account, login: Login = LOGIN, lifetime: float = 900) -> None:
    broker.enable(aws.clients.elasticache, USER, ACCESS_STRING, login, aws.clock.pace(lifetime))


def status(aws: Account, status: str) -> None:
    get_backend("elasticache")[ACCOUNT][REGION].users[USER].status = status


def test_enabled(aws: Account) -> None:
    enable(aws)
    assert aws.users.modified == [
        {
            "Action": "ModifyUser",
            "Version": "2015-02-02",
            "UserId": USER,
            "AccessString": ACCESS_STRING,
            "AuthenticationMode.Type": "password",
            "AuthenticationMode.Passwords.member.1": "p" * 40,
        }
    ]


def test_waits_until_active(aws: Account) -> None:
    enable(aws)
    assert aws.calls == ["DescribeUsers", "ModifyUser", "DescribeUsers", "DescribeUsers"]
    assert aws.clock.sleeps == [1]


def test_applied_every_time(aws: Account) -> None:
    enable(aws)
    enable(aws)
    assert len(aws.users.modified) == 2


def test_waits_for_another_change_first(aws: Account) -> None:
    status(aws, "modifying")
    aws.users.looks = 3
    enable(aws)
    assert aws.calls[:4] == ["DescribeUsers", "DescribeUsers", "DescribeUsers", "ModifyUser"]


@pytest.mark.parametrize("code", ["InvalidUserState", "InvalidUserStateFault"])
def test_busy_user_is_tried_again(aws: Account, code: str) -> None:
    """AWS's model has a code and the name of the fault: which one an answer carries is not said."""
    aws.users.busy, aws.users.busy_code = 2, code
    enable(aws)
    assert aws.calls.count("ModifyUser") == 3
    assert len(aws.users.modified) == 1


def test_busy_forever(aws: Account) -> None:
    aws.users.busy = 10_000
    with pytest.raises(GateError) as raised:
        enable(aws)
    assert str(raised.value) == (
        "the broker's user airflow-dev is busy with another change: run `pulumi up` again, it goes on from there"
    )
    assert aws.clock.seconds < 900


def test_other_refusals_end_it(aws: Account) -> None:
    def fail(_: int, operation: str) -> None:
        if operation == "ModifyUser":
            raise refused("InvalidParameterValue")

    aws.before = fail
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        enable(aws)


def test_user_with_another_name(aws: Account) -> None:
    with pytest.raises(GateError) as raised:
        enable(aws, Login(username="somebody", password="p" * 40))
    assert str(raised.value) == (
        'the broker\'s user airflow-dev is called "airflow-dev", its secret says otherwise: '
        "correct the user name in the secret"
    )
    assert aws.users.modified == []


def test_user_that_is_being_deleted(aws: Account) -> None:
    status(aws, "deleting")
    with pytest.raises(GateError) as raised:
        enable(aws)
    assert str(raised.value) == (
        "the broker's user airflow-dev is being deleted: run `pulumi refresh`, then `pulumi up`"
    )
