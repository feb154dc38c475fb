"""Worker pools."""

from __future__ import annotations

from collections.abc import Iterator

from settings.errors import Mistake
from settings.rules.base import Rule, environments_only
from settings.stacks import EnvironmentSettings
from settings.workers import DEFAULT_QUEUE

WORKER_START_SECONDS = 300
"""How long a queued task must be able to wait for a new worker. Fargate takes up to 90 s for an image of this
size and Airflow 10 s more: three starts, since an image pull or Spot capacity may fail twice."""
START_FROM_NOTHING_SECONDS = 600
"""The same for a pool without a running worker: another five minutes, until the backlog has shown in a
one-minute metric, an alarm has judged it, and the service has been told."""


@environments_only
def pool_counts_are_in_order(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """No pool has a minCount above its maxCount."""
    for name, pool in settings.workers.pools.items():
        if pool.min_count > pool.max_count:
            yield Mistake(
                f"workers.pools.{name}.minCount", pool.min_count, f"at most maxCount, {pool.max_count}"
            )


@environments_only
def queues_have_one_pool(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """Each queue is served by exactly one pool, and listed there once."""
    served: dict[str, str] = {}
    for name, pool in settings.workers.pools.items():
        for index, queue in enumerate(pool.queues):
            first = served.setdefault(queue, name)
            if first != name or pool.queues.index(queue) < index:
                yield Mistake(
                    f"workers.pools.{name}.queues[{index}]",
                    queue,
                    f"a queue that is not listed yet; the pool {first} serves it",
                )


@environments_only
def default_queue_is_served(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """One pool serves the queue default, where Airflow puts the tasks that name no queue."""
    queues = [queue for pool in settings.workers.pools.values() for queue in pool.queues]
    if DEFAULT_QUEUE not in queues:
        yield Mistake("workers.pools", queues, f"a pool that serves the queue {DEFAULT_QUEUE}, too")


@environments_only
def queued_tasks_outlast_a_worker_start(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """Every queued task can wait 300 seconds for a worker, and 600 if a pool has a minCount of 0."""
    given = settings.workers.task_queued_timeout_seconds
    asleep = [name for name, pool in settings.workers.pools.items() if pool.min_count == 0]
    least = START_FROM_NOTHING_SECONDS if asleep else WORKER_START_SECONDS
    if given < least:
        why = f", as {', '.join(asleep)} may have no worker" if asleep else " for the start of a worker"
        yield Mistake("workers.taskQueuedTimeoutSeconds", given, f"{least} or more{why}")


RULES: tuple[Rule, ...] = (
    pool_counts_are_in_order,
    queues_have_one_pool,
    default_queue_is_served,
    queued_tasks_outlast_a_worker_start,
)
