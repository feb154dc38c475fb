"""One Airflow process that runs all the time: an ECS service around an AirflowTask.

A deployment starts new tasks before it ends old ones, and returns to the last good version by itself. Nothing has
a public address. What a service must wait for outside this component is given by the caller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components import checks, task
from components.airflow_task import AirflowTask, AirflowTaskArgs
from components.roles import ONE_OFF, Role

ON_DEMAND, SPOT = "FARGATE", "FARGATE_SPOT"
MIN_HEALTHY_PERCENT, MAX_PERCENT = 100, 200
"""All old tasks run until as many new ones are healthy, and are stopped then; nothing holds a worker longer yet."""
GRACE_SECONDS = 180
"""The api-server needs up to 13 seconds, on a fraction of a vCPU many more."""
DNS_TTL_SECONDS = 10


@dataclass(frozen=True, kw_only=True)
class Discovery:
    """A private name for the tasks of a service."""

    namespace_id: pulumi.Input[str]
    name: str
    """Name inside the namespace, such as api-server."""


@dataclass(frozen=True, kw_only=True)
class AirflowServiceArgs:
    """Inputs of an AirflowService."""

    task: AirflowTaskArgs
    """What each of its tasks is."""
    cluster_arn: pulumi.Input[str]
    subnet_ids: pulumi.Input[Sequence[str]]
    """Private subnets."""
    security_group_id: pulumi.Input[str]
    count: int
    """Tasks that run; the first number only when it is scaled."""
    scaled: bool = False
    """Something else changes the number of tasks: an update must not set it back."""
    spot_percent: int = 0
    """Share of the tasks on Fargate Spot; for workers only."""
    target_group_arn: pulumi.Input[str] | None = None
    """Target group that the tasks join."""
    discovery: Discovery | None = None
    """A private name that resolves to the healthy tasks."""
    deployment_alarms: Sequence[str] = ()
    """Names of alarms in CloudWatch; while one of them rings a deployment fails. ECS looks for them from the second
    deployment on, since the first has nothing to return to, so they may come after the service that they watch."""
    after: pulumi.Input[Sequence[pulumi.Resource]] = ()
    """What must be there before a task starts."""

    def __post_init__(self) -> None:
        """Refuse what AWS would refuse, and processes that AWS may end at any time without harm to workers only."""
        role = self.task.role
        checks.between("count", self.count, 0, 5000)
        checks.between("spot_percent", self.spot_percent, 0, 100 if role is Role.WORKER else 0)
        if role in ONE_OFF:
            raise ValueError(f"task.role: want a process that runs all the time, got {role}")
        if self.target_group_arn is not None and task.PROCESSES[role].port is None:
            raise ValueError(f"target_group_arn: want none, the role {role} has no port")


def capacity_strategy(spot_percent: int) -> list[aws.ecs.ServiceCapacityProviderStrategyArgs]:
    """Return how tasks are spread over on-demand and Spot capacity.

    The first task is on demand, whatever the share, so that one is there when AWS takes all Spot capacity back;
    only 100 percent means it.
    """
    strategy = aws.ecs.ServiceCapacityProviderStrategyArgs
    on_demand = strategy(capacity_provider=ON_DEMAND, base=1, weight=100 - spot_percent)
    spot = strategy(capacity_provider=SPOT, weight=spot_percent)
    if spot_percent == 0:
        return [on_demand]
    return [spot] if spot_percent == 100 else [on_demand, spot]


def _alarms(names: Sequence[str]) -> aws.ecs.ServiceAlarmsArgs | None:
    return aws.ecs.ServiceAlarmsArgs(alarm_names=list(names), enable=True, rollback=True) if names else None


class AirflowService(pulumi.ComponentResource):
    """One service with its task."""

    task: AirflowTask
    service: aws.ecs.Service
    service_name: pulumi.Output[str]

    def __init__(
        self, name: str, args: AirflowServiceArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Register the task, the private name where it is wanted, and the service."""
        super().__init__("airflow:compute:AirflowService", name, {}, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self.task = AirflowTask(name, args.task, self._child)
        self.service = self._make_service(name, args)
        self.service_name = self.service.name
        self.register_outputs(
            {"serviceName": self.service_name, "taskDefinitionArn": self.task.task_definition_arn}
        )

    def _make_service(self, name: str, args: AirflowServiceArgs) -> aws.ecs.Service:
        worker = args.task.role is Role.WORKER
        return aws.ecs.Service(
            f"{name}-service",
            cluster=args.cluster_arn,
            task_definition=self.task.task_definition_arn,
            desired_count=args.count,
            capacity_provider_strategies=capacity_strategy(args.spot_percent),
            # AWS refuses another strategy without it.
            force_new_deployment=True,
            deployment_minimum_healthy_percent=MIN_HEALTHY_PERCENT,
            deployment_maximum_percent=MAX_PERCENT,
            deployment_circuit_breaker=aws.ecs.ServiceDeploymentCircuitBreakerArgs(
                enable=True, rollback=True
            ),
            # The breaker counts tasks that do not start; these see what fails once it runs. They keep a deployment
            # open for some minutes more. One that rings before a deployment is not asked: the deployment may mend it.
            alarms=_alarms(args.deployment_alarms),
            # Evening out zones stops tasks that work, and a worker does not protect what it runs yet.
            availability_zone_rebalancing="DISABLED" if worker else "ENABLED",
            # Nothing in an update depends on them, and their number may change meanwhile.
            wait_for_steady_state=not worker,
            enable_execute_command=args.task.exec_enabled,
            network_configuration=aws.ecs.ServiceNetworkConfigurationArgs(
                subnets=args.subnet_ids, security_groups=[args.security_group_id], assign_public_ip=False
            ),
            propagate_tags="SERVICE",
            enable_ecs_managed_tags=True,
            load_balancers=self._load_balancers(args),
            health_check_grace_period_seconds=None if args.target_group_arn is None else GRACE_SECONDS,
            service_registries=self._make_registry(name, args.discovery),
            opts=pulumi.ResourceOptions(
                parent=self,
                # Tasks would start with roles that may not fetch the image or read a secret yet.
                depends_on=pulumi.Output.from_input(args.after).apply(
                    lambda resources: [*resources, *self.task.ready]
                ),
                # Otherwise every update would undo what scaling has done.
                ignore_changes=["desiredCount"] if args.scaled else None,
            ),
        )

    def _load_balancers(self, args: AirflowServiceArgs) -> list[aws.ecs.ServiceLoadBalancerArgs] | None:
        port = task.PROCESSES[args.task.role].port
        if args.target_group_arn is None or port is None:
            return None
        return [
            aws.ecs.ServiceLoadBalancerArgs(
                target_group_arn=args.target_group_arn,
                container_name=args.task.role.value,
                container_port=port,
            )
        ]

    def _make_registry(
        self, name: str, discovery: Discovery | None
    ) -> aws.ecs.ServiceServiceRegistriesArgs | None:
        if discovery is None:
            return None
        entry = aws.servicediscovery.Service(
            f"{name}-name",
            name=discovery.name,
            description="Addresses of the running tasks",
            dns_config=aws.servicediscovery.ServiceDnsConfigArgs(
                namespace_id=discovery.namespace_id,
                dns_records=[
                    aws.servicediscovery.ServiceDnsConfigDnsRecordArgs(type="A", ttl=DNS_TTL_SECONDS)
                ],
                routing_policy="MULTIVALUE",
            ),
            # ECS reports the health of containers through it. The provider makes none of an empty block, and
            # warns of the only field that it has, except as a plain dict.
            health_check_custom_config={"failure_threshold": 1},
            opts=self._child,
        )
        return aws.ecs.ServiceServiceRegistriesArgs(registry_arn=entry.arn)
