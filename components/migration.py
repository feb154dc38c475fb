"""The platform gate: a function that `pulumi up` invokes before any service starts or changes.

It fills secrets, switches the broker's user on and runs the bootstrap task; what closes it fails the update. It is
invoked when the image, the bootstrap task definition or the database is another one, or anything that the function
is told changes. It is not in the VPC: it calls AWS only, and the network interfaces of a function would hold subnets
and security groups for twenty minutes after its deletion.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pulumi
import pulumi_aws as aws

import functions
from components import checks, naming
from components.iam import gate
from components.rendering import Documents, as_json
from components.roles import Role
from functions.platform_gate.kinds import SecretKind

HANDLER = "platform_gate.handler.handle"
RUNTIME, ARCHITECTURE = "python3.13", "arm64"
TIMEOUT_SECONDS = 900
"""The longest that Lambda allows; the function itself says when that is not enough."""
MEMORY_MIB = 512
"""Decides the CPU share as well: with less, loading boto3 takes several seconds."""
FUNCTION_NAME_LIMIT = 64
OPTIONAL = frozenset({SecretKind.FLOWER_USER})
READ = (SecretKind.BROKER_USER, SecretKind.API_SERVER_PRIVATE_KEY, SecretKind.API_SERVER_CERTIFICATE)
"""The gate gives the first to the broker, makes the certificate from the second, and compares it with the third."""


@dataclass(frozen=True, kw_only=True)
class MigrationArgs:
    """Inputs of a Migration."""

    account_id: str
    """The account of everything that the gate touches."""
    region: str
    """Its region."""
    role_path: str = "/airflow/"
    """IAM path of the function's role."""
    key_arn: pulumi.Input[str]
    """Key of secrets and log; its policy must let CloudWatch Logs use it."""
    log_retention_days: int
    """Days that the function's log is kept; a period that CloudWatch Logs knows."""
    cluster_arn: pulumi.Input[str]
    """Cluster of the bootstrap task and of the services."""
    cluster_name: pulumi.Input[str]
    """Name of that cluster."""
    task_definition_arn: pulumi.Input[str]
    """Bootstrap task definition, with its revision."""
    task_family: pulumi.Input[str]
    """Family of the bootstrap task definition."""
    task_role_arns: Sequence[pulumi.Input[str]]
    """Execution role and task role of the bootstrap task."""
    task_log_group_name: pulumi.Input[str]
    """Log group of the bootstrap task; an error points there."""
    task_container: str = Role.BOOTSTRAP.value
    """Container of the bootstrap task whose exit code counts."""
    subnet_ids: pulumi.Input[Sequence[str]]
    """Private subnets of the bootstrap task."""
    security_group_id: pulumi.Input[str]
    """Security group of the bootstrap task."""
    database_identifier: str
    """Name of the database instance."""
    database_arn: pulumi.Input[str]
    """ARN of the database instance."""
    database_resource_id: pulumi.Input[str]
    """Its id that no other instance ever has: a restored database is another one."""
    secret_arns: Mapping[SecretKind, pulumi.Input[str]]
    """The secrets to fill, by kind; only Flower's may be missing."""
    broker_user_id: str
    """Id and name of the broker's user."""
    broker_user_arn: pulumi.Input[str]
    """ARN of the broker's user."""
    broker_access_string: str
    """What the broker's user may do."""
    api_server_host: str
    """Private host name of the api-server, for its certificate."""
    image: pulumi.Input[str]
    """Airflow image with its digest."""
    after: pulumi.Input[Sequence[pulumi.Resource]] = ()
    """What the bootstrap task needs beyond these inputs: its way out, capacity, rules and role policies."""

    def __post_init__(self) -> None:
        """Refuse what the function or AWS would refuse only when it is invoked."""
        checks.account_id(self.account_id)
        checks.retention_days("log_retention_days", self.log_retention_days)
        missing = [kind.value for kind in SecretKind if kind not in {*self.secret_arns, *OPTIONAL}]
        if missing:
            raise ValueError(
                f"secret_arns: want every secret of the platform, {', '.join(missing)} is missing"
            )


class Migration(pulumi.ComponentResource):
    """The function, its role and log, and the invocation that services wait for."""

    function_name: pulumi.Output[str]
    ready: tuple[pulumi.Resource, ...]
    """What a service must depend on: before it, secrets are empty and the schema is not migrated."""

    def __init__(self, name: str, args: MigrationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Register the log group first: Lambda would make one that is kept forever."""
        super().__init__("airflow:platform:Migration", name, {}, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._documents = Documents()
        log_group = aws.cloudwatch.LogGroup(
            f"{name}-log",
            retention_in_days=args.log_retention_days,
            kms_key_id=args.key_arn,
            opts=self._child,
        )
        function_name = naming.fit(f"{name}-function", FUNCTION_NAME_LIMIT)
        role, policy = self._make_role(name, args, log_group)
        function = self._make_function(function_name, role, log_group)
        self.function_name = function.name
        self.ready = (self._invoke(name, args, function, policy),)
        self.register_outputs({"functionName": self.function_name, "documents": self._documents.parts})

    def _make_role(
        self, name: str, args: MigrationArgs, log_group: aws.cloudwatch.LogGroup
    ) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
        role = aws.iam.Role(
            naming.fit(f"{name}-role", naming.ROLE_NAME_LIMIT),
            description="The platform gate prepares secrets, broker and database",
            path=args.role_path,
            assume_role_policy=as_json(gate.gate_trust(args.account_id)),
            opts=self._child,
        )
        facts = gate.GateFacts(
            region=args.region,
            account_id=args.account_id,
            log_group_name=log_group.name,
            secret_arns=[args.secret_arns[kind] for kind in SecretKind if kind in args.secret_arns],
            read_secret_arns=[args.secret_arns[kind] for kind in READ],
            key_arn=args.key_arn,
            broker_user_arn=args.broker_user_arn,
            cluster_arn=args.cluster_arn,
            cluster_name=args.cluster_name,
            task_family=args.task_family,
            task_role_arns=args.task_role_arns,
            database_arn=args.database_arn,
        )
        policy = aws.iam.RolePolicy(
            policy_name := f"{name}-role-policy",
            role=role.name,
            policy=self._documents.text(policy_name, "policy", gate.gate_policy(facts)),
            opts=self._child,
        )
        return role, policy

    def _make_function(
        self, function_name: str, role: aws.iam.Role, log_group: aws.cloudwatch.LogGroup
    ) -> aws.lambda_.Function:
        """Make the function.

        It reserves no concurrency: new accounts have none to spare, and two gates at once do no harm.
        """
        return aws.lambda_.Function(
            function_name,
            description="Fills secrets, switches the broker's user on and runs the bootstrap task",
            role=role.arn,
            runtime=RUNTIME,
            architectures=[ARCHITECTURE],
            handler=HANDLER,
            code=function_code(),
            timeout=TIMEOUT_SECONDS,
            memory_size=MEMORY_MIB,
            logging_config=aws.lambda_.FunctionLoggingConfigArgs(
                log_format="JSON",
                application_log_level="INFO",
                system_log_level="WARN",
                log_group=log_group.name,
            ),
            opts=self._child,
        )

    def _invoke(
        self, name: str, args: MigrationArgs, function: aws.lambda_.Function, policy: pulumi.Resource
    ) -> aws.lambda_.Invocation:
        triggers = {
            "image": args.image,
            "taskDefinition": args.task_definition_arn,
            "databaseResourceId": args.database_resource_id,
        }
        event = {
            "database": args.database_identifier,
            "secrets": {kind.value: arn for kind, arn in args.secret_arns.items()},
            "hostName": args.api_server_host,
            "broker": {"userId": args.broker_user_id, "accessString": args.broker_access_string},
            "bootstrap": {
                "cluster": args.cluster_arn,
                "family": args.task_family,
                "taskDefinition": args.task_definition_arn,
                "container": args.task_container,
                "subnetIds": args.subnet_ids,
                "securityGroupId": args.security_group_id,
                "logGroup": args.task_log_group_name,
            },
            "triggers": triggers,
        }
        # Without its policy the function may do nothing; without the others the bootstrap task cannot start or work.
        waits_for = pulumi.Output.from_input(args.after).apply(lambda resources: [policy, *resources])
        return aws.lambda_.Invocation(
            f"{name}-invocation",
            function_name=function.name,
            input=as_json(event, sort_keys=True),
            triggers=triggers,
            lifecycle_scope="CREATE_ONLY",
            opts=pulumi.ResourceOptions(parent=self, depends_on=waits_for),
        )


def function_code(folder: Path = functions.FOLDER) -> pulumi.AssetArchive:
    """Return the function's code: its own modules, and beside them the packages that Lambda does not bring.

    The content decides whether Lambda gets new code, so there is nothing in it that differs between machines: no
    bytecode, no records of the installer.

    Raises:
        ValueError: the packages are not installed, or those of another lock file are.

    """
    packages, lock = folder / "packages", folder / "requirements.lock"
    installed = packages / lock.name
    if not installed.is_file() or installed.read_bytes() != lock.read_bytes():
        raise ValueError(f"{packages}: want the packages of {lock.name}, run `make setup`")
    code: dict[str, pulumi.Asset | pulumi.Archive] = {
        path.name: pulumi.FileArchive(str(path)) if path.is_dir() else pulumi.FileAsset(str(path))
        for path in sorted(packages.iterdir())
        if _is_importable(path)
    }
    own = folder / "platform_gate"
    code[own.name] = pulumi.AssetArchive(
        {path.name: pulumi.FileAsset(str(path)) for path in sorted(own.glob("*.py"))}
    )
    return pulumi.AssetArchive(code)


def _is_importable(path: Path) -> bool:
    if path.is_dir():
        return path.name.isidentifier() and path.name not in {"bin", "__pycache__"}
    return path.suffix in {".py", ".so"}
