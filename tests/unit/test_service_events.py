"""The events of services: exact patterns, exact rights, exact order.

That EventBridge understands the patterns as it is meant here is not proved.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from components.iam import alerts
from components.service_events import ServiceEvents, ServiceEventsArgs
from tests.harness import Deployment, RecordingMonitor
from tests.unit.programs import ACCOUNT, KEY_ARN, REGION, run

RULE = "aws:cloudwatch/eventRule:EventRule"
TARGET = "aws:cloudwatch/eventTarget:EventTarget"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
LOG_POLICY = "aws:cloudwatch/logResourcePolicy:LogResourcePolicy"
ROLE = "aws:iam/role:Role"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
TOPIC_ARN = f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms"
CLUSTER_ARN = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/dev"
REPORTS, STOPS = "events-reports", "events-stops"
RECORD = "/aws/events/airflow-dev/stopped-tasks"
ARGS = ServiceEventsArgs(
    account_id=ACCOUNT,
    region=REGION,
    role_path="/airflow/dev/",
    cluster_name="dev",
    cluster_arn=CLUSTER_ARN,
    topic_arn=TOPIC_ARN,
    key_arn=KEY_ARN,
    record_name="airflow-dev",
    record_retention_days=30,
)


def events(deploy: Deployment) -> RecordingMonitor:
    return run(deploy, lambda opts: ServiceEvents("events", ARGS, opts))


def pattern(monitor: RecordingMonitor, name: str) -> dict[str, Any]:
    """Return what a rule listens to."""
    found: dict[str, Any] = json.loads(monitor.one(RULE, name).inputs["eventPattern"])
    return found


def test_what_is_reported(deploy: Deployment) -> None:
    """An event of a deployment names no cluster; its service's ARN does."""
    assert pattern(events(deploy), REPORTS) == {
        "source": ["aws.ecs"],
        "detail-type": ["ECS Deployment State Change", "ECS Service Action"],
        "resources": [{"prefix": f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/dev/"}],
        "detail": {
            "eventName": [
                "SERVICE_DEPLOYMENT_FAILED",
                "SERVICE_TASK_START_IMPAIRED",
                "SERVICE_TASK_PLACEMENT_FAILURE",
                "SERVICE_TASK_CONFIGURATION_FAILURE",
            ]
        },
    }


def test_what_is_recorded(deploy: Deployment) -> None:
    assert pattern(events(deploy), STOPS) == {
        "source": ["aws.ecs"],
        "detail-type": ["ECS Task State Change"],
        "detail": {
            "clusterArn": [CLUSTER_ARN],
            "lastStatus": ["STOPPED"],
            "group": [{"prefix": "service:"}],
            "$or": [
                {"stopCode": ["EssentialContainerExited", "TaskFailedToStart"]},
                {"stoppedReason": [{"wildcard": "*health check*"}]},
            ],
        },
    }


def test_where_events_go(deploy: Deployment) -> None:
    monitor = events(deploy)
    assert monitor.inputs(TARGET) == {
        f"{REPORTS}-target": {
            "rule": monitor.state(RULE, REPORTS)["name"],
            "arn": TOPIC_ARN,
            "roleArn": monitor.state(ROLE)["arn"],
        },
        f"{STOPS}-target": {
            "rule": monitor.state(RULE, STOPS)["name"],
            "arn": monitor.state(LOG_GROUP)["arn"],
        },
    }


def test_targets_wait_for_the_rights_to_reach_them(deploy: Deployment) -> None:
    monitor = events(deploy)
    assert "events-role-policy" in monitor.one(TARGET, f"{REPORTS}-target").depends_on
    assert "events-record-policy" in monitor.one(TARGET, f"{STOPS}-target").depends_on


def test_role_trusts_the_one_rule_that_reports(deploy: Deployment) -> None:
    monitor = events(deploy)
    rule_arn = alerts.rule_arn(REGION, ACCOUNT, monitor.state(RULE, REPORTS)["name"])
    assert monitor.inputs(ROLE) == {
        "events-role": {
            "description": "EventBridge publishes what ECS reports about services",
            "path": "/airflow/dev/",
            "assumeRolePolicy": alerts.events_trust(ACCOUNT, rule_arn),
        }
    }


def test_role_may_publish_to_the_topic_only(deploy: Deployment) -> None:
    monitor = events(deploy)
    assert monitor.inputs(ROLE_POLICY) == {
        "events-role-policy": {
            "role": monitor.state(ROLE)["name"],
            "policy": alerts.events_policy(REGION, topic=TOPIC_ARN, key=KEY_ARN),
        }
    }


def test_record(deploy: Deployment) -> None:
    monitor = events(deploy)
    assert monitor.inputs(LOG_GROUP) == {
        "events-stopped-tasks": {"name": RECORD, "retentionInDays": 30, "kmsKeyId": KEY_ARN}
    }
    (policy,) = monitor.by_type[LOG_POLICY]
    assert policy.name == "events-record-policy"
    assert policy.inputs["policyName"] == "airflow-dev-stopped-tasks"
    assert json.loads(policy.inputs["policyDocument"]) == alerts.events_log(REGION, ACCOUNT, RECORD)


def test_nothing_else_is_registered(deploy: Deployment) -> None:
    once = (LOG_GROUP, LOG_POLICY, ROLE, ROLE_POLICY, "airflow:ops:ServiceEvents", "pulumi:providers:aws")
    assert events(deploy).counts == {**dict.fromkeys(once, 1), RULE: 2, TARGET: 2}


def test_outputs(deploy: Deployment) -> None:
    monitor = events(deploy)
    assert monitor.outputs["events"] == {
        "reportRuleName": monitor.state(RULE, REPORTS)["name"],
        "recordRuleName": monitor.state(RULE, STOPS)["name"],
        "recordLogGroupName": RECORD,
        "documents": {
            "events-role-policy": {"policy": alerts.events_policy(REGION, topic=TOPIC_ARN, key=KEY_ARN)},
        },
    }


def test_long_names_fit(deploy: Deployment) -> None:
    monitor = run(deploy, lambda opts: ServiceEvents("e" * 60, ARGS, opts))
    rules = [monitor.state(RULE, rule.name)["name"] for rule in monitor.by_type[RULE]]
    targets = [monitor.state(TARGET, target.name)["targetId"] for target in monitor.by_type[TARGET]]
    names = [*rules, *targets, monitor.state(ROLE)["name"]]
    assert [len(name) for name in names] == [64] * 5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"account_id": "1"}, 'account_id: want 12 digits, got "1"'),
        ({"role_path": "airflow"}, 'role_path: want a path that begins and ends with /, got "airflow"'),
        ({"record_name": "a/b"}, 'record_name: want letters, digits and _.-, got "a/b"'),
        ({"record_retention_days": 31}, r"record_retention_days: want one of 1, 3, .*, got 31"),
    ],
    ids=["account", "path", "record", "retention"],
)
def test_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        replace(ARGS, **changes)
