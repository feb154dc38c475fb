"""AWS's APIs on this machine: a moto server in a thread, and stand-ins for what moto cannot do.

Moto keeps S3, DynamoDB and Secrets Manager well. It has no ModifyUser for ElastiCache, its ECS runs nothing, and its
services have a number of tasks of their own; there the stand-ins ask whoever serves the endpoint. Moto's memory
belongs to the process, so a process serves one account at a time.
"""

from __future__ import annotations

import contextlib
import json
import logging
import secrets
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from unittest import mock
from urllib.request import Request, urlopen

from botocore.exceptions import ClientError
from moto.core.responses import ActionResult
from moto.ecs.responses import EC2ContainerServiceResponse
from moto.elasticache.responses import ElastiCacheResponse
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from sandbox.invocation.mirror import Mirror
from sandbox.twin.ecs_api import (
    RUNNING,
    STOPPED,
    EcsApi,
    RunTask,
    ServiceTask,
    TaskRefusedError,
    TaskRequest,
    TaskState,
)
from sandbox.twin.model import SecretSource, TaskDefinition
from sandbox.twin.platform import Platform
from sandbox.twin.rewrites import METADATA_PATH, SIMULATED

__all__ = [
    "RUNNING",
    "STOPPED",
    "Endpoint",
    "ResourceInitializationError",
    "ServiceTask",
    "StandIns",
    "TaskRefusedError",
    "TaskRequest",
    "TaskState",
    "serving",
]

KEY_BYTES: Final = 10
STRANGER: Final = "InvalidClientTokenId"
_STRANGER_ANSWER: Final = (
    f"<ErrorResponse><Error><Type>Sender</Type><Code>{STRANGER}</Code>"
    "<Message>The access key is not the one of this twin.</Message></Error></ErrorResponse>"
).encode()
"""Services that speak JSON name their errors in a header."""
WSGI = Callable[[dict[str, Any], Callable[..., Any]], Any]


class ResourceInitializationError(Exception):
    """ECS's own error for a task that cannot get what its definition names."""


@dataclass(frozen=True, kw_only=True)
class StandIns:
    """Who does what moto cannot do; every one may be called from several threads."""

    run_task: RunTask
    """Starts a task and returns what tells its state; TaskRefusedError places none."""
    modify_user: Callable[[Mapping[str, Any]], None]
    """Gets ModifyUser's request."""
    running: Callable[[str], int] | None = None
    """Number of tasks of a service, by its name; by default as many as are desired wait to run."""
    tasks: Callable[[], Sequence[ServiceTask]] = lambda: ()
    """The tasks of services."""
    definition: Callable[[str], TaskDefinition | None] = lambda _: None
    """Finds a task definition by its ARN."""
    log: Callable[[str, str], Sequence[str] | None] = lambda _group, _stream: None
    """Lines of a container's log, by group and stream."""
    metadata: Callable[[str], Mapping[str, Any] | None] = lambda _: None
    """What ECS tells about the task of a container, by the container's id."""


class Endpoint:
    """An endpoint that serves."""

    def __init__(self, url: str, region: str, outside_url: str = "", access_key: str = "") -> None:
        """Keep where it serves; its clients are made when they are first needed."""
        self.url = url
        self.outside_url, self.access_key = outside_url, access_key
        """Where, and to whom, it answers outside of the twin's network; empty if nowhere."""
        self._region = region
        self._mirror = Mirror(url, region)
        self._lock = threading.Lock()

    @property
    def outside(self) -> dict[str, str]:
        """Return the variables with which any AWS tool of this machine finds it, and nothing of a real account."""
        return {
            "AWS_ENDPOINT_URL": self.outside_url,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": SIMULATED,
            "AWS_REGION": self._region,
            "AWS_DEFAULT_REGION": self._region,
        }

    def client(self, service: str) -> Any:
        """Return a client of the endpoint; clients may be shared by threads, making them may not."""
        with self._lock:
            return self._mirror.client(service)

    def show(self, platform: Platform, owner_password: str) -> None:
        """Make what the platform's containers use, under the names that they use, and empty.

        The owner of the database is the one secret that RDS fills; the others are for the gate.
        """
        self.know(platform)
        for bucket in (*platform.buckets, platform.release_bucket):
            self.client("s3").create_bucket(
                Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": platform.region}
            )
        self._make_table(platform)
        owner = {"username": platform.metastore.owner, "password": owner_password}
        self.client("secretsmanager").create_secret(
            Name=platform.metastore.owner_secret_arn.rpartition(":")[2], SecretString=json.dumps(owner)
        )

    def know(self, platform: Platform) -> None:
        """Make known which clusters, definitions and services there are; what is known already stays."""
        with self._lock:
            self._mirror.show(entry for entry in platform.entries if entry.account == platform.account)

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
    stand_ins: StandIns,
    *,
    region: str,
    address: str = "127.0.0.1",
    account: str | None = None,
    outside: socket.socket | None = None,
) -> Iterator[Endpoint]:
    """Serve an empty account until the block ends.

    Args:
        stand_ins: Who does what moto cannot do.
        region: Region of the clients.
        address: Where to listen; the URL names 127.0.0.1 when that is every address.
        account: Account id of everything that is made; moto's own by default.
        outside: Listens for whoever is not in this process's network. Who asks there must know the access key, since
            every user of the machine gets that far, and a task runs what it is told.

    """
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it would print every request
    api = EcsApi(
        run_task=stand_ins.run_task,
        tasks=stand_ins.tasks,
        definition=stand_ins.definition,
        log=stand_ins.log,
    )
    patches: list[contextlib.AbstractContextManager[Any]] = [
        *api.patches(),
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
        moto = _dynamodb_in_turn(DomainDispatcherApplication(create_backend_app))
        host, port = stack.enter_context(_listening(_with_metadata(moto, stand_ins.metadata), address))
        url = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"  # noqa: S104  not bound here
        # Whatever ran in this process before has left things there.
        urlopen(Request(f"{url}/moto-api/reset", method="POST")).close()  # noqa: S310  our own
        if outside is None:
            yield Endpoint(url, region)
            return
        key = f"TWIN{secrets.token_hex(KEY_BYTES).upper()}"
        host, port = outside.getsockname()[:2]
        stack.enter_context(_listening(_for_key(moto, key), host, outside))
        yield Endpoint(url, region, f"http://{host}:{port}", key)


@contextlib.contextmanager
def _listening(
    application: WSGI, address: str, listener: socket.socket | None = None
) -> Iterator[tuple[str, int]]:
    server = make_server(
        address,
        0,
        application,
        threaded=True,
        request_handler=MotoRequestHandler,
        fd=None if listener is None else listener.fileno(),
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True, name="AWS endpoint")
    thread.start()
    try:
        host, number = server.server_address[:2]
        yield str(host), int(number)
    finally:
        server.shutdown()
        thread.join()


def _with_metadata(application: WSGI, metadata: Callable[[str], Mapping[str, Any] | None]) -> WSGI:
    """Answer besides what ECS tells containers, without credentials, about themselves and their task."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        path = str(environ.get("PATH_INFO", ""))
        if not path.startswith(METADATA_PATH):
            return application(environ, start_response)
        own, _, rest = path.removeprefix(METADATA_PATH).partition("/")
        task = metadata(own)
        if task is None or rest not in {"", "task"}:
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [f"no metadata at {path}".encode()]
        found = task if rest else next(each for each in task["Containers"] if each["DockerId"] == own)
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(found).encode()]

    return answer


def _dynamodb_in_turn(application: WSGI) -> WSGI:
    """Answer DynamoDB's requests one after the other.

    A refused transaction of moto's puts the whole table back as it was when it began, without what others have written.
    """
    turn = threading.Lock()

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        if not str(environ.get("HTTP_X_AMZ_TARGET", "")).startswith("DynamoDB_"):
            return application(environ, start_response)
        with turn:
            return list(application(environ, start_response))

    return answer


def _for_key(application: WSGI, key: str) -> WSGI:
    """Answer those only who know the access key, which every signed request names."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        if f"Credential={key}/" not in str(environ.get("HTTP_AUTHORIZATION", "")):
            start_response("403 Forbidden", [("Content-Type", "text/xml"), ("x-amzn-errortype", STRANGER)])
            return [_STRANGER_ANSWER]
        return application(environ, start_response)

    return answer


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
