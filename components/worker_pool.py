"""A pool of Celery workers for some queues: an AirflowService whose number of workers may change.

What changes the number is not decided here; the pool only says within which limits. A worker does not protect its tasks
yet: one that is stopped has its stop time to end them, and what is not done by then starts again elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pulumi
import pulumi_aws as aws

from components import checks
from components.airflow_service import AirflowService, AirflowServiceArgs
from components.airflow_task import AirflowTaskArgs
from components.roles import Role
from components.task import PROCESSES

MAX_CONCURRENCY = 64
MAX_WORKERS = 100
QUEUE = r"[A-Za-z0-9_.-]+"


@dataclass(frozen=True, kw_only=True)
class WorkerPoolArgs:
    """Inputs of a WorkerPool."""

    task: AirflowTaskArgs
    """A worker; its command is made here."""
    cluster_arn: pulumi.Input[str]
    cluster_name: pulumi.Input[str]
    """Name of the same cluster; scaling knows services by names."""
    subnet_ids: pulumi.Input[Sequence[str]]
    """Private subnets."""
    security_group_id: pulumi.Input[str]
    queues: Sequence[str]
    """Celery queues that the pool serves."""
    concurrency: int
    """Tasks that one worker runs at once."""
    min_count: int
    """Workers that always run; 0 lets the pool sleep."""
    max_count: int
    """Workers that run at most."""
    spot_percent: int = 0
    """Share of the workers on Fargate Spot."""
    deployment_alarms: Sequence[str] = ()
    """Names of alarms in CloudWatch; while one of them rings a deployment fails."""
    after: pulumi.Input[Sequence[pulumi.Resource]] = ()
    """What must be there before a worker starts."""

    def __post_init__(self) -> None:
        """Refuse what the worker would refuse only when it starts, and limits that contradict each other."""
        checks.one_of("task.role", self.task.role, (Role.WORKER,))
        checks.between("queues (their number)", len(self.queues), 1, 20)
        checks.distinct("queues", self.queues)
        for queue in self.queues:
            # They become one argument, with commas between them.
            checks.matching("queues", queue, QUEUE, "letters, digits and _.-")
        checks.between("concurrency", self.concurrency, 1, MAX_CONCURRENCY)
        checks.between("max_count", self.max_count, 1, MAX_WORKERS)
        checks.between("min_count", self.min_count, 0, self.max_count)


class WorkerPool(pulumi.ComponentResource):
    """One pool of workers."""

    service: AirflowService
    service_name: pulumi.Output[str]
    scaling_resource_id: pulumi.Output[str]
    """How Application Auto Scaling names the service."""

    def __init__(self, name: str, args: WorkerPoolArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Register the service and the limits of its scaling."""
        super().__init__("airflow:compute:WorkerPool", name, {}, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self.service = AirflowService(
            name,
            AirflowServiceArgs(
                task=replace(args.task, command=_command(args), environment=_environment(args)),
                cluster_arn=args.cluster_arn,
                subnet_ids=args.subnet_ids,
                security_group_id=args.security_group_id,
                count=args.min_count,
                scaled=True,
                spot_percent=args.spot_percent,
                deployment_alarms=args.deployment_alarms,
                after=args.after,
            ),
            self._child,
        )
        self.service_name = self.service.service_name
        target = aws.appautoscaling.Target(
            f"{name}-scaling",
            service_namespace="ecs",
            scalable_dimension="ecs:service:DesiredCount",
            resource_id=pulumi.Output.concat("service/", args.cluster_name, "/", self.service_name),
            min_capacity=args.min_count,
            max_capacity=args.max_count,
            opts=self._child,
        )
        self.scaling_resource_id = target.resource_id
        self.register_outputs(
            {"serviceName": self.service_name, "scalingResourceId": self.scaling_resource_id}
        )


def _environment(args: WorkerPoolArgs) -> dict[str, pulumi.Input[str]]:
    # The entry point refuses a concurrency that does not fit; a container cannot see the memory of its task.
    return {**args.task.environment, "PLATFORM_TASK_MEMORY_MIB": str(args.task.memory_mib)}


def _command(args: WorkerPoolArgs) -> tuple[str, ...]:
    queues = ",".join(args.queues)
    own = PROCESSES[Role.WORKER].command
    return (*own, "--queues", queues, "--concurrency", str(args.concurrency))
