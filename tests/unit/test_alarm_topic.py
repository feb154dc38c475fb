"""The topic: encrypted, exact rights, and a subscription for each address."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.alarm_topic import AlarmTopic, AlarmTopicArgs
from components.iam import alerts
from tests.harness import Deployment, RecordingMonitor
from tests.unit.programs import ACCOUNT, KEY_ARN, REGION, run

TOPIC = "aws:sns/topic:Topic"
POLICY = "aws:sns/topicPolicy:TopicPolicy"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
EMAILS = ("airflow-alarms@example.com", "night.shift@ops.example.com")
ARGS = AlarmTopicArgs(
    account_id=ACCOUNT, region=REGION, key_arn=KEY_ARN, alarm_prefix="airflow-dev-", emails=EMAILS
)


def topic(deploy: Deployment, args: AlarmTopicArgs = ARGS) -> RecordingMonitor:
    return run(deploy, lambda opts: AlarmTopic("alarms", args, opts))


def test_topic_is_encrypted_with_the_given_key(deploy: Deployment) -> None:
    assert topic(deploy).inputs(TOPIC) == {"alarms": {"kmsMasterKeyId": KEY_ARN}}


def test_only_alarms_of_the_environment_may_publish(deploy: Deployment) -> None:
    monitor = topic(deploy)
    arn = monitor.state(TOPIC)["arn"]
    own = alerts.topic_arn(REGION, ACCOUNT, monitor.state(TOPIC)["name"])
    policy = alerts.topic_policy(REGION, ACCOUNT, own, alarm_prefix="airflow-dev-")
    assert monitor.inputs(POLICY) == {"alarms-policy": {"arn": arn, "policy": policy}}


def test_each_address_gets_a_subscription(deploy: Deployment) -> None:
    monitor = topic(deploy)
    arn = monitor.state(TOPIC)["arn"]
    assert monitor.inputs(SUBSCRIPTION) == {
        f"alarms-{email}": {"topic": arn, "protocol": "email", "endpoint": email} for email in EMAILS
    }


def test_nobody_is_told_unless_asked_for(deploy: Deployment) -> None:
    types = (TOPIC, POLICY, "airflow:ops:AlarmTopic", "pulumi:providers:aws")
    assert topic(deploy, replace(ARGS, emails=())).counts == dict.fromkeys(types, 1)


def test_outputs(deploy: Deployment) -> None:
    """Policies find there what the text of the topic's policy is made of."""
    monitor = topic(deploy)
    arn = monitor.state(TOPIC)["arn"]
    own = alerts.topic_arn(REGION, ACCOUNT, monitor.state(TOPIC)["name"])
    policy = alerts.topic_policy(REGION, ACCOUNT, own, alarm_prefix="airflow-dev-")
    assert monitor.outputs["alarms"] == {
        "topicArn": arn,
        "documents": {"alarms-policy": {"policy": policy}},
    }


def test_a_long_name_fits(deploy: Deployment) -> None:
    monitor = run(deploy, lambda opts: AlarmTopic("a" * 90, replace(ARGS, emails=()), opts))
    assert len(monitor.state(TOPIC)["name"]) == 80


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"account_id": "1"}, 'account_id: want 12 digits, got "1"'),
        ({"alarm_prefix": ""}, 'alarm_prefix: want letters, digits and _.-, got ""'),
        ({"alarm_prefix": "airflow*"}, r'alarm_prefix: want letters, digits and _.-, got "airflow\*"'),
        ({"emails": ["ops"]}, 'emails: want an e-mail address, got "ops"'),
        ({"emails": ["a@b"]}, 'emails: want an e-mail address, got "a@b"'),
        ({"emails": ["a@b.c", "a@b.c"]}, "emails: want each value once, got a@b.c, a@b.c"),
    ],
    ids=["account", "prefix", "prefix of all", "address", "address without a dot", "address twice"],
)
def test_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        replace(ARGS, **changes)
