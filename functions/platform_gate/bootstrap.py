"""Runs the bootstrap task to its end: database users, schema, administrator, pools.

At most one bootstrap task of an environment runs at a time. Every run of the gate waits for the one that runs, if it
belongs to the same image, task definition and database, and otherwise starts its own. An earlier success does not
replace a run: the task changes nothing when there is nothing to do, and puts right what has changed since.
"""

from __future__ import annotations

import logging
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from .aws import code_of
from .errors import RUN_AGAIN, GateError
from .event import Bootstrap
from .pace import Pace

SCHEMA_DIFFERS = 64
"""Exit code of a bootstrap that found another schema than the image's while services run; it changed nothing."""
POLL_SECONDS = 1
CAPACITY_PAUSE_SECONDS = 20
CAPACITY_PATIENCE_SECONDS = 300
SETTLE_SECONDS = 60
"""How long ECS may not know a task that it has just started."""
MAX_TOKENS = 20
DESCRIBED_AT_ONCE = 100  # limit of DescribeTasks
STOPPED = "STOPPED"

Task = dict[str, Any]
log = logging.getLogger(__name__)


def run(ecs: Any, spec: Bootstrap, pace: Pace, *, services_running: bool) -> str:
    """Run the task and return its ARN.

    Raises:
        GateError: it cannot start, fails, or is still running when the function's time ends.

    """
    arn = _find_or_start(ecs, spec, pace, services_running=services_running)
    _judge(spec, _wait(ecs, spec, arn, pace))
    return arn


def _find_or_start(ecs: Any, spec: Bootstrap, pace: Pace, *, services_running: bool) -> str:
    give_up_at = pace.now() + CAPACITY_PATIENCE_SECONDS
    placed_nothing = 0
    while True:
        tasks = _tasks(ecs, spec)
        ours = [task for task in tasks if task.get("startedBy") == spec.started_by]
        for task in ours:
            if task["lastStatus"] != STOPPED:
                log.info("bootstrap task %s runs already", task["taskArn"])
                return str(task["taskArn"])
        other = next((task for task in tasks if task["lastStatus"] != STOPPED), None)
        if other:
            # It migrates the same database, for an image that has been replaced meanwhile.
            pace.pause(
                POLL_SECONDS, f"the bootstrap task {other['taskArn']} of an earlier update is still running"
            )
            continue
        arn, reasons = _start(ecs, spec, len(ours) + placed_nothing, services_running=services_running)
        if arn:
            return arn
        # ECS may answer a repeated token with the old answer, so the next attempt needs another one.
        placed_nothing += 1
        if pace.now() >= give_up_at:
            raise GateError(f"the bootstrap task finds no capacity ({reasons})", f"{RUN_AGAIN} later")
        log.info("no capacity: %s", reasons)
        pace.pause(CAPACITY_PAUSE_SECONDS, f"the bootstrap task finds no capacity ({reasons})")


def _tasks(ecs: Any, spec: Bootstrap) -> list[Task]:
    """Return the tasks that ECS still knows: all that run, and those that stopped within the last hour."""
    paginator = ecs.get_paginator("list_tasks")
    # A task that stops between the two lists is in both.
    arns = iter(
        {
            arn: None
            for status in ("RUNNING", STOPPED)
            for page in paginator.paginate(cluster=spec.cluster, family=spec.family, desiredStatus=status)
            for arn in page["taskArns"]
        }
    )
    found: list[Task] = []
    while some := list(islice(arns, DESCRIBED_AT_ONCE)):
        found += ecs.describe_tasks(cluster=spec.cluster, tasks=some)["tasks"]
    return found


def _start(ecs: Any, spec: Bootstrap, past: int, *, services_running: bool) -> tuple[str | None, str]:
    """Start the task; return its ARN, or None and why there is no capacity for it now.

    The token names the attempt, by the number of past ones: gates that start the same attempt, or repeat a call
    whose answer was lost, get one task.
    """
    for attempt in range(past, past + MAX_TOKENS):
        try:
            answer = ecs.run_task(**_request(spec, attempt, services_running=services_running))
        except ClientError as error:
            # The same attempt, by a gate that saw the services in another state.
            known = error.response.get("resourceIds") if code_of(error) == "ConflictException" else None
            if not known:
                raise
            tasks = ecs.describe_tasks(cluster=spec.cluster, tasks=known)["tasks"]
        else:
            if failures := answer.get("failures"):
                return None, _reasons(failures)
            tasks = answer["tasks"]
        # ECS remembers a token a little longer than the task: one that leads to a stopped task is used up.
        for task in tasks:
            if task["lastStatus"] != STOPPED:
                log.info("bootstrap task %s", task["taskArn"])
                return str(task["taskArn"]), ""
    raise GateError(
        f"the last {MAX_TOKENS} attempts of the bootstrap task have all stopped", f"{RUN_AGAIN} in an hour"
    )


def _request(spec: Bootstrap, attempt: int, *, services_running: bool) -> dict[str, Any]:
    running = {"name": "PLATFORM_SERVICES_RUNNING", "value": str(services_running).lower()}
    return {
        "cluster": spec.cluster,
        "taskDefinition": spec.task_definition,
        "count": 1,
        # Never Spot: a migration must not be interrupted.
        "launchType": "FARGATE",
        "networkConfiguration": {
            "awsvpcConfiguration": {
                "subnets": list(spec.subnet_ids),
                "securityGroups": [spec.security_group_id],
                "assignPublicIp": "DISABLED",
            }
        },
        "overrides": {"containerOverrides": [{"name": spec.container, "environment": [running]}]},
        "startedBy": spec.started_by,
        "clientToken": f"{spec.started_by}-{attempt}",
    }


def _reasons(failures: list[dict[str, str]]) -> str:
    """Return why ECS placed no task, when another attempt may help.

    Raises:
        GateError: another attempt would fail as well.

    """
    reasons = "; ".join(
        " ".join(filter(None, (failure.get("reason"), failure.get("detail")))) for failure in failures
    )
    if "capacity" not in reasons.lower():
        raise GateError(
            f"ECS does not start the bootstrap task ({reasons})", f"remove the cause, then {RUN_AGAIN}"
        )
    return reasons


def _wait(ecs: Any, spec: Bootstrap, arn: str, pace: Pace) -> Task:
    unknown_at = pace.now() + SETTLE_SECONDS
    while True:
        tasks: list[Task] = ecs.describe_tasks(cluster=spec.cluster, tasks=[arn])["tasks"]
        if tasks and tasks[0]["lastStatus"] == STOPPED:
            return tasks[0]
        if tasks:
            unknown_at = pace.now() + SETTLE_SECONDS
        elif pace.now() >= unknown_at:
            raise GateError(f"ECS does not know the bootstrap task {arn}", RUN_AGAIN)
        pace.pause(POLL_SECONDS, f"the bootstrap task {arn} is still running")


def _judge(spec: Bootstrap, task: Task) -> None:
    container: dict[str, Any] = next(
        (item for item in task.get("containers", []) if item.get("name") == spec.container), {}
    )
    code = container.get("exitCode")
    if code == 0:
        return
    if code == SCHEMA_DIFFERS:
        raise GateError(
            "the database's schema differs from the image's while services run, nothing was changed",
            "use `operations upgrade`",
        )
    end = "never started" if code is None else f"failed with exit code {code}"
    why = "; ".join(filter(None, (task.get("stopCode"), task.get("stoppedReason"), container.get("reason"))))
    arn = str(task["taskArn"])
    raise GateError(
        f"the bootstrap task {end} ({why or 'ECS gives no reason'})",
        f"read the log group {spec.log_group}, the stream that ends in {arn.rpartition('/')[2]}; "
        f"remove the cause, then {RUN_AGAIN}",
    )
