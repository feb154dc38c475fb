"""Rights of tasks, compared whole: a wider statement must show."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any
from unittest.mock import MagicMock

import pulumi
import pytest

from components import iam
from components.iam import tasks
from components.iam.exec_session import ExecFacts
from components.roles import ONE_OFF, Role
from images.airflow.platform_runtime.releases.ledger import Ledger, Proof, Release
from images.airflow.platform_runtime.releases.source import archive_key, manifest_key
from sandbox.behaviour.rules.policy_linter import lint
from tests.harness import Deployment
from tests.unit.documents import document, trust
from tests.unit.programs import ACCOUNT, KEY_ARN, REGION, value

BUCKET = "arn:aws:s3:::task-logs-1a2b3c4"
FILES = "arn:aws:elasticfilesystem:eu-west-1:111111111111:file-system/fs-0123456789abcdef0"
READER = "arn:aws:elasticfilesystem:eu-west-1:111111111111:access-point/fsap-0123456789abcdef0"
WRITER = "arn:aws:elasticfilesystem:eu-west-1:111111111111:access-point/fsap-0123456789abcdef1"
RELEASES = "arn:aws:s3:::releases-1a2b3c4"
SHARED_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/9d1b0f5e-6a0e-4f0e-8d0e-2f6c1f3b7a22"
LEDGER = "arn:aws:dynamodb:eu-west-1:111111111111:table/ledger-1a2b3c4"
REPOSITORY = "arn:aws:ecr:eu-west-1:111111111111:repository/airflow"
SECRET = "arn:aws:secretsmanager:eu-west-1:111111111111:secret"
LOGS = "arn:aws:logs:eu-west-1:111111111111:log-group"
EXEC_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/5c0c6a6e-3b1f-4c4c-9b57-3b8f5f7a1f11"
FACTS = tasks.TaskPolicyFacts(
    region=REGION,
    account_id=ACCOUNT,
    environment="dev",
    cluster_name="airflow-dev",
    key_arn=KEY_ARN,
    log_bucket_arn=BUCKET,
    log_prefix="task-logs",
    file_system_arn=FILES,
    reader_access_point_arn=READER,
    writer_access_point_arn=WRITER,
    ledger_arn=LEDGER,
    release_bucket_arn=RELEASES,
    shared_key_arn=SHARED_KEY,
)


def allow(sid: str, action: str | list[str], resource: str | list[str], **condition: Any) -> dict[str, Any]:
    statement = {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": resource}
    return statement | ({"Condition": condition} if condition else {})


def via(service: str) -> dict[str, Any]:
    return {"StringEquals": {"kms:ViaService": f"{service}.eu-west-1.amazonaws.com"}}


FIND_LOGS = allow("FindTaskLogs", "s3:ListBucket", BUCKET, StringLikeIfExists={"s3:prefix": "task-logs/*"})
READ_LOGS = [
    allow("ReadTaskLogs", ["s3:GetObject"], f"{BUCKET}/task-logs/*"),
    FIND_LOGS,
    allow("DecryptTaskLogs", ["kms:Decrypt"], KEY_ARN, **via("s3")),
]
WRITE_LOGS = [
    allow("WriteTaskLogs", ["s3:GetObject", "s3:PutObject"], f"{BUCKET}/task-logs/*"),
    FIND_LOGS,
    allow("EncryptTaskLogs", ["kms:Decrypt", "kms:GenerateDataKey"], KEY_ARN, **via("s3")),
]


def mount(access_point: str, *actions: str) -> dict[str, Any]:
    return allow(
        "MountDags",
        [f"elasticfilesystem:{action}" for action in actions],
        FILES,
        StringEquals={"elasticfilesystem:AccessPointArn": access_point},
        Bool={"elasticfilesystem:AccessedViaMountTarget": "true"},
    )


def of_items(keys: str) -> dict[str, Any]:
    return {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [keys]}}


READ_LEDGER = allow("ReadLedger", ["dynamodb:GetItem", "dynamodb:Query"], LEDGER)
COMPARE_IN_LEDGER = allow(
    "ReadLedger", ["dynamodb:ConditionCheckItem", "dynamodb:GetItem", "dynamodb:Query"], LEDGER
)
OPEN_LEDGER = allow("OpenLedger", ["kms:Decrypt"], KEY_ARN, **via("dynamodb"))
READ_DAGS = [
    mount(READER, "ClientMount"),
    READ_LEDGER,
    allow("WriteProofs", ["dynamodb:PutItem"], LEDGER, **of_items("PROOF#*")),
    OPEN_LEDGER,
]
PUBLISH_DAGS = [
    allow("ReadReleases", "s3:GetObject", f"{RELEASES}/dags/*"),
    allow("DecryptReleases", ["kms:Decrypt"], SHARED_KEY, **via("s3")),
    mount(WRITER, "ClientMount", "ClientWrite"),
    COMPARE_IN_LEDGER,
    allow("WriteReleases", ["dynamodb:PutItem", "dynamodb:UpdateItem"], LEDGER, **of_items("RELEASE")),
    OPEN_LEDGER,
]


def airflow_secrets(*kinds: str) -> list[dict[str, Any]]:
    arns = [f"{SECRET}:airflow/dev/{kind}/*" for kind in kinds]
    context = {"kms:EncryptionContext:SecretARN": arns}
    return [
        allow("ReadAirflowSecrets", "secretsmanager:GetSecretValue", arns),
        allow("DecryptAirflowSecrets", ["kms:Decrypt"], KEY_ARN, **via("secretsmanager"), StringLike=context),
    ]


PROTECT = allow(
    "ProtectItself",
    ["ecs:GetTaskProtection", "ecs:UpdateTaskProtection"],
    "arn:aws:ecs:eu-west-1:111111111111:task/airflow-dev/*",
)
METRICS = allow(
    "PublishMetrics",
    "cloudwatch:PutMetricData",
    "*",
    StringEquals={"cloudwatch:namespace": "Airflow/dev"},
)
JOBS = allow(
    "BecomeJobRole",
    ["sts:AssumeRole", "sts:TagSession"],
    "arn:aws:iam::111111111111:role/airflow/dev/jobs/*",
)
RIGHTS: dict[Role, list[dict[str, Any]]] = {
    Role.API_SERVER: READ_LOGS,
    Role.SCHEDULER: [METRICS],
    Role.DAG_PROCESSOR: [*READ_DAGS, *airflow_secrets("variables")],
    Role.TRIGGERER: [*READ_DAGS, *WRITE_LOGS, *airflow_secrets("connections", "variables"), JOBS],
    Role.WORKER: [*READ_DAGS, *WRITE_LOGS, *airflow_secrets("connections", "variables"), JOBS, PROTECT],
    Role.FLOWER: [],
    Role.BOOTSTRAP: [],
    Role.RELEASE_PUBLISHER: PUBLISH_DAGS,
}
"""Of every role but the agent's, which has the rights of the task that it stands in."""
EXEC = [
    allow(
        "OpenSession",
        [
            "ssmmessages:CreateControlChannel",
            "ssmmessages:CreateDataChannel",
            "ssmmessages:OpenControlChannel",
            "ssmmessages:OpenDataChannel",
        ],
        "*",
    ),
    allow(
        "RecordSession",
        ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
        f"{LOGS}:exec:*",
    ),
    allow("FindSessionLog", "logs:DescribeLogGroups", "*"),
    allow("EncryptSession", "kms:Decrypt", EXEC_KEY),
]
WITH_EXEC = replace(FACTS, exec=ExecFacts(log_group_name="exec", key_arn=EXEC_KEY))


def resolved(deploy: Deployment, statements: list[dict[str, Any]]) -> Any:
    return json.loads(value(deploy, pulumi.Output.json_dumps(statements)))


def test_every_role_with_a_task_of_its_own_is_here() -> None:
    assert RIGHTS.keys() == set(Role) - {Role.RELEASE_AGENT}


def test_the_agent_has_no_rights_of_its_own() -> None:
    with pytest.raises(KeyError):
        tasks.task_policy(Role.RELEASE_AGENT, FACTS)


@pytest.mark.parametrize("role", RIGHTS)
def test_rights_of_a_role(deploy: Deployment, role: Role) -> None:
    assert resolved(deploy, tasks.task_policy(role, FACTS)) == RIGHTS[role]


@pytest.mark.parametrize("role", RIGHTS)
def test_exec_is_added_to_what_runs_all_the_time(deploy: Deployment, role: Role) -> None:
    added = [] if role in ONE_OFF else EXEC
    assert resolved(deploy, tasks.task_policy(role, WITH_EXEC)) == [*RIGHTS[role], *added]


@pytest.mark.parametrize("role", RIGHTS)
def test_a_reader_whose_image_has_the_dags_mounts_nothing(deploy: Deployment, role: Role) -> None:
    wanted = [each for each in RIGHTS[role] if each != READ_DAGS[0]]
    assert resolved(deploy, tasks.task_policy(role, replace(FACTS, dags_in_image=True))) == wanted


def test_execution_role(deploy: Deployment) -> None:
    assert resolved(deploy, execution([f"{SECRET}:a", f"{SECRET}:b"])) == [
        *START,
        allow("ReadSecrets", "secretsmanager:GetSecretValue", [f"{SECRET}:a", f"{SECRET}:b"]),
        allow("DecryptSecrets", ["kms:Decrypt"], KEY_ARN, **via("secretsmanager")),
    ]


START = [
    allow("LogIn", "ecr:GetAuthorizationToken", "*"),
    allow(
        "PullImage",
        ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        REPOSITORY,
    ),
    allow("WriteLog", ["logs:CreateLogStream", "logs:PutLogEvents"], f"{LOGS}:scheduler-log:*"),
]


def execution(secret_arns: list[str]) -> list[dict[str, Any]]:
    return tasks.execution_policy(
        region=REGION,
        account_id=ACCOUNT,
        repository_arn=REPOSITORY,
        log_group_name="scheduler-log",
        secret_arns=secret_arns,
        key_arn=KEY_ARN,
    )


def test_execution_role_without_secrets(deploy: Deployment) -> None:
    assert resolved(deploy, execution([])) == START


def test_trust() -> None:
    assert tasks.task_trust(REGION, ACCOUNT) == document(
        trust("ecs-tasks.amazonaws.com", "arn:aws:ecs:eu-west-1:111111111111:*")
    )


def test_keys_in_china(deploy: Deployment) -> None:
    """The service's name ends with the domain of the partition."""
    (*_, decrypt) = resolved(deploy, tasks.task_logs_reader(replace(FACTS, region="cn-north-1")))
    assert decrypt["Condition"] == {"StringEquals": {"kms:ViaService": "s3.cn-north-1.amazonaws.com.cn"}}


@pytest.mark.parametrize("role", [role for role in RIGHTS if RIGHTS[role]])
def test_iam_knows_every_action_and_condition(deploy: Deployment, role: Role) -> None:
    statements = resolved(deploy, tasks.task_policy(role, WITH_EXEC))
    assert list(lint(iam.document(*statements), identity=True)) == []


@pytest.mark.parametrize("role", RIGHTS)
def test_star_only_where_nothing_else_can_be_written(deploy: Deployment, role: Role) -> None:
    statements = resolved(deploy, tasks.task_policy(role, WITH_EXEC))
    wide = {statement["Sid"] for statement in statements if statement["Resource"] == "*"}
    assert wide <= {"PublishMetrics", "OpenSession", "FindSessionLog"}


NOW = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.parametrize("key", [manifest_key("0" * 64), archive_key("0" * 64)])
def test_the_publisher_may_read_what_a_release_consists_of(key: str) -> None:
    assert key.startswith(f"{tasks.RELEASE_PREFIX}/")


def test_the_publisher_may_write_what_it_writes_into_the_ledger() -> None:
    """By the code of the image: it notes releases, and looks at the pointer without a right to move it."""
    client = MagicMock()
    ledger = Ledger("ledger", client)
    ledger.record_release(
        Release(
            release_id="0" * 64,
            git_commit="",
            files=1,
            size_bytes=1,
            published_at=NOW,
            published_by="",
        )
    )
    ledger.begin_collecting("0" * 64, NOW)
    ledger.finish_collecting("0" * 64)
    (transaction,) = (call.kwargs["TransactItems"] for call in client.transact_write_items.call_args_list)
    assert [
        client.put_item.call_args.kwargs["Item"]["pk"]["S"],
        client.update_item.call_args.kwargs["Key"]["pk"]["S"],
        *((kind, about["Key"]["pk"]["S"]) for action in transaction for kind, about in action.items()),
    ] == [tasks.RELEASE_KEY, tasks.RELEASE_KEY, ("Update", tasks.RELEASE_KEY), ("ConditionCheck", "POINTER")]


def test_an_agent_may_write_its_proof() -> None:
    client = MagicMock()
    Ledger("ledger", client).write_proof(
        Proof(
            service="airflow-dev-worker-default",
            task_id="1",
            release_id="0" * 64,
            computed_id="0" * 64,
            sequence=1,
            files=1,
            status="verified",
            detail="",
            verified_at=NOW,
            image_digest="",
            versions=(),
            request="",
        )
    )
    assert fnmatchcase(client.put_item.call_args.kwargs["Item"]["pk"]["S"], tasks.PROOF_KEYS)
