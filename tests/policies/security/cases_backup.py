"""Cases of the rules about backups."""

from __future__ import annotations

from typing import Any, Final

from policies.security.rules.backup import PLAN, VAULT
from tests.policies.cases import REMOVED, Case, Change
from tests.policies.security.cases_rds import KEY

ELSEWHERE: Final = "arn:aws:backup:eu-central-1:111111111111:backup-vault:airflow"
SAME_REGION: Final = "arn:aws:backup:eu-west-1:111111111111:backup-vault:airflow"
GOOD: Final[dict[str, Any]] = {
    "region": "eu-west-1",
    "rules": [
        {
            "ruleName": "daily",
            "targetVaultName": "airflow",
            "copyActions": [{"destinationVaultArn": ELSEWHERE}],
        }
    ],
}

CASES: Final = (
    Case(
        rule="backup-vault-own-key",
        type=VAULT,
        good={"kmsKeyArn": KEY},
        changes=(
            Change(path="kmsKeyArn", bad=REMOVED),
            Change(path="kmsKeyArn", bad="arn:aws:kms:eu-west-1:111111111111:alias/aws/backup"),
        ),
        golden=None,
    ),
    Case(
        rule="backup-plan-copies-elsewhere",
        type=PLAN,
        good=GOOD,
        changes=(
            Change(path="rules[0].copyActions[0].destinationVaultArn", bad=SAME_REGION),
            Change(path="rules[0].copyActions", bad=[]),
            Change(path="rules", bad=[]),
            Change(path="region", bad="eu-central-1", absent=False),
            Change(path="rules", bad=[*GOOD["rules"], {"ruleName": "weekly", "targetVaultName": "airflow"}]),
        ),
        golden=None,
    ),
)
