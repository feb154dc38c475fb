"""Proving the fleet again: only answers to this request count, or to a later one."""

from __future__ import annotations

import signal

import pytest

from images.airflow.platform_runtime.releases.ledger import GENESIS, LedgerBusy, LedgerError
from operations.errors import ExitCode, OperationError
from operations.verify import Verified
from tests.releases.ledger_table import START
from tests.releases.simulated_platform import NEW, NEW_ID, OLD, Agent, Platform, throttled


@pytest.fixture
def platform() -> Platform:
    found = Platform()
    found.released_before(NEW)
    return found


def verify(platform: Platform) -> Verified:
    with platform.interrupts:
        return platform.verifying().run()


def test_all_is_well(platform: Platform) -> None:
    verified = verify(platform)
    assert (verified.ok, verified.problem) == (True, "")
    document = verified.document()
    assert (document["result"], document["release_id"], document["sequence"]) == ("proved", NEW_ID, 1)
    assert [container["standing"] for container in document["containers"]] == ["proved"] * 3
    assert verified.shown()[2] == f"{NEW_ID} is proved by 3 running containers"


def test_on_a_new_platform() -> None:
    verified = verify(Platform())
    assert (verified.ok, verified.document()["release_id"], verified.document()["sequence"]) == (
        True,
        GENESIS,
        0,
    )


def test_what_was_proved_before_does_not_count(platform: Platform) -> None:
    verify(platform)
    for agent in platform.agents:
        agent.behaviour = "silent"
    verified = verify(platform)
    assert {task.detail for task in verified.standing.tasks} == {"has not answered yet"}
    assert verified.problem == "3 of 3 have not proved it in time"


def test_one_that_holds_something_else_does_not_end_the_waiting(platform: Platform) -> None:
    platform.agents[0].behaviour, platform.agents[1].behaviour = "mismatch", "deaf"
    verified = verify(platform)
    assert verified.problem == "1 of 3 containers hold something else; 1 of 3 have not proved it in time"
    assert [(task.task.task_id, task.detail) for task in verified.standing.unproved] == [
        ("p1", "daily.py: another content"),
        ("w1", "has not answered yet"),
    ]
    assert (verified.document()["result"], platform.clock.passed) == ("not proved", 60)


def test_nobody_is_waited_for_once_all_have_answered(platform: Platform) -> None:
    platform.agents[0].behaviour = "mismatch"
    verified = verify(platform)
    assert verified.problem == "1 of 3 containers hold something else"
    assert platform.clock.passed < 10


def test_a_task_that_stops_drops_out(platform: Platform) -> None:
    platform.agents.append(Agent("worker", "w3", behaviour="silent"))

    def hook(step: str) -> None:
        platform.agents[-1].desired = "STOPPED"

    platform.clock.woken.append(lambda: hook(""))
    assert verify(platform).ok


def test_somebody_asks_meanwhile(platform: Platform) -> None:
    """The containers answer the later request, and that answers this one as well."""
    asked: list[str] = []

    def ask() -> None:
        if not asked:
            asked.append(platform.ledger.request_verify(START))

    platform.clock.woken.insert(0, ask)
    assert verify(platform).ok


def test_a_ledger_that_lost_the_request(platform: Platform) -> None:
    """A container that never answered anything has not answered this."""
    for agent in platform.agents:
        agent.behaviour = "deaf"
    platform.clock.woken.insert(0, lambda: setattr(platform.ledger, "_request", ""))
    assert not verify(platform).ok


def test_the_pointer_moves_meanwhile(platform: Platform) -> None:
    """What is current at the end counts."""
    moved: list[int] = []

    def move() -> None:
        if not moved:
            moved.append(1)
            platform.released_before(OLD)

    platform.clock.woken.insert(0, move)
    verified = verify(platform)
    assert (verified.ok, verified.document()["sequence"]) == (True, 2)


def test_busy_moments(platform: Platform) -> None:
    platform.ecs.errors["ListTasks"] = [throttled()] * 3
    assert verify(platform).ok


def test_busy_to_the_end(platform: Platform) -> None:
    platform.ecs.errors["ListTasks"] = [throttled()] * 100
    with pytest.raises(OperationError) as caught:
        verify(platform)
    assert str(caught.value) == (
        "not known within 60 s: cannot list the tasks of the service dag-processor: AWS is busy (ThrottlingException):"
        " try again in a minute"
    )


def test_busy_at_the_end(platform: Platform) -> None:
    """An old answer is not given as the result."""
    platform.agents[0].behaviour = "silent"
    platform.clock.woken.append(
        lambda: platform.ecs.errors.update(ListTasks=[throttled()] * (platform.clock.passed > 50))
    )
    with pytest.raises(OperationError, match=r"^not known within 60 s: "):
        verify(platform)


@pytest.mark.parametrize("step", ["before request_verify", "before proofs"])
@pytest.mark.parametrize("error", [LedgerError("no table"), LedgerBusy("no answer")])
def test_a_ledger_that_fails(platform: Platform, step: str, error: LedgerError) -> None:
    def hook(seen: str) -> None:
        if seen == step:
            raise error

    platform.hook = hook
    with pytest.raises(OperationError, match=str(error)):
        verify(platform)


def test_ctrl_c(platform: Platform) -> None:
    platform.clock.woken.append(lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(OperationError) as caught:
        verify(platform)
    assert (str(caught.value), caught.value.code) == ("stopped by Ctrl-C", ExitCode.INTERRUPTED)
