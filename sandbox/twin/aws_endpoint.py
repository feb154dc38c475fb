"""AWS's APIs on this machine: a moto server in a thread, and stand-ins for what moto cannot do.

Moto keeps S3, DynamoDB and Secrets Manager well. It has no ModifyUser for ElastiCache, its ECS runs nothing, and its
services have a number of tasks of their own; there the stand-ins ask whoever serves the endpoint. Moto's memory
belongs to the process, so a process serves one account at a time.
"""

from __future__ import annotations

import contextlib
import json
import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from unittest import mock
from urllib.request import Request, urlopen

from botocore.exceptions import ClientError
from moto.core.responses import ActionResult
from moto.ecs.responses import EC2ContainerServiceResponse
from moto.elasticache.responses import ElastiCacheResponse
from moto.server import ThreadedMotoServer

from sandbox.invocation.mirror import Mirror
from sandbox.twin.model import SecretSource
from sandbox.twin.platform import Platform

PENDING, RUNNING, STOPPED = "PENDING", "RUNNING", "STOPPED"
ANSWER_SECONDS: Final = 8.0
"""DescribeTasks waits so long for a task's end, less than clients wait for it: callers look every few seconds only."""
POLL_SECONDS: Final = 0.05


class ResourceInitializationError(Exception):
    """ECS's own error for a task that cannot get what its definition names."""


class TaskRefusedError(Exception):
    """RunTask places no task; the text is the reason of the failure in its answer."""


@dataclass(frozen=True, kw_only=True)
class TaskRequest:
    """What RunTask is asked for."""

    id: str
    definition: str
    """ARN, or family and revision, as asked."""
    environment: Mapping[str, Mapping[str, str]]
    """Variables that override those of the definition, by container."""
    started_by: str


@dataclass(frozen=True, kw_only=True)
class TaskState:
    """How a task is doing."""

    status: str = RUNNING
    exit_codes: Mapping[str, int | None] = field(default_factory=dict)
    """By container; None for one that never ran."""
    stop_code: str | None = None
    stopped_reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class StandIns:
    """Who does what moto cannot do; every one may be called from several threads."""

    run_task: Callable[[TaskRequest], Callable[[], TaskState]]
    """Starts a task and returns what tells its state; TaskRefusedError places none."""
    modify_user: Callable[[Mapping[str, Any]], None]
    """Gets ModifyUser's request."""
    running: Callable[[str], int] | None = None
    """Number of tasks of a service, by its name; by default as many as are desired wait to run."""


class Endpoint:
    """An endpoint that serves."""

    def __init__(self, url: str, region: str) -> None:
        """Keep where it serves; its clients are made when they are first needed."""
        self.url = url
        self._mirror = Mirror(url, region)
        self._lock = threading.Lock()

    def client(self, service: str) -> Any:
        """Return a client of the endpoint; clients may be shared by threads, making them may not."""
        with self._lock:
            return self._mirror.client(service)

    def show(self, platform: Platform, owner_password: str) -> None:
        """Make what the platform's containers use, under the names that they use, and empty.

        What its gate asks for, secrets included, is made known by the gate's invocation. The owner of the database is
        the one secret that RDS fills.
        """
        for bucket in platform.buckets:
            self.client("s3").create_bucket(
                Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": platform.region}
            )
        self._make_table(platform)
        owner = {"username": platform.metastore.owner, "password": owner_password}
        self.client("secretsmanager").create_secret(
            Name=platform.metastore.owner_secret_arn.rpartition(":")[2], SecretString=json.dumps(owner)
        )

    def _make_table(self, platform: Platform) -> None:
        table, client = platform.ledger, self.client("dynamodb")
        keys = [(table.hash_key, "HASH"), *([(table.range_key, "RANGE")] if table.range_key else [])]
        client.create_table(
            TableName=table.name,
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": kind} for name, kind in table.attributes.items()
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        if table.ttl_attribute:
            client.update_time_to_live(
                TableName=table.name,
                TimeToLiveSpecification={"Enabled": True, "AttributeName": table.ttl_attribute},
            )

    def resolve(self, source: SecretSource) -> str:
        """Return the value of a secret variable, as the ECS agent does before it starts a container.

        Raises:
            ResourceInitializationError: there is no such secret, it has no value, or no such key.

        """
        try:
            value: str = self.client("secretsmanager").get_secret_value(SecretId=source.arn)["SecretString"]
        except ClientError as error:
            raise ResourceInitializationError(
                "unable to pull secrets or registry auth: unable to retrieve secret from asm: "
                f"{source.arn}: {error.response['Error']['Message']}"
            ) from error
        if source.key is None:
            return value
        try:
            return str(json.loads(value)[source.key])
        except (ValueError, TypeError, KeyError):
            # Neither the cause nor its text: both may hold the secret.
            raise ResourceInitializationError(
                f"unable to pull secrets or registry auth: retrieved secret from Secrets Manager did not contain "
                f"json key {source.key}: {source.arn}"
            ) from None


@contextlib.contextmanager
def serving(
    stand_ins: StandIns, *, region: str, address: str = "127.0.0.1", account: str | None = None
) -> Iterator[Endpoint]:
    """Serve an empty account until the block ends.

    Args:
        stand_ins: Who does what moto cannot do.
        region: Region of the clients.
        address: Where to listen; the URL names 127.0.0.1 when that is every address.
        account: Account id of everything that is made; moto's own by default.

    """
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it would print every request
    tasks = _Tasks(stand_ins)
    patches: list[contextlib.AbstractContextManager[Any]] = [
        mock.patch.object(EC2ContainerServiceResponse, "run_task", tasks.run),
        mock.patch.object(EC2ContainerServiceResponse, "list_tasks", tasks.list),
        mock.patch.object(EC2ContainerServiceResponse, "describe_tasks", tasks.describe),
        mock.patch.object(
            ElastiCacheResponse, "modify_user", _modify_user(stand_ins.modify_user), create=True
        ),
        mock.patch.dict("os.environ", {} if account is None else {"MOTO_ACCOUNT_ID": account}),
    ]
    if stand_ins.running is not None:
        counted = _with_running_tasks(stand_ins.running)
        patches.append(mock.patch.object(EC2ContainerServiceResponse, "describe_services", counted))
    with contextlib.ExitStack() as stack:
        for patch in patches:
            stack.enter_context(patch)
        server = ThreadedMotoServer(ip_address=address, port=0, verbose=False)
        server.start()
        stack.callback(server.stop)
        host, port = server.get_host_and_port()
        url = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"  # noqa: S104  not bound here
        # Whatever ran in this process before has left things there.
        urlopen(Request(f"{url}/moto-api/reset", method="POST")).close()  # noqa: S310  our own
        yield Endpoint(url, region)


@dataclass
class _Task:
    arn: str
    family: str
    request: TaskRequest
    containers: tuple[str, ...]
    state: Callable[[], TaskState]

    def described(self, state: TaskState) -> dict[str, Any]:
        stopped = state.status == STOPPED
        return {
            "taskArn": self.arn,
            "taskDefinitionArn": self.request.definition,
            "startedBy": self.request.started_by,
            "lastStatus": state.status,
            "desiredStatus": STOPPED if stopped else RUNNING,
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


class _Tasks:
    """The one-off tasks of ECS."""

    def __init__(self, stand_ins: StandIns) -> None:
        self._start = stand_ins.run_task
        self._tasks: dict[str, _Task] = {}
        self._tokens: dict[str, _Task] = {}
        self._lock = threading.Lock()

    @property
    def run(self) -> Callable[[EC2ContainerServiceResponse], ActionResult]:
        def run_task(response: EC2ContainerServiceResponse) -> ActionResult:
            asked = response._get_params()
            # Unknown clusters and definitions are refused as moto refuses them.
            cluster = response.ecs_backend._get_cluster(asked["cluster"]).name
            definition = response.ecs_backend.describe_task_definition(asked["taskDefinition"])
            try:
                task = self._started(response, asked, cluster, definition)
            except TaskRefusedError as error:
                return ActionResult({"tasks": [], "failures": [{"reason": str(error)}]})
            return ActionResult({"tasks": [task.described(TaskState(status=PENDING))], "failures": []})

        return run_task

    @property
    def list(self) -> Callable[[EC2ContainerServiceResponse], ActionResult]:
        def list_tasks(response: EC2ContainerServiceResponse) -> ActionResult:
            asked = response._get_params()
            stopped = asked.get("desiredStatus", RUNNING) == STOPPED
            arns = [
                task.arn
                for task in list(self._tasks.values())
                if asked.get("family") in (None, task.family) and (task.state().status == STOPPED) == stopped
            ]
            return ActionResult({"taskArns": arns})

        return list_tasks

    @property
    def describe(self) -> Callable[[EC2ContainerServiceResponse], ActionResult]:
        def describe_tasks(response: EC2ContainerServiceResponse) -> ActionResult:
            asked = response._get_params()["tasks"]
            known = [self._tasks[arn] for arn in asked if arn in self._tasks]
            missing = [{"arn": arn, "reason": "MISSING"} for arn in asked if arn not in self._tasks]
            return ActionResult(
                {"tasks": [task.described(_at_its_end(task)) for task in known], "failures": missing}
            )

        return describe_tasks

    def _started(
        self, response: EC2ContainerServiceResponse, asked: Mapping[str, Any], cluster: str, definition: Any
    ) -> _Task:
        token = asked.get("clientToken") or uuid.uuid4().hex
        with self._lock:
            if token in self._tokens:
                return self._tokens[token]
            request = TaskRequest(
                id=uuid.uuid4().hex,
                definition=asked["taskDefinition"],
                environment=_overrides(asked),
                started_by=asked.get("startedBy") or "",
            )
            owner = f"{response.region}:{response.current_account}"
            task = _Task(
                arn=f"arn:aws:ecs:{owner}:task/{cluster}/{request.id}",
                family=definition.family,
                request=request,
                containers=tuple(each["name"] for each in definition.container_definitions),
                state=self._start(request),
            )
            self._tokens[token] = self._tasks[task.arn] = task
        return task


def _at_its_end(task: _Task) -> TaskState:
    end = time.monotonic() + ANSWER_SECONDS
    while (state := task.state()).status != STOPPED and time.monotonic() < end:
        time.sleep(POLL_SECONDS)
    return state


def _overrides(asked: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    overrides = (asked.get("overrides") or {}).get("containerOverrides") or ()
    return {
        each["name"]: {row["name"]: row["value"] for row in each.get("environment") or ()}
        for each in overrides
    }


def _with_running_tasks(
    running: Callable[[str], int],
) -> Callable[[EC2ContainerServiceResponse], ActionResult]:
    def describe_services(response: EC2ContainerServiceResponse) -> ActionResult:
        asked = response._get_params()
        services, failures = response.ecs_backend.describe_services(asked["cluster"], asked["services"])
        for service in services:
            service.running_count, service.pending_count = running(service.name), 0
        return ActionResult({"services": services, "failures": failures})

    return describe_services


def _modify_user(
    change: Callable[[Mapping[str, Any]], None],
) -> Callable[[ElastiCacheResponse], ActionResult]:
    def modify_user(response: ElastiCacheResponse) -> ActionResult:
        asked = response._get_params()
        # Unknown users are refused as moto refuses them.
        (user,) = response.elasticache_backend.describe_users(asked["UserId"])
        change(asked)
        user.access_string = asked["AccessString"]
        return ActionResult(user)

    return modify_user
