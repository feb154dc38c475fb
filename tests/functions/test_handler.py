"""The whole gate: order, result, errors, and that no value ever leaves it."""

from __future__ import annotations

import json
import logging
import traceback
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from functions.platform_gate import aws as clients_module
from functions.platform_gate import handler
from functions.platform_gate.aws import Clients
from functions.platform_gate.errors import GateError
from functions.platform_gate.kinds import SecretKind
from functions.platform_gate.pace import RESERVE_SECONDS, Pace
from tests.functions.account import Account, hidden_texts
from tests.functions.stand_ins import refused


def raiser(operation: str, error: BaseException, times: int = 10_000) -> Any:
    """Return a hook that fails the first calls of an operation."""
    left = [times]

    def fail(_: int, name: str) -> None:
        if name == operation and left[0] > 0:
            left[0] -= 1
            raise error

    return fail


def closed(aws: Account) -> str:
    with pytest.raises(GateError) as raised:
        aws.gate()
    assert raised.value.__suppress_context__ or raised.value.__context__ is None
    return str(raised.value)


def test_result(aws: Account) -> None:
    assert aws.gate() == {
        "secretsMade": [kind.value for kind in SecretKind],
        "bootstrapTask": aws.fargate.tasks[0].arn,
    }


def test_result_of_a_second_run(aws: Account) -> None:
    aws.gate()
    assert aws.gate() == {"secretsMade": [], "bootstrapTask": aws.fargate.tasks[1].arn}


def test_order(aws: Account) -> None:
    """A sleeping stack is left alone, and the task finds its secrets and the broker ready."""
    aws.gate()
    firsts = ["DescribeDBInstances", "PutSecretValue", "ModifyUser", "ListServices", "RunTask"]
    assert sorted(firsts, key=aws.calls.index) == firsts
    assert aws.calls.index("RunTask") > max(
        number for number, call in enumerate(aws.calls) if call in {"PutSecretValue", "ListServices"}
    )


def test_sleeping_stack_is_not_touched(aws: Account) -> None:
    aws.database("stopped")
    assert "run `operations wake` first" in closed(aws)
    assert aws.calls == ["DescribeDBInstances"]


def test_broker_gets_the_password_of_the_secret(aws: Account) -> None:
    aws.gate()
    login = json.loads(aws.values()[SecretKind.BROKER_USER])
    assert aws.users.modified[0]["AuthenticationMode.Passwords.member.1"] == login["password"]
    assert login["username"] == "airflow-dev"


def test_task_is_told_that_services_run(aws: Account) -> None:
    aws.add_service("scheduler", running=1)
    aws.gate()
    (override,) = aws.fargate.tasks[0].request["overrides"]["containerOverrides"]
    assert override["environment"] == [{"name": "PLATFORM_SERVICES_RUNNING", "value": "true"}]


@pytest.mark.parametrize(
    "operation",
    ["DescribeDBInstances", "PutSecretValue", "GetSecretValue", "ModifyUser", "ListServices", "RunTask"],
)
@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException"])
def test_rights_may_need_some_seconds(aws: Account, operation: str, code: str) -> None:
    aws.before = raiser(operation, refused(code, operation), times=3)
    assert aws.gate()["secretsMade"] == [kind.value for kind in SecretKind]
    assert aws.clock.sleeps.count(5) >= 3


@pytest.mark.parametrize(
    "message",
    [
        "ECS was unable to assume the role 'arn:aws:iam::123456789012:role/x' that was provided for this task.",
        "Unable to assume the service linked role. Please verify that the ECS service linked role exists.",
    ],
)
def test_roles_may_need_some_seconds(aws: Account, message: str) -> None:
    aws.before = raiser("RunTask", refused("ClientException", "RunTask", message), times=3)
    assert aws.gate()["bootstrapTask"] == aws.fargate.tasks[0].arn


def test_rights_that_never_come(aws: Account) -> None:
    aws.before = raiser(
        "ModifyUser", refused("AccessDenied", "ModifyUser", "no identity-based policy allows it")
    )
    assert closed(aws) == (
        "AWS refused ModifyUser (AccessDenied, no identity-based policy allows it): "
        "compare the policy of the gate's role with the account's guardrails"
    )
    assert 90 <= sum(aws.clock.sleeps) <= 95


def test_refusal(aws: Account) -> None:
    aws.before = raiser("RunTask", refused("ClientException", "RunTask", "Task definition is inactive"))
    assert closed(aws) == (
        "AWS refused RunTask (ClientException, Task definition is inactive): "
        "run `pulumi up` again; if AWS refuses it again, the message says what is wrong"
    )


def test_no_answer(aws: Account) -> None:
    aws.before = raiser("RunTask", EndpointConnectionError(endpoint_url="https://hidden"))
    assert closed(aws) == "AWS did not answer (EndpointConnectionError): run `pulumi up` again"


def test_kinds_made_before_a_denial_are_reported(aws: Account) -> None:
    denied = refused("AccessDeniedException", "GetSecretValue")
    aws.before = raiser("GetSecretValue", denied, times=1)
    assert aws.gate()["secretsMade"] == [kind.value for kind in SecretKind]


class Lambda:
    """What Lambda gives the handler."""

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


@pytest.fixture
def in_lambda(aws: Account, monkeypatch: pytest.MonkeyPatch) -> Account:
    """Let the handler find the account's clients and clock."""
    monkeypatch.setattr(handler, "Clients", SimpleNamespace(connect=lambda: aws.clients))
    monkeypatch.setattr(handler, "Pace", lambda _: aws.clock.pace())
    return aws


def test_handler(in_lambda: Account) -> None:
    result = handler.handle(in_lambda.event, Lambda())
    assert result == {
        "secretsMade": [kind.value for kind in SecretKind],
        "bootstrapTask": in_lambda.fargate.tasks[0].arn,
    }


def test_handler_refuses_another_event(in_lambda: Account) -> None:
    with pytest.raises(GateError, match=r'^event: want text in "database"'):
        handler.handle({"broker": {}, "bootstrap": {}, "triggers": {}}, Lambda())
    assert in_lambda.calls == []


def test_no_value_is_logged_or_returned(in_lambda: Account, caplog: pytest.LogCaptureFixture) -> None:
    """Not even when somebody sets the function's log to DEBUG, where botocore writes whole requests."""
    caplog.set_level(logging.DEBUG)
    logging.getLogger("botocore").setLevel(logging.NOTSET)
    result = handler.handle(in_lambda.event, Lambda())
    seen = caplog.text + json.dumps(result)
    assert "made fernet-key" in seen
    assert [text for text in hidden_texts(in_lambda.values()) if text in seen] == []


def test_botocore_would_log_values(aws: Account, caplog: pytest.LogCaptureFixture) -> None:
    """The test above can see them."""
    caplog.set_level(logging.DEBUG)
    logging.getLogger("botocore").setLevel(logging.NOTSET)
    aws.gate()
    assert aws.values()[SecretKind.FERNET_KEY] in caplog.text


def test_no_value_is_in_an_error(aws: Account) -> None:
    """AWS quotes requests in some errors; nothing of that reaches the update's output."""
    aws.put(SecretKind.BROKER_USER, '{"username": "airflow-dev", "password": ["hidden"]}')
    with pytest.raises(GateError) as raised:
        aws.gate()
    assert str(raised.value) == "AWS did not answer (ParamValidationError): run `pulumi up` again"
    assert "hidden" not in "".join(traceback.format_exception(raised.value))


def test_clients_repeat_throttled_calls_but_not_for_long() -> None:
    """Four attempts of 15 seconds fit into the time that the pace keeps back."""
    config = clients_module.CONFIG
    assert config.retries == {"mode": "standard", "total_max_attempts": 4}
    assert 4 * (config.connect_timeout + config.read_timeout) <= RESERVE_SECONDS


def test_clients_are_those_of_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    made = Clients.connect()
    for client, service in [(made.rds, "rds"), (made.secrets_manager, "secretsmanager"), (made.ecs, "ecs")]:
        assert client.meta.service_model.service_name == service
        assert client.meta.region_name == "eu-central-1"


def test_pace_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    Pace(lambda: 900_000).pause(0, "nothing is going on")


@pytest.mark.parametrize(("left", "enough"), [(65_000, True), (64_999, False)])
def test_pace_keeps_a_minute(left: int, enough: bool) -> None:
    slept: list[float] = []
    pace = Pace(lambda: left, sleep=slept.append)
    if enough:
        pace.pause(5, "it is going on")
    else:
        with pytest.raises(
            GateError, match=r"^it is going on: run `pulumi up` again, it goes on from there$"
        ):
            pace.pause(5, "it is going on")
    assert slept == ([5] if enough else [])
