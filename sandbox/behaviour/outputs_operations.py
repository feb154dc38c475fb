"""What AWS answers for CloudWatch, budgets and account settings."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Final

from sandbox.behaviour.model import Properties
from sandbox.behaviour.outputs_base import New, Shape

ALARM_ARN: Final = "cloudwatch:{region}:{account}:alarm:{name}"


def _budget(new: New) -> Properties:
    account = new.text("accountId", new.account)
    cost_types = (
        "includeCredit includeDiscount includeOtherSubscription includeRecurring includeRefund "
        "includeSubscription includeSupport includeTax includeUpfront"
    )
    return {
        "accountId": account,
        "costTypes": {**dict.fromkeys(cost_types.split(), True), "useAmortized": False, "useBlended": False},
        "timePeriodStart": new.ids.moment().strftime("%Y-%m-01_00:00"),
    }


def _log_policy(new: New) -> Properties:
    """Give the scope; only a policy of one log group has revisions."""
    of_group = bool(new.text("resourceArn"))
    return {
        "policyScope": "RESOURCE" if of_group else "ACCOUNT",
        "revisionId": new.ids.uuid("revision") if of_group else "",
    }


def _budget_name(new: New) -> str:
    return f"{new.text('accountId', new.account)}:{new.text('name')}"


SHAPES: Final[Mapping[str, Shape]] = {
    "aws:cloudwatch/logGroup:LogGroup": Shape(
        id="{name}",
        arn="logs:{region}:{account}:log-group:{name}",
        values={"logGroupClass": "STANDARD", "deletionProtectionEnabled": False},
    ),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": Shape(id="{name}"),
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": Shape(
        id=lambda new: new.text("policyName") or new.text("resourceArn"), fill=_log_policy
    ),
    "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter": Shape(
        id=lambda new: f"cwlsf-{zlib.crc32(new.text('logGroup').encode())}"
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": Shape(id="{name}", arn=ALARM_ARN),
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": Shape(
        id="{alarmName}", arn="cloudwatch:{region}:{account}:alarm:{alarmName}"
    ),
    "aws:cloudwatch/dashboard:Dashboard": Shape(
        id="{dashboardName}",
        fill=lambda new: {
            "dashboardArn": new.arn(f"cloudwatch::{new.account}:dashboard/{new.text('dashboardName')}")
        },
    ),
    "aws:ebs/encryptionByDefault:EncryptionByDefault": Shape(id="terraform-{hex26}"),
    "aws:budgets/budget:Budget": Shape(
        id=_budget_name,
        arn=lambda new: f"budgets::{new.text('accountId', new.account)}:budget/{new.text('name')}",
        fill=_budget,
    ),
}
