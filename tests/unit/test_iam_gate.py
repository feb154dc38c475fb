"""The rights of the platform gate, compared whole: a wider one must show."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from components.iam import gate
from tests.harness import Deployment
from tests.unit.programs import KEY_ARN, value

ACCOUNT, REGION = "111111111111", "eu-west-1"
ECS = "arn:aws:ecs:eu-west-1:111111111111"
SECRETS = [f"arn:aws:secretsmanager:eu-west-1:111111111111:secret:{name}" for name in ("one", "two")]
ROLES = [f"arn:aws:iam::111111111111:role/airflow/dev/{name}" for name in ("execution", "task")]
IN_CLUSTER = {"ArnEquals": {"ecs:cluster": f"{ECS}:cluster/compute"}}


def facts(region: str = REGION) -> gate.GateFacts:
    return gate.GateFacts(
        region=region,
        account_id=ACCOUNT,
        log_group_name="gate-log",
        secret_arns=SECRETS,
        read_secret_arns=SECRETS[:1],
        key_arn=KEY_ARN,
        broker_user_arn="arn:aws:elasticache:eu-west-1:111111111111:user:airflow-dev",
        cluster_arn=f"{ECS}:cluster/compute",
        cluster_name="compute",
        task_family="airflow-dev-bootstrap",
        task_role_arns=ROLES,
        database_arn="arn:aws:rds:eu-west-1:111111111111:db:airflow-dev",
    )


def policy(deploy: Deployment, region: str = REGION) -> dict[str, Any]:
    """Return the document with its outputs resolved."""
    made: list[Any] = []
    deploy.run(lambda: made.append(pulumi.Output.from_input(gate.gate_policy(facts(region)))))
    resolved: dict[str, Any] = value(deploy, made[0])
    return resolved


def test_policy(deploy: Deployment) -> None:
    assert policy(deploy) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "WriteLog",
                "Effect": "Allow",
                "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                "Resource": "arn:aws:logs:eu-west-1:111111111111:log-group:gate-log:*",
            },
            {
                "Sid": "SeeDatabase",
                "Effect": "Allow",
                "Action": "rds:DescribeDBInstances",
                "Resource": "arn:aws:rds:eu-west-1:111111111111:db:airflow-dev",
            },
            {
                "Sid": "FillSecrets",
                "Effect": "Allow",
                "Action": ["secretsmanager:DescribeSecret", "secretsmanager:PutSecretValue"],
                "Resource": SECRETS,
            },
            {
                "Sid": "ReadOwnSecrets",
                "Effect": "Allow",
                "Action": "secretsmanager:GetSecretValue",
                "Resource": SECRETS[:1],
            },
            {
                "Sid": "EncryptSecrets",
                "Effect": "Allow",
                "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
                "Resource": KEY_ARN,
                "Condition": {"StringEquals": {"kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com"}},
            },
            {
                "Sid": "EnableBrokerUser",
                "Effect": "Allow",
                "Action": ["elasticache:DescribeUsers", "elasticache:ModifyUser"],
                "Resource": "arn:aws:elasticache:eu-west-1:111111111111:user:airflow-dev",
            },
            {
                "Sid": "RunBootstrap",
                "Effect": "Allow",
                "Action": "ecs:RunTask",
                "Resource": f"{ECS}:task-definition/airflow-dev-bootstrap:*",
                "Condition": IN_CLUSTER,
            },
            {
                "Sid": "PassBootstrapRoles",
                "Effect": "Allow",
                "Action": "iam:PassRole",
                "Resource": ROLES,
                "Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
            },
            {
                "Sid": "SeeTasksAndServices",
                "Effect": "Allow",
                "Action": ["ecs:DescribeServices", "ecs:DescribeTasks"],
                "Resource": [f"{ECS}:service/compute/*", f"{ECS}:task/compute/*"],
            },
            {
                "Sid": "ListTasksAndServices",
                "Effect": "Allow",
                "Action": ["ecs:ListServices", "ecs:ListTasks"],
                "Resource": "*",
                "Condition": IN_CLUSTER,
            },
        ],
    }


@pytest.mark.parametrize(
    ("region", "service", "prefix"),
    [
        ("cn-north-1", "secretsmanager.cn-north-1.amazonaws.com.cn", "arn:aws-cn:"),
        ("us-gov-west-1", "secretsmanager.us-gov-west-1.amazonaws.com", "arn:aws-us-gov:"),
    ],
)
def test_other_partitions(deploy: Deployment, region: str, service: str, prefix: str) -> None:
    statements = {statement["Sid"]: statement for statement in policy(deploy, region)["Statement"]}
    assert statements["EncryptSecrets"]["Condition"] == {"StringEquals": {"kms:ViaService": service}}
    assert statements["RunBootstrap"]["Resource"].startswith(f"{prefix}ecs:{region}:")


def test_trust() -> None:
    assert gate.gate_trust(ACCOUNT) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "ServiceForOwnResources",
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
            }
        ],
    }
