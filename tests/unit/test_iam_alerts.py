"""Who may send messages: exact statements."""

from __future__ import annotations

import pytest

from components.iam import alerts
from tests.unit.documents import document, trust
from tests.unit.programs import ACCOUNT, KEY_ARN, REGION

TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms"
ALARMS = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:"


def test_topic() -> None:
    assert alerts.topic_arn(REGION, ACCOUNT, "alarms") == TOPIC
    assert alerts.topic_policy(REGION, ACCOUNT, TOPIC, alarm_prefix="airflow-dev-") == document(
        {
            "Sid": "AlarmsOfThisEnvironment",
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": TOPIC,
            "Condition": {
                "StringEquals": {"aws:SourceAccount": ACCOUNT},
                "ArnLike": {"aws:SourceArn": f"{ALARMS}airflow-dev-*"},
            },
        },
        {
            "Sid": "DenyWithoutTls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sns:Publish",
            "Resource": TOPIC,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    )


def test_alarms_use_the_key_for_topics_of_the_account_only() -> None:
    assert alerts.alarms_use_key(REGION, ACCOUNT) == {
        "Sid": "AlarmsOfThisAccount",
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        "Resource": "*",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": ACCOUNT},
            "ArnLike": {
                "aws:SourceArn": f"{ALARMS}*",
                "kms:EncryptionContext:aws:sns:topicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:*",
            },
        },
    }


def test_eventbridge_is_trusted_for_one_rule() -> None:
    rule = alerts.rule_arn(REGION, ACCOUNT, "reports")
    assert rule == f"arn:aws:events:{REGION}:{ACCOUNT}:rule/reports"
    assert alerts.events_trust(ACCOUNT, rule) == document(trust("events.amazonaws.com", rule))


@pytest.mark.parametrize(
    ("region", "service"),
    [("eu-west-1", "sns.eu-west-1.amazonaws.com"), ("cn-north-1", "sns.cn-north-1.amazonaws.com.cn")],
)
def test_eventbridge_publishes_to_one_topic(region: str, service: str) -> None:
    assert alerts.events_policy(region, topic=TOPIC, key=KEY_ARN) == document(
        {"Sid": "Publish", "Effect": "Allow", "Action": "sns:Publish", "Resource": TOPIC},
        {
            "Sid": "EncryptMessages",
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": KEY_ARN,
            "Condition": {
                "StringEquals": {"kms:ViaService": service, "kms:EncryptionContext:aws:sns:topicArn": TOPIC}
            },
        },
    )


def test_eventbridge_writes_into_one_log_group() -> None:
    assert alerts.events_log(REGION, ACCOUNT, "/aws/events/dev") == document(
        {
            "Sid": "EventsIntoOneGroup",
            "Effect": "Allow",
            "Principal": {"Service": ["events.amazonaws.com", "delivery.logs.amazonaws.com"]},
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/events/dev:*",
        }
    )


def test_arns_are_of_the_partition() -> None:
    condition = alerts.alarms_use_key("us-gov-west-1", ACCOUNT)["Condition"]["ArnLike"]
    assert condition == {
        "aws:SourceArn": f"arn:aws-us-gov:cloudwatch:us-gov-west-1:{ACCOUNT}:alarm:*",
        "kms:EncryptionContext:aws:sns:topicArn": f"arn:aws-us-gov:sns:us-gov-west-1:{ACCOUNT}:*",
    }
