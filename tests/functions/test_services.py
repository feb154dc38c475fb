"""Whether services have tasks."""

from __future__ import annotations

import pytest

from functions.platform_gate import services
from tests.functions.account import Account
from tests.functions.stand_ins import CLUSTER


def running(aws: Account) -> bool:
    return services.any_running(aws.clients.ecs, CLUSTER)


def test_no_service(aws: Account) -> None:
    assert running(aws) is False
    assert aws.calls == ["ListServices"]


@pytest.mark.parametrize(
    ("tasks", "found"),
    [({}, False), ({"running": 1}, True), ({"pending": 1}, True), ({"running": 2, "pending": 1}, True)],
    ids=["none", "running", "about to run", "both"],
)
def test_tasks(aws: Account, tasks: dict[str, int], found: bool) -> None:
    aws.add_service("scheduler", **tasks)
    assert running(aws) is found


@pytest.mark.parametrize("which", [1, 10, 11, 25])
def test_one_among_many(aws: Account, which: int) -> None:
    """ECS lists ten services a page and describes ten a call."""
    for number in range(1, 26):
        aws.add_service(f"worker-{number}", running=int(number == which))
    assert running(aws) is True


def test_many_without_tasks(aws: Account) -> None:
    for number in range(21):
        aws.add_service(f"worker-{number}")
    assert running(aws) is False
    assert aws.calls.count("DescribeServices") == 3
