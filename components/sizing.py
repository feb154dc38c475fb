"""What fits into what: Fargate sizes, the memory of Airflow's processes, the connections of the database.

Tables and arithmetic only; the settings and the components take the same numbers from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

MIB = 1024 * 1024


def _gib(low: int, high: int, step: int = 1) -> tuple[int, ...]:
    return tuple(gib * 1024 for gib in range(low, high + 1, step))


FARGATE_MEMORY_MIB: Mapping[int, tuple[int, ...]] = MappingProxyType(
    {
        256: (512, 1024, 2048),
        512: _gib(1, 4),
        1024: _gib(2, 8),
        2048: _gib(4, 16),
        4096: _gib(8, 30),
        8192: _gib(16, 60, 4),
        16384: _gib(32, 120, 8),
    }
)
"""Memory that a Fargate task may have, by its CPU units (1024 are one vCPU): the table "Task CPU and memory"
of the Amazon ECS Developer Guide, the same for both architectures."""

WORKER_MIB, WORKER_TASK_MIB = 400, 62
"""A Celery worker of Airflow 3.3.2, measured: 310 at rest and 90 of the release agent beside it, and more for each
task that runs at the same time. The tasks of the measurement did nothing: what a team's code loads comes on top."""
API_SERVER_PROCESS_MIB = 280
"""One process of the api-server, measured: 234 after the start, 304 under a burst; two processes took 556."""

DATABASE_MEMORY_GIB: Mapping[str, int] = MappingProxyType(
    {
        "db.t4g.micro": 1,
        "db.t4g.small": 2,
        "db.t4g.medium": 4,
        "db.t4g.large": 8,
        "db.m7g.large": 8,
        "db.m7g.xlarge": 16,
        "db.m7g.2xlarge": 32,
        "db.m7g.4xlarge": 64,
        "db.r7g.large": 16,
        "db.r7g.xlarge": 32,
        "db.r7g.2xlarge": 64,
        "db.r7g.4xlarge": 128,
    }
)
"""Nominal memory of the database classes that the metastore may have, smallest of a family first. All are
Graviton: PostgreSQL does not care, and they cost less."""

# RDS for PostgreSQL sets max_connections to LEAST({DBInstanceClassMemory/9531392},5000). That memory is less
# than the nominal one by what RDS takes for itself: a db.t4g.small reports 181 where its 2 GiB would give 225.
# 5 % and 320 MiB less gives 178 there; the share of the 320 MiB shrinks with the class.
_BYTES_PER_CONNECTION = 9_531_392
_MOST_CONNECTIONS = 5000
_MEMORY_LEFT_PERCENT = 95
_RDS_MIB = 320

CONNECTIONS_PER_PROCESS = 15
"""Most connections of one Airflow process: SQLAlchemy's pool of 5, and 10 more under load."""
TASKS_DURING_DEPLOYMENT = 2
"""A service may run twice its tasks while new ones replace the old (a maximum of 200 percent)."""
RESERVED_CONNECTIONS = 5
"""What nobody of the platform's services gets: PostgreSQL's 3 for the superuser, and one each for the
one-off bootstrap task and the person who looks why nothing else gets in."""


def allowed_memory(cpu_units: int) -> tuple[int, ...]:
    """Return the memory sizes in MiB that go with `cpu_units`; none when Fargate has no such CPU size."""
    return FARGATE_MEMORY_MIB.get(cpu_units, ())


def valid_fargate_size(cpu_units: int, memory_mib: int) -> bool:
    """Say whether Fargate has a task of this size."""
    return memory_mib in allowed_memory(cpu_units)


def worker_memory(concurrency: int) -> int:
    """Return the MiB that a worker with `concurrency` running tasks takes before the tasks' own code."""
    return WORKER_MIB + WORKER_TASK_MIB * concurrency


def worker_concurrency(memory_mib: int) -> int:
    """Return how many tasks at once fit into a worker's memory before the tasks' own code; at least 0."""
    return max(0, (memory_mib - WORKER_MIB) // WORKER_TASK_MIB)


def api_server_memory(processes: int) -> int:
    """Return the MiB that an api-server with so many processes takes."""
    return API_SERVER_PROCESS_MIB * processes


def max_connections(instance_class: str) -> int:
    """Return how many connections a metastore of this class accepts, carefully estimated.

    Raises:
        KeyError: the class is not in DATABASE_MEMORY_GIB.

    """
    nominal_mib = DATABASE_MEMORY_GIB[instance_class] * 1024
    usable_mib = nominal_mib * _MEMORY_LEFT_PERCENT // 100 - _RDS_MIB
    return min(_MOST_CONNECTIONS, usable_mib * MIB // _BYTES_PER_CONNECTION)


def connections_needed(processes: int) -> int:
    """Return how many connections the metastore must accept for so many Airflow processes that use it.

    Workers and Flower do not count: they hold no database credential.
    """
    return processes * CONNECTIONS_PER_PROCESS * TASKS_DURING_DEPLOYMENT + RESERVED_CONNECTIONS


def total_task_slots(pools: Iterable[tuple[int, int]]) -> int:
    """Return how many tasks can run at once: the sum over the pools of (most workers, concurrency)."""
    return sum(workers * concurrency for workers, concurrency in pools)
