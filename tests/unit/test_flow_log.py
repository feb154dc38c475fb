"""The flow log: exact rights, exact order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.flow_log import FlowLog, FlowLogArgs
from tests.harness import VPC_ID, Deployment, RecordingMonitor
from tests.unit.documents import document, trust
from tests.unit.programs import ACCOUNT, KEY_ARN, REGION, run

LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
ROLE = "aws:iam/role:Role"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
FLOW_LOG = "aws:ec2/flowLog:FlowLog"
ARGS = FlowLogArgs(
    account_id=ACCOUNT,
    region=REGION,
    vpc_id=VPC_ID,
    key_arn=KEY_ARN,
    retention_days=30,
    role_path="/airflow/dev/",
)


def flow_log(deploy: Deployment) -> RecordingMonitor:
    return run(deploy, lambda opts: FlowLog("traffic", ARGS, opts))


def test_log_group(deploy: Deployment) -> None:
    assert flow_log(deploy).inputs(LOG_GROUP) == {
        "traffic-group": {"retentionInDays": 30, "kmsKeyId": KEY_ARN}
    }


def test_role_trusts_flow_logs_of_this_account_only(deploy: Deployment) -> None:
    assert flow_log(deploy).inputs(ROLE) == {
        "traffic-role": {
            "description": "VPC flow logs write into their log group",
            "path": "/airflow/dev/",
            "assumeRolePolicy": document(
                trust("vpc-flow-logs.amazonaws.com", "arn:aws:ec2:eu-west-1:111111111111:vpc-flow-log/*")
            ),
        }
    }


def test_role_may_write_into_its_log_group_only(deploy: Deployment) -> None:
    monitor = flow_log(deploy)
    groups = "arn:aws:logs:eu-west-1:111111111111:log-group:"
    assert monitor.inputs(ROLE_POLICY) == {
        "traffic-role-policy": {
            "role": monitor.state(ROLE)["name"],
            "policy": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "WriteStreams",
                        "Effect": "Allow",
                        "Action": ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
                        "Resource": f"{groups}{monitor.state(LOG_GROUP)['name']}:*",
                    },
                    {
                        "Sid": "FindTheGroup",
                        "Effect": "Allow",
                        "Action": "logs:DescribeLogGroups",
                        "Resource": "*",
                    },
                ],
            },
        }
    }


def test_record(deploy: Deployment) -> None:
    monitor = flow_log(deploy)
    assert monitor.inputs(FLOW_LOG) == {
        "traffic-record": {
            "vpcId": VPC_ID,
            "trafficType": "ALL",
            "logDestinationType": "cloud-watch-logs",
            "logDestination": monitor.state(LOG_GROUP)["arn"],
            "iamRoleArn": monitor.state(ROLE)["arn"],
            "tags": {"Name": "traffic"},
        }
    }


def test_record_waits_for_the_rights_to_write(deploy: Deployment) -> None:
    assert "traffic-role-policy" in flow_log(deploy).one(FLOW_LOG).depends_on


def test_nothing_else_is_registered(deploy: Deployment) -> None:
    types = (LOG_GROUP, ROLE, ROLE_POLICY, FLOW_LOG, "airflow:network:FlowLog", "pulumi:providers:aws")
    assert flow_log(deploy).counts == dict.fromkeys(types, 1)


def test_outputs(deploy: Deployment) -> None:
    monitor = flow_log(deploy)
    assert monitor.outputs["traffic"] == {"logGroupName": monitor.state(LOG_GROUP)["name"]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"account_id": "1"}, 'account_id: want 12 digits, got "1"'),
        ({"retention_days": 31}, r"retention_days: want one of 1, 3, .*, got 31"),
        ({"role_path": "airflow"}, 'role_path: want a path that begins and ends with /, got "airflow"'),
    ],
    ids=["account", "retention", "path"],
)
def test_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        replace(ARGS, **changes)
