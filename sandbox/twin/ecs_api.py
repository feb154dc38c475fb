"""What the endpoint answers in place of ECS: one-off tasks that really run, the tasks of services, and their logs.

Moto knows clusters, services and definitions by name, and refuses others as ECS does; whatever runs is known to those
who serve the endpoint.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias
from unittest import mock

from moto.core.responses import ActionResult
from moto.ecs.exceptions import ServiceNotFoundException
from moto.ecs.responses import EC2ContainerServiceResponse
from moto.logs.exceptions import ResourceNotFoundException
from moto.logs.responses import LogsResponse

from sandbox.twin.model import Container, Overrides, TaskDefinition
from sandbox.twin.rewrites import container_id

PENDING, RUNNING, STOPPING, STOPPED = "PENDING", "RUNNING", "STOPPING", "STOPPED"
ENDING: Final = frozenset({STOPPING, STOPPED})
ANSWER_SECONDS: Final = 8.0
"""DescribeTasks waits so long for the end of a one-off task, less than clients wait for an answer: callers look every
few seconds only."""
POLL_SECONDS: Final = 0.05
LOG_EVENTS: Final = 10_000
"""What GetLogEvents returns at most."""


class TaskRefusedError(Exception):
    """RunTask places no task; the text is the reason of the failure in its answer."""


@dataclass(frozen=True, kw_only=True)
class TaskRequest:
    """What RunTask is asked for."""

    id: str
    definition: str
    """ARN, or family and revision, as asked."""
    overrides: Mapping[str, Overrides]
    """By container."""
    started_by: str


@dataclass(frozen=True, kw_only=True)
class TaskState:
    """How a task is doing."""

    status: str = RUNNING
    exit_codes: Mapping[str, int | None] = field(default_factory=dict)
    """By container; None for one that never ran."""
    stop_code: str | None = None
    stopped_reason: str | None = None
    started_at: float | None = None
    """Seconds of the epoch; None before all containers run."""


@dataclass(frozen=True, kw_only=True)
class ServiceTask:
    """A task that a service keeps."""

    id: str
    service: str
    definition: TaskDefinition
    state: TaskState


RunTask: TypeAlias = Callable[[TaskRequest], Callable[[], TaskState]]
Response: TypeAlias = EC2ContainerServiceResponse


@dataclass
class _Task:
    """A task as the API shows it."""

    arn: str
    definition: str
    family: str
    containers: tuple[str, ...]
    state: Callable[[], TaskState]
    started_by: str = ""
    service: str = ""

    def described(self, state: TaskState) -> dict[str, Any]:
        started = None if state.started_at is None else datetime.fromtimestamp(state.started_at, UTC)
        return {
            "taskArn": self.arn,
            "taskDefinitionArn": self.definition,
            "startedBy": self.started_by,
            "group": f"service:{self.service}" if self.service else f"family:{self.family}",
            "lastStatus": state.status,
            "desiredStatus": STOPPED if state.status in ENDING else RUNNING,
            **({"startedAt": started} if started else {}),
            **({"stopCode": state.stop_code} if state.stop_code else {}),
            **({"stoppedReason": state.stopped_reason} if state.stopped_reason else {}),
            "containers": [
                {
                    "name": name,
                    "lastStatus": state.status,
                    **({"exitCode": code} if (code := state.exit_codes.get(name)) is not None else {}),
                }
                for name in self.containers
            ],
        }


class EcsApi:
    """Tasks, their definitions and their logs."""

    def __init__(
        self,
        *,
        run_task: RunTask,
        tasks: Callable[[], Sequence[ServiceTask]],
        definition: Callable[[str], TaskDefinition | None],
        log: Callable[[str, str], Sequence[str] | None],
    ) -> None:
        """Answer from these; every one may be called from several threads.

        Args:
            run_task: Starts a task and returns what tells its state; TaskRefusedError places none.
            tasks: The tasks of services.
            definition: Finds a task definition by its ARN, or by family and revision.
            log: The lines of a log, by group and stream; None if there is no such stream.

        """
        self._start, self._of_services, self._definition, self._log = run_task, tasks, definition, log
        self._one_off: dict[str, _Task] = {}
        self._tokens: dict[str, _Task] = {}
        self._lock = threading.Lock()

    def patches(self) -> Iterator[AbstractContextManager[Any]]:
        """Yield what puts these answers in the place of moto's."""
        for name in ("run_task", "list_tasks", "describe_tasks", "describe_task_definition"):
            yield mock.patch.object(EC2ContainerServiceResponse, name, _method(getattr(self, name)))
        yield mock.patch.object(LogsResponse, "get_log_events", _method(self.get_log_events))

    def run_task(self, response: Response) -> ActionResult:
        """Start a task; the same token starts one only."""
        asked = response._get_params()
        # Unknown clusters and definitions are refused as moto refuses them.
        cluster = response.ecs_backend._get_cluster(asked["cluster"]).name
        definition = response.ecs_backend.describe_task_definition(asked["taskDefinition"])
        try:
            task = self._started(_owner(response, cluster), asked, definition)
        except TaskRefusedError as error:
            return ActionResult({"tasks": [], "failures": [{"reason": str(error)}]})
        return ActionResult({"tasks": [task.described(TaskState(status=PENDING))], "failures": []})

    def list_tasks(self, response: Response) -> ActionResult:
        """List tasks of a family or a service that shall run, or shall not."""
        asked = response._get_params()
        cluster = response.ecs_backend._get_cluster(asked["cluster"]).name
        family, service = asked.get("family"), asked.get("serviceName")
        if service is not None:
            service = service.rpartition("/")[2]
            if response.ecs_backend.describe_services(cluster, [service])[1]:
                raise ServiceNotFoundException
        stopped = asked.get("desiredStatus", RUNNING) == STOPPED
        arns = [
            task.arn
            for task in self._all(_owner(response, cluster))
            if family in (None, task.family)
            and service in (None, task.service)
            and (task.state().status in ENDING) == stopped
        ]
        return ActionResult({"taskArns": arns})

    def describe_tasks(self, response: Response) -> ActionResult:
        """Describe tasks by their ARNs or ids."""
        asked = response._get_params()
        cluster = response.ecs_backend._get_cluster(asked["cluster"]).name
        known = {task.arn.rpartition("/")[2]: task for task in self._all(_owner(response, cluster))}
        found = [known.get(arn.rpartition("/")[2]) for arn in asked["tasks"]]
        missing = [
            {"arn": arn, "reason": "MISSING"}
            for arn, task in zip(asked["tasks"], found, strict=True)
            if task is None
        ]
        tasks = [
            task.described(task.state() if task.service else _at_its_end(task)) for task in found if task
        ]
        return ActionResult({"tasks": tasks, "failures": missing})

    def describe_task_definition(self, response: Response) -> ActionResult:
        """Describe a definition, as far as anybody asks: its containers and where they log."""
        asked = response._get_params()["taskDefinition"]
        known = response.ecs_backend.describe_task_definition(asked)
        found = self._definition(known.arn)
        if found is None:
            return ActionResult({"taskDefinition": known})
        described = {
            "taskDefinitionArn": found.arn,
            "family": found.family,
            "revision": found.revision,
            "status": "ACTIVE",
            "cpu": str(found.cpu_units),
            "memory": str(found.memory_mib),
            "containerDefinitions": [_definition_of(each) for each in found.containers],
        }
        return ActionResult({"taskDefinition": described})

    def get_log_events(self, response: LogsResponse) -> str:
        """Return the lines of a container; all have the time of the question."""
        asked = response._get_param
        lines = self._log(asked("logGroupName"), asked("logStreamName"))
        if lines is None:
            raise ResourceNotFoundException("The specified log stream does not exist.")
        limit = int(asked("limit") or LOG_EVENTS)
        shown = lines[:limit] if asked("startFromHead") else lines[-limit:]
        now = int(time.time() * 1000)
        events = [{"timestamp": now, "ingestionTime": now, "message": line} for line in shown]
        return json.dumps({"events": events, "nextForwardToken": "f/0", "nextBackwardToken": "b/0"})

    def _all(self, owner: str) -> list[_Task]:
        of_services = [
            _Task(
                arn=f"{owner}/{task.id}",
                definition=task.definition.arn,
                family=task.definition.family,
                containers=tuple(each.name for each in task.definition.containers),
                state=_always(task.state),
                started_by="ecs-svc",
                service=task.service,
            )
            for task in self._of_services()
        ]
        return [*of_services, *list(self._one_off.values())]

    def _started(self, owner: str, asked: Mapping[str, Any], definition: Any) -> _Task:
        token = asked.get("clientToken") or uuid.uuid4().hex
        with self._lock:
            if token in self._tokens:
                return self._tokens[token]
            request = TaskRequest(
                id=uuid.uuid4().hex,
                definition=asked["taskDefinition"],
                overrides=_overrides(asked),
                started_by=asked.get("startedBy") or "",
            )
            task = _Task(
                arn=f"{owner}/{request.id}",
                definition=definition.arn,
                family=definition.family,
                containers=tuple(each["name"] for each in definition.container_definitions),
                state=self._start(request),
                started_by=request.started_by,
            )
            self._tokens[token] = self._one_off[task.arn] = task
        return task


def metadata(
    task_id: str, definition: TaskDefinition, *, cluster_arn: str, service: str, state: TaskState
) -> dict[str, Any]:
    """Return what ECS tells a container about its task, with the names that it has there."""
    return {
        "Cluster": cluster_arn,
        "TaskARN": f"{cluster_arn.replace(':cluster/', ':task/')}/{task_id}",
        "Family": definition.family,
        "Revision": str(definition.revision),
        **({"ServiceName": service} if service else {}),
        "DesiredStatus": STOPPED if state.status in ENDING else RUNNING,
        "KnownStatus": state.status,
        "LaunchType": "FARGATE",
        "Containers": [
            {
                "DockerId": container_id(task_id, each.name),
                "Name": each.name,
                "Image": each.image,
                "ImageID": each.image.partition("@")[2],
                "Type": "NORMAL",
            }
            for each in definition.containers
        ],
    }


def _method(answer: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a function, which becomes a method of the class that it is put into."""

    def method(response: Any) -> Any:
        return answer(response)

    return method


def _always(state: TaskState) -> Callable[[], TaskState]:
    return lambda: state


def _owner(response: Response, cluster: str) -> str:
    """Return what the ARNs of a cluster's tasks begin with."""
    return f"arn:aws:ecs:{response.region}:{response.current_account}:task/{cluster}"


def _at_its_end(task: _Task) -> TaskState:
    end = time.monotonic() + ANSWER_SECONDS
    while (state := task.state()).status != STOPPED and time.monotonic() < end:
        time.sleep(POLL_SECONDS)
    return state


def _overrides(asked: Mapping[str, Any]) -> dict[str, Overrides]:
    return {
        each["name"]: Overrides(
            environment={row["name"]: row["value"] for row in each.get("environment") or ()},
            command=tuple(each["command"]) if each.get("command") else None,
        )
        for each in (asked.get("overrides") or {}).get("containerOverrides") or ()
    }


def _definition_of(container: Container) -> dict[str, Any]:
    log = container.log
    options = {"awslogs-group": log.group, "awslogs-stream-prefix": log.prefix} if log else {}
    return {
        "name": container.name,
        "image": container.image,
        "essential": container.essential,
        "command": list(container.command),
        "user": container.user,
        **({"logConfiguration": {"logDriver": "awslogs", "options": options}} if log else {}),
    }
