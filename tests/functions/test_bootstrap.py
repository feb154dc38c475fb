"""The bootstrap task: one at a time, and its end decides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.platform_gate import bootstrap
from functions.platform_gate.errors import GateError
from tests.functions.account import Account
from tests.functions.stand_ins import refused


def run(aws: Account, *, services_running: bool = False, lifetime: float = 900) -> str:
    pace = aws.clock.pace(lifetime)
    return bootstrap.run(aws.clients.ecs, aws.parsed.bootstrap, pace, services_running=services_running)


def error(aws: Account, **how: Any) -> str:
    with pytest.raises(GateError) as raised:
        run(aws, **how)
    return str(raised.value)


@pytest.mark.parametrize(("running", "text"), [(False, "false"), (True, "true")])
def test_request(aws: Account, running: bool, text: str) -> None:
    run(aws, services_running=running)
    mark = aws.parsed.bootstrap.started_by
    assert [task.request for task in aws.fargate.tasks] == [
        {
            "cluster": "arn:aws:ecs:eu-west-1:123456789012:cluster/airflow-dev",
            "taskDefinition": aws.parsed.bootstrap.task_definition,
            "count": 1,
            "launchType": "FARGATE",
            "networkConfiguration": {
                "awsvpcConfiguration": {
                    "subnets": ["subnet-1", "subnet-2"],
                    "securityGroups": ["sg-1"],
                    "assignPublicIp": "DISABLED",
                }
            },
            "overrides": {
                "containerOverrides": [
                    {
                        "name": "bootstrap",
                        "environment": [{"name": "PLATFORM_SERVICES_RUNNING", "value": text}],
                    }
                ]
            },
            "startedBy": mark,
            "clientToken": f"{mark}-0",
        }
    ]


def test_returns_the_task(aws: Account) -> None:
    assert run(aws) == aws.fargate.tasks[0].arn


def test_waits_until_it_has_stopped(aws: Account) -> None:
    run(aws)
    assert aws.calls == ["ListTasks", "ListTasks", "RunTask", *["DescribeTasks"] * 3]
    assert aws.clock.sleeps == [1, 1]


def test_running_one_is_adopted(aws: Account) -> None:
    started = aws.start_task(aws.parsed.bootstrap.started_by)
    assert run(aws) == started.arn
    assert len(aws.fargate.tasks) == 1


def test_one_of_other_triggers_is_waited_for(aws: Account) -> None:
    other = aws.start_task("gate-other")
    other.exit_code = 1
    assert run(aws) == aws.fargate.tasks[1].arn
    assert other.stopped
    assert aws.fargate.most_at_once == 1


def test_one_of_other_triggers_that_does_not_end(aws: Account) -> None:
    other = aws.start_task("gate-other")
    other.polls_left = 10_000
    assert error(aws, lifetime=100) == (
        f"the bootstrap task {other.arn} of an earlier update is still running: "
        "run `pulumi up` again, it goes on from there"
    )
    assert len(aws.fargate.tasks) == 1


@pytest.mark.parametrize("code", [0, 1])
def test_stopped_one_is_not_adopted(aws: Account, code: int) -> None:
    """The task costs seconds when there is nothing to do, and puts right what was changed by hand."""
    aws.fargate.exit_codes = [code]
    if code:
        error(aws)
    else:
        run(aws)
    assert run(aws) == aws.fargate.tasks[1].arn
    mark = aws.parsed.bootstrap.started_by
    assert [task.token for task in aws.fargate.tasks] == [f"{mark}-0", f"{mark}-1"]


def test_schema_differs(aws: Account) -> None:
    aws.fargate.exit_codes = [64]
    assert error(aws, services_running=True) == (
        "the database's schema differs from the image's while services run, nothing was changed: "
        "use `operations upgrade`"
    )


def log_stream(aws: Account) -> str:
    return f"the stream that ends in {aws.fargate.tasks[0].arn.rpartition('/')[2]}"


def test_failed(aws: Account) -> None:
    aws.fargate.exit_codes = [1]
    aws.fargate.details = {
        "stopCode": "EssentialContainerExited",
        "stoppedReason": "Essential container in task exited",
    }
    assert error(aws) == (
        "the bootstrap task failed with exit code 1 "
        "(EssentialContainerExited; Essential container in task exited): "
        f"read the log group airflow-dev-bootstrap-log, {log_stream(aws)}; "
        "remove the cause, then run `pulumi up` again"
    )


def test_failed_without_a_reason(aws: Account) -> None:
    aws.fargate.exit_codes = [137]
    assert error(aws).startswith(
        "the bootstrap task failed with exit code 137 (ECS gives no reason): read the log group"
    )


def test_never_started(aws: Account) -> None:
    aws.fargate.exit_codes = [None]
    aws.fargate.details = {
        "stopCode": "TaskFailedToStart",
        "stoppedReason": "CannotPullContainerError: denied",
    }
    assert error(aws).startswith(
        "the bootstrap task never started (TaskFailedToStart; CannotPullContainerError: denied): read"
    )


def test_another_container_does_not_count(aws: Account) -> None:
    aws.fargate.details = {"containers": [{"name": "sidecar", "exitCode": 0}]}
    assert error(aws).startswith("the bootstrap task never started (ECS gives no reason): read")


def test_no_time_left(aws: Account) -> None:
    task = aws.start_task(aws.parsed.bootstrap.started_by)
    task.polls_left = 10_000
    assert error(aws) == (
        f"the bootstrap task {task.arn} is still running: run `pulumi up` again, it goes on from there"
    )
    assert 800 < aws.clock.seconds <= 840


def test_next_run_goes_on_with_the_same_task(aws: Account) -> None:
    task = aws.start_task(aws.parsed.bootstrap.started_by)
    task.polls_left = 1000
    error(aws)
    assert run(aws) == task.arn
    assert len(aws.fargate.tasks) == 1


def test_capacity_is_waited_for(aws: Account) -> None:
    aws.fargate.failures = ["Capacity is unavailable at this time. Please try again later"] * 2
    assert run(aws) == aws.fargate.tasks[0].arn
    assert aws.clock.sleeps[:2] == [20, 20]
    assert aws.fargate.tasks[0].token.endswith("-2")


def test_no_capacity(aws: Account) -> None:
    aws.fargate.failures = ["Capacity is unavailable at this time"] * 1000
    assert error(aws) == (
        "the bootstrap task finds no capacity (Capacity is unavailable at this time detail): "
        "run `pulumi up` again later"
    )
    assert 300 <= aws.clock.seconds <= 320


def test_other_failures_end_it(aws: Account) -> None:
    aws.fargate.failures = ["MISSING"]
    assert error(aws) == (
        "ECS does not start the bootstrap task (MISSING detail): remove the cause, then run `pulumi up` again"
    )


def test_lists_may_miss_a_task_that_was_just_started(aws: Account) -> None:
    """The gate was cut off after it had started the task; the token finds it."""

    def cut_off(_: int, operation: str) -> None:
        if operation == "RunTask":
            raise KeyboardInterrupt

    hide_tasks(aws)
    aws.after = cut_off
    with pytest.raises(KeyboardInterrupt):
        run(aws)
    aws.after = None
    assert run(aws) == aws.fargate.tasks[0].arn
    assert len(aws.fargate.tasks) == 1


def hide_tasks(aws: Account) -> None:
    """Let the lists of tasks be empty, as they are shortly after a start."""

    def empty(parsed: dict[str, Any], **_: Any) -> None:
        parsed["taskArns"] = []

    aws.clients.ecs.meta.events.register("after-call.ecs.ListTasks", empty, "hidden")


@pytest.fixture(autouse=True)
def _lists_show_tasks_again(aws: Account) -> Any:
    yield
    aws.clients.ecs.meta.events.unregister("after-call.ecs.ListTasks", unique_id="hidden")


def test_gate_that_saw_the_services_otherwise_adopts_the_same_task(aws: Account) -> None:
    mark = aws.parsed.bootstrap.started_by
    task = aws.start_task(mark, f"{mark}-0")
    hide_tasks(aws)
    assert run(aws, services_running=True) == task.arn
    assert len(aws.fargate.tasks) == 1


def test_used_up_tokens_are_passed_over(aws: Account) -> None:
    """ECS remembers a token longer than it lists the stopped task."""
    run(aws)
    hide_tasks(aws)
    assert run(aws) == aws.fargate.tasks[1].arn
    assert run(aws, services_running=True) == aws.fargate.tasks[2].arn


def test_all_tokens_used_up(aws: Account) -> None:
    hide_tasks(aws)
    for _ in range(20):
        run(aws)
    assert error(aws) == (
        "the last 20 attempts of the bootstrap task have all stopped: run `pulumi up` again in an hour"
    )


def test_conflict_without_a_task(aws: Account) -> None:
    def fail(_: int, operation: str) -> None:
        if operation == "RunTask":
            raise refused("ConflictException", operation)

    aws.before = fail
    with pytest.raises(ClientError, match="ConflictException"):
        run(aws)


def test_only_a_conflict_leads_to_another_task(aws: Account) -> None:
    other = aws.start_task("gate-other")
    other.polls_left = 0

    def fail(_: int, operation: str) -> None:
        if operation == "RunTask":
            raise refused("ClientException", operation, resourceIds=[other.arn])

    aws.before = fail
    with pytest.raises(ClientError, match="ClientException"):
        run(aws)


def test_many_tasks_are_described_in_parts(aws: Account) -> None:
    """DescribeTasks takes a hundred at once."""
    for number in range(101):
        aws.start_task("gate-other", f"other-{number}").polls_left = 0
    run(aws)
    assert aws.calls[: aws.calls.index("RunTask")].count("DescribeTasks") == 2


@contextmanager
def described(aws: Account, change: Callable[..., None]) -> Iterator[None]:
    """Change what DescribeTasks answers."""
    events = aws.clients.ecs.meta.events
    events.register("after-call.ecs.DescribeTasks", change, "changed")
    try:
        yield
    finally:
        events.unregister("after-call.ecs.DescribeTasks", unique_id="changed")


def test_unknown_task_is_waited_for_a_minute(aws: Account) -> None:
    def forget(parsed: dict[str, Any], **_: Any) -> None:
        parsed["tasks"] = []

    with described(aws, forget):
        message = error(aws)
    assert message == (
        f"ECS does not know the bootstrap task {aws.fargate.tasks[0].arn}: run `pulumi up` again"
    )
    assert aws.clock.seconds == 60


def test_task_that_was_seen_may_be_unknown_for_a_minute_later(aws: Account) -> None:
    task = aws.start_task(aws.parsed.bootstrap.started_by)
    task.polls_left = 10_000

    def forget(parsed: dict[str, Any], **_: Any) -> None:
        if aws.clock.seconds > 100:
            parsed["tasks"] = []

    with described(aws, forget):
        message = error(aws)
    assert message.startswith("ECS does not know the bootstrap task")
    assert aws.clock.seconds == 160


def test_task_that_stops_between_the_lists_is_counted_once(aws: Account) -> None:
    run(aws)
    arn = aws.fargate.tasks[0].arn

    def twice(parsed: dict[str, Any], **_: Any) -> None:
        parsed["taskArns"] = [arn]

    aws.clients.ecs.meta.events.register("after-call.ecs.ListTasks", twice, "hidden")
    run(aws)
    assert aws.fargate.tasks[1].token.endswith("-1")
