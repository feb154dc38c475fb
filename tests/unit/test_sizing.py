"""Sizes, memory and connections: the tables as AWS writes them, and the arithmetic at its edges."""

from __future__ import annotations

import itertools
import subprocess
import sys

import pytest

from components.sizing import (
    DATABASE_MEMORY_GIB,
    FARGATE_MEMORY_MIB,
    allowed_memory,
    api_server_memory,
    connections_needed,
    max_connections,
    total_task_slots,
    valid_fargate_size,
    worker_concurrency,
    worker_memory,
)
from sandbox.behaviour.rules.ecs_task import FARGATE_SIZES


@pytest.mark.parametrize(
    ("cpu_units", "low", "high", "number"),
    [
        (256, 512, 2048, 3),
        (512, 1024, 4096, 4),
        (1024, 2048, 8192, 7),
        (2048, 4096, 16384, 13),
        (4096, 8192, 30720, 23),
        (8192, 16384, 61440, 12),
        (16384, 32768, 122880, 12),
    ],
)
def test_memory_of_a_cpu_size(cpu_units: int, low: int, high: int, number: int) -> None:
    sizes = allowed_memory(cpu_units)
    assert (sizes[0], sizes[-1], len(sizes)) == (low, high, number)
    assert len({after - before for before, after in itertools.pairwise(sizes[1:])}) == 1


def test_simulated_fargate_has_the_same_sizes() -> None:
    assert {cpu: set(sizes) for cpu, sizes in FARGATE_MEMORY_MIB.items()} == {
        cpu: set(sizes) for cpu, sizes in FARGATE_SIZES.items() if cpu in FARGATE_MEMORY_MIB
    }


@pytest.mark.parametrize(
    ("cpu_units", "memory_mib", "valid"),
    [
        (256, 512, True),
        (256, 1536, False),
        (256, 4096, False),
        (512, 512, False),
        (1024, 3072, True),
        (1024, 3000, False),
        (4096, 30720, True),
        (4096, 31744, False),
        (8192, 20480, True),
        (8192, 17408, False),
        (16384, 122880, True),
        (300, 512, False),
    ],
)
def test_fargate_size(cpu_units: int, memory_mib: int, valid: bool) -> None:
    assert valid_fargate_size(cpu_units, memory_mib) is valid


def test_tables_cannot_be_changed() -> None:
    for table in (FARGATE_MEMORY_MIB, DATABASE_MEMORY_GIB):
        assert not hasattr(table, "__setitem__")


@pytest.mark.parametrize(("concurrency", "memory_mib"), [(1, 462), (4, 648), (8, 896), (16, 1392)])
def test_memory_of_a_worker(concurrency: int, memory_mib: int) -> None:
    """Measured: 811 MB with 8 running tasks, and 90 of the release agent."""
    assert worker_memory(concurrency) == memory_mib
    assert worker_concurrency(memory_mib) == concurrency
    assert worker_concurrency(memory_mib - 1) == concurrency - 1


def test_worker_without_memory_runs_nothing() -> None:
    assert worker_concurrency(200) == 0


@pytest.mark.parametrize(("processes", "memory_mib"), [(1, 280), (2, 560)])
def test_memory_of_an_api_server(processes: int, memory_mib: int) -> None:
    """Measured: 556 MB with two processes."""
    assert api_server_memory(processes) == memory_mib


@pytest.mark.parametrize(
    ("instance_class", "connections"),
    [
        ("db.t4g.micro", 71),
        ("db.t4g.small", 178),
        ("db.t4g.medium", 392),
        ("db.t4g.large", 820),
        ("db.m7g.large", 820),
        ("db.m7g.xlarge", 1677),
        ("db.r7g.xlarge", 3389),
        ("db.r7g.4xlarge", 5000),
    ],
)
def test_connections_of_a_database_class(instance_class: str, connections: int) -> None:
    """A real db.t4g.small reports 181; none has more than 5000."""
    assert max_connections(instance_class) == connections


@pytest.mark.parametrize("instance_class", DATABASE_MEMORY_GIB)
def test_connections_stay_below_the_formula_on_the_nominal_memory(instance_class: str) -> None:
    nominal = DATABASE_MEMORY_GIB[instance_class] * 1024**3
    assert 0 < max_connections(instance_class) <= min(5000, nominal // 9531392)


def test_connections_of_an_unknown_class() -> None:
    with pytest.raises(KeyError):
        max_connections("db.t2.micro")


@pytest.mark.parametrize(("processes", "connections"), [(4, 125), (9, 275)])
def test_connections_that_processes_need(processes: int, connections: int) -> None:
    """15 each, twice during a deployment, and 5 in reserve."""
    assert connections_needed(processes) == connections


def test_smallest_platform_fits_a_small_database_only() -> None:
    """One process of each role that uses the database: why dev has no db.t4g.micro."""
    needed = connections_needed(4)
    assert max_connections("db.t4g.micro") < needed <= max_connections("db.t4g.small")


@pytest.mark.parametrize(("pools", "slots"), [([], 0), ([(3, 8)], 24), ([(10, 16), (4, 4)], 176)])
def test_total_task_slots(pools: list[tuple[int, int]], slots: int) -> None:
    assert total_task_slots(pools) == slots


def test_sizing_needs_no_pulumi() -> None:
    """The settings take their numbers from here before there is an engine."""
    code = "import sys, components.sizing; sys.exit('pulumi' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
