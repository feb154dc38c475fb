"""Airflow's own processes: how large and how many the containers are that run all the time."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from components.sizing import FARGATE_MEMORY_MIB
from settings.section import Section

CPU_SIZES = tuple(FARGATE_MEMORY_MIB)
LEAST_MEMORY = min(min(sizes) for sizes in FARGATE_MEMORY_MIB.values())
MOST_MEMORY = max(max(sizes) for sizes in FARGATE_MEMORY_MIB.values())


def known_cpu_size(units: int) -> int:
    """Return `units`; raise ValueError unless Fargate has tasks with that many CPU units."""
    if units not in CPU_SIZES:
        raise ValueError("not a size of Fargate")
    return units


CpuUnits = Annotated[int, AfterValidator(known_cpu_size), Field(json_schema_extra={"enum": list(CPU_SIZES)})]
MemoryMib = Annotated[int, Field(ge=LEAST_MEMORY, le=MOST_MEMORY)]


class TaskSize(Section):
    """Size of one Fargate task."""

    cpu_units: CpuUnits
    """CPU units of a task; 1024 are one vCPU."""
    memory_mib: MemoryMib
    """MiB of memory of a task; Fargate has certain sizes only for each number of CPU units."""


class ApiServerSettings(TaskSize):
    """The api-server: web pages, REST API, and the API through which workers report."""

    count: Annotated[int, Field(ge=1, le=20)]
    """Tasks that run all the time. With one, every failure of it stops the tasks that are starting."""
    processes: Annotated[int, Field(ge=1, le=16)] = 1
    """Server processes in each task; each takes about 280 MiB and its own connections."""


class SchedulerSettings(TaskSize):
    """The scheduler: decides what runs when."""

    count: Annotated[int, Field(ge=1, le=10)]
    """Tasks that run all the time; they share the work, and one goes on when another fails."""


class DagProcessorSettings(TaskSize):
    """The dag-processor: reads the DAG files into the metastore."""

    count: Annotated[int, Field(ge=1, le=4)]
    """Tasks that run all the time. A second one parses the same files again and is no standby: while a
    single one restarts, only changes of DAGs wait."""


class TriggererSettings(TaskSize):
    """The triggerer: waits in place of deferred tasks."""

    count: Annotated[int, Field(ge=1, le=20)]
    """Tasks that run all the time; the deferred tasks of a failed one go to another."""


class FlowerSettings(TaskSize):
    """Flower, the monitor of Celery; it needs about 130 MiB."""


class ServicesSettings(Section):
    """Airflow's own processes, each role a service on Fargate, on demand and never on Spot."""

    exec_enabled: bool = False
    """Allow recorded sessions inside the containers (ECS Exec); gives up their read-only root file system."""
    api_server: ApiServerSettings
    """The api-server."""
    scheduler: SchedulerSettings
    """The scheduler."""
    dag_processor: DagProcessorSettings
    """The dag-processor."""
    triggerer: TriggererSettings
    """The triggerer."""
    flower: FlowerSettings | None = None
    """Flower; left out, there is none."""
