"""Who may talk to whom inside an environment, and what leaves it: pure tables, built by `Firewall`.

Not listed, because security groups never filter it: the resolver of the VPC, the task metadata endpoint and the
time service of AWS. Not listed either: anything between two workers; tasks meet in Airflow only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

WEB_PORT = 443
API_SERVER_PORT = 8080
FLOWER_PORT = 5555
WORKER_LOG_PORT = 8793
TRIGGERER_LOG_PORT = 8794
METASTORE_PORT = 5432
BROKER_PORT = 6379
DAG_STORAGE_PORT = 2049
HTTPS_PORT = 443


class Party(StrEnum):
    """What has a security group of its own; every worker pool has one as well, see `worker_party`."""

    LOAD_BALANCER = "load-balancer"
    """The only door for people and API clients."""
    API_SERVER = "api-server"
    """User interface, REST API and Execution API."""
    SCHEDULER = "scheduler"
    """Decides what runs."""
    DAG_PROCESSOR = "dag-processor"
    """Parses DAG files."""
    TRIGGERER = "triggerer"
    """Runs the waiting part of deferred tasks."""
    FLOWER = "flower"
    """Shows workers and queues; not in every environment."""
    BOOTSTRAP = "bootstrap"
    """One-off task of the platform gate."""
    RELEASE_PUBLISHER = "release-publisher"
    """One-off task that writes DAG releases."""
    METASTORE = "metastore"
    """Database of Airflow."""
    BROKER = "broker"
    """Queues and results of Celery."""
    DAG_STORAGE = "dag-storage"
    """Mount targets of the file system with the DAG releases."""


WORKERS = "worker"
"""Stands for every worker pool in the tables below."""


def worker_party(pool: str) -> str:
    """Return the party of a worker pool."""
    return f"{WORKERS}-{pool}"


@dataclass(frozen=True)
class Link:
    """One party opens TCP connections to a port of another."""

    source: str
    target: str
    port: int
    why: str

    @property
    def name(self) -> str:
        """Say it in one word."""
        return f"{self.source}-to-{self.target}-{self.port}"


@dataclass(frozen=True)
class WayOut:
    """One party opens connections to any address; what other parties let in is not widened by it."""

    source: str
    port: int | None
    """TCP port; None for every port and protocol."""
    why: str


_TASKS_OF_AIRFLOW = (
    Party.API_SERVER,
    Party.SCHEDULER,
    Party.DAG_PROCESSOR,
    Party.TRIGGERER,
    Party.FLOWER,
    Party.BOOTSTRAP,
    Party.RELEASE_PUBLISHER,
)
LINKS: tuple[Link, ...] = (
    Link(Party.LOAD_BALANCER, Party.API_SERVER, API_SERVER_PORT, "User interface and REST API, health check"),
    Link(Party.LOAD_BALANCER, Party.FLOWER, FLOWER_PORT, "Flower user interface, health check"),
    Link(Party.API_SERVER, Party.METASTORE, METASTORE_PORT, "State of Airflow"),
    Link(Party.SCHEDULER, Party.METASTORE, METASTORE_PORT, "State of Airflow"),
    Link(Party.DAG_PROCESSOR, Party.METASTORE, METASTORE_PORT, "Parsed DAGs"),
    Link(Party.TRIGGERER, Party.METASTORE, METASTORE_PORT, "Triggers and their events"),
    Link(Party.BOOTSTRAP, Party.METASTORE, METASTORE_PORT, "Users, schema, administrator, pools"),
    Link(Party.SCHEDULER, Party.BROKER, BROKER_PORT, "Queued tasks and their results"),
    Link(WORKERS, Party.BROKER, BROKER_PORT, "Queued tasks and their results"),
    Link(Party.FLOWER, Party.BROKER, BROKER_PORT, "Events of workers, length of queues"),
    # Not through the load balancer: its allow-list and its firewall are made for people.
    Link(WORKERS, Party.API_SERVER, API_SERVER_PORT, "Execution API"),
    Link(Party.API_SERVER, WORKERS, WORKER_LOG_PORT, "Logs of running tasks"),
    Link(Party.API_SERVER, Party.TRIGGERER, TRIGGERER_LOG_PORT, "Logs of running triggers"),
    Link(Party.DAG_PROCESSOR, Party.DAG_STORAGE, DAG_STORAGE_PORT, "DAG releases over NFS"),
    Link(Party.TRIGGERER, Party.DAG_STORAGE, DAG_STORAGE_PORT, "DAG releases over NFS"),
    Link(WORKERS, Party.DAG_STORAGE, DAG_STORAGE_PORT, "DAG releases over NFS"),
    Link(Party.RELEASE_PUBLISHER, Party.DAG_STORAGE, DAG_STORAGE_PORT, "DAG releases over NFS"),
)
WAYS_OUT: tuple[WayOut, ...] = (
    *(
        # The addresses of AWS change all the time, and those of endpoints are known to AWS only.
        WayOut(task, HTTPS_PORT, "APIs of AWS: images, logs, secrets, S3; through endpoints or NAT")
        for task in _TASKS_OF_AIRFLOW
    ),
    WayOut(WORKERS, None, "DAGs call anything; includes the APIs of AWS"),
)


def parties_of(pools: Sequence[str], *, flower: bool) -> tuple[str, ...]:
    """Return every party of an environment with these worker pools."""
    return tuple(party for entry in (*Party, WORKERS) for party in _present(entry, pools, flower))


def links_of(pools: Sequence[str], *, flower: bool) -> tuple[Link, ...]:
    """Return the links of an environment, one for each worker pool where the table says workers."""
    return tuple(
        Link(source, target, link.port, link.why)
        for link in LINKS
        for source in _present(link.source, pools, flower)
        for target in _present(link.target, pools, flower)
    )


def ways_out_of(pools: Sequence[str], *, flower: bool) -> tuple[WayOut, ...]:
    """Return the ways out of an environment."""
    return tuple(
        WayOut(source, way.port, way.why)
        for way in WAYS_OUT
        for source in _present(way.source, pools, flower)
    )


def _present(party: str, pools: Sequence[str], flower: bool) -> Iterator[str]:
    """Yield the parties that an entry of the tables means: none, one, or one for each pool."""
    if party == WORKERS:
        yield from map(worker_party, pools)
    elif party != Party.FLOWER or flower:
        yield str(party)
