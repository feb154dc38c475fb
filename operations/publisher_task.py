"""Runs the publisher, the one task that may write the file system, and reads from its log why it failed.

Stopping here never stops the publisher: a release that it finishes later is complete, and nobody reads it before the
pointer names it.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
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

Answer = dict[str, Any]
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


@dataclass(frozen=True)
class _Ended:
    """A task that has ended."""

    container: _Container
    task: Task

    @property
    def task_id(self) -> str:
        return _id(str(self.task["taskArn"]))

    @property
    def described(self) -> dict[str, Any]:
        """What ECS says of the container."""
        containers: list[dict[str, Any]] = self.task.get("containers", [])
        return next((each for each in containers if each.get("name") == self.container.name), {})

    @property
    def place(self) -> str:
        """Where its log is."""
        return f"log group {self.container.log_group}, stream {self.container.stream(self.task_id)}"


class PublisherTask:
    """Publishes releases, and takes old ones away, by running the task."""

    def __init__(
        self,
        ecs: Any,
        logs: Any,
        place: PublisherPlace,
        clock: Clock,
        *,
        readers: Sequence[str] = (),
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """Keep the clients and the place.

        Args:
            ecs: Client.
            logs: Client.
            place: Where the task runs.
            clock: The time.
            readers: The services that read DAGs: by their proofs the publisher knows what may go. Without them it does
                not clean up.
            patience_seconds: How long to wait for the task's end.

        """
        self._ecs, self._logs, self._place, self._clock = ecs, logs, place, clock
        self._readers = ["--readers", *readers] if readers else []
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
        command = [
            *("publish", release_id),
            *("--git-commit", git_commit),
            *("--published-by", published_by),
            *self._readers,
        ]
        self._run(command, f"release-{release_id}"[:STARTED_BY_LIMIT], "release again", say)

    def collect(self, *, older_than_days: int, only: str | None, say: Say) -> Answer:
        """Run the task to its end.

        Args:
            older_than_days: Younger releases stay.
            only: Nothing but this release goes, whatever its age.
            say: Is told what takes long.

        Returns:
            What the publisher says that it has done; empty if its log cannot be read.

        Raises:
            OperationError: it was not done, or not all of it, and why.

        """
        wish = ["--only", only] if only else ["--older-than-days", str(older_than_days)]
        ended = self._run(["collect", *wish, *self._readers], "collect", "try again", say)
        found = _answer(self._last_lines(ended)) or {}
        return found | {"publisher_task": ended.task_id, "publisher_place": ended.place}

    def _run(self, command: list[str], started_by: str, again: str, say: Say) -> _Ended:
        """Run a command to its end; `again` is what to do if it could not be."""
        give_up_at = self._clock.seconds() + self._patience_seconds
        container = self._container()
        arn = self._start(container, [PROGRAM, *command], started_by, give_up_at, again, say)
        say(f"task {_id(arn)}")
        ended = _Ended(container, self._wait(arn, give_up_at, again))
        self._judge(ended)
        return ended

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
        self,
        container: _Container,
        command: list[str],
        started_by: str,
        give_up_at: float,
        again: str,
        say: Say,
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
                    f"ECS does not start the publisher ({reasons}): remove the cause, then {again}"
                )
            if self._clock.seconds() >= give_up_at:
                raise OperationError(f"the publisher finds no capacity ({reasons}): {again} later")
            say("waiting for capacity")
            self._clock.sleep(CAPACITY_PAUSE_SECONDS)

    def _wait(self, arn: str, give_up_at: float, again: str) -> Task:
        unknown_at = self._clock.seconds() + SETTLE_SECONDS
        while True:
            tasks = self._described(arn)
            if tasks and tasks[0].get("lastStatus") == STOPPED:
                return tasks[0]
            now = self._clock.seconds()
            if tasks:
                unknown_at = now + SETTLE_SECONDS
            elif tasks is not None and now >= unknown_at:
                raise OperationError(f"ECS does not know the publisher's task {arn}: {again}")
            if now >= give_up_at:
                raise OperationError(
                    f"the publisher has not ended within {self._patience_seconds:.0f} s (task {_id(arn)}); it goes on,"
                    f" and changes nothing that containers read: look at its log, then {again}"
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

    def _judge(self, ended: _Ended) -> None:
        code = ended.described.get("exitCode")
        if code == 0:
            return
        end = "never started" if code is None else f"failed with exit code {code}"
        why = "; ".join(filter(None, (ended.task.get("stoppedReason"), ended.described.get("reason"))))
        lines = self._last_lines(ended) if code is not None else []
        reason = (_answer(lines) or {}).get("error") or why or "ECS gives no reason"
        raise OperationError(
            f"the publisher {end}: {reason} ({ended.place})",
            facts={"publisher_log": lines, "publisher_task": ended.task_id},
        )

    def _last_lines(self, ended: _Ended) -> list[str]:
        lines: list[str] = []
        for left in reversed(range(LOG_TRIES)):
            try:
                answer = self._logs.get_log_events(
                    logGroupName=ended.container.log_group,
                    logStreamName=ended.container.stream(ended.task_id),
                    limit=LOG_LINES,
                    startFromHead=False,
                )
                lines = [str(event["message"]) for event in answer["events"]]
            except (ClientError, BotoCoreError):
                # Whoever may not read it is told where it is.
                lines = []
            if _answer(lines) or not left:
                break
            self._clock.sleep(LOG_PAUSE_SECONDS)
        return lines


def _answer(lines: list[str]) -> Answer | None:
    """Return what the publisher says in its last line; None if it did not get that far."""
    try:
        found = json.loads(lines[-1])
    except (IndexError, ValueError):
        return None
    return found if isinstance(found, dict) and found else None


def _reasons(failures: list[dict[str, str]]) -> str:
    found = [" ".join(filter(None, (each.get("reason"), each.get("detail")))) for each in failures]
    return "; ".join(found) or "it gives no reason"


def _id(arn: str) -> str:
    return arn.rpartition("/")[2]
