"""What the alarms of an environment watch, from its settings and components: pure, nothing is registered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from components import alarms, sizing
from components.airflow_service import AirflowService
from components.alarms import Alarm, Dimensions
from components.broker import Broker
from components.cluster import Cluster
from components.connections import worker_party
from components.metastore import Metastore
from components.roles import Role
from components.web_entry import WebEntry
from components.worker_pool import WorkerPool
from settings import EnvironmentSettings

BEHIND_THE_DOOR = (Role.API_SERVER, Role.FLOWER)


def of_services(
    cluster: Cluster, services: Mapping[Role, AirflowService], pools: Mapping[str, WorkerPool]
) -> Iterator[Alarm]:
    """Yield an alarm for each service and each worker pool."""
    for role, service in services.items():
        yield alarms.of_service(role, _service(cluster, service), pool=False)
    for name, pool in pools.items():
        yield alarms.of_service(worker_party(name), _service(cluster, pool.service), pool=True)


def of_data(settings: EnvironmentSettings, metastore: Metastore, broker: Broker) -> Iterator[Alarm]:
    """Yield the alarms of metastore and broker."""
    section = settings.metastore
    yield from alarms.of_metastore(
        {"DBInstanceIdentifier": metastore.identifier},
        storage_gib=section.storage_gib,
        max_connections=sizing.max_connections(section.instance_class),
        burstable=section.instance_class.startswith("db.t"),
    )
    yield from alarms.of_broker([{"CacheClusterId": node} for node in broker.node_ids])


def of_door(web: WebEntry) -> Iterator[Alarm]:
    """Yield the alarms of what is behind the load balancer."""
    for role, group in web.target_group_arn_suffixes.items():
        yield from alarms.of_targets(
            role, {"LoadBalancer": web.load_balancer_arn_suffix, "TargetGroup": group}
        )


def watching_deployments(environment: str, role: Role, party: str) -> list[str]:
    """Return the names of the alarms for which ECS rolls a deployment back.

    Args:
        environment: Name of the component that makes the alarms.
        role: The role of the service.
        party: The service itself; there is one for each pool of workers.

    """
    return alarms.watching_deployments(
        environment, party, pool=role is Role.WORKER, targets=role in BEHIND_THE_DOOR
    )


def _service(cluster: Cluster, service: AirflowService) -> Dimensions:
    return {"ClusterName": cluster.cluster_name, "ServiceName": service.service_name}
