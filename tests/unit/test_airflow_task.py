"""A task: exact roles, rights, log and definition. Containers have tests of their own."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pulumi
import pytest

from components import task
from components.airflow_task import AirflowTask, AirflowTaskArgs, DagVolume
from components.references import SecretReference
from components.rendering import as_json
from components.roles import Role
from tests.harness import Deployment, RecordingMonitor
from tests.unit.documents import document, trust
from tests.unit.programs import ACCOUNT, KEY_ARN, REGION, built, run, value

LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
ROLE = "aws:iam/role:Role"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
DEFINITION = "aws:ecs/taskDefinition:TaskDefinition"
IMAGE = f"111111111111.dkr.ecr.eu-west-1.amazonaws.com/airflow@sha256:{'0' * 64}"
REPOSITORY = "arn:aws:ecr:eu-west-1:111111111111:repository/airflow"
SECRET = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:"
TRUST = document(trust("ecs-tasks.amazonaws.com", "arn:aws:ecs:eu-west-1:111111111111:*"))
METRICS = {
    "Sid": "PublishMetrics",
    "Effect": "Allow",
    "Action": "cloudwatch:PutMetricData",
    "Resource": "*",
    "Condition": {"StringEquals": {"cloudwatch:namespace": "Airflow/dev"}},
}
ARGS = AirflowTaskArgs(
    account_id=ACCOUNT,
    region=REGION,
    role_path="/airflow/dev/",
    role=Role.SCHEDULER,
    image=IMAGE,
    repository_arn=REPOSITORY,
    architecture="arm64",
    cpu_units=512,
    memory_mib=1024,
    environment={"PLATFORM_ROLE": "scheduler"},
    secrets={
        "USERNAME": SecretReference(f"{SECRET}user-AbCdEf", "username"),
        "PASSWORD": SecretReference(f"{SECRET}user-AbCdEf", "password"),
        "FERNET_KEY": SecretReference(f"{SECRET}fernet-AbCdEf"),
    },
    statements=[METRICS],
    key_arn=KEY_ARN,
    log_retention_days=30,
)
DAGS = DagVolume(file_system_id="fs-0123456789abcdef0", access_point_id="fsap-0123456789abcdef0")
AGENT = {"PLATFORM_ROLE": "release-agent"}
READER = replace(ARGS, role=Role.DAG_PROCESSOR, dag_volume=DAGS, agent_environment=AGENT)
PUBLISHER = replace(ARGS, role=Role.RELEASE_PUBLISHER, dag_volume=DAGS)


def airflow_task(deploy: Deployment, args: AirflowTaskArgs = ARGS) -> RecordingMonitor:
    return run(deploy, lambda opts: AirflowTask("airflow-dev-scheduler", args, opts))


def test_log_group(deploy: Deployment) -> None:
    assert airflow_task(deploy).inputs(LOG_GROUP) == {
        "airflow-dev-scheduler-log": {"retentionInDays": 30, "kmsKeyId": KEY_ARN}
    }


def test_roles(deploy: Deployment) -> None:
    """Two of its own: whoever starts the container may not do what is done inside, and the reverse."""
    assert airflow_task(deploy).inputs(ROLE) == {
        "airflow-dev-scheduler-execution-role": {
            "description": "ECS starts the task scheduler",
            "path": "/airflow/dev/",
            "assumeRolePolicy": TRUST,
        },
        "airflow-dev-scheduler-task-role": {
            "description": "The task scheduler acts in AWS",
            "path": "/airflow/dev/",
            "assumeRolePolicy": TRUST,
        },
    }


def test_rights(deploy: Deployment) -> None:
    """Secrets stand once each, and no others."""
    monitor = airflow_task(deploy)
    log = f"arn:aws:logs:eu-west-1:111111111111:log-group:{monitor.state(LOG_GROUP)['name']}:*"
    assert monitor.inputs(ROLE_POLICY) == {
        "airflow-dev-scheduler-execution-policy": {
            "role": monitor.state(ROLE, "airflow-dev-scheduler-execution-role")["name"],
            "policy": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "LogIn",
                        "Effect": "Allow",
                        "Action": "ecr:GetAuthorizationToken",
                        "Resource": "*",
                    },
                    {
                        "Sid": "PullImage",
                        "Effect": "Allow",
                        "Action": [
                            "ecr:BatchCheckLayerAvailability",
                            "ecr:BatchGetImage",
                            "ecr:GetDownloadUrlForLayer",
                        ],
                        "Resource": REPOSITORY,
                    },
                    {
                        "Sid": "WriteLog",
                        "Effect": "Allow",
                        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                        "Resource": log,
                    },
                    {
                        "Sid": "ReadSecrets",
                        "Effect": "Allow",
                        "Action": "secretsmanager:GetSecretValue",
                        "Resource": [f"{SECRET}fernet-AbCdEf", f"{SECRET}user-AbCdEf"],
                    },
                    {
                        "Sid": "DecryptSecrets",
                        "Effect": "Allow",
                        "Action": ["kms:Decrypt"],
                        "Resource": KEY_ARN,
                        "Condition": {
                            "StringEquals": {"kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com"}
                        },
                    },
                ],
            },
        },
        "airflow-dev-scheduler-task-policy": {
            "role": monitor.state(ROLE, "airflow-dev-scheduler-task-role")["name"],
            "policy": {"Version": "2012-10-17", "Statement": [METRICS]},
        },
    }


def definition(monitor: RecordingMonitor) -> dict[str, Any]:
    """Return the inputs of the definition without its containers."""
    inputs = dict(monitor.one(DEFINITION).inputs)
    del inputs["containerDefinitions"]
    return inputs


def expected(monitor: RecordingMonitor, volumes: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "family": "airflow-dev-scheduler",
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "512",
        "memory": "1024",
        "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
        "executionRoleArn": monitor.state(ROLE, "airflow-dev-scheduler-execution-role")["arn"],
        "taskRoleArn": monitor.state(ROLE, "airflow-dev-scheduler-task-role")["arn"],
        "volumes": volumes,
        "skipDestroy": True,
    }


SCRATCH = [{"name": "state"}, {"name": "tmp"}]
STORAGE = {
    "name": "dags",
    "efsVolumeConfiguration": {
        "fileSystemId": "fs-0123456789abcdef0",
        "rootDirectory": "/",
        "transitEncryption": "ENABLED",
        "authorizationConfig": {"accessPointId": "fsap-0123456789abcdef0", "iam": "ENABLED"},
    },
}
"""NFS over TLS, with the identity of the task role, through one door only."""


def test_definition(deploy: Deployment) -> None:
    monitor = airflow_task(deploy)
    assert definition(monitor) == expected(monitor, SCRATCH)


def test_definition_of_a_reader(deploy: Deployment) -> None:
    """It has scratch for the copies, too."""
    monitor = airflow_task(deploy, READER)
    assert definition(monitor) == expected(monitor, [STORAGE, *SCRATCH, {"name": "releases"}])


def test_definition_of_a_reader_whose_image_has_the_dags(deploy: Deployment) -> None:
    monitor = airflow_task(deploy, replace(READER, dag_volume=None, dags_in_image=True))
    assert definition(monitor) == expected(monitor, [*SCRATCH, {"name": "releases"}])


def test_agent_of_a_reader_whose_image_has_the_dags_mounts_no_storage(deploy: Deployment) -> None:
    monitor = airflow_task(deploy, replace(READER, dag_volume=None, dags_in_image=True))
    containers = json.loads(monitor.one(DEFINITION).inputs["containerDefinitions"])
    mounted = {mount["sourceVolume"] for each in containers for mount in each["mountPoints"]}
    assert mounted == {"releases", "state", "tmp"}


def test_definition_of_the_publisher(deploy: Deployment) -> None:
    monitor = airflow_task(deploy, PUBLISHER)
    assert definition(monitor) == expected(monitor, [STORAGE, *SCRATCH])


def test_intel_image(deploy: Deployment) -> None:
    monitor = airflow_task(deploy, replace(ARGS, architecture="x86_64"))
    assert definition(monitor)["runtimePlatform"]["cpuArchitecture"] == "X86_64"


@pytest.mark.parametrize("changes", [{}, {"command": ("airflow", "version"), "exec_enabled": True}])
def test_container(deploy: Deployment, changes: dict[str, Any]) -> None:
    args = replace(ARGS, **changes)
    monitor = airflow_task(deploy, args)
    container = task.ContainerArgs(
        role=args.role,
        image=IMAGE,
        command=args.command,
        region=REGION,
        log_group_name=monitor.state(LOG_GROUP)["name"],
        environment=args.environment,
        secrets=args.secrets,
        exec_enabled=args.exec_enabled,
    )
    got = monitor.one(DEFINITION).inputs["containerDefinitions"]
    assert json.loads(got) == json.loads(value(deploy, as_json([task.container(container)])))


@pytest.mark.parametrize("changes", [{}, {"command": ("airflow", "version"), "exec_enabled": True}])
def test_containers_of_a_reader(deploy: Deployment, changes: dict[str, Any]) -> None:
    """The agent has Airflow's image and log, a command and variables of its own, and no secret."""
    args = replace(READER, **changes)
    monitor = airflow_task(deploy, args)
    reader = task.ContainerArgs(
        role=Role.DAG_PROCESSOR,
        image=IMAGE,
        command=args.command,
        region=REGION,
        log_group_name=monitor.state(LOG_GROUP)["name"],
        environment=args.environment,
        secrets=args.secrets,
        exec_enabled=args.exec_enabled,
    )
    agent = task.ContainerArgs(
        role=Role.RELEASE_AGENT,
        image=IMAGE,
        region=REGION,
        log_group_name=monitor.state(LOG_GROUP)["name"],
        environment=AGENT,
        exec_enabled=args.exec_enabled,
    )
    got = monitor.one(DEFINITION).inputs["containerDefinitions"]
    assert json.loads(got) == json.loads(
        value(deploy, as_json([task.container(reader), task.container(agent)]))
    )


def test_the_publisher_has_no_agent(deploy: Deployment) -> None:
    containers = json.loads(airflow_task(deploy, PUBLISHER).one(DEFINITION).inputs["containerDefinitions"])
    assert [container["name"] for container in containers] == ["release-publisher"]


@pytest.mark.parametrize(
    ("args", "policies"),
    [(ARGS, 2), (replace(ARGS, statements=()), 1)],
    ids=["task policy", "no task policy"],
)
def test_counts(deploy: Deployment, args: AirflowTaskArgs, policies: int) -> None:
    assert airflow_task(deploy, args).counts == {
        "pulumi:providers:aws": 1,
        "airflow:compute:AirflowTask": 1,
        LOG_GROUP: 1,
        ROLE: 2,
        ROLE_POLICY: policies,
        DEFINITION: 1,
    }


@pytest.mark.parametrize(
    ("args", "names"),
    [
        (ARGS, {"airflow-dev-scheduler-execution-policy", "airflow-dev-scheduler-task-policy"}),
        (replace(ARGS, statements=()), {"airflow-dev-scheduler-execution-policy"}),
    ],
    ids=["both", "no task policy"],
)
def test_ready(deploy: Deployment, args: AirflowTaskArgs, names: set[str]) -> None:
    _, component = built(deploy, lambda opts: AirflowTask("airflow-dev-scheduler", args, opts))
    assert {value(deploy, policy.urn).rpartition("::")[2] for policy in component.ready} == names


def test_outputs(deploy: Deployment) -> None:
    monitor = airflow_task(deploy)
    outputs = monitor.outputs["airflow-dev-scheduler"]
    assert {name: output for name, output in outputs.items() if name != "documents"} == {
        "taskDefinitionArn": monitor.state(DEFINITION)["arn"],
        "family": "airflow-dev-scheduler",
        "logGroupName": monitor.state(LOG_GROUP)["name"],
        "executionRoleArn": monitor.state(ROLE, "airflow-dev-scheduler-execution-role")["arn"],
        "taskRoleArn": monitor.state(ROLE, "airflow-dev-scheduler-task-role")["arn"],
    }


def test_the_documents_are_what_its_texts_are_made_of(deploy: Deployment) -> None:
    monitor = airflow_task(deploy)
    texts = {
        resource.name: {name: json.loads(resource.inputs[name])}
        for token, name in ((DEFINITION, "containerDefinitions"), (ROLE_POLICY, "policy"))
        for resource in monitor.by_type[token]
    }
    assert monitor.outputs["airflow-dev-scheduler"]["documents"] == texts


def test_secret_that_is_not_known_yet_stands_once(deploy: Deployment) -> None:
    """A preview of a new stack knows no ARN; user name and password are of one secret."""

    def program(opts: pulumi.ResourceOptions) -> AirflowTask:
        arn = pulumi.Output.from_input(f"{SECRET}user-AbCdEf")
        secrets = {"A": SecretReference(arn, "username"), "B": SecretReference(arn, "password")}
        return AirflowTask("airflow-dev-scheduler", replace(ARGS, secrets=secrets), opts)

    policies = run(deploy, program).inputs(ROLE_POLICY)
    statements = policies["airflow-dev-scheduler-execution-policy"]["policy"]["Statement"]
    (read,) = (statement for statement in statements if statement["Sid"] == "ReadSecrets")
    assert read["Resource"] == [f"{SECRET}user-AbCdEf"]


def test_long_name_still_fits_a_role(deploy: Deployment) -> None:
    name = f"airflow-production-worker-{'x' * 40}"
    monitor = run(deploy, lambda opts: AirflowTask(name, ARGS, opts))
    assert {len(role.name) for role in monitor.by_type[ROLE]} == {56}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"account_id": "1"}, 'account_id: want 12 digits, got "1"'),
        ({"role_path": "airflow"}, 'role_path: want a path that begins and ends with /, got "airflow"'),
        ({"image": "airflow:3"}, r'image: want an image with its digest \(@sha256:...\), got "airflow:3"'),
        ({"architecture": "arm"}, "architecture: want one of arm64, x86_64, got arm"),
        ({"cpu_units": 300}, "cpu_units: want one of 256, 512, 1024, 2048, 4096, 8192, 16384, got 300"),
        ({"memory_mib": 512}, "memory_mib: want one of 1024, 2048, 3072, 4096, got 512"),
        ({"log_retention_days": 31}, "log_retention_days: want one of 1, 3, .*, got 31"),
        (
            {"role": Role.RELEASE_AGENT},
            "role: want a process with a task of its own, the release agent stands in those of others",
        ),
        ({"role": Role.WORKER}, "dag_volume: want one for the role worker"),
        ({"role": Role.RELEASE_PUBLISHER}, "dag_volume: want one for the role release-publisher"),
        ({"dag_volume": DAGS}, "dag_volume: want none for the role scheduler"),
        (
            {"role": Role.WORKER, "dag_volume": DAGS},
            "agent_environment: want one for the role worker",
        ),
        ({"agent_environment": AGENT}, "agent_environment: want none for the role scheduler"),
        (
            {"dags_in_image": True},
            "dags_in_image: want false for the role scheduler, which reads no DAGs",
        ),
        (
            {
                "role": Role.WORKER,
                "dag_volume": DAGS,
                "agent_environment": AGENT,
                "dags_in_image": True,
            },
            "dag_volume: want none for the role worker",
        ),
        (
            {"role": Role.RELEASE_PUBLISHER, "dag_volume": DAGS, "agent_environment": AGENT},
            "agent_environment: want none for the role release-publisher",
        ),
        (
            {"role": Role.BOOTSTRAP, "exec_enabled": True},
            "exec_enabled: want false for the role bootstrap, got true",
        ),
        (
            {"role": Role.RELEASE_PUBLISHER, "dag_volume": DAGS, "exec_enabled": True},
            "exec_enabled: want false for the role release-publisher, got true",
        ),
    ],
    ids=[
        *("account", "path", "tag", "architecture", "cpu", "memory", "retention"),
        *("agent alone", "reader without DAGs", "publisher without DAGs", "DAGs without reader"),
        *("reader without agent", "agent without reader"),
        *("baked DAGs without reader", "DAGs twice", "agent of the publisher"),
        *("exec into bootstrap", "exec into publisher"),
    ],
)
def test_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        replace(ARGS, **changes)


def test_name_that_is_too_long_for_a_family(deploy: Deployment) -> None:
    with pytest.raises(ValueError, match=r"^name \(its length\): want 1 to 255, got 256$"):
        run(deploy, lambda opts: AirflowTask("x" * 256, ARGS, opts))
