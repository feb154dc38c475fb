"""Work in several threads: everything is done, the first error ends it, and nothing runs on afterwards."""

from __future__ import annotations

import threading
import time
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from images.airflow.platform_runtime.releases.parallel import AHEAD, Parallel, pieces

WORKERS = pytest.mark.parametrize("workers", [1, 4])


@given(st.lists(st.integers(), max_size=40), st.integers(1, 20))
def test_pieces(things: list[int], size: int) -> None:
    found = list(pieces(things, size))
    assert [thing for piece in found for thing in piece] == things
    assert [len(piece) for piece in found[:-1]] == [size] * (len(found) - 1)
    assert all(found)


@WORKERS
def test_everything_is_done(workers: int) -> None:
    with Parallel[int](workers) as work:
        for number in range(100):
            work.begin(partial(int, number))
        assert sorted(work.results()) == list(range(100))
        assert list(work.results()) == []


@WORKERS
def test_a_result_brings_more_work(workers: int) -> None:
    """As a folder brings the folders in it."""
    seen = []
    with Parallel[int](workers) as work:
        work.begin(lambda: 4)
        for number in work.results():
            seen.append(number)
            for _ in range(number):
                work.begin(partial(int, number - 1))
    assert len(seen) == 1 + 4 + 4 * 3 + 4 * 3 * 2 + 4 * 3 * 2


@WORKERS
def test_the_first_error_ends_it(workers: int) -> None:
    """Also one that is no error of a program: a test's crash, an interruption."""

    class Crash(BaseException):
        pass

    def crash() -> None:
        raise Crash

    begun = []

    def everything() -> None:
        with Parallel[None](workers) as work:
            work.begin(crash)
            for number in range(100):
                begun.append(number)
                work.begin(partial(time.sleep, 0.001))
            work.finish()

    with pytest.raises(Crash):
        everything()
    assert len(begun) < 100


def test_nothing_runs_afterwards() -> None:
    """Whoever cleans up after an error has the folder alone."""
    running, began = set[int](), threading.Event()

    def slow(number: int) -> None:
        running.add(number)
        began.set()
        time.sleep(0.05)
        running.discard(number)

    def broken_off() -> None:
        with Parallel[None](2) as work:
            for number in range(2):
                work.begin(partial(slow, number))
            began.wait()
            raise KeyError

    with pytest.raises(KeyError):
        broken_off()
    assert running == set()


def test_no_more_is_begun_than_there_is_room_for() -> None:
    """What waits holds content."""
    may_end = threading.Event()
    begun: list[int] = []
    with Parallel[None](2) as work:

        def wait() -> None:
            may_end.wait(5)

        def begin_all() -> None:
            for number in range(20):
                work.begin(wait)
                begun.append(number)

        beginner = threading.Thread(target=begin_all)
        beginner.start()
        time.sleep(0.1)
        assert len(begun) == 2 + AHEAD
        may_end.set()
        beginner.join()
        work.finish()
    assert len(begun) == 20
