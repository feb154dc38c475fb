"""Alarms as they are registered: whom they tell, how they are called, and the two on what is made here itself.

What each alarm is about is tested with the table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from components import alarms
from components.observability import Observability, ObservabilityArgs
from tests.harness import Deployment, RecordingMonitor
from tests.unit.programs import ACCOUNT, KEY_ARN, REGION, run

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
RULE = "aws:cloudwatch/eventRule:EventRule"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
TOPIC = "aws:sns/topic:Topic"
POLICY = "aws:sns/topicPolicy:TopicPolicy"
NAME = "airflow-dev-alarms"
TARGETS = {"LoadBalancer": "app/web/1", "TargetGroup": "targetgroup/api/2"}
ARGS = ObservabilityArgs(
    account_id=ACCOUNT,
    region=REGION,
    role_path="/airflow/dev/",
    key_arn=KEY_ARN,
    cluster_name="dev",
    cluster_arn=f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/dev",
    watched=alarms.of_targets("api-server", TARGETS),
    record_retention_days=30,
    emails=("ops@example.com",),
)


@pytest.fixture(scope="module")
def monitor() -> Iterator[RecordingMonitor]:
    deployment = Deployment()
    yield run(deployment, lambda opts: Observability(NAME, ARGS, opts))
    deployment.close()


def test_alarm(monitor: RecordingMonitor) -> None:
    topic = monitor.state(TOPIC)["arn"]
    assert monitor.one(ALARM, f"{NAME}-api-server-hosts").inputs == {
        "alarmDescription": alarms.TABLE["hosts"].why,
        "namespace": "AWS/ApplicationELB",
        "metricName": "HealthyHostCount",
        "dimensions": TARGETS,
        "statistic": "Minimum",
        "comparisonOperator": "LessThanThreshold",
        "threshold": 1,
        "period": 60,
        "evaluationPeriods": 3,
        "datapointsToAlarm": 3,
        "treatMissingData": "breaching",
        "actionsEnabled": True,
        "alarmActions": [topic],
        "okActions": [topic],
    }


def test_all_alarms_tell_the_topic(monitor: RecordingMonitor) -> None:
    topic = monitor.state(TOPIC)["arn"]
    found = [alarm.inputs for alarm in monitor.by_type[ALARM]]
    told = [(each["actionsEnabled"], each["alarmActions"], each["okActions"]) for each in found]
    assert told == [(True, [topic], [topic])] * 4


def test_names_are_fixed_where_services_know_them(monitor: RecordingMonitor) -> None:
    names = {alarm.name: alarm.inputs.get("name") for alarm in monitor.by_type[ALARM]}
    assert names == {
        f"{NAME}-api-server-errors": f"{NAME}-api-server-errors",
        f"{NAME}-api-server-hosts": None,
        f"{NAME}-services-event-delivery": None,
        f"{NAME}-services-restarts": None,
    }


def test_the_topic_takes_messages_of_all_alarms(monitor: RecordingMonitor) -> None:
    policy = monitor.inputs(POLICY)[f"{NAME}-topic-policy"]["policy"]
    prefix = policy["Statement"][0]["Condition"]["ArnLike"]["aws:SourceArn"]
    arns = [monitor.state(ALARM, alarm.name)["arn"] for alarm in monitor.by_type[ALARM]]
    assert [arn for arn in arns if not arn.startswith(prefix.removesuffix("*"))] == []


@pytest.mark.parametrize(("alarm", "rule"), [("restarts", "stops"), ("event-delivery", "reports")])
def test_what_is_made_here_is_watched_as_well(monitor: RecordingMonitor, alarm: str, rule: str) -> None:
    dimensions = monitor.one(ALARM, f"{NAME}-services-{alarm}").inputs["dimensions"]
    assert dimensions == {"RuleName": monitor.state(RULE, f"{NAME}-events-{rule}")["name"]}


def test_parts_get_what_they_need(monitor: RecordingMonitor) -> None:
    group = monitor.one(LOG_GROUP).inputs
    assert (group["name"], group["retentionInDays"], group["kmsKeyId"]) == (
        f"/aws/events/{NAME}/stopped-tasks",
        30,
        KEY_ARN,
    )
    assert monitor.one(TOPIC).inputs == {"kmsMasterKeyId": KEY_ARN}
    assert monitor.one(SUBSCRIPTION).inputs["endpoint"] == "ops@example.com"


def test_outputs(monitor: RecordingMonitor) -> None:
    assert monitor.outputs[NAME] == {"topicArn": monitor.state(TOPIC)["arn"]}


def test_two_alarms_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^watched \(their labels\): want each value once, got"):
        replace(ARGS, watched=[*ARGS.watched, *ARGS.watched])
