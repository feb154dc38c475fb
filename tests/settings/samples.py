"""Valid settings to start from, and one way to change a single thing in them."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import yaml

from settings import SettingsError, parse

ROOT = Path(__file__).parents[2]
KEY = "airflow-platform:platform"
STACKS = ("nonprod-shared", "prod-shared", "dev", "prod")
POOL = "workers/pools/default"
PLACEHOLDER_DIGEST = f"sha256:{'0' * 64}"


class _Deleted:
    """Stands for a key that a sample lacks; named the same in every process that collects the tests."""

    def __repr__(self) -> str:
        return "<deleted>"


DELETED = _Deleted()

ENVIRONMENT: dict[str, Any] = {
    "kind": "environment",
    "environment": "dev",
    "account": {"id": "012345678901", "region": "eu-west-1"},
    "network": {
        "cidr": "10.20.0.0/16",
        "zones": ["eu-west-1a", "eu-west-1b"],
        "nat": "single",
        "interfaceEndpoints": ["logs"],
        "publicMask": 22,
        "privateMask": 20,
        "dataMask": 24,
        "flowLogRetentionDays": 7,
    },
    "web": {"access": "internal", "allowedCidrs": ["10.0.0.0/8"], "deletionProtection": False},
    "image": {"digest": PLACEHOLDER_DIGEST, "airflowVersion": "3.3.2"},
    "metastore": {
        "instanceClass": "db.t4g.small",
        "multiAz": False,
        "storageGib": 20,
        "maxStorageGib": 50,
        "backupRetentionDays": 7,
        "protect": False,
    },
    "broker": {
        "nodeType": "cache.t4g.micro",
        "replicas": 0,
        "snapshotRetentionDays": 0,
        "visibilityTimeoutMinutes": 360,
        "protect": False,
    },
    "dags": {"delivery": "release", "protect": False},
    "credentials": {"recoveryDays": 0, "keyDeletionDays": 7},
    "services": {
        "apiServer": {"cpuUnits": 512, "memoryMib": 1024, "count": 1},
        "scheduler": {"cpuUnits": 512, "memoryMib": 1024, "count": 1},
        "dagProcessor": {"cpuUnits": 512, "memoryMib": 1024, "count": 1},
        "triggerer": {"cpuUnits": 256, "memoryMib": 512, "count": 1},
    },
    "workers": {
        "longestTaskMinutes": 120,
        "pools": {
            "default": {
                "queues": ["default"],
                "cpuUnits": 1024,
                "memoryMib": 4096,
                "concurrency": 8,
                "minCount": 1,
                "maxCount": 3,
            },
        },
    },
    "observability": {"logRetentionDays": 14, "taskLogRetentionDays": 30},
    "shared": {"stack": "nonprod-shared"},
    "tags": {"owner": "data-platform", "costCenter": "4711", "extra": {"Team": "a b"}},
}
SHARED: dict[str, Any] = {
    "kind": "shared",
    "account": {"id": "012345678901", "region": "eu-west-1"},
    "shared": {"domainName": "nonprod.example.com", "protect": False},
    "tags": {"owner": "data-platform", "costCenter": "4711"},
}
PROD: dict[str, object] = {
    "environment": "prod",
    "shared/stack": "prod-shared",
    "network/nat": "perZone",
    "web/deletionProtection": True,
    "metastore/instanceClass": "db.m7g.large",
    "metastore/multiAz": True,
    "metastore/backupRetentionDays": 14,
    "metastore/protect": True,
    "broker/replicas": 1,
    "broker/snapshotRetentionDays": 1,
    "broker/protect": True,
    "dags/protect": True,
    "credentials/recoveryDays": 7,
    "credentials/keyDeletionDays": 30,
    "backups": {"retentionDays": 14, "lock": True},
    "services/apiServer/count": 2,
    "services/scheduler/count": 2,
    "observability/logRetentionDays": 90,
}
"""Changes that make a valid prod of ENVIRONMENT: the least of everything that prod must have."""
SAMPLES = {"environment": ("dev", ENVIRONMENT), "shared": ("nonprod-shared", SHARED)}


def changed(sample: dict[str, Any], changes: dict[str, object]) -> dict[str, Any]:
    """Return a copy of `sample` with values set at paths such as network/nat, or taken out (DELETED)."""
    result = copy.deepcopy(sample)
    for path, value in changes.items():
        *sections, last = path.split("/")
        target: Any = result
        for section in sections:
            target = target[section]
        key = int(last) if isinstance(target, list) else last
        if value is DELETED:
            del target[key]
        else:
            target[key] = value
    return result


def mistakes(sample: object, stack: str) -> tuple[str, ...]:
    """Return the lines that `sample` is refused with; none when it is accepted."""
    try:
        parse(json.dumps(sample), stack)
    except SettingsError as error:
        return error.mistakes
    return ()


def stack_file(stack: str) -> dict[str, Any]:
    """Return the settings in a tracked stack file."""
    content: dict[str, Any] = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))
    settings: dict[str, Any] = content["config"][KEY]
    return settings
