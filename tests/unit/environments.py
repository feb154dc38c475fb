"""Environments as the platform builds them under mocks: a small one, and one with everything on."""

from __future__ import annotations

import json
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
SHARED = SharedContract(
    account_id=ACCOUNT,
    region=REGION,
    state_bucket_name="state",
    key_arn=KEY_ARN,
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


def platform_of(deploy: Deployment, changes: dict[str, object] | None = None) -> RecordingMonitor:
    """Build an environment."""
    args = AirflowPlatformArgs(settings=settings_of(changes), shared=SHARED)
    return run(deploy, lambda opts: AirflowPlatform(NAME, args, opts))
