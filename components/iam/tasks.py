"""What the containers of a platform may do: one execution role and one task role for each service.

The execution role starts the container (image, log, secrets). The task role belongs to the code inside; what a
role may do there is decided by one function, `task_policy`. DAGs get no data rights here: they assume job roles.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi

from components.iam.base import Document, Statement, log_group_arn, partition_of, service_trust
from components.iam.exec_session import ExecFacts, exec_channel
from components.roles import ONE_OFF, Role

__all__ = [
    "CONNECTIONS",
    "VARIABLES",
    "ExecFacts",
    "TaskPolicyFacts",
    "execution_policy",
    "metrics_namespace",
    "secret_prefix",
    "task_policy",
    "task_trust",
]

SERVICE: Final = "ecs-tasks.amazonaws.com"
CONNECTIONS, VARIABLES = "connections", "variables"
PROOF_KEYS: Final = "PROOF#*"
"""Partition keys of the ledger that readers write: what each container has verified."""
RELEASE_KEY: Final = "RELEASE"
"""Partition key of the ledger that the publisher writes: what is published, and what is taken away."""
COMPARE: Final = ("dynamodb:ConditionCheckItem",)
"""What a transaction needs that looks at the pointer before it takes a release away."""
RELEASE_PREFIX: Final = "dags"
"""Where DAG releases begin in the release bucket."""


def secret_prefix(environment: str, kind: str) -> str:
    """Return the beginning of the names of Airflow's connections or variables in Secrets Manager."""
    return f"airflow/{environment}/{kind}"


def job_role_path(environment: str) -> str:
    """Return the IAM path of the roles that DAGs may assume; their owners make them, the platform makes none."""
    return f"/airflow/{environment}/jobs/"


def metrics_namespace(environment: str) -> str:
    """Return the CloudWatch namespace of an environment's own metrics."""
    return f"Airflow/{environment}"


def task_trust(region: str, account_id: str) -> Document:
    """Return the trust policy of every role of a task: ECS, for tasks of this account and region only."""
    source = f"arn:{partition_of(region)}:ecs:{region}:{account_id}:*"
    return service_trust(SERVICE, account_id=account_id, source_arn=source)


def execution_policy(
    *,
    region: str,
    account_id: str,
    repository_arn: pulumi.Input[str],
    log_group_name: pulumi.Input[str],
    secret_arns: Sequence[pulumi.Input[str]],
    key_arn: pulumi.Input[str],
) -> list[Statement]:
    """Return what ECS needs to start one container: its image, its log, its secrets.

    Args:
        region: Region of all of them.
        account_id: Account of the log group.
        repository_arn: The one repository of the image.
        log_group_name: The container's own log group.
        secret_arns: Exactly the secrets that its definition names; may be empty.
        key_arn: Key of the secrets.

    """
    log_group = pulumi.Output.from_input(log_group_name).apply(
        lambda name: log_group_arn(region, account_id, name)
    )
    statements: list[Statement] = [
        {
            "Sid": "LogIn",
            "Effect": "Allow",
            "Action": "ecr:GetAuthorizationToken",
            # The token is for the registry: AWS knows no resource to limit it to.
            "Resource": "*",
        },
        {
            "Sid": "PullImage",
            "Effect": "Allow",
            "Action": ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            "Resource": repository_arn,
        },
        {
            "Sid": "WriteLog",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": pulumi.Output.concat(log_group, ":*"),
        },
    ]
    if not secret_arns:
        return statements
    return [
        *statements,
        {
            "Sid": "ReadSecrets",
            "Effect": "Allow",
            "Action": "secretsmanager:GetSecretValue",
            "Resource": list(secret_arns),
        },
        _use_key("DecryptSecrets", ["kms:Decrypt"], key_arn, "secretsmanager", region),
    ]


@dataclass(frozen=True, kw_only=True)
class TaskPolicyFacts:
    """What the rights of a role inside its container are made of."""

    region: str
    account_id: str
    environment: str
    """Decides the names of secrets and metrics."""
    cluster_name: pulumi.Input[str]
    key_arn: pulumi.Input[str]
    """Key of task logs, ledger and secrets."""
    log_bucket_arn: pulumi.Input[str]
    log_prefix: str
    """Where task logs begin in the bucket, without a slash."""
    file_system_arn: pulumi.Input[str]
    reader_access_point_arn: pulumi.Input[str]
    writer_access_point_arn: pulumi.Input[str]
    ledger_arn: pulumi.Input[str]
    release_bucket_arn: pulumi.Input[str]
    shared_key_arn: pulumi.Input[str]
    """Key of the release bucket."""
    exec: ExecFacts | None = None
    """None without ECS Exec."""
    dags_in_image: bool = False
    """Readers have the DAGs in their image and mount nothing."""


def task_policy(role: Role, facts: TaskPolicyFacts) -> list[Statement]:
    """Return what the processes of a role may do in AWS; an empty list for those that need nothing.

    Raises:
        KeyError: The release agent has no rights of its own, but those of the task that it stands in.

    """
    statements = _OF_ROLE[role](facts)
    if facts.exec is None or role in ONE_OFF:
        return statements
    return [*statements, *exec_channel(facts.region, facts.account_id, facts.exec)]


def _runs_code_of_dags(facts: TaskPolicyFacts) -> list[Statement]:
    secrets = airflow_secrets(facts, CONNECTIONS, VARIABLES)
    return [*dag_reader(facts), *task_logs_writer(facts), *secrets, job_roles(facts)]


def job_roles(facts: TaskPolicyFacts) -> Statement:
    """Return what lets a DAG act in AWS: a role that its owner has put into the environment's path for jobs."""
    partition = partition_of(facts.region)
    return {
        "Sid": "BecomeJobRole",
        "Effect": "Allow",
        "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Resource": f"arn:{partition}:iam::{facts.account_id}:role{job_role_path(facts.environment)}*",
    }


def task_logs_writer(facts: TaskPolicyFacts) -> list[Statement]:
    """Return what uploads task logs: the handler looks for an older log first and appends to it."""
    return [
        _task_log_objects("WriteTaskLogs", ["s3:GetObject", "s3:PutObject"], facts),
        _find_task_logs(facts),
        _use_key(
            "EncryptTaskLogs", ["kms:Decrypt", "kms:GenerateDataKey"], facts.key_arn, "s3", facts.region
        ),
    ]


def task_logs_reader(facts: TaskPolicyFacts) -> list[Statement]:
    """Return what shows task logs."""
    return [
        _task_log_objects("ReadTaskLogs", ["s3:GetObject"], facts),
        _find_task_logs(facts),
        _use_key("DecryptTaskLogs", ["kms:Decrypt"], facts.key_arn, "s3", facts.region),
    ]


def _task_log_objects(sid: str, actions: list[str], facts: TaskPolicyFacts) -> Statement:
    resource = pulumi.Output.concat(facts.log_bucket_arn, f"/{facts.log_prefix}/*")
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}


def _find_task_logs(facts: TaskPolicyFacts) -> Statement:
    return {
        "Sid": "FindTaskLogs",
        "Effect": "Allow",
        "Action": "s3:ListBucket",
        "Resource": facts.log_bucket_arn,
        # IfExists: asked for a log that does not exist, S3 answers "not found" only to who may list. That question
        # carries no prefix, and on "forbidden" the handler would throw the log away.
        "Condition": {"StringLikeIfExists": {"s3:prefix": f"{facts.log_prefix}/*"}},
    }


def dag_reader(facts: TaskPolicyFacts) -> list[Statement]:
    """Return what reads DAG releases and proves which one a container has; nothing here can write a file."""
    mount = [] if facts.dags_in_image else [_mount_dags(facts, facts.reader_access_point_arn)]
    return [
        *mount,
        *_ledger(facts, "WriteProofs", ["dynamodb:PutItem"], PROOF_KEYS),
    ]


def dag_writer(facts: TaskPolicyFacts) -> list[Statement]:
    """Return what makes an uploaded DAG release readable, and records it; the pointer is out of its reach."""
    return [
        {
            "Sid": "ReadReleases",
            "Effect": "Allow",
            "Action": "s3:GetObject",
            "Resource": pulumi.Output.concat(facts.release_bucket_arn, f"/{RELEASE_PREFIX}/*"),
        },
        _use_key("DecryptReleases", ["kms:Decrypt"], facts.shared_key_arn, "s3", facts.region),
        _mount_dags(facts, facts.writer_access_point_arn, "elasticfilesystem:ClientWrite"),
        *_ledger(facts, "WriteReleases", ["dynamodb:PutItem", "dynamodb:UpdateItem"], RELEASE_KEY, *COMPARE),
    ]


def _mount_dags(facts: TaskPolicyFacts, access_point_arn: pulumi.Input[str], *more: str) -> Statement:
    return {
        "Sid": "MountDags",
        "Effect": "Allow",
        "Action": ["elasticfilesystem:ClientMount", *more],
        "Resource": facts.file_system_arn,
        "Condition": {
            "StringEquals": {"elasticfilesystem:AccessPointArn": access_point_arn},
            "Bool": {"elasticfilesystem:AccessedViaMountTarget": "true"},
        },
    }


def _ledger(
    facts: TaskPolicyFacts, sid: str, write: list[str], keys: str, *more_reading: str
) -> list[Statement]:
    return [
        {
            "Sid": "ReadLedger",
            "Effect": "Allow",
            "Action": [*more_reading, "dynamodb:GetItem", "dynamodb:Query"],
            "Resource": facts.ledger_arn,
        },
        {
            "Sid": sid,
            "Effect": "Allow",
            "Action": write,
            "Resource": facts.ledger_arn,
            "Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [keys]}},
        },
        # DynamoDB opens the table's key with the rights of whoever asks, for writing too.
        _use_key("OpenLedger", ["kms:Decrypt"], facts.key_arn, "dynamodb", facts.region),
    ]


def airflow_secrets(facts: TaskPolicyFacts, *kinds: str) -> list[Statement]:
    """Return what reads Airflow's connections or variables that a team keeps in Secrets Manager."""
    base = f"arn:{partition_of(facts.region)}:secretsmanager:{facts.region}:{facts.account_id}:secret"
    arns = [f"{base}:{secret_prefix(facts.environment, kind)}/*" for kind in kinds]
    decrypt = _use_key(
        "DecryptAirflowSecrets", ["kms:Decrypt"], facts.key_arn, "secretsmanager", facts.region
    )
    # The platform's own credentials lie under the same key.
    decrypt["Condition"]["StringLike"] = {"kms:EncryptionContext:SecretARN": arns}
    return [
        {
            "Sid": "ReadAirflowSecrets",
            "Effect": "Allow",
            "Action": "secretsmanager:GetSecretValue",
            "Resource": arns,
        },
        decrypt,
    ]


def task_protection(facts: TaskPolicyFacts) -> Statement:
    """Return what keeps a busy worker from being ended by a deployment or by scaling in.

    The agent's endpoint needs it as well: without it a request for protection is refused inside the container.
    """
    tasks = f"arn:{partition_of(facts.region)}:ecs:{facts.region}:{facts.account_id}:task/"
    return {
        "Sid": "ProtectItself",
        "Effect": "Allow",
        "Action": ["ecs:GetTaskProtection", "ecs:UpdateTaskProtection"],
        "Resource": pulumi.Output.concat(tasks, facts.cluster_name, "/*"),
    }


def publish_metrics(facts: TaskPolicyFacts) -> Statement:
    """Return what publishes the backlog, by which workers scale."""
    return {
        "Sid": "PublishMetrics",
        "Effect": "Allow",
        "Action": "cloudwatch:PutMetricData",
        # A metric is no resource: the condition limits it.
        "Resource": "*",
        "Condition": {"StringEquals": {"cloudwatch:namespace": metrics_namespace(facts.environment)}},
    }


def _use_key(
    sid: str, actions: list[str], key_arn: pulumi.Input[str], service: str, region: str
) -> Statement:
    """Return the right to use a key, only through one service of AWS."""
    suffix = "amazonaws.com.cn" if partition_of(region) == "aws-cn" else "amazonaws.com"
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Action": actions,
        "Resource": key_arn,
        "Condition": {"StringEquals": {"kms:ViaService": f"{service}.{region}.{suffix}"}},
    }


_OF_ROLE: Final[Mapping[Role, Callable[[TaskPolicyFacts], list[Statement]]]] = {
    Role.API_SERVER: task_logs_reader,
    Role.SCHEDULER: lambda facts: [publish_metrics(facts)],
    # Parsing may read variables. A connection is opened by a task, never by parsing.
    Role.DAG_PROCESSOR: lambda facts: [*dag_reader(facts), *airflow_secrets(facts, VARIABLES)],
    Role.TRIGGERER: _runs_code_of_dags,
    Role.WORKER: lambda facts: [*_runs_code_of_dags(facts), task_protection(facts)],
    Role.FLOWER: lambda _: [],
    Role.BOOTSTRAP: lambda _: [],
    Role.RELEASE_PUBLISHER: dag_writer,
}
