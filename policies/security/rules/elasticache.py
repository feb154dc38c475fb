"""Caches, which here are message brokers: who reads them, who may sign in, and what a failed node takes along."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.crossguard.checks import (
    all_of,
    any_of,
    at_least,
    at_most,
    is_false,
    is_set,
    is_true,
    none_of,
    one_of,
    when,
)
from policies.crossguard.findings import Finding, Violation
from policies.crossguard.rules import Rule, Severity, Tier
from policies.crossguard.values import View
from policies.security.existence import exists
from policies.security.keys import own_key
from policies.security.parameters import parameter
from policies.security.rules.parameter_groups import CACHE_PARAMETERS

REPLICATION_GROUP: Final = "aws:elasticache/replicationGroup:ReplicationGroup"
CLUSTER: Final = "aws:elasticache/cluster:Cluster"
SERVERLESS: Final = "aws:elasticache/serverlessCache:ServerlessCache"
USER: Final = "aws:elasticache/user:User"


def _is_local(group: View) -> bool:
    """Say whether a group decides for itself: one that follows a group of another region takes its encryption."""
    return group["globalReplicationGroupId"].empty


def _encrypted(group: View) -> Iterator[Finding]:
    flag = group["atRestEncryptionEnabled"]
    by_default = flag.absent and group["engine"].text("redis").lower() == "valkey"
    if not flag.flag(default=by_default):
        yield Violation(f"{flag.path} is {flag.shown()}, want true")


def _not_sharded(parameters: View) -> Iterator[Finding]:
    value = parameter(parameters, "cluster-enabled")
    if value.text("no").lower() != "no":
        yield Violation(f"{value.path} of cluster-enabled is {value.shown()}, want no")


RULES: Final = (
    Rule(
        name="elasticache-encrypted",
        why="Snapshots and disks of nodes hold messages, with the arguments of tasks, in clear.",
        fix="Set `atRestEncryptionEnabled` to true; the group is replaced.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("50",),
        references=(
            "ElastiCache.4",
            "CKV_AWS_29",
            "AWS-0045",
            "elasticache_replication_group_encryption_at_rest",
        ),
        on=(REPLICATION_GROUP,),
        check=when(_is_local, _encrypted),
    ),
    Rule(
        name="elasticache-own-key",
        why="Who may use the key that AWS keeps for ElastiCache cannot be decided, and it cannot be taken away.",
        fix="Set `kmsKeyId` to a key of this account; the group is replaced.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("50",),
        references=("CKV_AWS_191",),
        on=(REPLICATION_GROUP, SERVERLESS),
        check=own_key("kmsKeyId"),
    ),
    Rule(
        name="elasticache-tls",
        why="Who listens on the network reads messages and the password of the broker.",
        fix="Set `transitEncryptionEnabled` to true and `transitEncryptionMode` to required.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("51",),
        references=(
            "ElastiCache.5",
            "CKV_AWS_30",
            "AWS-0051",
            "elasticache_replication_group_transit_encryption",
        ),
        on=(REPLICATION_GROUP,),
        check=when(
            _is_local,
            is_true("transitEncryptionEnabled"),
            one_of("transitEncryptionMode", {"required"}, default="required"),
        ),
    ),
    Rule(
        name="elasticache-sign-in",
        why="Who reaches the port reads and empties every queue.",
        fix="Name a user group in `userGroupIds` (serverless: `userGroupId`), or set `authToken`.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("52",),
        references=("ElastiCache.6", "CKV_AWS_31"),
        on=(REPLICATION_GROUP, SERVERLESS),
        check=exists(
            "neither a user group nor a token is set, want one of them",
            is_set("userGroupIds"),
            is_set("userGroupId"),
            is_set("authToken"),
            is_set("authTokenWo"),
        ),
    ),
    Rule(
        name="elasticache-user-authenticates",
        why="A user without a password is everybody who reaches the port.",
        fix="Set `authenticationMode` to iam or password, and remove `noPasswordRequired`.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("52",),
        on=(USER,),
        check=all_of(
            is_false("noPasswordRequired"), none_of("authenticationMode.type", {"no-password-required"})
        ),
    ),
    Rule(
        name="elasticache-cluster-in-group",
        why="A cluster of its own has neither encryption on its disks nor a sign-in.",
        fix="Make it a replication group, of one node if need be.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("50", "51", "52"),
        on=(CLUSTER,),
        check=is_set("replicationGroupId", "a replication group"),
    ),
    Rule(
        name="elasticache-multi-az",
        why="When the only node or its zone fails, all queued messages are gone, and nothing runs meanwhile.",
        fix="Set `automaticFailoverEnabled` and `multiAzEnabled` to true and `numCacheClusters` to 2 at least.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("53",),
        references=("ElastiCache.3", "CKV2_AWS_50", "elasticache_redis_cluster_multi_az_enabled"),
        on=(REPLICATION_GROUP,),
        check=all_of(
            is_true("automaticFailoverEnabled"),
            is_true("multiAzEnabled"),
            any_of(at_least("numCacheClusters", 2, default=1), at_least("replicasPerNodeGroup", 1)),
        ),
    ),
    Rule(
        name="elasticache-snapshots",
        why="When all nodes fail, nothing of the queues comes back.",
        fix="Set `snapshotRetentionLimit` to 1 day at least.",
        severity=Severity.HIGH,
        tier=Tier.PROD,
        controls=("54",),
        references=("ElastiCache.1", "CKV_AWS_134", "AWS-0050"),
        on=(REPLICATION_GROUP,),
        check=at_least("snapshotRetentionLimit", 1),
    ),
    Rule(
        name="elasticache-minor-upgrades",
        why="Holes that the engine's makers have closed stay open.",
        fix="Set `autoMinorVersionUpgrade` to true.",
        severity=Severity.HIGH,
        tier=Tier.PROD,
        controls=("54",),
        references=("ElastiCache.2", "CKV_AWS_322"),
        on=(REPLICATION_GROUP,),
        check=is_true("autoMinorVersionUpgrade", default=True),
    ),
    Rule(
        name="elasticache-own-subnets",
        why="The default subnet group is the default VPC, whose subnets are all public.",
        fix="Set `subnetGroupName` to a group of data subnets.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("55",),
        references=("ElastiCache.7", "CKV_AWS_323"),
        on=(REPLICATION_GROUP,),
        check=none_of("subnetGroupName", {"default"}, default="default"),
    ),
    Rule(
        name="elasticache-no-cluster-mode",
        why="Celery cannot work with a sharded broker: it fails at the first key of another shard.",
        fix="Set `clusterMode` to disabled, and `numNodeGroups` to nothing.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("56",),
        on=(REPLICATION_GROUP, CACHE_PARAMETERS),
        check=all_of(
            one_of("clusterMode", {"disabled"}, default="disabled"),
            at_most("numNodeGroups", 1, default=1),
            _not_sharded,
        ),
    ),
)
