"""The platform gate's function: exact rights, exact event, exact order. What it does is proved in tests/functions."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

import functions
from components.iam import gate
from components.migration import Migration, MigrationArgs, function_code
from functions.platform_gate.event import parse
from functions.platform_gate.kinds import SecretKind
from tests.harness import Deployment, RecordingMonitor
from tests.unit.programs import ACCOUNT, KEY_ARN, REGION, built, run, value

FUNCTION = "aws:lambda/function:Function"
INVOCATION = "aws:lambda/invocation:Invocation"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
ROLE = "aws:iam/role:Role"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"

CLUSTER = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/compute"
TASK = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/airflow-dev-bootstrap:7"
IMAGE = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/airflow@sha256:" + "a" * 64
SECRETS = {kind: f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:dev-{kind}-aBcDeF" for kind in SecretKind}
ARGS = MigrationArgs(
    account_id=ACCOUNT,
    region=REGION,
    role_path="/airflow/dev/",
    key_arn=KEY_ARN,
    log_retention_days=30,
    cluster_arn=CLUSTER,
    cluster_name="compute",
    task_definition_arn=TASK,
    task_family="airflow-dev-bootstrap",
    task_role_arns=[f"arn:aws:iam::{ACCOUNT}:role/airflow/dev/{name}" for name in ("execution", "task")],
    task_log_group_name="airflow-dev-bootstrap-log",
    subnet_ids=["subnet-1", "subnet-2"],
    security_group_id="sg-1",
    database_identifier="airflow-dev",
    database_arn=f"arn:aws:rds:{REGION}:{ACCOUNT}:db:airflow-dev",
    database_resource_id="db-1",
    secret_arns=SECRETS,
    broker_user_id="airflow-dev",
    broker_user_arn=f"arn:aws:elasticache:{REGION}:{ACCOUNT}:user:airflow-dev",
    broker_access_string="on ~* &* +@all",
    api_server_host="api-server.dev.airflow.internal",
    image=IMAGE,
)
TRIGGERS = {"image": IMAGE, "taskDefinition": TASK, "databaseResourceId": "db-1"}


def migration(deploy: Deployment, args: MigrationArgs = ARGS, name: str = "gate") -> RecordingMonitor:
    return run(deploy, lambda opts: Migration(name, args, opts))


def test_log_group(deploy: Deployment) -> None:
    assert migration(deploy).inputs(LOG_GROUP) == {"gate-log": {"retentionInDays": 30, "kmsKeyId": KEY_ARN}}


def test_function(deploy: Deployment) -> None:
    monitor = migration(deploy)
    (inputs,) = monitor.inputs(FUNCTION).values()
    assert isinstance(inputs.pop("code"), pulumi.AssetArchive)
    assert inputs == {
        "description": "Fills secrets, switches the broker's user on and runs the bootstrap task",
        "role": monitor.state(ROLE)["arn"],
        "runtime": "python3.13",
        "architectures": ["arm64"],
        "handler": "platform_gate.handler.handle",
        "timeout": 900,
        "memorySize": 512,
        "loggingConfig": {
            "logFormat": "JSON",
            "applicationLogLevel": "INFO",
            "systemLogLevel": "WARN",
            "logGroup": monitor.state(LOG_GROUP)["name"],
        },
    }


def test_handler_exists() -> None:
    module, name = "platform_gate.handler", "handle"
    assert (functions.FOLDER / f"{module.replace('.', '/')}.py").read_text().count(f"\ndef {name}(") == 1


def test_role_trusts_lambda_in_its_account_only(deploy: Deployment) -> None:
    monitor = migration(deploy)
    (inputs,) = monitor.inputs(ROLE).values()
    assert inputs["assumeRolePolicy"] == gate.gate_trust("111111111111")
    assert {key: item for key, item in inputs.items() if key != "assumeRolePolicy"} == {
        "description": "The platform gate prepares secrets, broker and database",
        "path": "/airflow/dev/",
    }


def statements(monitor: RecordingMonitor) -> dict[str, dict[str, Any]]:
    (inputs,) = monitor.inputs(ROLE_POLICY).values()
    assert inputs["role"] == monitor.state(ROLE)["name"]
    return {statement["Sid"]: statement for statement in inputs["policy"]["Statement"]}


def test_role_policy_names_what_it_was_given(deploy: Deployment) -> None:
    """The statements themselves are compared in test_iam_gate.py."""
    monitor = migration(deploy)
    resources = {sid: statement["Resource"] for sid, statement in statements(monitor).items()}
    log_group = monitor.state(LOG_GROUP)["name"]
    assert resources == {
        "WriteLog": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{log_group}:*",
        "SeeDatabase": ARGS.database_arn,
        "FillSecrets": list(SECRETS.values()),
        "ReadOwnSecrets": [
            SECRETS[SecretKind.BROKER_USER],
            SECRETS[SecretKind.API_SERVER_PRIVATE_KEY],
            SECRETS[SecretKind.API_SERVER_CERTIFICATE],
        ],
        "EncryptSecrets": KEY_ARN,
        "EnableBrokerUser": ARGS.broker_user_arn,
        "RunBootstrap": f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/airflow-dev-bootstrap:*",
        "PassBootstrapRoles": list(ARGS.task_role_arns),
        "SeeTasksAndServices": [
            f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/compute/*",
            f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/compute/*",
        ],
        "ListTasksAndServices": "*",
    }


def test_invocation(deploy: Deployment) -> None:
    monitor = migration(deploy)
    (inputs,) = monitor.inputs(INVOCATION).values()
    event = json.loads(inputs.pop("input"))
    assert inputs == {
        "functionName": monitor.state(FUNCTION)["name"],
        "triggers": TRIGGERS,
        "lifecycleScope": "CREATE_ONLY",
    }
    assert event == {
        "database": "airflow-dev",
        "secrets": {kind.value: arn for kind, arn in SECRETS.items()},
        "hostName": "api-server.dev.airflow.internal",
        "broker": {"userId": "airflow-dev", "accessString": "on ~* &* +@all"},
        "bootstrap": {
            "cluster": CLUSTER,
            "family": "airflow-dev-bootstrap",
            "taskDefinition": TASK,
            "container": "bootstrap",
            "subnetIds": ["subnet-1", "subnet-2"],
            "securityGroupId": "sg-1",
            "logGroup": "airflow-dev-bootstrap-log",
        },
        "triggers": TRIGGERS,
    }


def test_function_can_read_the_event(deploy: Deployment) -> None:
    (inputs,) = migration(deploy).inputs(INVOCATION).values()
    assert parse(json.loads(inputs["input"])).secret_arns == SECRETS


def test_environment_without_flower(deploy: Deployment) -> None:
    some: dict[SecretKind, pulumi.Input[str]] = {
        kind: arn for kind, arn in SECRETS.items() if kind is not SecretKind.FLOWER_USER
    }
    monitor = migration(deploy, replace(ARGS, secret_arns=some))
    (inputs,) = monitor.inputs(INVOCATION).values()
    assert parse(json.loads(inputs["input"])).secret_arns == some
    assert statements(monitor)["FillSecrets"]["Resource"] == list(some.values())


def test_invocation_waits_for_the_functions_rights(deploy: Deployment) -> None:
    assert "gate-role-policy" in migration(deploy).one(INVOCATION).depends_on


def provider_of(opts: pulumi.ResourceOptions) -> pulumi.ProviderResource:
    assert isinstance(opts.providers, list)
    provider: pulumi.ProviderResource = opts.providers[0]
    return provider


@pytest.mark.parametrize("later", [False, True], ids=["list", "output of a list"])
def test_invocation_waits_for_what_the_task_needs(deploy: Deployment, later: bool) -> None:
    def build(opts: pulumi.ResourceOptions) -> None:
        child = pulumi.ResourceOptions(provider=provider_of(opts))
        ways = [aws.sns.Topic(name, opts=child) for name in ("a", "b")]
        after = pulumi.Output.from_input("known").apply(lambda _: ways) if later else ways
        Migration("gate", replace(ARGS, after=after), opts)

    monitor = run(deploy, build)
    assert {"a", "b", "gate-role-policy"} <= monitor.one(INVOCATION).depends_on
    assert not {"a", "b"} & monitor.one(FUNCTION).depends_on


def test_ready_is_the_invocation(deploy: Deployment) -> None:
    _, component = built(deploy, lambda opts: Migration("gate", ARGS, opts))
    names = [value(deploy, resource.urn).rpartition("::")[2] for resource in component.ready]
    assert names == ["gate-invocation"]


def test_nothing_else_is_registered(deploy: Deployment) -> None:
    types = (LOG_GROUP, ROLE, ROLE_POLICY, FUNCTION, INVOCATION)
    both = ("airflow:platform:Migration", "pulumi:providers:aws")
    assert migration(deploy).counts == dict.fromkeys((*types, *both), 1)


def test_outputs(deploy: Deployment) -> None:
    monitor = migration(deploy)
    policy = json.loads(monitor.one("aws:iam/rolePolicy:RolePolicy").inputs["policy"])
    assert monitor.outputs["gate"] == {
        "functionName": monitor.state(FUNCTION)["name"],
        "documents": {"gate-role-policy": {"policy": policy}},
    }


def test_long_names_are_shortened(deploy: Deployment) -> None:
    monitor = migration(deploy, name="airflow-" + "x" * 60)
    assert len(monitor.state(FUNCTION)["name"]) <= 64
    assert len(monitor.state(ROLE)["name"]) <= 64


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"account_id": "1"}, 'account_id: want 12 digits, got "1"'),
        ({"log_retention_days": 31}, r"log_retention_days: want one of 1, 3, .*, got 31"),
        (
            {
                "secret_arns": {
                    kind: arn
                    for kind, arn in SECRETS.items()
                    if kind not in {SecretKind.FERNET_KEY, SecretKind.ADMIN_USER}
                }
            },
            "secret_arns: want every secret of the platform, fernet-key, admin-user is missing",
        ),
    ],
    ids=["account", "retention", "secrets"],
)
def test_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        replace(ARGS, **changes)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder of functions with a few packages."""
    shutil.copytree(functions.FOLDER / "platform_gate", tmp_path / "platform_gate")
    packages = tmp_path / "packages"
    for made in ("cryptography", "cffi-2.1.1.dist-info", "bin", "__pycache__"):
        (packages / made).mkdir(parents=True)
    for made in ("_cffi_backend.cpython-313-aarch64-linux-gnu.so", "single.py", ".lock"):
        (packages / made).touch()
    for lock in (tmp_path, packages):
        (lock / "requirements.lock").write_text("cryptography==1")
    return tmp_path


def test_code_has_the_own_modules_and_no_bytecode(folder: Path) -> None:
    (folder / "platform_gate" / "__pycache__").mkdir(exist_ok=True)
    own = function_code(folder).assets["platform_gate"]
    assert isinstance(own, pulumi.AssetArchive)
    modules = {path.name: str(path) for path in (functions.FOLDER / "platform_gate").glob("*.py")}
    assert set(own.assets) == set(modules)
    assert all(isinstance(asset, pulumi.FileAsset) for asset in own.assets.values())


def test_code_has_the_packages_without_records_of_the_installer(folder: Path) -> None:
    assets = {name: type(asset) for name, asset in function_code(folder).assets.items()}
    assert assets == {
        "platform_gate": pulumi.AssetArchive,
        "cryptography": pulumi.FileArchive,
        "_cffi_backend.cpython-313-aarch64-linux-gnu.so": pulumi.FileAsset,
        "single.py": pulumi.FileAsset,
    }


def test_code_lies_beside_the_functions_package(deploy: Deployment) -> None:
    """Not in the working directory: a copy of the program may run elsewhere."""
    asset = function_code().assets["cryptography"]
    assert isinstance(asset, pulumi.FileArchive)
    assert Path(asset.path) == functions.FOLDER / "packages" / "cryptography"


@pytest.mark.parametrize("state", ["missing", "of another lock file"])
def test_packages_must_be_installed(folder: Path, state: str) -> None:
    lock = folder / "packages" / "requirements.lock"
    if state == "missing":
        lock.unlink()
    else:
        lock.write_text("cryptography==0")
    with pytest.raises(ValueError, match=r"want the packages of requirements.lock, run `make setup`$"):
        function_code(folder)
