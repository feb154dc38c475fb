"""Clusters: what is recorded of them and of sessions in their containers, and how their machines come and go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.crossguard.checks import all_of, is_set, is_true, one_of, when
from policies.crossguard.findings import Finding, Violation
from policies.crossguard.rules import Rule, Severity, Tier
from policies.crossguard.values import View

CLUSTER: Final = "aws:ecs/cluster:Cluster"
CAPACITY_PROVIDER: Final = "aws:ecs/capacityProvider:CapacityProvider"

INSIGHTS: Final = ("enabled", "enhanced")
_EXEC: Final = "configuration.executeCommandConfiguration"
_LOG: Final = f"{_EXEC}.logConfiguration"
_GROUP: Final = "autoScalingGroupProvider"


def _insights(cluster: View) -> Iterator[Finding]:
    settings = cluster["settings"]
    values = [each["value"] for each in settings.items() if each["name"].text() == "containerInsights"]
    if not values:
        yield Violation(f"{settings.path} has no containerInsights, want {' or '.join(INSIGHTS)}")
    for value in values:
        if value.text() not in INSIGHTS:
            yield Violation(f"{value.path} is {value.shown()}, want {' or '.join(INSIGHTS)}")


def _has_target(cluster: View) -> Iterator[Finding]:
    log = cluster.at(_LOG)
    if log["cloudWatchLogGroupName"].empty and log["s3BucketName"].empty:
        yield Violation(f"{log.path} names neither a log group nor a bucket")


RULES: Final = (
    Rule(
        name="ecs-cluster-insights",
        why="Without the cluster's metrics nobody sees that fewer tasks run than should.",
        fix="Set the cluster's setting containerInsights to enabled or enhanced.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("22",),
        references=("ECS.12", "CKV_AWS_65", "AWS-0034", "CT.ECS.PR.2"),
        on=(CLUSTER,),
        check=_insights,
    ),
    Rule(
        name="ecs-cluster-exec-recorded",
        why="What somebody typed into a container cannot be found out afterwards.",
        fix="Set `logging` of `executeCommandConfiguration` to OVERRIDE, and name a log group or a bucket.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("23",),
        references=("CKV_AWS_223",),
        on=(CLUSTER,),
        check=all_of(one_of(f"{_EXEC}.logging", {"OVERRIDE"}, default="DEFAULT"), _has_target),
    ),
    Rule(
        name="ecs-cluster-exec-encrypted",
        why="Sessions show what is in the container, secrets included.",
        fix="Set `kmsKeyId` of `executeCommandConfiguration`, and the encryption of the log that it names.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("23",),
        references=("CKV_AWS_224",),
        on=(CLUSTER,),
        check=all_of(
            is_set(f"{_EXEC}.kmsKeyId", "a key"),
            when(
                lambda cluster: not cluster.at(f"{_LOG}.cloudWatchLogGroupName").absent,
                is_true(f"{_LOG}.cloudWatchEncryptionEnabled"),
            ),
            when(
                lambda cluster: not cluster.at(f"{_LOG}.s3BucketName").absent,
                is_true(f"{_LOG}.s3BucketEncryptionEnabled"),
            ),
        ),
    ),
    Rule(
        name="ecs-capacity-protects-tasks",
        why="Scaling in ends machines on which tasks run.",
        fix="Set `managedTerminationProtection`, `managedDraining` and `status` of `managedScaling` to ENABLED.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("24",),
        references=("ECS.19",),
        on=(CAPACITY_PROVIDER,),
        check=when(
            lambda provider: not provider[_GROUP].absent,
            one_of(f"{_GROUP}.managedTerminationProtection", {"ENABLED"}),
            one_of(f"{_GROUP}.managedScaling.status", {"ENABLED"}),
            one_of(f"{_GROUP}.managedDraining", {"ENABLED"}, default="ENABLED"),
        ),
    ),
)
