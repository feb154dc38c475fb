"""What exists in the simulated account, made known to the endpoint that answers the functions.

Only what functions of a platform ask for, and of that only what they look at: names and states, never a secret's value.
An endpoint makes ARNs of its own, so a secret gets the end of its simulated ARN as its name: by that full ARN the
endpoint finds it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from sandbox.behaviour.model import Properties
from sandbox.provider.inventory import Entry

CONFIG: Final = Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 2})
CREDENTIALS: Final = {"aws_access_key_id": "simulated", "aws_secret_access_key": "simulated"}
CONTAINER_MEMORY_MIB: Final = 128
"""Any: ECS asks for it, and nothing runs at the endpoint."""
KNOWN: Final = ("AlreadyExists", "ResourceExists")
"""Parts of the codes with which an endpoint refuses what an earlier invocation has made known."""


class Mirror:
    """One region of one endpoint."""

    def __init__(self, endpoint: str, region: str) -> None:
        """Make the clients when they are first needed."""
        self._endpoint, self._region = endpoint, region
        self._clients: dict[str, Any] = {}

    def show(self, entries: Iterable[Entry]) -> None:
        """Make everything known that functions may ask for; what is known already stays as it is there."""
        by_token: dict[str, list[Properties]] = {}
        for entry in entries:
            if entry.outputs.get("region") == self._region:
                by_token.setdefault(entry.token, []).append(entry.outputs)
        for token, make in MAKERS.items():
            for outputs in by_token.get(token, ()):
                _unless_known(make, self, outputs)

    def client(self, service: str) -> Any:
        """Return the client of a service."""
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,
                endpoint_url=self._endpoint,
                region_name=self._region,
                config=CONFIG,
                **CREDENTIALS,
            )
        return self._clients[service]


def _unless_known(make: Callable[[Mirror, Properties], None], mirror: Mirror, outputs: Properties) -> None:
    try:
        make(mirror, outputs)
    except ClientError as error:
        if not any(known in error.response["Error"]["Code"] for known in KNOWN):
            raise


def _secret(mirror: Mirror, outputs: Properties) -> None:
    mirror.client("secretsmanager").create_secret(Name=outputs["arn"].rpartition(":")[2])


def _cluster(mirror: Mirror, outputs: Properties) -> None:
    mirror.client("ecs").create_cluster(clusterName=outputs["name"])


def _definition(mirror: Mirror, outputs: Properties) -> None:
    """Register a definition until its revision is the simulated one.

    Only the names of its containers: a network mode would ask for subnets and groups that the endpoint does not know.
    """
    ecs = mirror.client("ecs")
    family, wanted = outputs["family"], int(outputs["revision"])
    containers = [
        {"name": container["name"], "image": container["image"], "memory": CONTAINER_MEMORY_MIB}
        for container in json.loads(outputs["containerDefinitions"])
    ]
    known = len(ecs.list_task_definitions(familyPrefix=family)["taskDefinitionArns"])
    for _ in range(known, wanted):
        ecs.register_task_definition(family=family, containerDefinitions=containers)


def _service(mirror: Mirror, outputs: Properties) -> None:
    mirror.client("ecs").create_service(
        cluster=outputs["cluster"].rpartition("/")[2],
        serviceName=outputs["name"],
        taskDefinition=outputs["taskDefinition"],
        desiredCount=int(outputs.get("desiredCount") or 0),
    )


def _database(mirror: Mirror, outputs: Properties) -> None:
    mirror.client("rds").create_db_instance(
        DBInstanceIdentifier=outputs["identifier"],
        DBInstanceClass=outputs["instanceClass"],
        Engine=outputs["engine"],
        AllocatedStorage=int(outputs["allocatedStorage"]),
        MasterUsername="simulated",
        MasterUserPassword="simulated",
    )


def _user(mirror: Mirror, outputs: Properties) -> None:
    mirror.client("elasticache").create_user(
        UserId=outputs["userId"],
        UserName=outputs["userName"],
        Engine=outputs["engine"],
        AccessString=outputs["accessString"],
        AuthenticationMode={"Type": "iam"},
    )


MAKERS: Final[dict[str, Callable[[Mirror, Properties], None]]] = {
    "aws:secretsmanager/secret:Secret": _secret,
    "aws:ecs/cluster:Cluster": _cluster,
    "aws:ecs/taskDefinition:TaskDefinition": _definition,
    "aws:ecs/service:Service": _service,
    "aws:rds/instance:Instance": _database,
    "aws:elasticache/user:User": _user,
}
"""Types that are shown, in an order in which one may refer to an earlier one."""
