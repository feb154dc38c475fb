"""Cases of the rules about tasks of DataSync."""

from __future__ import annotations

from typing import Any, Final

from policies.security.rules.transfers import TASK
from tests.policies.cases import Case, Change

GOOD: Final[dict[str, Any]] = {
    "cloudwatchLogGroupArn": "arn:aws:logs:eu-west-1:111111111111:log-group:copies",
    "options": {"logLevel": "TRANSFER", "verifyMode": "ONLY_FILES_TRANSFERRED"},
}


def _case(rule: str, *changes: Change) -> Case:
    return Case(rule=rule, type=TASK, good=GOOD, changes=changes)


CASES: Final = (
    _case(
        "datasync-logged",
        Change(path="cloudwatchLogGroupArn", bad="", typed=False),
        Change(path="options.logLevel", bad="OFF"),
    ),
    _case("datasync-verified", Change(path="options.verifyMode", bad="NONE", absent=False)),
)
