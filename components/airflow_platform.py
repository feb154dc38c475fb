"""One environment: composes the components and creates no AWS resource itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components import platform_alarms
from components import platform_arguments as arguments
from components.airflow_service import AirflowService, AirflowServiceArgs, Discovery
from components.airflow_task import AirflowTask
from components.backups import Backups
from components.broker import ACCESS_STRING, Broker
from components.cluster import Cluster
from components.connections import Party, worker_party
from components.credentials import Credentials
from components.dag_storage import DagStorage
from components.encryption_key import EncryptionKey
from components.firewall import Firewall
from components.metastore import Metastore
from components.migration import Migration, MigrationArgs
from components.network import Network
from components.observability import Observability
from components.platform_tasks import PlatformTasks
from components.private_bucket import PrivateBucket
from components.role_boundary import with_boundary
from components.roles import DAG_READERS, Role
from components.shared_contract import SharedContract
from components.web_entry import WebEntry
from components.worker_pool import WorkerPool, WorkerPoolArgs
from settings import EnvironmentSettings, TaskSize


@dataclass(frozen=True, kw_only=True)
class AirflowPlatformArgs:
    """Inputs of an AirflowPlatform."""

    settings: EnvironmentSettings
    """The environment's settings; the components below take plain values only."""
    shared: SharedContract
    """What the shared stack of the account exports."""


class AirflowPlatform(pulumi.ComponentResource):
    """One complete environment; the AWS provider comes with `opts.providers`."""

    network: Network
    cluster: Cluster
    metastore: Metastore
    broker: Broker
    dag_storage: DagStorage
    backups: Backups | None
    """Of metastore and DAG storage; None without settings for them."""
    credentials: Credentials
    web: WebEntry
    gate: Migration
    publisher: AirflowTask
    """Writes DAG releases when an operation runs it."""
    api_server: AirflowService
    services: dict[Role, AirflowService]
    """All services but the api-server and the workers."""
    pools: dict[str, WorkerPool]
    """The worker pools by name."""
    observability: Observability
    exports: dict[str, Any]
    """What the stack exports: ids, ARNs and URLs, never a secret."""

    def __init__(
        self, name: str, args: AirflowPlatformArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Register the components, each after what it stands on."""
        bounded = pulumi.ResourceOptions(
            transformations=[with_boundary(args.shared.permissions_boundary_arn)]
        )
        super().__init__(
            "airflow:platform:AirflowPlatform", name, {}, pulumi.ResourceOptions.merge(opts, bounded)
        )
        self._child = pulumi.ResourceOptions(parent=self)
        self._name, self._settings, self._shared = name, args.settings, args.shared
        # Services know the names of their alarms before there are any.
        self._alarms = f"{name}-alarms"
        self._make_foundation()
        self._make_data()
        self.web = WebEntry(
            f"{name}-web",
            arguments.web_entry(
                args.settings,
                args.shared,
                self.network,
                security_group_id=self._firewall.group_id(Party.LOAD_BALANCER),
                access_logs=self._access_logs.log_target,
            ),
            self._child,
        )
        self._tasks = PlatformTasks(
            settings=args.settings,
            shared=args.shared,
            key_arn=self._key.key_arn,
            cluster=self.cluster,
            metastore=self.metastore,
            broker=self.broker,
            dag_storage=self.dag_storage,
            credentials=self.credentials,
            task_logs=self._task_logs,
            base_url=self.web.url,
        )
        self.gate = self._make_gate()
        self.publisher = AirflowTask(
            f"{name}-{Role.RELEASE_PUBLISHER}", self._tasks.args(Role.RELEASE_PUBLISHER), self._child
        )
        self.api_server = self._make_api_server()
        self.services = self._make_services()
        self.pools = {pool: self._make_pool(pool) for pool in args.settings.workers.pools}
        self.observability = self._make_observability()
        self.exports = self._exports()
        self.register_outputs(self.exports)

    def _make_foundation(self) -> None:
        name, settings, shared = self._name, self._settings, self._shared
        self.network = Network(f"{name}-network", arguments.network(settings, shared), self._child)
        self._key = EncryptionKey(f"{name}-encryption", arguments.encryption_key(settings), self._child)
        vpc_id = self.network.vpc_id
        self._firewall = Firewall(f"{name}-firewall", arguments.firewall(settings, vpc_id), self._child)
        cluster = arguments.cluster(settings, vpc_id, self._key.key_arn)
        self.cluster = Cluster(f"{name}-compute", cluster, self._child)

    def _make_data(self) -> None:
        name, settings, network, key_arn = self._name, self._settings, self.network, self._key.key_arn
        groups = {
            party: self._firewall.group_id(party)
            for party in (Party.METASTORE, Party.BROKER, Party.DAG_STORAGE)
        }
        metastore = arguments.metastore(
            settings, network, identifier=name, security_group_id=groups[Party.METASTORE], key_arn=key_arn
        )
        self.metastore = Metastore(f"{name}-metastore", metastore, self._child)
        broker = arguments.broker(
            settings, network, user_id=name, security_group_id=groups[Party.BROKER], key_arn=key_arn
        )
        self.broker = Broker(f"{name}-broker", broker, self._child)
        storage = arguments.dag_storage(
            settings, network, security_group_id=groups[Party.DAG_STORAGE], key_arn=key_arn
        )
        self.dag_storage = DagStorage(f"{name}-dag-storage", storage, self._child)
        backups = arguments.backups(settings, self.metastore, self.dag_storage, key_arn=key_arn)
        self.backups = Backups(f"{name}-backups", backups, self._child) if backups else None
        self.credentials = Credentials(
            f"{name}-credentials", arguments.credentials(settings, key_arn), self._child
        )
        self._make_logs(key_arn)

    def _make_logs(self, key_arn: pulumi.Input[str]) -> None:
        """Make the bucket of the tasks' logs, and before it the one that takes its access logs."""
        settings, task_logs = self._settings, f"{self._name}-task-logs"
        access_logs = arguments.access_logs(settings, buckets=[task_logs])
        self._access_logs = PrivateBucket(f"{self._name}-access-logs", access_logs, self._child)
        target = self._access_logs.log_target
        self._task_logs = PrivateBucket(
            task_logs, arguments.task_logs(settings, key_arn=key_arn, access_logs=target), self._child
        )

    def _make_gate(self) -> Migration:
        settings, account = self._settings, self._settings.account
        bootstrap = AirflowTask(f"{self._name}-bootstrap", self._tasks.args(Role.BOOTSTRAP), self._child)
        args = MigrationArgs(
            account_id=account.id,
            region=account.region,
            role_path=arguments.role_path(settings),
            key_arn=self._key.key_arn,
            log_retention_days=settings.observability.log_retention_days,
            cluster_arn=self.cluster.cluster_arn,
            cluster_name=self.cluster.cluster_name,
            task_definition_arn=bootstrap.task_definition_arn,
            task_family=bootstrap.family,
            task_role_arns=[bootstrap.execution_role_arn, bootstrap.task_role_arn],
            task_log_group_name=bootstrap.log_group_name,
            subnet_ids=self.network.private_subnet_ids,
            security_group_id=self._firewall.group_id(Party.BOOTSTRAP),
            database_identifier=self.metastore.identifier,
            database_arn=self.metastore.instance_arn,
            database_resource_id=self.metastore.resource_id,
            secret_arns=self.credentials.arns,
            broker_user_id=self.broker.user_id,
            broker_user_arn=self.broker.user_arn,
            broker_access_string=ACCESS_STRING,
            api_server_host=arguments.api_server_host(settings),
            image=arguments.image(settings, self._shared),
            # The bootstrap task would not find its image, its place to run, the database, or its rights.
            after=self.network.egress_ready.apply(
                lambda egress: [
                    *egress,
                    *self.cluster.capacity_ready,
                    *self._firewall.ready(Party.BOOTSTRAP),
                    *bootstrap.ready,
                ]
            ),
        )
        return Migration(f"{self._name}-gate", args, self._child)

    def _make_api_server(self) -> AirflowService:
        """Make the service that all others need: workers report to it, and its start proves the schema."""
        size = self._settings.services.api_server
        # What tasks log must be encrypted from the first line on; all writers come after the api-server.
        after = [*self.gate.ready, *self._task_logs.ready, *self._doors(Role.API_SERVER, Party.API_SERVER)]
        self._waited_for = frozenset(after)
        return self._make_service(
            Role.API_SERVER,
            size,
            size.count,
            after,
            Discovery(namespace_id=self.cluster.namespace_id, name=Role.API_SERVER.value),
        )

    def _make_services(self) -> dict[Role, AirflowService]:
        services = self._settings.services
        made: dict[Role, AirflowService] = {}
        for role, size in (
            (Role.SCHEDULER, services.scheduler),
            (Role.DAG_PROCESSOR, services.dag_processor),
            (Role.TRIGGERER, services.triggerer),
        ):
            made[role] = self._make_service(role, size, size.count, self._after_api_server(role, role))
        if services.flower is not None:
            after = self._after_api_server(Role.FLOWER, Party.FLOWER)
            made[Role.FLOWER] = self._make_service(Role.FLOWER, services.flower, 1, after)
        return made

    def _make_service(
        self,
        role: Role,
        size: TaskSize,
        count: int,
        after: Sequence[pulumi.Resource],
        discovery: Discovery | None = None,
    ) -> AirflowService:
        targets = {
            Role.API_SERVER: self.web.api_server_target_group_arn,
            Role.FLOWER: self.web.flower_target_group_arn,
        }
        args = AirflowServiceArgs(
            task=self._tasks.args(role, size),
            cluster_arn=self.cluster.cluster_arn,
            subnet_ids=self.network.private_subnet_ids,
            security_group_id=self._firewall.group_id(role),
            count=count,
            target_group_arn=targets.get(role),
            discovery=discovery,
            deployment_alarms=platform_alarms.watching_deployments(self._alarms, role, role),
            after=after,
        )
        return AirflowService(f"{self._name}-{role}", args, self._child)

    def _make_pool(self, pool: str) -> WorkerPool:
        settings, party = self._settings.workers.pools[pool], worker_party(pool)
        args = WorkerPoolArgs(
            task=self._tasks.args(Role.WORKER, settings),
            cluster_arn=self.cluster.cluster_arn,
            cluster_name=self.cluster.cluster_name,
            subnet_ids=self.network.private_subnet_ids,
            security_group_id=self._firewall.group_id(party),
            queues=settings.queues,
            concurrency=settings.concurrency,
            min_count=settings.min_count,
            max_count=settings.max_count,
            spot_percent=settings.spot_percent,
            deployment_alarms=platform_alarms.watching_deployments(self._alarms, Role.WORKER, party),
            after=self._after_api_server(Role.WORKER, party),
        )
        return WorkerPool(f"{self._name}-{party}", args, self._child)

    def _make_observability(self) -> Observability:
        services = {Role.API_SERVER: self.api_server, **self.services}
        watched = [
            *platform_alarms.of_services(self.cluster, services, self.pools),
            *platform_alarms.of_data(self._settings, self.metastore, self.broker),
            *platform_alarms.of_door(self.web),
        ]
        args = arguments.observability(
            self._settings, cluster=self.cluster, key_arn=self._key.key_arn, watched=watched
        )
        return Observability(self._alarms, args, self._child)

    def _after_api_server(self, role: Role, party: str) -> list[pulumi.Resource]:
        """Return what a service waits for that comes after the api-server, without what that has waited for."""
        doors = (door for door in self._doors(role, party) if door not in self._waited_for)
        return [self.api_server.service, *doors]

    def _doors(self, role: Role, party: str) -> list[pulumi.Resource]:
        """Return what lets the tasks of a party in and out: rules, listener rules, and the DAGs for who mounts them."""
        mounts = role in DAG_READERS and not arguments.dags_in_image(self._settings)
        dags = self.dag_storage.ready if mounts else ()
        return [*self._firewall.ready(party), *self.web.ready(role), *dags]

    def _exports(self) -> dict[str, Any]:
        pools = [pool.service for pool in self.pools.values()]
        readers = [self.services[role] for role in (Role.DAG_PROCESSOR, Role.TRIGGERER)] + pools
        tasks = [self.services[Role.TRIGGERER].task, *(pool.task for pool in pools)]
        return {
            "vpcId": self.network.vpc_id,
            "publicSubnetIds": self.network.public_subnet_ids,
            "privateSubnetIds": self.network.private_subnet_ids,
            "dataSubnetIds": self.network.data_subnet_ids,
            "clusterArn": self.cluster.cluster_arn,
            "clusterName": self.cluster.cluster_name,
            "namespaceId": self.cluster.namespace_id,
            "namespaceArn": self.cluster.namespace_arn,
            "keyArn": self._key.key_arn,
            "metastoreIdentifier": self.metastore.identifier,
            "fileSystemId": self.dag_storage.file_system_id,
            "writerAccessPointId": self.dag_storage.writer_access_point_id,
            "ledgerTableName": self.dag_storage.ledger_name,
            "releaseBucketName": self._shared.release_bucket_name,
            "publisherTaskDefinitionArn": self.publisher.task_definition_arn,
            "publisherNetwork": {
                "subnets": self.network.private_subnet_ids,
                "securityGroups": [self._firewall.group_id(Party.RELEASE_PUBLISHER)],
            },
            "dagReaderServices": [service.service_name for service in readers],
            "imageDigest": arguments.image(self._settings, self._shared).partition("@")[2],
            "repositoryUrl": self._shared.repository_url,
            "architecture": self._settings.image.architecture.value,
            "dagDelivery": self._settings.dags.delivery.value,
            # Empty while the DAGs come as releases.
            "dagImageDigest": self._settings.dags.image_digest or "",
            "region": self._settings.account.region,
            "taskLogBucketName": self._task_logs.bucket_name,
            "gateFunctionName": self.gate.function_name,
            "serviceNames": [
                service.service_name for service in (self.api_server, *self.services.values(), *pools)
            ],
            # Whoever makes a role for a DAG's job names these in its trust policy.
            "dagRoleArns": [task.task_role_arn for task in tasks],
            "webUrl": self.web.url,
            # Whoever wants messages somewhere else than in a mailbox subscribes to it.
            "alarmTopicArn": self.observability.topic_arn,
        }
