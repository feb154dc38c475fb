"""Cases of the rules about caches."""

from __future__ import annotations

from typing import Any, Final

from policies.security.rules.elasticache import CLUSTER, REPLICATION_GROUP, SERVERLESS, USER
from policies.security.rules.parameter_groups import CACHE_PARAMETERS
from tests.policies.cases import REMOVED, Case, Change
from tests.policies.security.cases_rds import KEY

AWS_KEY: Final = "alias/aws/elasticache"
KEEPS: Final[dict[str, str]] = {"name": "maxmemory-policy", "value": "noeviction"}
VALKEY: Final[dict[str, Any]] = {
    "engine": "valkey",
    "atRestEncryptionEnabled": True,
    "kmsKeyId": KEY,
    "transitEncryptionEnabled": True,
    "transitEncryptionMode": "required",
    "userGroupIds": ["airflow"],
    "automaticFailoverEnabled": True,
    "multiAzEnabled": True,
    "numCacheClusters": 2,
    "snapshotRetentionLimit": 7,
    "autoMinorVersionUpgrade": True,
    "subnetGroupName": "data",
    "clusterMode": "disabled",
}
REDIS: Final[dict[str, Any]] = VALKEY | {"engine": "redis"}
SHARDED: Final[dict[str, Any]] = VALKEY | {"numCacheClusters": None, "replicasPerNodeGroup": 1}


def _case(rule: str, *changes: Change, good: dict[str, Any] = VALKEY) -> Case:
    golden = "" if good is VALKEY else None
    return Case(rule=rule, type=REPLICATION_GROUP, good=good, changes=changes, golden=golden)


CASES: Final = (
    # ElastiCache encrypts Valkey where nothing is said, and Redis not.
    _case("elasticache-encrypted", Change(path="atRestEncryptionEnabled", bad=False, absent=False)),
    _case("elasticache-encrypted", Change(path="atRestEncryptionEnabled", bad=False), good=REDIS),
    _case(
        "elasticache-own-key",
        Change(path="kmsKeyId", bad=REMOVED),
        Change(path="kmsKeyId", bad=AWS_KEY),
    ),
    Case(
        rule="elasticache-own-key",
        type=SERVERLESS,
        good={"engine": "valkey", "kmsKeyId": KEY},
        changes=(Change(path="kmsKeyId", bad=REMOVED),),
        golden=None,
    ),
    _case(
        "elasticache-tls",
        Change(path="transitEncryptionEnabled", bad=False),
        Change(path="transitEncryptionMode", bad="preferred", absent=False),
    ),
    _case("elasticache-sign-in", Change(path="userGroupIds", bad=[], typed=False)),
    _case(
        "elasticache-sign-in",
        Change(path="authToken", bad="", typed=False),
        good=REDIS | {"userGroupIds": None, "authToken": "16 characters at least"},
    ),
    Case(
        rule="elasticache-sign-in",
        type=SERVERLESS,
        good={"engine": "valkey", "userGroupId": "airflow"},
        changes=(Change(path="userGroupId", bad=REMOVED, typed=False),),
        golden=None,
    ),
    Case(
        rule="elasticache-user-authenticates",
        type=USER,
        good={"noPasswordRequired": False, "authenticationMode": {"type": "iam"}},
        changes=(
            Change(path="noPasswordRequired", bad=True, absent=False),
            Change(path="authenticationMode.type", bad="no-password-required", absent=False),
        ),
    ),
    Case(
        rule="elasticache-cluster-in-group",
        type=CLUSTER,
        good={"replicationGroupId": "broker"},
        changes=(Change(path="replicationGroupId", bad=REMOVED, typed=False),),
        golden=None,
    ),
    _case(
        "elasticache-multi-az",
        Change(path="automaticFailoverEnabled", bad=False),
        Change(path="multiAzEnabled", bad=False),
        Change(path="numCacheClusters", bad=1),
    ),
    _case("elasticache-multi-az", Change(path="replicasPerNodeGroup", bad=0), good=SHARDED),
    _case("elasticache-snapshots", Change(path="snapshotRetentionLimit", bad=0)),
    _case("elasticache-minor-upgrades", Change(path="autoMinorVersionUpgrade", bad=False, absent=False)),
    _case("elasticache-own-subnets", Change(path="subnetGroupName", bad="default")),
    _case(
        "elasticache-no-cluster-mode",
        Change(path="clusterMode", bad="enabled", absent=False),
        Change(path="clusterMode", bad="compatible", absent=False),
        Change(path="numNodeGroups", bad=3, absent=False),
    ),
    Case(
        rule="elasticache-no-cluster-mode",
        type=CACHE_PARAMETERS,
        good={"family": "valkey8", "parameters": [KEEPS]},
        changes=(
            Change(path="parameters", bad=[KEEPS, {"name": "cluster-enabled", "value": "yes"}], absent=False),
        ),
    ),
)
