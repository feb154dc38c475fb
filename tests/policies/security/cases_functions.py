"""Cases of the rules about functions, who may call them, and schedules."""

from __future__ import annotations

from typing import Any, Final

from policies.security.rules.functions import (
    FUNCTION,
    FUNCTION_POLICY,
    FUNCTION_URL,
    LAYER_PERMISSION,
    PERMISSION,
    SCHEDULE,
)
from tests.policies.cases import REMOVED, Case, Change

KEY: Final = "arn:aws:kms:eu-west-1:111111111111:key/1"
TOPIC: Final = "arn:aws:sns:eu-west-1:111111111111:topic"
GOOD: Final[dict[str, dict[str, Any]]] = {
    FUNCTION: {
        "runtime": "python3.13",
        "vpcConfig": {"subnetIds": ["subnet-1", "subnet-2"]},
        "reservedConcurrentExecutions": 1,
        "environment": {"variables": {"STAGE": "dev"}},
        "kmsKeyArn": KEY,
        "tracingConfig": {"mode": "Active"},
    },
    PERMISSION: {"principal": "sns.amazonaws.com", "sourceArn": TOPIC},
    LAYER_PERMISSION: {"principal": "111111111111"},
    FUNCTION_POLICY: {
        "policy": {
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": "lambda:InvokeFunction",
                    "Principal": {"Service": "sns.amazonaws.com"},
                    "Condition": {"ArnEquals": {"aws:SourceArn": TOPIC}},
                }
            ]
        }
    },
    FUNCTION_URL: {"authorizationType": "AWS_IAM"},
    SCHEDULE: {
        "kmsKeyArn": KEY,
        "target": {"deadLetterConfig": {"arn": "arn:aws:sqs:eu-west-1:111111111111:queue"}},
    },
}


def _case(rule: str, token: str, *changes: Change, golden: str | None = "") -> Case:
    return Case(rule=rule, type=token, good=GOOD[token], changes=changes, golden=golden)


CASES: Final = (
    _case(
        "lambda-caller-named",
        PERMISSION,
        Change(path="sourceArn", bad=REMOVED, typed=False),
        Change(path="sourceArn", bad="", typed=False),
    ),
    _case(
        "lambda-caller-named",
        FUNCTION_POLICY,
        Change(path="policy.Statement[0].Condition", bad=REMOVED),
    ),
    _case(
        "lambda-not-public",
        PERMISSION,
        Change(path="principal", bad="*", absent=False),
        Change(path="functionUrlAuthType", bad="NONE", absent=False),
    ),
    _case("lambda-not-public", LAYER_PERMISSION, Change(path="principal", bad="*", absent=False)),
    _case(
        "lambda-not-public",
        FUNCTION_POLICY,
        Change(path="policy.Statement[0].Principal", bad="*", absent=False, typed=False),
        Change(path="policy.Statement[0].Principal", bad={"AWS": ["*"]}, absent=False),
    ),
    _case("lambda-url-signed", FUNCTION_URL, Change(path="authorizationType", bad="NONE")),
    _case(
        "lambda-runtime-supported",
        FUNCTION,
        Change(path="runtime", bad="python3.9"),
        Change(path="runtime", bad="python4.0"),
    ),
    _case(
        "lambda-several-zones",
        FUNCTION,
        Change(path="vpcConfig.subnetIds", bad=["subnet-1"], absent=False),
        # Ours is in no VPC, and would be judged by where its interface would be as well.
        golden=None,
    ),
    _case(
        "lambda-concurrency-limited",
        FUNCTION,
        Change(path="reservedConcurrentExecutions", bad=-1),
    ),
    _case(
        "lambda-environment-own-key",
        FUNCTION,
        Change(path="kmsKeyArn", bad="", typed=False),
        # Ours has no variables.
        golden=None,
    ),
    _case("lambda-traced", FUNCTION, Change(path="tracingConfig.mode", bad="PassThrough")),
    _case("schedule-own-key", SCHEDULE, Change(path="kmsKeyArn", bad="", typed=False)),
    _case("schedule-dead-letters", SCHEDULE, Change(path="target.deadLetterConfig.arn", bad="", typed=False)),
)
