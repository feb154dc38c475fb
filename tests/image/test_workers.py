"""How many tasks a worker may run at once: made up when nobody says it, refused when they do not fit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components import sizing, worker_pool
from images.airflow.platform_runtime import workers
from images.airflow.platform_runtime.variables import Variables

WORKER = ("airflow", "celery", "worker")
CONCURRENCY = "AIRFLOW__CELERY__WORKER_CONCURRENCY"


def judged(command: tuple[str, ...], **given_: str) -> tuple[dict[str, str], list[str]]:
    variables = Variables({"PLATFORM_TASK_MEMORY_MIB": "2048"} | given_)
    return workers.concurrency(variables, command), variables.problems


@given(st.integers(512, 120 * 1024))
def test_the_program_counts_alike(memory_mib: int) -> None:
    """The image knows nothing of the program, so both have the numbers."""
    assert workers.MAX_CONCURRENCY == worker_pool.MAX_CONCURRENCY
    assert workers.most(memory_mib) == sizing.worker_concurrency(memory_mib)


@pytest.mark.parametrize(
    ("memory_mib", "tasks"), [(512, 1), (1024, 3), (2048, 8), (4096, 19), (120 * 1024, 64)]
)
def test_made_up_from_the_memory(memory_mib: int, tasks: int) -> None:
    assert judged(WORKER, PLATFORM_TASK_MEMORY_MIB=str(memory_mib)) == ({CONCURRENCY: str(tasks)}, [])


@given(st.integers(512, 120 * 1024))
def test_what_is_made_up_fits(memory_mib: int) -> None:
    assert workers.fitting(memory_mib) <= max(1, workers.most(memory_mib))


@pytest.mark.parametrize("said", [("--concurrency", "26"), ("--concurrency=26",), ("-c", "26")], ids=str)
def test_what_the_command_says_stays(said: tuple[str, ...]) -> None:
    assert judged((*WORKER, *said)) == ({}, [])


def test_other_commands_have_other_options() -> None:
    assert judged(("python", "-c", "pass")) == ({CONCURRENCY: "8"}, [])


def test_what_the_variable_says_stays() -> None:
    assert judged(WORKER, AIRFLOW__CELERY__WORKER_CONCURRENCY="26") == ({}, [])


@pytest.mark.parametrize("said", [("--concurrency", "27"), ("--concurrency=27",)], ids=str)
def test_too_many_are_refused(said: tuple[str, ...]) -> None:
    assert judged((*WORKER, *said)) == (
        {},
        ["the worker's concurrency: at most 26 fit into PLATFORM_TASK_MEMORY_MIB (2048), got 27"],
    )


@pytest.mark.parametrize("said", [("-c", "x"), ("-c", "0"), ("-c",), ("-c", "-1")], ids=str)
def test_no_number_is_refused(said: tuple[str, ...]) -> None:
    assert judged((*WORKER, *said)) == ({}, ["the worker's concurrency: want a whole number above 0"])


def test_the_memory_must_be_known() -> None:
    variables = Variables({})
    workers.concurrency(variables, WORKER)
    assert variables.problems == ["PLATFORM_TASK_MEMORY_MIB is missing"]
