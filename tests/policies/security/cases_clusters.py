"""Cases of the rules about clusters and capacity providers."""

from __future__ import annotations

from typing import Any, Final

from policies.security.rules.clusters import CAPACITY_PROVIDER, CLUSTER
from tests.policies.cases import REMOVED, Case, Change

EXEC: Final = "configuration.executeCommandConfiguration"
LOG: Final = f"{EXEC}.logConfiguration"


def cluster(**log: Any) -> dict[str, Any]:
    return {
        "settings": [{"name": "containerInsights", "value": "enabled"}],
        "configuration": {
            "executeCommandConfiguration": {
                "logging": "OVERRIDE",
                "kmsKeyId": "arn:aws:kms:eu-west-1:111111111111:key/1",
                "logConfiguration": log,
            }
        },
    }


GOOD: Final = cluster(cloudWatchLogGroupName="sessions", cloudWatchEncryptionEnabled=True)
IN_BUCKET: Final = cluster(s3BucketName="sessions", s3BucketEncryptionEnabled=True)
PROVIDER: Final[dict[str, Any]] = {
    "autoScalingGroupProvider": {
        "autoScalingGroupArn": "arn",
        "managedTerminationProtection": "ENABLED",
        "managedScaling": {"status": "ENABLED"},
        "managedDraining": "ENABLED",
    }
}


def _case(
    rule: str, *changes: Change, good: dict[str, Any] = GOOD, token: str = CLUSTER, golden: str | None = ""
) -> Case:
    return Case(rule=rule, type=token, good=good, changes=changes, golden=golden)


CASES: Final = (
    _case(
        "ecs-cluster-insights",
        Change(path="settings[0].value", bad="disabled"),
        Change(path="settings", bad=[]),
    ),
    _case(
        "ecs-cluster-exec-recorded",
        Change(path=f"{EXEC}.logging", bad="NONE"),
        Change(path=f"{EXEC}.logging", bad="DEFAULT"),
        Change(path=f"{LOG}.cloudWatchLogGroupName", bad=REMOVED, typed=False),
    ),
    _case(
        "ecs-cluster-exec-encrypted",
        Change(path=f"{EXEC}.kmsKeyId", bad="", typed=False),
        Change(path=f"{LOG}.cloudWatchEncryptionEnabled", bad=False),
    ),
    _case(
        "ecs-cluster-exec-encrypted",
        Change(path=f"{LOG}.s3BucketEncryptionEnabled", bad=False),
        good=IN_BUCKET,
        golden=None,
    ),
    _case(
        "ecs-capacity-protects-tasks",
        Change(path="autoScalingGroupProvider.managedTerminationProtection", bad="DISABLED"),
        Change(path="autoScalingGroupProvider.managedScaling.status", bad="DISABLED"),
        Change(path="autoScalingGroupProvider.managedDraining", bad="DISABLED", absent=False),
        good=PROVIDER,
        token=CAPACITY_PROVIDER,
    ),
)
