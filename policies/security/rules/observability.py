"""Log groups and alarms: what is kept, for how long, and who is told."""

from __future__ import annotations

from typing import Final

from policies.crossguard.checks import all_of, any_of, at_least, is_set, is_true, wanted
from policies.crossguard.rules import Rule, Severity, Tier
from policies.crossguard.values import View
from policies.security.keys import own_key

LOG_GROUP: Final = "aws:cloudwatch/logGroup:LogGroup"
METRIC_ALARM: Final = "aws:cloudwatch/metricAlarm:MetricAlarm"
COMPOSITE_ALARM: Final = "aws:cloudwatch/compositeAlarm:CompositeAlarm"

YEAR: Final = 365
RETENTION_TAG: Final = "retention"
"""Tag that says why a log is kept for less than a year."""


def _is_long(days: View) -> bool:
    """Say whether a log is kept for a year; one that never expires is another rule's matter."""
    return days.number() == 0 or days.number() >= YEAR


RULES: Final = (
    Rule(
        name="log-group-expires",
        why="A log without an end is kept, and paid for, forever.",
        fix="Set `retentionInDays`.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("87",),
        references=("CKV_AWS_66", "cw_loggroup_retention_period_check"),
        on=(LOG_GROUP,),
        # 0 means forever.
        check=at_least("retentionInDays", 1),
    ),
    Rule(
        name="log-group-kept-a-year",
        why="Break-ins are found after months; what is gone by then cannot tell how they began.",
        fix="Set `retentionInDays` to 365 or more, or say in the tag `retention` why it is less.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("87",),
        references=("CloudWatch.16", "CKV_AWS_338"),
        on=(LOG_GROUP,),
        check=any_of(
            wanted("retentionInDays", f"at least {YEAR}", _is_long),
            is_set(f"tags.{RETENTION_TAG}", "the reason for a shorter time"),
        ),
    ),
    Rule(
        name="log-group-customer-key",
        why="Logs hold what nobody meant to write into them; access through the key of AWS cannot be limited.",
        fix="Set `kmsKeyId` to a key of the account.",
        severity=Severity.LOW,
        tier=Tier.PROD,
        controls=("87",),
        references=("CKV_AWS_158", "AWS-0017", "cloudwatch_log_group_encrypted"),
        on=(LOG_GROUP,),
        check=own_key("kmsKeyId"),
    ),
    Rule(
        name="alarm-tells-somebody",
        why="An alarm that nobody hears is none.",
        fix="Name a topic in `alarmActions`, and leave `actionsEnabled` on.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("88",),
        references=("CloudWatch.15", "CloudWatch.17", "CKV_AWS_319", "cloudwatch_alarm_action_check"),
        on=(METRIC_ALARM, COMPOSITE_ALARM),
        check=all_of(is_true("actionsEnabled", default=True), is_set("alarmActions", "a topic")),
    ),
)
