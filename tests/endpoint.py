"""AWS APIs on this machine for functions that the sandbox runs: the twin's endpoint, where tasks end at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3

from sandbox.twin import aws_endpoint
from sandbox.twin.aws_endpoint import STOPPED, StandIns, TaskRequest, TaskState

REGION = "eu-west-1"


@dataclass
class Endpoint:
    """A server, and what its stand-ins have seen."""

    url: str = ""
    exit_code: int = 0
    """Of the tasks that are started from now on."""
    modified: list[dict[str, Any]] = field(default_factory=list)
    """What users of ElastiCache were modified to."""

    def client(self, service: str, region: str = REGION) -> Any:
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

    def run(self, request: TaskRequest) -> Callable[[], TaskState]:
        """Start a task that ends at once."""
        code = self.exit_code
        state = TaskState(status=STOPPED, exit_codes={"bootstrap": code})
        return lambda: state


@contextmanager
def serving() -> Iterator[Endpoint]:
    """Serve an empty account until the block ends."""
    endpoint = Endpoint()
    stand_ins = StandIns(
        run_task=endpoint.run, modify_user=lambda asked: endpoint.modified.append(dict(asked))
    )
    with aws_endpoint.serving(stand_ins, region=REGION) as served:
        endpoint.url = served.url
        yield endpoint
