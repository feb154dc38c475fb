"""Metastore and broker."""

from __future__ import annotations

from collections.abc import Iterator

from components.sizing import DATABASE_MEMORY_GIB, connections_needed, max_connections
from settings.errors import Mistake
from settings.rules.base import Rule, environments_only
from settings.stacks import EnvironmentSettings

LEAST_GROWTH_PERCENT = 110  # RDS refuses less: "Invalid max storage size"


@environments_only
def metastore_storage_can_grow(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """Below metastore.maxStorageGib there is room for a tenth more than metastore.storageGib, as RDS wants."""
    metastore = settings.metastore
    least = -(-metastore.storage_gib * LEAST_GROWTH_PERCENT // 100)
    if metastore.max_storage_gib < least:
        yield Mistake(
            "metastore.maxStorageGib",
            metastore.max_storage_gib,
            f"{least} or more: a tenth above metastore.storageGib",
        )


@environments_only
def metastore_accepts_every_connection(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """Each Airflow process gets its 15 connections to the metastore, also while a deployment doubles them."""
    services, given = settings.services, settings.metastore.instance_class
    processes = (
        services.api_server.count * services.api_server.processes
        + services.scheduler.count
        + services.dag_processor.count
        + services.triggerer.count
    )
    needed, accepted = connections_needed(processes), max_connections(given)
    if accepted < needed:
        suffices = [name for name in DATABASE_MEMORY_GIB if max_connections(name) >= needed]
        wanted = f"one of {', '.join(suffices)}" if suffices else "fewer processes in services"
        yield Mistake(
            "metastore.instanceClass",
            given,
            f"{wanted}: {processes} processes may need {needed} connections, this class accepts {accepted}",
        )


@environments_only
def messages_outlast_the_longest_task(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """Before the broker's visibility timeout, the longest task has waited in the queue and ended."""
    workers, given = settings.workers, settings.broker.visibility_timeout_minutes
    busy = workers.longest_task_minutes + -(-workers.task_queued_timeout_seconds // 60)
    if given <= busy:
        yield Mistake(
            "broker.visibilityTimeoutMinutes",
            given,
            f"more than {busy}, the minutes of workers.longestTaskMinutes and "
            "workers.taskQueuedTimeoutSeconds together",
        )


RULES: tuple[Rule, ...] = (
    metastore_storage_can_grow,
    metastore_accepts_every_connection,
    messages_outlast_the_longest_task,
)
