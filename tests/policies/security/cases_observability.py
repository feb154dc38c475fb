"""Cases of the rules about log groups and alarms."""

from __future__ import annotations

from typing import Any, Final

from policies.security.rules.observability import COMPOSITE_ALARM, LOG_GROUP, METRIC_ALARM
from tests.policies.cases import Case, Change

KEY_ARN: Final = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
A_LOG_GROUP: Final[dict[str, Any]] = {"retentionInDays": 365, "kmsKeyId": KEY_ARN}
AN_ALARM: Final[dict[str, Any]] = {
    "actionsEnabled": True,
    "alarmActions": ["arn:aws:sns:eu-west-1:111122223333:alarms"],
}

CASES: Final = (
    Case(
        rule="log-group-expires",
        type=LOG_GROUP,
        good=A_LOG_GROUP,
        changes=(Change(path="retentionInDays", bad=0),),
    ),
    Case(
        rule="log-group-kept-a-year",
        type=LOG_GROUP,
        good=A_LOG_GROUP,
        changes=(
            Change(path="retentionInDays", bad=180, absent=False),
            Change(path="retentionInDays", bad=1, absent=False),
        ),
    ),
    Case(
        rule="log-group-kept-a-year",
        type=LOG_GROUP,
        good=A_LOG_GROUP | {"retentionInDays": 14, "tags": {"retention": "packets are of use for days only"}},
        changes=(Change(path="tags.retention", bad="", typed=False),),
        golden=None,
    ),
    Case(
        rule="log-group-customer-key",
        type=LOG_GROUP,
        good=A_LOG_GROUP,
        changes=(Change(path="kmsKeyId", bad=""), Change(path="kmsKeyId", bad="alias/aws/logs")),
    ),
    *(
        Case(
            rule="alarm-tells-somebody",
            type=token,
            good=AN_ALARM,
            changes=(
                Change(path="actionsEnabled", bad=False, absent=False),
                Change(path="alarmActions", bad=[], typed=False),
            ),
            golden=None,
        )
        for token in (METRIC_ALARM, COMPOSITE_ALARM)
    ),
)
