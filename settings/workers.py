"""The workers: pools of Celery workers, each for queues of its own."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from settings.section import Section, allowed
from settings.services import TaskSize

DEFAULT_QUEUE = "default"
"""Airflow's queue for tasks that name none."""
MAX_POOLS = 10

PoolName = Annotated[
    str,
    Field(
        pattern=r"^[a-z]([a-z0-9-]{0,14}[a-z0-9])?$",
        json_schema_extra=allowed("1 to 16 lower-case letters, digits and inner hyphens, a letter first"),
    ),
]
QueueName = Annotated[
    str,
    Field(
        # Workers get their queues as one comma-separated argument.
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$",
        json_schema_extra=allowed("1 to 64 letters, digits and _.-, a letter or digit first"),
    ),
]


class WorkerPoolSettings(TaskSize):
    """Workers of one size that serve the same queues."""

    queues: Annotated[tuple[QueueName, ...], Field(min_length=1, max_length=20)]
    """Queues that the pool serves, as tasks name them."""
    concurrency: Annotated[int, Field(ge=1, le=64)]
    """Tasks that one worker runs at the same time; a worker takes 400 MiB and 62 MiB a task, before the
    tasks' own code."""
    min_count: Annotated[int, Field(ge=0, le=100)]
    """Workers that always run; with 0 the first task waits until one has started."""
    max_count: Annotated[int, Field(ge=1, le=100)]
    """Workers that run at most, however long the queue is."""
    spot_percent: Annotated[int, Field(ge=0, le=100)] = 0
    """Share of the workers on Fargate Spot, in percent: about 70 % cheaper, but AWS may end such a worker with
    two minutes' notice. For queues whose tasks may be repeated."""


class WorkersSettings(Section):
    """The worker pools, and the times that broker, scheduler and workers must agree on."""

    longest_task_minutes: Annotated[int, Field(ge=1, le=2880)]
    """Minutes that the longest task runs. 2880 is how long ECS can keep a busy worker from being ended."""
    task_queued_timeout_seconds: Annotated[int, Field(ge=60, le=86400)] = 1800
    """Seconds after which a queued task is given up and queued again; its token lives as long. Longer than a
    worker takes to start, at the worst."""
    pools: Annotated[
        dict[PoolName, WorkerPoolSettings],
        Field(min_length=1, max_length=MAX_POOLS, json_schema_extra={"additionalProperties": False}),
    ]
    """The pools by name; a pool's name is part of its service's name."""
