"""ECS: which tasks count, and the publisher's task from its start to its end. Requests fit ECS's own model.

Not proved here: what ECS answers; the stand-in answers as its documentation has it.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError

from operations.aws import SIGN_IN
from operations.errors import AwsBusy, OperationError
from operations.fleet import Fleet
from operations.proofs import RunningTask
from operations.publisher_task import PublisherTask
from tests.releases.ledger_table import START, refused
from tests.releases.simulated_platform import (
    CLUSTER,
    DEFINITION,
    NEW_ID,
    PLACE,
    SERVICES,
    Agent,
    Ecs,
    Logs,
    SimulatedClock,
    throttled,
)

PLACE_OF_LOG = "log group /airflow/publisher, stream release/release-publisher/publisher-1"


def ecs(*agents: Agent, **more: Any) -> Ecs:
    return Ecs(list(agents), more.pop("publish", lambda _: (0, [])), **more)


# The fleet


def test_running_tasks() -> None:
    found = Fleet(
        ecs(Agent("worker", "w2"), Agent("worker", "w1"), Agent("dag-processor", "p1")), CLUSTER, SERVICES
    )
    assert found.running() == [
        RunningTask("dag-processor", "p1", START),
        RunningTask("worker", "w1", START),
        RunningTask("worker", "w2", START),
    ]


@pytest.mark.parametrize(
    "agent",
    [
        Agent("worker", "x", status="PENDING"),
        Agent("worker", "x", desired="STOPPED"),
        Agent("worker", "x", status="DEPROVISIONING"),
        Agent("flower", "x"),
    ],
    ids=["starting", "shall stop", "stops", "another service"],
)
def test_tasks_that_do_not_count(agent: Agent) -> None:
    assert Fleet(ecs(agent), CLUSTER, SERVICES).running() == []


def test_more_tasks_than_one_question_may_name() -> None:
    """The limit of DescribeTasks is 100."""
    asked: list[int] = []

    class Counting(Ecs):
        def describe_tasks(self, **request: Any) -> dict[str, Any]:
            asked.append(len(request["tasks"]))
            return super().describe_tasks(**request)

    agents = [Agent("worker", f"{number:03}") for number in range(250)]
    found = Fleet(Counting(agents, lambda _: (0, [])), CLUSTER, ["worker"]).running()
    assert (len(found), asked) == (250, [100, 100, 50])


NO_SERVICE = (
    "the cluster airflow-dev has no service dag-processor: the outputs are of another stack, or older than its"
    " last update"
)
NO_CLUSTER = "there is no cluster airflow-dev here: see whether account, region and stack are the right ones"


@pytest.mark.parametrize(
    ("error", "says"),
    [("ServiceNotFoundException", NO_SERVICE), ("ClusterNotFoundException", NO_CLUSTER)],
)
def test_no_such_service(error: str, says: str) -> None:
    found = ecs()
    raised = getattr(found.exceptions, error)({"Error": {"Code": error, "Message": ""}}, "ListTasks")
    found.errors["ListTasks"] = [raised]
    with pytest.raises(OperationError) as caught:
        Fleet(found, CLUSTER, SERVICES).running()
    assert str(caught.value) == says


@pytest.mark.parametrize("operation", ["ListTasks", "DescribeTasks"])
def test_busy(operation: str) -> None:
    found = ecs(Agent("dag-processor", "p1"), errors={operation: [throttled(operation)]})
    with pytest.raises(AwsBusy, match="AWS is busy"):
        Fleet(found, CLUSTER, SERVICES).running()


def test_nobody_is_signed_in() -> None:
    found = ecs(errors={"ListTasks": [NoCredentialsError()]})
    with pytest.raises(OperationError) as caught:
        Fleet(found, CLUSTER, SERVICES).running()
    assert str(caught.value) == (
        f"cannot list the tasks of the service dag-processor: Unable to locate credentials: {SIGN_IN}"
    )
    assert not isinstance(caught.value, AwsBusy)


# The publisher's task


def publish(found: Ecs, logs: Logs | None = None, clock: SimulatedClock | None = None) -> list[str]:
    said: list[str] = []
    task = PublisherTask(found, logs or Logs(found), PLACE, clock or SimulatedClock(), patience_seconds=120)
    task.publish(NEW_ID, git_commit="c" * 40, published_by="ada", say=said.append)
    return said


def failure(found: Ecs, logs: Logs | None = None, clock: SimulatedClock | None = None) -> OperationError:
    with pytest.raises(OperationError) as caught:
        publish(found, logs, clock)
    return caught.value


def test_what_is_asked_for() -> None:
    found = ecs()
    assert publish(found) == ["task publisher-1"]
    (request,) = found.requests
    assert len(request.pop("clientToken")) == 32
    assert request == {
        "cluster": CLUSTER,
        "taskDefinition": DEFINITION,
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
                    "name": "release-publisher",
                    "command": [
                        *("platform-publisher", "publish", NEW_ID),
                        *("--git-commit", "c" * 40, "--published-by", "ada"),
                    ],
                }
            ]
        },
        "startedBy": f"release-{NEW_ID}"[:36],
    }


def test_the_publisher_is_told_who_knows_the_runs() -> None:
    found = ecs()
    task = PublisherTask(found, Logs(found), PLACE, SimulatedClock(), readers=SERVICES)
    task.publish(NEW_ID, git_commit="c" * 40, published_by="ada", say=lambda _: None)
    assert command_of(found)[7:] == ["--readers", "dag-processor", "worker"]


def command_of(found: Ecs) -> list[str]:
    (override,) = found.requests[-1]["overrides"]["containerOverrides"]
    return list(override["command"])


# The publisher's clean-up


def collect(found: Ecs, logs: Logs | None = None, only: str | None = None) -> dict[str, Any]:
    task = PublisherTask(found, logs or Logs(found), PLACE, SimulatedClock(), readers=SERVICES)
    return task.collect(older_than_days=7, only=only, say=lambda _: None)


@pytest.mark.parametrize(
    ("only", "words"), [(None, ["--older-than-days", "7"]), (NEW_ID, ["--only", NEW_ID])]
)
def test_a_clean_up(only: str | None, words: list[str]) -> None:
    answer = {"command": "collect", "ok": True, "collected": [NEW_ID]}
    found = ecs(publish=lambda _: (0, ["1 releases taken away", json.dumps(answer)]))
    assert collect(found, only=only) == answer | {
        "publisher_task": "publisher-1",
        "publisher_place": PLACE_OF_LOG,
    }
    assert command_of(found) == ["platform-publisher", "collect", *words, "--readers", *SERVICES]
    assert found.requests[-1]["startedBy"] == "collect"


def test_a_clean_up_whose_log_may_not_be_read() -> None:
    found = ecs(publish=lambda _: (0, LAST_WORDS))
    logs = Logs(found, error=refused("AccessDeniedException", "GetLogEvents"))
    assert collect(found, logs) == {"publisher_task": "publisher-1", "publisher_place": PLACE_OF_LOG}


def test_a_clean_up_that_is_refused() -> None:
    with pytest.raises(OperationError, match="failed with exit code 1: the disk is full"):
        collect(ecs(publish=lambda _: (1, LAST_WORDS)))


def test_a_clean_up_that_finds_no_capacity() -> None:
    with pytest.raises(OperationError, match=r"finds no capacity \(Capacity.*\): try again later"):
        collect(ecs(failures=["Capacity is unavailable at this time"] * 999))


# Its end


def test_it_is_waited_for_until_it_has_stopped() -> None:
    clock = SimulatedClock()
    publish(ecs(polls=20, unknown=5), clock=clock)
    assert clock.passed == 48


def test_busy_moments_while_waiting() -> None:
    publish(ecs(errors={"DescribeTasks": [throttled(), EndpointConnectionError(endpoint_url="https://ecs")]}))


def test_a_long_busy_time_is_no_lost_task() -> None:
    clock = SimulatedClock()
    publish(ecs(errors={"DescribeTasks": [throttled()] * 40}), clock=clock)
    assert 80 <= clock.passed < 90


def test_no_capacity_for_a_while() -> None:
    found = ecs(failures=["Capacity is unavailable at this time"] * 2)
    assert publish(found) == ["waiting for capacity", "waiting for capacity", "task publisher-1"]
    tokens = {request["clientToken"] for request in found.requests}
    assert len(tokens) == 3


def test_no_capacity() -> None:
    error = failure(ecs(failures=["Capacity is unavailable at this time"] * 100))
    assert str(error) == (
        "the publisher finds no capacity (Capacity is unavailable at this time): release again later"
    )


def test_another_reason() -> None:
    error = failure(ecs(failures=["MISSING"]))
    assert str(error) == "ECS does not start the publisher (MISSING): remove the cause, then release again"


def test_a_task_that_nobody_knows() -> None:
    assert str(failure(ecs(unknown=1000))).startswith("ECS does not know the publisher's task arn:aws:ecs:")


def test_time_is_over() -> None:
    clock = SimulatedClock()
    error = failure(ecs(polls=-1), clock=clock)
    assert str(error) == (
        "the publisher has not ended within 120 s (task publisher-1); it goes on, and changes nothing that containers"
        " read: look at its log, then release again"
    )
    assert clock.passed == 120


LAST_WORDS = ["copying", json.dumps({"command": "publish", "error": "the disk is full", "ok": False})]


def test_it_fails_and_says_why() -> None:
    error = failure(ecs(publish=lambda _: (1, LAST_WORDS)))
    assert str(error) == f"the publisher failed with exit code 1: the disk is full ({PLACE_OF_LOG})"
    assert error.facts == {"publisher_log": LAST_WORDS, "publisher_task": "publisher-1"}


def test_its_last_words_come_late() -> None:
    found = ecs(publish=lambda _: (1, LAST_WORDS))
    assert "the disk is full" in str(failure(found, Logs(found, late=3)))


def test_a_log_that_may_not_be_read() -> None:
    found = ecs(
        publish=lambda _: (1, LAST_WORDS), stopped={"stoppedReason": "Essential container in task exited"}
    )
    error = failure(found, Logs(found, error=refused("AccessDeniedException", "GetLogEvents")))
    assert str(error) == (
        f"the publisher failed with exit code 1: Essential container in task exited ({PLACE_OF_LOG})"
    )


@pytest.mark.parametrize("lines", [[], ["Killed"], ["[]"], ['{"error'], ["{}"]])
def test_no_last_words(lines: list[str]) -> None:
    error = failure(ecs(publish=lambda _: (137, lines)))
    assert str(error) == f"the publisher failed with exit code 137: ECS gives no reason ({PLACE_OF_LOG})"
    assert error.facts["publisher_log"] == lines


def test_it_never_starts() -> None:
    reason = "CannotPullContainerError: pull image manifest has been retried 5 time(s)"
    error = failure(ecs(publish=lambda _: (None, LAST_WORDS), stopped={"stoppedReason": reason}))
    assert str(error) == f"the publisher never started: {reason} ({PLACE_OF_LOG})"


@pytest.mark.parametrize(
    ("operation", "what"),
    [
        ("DescribeTaskDefinition", f"look at the publisher's task definition {DEFINITION}"),
        ("RunTask", "start the publisher"),
    ],
)
def test_what_aws_refuses(operation: str, what: str) -> None:
    error = failure(ecs(errors={operation: [refused("AccessDeniedException", operation, "ada may not")]}))
    assert str(error) == (
        f"cannot {what}: AWS does not allow it (ada may not): use a role that may do it, or extend its policy"
    )
