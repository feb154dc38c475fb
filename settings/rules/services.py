"""Sizes of containers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from components.sizing import (
    API_SERVER_PROCESS_MIB,
    WORKER_MIB,
    WORKER_TASK_MIB,
    allowed_memory,
    api_server_memory,
    valid_fargate_size,
    worker_concurrency,
    worker_memory,
)
from settings.errors import Mistake
from settings.rules.base import Rule, environments_only
from settings.services import TaskSize
from settings.stacks import EnvironmentSettings

FEW = 3  # sizes that are listed one by one


def task_sizes(settings: EnvironmentSettings) -> Iterator[tuple[str, TaskSize]]:
    """Yield every task size of an environment, with its path in the stack file."""
    services = settings.services
    yield "services.apiServer", services.api_server
    yield "services.scheduler", services.scheduler
    yield "services.dagProcessor", services.dag_processor
    yield "services.triggerer", services.triggerer
    if services.flower:
        yield "services.flower", services.flower
    for name, pool in settings.workers.pools.items():
        yield f"workers.pools.{name}", pool


def _in_words(sizes: Sequence[int]) -> str:
    if len(sizes) <= FEW:
        return ", ".join(map(str, sizes))
    return f"{sizes[0]} to {sizes[-1]} in steps of {sizes[1] - sizes[0]}"


@environments_only
def fargate_has_every_size(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """CPU units and memory of every service and pool are a pair that Fargate has."""
    for path, size in task_sizes(settings):
        if not valid_fargate_size(size.cpu_units, size.memory_mib):
            wanted = _in_words(allowed_memory(size.cpu_units))
            yield Mistake(f"{path}.memoryMib", size.memory_mib, f"{wanted} with cpuUnits {size.cpu_units}")


@environments_only
def api_server_processes_fit_in_memory(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """No api-server task has less memory than its processes take, 280 MiB each."""
    server = settings.services.api_server
    if api_server_memory(server.processes) > server.memory_mib:
        yield Mistake(
            "services.apiServer.processes",
            server.processes,
            f"at most {server.memory_mib // API_SERVER_PROCESS_MIB} with memoryMib {server.memory_mib}: "
            f"each takes {API_SERVER_PROCESS_MIB} MiB",
        )


@environments_only
def concurrency_fits_in_memory(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """No worker has less memory than it takes: 400 MiB and 62 MiB a task, before the tasks' own code."""
    for name, pool in settings.workers.pools.items():
        if worker_memory(pool.concurrency) > pool.memory_mib:
            yield Mistake(
                f"workers.pools.{name}.concurrency",
                pool.concurrency,
                f"at most {worker_concurrency(pool.memory_mib)} with memoryMib {pool.memory_mib}: a worker "
                f"takes {WORKER_MIB} MiB and {WORKER_TASK_MIB} MiB a task, before the tasks' own code",
            )


RULES: tuple[Rule, ...] = (
    fargate_has_every_size,
    api_server_processes_fit_in_memory,
    concurrency_fits_in_memory,
)
