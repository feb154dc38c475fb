"""What the task of each Airflow role is made of, in one environment: pure, nothing is registered.

Variables and secrets come from the wiring table, rights from the policy of the role, sizes from the settings.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components import platform_arguments as arguments
from components import wiring
from components.airflow_task import AirflowTaskArgs, DagVolume
from components.broker import Broker
from components.cluster import Cluster
from components.credentials import Credentials
from components.dag_storage import DagStorage
from components.iam import tasks
from components.metastore import Metastore
from components.private_bucket import PrivateBucket
from components.roles import DAG_READERS, ONE_OFF, Role
from components.shared_contract import SharedContract
from settings import EnvironmentSettings, TaskSize

ONE_OFF_CPU_UNITS, ONE_OFF_MEMORY_MIB = 1024, 2048
"""The bootstrap task starts Airflow's command line several times, the publisher hashes every file; a whole vCPU keeps
an update or a release short, for a cent."""


@dataclass(frozen=True, kw_only=True)
class PlatformTasks:
    """Makes the arguments of each role's task from what the task works with."""

    settings: EnvironmentSettings
    shared: SharedContract
    key_arn: pulumi.Input[str]
    """Key of the environment."""
    cluster: Cluster
    metastore: Metastore
    broker: Broker
    dag_storage: DagStorage
    credentials: Credentials
    task_logs: PrivateBucket
    base_url: str
    """Address that people type."""

    def args(self, role: Role, size: TaskSize | None = None) -> AirflowTaskArgs:
        """Return the arguments of a role's task; without a size it is that of a one-off task."""
        settings = self.settings
        baked = role in DAG_READERS and arguments.dags_in_image(settings)
        return AirflowTaskArgs(
            account_id=settings.account.id,
            region=settings.account.region,
            role_path=arguments.role_path(settings),
            role=role,
            image=arguments.dag_image(settings, self.shared)
            if baked
            else arguments.image(settings, self.shared),
            repository_arn=self.shared.repository_arn,
            architecture=settings.image.architecture.value,
            cpu_units=size.cpu_units if size else ONE_OFF_CPU_UNITS,
            memory_mib=size.memory_mib if size else ONE_OFF_MEMORY_MIB,
            environment=wiring.environment(role, self._wiring()),
            secrets=wiring.secrets(role, self._wiring()),
            statements=tasks.task_policy(role, self._policy()),
            key_arn=self.key_arn,
            log_retention_days=settings.observability.log_retention_days,
            dag_volume=None if baked else self._dag_volume(role),
            dags_in_image=baked,
            agent_environment=(
                wiring.environment(Role.RELEASE_AGENT, self._wiring()) if role in DAG_READERS else {}
            ),
            exec_enabled=settings.services.exec_enabled and role not in ONE_OFF,
        )

    def _wiring(self) -> wiring.WiringFacts:
        settings = self.settings
        return wiring.WiringFacts(
            environment=settings.environment.value,
            region=settings.account.region,
            airflow_version=settings.image.airflow_version,
            vpc_cidr=str(settings.network.cidr),
            base_url=self.base_url,
            execution_api_url=arguments.execution_api_url(settings),
            metastore_host=self.metastore.host,
            metastore_port=self.metastore.port,
            metastore_database=self.metastore.database_name,
            broker_host=self.broker.host,
            broker_port=self.broker.port,
            log_bucket_name=self.task_logs.bucket_name,
            ledger_table_name=self.dag_storage.ledger_name,
            release_bucket_name=self.shared.release_bucket_name,
            dags_in_image=arguments.dags_in_image(settings),
            parallelism=arguments.parallelism(settings),
            task_queued_timeout_seconds=settings.workers.task_queued_timeout_seconds,
            visibility_timeout_minutes=settings.broker.visibility_timeout_minutes,
            api_server_processes=settings.services.api_server.processes,
            secret_arns=self.credentials.arns,
            owner_secret_arn=self.metastore.owner_secret_arn,
        )

    def _policy(self) -> tasks.TaskPolicyFacts:
        return tasks.TaskPolicyFacts(
            region=self.settings.account.region,
            account_id=self.settings.account.id,
            environment=self.settings.environment.value,
            cluster_name=self.cluster.cluster_name,
            key_arn=self.key_arn,
            log_bucket_arn=self.task_logs.bucket_arn,
            log_prefix=wiring.TASK_LOG_PREFIX,
            file_system_arn=self.dag_storage.file_system_arn,
            reader_access_point_arn=self.dag_storage.reader_access_point_arn,
            writer_access_point_arn=self.dag_storage.writer_access_point_arn,
            ledger_arn=self.dag_storage.ledger_arn,
            release_bucket_arn=self.shared.release_bucket_arn,
            shared_key_arn=self.shared.key_arn,
            exec=self._exec(),
            dags_in_image=arguments.dags_in_image(self.settings),
        )

    def _exec(self) -> tasks.ExecFacts | None:
        if not self.settings.services.exec_enabled:
            return None
        return tasks.ExecFacts(log_group_name=self.cluster.exec_log_group_name, key_arn=self.key_arn)

    def _dag_volume(self, role: Role) -> DagVolume | None:
        storage = self.dag_storage
        if role in DAG_READERS:
            access_point_id = storage.reader_access_point_id
        elif role is Role.RELEASE_PUBLISHER:
            access_point_id = storage.writer_access_point_id
        else:
            return None
        return DagVolume(file_system_id=storage.file_system_id, access_point_id=access_point_id)
