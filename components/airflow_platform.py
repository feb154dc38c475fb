"""One environment: composes the components and creates no AWS resource itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi

from components.cluster import Cluster, ClusterArgs
from components.network import NatGateways, Network, NetworkArgs
from components.shared_contract import SharedContract
from settings import EnvironmentSettings


@dataclass(frozen=True, kw_only=True)
class AirflowPlatformArgs:
    """Inputs of an AirflowPlatform."""

    settings: EnvironmentSettings
    """The environment's settings; the components below take plain values only."""
    shared: SharedContract
    """What the shared stack of the account exports."""


class AirflowPlatform(pulumi.ComponentResource):
    """One complete environment; the AWS provider comes with `opts.providers`."""

    network: Network
    cluster: Cluster
    exports: dict[str, Any]
    """What the stack exports: ids, ARNs and URLs, never a secret."""

    def __init__(
        self, name: str, args: AirflowPlatformArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Register the components, each after what it stands on."""
        super().__init__("airflow:platform:AirflowPlatform", name, {}, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self.network = self._make_network(name, args)
        self.cluster = Cluster(
            f"{name}-compute",
            ClusterArgs(
                vpc_id=self.network.vpc_id,
                namespace_name=f"{args.settings.environment.value}.airflow.internal",
                key_arn=args.shared.key_arn,
                # The record of who did what inside a container is kept as long as the record of the traffic.
                exec_log_retention_days=args.settings.network.flow_log_retention_days,
            ),
            self._child,
        )
        self.exports = {
            "vpcId": self.network.vpc_id,
            "publicSubnetIds": self.network.public_subnet_ids,
            "privateSubnetIds": self.network.private_subnet_ids,
            "dataSubnetIds": self.network.data_subnet_ids,
            "clusterArn": self.cluster.cluster_arn,
            "clusterName": self.cluster.cluster_name,
            "namespaceId": self.cluster.namespace_id,
            "namespaceArn": self.cluster.namespace_arn,
        }
        self.register_outputs(self.exports)

    def _make_network(self, name: str, args: AirflowPlatformArgs) -> Network:
        network, account = args.settings.network, args.settings.account
        return Network(
            f"{name}-network",
            NetworkArgs(
                account_id=account.id,
                region=account.region,
                cidr=str(network.cidr),
                zones=network.zones,
                public_mask=network.public_mask,
                private_mask=network.private_mask,
                data_mask=network.data_mask,
                nat=NatGateways(network.nat.value),
                interface_endpoints=[service.value for service in network.interface_endpoints],
                key_arn=args.shared.key_arn,
                flow_log_retention_days=network.flow_log_retention_days,
                role_path=f"/airflow/{args.settings.environment.value}/",
            ),
            self._child,
        )
