"""The task of one Airflow process: task definition, log group, execution role and task role.

It runs nothing by itself. Roles are never shared: what one process may do, no other gets with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import pulumi
import pulumi_aws as aws

from components import checks, iam, naming, task
from components.iam import tasks
from components.references import SecretReference
from components.rendering import Documents, as_json
from components.roles import DAG_READERS, ONE_OFF, Role
from components.sizing import FARGATE_MEMORY_MIB

CPU_ARCHITECTURES = MappingProxyType({"arm64": "ARM64", "x86_64": "X86_64"})
MAX_FAMILY_LENGTH = 255
DAG_CLIENTS = DAG_READERS | {Role.RELEASE_PUBLISHER}
DIGEST = r"[^@\s]+@sha256:[0-9a-f]{64}"


@dataclass(frozen=True, kw_only=True)
class DagVolume:
    """The DAG storage as a task mounts it."""

    file_system_id: pulumi.Input[str]
    access_point_id: pulumi.Input[str]
    """Access point of readers or of writers."""


@dataclass(frozen=True, kw_only=True)
class AirflowTaskArgs:
    """Inputs of an AirflowTask."""

    account_id: str
    region: str
    role_path: str
    """IAM path of both roles; delivery roles may pass roles of their environment's path only."""
    role: Role
    """The Airflow process."""
    image: str
    """Image with its digest: a tag may mean another image tomorrow."""
    repository_arn: pulumi.Input[str]
    """Repository of the image."""
    architecture: str
    """Processor that the image is built for: arm64 or x86_64."""
    cpu_units: int
    memory_mib: int
    """Memory that Fargate has for so many CPU units."""
    command: Sequence[str] = ()
    """Command instead of the role's own."""
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """Plain variables."""
    secrets: Mapping[str, SecretReference] = field(default_factory=dict)
    """Variables that the ECS agent fills; the execution role may read these secrets and no other."""
    statements: Sequence[iam.Statement] = ()
    """What the code inside may do; without any the task role has no policy."""
    key_arn: pulumi.Input[str]
    """Key of secrets and log group; its policy must let CloudWatch Logs use it."""
    log_retention_days: int
    """Days that the log is kept; a period that CloudWatch Logs knows."""
    dag_volume: DagVolume | None = None
    """The DAG storage, for the publisher, and for the roles that read DAGs unless the image has them."""
    dags_in_image: bool = False
    """The image has the DAGs; for the roles that read them."""
    agent_environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """Plain variables of the release agent, which stands beside those that read DAGs."""
    exec_enabled: bool = False
    """Allow ECS Exec; the root file system becomes writable, because its agent writes there."""

    def __post_init__(self) -> None:
        """Refuse what AWS would refuse only when it is created, and a reader without DAGs."""
        checks.account_id(self.account_id)
        checks.matching(
            "role_path", self.role_path, r"/([\w+=,.@-]+/)*", "a path that begins and ends with /"
        )
        checks.matching("image", self.image, DIGEST, "an image with its digest (@sha256:...)")
        checks.one_of("architecture", self.architecture, CPU_ARCHITECTURES)
        checks.one_of("cpu_units", self.cpu_units, FARGATE_MEMORY_MIB)
        checks.one_of("memory_mib", self.memory_mib, FARGATE_MEMORY_MIB[self.cpu_units])
        checks.retention_days("log_retention_days", self.log_retention_days)
        if self.role is Role.RELEASE_AGENT:
            raise ValueError(
                "role: want a process with a task of its own, the release agent stands in those of others"
            )
        if self.dags_in_image and self.role not in DAG_READERS:
            raise ValueError(f"dags_in_image: want false for the role {self.role}, which reads no DAGs")
        clients = DAG_CLIENTS - DAG_READERS if self.dags_in_image else DAG_CLIENTS
        _only_for(clients, self.role, "dag_volume", given=self.dag_volume is not None)
        _only_for(DAG_READERS, self.role, "agent_environment", given=bool(self.agent_environment))
        if self.role in ONE_OFF and self.exec_enabled:
            raise ValueError(f"exec_enabled: want false for the role {self.role}, got true")


def _only_for(roles: frozenset[Role], role: Role, name: str, *, given: bool) -> None:
    if (role in roles) != given:
        raise ValueError(f"{name}: want {'one' if role in roles else 'none'} for the role {role}")


class AirflowTask(pulumi.ComponentResource):
    """One Airflow process, ready to be run by a service or by the platform gate."""

    task_definition_arn: pulumi.Output[str]
    family: pulumi.Output[str]
    log_group_name: pulumi.Output[str]
    execution_role_arn: pulumi.Output[str]
    task_role_arn: pulumi.Output[str]
    ready: tuple[pulumi.Resource, ...]
    """What must be there before the task starts: the rights of its roles."""

    def __init__(self, name: str, args: AirflowTaskArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Register the log group and the roles, then the definition that names them."""
        checks.between("name (its length)", len(name), 1, MAX_FAMILY_LENGTH)
        super().__init__("airflow:compute:AirflowTask", name, {}, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._documents = Documents()
        log_group = aws.cloudwatch.LogGroup(
            f"{name}-log",
            retention_in_days=args.log_retention_days,
            kms_key_id=args.key_arn,
            opts=self._child,
        )
        self.log_group_name = log_group.name
        execution_role, execution_policy = self._make_execution_role(name, args)
        task_role, *task_policy = self._make_task_role(name, args)
        self.execution_role_arn, self.task_role_arn = execution_role.arn, task_role.arn
        self.ready = (execution_policy, *task_policy)
        definition = self._make_definition(name, args)
        self.task_definition_arn, self.family = definition.arn, definition.family
        self.register_outputs(
            {
                "taskDefinitionArn": self.task_definition_arn,
                "family": self.family,
                "logGroupName": self.log_group_name,
                "executionRoleArn": self.execution_role_arn,
                "taskRoleArn": self.task_role_arn,
                "documents": self._documents.parts,
            }
        )

    def _make_execution_role(
        self, name: str, args: AirflowTaskArgs
    ) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
        role = self._make_role(f"{name}-execution", args, f"ECS starts the task {args.role}")
        secret_arns = dict.fromkeys(args.secrets[variable].arn for variable in sorted(args.secrets))
        policy = self._make_policy(
            f"{name}-execution",
            role,
            tasks.execution_policy(
                region=args.region,
                account_id=args.account_id,
                repository_arn=args.repository_arn,
                log_group_name=self.log_group_name,
                secret_arns=list(secret_arns),
                key_arn=args.key_arn,
            ),
        )
        return role, policy

    def _make_task_role(
        self, name: str, args: AirflowTaskArgs
    ) -> tuple[aws.iam.Role, *tuple[aws.iam.RolePolicy, ...]]:
        role = self._make_role(f"{name}-task", args, f"The task {args.role} acts in AWS")
        if not args.statements:
            return (role,)
        return role, self._make_policy(f"{name}-task", role, args.statements)

    def _make_role(self, name: str, args: AirflowTaskArgs, description: str) -> aws.iam.Role:
        return aws.iam.Role(
            naming.fit(f"{name}-role", naming.ROLE_NAME_LIMIT),
            description=description,
            path=args.role_path,
            assume_role_policy=as_json(tasks.task_trust(args.region, args.account_id)),
            opts=self._child,
        )

    def _make_policy(
        self, name: str, role: aws.iam.Role, statements: Sequence[iam.Statement]
    ) -> aws.iam.RolePolicy:
        return aws.iam.RolePolicy(
            policy_name := f"{name}-policy",
            role=role.name,
            policy=self._documents.text(policy_name, "policy", iam.document(*statements)),
            opts=self._child,
        )

    def _make_definition(self, name: str, args: AirflowTaskArgs) -> aws.ecs.TaskDefinition:
        container = task.ContainerArgs(
            role=args.role,
            image=args.image,
            command=args.command,
            region=args.region,
            log_group_name=self.log_group_name,
            environment=args.environment,
            secrets=args.secrets,
            exec_enabled=args.exec_enabled,
            dags_in_image=args.dags_in_image,
        )
        agent = replace(
            container, role=Role.RELEASE_AGENT, command=(), environment=args.agent_environment, secrets={}
        )
        containers = [container, *([agent] if args.role in DAG_READERS else [])]
        return aws.ecs.TaskDefinition(
            definition_name := f"{name}-definition",
            # AWS makes no name for it; revisions count up under this one.
            family=name,
            requires_compatibilities=["FARGATE"],
            network_mode="awsvpc",
            cpu=str(args.cpu_units),
            memory=str(args.memory_mib),
            runtime_platform=aws.ecs.TaskDefinitionRuntimePlatformArgs(
                cpu_architecture=CPU_ARCHITECTURES[args.architecture], operating_system_family="LINUX"
            ),
            execution_role_arn=self.execution_role_arn,
            task_role_arn=self.task_role_arn,
            container_definitions=self._documents.text(
                definition_name,
                "containerDefinitions",
                [task.container(each) for each in containers],
                # The same text for the same content: a new one is a new revision and a deployment.
                sort_keys=True,
            ),
            volumes=_volumes(args.role, args.dag_volume),
            # Old revisions stay active and cost nothing: a rollback cannot start a task of an inactive one.
            skip_destroy=True,
            opts=self._child,
        )


def _volumes(role: Role, dags: DagVolume | None) -> list[aws.ecs.TaskDefinitionVolumeArgs]:
    names = [*task.SCRATCH, *([task.RELEASES_VOLUME] if role in DAG_READERS else [])]
    scratch = [aws.ecs.TaskDefinitionVolumeArgs(name=name) for name in names]
    if dags is None:
        return scratch
    efs = aws.ecs.TaskDefinitionVolumeEfsVolumeConfigurationArgs(
        file_system_id=dags.file_system_id,
        root_directory="/",
        transit_encryption="ENABLED",
        authorization_config=aws.ecs.TaskDefinitionVolumeEfsVolumeConfigurationAuthorizationConfigArgs(
            access_point_id=dags.access_point_id, iam="ENABLED"
        ),
    )
    volume = aws.ecs.TaskDefinitionVolumeArgs(name=task.DAG_VOLUME, efs_volume_configuration=efs)
    return [volume, *scratch]
