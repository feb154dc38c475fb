"""Work beside a loop."""

from __future__ import annotations

import threading

from sandbox.cli import SandboxError
from sandbox.twin.job import Job


def concluded(job: Job) -> None:
    job.join(5)
    assert job.over
    job.conclude()


def test_what_follows_comes_after_the_work_and_in_the_loop() -> None:
    threads: list[str] = []
    job = Job(
        lambda: threads.append(threading.current_thread().name),
        lambda: threads.append(threading.current_thread().name),
        lambda error: threads.append(str(error)),
    )
    concluded(job)

    assert threads == ["job", threading.current_thread().name]


def test_failed_work_is_followed_by_its_failure_alone() -> None:
    said: list[str] = []

    def fail() -> None:
        raise SandboxError("no")

    concluded(Job(fail, lambda: said.append("then"), lambda error: said.append(str(error))))

    assert said == ["no"]


def test_a_failure_of_what_follows_counts_as_well() -> None:
    said: list[str] = []

    def then() -> None:
        raise SandboxError("not now")

    concluded(Job(lambda: None, then, lambda error: said.append(str(error))))

    assert said == ["not now"]


def test_it_is_not_over_while_the_work_goes_on() -> None:
    go = threading.Event()
    job = Job(lambda: go.wait(5), lambda: None, lambda _: None)
    before = job.over
    go.set()
    job.join(5)

    assert (before, job.over) == (False, True)
