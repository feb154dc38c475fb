"""Cases of the rule about the spelling of container definitions."""

from __future__ import annotations

from typing import Final

from policies.security.rules.containers import TASK_DEFINITION
from tests.policies.cases import Case, Change

GOOD: Final = {"containerDefinitions": [{"name": "scheduler", "dockerLabels": {"Name": "scheduler"}}]}

CASES: Final = (
    Case(
        rule="container-names-spelled",
        type=TASK_DEFINITION,
        good=GOOD,
        changes=(
            Change(
                path="containerDefinitions[0].ulimits",
                bad=[{"Name": "nofile", "softLimit": 65536, "hardLimit": 65536}],
                absent=False,
                typed=False,
                decides=False,
            ),
        ),
    ),
)
