"""How many tasks a worker may run at once in the memory of its container.

A worker that promises more than fits is killed by the kernel in the middle of its tasks, so it must not start.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from .variables import Variables

WORKER_MIB: Final = 400
TASK_MIB: Final = 62
"""Measured with tasks that do nothing; the program's own sizing has the same numbers."""
TASK_CODE_MIB: Final = 128
"""Room for what a task imports and loads, where nobody has said how many tasks there shall be."""
CONCURRENCY: Final = "AIRFLOW__CELERY__WORKER_CONCURRENCY"
MEMORY: Final = "PLATFORM_TASK_MEMORY_MIB"
MAX_MEMORY_MIB: Final = 120 * 1024
MAX_CONCURRENCY: Final = 64
COMMAND: Final = ("airflow", "celery", "worker")


def most(memory_mib: int) -> int:
    """Return the most tasks that fit when their own code takes nothing; at least 0."""
    return max(0, (memory_mib - WORKER_MIB) // TASK_MIB)


def fitting(memory_mib: int) -> int:
    """Return how many tasks of usual size fit; at least 1."""
    return min(MAX_CONCURRENCY, max(1, (memory_mib - WORKER_MIB) // (TASK_MIB + TASK_CODE_MIB)))


def concurrency(variables: Variables, command: Sequence[str]) -> dict[str, str]:
    """Return the variable to set for a worker; a number that does not fit its memory is a problem."""
    memory_mib = variables.number(MEMORY, 512, MAX_MEMORY_MIB)
    asked = _asked(command)
    if asked is None:
        asked = variables.get(CONCURRENCY)
    if asked is None:
        return {CONCURRENCY: str(fitting(memory_mib))}
    if not (asked.isascii() and asked.isdigit() and int(asked) > 0):
        variables.problems.append("the worker's concurrency: want a whole number above 0")
    elif int(asked) > most(memory_mib):
        variables.problems.append(
            f"the worker's concurrency: at most {most(memory_mib)} fit into {MEMORY} ({memory_mib}), got {asked}"
        )
    return {}


def _asked(command: Sequence[str]) -> str | None:
    """Return what the command says; Airflow takes --concurrency N, --concurrency=N and -c N."""
    if tuple(command[: len(COMMAND)]) != COMMAND:
        return None
    for place, word in enumerate(command):
        if word.startswith("--concurrency="):
            return word.partition("=")[2]
        if word in {"--concurrency", "-c"}:
            return command[place + 1] if place + 1 < len(command) else ""
    return None
