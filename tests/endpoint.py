"""AWS APIs on this machine for functions that the sandbox runs: a moto server, and what moto cannot do.

Moto has no ModifyUser for ElastiCache, and its ECS tasks always succeed, after many looks; both have a stand-in here.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.request import Request, urlopen

import boto3
import pytest
from moto.core.responses import ActionResult
from moto.ecs.models import Container, Task
from moto.elasticache.responses import ElastiCacheResponse
from moto.server import ThreadedMotoServer


@dataclass
class Endpoint:
    """A server, and what its stand-ins have seen."""

    url: str
    exit_code: int = 0
    """Of the tasks that are started from now on."""
    modified: list[dict[str, Any]] = field(default_factory=list)
    """What users of ElastiCache were modified to."""

    def client(self, service: str, region: str = "eu-west-1") -> Any:
        """Return a client, for what a test wants to see."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=region,
            aws_access_key_id="simulated",
            aws_secret_access_key="simulated",
        )

    def secret(self, arn: str) -> str:
        """Return the value of a secret, by the ARN that the simulated account gave it."""
        client = self.client("secretsmanager", arn.split(":")[3])
        value: str = client.get_secret_value(SecretId=arn)["SecretString"]
        return value


@contextmanager
def serving() -> Iterator[Endpoint]:
    """Serve an empty account until the block ends."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = Endpoint(f"http://{host}:{port}")
    make_container, make_task = Container.__init__, Task.__init__

    def modify_user(response: ElastiCacheResponse) -> ActionResult:
        asked = response._get_params()
        endpoint.modified.append(asked)
        (user,) = response.elasticache_backend.describe_users(asked["UserId"])
        user.access_string = asked["AccessString"]
        return ActionResult(user)

    def container(self: Container, *arguments: Any) -> None:
        make_container(self, *arguments)
        self.exitCode = endpoint.exit_code

    def task(self: Task, *arguments: Any, **more: Any) -> None:
        make_task(self, *arguments, **more)
        self._transitions = [("RUNNING", "STOPPED")]

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it would print every request
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(ElastiCacheResponse, "modify_user", modify_user, raising=False)
        patches.setattr(Container, "__init__", container)
        patches.setattr(Task, "__init__", task)
        # Backends belong to the process, so whatever ran in it before has left things there.
        urlopen(Request(f"{endpoint.url}/moto-api/reset", method="POST")).close()
        try:
            yield endpoint
        finally:
            server.stop()
