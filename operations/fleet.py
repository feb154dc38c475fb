"""The running containers that read DAGs, as ECS knows them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final

from operations.aws import explained
from operations.errors import OperationError
from operations.proofs import RunningTask

DESCRIBED_AT_ONCE: Final = 100  # limit of DescribeTasks
RUNNING: Final = "RUNNING"


class Fleet:
    """The tasks of the services that read DAGs."""

    def __init__(self, ecs: Any, cluster: str, services: Sequence[str]) -> None:
        """Keep which services count."""
        self.services = tuple(services)
        self._ecs, self._cluster = ecs, cluster

    def running(self) -> list[RunningTask]:
        """Return every task that runs and shall go on running.

        One that is being stopped takes no more work, and one that has not started yet proves itself before it does.

        Raises:
            AwsBusy: ECS throttles; ask again.
            OperationError: ECS refuses.

        """
        return sorted(task for service in self.services for task in self._of(service))

    def _of(self, service: str) -> Iterator[RunningTask]:
        arns = iter(self._arns(service))
        while some := list(islice(arns, DESCRIBED_AT_ONCE)):
            with explained(f"look at the tasks of the service {service}"):
                tasks = self._ecs.describe_tasks(cluster=self._cluster, tasks=some)["tasks"]
            for task in tasks:
                if task.get("lastStatus") == RUNNING and "startedAt" in task:
                    yield RunningTask(service, str(task["taskArn"]).rpartition("/")[2], task["startedAt"])

    def _arns(self, service: str) -> list[str]:
        pages = self._ecs.get_paginator("list_tasks").paginate(
            cluster=self._cluster, serviceName=service, desiredStatus=RUNNING
        )
        known = self._ecs.exceptions
        with explained(f"list the tasks of the service {service}"):
            try:
                return [arn for page in pages for arn in page["taskArns"]]
            except known.ServiceNotFoundException as error:
                raise OperationError(
                    f"the cluster {self._cluster} has no service {service}: the outputs are of another stack, or older"
                    " than its last update"
                ) from error
            except known.ClusterNotFoundException as error:
                raise OperationError(
                    f"there is no cluster {self._cluster} here: see whether account, region and stack are the right"
                    " ones"
                ) from error
