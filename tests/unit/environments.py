"""Environments as the platform builds them under mocks: a small one, and one with everything on."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from components.airflow_platform import AirflowPlatform, AirflowPlatformArgs
from components.shared_contract import SharedContract
from settings import EnvironmentSettings
from tests.harness import Deployment, RecordingMonitor
from tests.settings.samples import ENVIRONMENT, changed
from tests.unit.programs import ACCOUNT, KEY_ARN, REGION, run

NAME = "airflow-staging"
FLOWER = {"cpuUnits": 256, "memoryMib": 512}
STAGING: dict[str, Any] = changed(ENVIRONMENT, {"environment": "staging", "account/id": ACCOUNT})
EVERYTHING: dict[str, object] = {
    "services/flower": FLOWER,
    "services/execEnabled": True,
    "backups": {"retentionDays": 35, "lock": True},
    "web/access": "internet",
    "web/allowedCidrs": ["203.0.113.0/24"],
    "workers/pools/heavy": {
        "queues": ["heavy", "gpu"],
        "cpuUnits": 2048,
        "memoryMib": 8192,
        "concurrency": 2,
        "minCount": 0,
        "maxCount": 4,
        "spotPercent": 50,
    },
}
UNUSUAL: dict[str, Any] = {
    "network/flowLogRetentionDays": 5,
    "web/deletionProtection": True,
    "image/architecture": "x86_64",
    "image/airflowVersion": "3.3.7",
    "metastore/instanceClass": "db.m7g.large",
    "metastore/engineVersion": "16",
    "metastore/multiAz": True,
    "metastore/storageGib": 40,
    "metastore/maxStorageGib": 90,
    "metastore/backupRetentionDays": 21,
    "metastore/protect": True,
    "broker/nodeType": "cache.m7g.large",
    "broker/engineVersion": "7.2",
    "broker/replicas": 2,
    "broker/snapshotRetentionDays": 3,
    "broker/visibilityTimeoutMinutes": 480,
    "broker/protect": True,
    "dags/protect": True,
    "backups/retentionDays": 49,
    "credentials/recoveryDays": 9,
    "credentials/keyDeletionDays": 11,
    "services/apiServer/count": 2,
    "services/apiServer/processes": 3,
    "services/scheduler/count": 3,
    "services/dagProcessor/count": 4,
    "services/triggerer/count": 5,
    "workers/taskQueuedTimeoutSeconds": 2400,
    "observability/logRetentionDays": 60,
    "observability/taskLogRetentionDays": 45,
    "observability/accessLogRetentionDays": 410,
    "observability/alarmEmails": ["airflow-alarms@example.com"],
}
"""Values that nothing has by default, and that no two settings of a kind share."""
SHARED = SharedContract(
    account_id=ACCOUNT,
    region=REGION,
    state_bucket_name="state",
    key_arn=KEY_ARN,
    permissions_boundary_arn=f"arn:aws:iam::{ACCOUNT}:policy/boundaries/airflow-platform-boundary",
    repository_url=f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/airflow-platform/airflow",
    repository_arn=f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/airflow-platform/airflow",
    release_bucket_name="releases",
    release_bucket_arn="arn:aws:s3:::releases",
    zone_id="Z1",
    zone_name="nonprod.example.com",
)


def settings_of(changes: dict[str, object] | None = None) -> EnvironmentSettings:
    """Return the settings of a small environment, with changes."""
    text = json.dumps(changed(STAGING, changes or {}))
    return EnvironmentSettings.model_validate_json(text, by_name=False)


def platform_of(changes: dict[str, object] | None = None) -> RecordingMonitor:
    """Build an environment."""
    args = AirflowPlatformArgs(settings=settings_of(changes), shared=SHARED)
    deployment = Deployment()
    try:
        return run(deployment, lambda opts: AirflowPlatform(NAME, args, opts))
    finally:
        deployment.close()


@cache
def small() -> RecordingMonitor:
    """Build a small environment once, to look at."""
    return platform_of()


@cache
def full() -> RecordingMonitor:
    """Build one with everything on, once, to look at: Flower, sessions, the internet, a second pool, protection."""
    return platform_of(EVERYTHING | UNUSUAL)
