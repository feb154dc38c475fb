"""What the settings and the shared stack mean for each component: pure translation, nothing is registered.

Components take plain values; besides the program, only this module, `platform_tasks` and `AirflowPlatform` know
settings. What comes from another component is given.
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from components import iam, sizing
from components.access_logs import log_bucket
from components.alarms import Alarm
from components.backups import BackupsArgs
from components.broker import BrokerArgs
from components.cluster import Cluster, ClusterArgs
from components.connections import API_SERVER_PORT
from components.credentials import CredentialsArgs
from components.dag_storage import DagStorage, DagStorageArgs
from components.encryption_key import EncryptionKeyArgs
from components.firewall import FirewallArgs
from components.metastore import Metastore, MetastoreArgs
from components.network import NatGateways, Network, NetworkArgs
from components.observability import ObservabilityArgs
from components.private_bucket import LogTarget, PrivateBucketArgs, name_pattern
from components.roles import Role
from components.shared_contract import SharedContract
from components.web_entry import WebEntryArgs
from settings import DagDelivery, EnvironmentSettings, WebAccess

TASK_LOG_NONCURRENT_DAYS = 7
"""A task log is written once; an older version exists only after a mistake."""


def role_path(settings: EnvironmentSettings) -> str:
    """Return the IAM path of every role of the environment."""
    return f"/airflow/{settings.environment.value}/"


def namespace_name(settings: EnvironmentSettings) -> str:
    """Return the private DNS domain of the environment."""
    return f"{settings.environment.value}.airflow.internal"


def api_server_host(settings: EnvironmentSettings) -> str:
    """Return the private host name of the api-server, which its certificate names."""
    return f"{Role.API_SERVER}.{namespace_name(settings)}"


def execution_api_url(settings: EnvironmentSettings) -> str:
    """Return the address under which workers reach the Execution API."""
    return f"https://{api_server_host(settings)}:{API_SERVER_PORT}/execution/"


def image(settings: EnvironmentSettings, shared: SharedContract) -> str:
    """Return the image by digest, from the registry of the account."""
    return f"{shared.repository_url}@{settings.image.digest}"


def dags_in_image(settings: EnvironmentSettings) -> bool:
    """Say whether the containers that read DAGs have them in their image."""
    return settings.dags.delivery is DagDelivery.IMAGE


def dag_image(settings: EnvironmentSettings, shared: SharedContract) -> str:
    """Return the image with the DAGs by digest, from the same registry; the rules see to it that there is one."""
    return f"{shared.repository_url}@{settings.dags.image_digest}"


def parallelism(settings: EnvironmentSettings) -> int:
    """Return how many tasks run at once when every pool has grown to its limit."""
    pools = settings.workers.pools.values()
    return sizing.total_task_slots((pool.max_count, pool.concurrency) for pool in pools)


def has_flower(settings: EnvironmentSettings) -> bool:
    """Say whether Flower runs."""
    return settings.services.flower is not None


def keeps_what_the_database_needs(settings: EnvironmentSettings) -> bool:
    """Say whether key, secrets and logs are protected: as long as the database, which cannot be read without."""
    return settings.metastore.protect


def network(settings: EnvironmentSettings, shared: SharedContract) -> NetworkArgs:
    """Return the arguments of the network."""
    section, account = settings.network, settings.account
    return NetworkArgs(
        account_id=account.id,
        region=account.region,
        cidr=str(section.cidr),
        zones=section.zones,
        public_mask=section.public_mask,
        private_mask=section.private_mask,
        data_mask=section.data_mask,
        nat=NatGateways(section.nat.value),
        interface_endpoints=[service.value for service in section.interface_endpoints],
        key_arn=shared.key_arn,
        flow_log_retention_days=section.flow_log_retention_days,
        role_path=role_path(settings),
    )


def encryption_key(settings: EnvironmentSettings) -> EncryptionKeyArgs:
    """Return the arguments of the environment's key."""
    return EncryptionKeyArgs(
        account_id=settings.account.id,
        region=settings.account.region,
        alias=f"alias/airflow-{settings.environment.value}",
        deletion_days=settings.credentials.key_deletion_days,
        protect=keeps_what_the_database_needs(settings),
    )


def firewall(settings: EnvironmentSettings, vpc_id: pulumi.Input[str]) -> FirewallArgs:
    """Return the arguments of the security groups."""
    return FirewallArgs(
        vpc_id=vpc_id,
        worker_pools=list(settings.workers.pools),
        flower=has_flower(settings),
        web_cidrs=[str(cidr) for cidr in settings.web.allowed_cidrs],
    )


def cluster(
    settings: EnvironmentSettings, vpc_id: pulumi.Input[str], key_arn: pulumi.Input[str]
) -> ClusterArgs:
    """Return the arguments of the cluster."""
    return ClusterArgs(
        vpc_id=vpc_id,
        namespace_name=namespace_name(settings),
        key_arn=key_arn,
        # The record of who did what inside a container is kept as long as the record of the traffic.
        exec_log_retention_days=settings.network.flow_log_retention_days,
    )


def metastore(
    settings: EnvironmentSettings,
    built: Network,
    *,
    identifier: str,
    security_group_id: pulumi.Input[str],
    key_arn: pulumi.Input[str],
) -> MetastoreArgs:
    """Return the arguments of the metastore."""
    section = settings.metastore
    return MetastoreArgs(
        account_id=settings.account.id,
        region=settings.account.region,
        role_path=role_path(settings),
        subnet_ids=built.data_subnet_ids,
        security_group_id=security_group_id,
        key_arn=key_arn,
        identifier=identifier,
        instance_class=section.instance_class,
        engine_version=section.engine_version,
        multi_az=section.multi_az,
        storage_gib=section.storage_gib,
        max_storage_gib=section.max_storage_gib,
        backup_retention_days=section.backup_retention_days,
        log_retention_days=settings.observability.log_retention_days,
        protect=section.protect,
    )


def broker(
    settings: EnvironmentSettings,
    built: Network,
    *,
    user_id: str,
    security_group_id: pulumi.Input[str],
    key_arn: pulumi.Input[str],
) -> BrokerArgs:
    """Return the arguments of the broker."""
    section = settings.broker
    return BrokerArgs(
        subnet_ids=built.data_subnet_ids,
        security_group_id=security_group_id,
        key_arn=key_arn,
        node_type=section.node_type,
        engine_version=section.engine_version,
        replicas=section.replicas,
        snapshot_retention_days=section.snapshot_retention_days,
        user_id=user_id,
        protect=section.protect,
    )


def dag_storage(
    settings: EnvironmentSettings,
    built: Network,
    *,
    security_group_id: pulumi.Input[str],
    key_arn: pulumi.Input[str],
) -> DagStorageArgs:
    """Return the arguments of the DAG storage."""
    return DagStorageArgs(
        subnet_ids=built.data_subnet_ids,
        zone_count=len(settings.network.zones),
        security_group_id=security_group_id,
        key_arn=key_arn,
        protect=settings.dags.protect,
    )


def backups(
    settings: EnvironmentSettings,
    metastore: Metastore,
    dag_storage: DagStorage,
    *,
    key_arn: pulumi.Input[str],
) -> BackupsArgs | None:
    """Return the arguments of the backups, or None where the environment has none."""
    section = settings.backups
    if section is None:
        return None
    return BackupsArgs(
        account_id=settings.account.id,
        region=settings.account.region,
        role_path=role_path(settings),
        key_arn=key_arn,
        retention_days=section.retention_days,
        database_arn=metastore.instance_arn,
        file_system_id=dag_storage.file_system_id,
        file_system_arn=dag_storage.file_system_arn,
        table_arn=dag_storage.ledger_arn,
        lock=section.lock,
    )


def credentials(settings: EnvironmentSettings, key_arn: pulumi.Input[str]) -> CredentialsArgs:
    """Return the arguments of the secrets."""
    return CredentialsArgs(
        key_arn=key_arn,
        recovery_days=settings.credentials.recovery_days,
        flower=has_flower(settings),
        protect=keeps_what_the_database_needs(settings),
    )


def access_logs(settings: EnvironmentSettings, *, buckets: Sequence[str]) -> PrivateBucketArgs:
    """Return the arguments of the bucket with the access logs of the web entry and of the given other buckets."""
    return log_bucket(
        account_id=settings.account.id,
        region=settings.account.region,
        buckets=[name_pattern(name) for name in buckets],
        load_balancer=True,
        retention_days=settings.observability.access_log_retention_days,
        # They end with what they tell of.
        protect=keeps_what_the_database_needs(settings),
    )


def task_logs(
    settings: EnvironmentSettings, *, key_arn: pulumi.Input[str], access_logs: LogTarget
) -> PrivateBucketArgs:
    """Return the arguments of the bucket with the logs of Airflow's tasks."""
    kept = keeps_what_the_database_needs(settings)
    return PrivateBucketArgs(
        partition=iam.partition_of(settings.account.region),
        key_arn=key_arn,
        access_logs=access_logs,
        noncurrent_days=TASK_LOG_NONCURRENT_DAYS,
        expiration_days=settings.observability.task_log_retention_days,
        protect=kept,
        force_destroy=not kept,
    )


def web_entry(
    settings: EnvironmentSettings,
    shared: SharedContract,
    built: Network,
    *,
    security_group_id: pulumi.Input[str],
    access_logs: LogTarget,
) -> WebEntryArgs:
    """Return the arguments of the web entry."""
    web = settings.web
    open_to_internet = web.access is WebAccess.INTERNET
    return WebEntryArgs(
        vpc_id=built.vpc_id,
        subnet_ids=built.public_subnet_ids if open_to_internet else built.private_subnet_ids,
        security_group_id=security_group_id,
        internet_facing=open_to_internet,
        zone_id=shared.zone_id,
        host_name=f"{web.host_label}.{settings.environment.value}.{shared.zone_name}",
        flower=has_flower(settings),
        deletion_protection=web.deletion_protection,
        access_logs=access_logs,
        internet_ready=built.internet_ready,
    )


def observability(
    settings: EnvironmentSettings,
    *,
    cluster: Cluster,
    key_arn: pulumi.Input[str],
    watched: Sequence[Alarm],
) -> ObservabilityArgs:
    """Return the arguments of alarms and messages."""
    return ObservabilityArgs(
        account_id=settings.account.id,
        region=settings.account.region,
        role_path=role_path(settings),
        key_arn=key_arn,
        cluster_name=cluster.cluster_name,
        cluster_arn=cluster.cluster_arn,
        watched=watched,
        record_retention_days=settings.observability.log_retention_days,
        emails=settings.observability.alarm_emails,
    )
