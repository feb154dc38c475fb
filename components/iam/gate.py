"""What the platform gate's function may do: fill secrets, switch the broker's user on, run one task, look around."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pulumi

from components.iam.base import Document, Statement, document, log_group_arn, partition_of, service_trust

SERVICE: Final = "lambda.amazonaws.com"
TASKS_SERVICE: Final = "ecs-tasks.amazonaws.com"


@dataclass(frozen=True, kw_only=True)
class GateFacts:
    """What the rights of the gate are made of."""

    region: str
    account_id: str
    log_group_name: pulumi.Input[str]
    """The function's own log group."""
    secret_arns: Sequence[pulumi.Input[str]]
    """Secrets that it may fill."""
    read_secret_arns: Sequence[pulumi.Input[str]]
    """Secrets among them whose value it needs itself."""
    key_arn: pulumi.Input[str]
    """Key of the secrets."""
    broker_user_arn: pulumi.Input[str]
    cluster_arn: pulumi.Input[str]
    cluster_name: pulumi.Input[str]
    task_family: pulumi.Input[str]
    """Family of the bootstrap task; the revision is free."""
    task_role_arns: Sequence[pulumi.Input[str]]
    """Execution role and task role of the bootstrap task."""
    database_arn: pulumi.Input[str]


def gate_trust(account_id: str) -> Document:
    """Return the trust policy: Lambda, for functions of this account.

    Lambda's guide names `aws:SourceArn` for policies on functions only, so a role that demands it might never be
    assumed.
    """
    return service_trust(SERVICE, account_id=account_id)


def gate_policy(facts: GateFacts) -> Document:
    """Return everything that the gate may do.

    It cannot stop a task, touch a service or delete anything, and it may not overwrite: PutSecretValue can, so the
    function itself holds back from secrets that have a value.
    """
    return document(
        _write_log(facts),
        {
            "Sid": "SeeDatabase",
            "Effect": "Allow",
            "Action": "rds:DescribeDBInstances",
            "Resource": facts.database_arn,
        },
        *_secrets(facts),
        {
            "Sid": "EnableBrokerUser",
            "Effect": "Allow",
            "Action": ["elasticache:DescribeUsers", "elasticache:ModifyUser"],
            "Resource": facts.broker_user_arn,
        },
        *_tasks(facts),
    )


def _write_log(facts: GateFacts) -> Statement:
    log_group = pulumi.Output.from_input(facts.log_group_name).apply(
        lambda name: log_group_arn(facts.region, facts.account_id, name)
    )
    return {
        "Sid": "WriteLog",
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": pulumi.Output.concat(log_group, ":*"),
    }


def _secrets(facts: GateFacts) -> list[Statement]:
    suffix = "amazonaws.com.cn" if partition_of(facts.region) == "aws-cn" else "amazonaws.com"
    return [
        {
            "Sid": "FillSecrets",
            "Effect": "Allow",
            "Action": ["secretsmanager:DescribeSecret", "secretsmanager:PutSecretValue"],
            "Resource": list(facts.secret_arns),
        },
        {
            "Sid": "ReadOwnSecrets",
            "Effect": "Allow",
            "Action": "secretsmanager:GetSecretValue",
            "Resource": list(facts.read_secret_arns),
        },
        {
            "Sid": "EncryptSecrets",
            "Effect": "Allow",
            # Secrets Manager decrypts as well when it writes: it opens the data key of the version before.
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": facts.key_arn,
            "Condition": {"StringEquals": {"kms:ViaService": f"secretsmanager.{facts.region}.{suffix}"}},
        },
    ]


def _tasks(facts: GateFacts) -> list[Statement]:
    ecs = f"arn:{partition_of(facts.region)}:ecs:{facts.region}:{facts.account_id}"
    in_cluster = {"ArnEquals": {"ecs:cluster": facts.cluster_arn}}
    return [
        {
            "Sid": "RunBootstrap",
            "Effect": "Allow",
            "Action": "ecs:RunTask",
            "Resource": pulumi.Output.concat(f"{ecs}:task-definition/", facts.task_family, ":*"),
            "Condition": in_cluster,
        },
        {
            "Sid": "PassBootstrapRoles",
            "Effect": "Allow",
            "Action": "iam:PassRole",
            "Resource": list(facts.task_role_arns),
            "Condition": {"StringEquals": {"iam:PassedToService": TASKS_SERVICE}},
        },
        {
            "Sid": "SeeTasksAndServices",
            "Effect": "Allow",
            "Action": ["ecs:DescribeServices", "ecs:DescribeTasks"],
            "Resource": [
                pulumi.Output.concat(f"{ecs}:service/", facts.cluster_name, "/*"),
                pulumi.Output.concat(f"{ecs}:task/", facts.cluster_name, "/*"),
            ],
        },
        {
            "Sid": "ListTasksAndServices",
            "Effect": "Allow",
            "Action": ["ecs:ListServices", "ecs:ListTasks"],
            # Both list by cluster, and AWS knows no resource for that: the condition limits them.
            "Resource": "*",
            "Condition": in_cluster,
        },
    ]
