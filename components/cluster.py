"""The ECS cluster of an environment: Fargate capacity, recorded ECS Exec sessions, private service names.

It runs nothing by itself and has no EC2 capacity yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_aws as aws

from components import checks

CAPACITY_PROVIDERS = ("FARGATE", "FARGATE_SPOT")
INSIGHTS_MODES = ("enabled", "enhanced")


@dataclass(frozen=True, kw_only=True)
class ClusterArgs:
    """Inputs of a Cluster."""

    vpc_id: pulumi.Input[str]
    """VPC that can resolve the private names."""
    namespace_name: str
    """Private DNS domain of the services, such as dev.airflow.internal."""
    key_arn: pulumi.Input[str]
    """Key for ECS Exec sessions and their log; its policy must let CloudWatch Logs use it."""
    exec_log_retention_days: int
    """Days that the record of ECS Exec sessions is kept; a period that CloudWatch Logs knows."""
    container_insights: Literal["enabled", "enhanced"] = "enabled"
    """Cluster metrics. The alarms need running and desired counts, so there is no way to switch them off;
    "enhanced" adds metrics of every task and container, and CloudWatch charges for each of them."""

    def __post_init__(self) -> None:
        """Refuse what AWS would refuse only when it is created."""
        checks.matching(
            "namespace_name",
            self.namespace_name,
            r"[a-z0-9-]+(\.[a-z0-9-]+)+",
            "a lower-case DNS name with a dot",
        )
        checks.between("namespace_name (its length)", len(self.namespace_name), 1, 253)
        checks.retention_days("exec_log_retention_days", self.exec_log_retention_days)
        checks.one_of("container_insights", self.container_insights, INSIGHTS_MODES)


class Cluster(pulumi.ComponentResource):
    """One cluster.

    Services name their capacity themselves; what forgets to gets on-demand Fargate, never Spot.
    """

    cluster_arn: pulumi.Output[str]
    cluster_name: pulumi.Output[str]
    namespace_id: pulumi.Output[str]
    namespace_arn: pulumi.Output[str]
    namespace_name: pulumi.Output[str]
    exec_log_group_name: pulumi.Output[str]
    """Where sessions of ECS Exec are recorded; a task that allows them needs the right to write there."""
    capacity_ready: tuple[pulumi.Resource, ...]
    """What a service must depend on: before it the cluster knows no capacity provider."""

    def __init__(self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Register the cluster, its capacity and its namespace."""
        super().__init__("airflow:compute:Cluster", name, {}, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        cluster = aws.ecs.Cluster(
            f"{name}-cluster",
            settings=[aws.ecs.ClusterSettingArgs(name="containerInsights", value=args.container_insights)],
            configuration=self._exec_configuration(name, args),
            opts=self._child,
        )
        self.cluster_arn, self.cluster_name = cluster.arn, cluster.name
        providers = aws.ecs.ClusterCapacityProviders(
            f"{name}-capacity",
            cluster_name=cluster.name,
            capacity_providers=list(CAPACITY_PROVIDERS),
            default_capacity_provider_strategies=[
                aws.ecs.ClusterCapacityProvidersDefaultCapacityProviderStrategyArgs(
                    capacity_provider="FARGATE", weight=1
                )
            ],
            opts=self._child,
        )
        self.capacity_ready = (providers,)
        namespace = aws.servicediscovery.PrivateDnsNamespace(
            f"{name}-namespace",
            name=args.namespace_name,
            description="Private names of the Airflow services",
            vpc=args.vpc_id,
            opts=self._child,
        )
        self.namespace_id, self.namespace_arn = namespace.id, namespace.arn
        self.namespace_name = namespace.name
        self.register_outputs(
            {
                "clusterArn": self.cluster_arn,
                "clusterName": self.cluster_name,
                "namespaceId": self.namespace_id,
                "namespaceArn": self.namespace_arn,
                "namespaceName": self.namespace_name,
            }
        )

    def _exec_configuration(self, name: str, args: ClusterArgs) -> aws.ecs.ClusterConfigurationArgs:
        """Record every ECS Exec session; whether a service allows sessions at all is the service's choice."""
        log_group = aws.cloudwatch.LogGroup(
            f"{name}-exec-log",
            retention_in_days=args.exec_log_retention_days,
            kms_key_id=args.key_arn,
            opts=self._child,
        )
        self.exec_log_group_name = log_group.name
        return aws.ecs.ClusterConfigurationArgs(
            execute_command_configuration=aws.ecs.ClusterConfigurationExecuteCommandConfigurationArgs(
                kms_key_id=args.key_arn,
                logging="OVERRIDE",
                log_configuration=aws.ecs.ClusterConfigurationExecuteCommandConfigurationLogConfigurationArgs(
                    cloud_watch_encryption_enabled=True,
                    cloud_watch_log_group_name=log_group.name,
                ),
            )
        )
