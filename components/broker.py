"""The message broker of Celery, and its result backend: ElastiCache Valkey in the data subnets.

Cluster mode is off, for Celery cannot work with it, and nothing is evicted: a full broker refuses new messages
and keeps the queued ones. Everything goes over TLS. Nobody can sign in before the platform gate has given the
one user a password; no password ever passes this program or its state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from components import checks, naming

ENGINE: Final = "valkey"
PORT: Final = 6379
ENGINE_VERSIONS: Final = ("7.2", "8.0", "8.1")
MAX_REPLICAS: Final = 5
MAX_SNAPSHOT_DAYS: Final = 35
GROUP_ID_LIMIT: Final = 40
USER_ID_LIMIT: Final = 40
SHUT_ACCESS_STRING: Final = "off -@all"
ACCESS_STRING: Final = "on ~* &* +@all -@admin -@dangerous +info"
"""What the platform gate switches the user on with: all keys and channels, but no commands that reach into the
server or empty it. INFO counts as dangerous, and clients use it for health checks."""
GATE_OWNED: Final = ("access_string", "authentication_mode", "no_password_required", "passwords")
"""Properties of the user that the platform gate changes, and that an update must not set back."""


@dataclass(frozen=True, kw_only=True)
class BrokerArgs:
    """Inputs of a Broker."""

    subnet_ids: pulumi.Input[Sequence[str]]
    """Data subnets."""
    security_group_id: pulumi.Input[str]
    """Decides who reaches the port."""
    key_arn: pulumi.Input[str]
    """Key of disk and snapshots. Another key means another, empty broker."""
    node_type: str
    """Size of each node, such as cache.t4g.small."""
    engine_version: str
    """Version of Valkey; AWS picks the patch."""
    replicas: int
    """Copies beside the primary, in other zones. Without any there is no failover."""
    snapshot_retention_days: int
    """Days that daily snapshots are kept; 0 means none."""
    user_id: str
    """Id and name of the user and id of its group, fixed: it belongs to the account and the region."""
    protect: bool = True
    """Refuse to delete the broker."""

    def __post_init__(self) -> None:
        """Refuse what ElastiCache would refuse only when it is created."""
        checks.matching(
            "node_type", self.node_type, r"cache\.[a-z0-9]+\.[a-z0-9]+", "a type such as cache.t4g.small"
        )
        checks.one_of("engine_version", self.engine_version, ENGINE_VERSIONS)
        checks.between("replicas", self.replicas, 0, MAX_REPLICAS)
        checks.between("snapshot_retention_days", self.snapshot_retention_days, 0, MAX_SNAPSHOT_DAYS)
        checks.matching(
            "user_id",
            self.user_id,
            rf"[a-z](?!.*--)[a-z0-9-]{{0,{USER_ID_LIMIT - 1}}}(?<!-)",
            f"1 to {USER_ID_LIMIT} lower-case letters, digits and single hyphens, beginning with a letter",
        )


class Broker(pulumi.ComponentResource):
    """One primary, its replicas, and the user that all services share.

    There is no last snapshot when it is deleted: messages of a broker that is gone are of no use, the scheduler
    queues such tasks again.
    """

    host: pulumi.Output[str]
    """Name of the primary; it follows a failover."""
    port: int
    user_id: str
    """Also the name that clients sign in with."""
    user_arn: pulumi.Output[str]
    node_ids: tuple[pulumi.Output[str], ...]
    """What metrics call the nodes; any of them may be the primary."""

    def __init__(self, name: str, args: BrokerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Register the user and its group first: without a group everybody in the network could sign in."""
        super().__init__("airflow:data:Broker", name, {}, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self.port, self.user_id = PORT, args.user_id
        user = self._make_user(name, args)
        users = aws.elasticache.UserGroup(
            f"{name}-users",
            engine=ENGINE,
            user_group_id=args.user_id,
            user_ids=[user.user_id],
            opts=self._child,
        )
        group = self._make_replication_group(name, args, users)
        self.host, self.user_arn = group.primary_endpoint_address, user.arn
        self.node_ids = tuple(_member(group, index) for index in range(args.replicas + 1))
        self.register_outputs({"host": self.host, "userId": self.user_id, "userArn": self.user_arn})

    def _make_user(self, name: str, args: BrokerArgs) -> aws.elasticache.User:
        """Make a user that nobody can be yet.

        Valkey takes no user without authentication. IAM is the only kind without a password, and wants id and
        name to be the same; no policy of ours allows elasticache:Connect, and the user is off as well.
        """
        return aws.elasticache.User(
            f"{name}-user",
            engine=ENGINE,
            user_id=args.user_id,
            user_name=args.user_id,
            access_string=SHUT_ACCESS_STRING,
            authentication_mode=aws.elasticache.UserAuthenticationModeArgs(type="iam"),
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=list(GATE_OWNED)),
        )

    def _make_replication_group(
        self, name: str, args: BrokerArgs, users: aws.elasticache.UserGroup
    ) -> aws.elasticache.ReplicationGroup:
        failover = args.replicas > 0
        return aws.elasticache.ReplicationGroup(
            naming.fit(f"{name}-group", GROUP_ID_LIMIT),
            description=f"Celery messages and results of {name}",
            engine=ENGINE,
            engine_version=args.engine_version,
            auto_minor_version_upgrade=True,
            node_type=args.node_type,
            # A change means this update, not the next maintenance window: state and broker stay the same.
            apply_immediately=True,
            cluster_mode="disabled",
            num_cache_clusters=args.replicas + 1,
            automatic_failover_enabled=failover,
            multi_az_enabled=failover,
            port=PORT,
            parameter_group_name=self._make_parameters(name, args).name,
            subnet_group_name=self._make_subnet_group(name, args).name,
            security_group_ids=[args.security_group_id],
            user_group_ids=[users.user_group_id],
            transit_encryption_enabled=True,
            transit_encryption_mode="required",
            at_rest_encryption_enabled=True,
            kms_key_id=args.key_arn,
            snapshot_retention_limit=args.snapshot_retention_days,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )

    def _make_subnet_group(self, name: str, args: BrokerArgs) -> aws.elasticache.SubnetGroup:
        return aws.elasticache.SubnetGroup(
            f"{name}-subnets",
            description=f"Data subnets of {name}",
            subnet_ids=args.subnet_ids,
            opts=self._child,
        )

    def _make_parameters(self, name: str, args: BrokerArgs) -> aws.elasticache.ParameterGroup:
        return aws.elasticache.ParameterGroup(
            f"{name}-parameters",
            description=f"Valkey settings of {name}",
            family=f"{ENGINE}{args.engine_version.partition('.')[0]}",
            parameters=[
                aws.elasticache.ParameterGroupParameterArgs(name="maxmemory-policy", value="noeviction")
            ],
            opts=self._child,
        )


def _member(group: aws.elasticache.ReplicationGroup, index: int) -> pulumi.Output[str]:
    """Return the name of a node; ElastiCache numbers them, and leaves gaps where it has taken some away."""
    return group.member_clusters.apply(lambda members: sorted(members)[index])
