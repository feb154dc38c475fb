"""Runs the publisher, the one task that may write the file system, and reads from its log why it failed.

Stopping here never stops the publisher: a release that it finishes later is complete, and nobody reads it before the
pointer names it.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from operations.aws import explained
from operations.clock import Clock
from operations.errors import AwsBusy, OperationError

PROGRAM: Final = "platform-publisher"
POLL_SECONDS: Final = 2.0
CAPACITY_PAUSE_SECONDS: Final = 10.0
SETTLE_SECONDS: Final = 60.0
"""How long ECS may not know a task that it has just started."""
PATIENCE_SECONDS: Final = 900.0
"""For capacity, the image's pull and the copy; usually a minute."""
LOG_LINES: Final = 20
LOG_TRIES: Final = 4
LOG_PAUSE_SECONDS: Final = 2.0
"""The last lines of a task arrive a little after its end."""
STARTED_BY_LIMIT: Final = 36
STOPPED: Final = "STOPPED"

Task = dict[str, Any]
Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class PublisherPlace:
    """Where the task runs."""

    cluster: str
    task_definition: str
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]


@dataclass(frozen=True)
class _Container:
    """The container whose exit code counts."""

    name: str
    log_group: str
    stream_prefix: str

    def stream(self, task_id: str) -> str:
        return f"{self.stream_prefix}/{self.name}/{task_id}"


class PublisherTask:
    """Publishes releases by running the task."""

    def __init__(
        self,
        ecs: Any,
        logs: Any,
        place: PublisherPlace,
        clock: Clock,
        *,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """Keep the clients and the place."""
        self._ecs, self._logs, self._place, self._clock = ecs, logs, place, clock
        self._patience_seconds = patience_seconds

    def publish(self, release_id: str, *, git_commit: str, published_by: str, say: Say) -> None:
        """Run the task to its end.

        Args:
            release_id: What is in the release bucket already.
            git_commit: For the ledger.
            published_by: For the ledger.
            say: Is told what takes long.

        Raises:
            OperationError: the release is not published, and why.

        """
        give_up_at = self._clock.seconds() + self._patience_seconds
        container = self._container()
        command = [
            *(PROGRAM, "publish", release_id),
            *("--git-commit", git_commit),
            *("--published-by", published_by),
        ]
        arn = self._start(container, command, f"release-{release_id}"[:STARTED_BY_LIMIT], give_up_at, say)
        say(f"task {_id(arn)}")
        task = self._wait(arn, give_up_at)
        self._judge(container, task)

    def _container(self) -> _Container:
        definition = self._place.task_definition
        with explained(f"look at the publisher's task definition {definition}"):
            answer = self._ecs.describe_task_definition(taskDefinition=definition)
        containers: list[Any] = answer["taskDefinition"]["containerDefinitions"]
        found = next((each for each in containers if each.get("essential", True)), containers[0])
        options = found.get("logConfiguration", {}).get("options", {})
        return _Container(
            found["name"], options.get("awslogs-group", ""), options.get("awslogs-stream-prefix", "")
        )

    def _start(
        self, container: _Container, command: list[str], started_by: str, give_up_at: float, say: Say
    ) -> str:
        while True:
            with explained("start the publisher"):
                answer = self._ecs.run_task(
                    cluster=self._place.cluster,
                    taskDefinition=self._place.task_definition,
                    count=1,
                    # Never Spot: an interruption would only cost time.
                    launchType="FARGATE",
                    networkConfiguration={
                        "awsvpcConfiguration": {
                            "subnets": list(self._place.subnets),
                            "securityGroups": list(self._place.security_groups),
                            "assignPublicIp": "DISABLED",
                        }
                    },
                    overrides={"containerOverrides": [{"name": container.name, "command": command}]},
                    startedBy=started_by,
                    # Of this attempt: a repeated call whose answer was lost starts no second task.
                    clientToken=uuid.uuid4().hex,
                )
            if answer.get("tasks"):
                return str(answer["tasks"][0]["taskArn"])
            reasons = _reasons(answer.get("failures", []))
            if "capacity" not in reasons.lower():
                raise OperationError(
                    f"ECS does not start the publisher ({reasons}): remove the cause, then release again"
                )
            if self._clock.seconds() >= give_up_at:
                raise OperationError(f"the publisher finds no capacity ({reasons}): release again later")
            say("waiting for capacity")
            self._clock.sleep(CAPACITY_PAUSE_SECONDS)

    def _wait(self, arn: str, give_up_at: float) -> Task:
        unknown_at = self._clock.seconds() + SETTLE_SECONDS
        while True:
            tasks = self._described(arn)
            if tasks and tasks[0].get("lastStatus") == STOPPED:
                return tasks[0]
            now = self._clock.seconds()
            if tasks:
                unknown_at = now + SETTLE_SECONDS
            elif tasks is not None and now >= unknown_at:
                raise OperationError(f"ECS does not know the publisher's task {arn}: release again")
            if now >= give_up_at:
                raise OperationError(
                    f"the publisher has not ended within {self._patience_seconds:.0f} s (task {_id(arn)}); it goes on,"
                    " and changes nothing that containers read: look at its log, then release again"
                )
            self._clock.sleep(POLL_SECONDS)

    def _described(self, arn: str) -> list[Task] | None:
        try:
            with explained("look at the publisher's task"):
                tasks: list[Task] = self._ecs.describe_tasks(cluster=self._place.cluster, tasks=[arn])[
                    "tasks"
                ]
                return tasks
        except AwsBusy:
            return None

    def _judge(self, container: _Container, task: Task) -> None:
        described: dict[str, Any] = next(
            (each for each in task.get("containers", []) if each.get("name") == container.name), {}
        )
        code = described.get("exitCode")
        if code == 0:
            return
        end = "never started" if code is None else f"failed with exit code {code}"
        why = "; ".join(filter(None, (task.get("stoppedReason"), described.get("reason"))))
        task_id = _id(str(task["taskArn"]))
        lines = self._last_lines(container, task_id) if code is not None else []
        place = f"log group {container.log_group}, stream {container.stream(task_id)}"
        reason = _own_words(lines) or why or "ECS gives no reason"
        raise OperationError(
            f"the publisher {end}: {reason} ({place})",
            facts={"publisher_log": lines, "publisher_task": task_id},
        )

    def _last_lines(self, container: _Container, task_id: str) -> list[str]:
        lines: list[str] = []
        for left in reversed(range(LOG_TRIES)):
            try:
                answer = self._logs.get_log_events(
                    logGroupName=container.log_group,
                    logStreamName=container.stream(task_id),
                    limit=LOG_LINES,
                    startFromHead=False,
                )
                lines = [str(event["message"]) for event in answer["events"]]
            except (ClientError, BotoCoreError):
                # Whoever may not read it is told where it is.
                lines = []
            if _own_words(lines) or not left:
                break
            self._clock.sleep(LOG_PAUSE_SECONDS)
        return lines


def _own_words(lines: list[str]) -> str:
    """Return the reason in the publisher's last line; empty if it did not get that far."""
    try:
        answer = json.loads(lines[-1])
        return str(answer["error"])
    except (IndexError, KeyError, TypeError, ValueError):
        return ""


def _reasons(failures: list[dict[str, str]]) -> str:
    found = [" ".join(filter(None, (each.get("reason"), each.get("detail")))) for each in failures]
    return "; ".join(found) or "it gives no reason"


def _id(arn: str) -> str:
    return arn.rpartition("/")[2]
