"""What must stay, from every mixture of moves and counts: the reasons, and that nothing needed is ever missing."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from images.airflow.platform_runtime.releases.keeping import BEGUN, LAST, Unknown, in_use, kept
from images.airflow.platform_runtime.releases.ledger import GENESIS, Pointer, Target, following
from images.airflow.platform_runtime.releases.usage import FRESH, Usage
from tests.releases.ledger_table import START, A, B, C

D = "d" * 64
MINUTE = timedelta(minutes=1)
NOW = START + timedelta(days=100)
COUNT = Usage(counted_at=NOW)


def moves(*given: tuple[str, timedelta]) -> list[Pointer]:
    """Return the history of moves, each to a release at an age; the oldest is given first."""
    found: list[Pointer] = []
    for release_id, age in given:
        target = Target(
            release_id=release_id, git_commit="", image_digest="", publisher="ada", reason="release"
        )
        pointer = following(found[0] if found else None, target, NOW - age)
        found.insert(0, pointer)
    return found


def after(history: list[Pointer], *usages: Usage, last: int = LAST, now: datetime = NOW) -> dict[str, str]:
    return kept(history[0] if history else None, history, usages or (COUNT,), now, last=last)


def test_a_new_platform_needs_nothing() -> None:
    assert after([]) == {}


def test_the_current_release_and_the_one_before_it() -> None:
    history = moves((A, 9 * BEGUN), (B, 8 * BEGUN), (C, 7 * BEGUN))
    assert after(history, last=0) == {C: "current", B: "the one before the current release"}


def test_the_empty_release_is_nowhere() -> None:
    history = moves((GENESIS, 9 * BEGUN), (A, 8 * BEGUN), (GENESIS, 7 * BEGUN))
    assert after(history, Usage(counted_at=NOW, runs={GENESIS: 1}), last=9) == {
        A: "the one before the current release"
    }


@pytest.mark.parametrize(
    ("count", "reason"),
    [(0, "new runs begin on it"), (1, "1 unfinished run"), (1234, "1,234 unfinished runs")],
)
def test_what_runs_need(count: int, reason: str) -> None:
    assert after([], Usage(counted_at=NOW, runs={A: count})) == {A: reason}


def test_the_weightiest_reason_is_said() -> None:
    history = moves((A, 4 * MINUTE), (B, 3 * MINUTE), (C, 2 * MINUTE), (D, MINUTE))
    runs = Usage(counted_at=NOW, runs={B: 1, C: 2, D: 3})
    assert after(history, runs) == {
        D: "current",
        C: "2 unfinished runs",
        B: "1 unfinished run",
        A: "current within the last hour",
    }
    assert after(history)[C] == "the one before the current release"


def test_what_was_current_within_the_hour() -> None:
    """It counts when a release was left, not when it became the current one."""
    history = moves((A, 99 * BEGUN), (B, BEGUN + MINUTE), (C, BEGUN - MINUTE), (D, MINUTE))
    assert after(history, last=0) == {
        D: "current",
        C: "the one before the current release",
        B: "current within the last hour",
    }


def test_the_last_different_releases() -> None:
    """However often the pointer went between two of them."""
    ids = [f"{number:064x}" for number in range(30)]
    back_and_forth = [(ids[at], 9 * BEGUN) for at in (28, 29) * 50]
    history = moves(*((each, 9 * BEGUN) for each in ids), *back_and_forth)
    found = after(history)
    assert found.keys() == set(ids[-LAST:])
    assert found[ids[-LAST]] == "one of the last 20 releases"


def test_a_version_that_is_no_release_is_ignored() -> None:
    assert after([], Usage(counted_at=NOW, runs={"main": 7, A: 1})) == {A: "1 unfinished run"}


# Counts


def test_two_dag_processors_while_one_takes_over() -> None:
    """Whatever either names stays; the newer one knows how many."""
    earlier = Usage(counted_at=NOW - 2 * MINUTE, runs={A: 5, B: 1})
    later = Usage(counted_at=NOW - MINUTE, runs={A: 4, C: 1})
    assert in_use([later, earlier], NOW) == {A: 4, B: 1, C: 1}


def test_an_old_count_does_not_matter_beside_a_fresh_one() -> None:
    old = Usage(counted_at=NOW - FRESH - MINUTE, runs={A: 1}, complete=False)
    assert in_use([old, Usage(counted_at=NOW, runs={B: 1})], NOW) == {B: 1}


@pytest.mark.parametrize(
    ("usages", "since"),
    [
        ([], "yet, or not for hours"),
        (
            [Usage(counted_at=NOW - FRESH - MINUTE), Usage(counted_at=NOW - 9 * FRESH)],
            "since 2027-02-28 09:14:00 UTC",
        ),
        ([Usage(counted_at=NOW + FRESH + MINUTE)], "since 2027-02-28 09:46:00 UTC"),
    ],
)
def test_without_a_recent_count_nobody_knows(usages: list[Usage], since: str) -> None:
    with pytest.raises(Unknown) as caught:
        kept(None, [], usages, NOW)
    assert str(caught.value) == (
        f"nobody says which releases running DAG runs need: the dag-processor has not counted {since}, and a count is"
        " believed for 15 minutes: see whether it runs, then try again"
    )


def test_an_incomplete_count_is_none() -> None:
    with pytest.raises(Unknown) as caught:
        kept(None, [], [COUNT, Usage(counted_at=NOW - MINUTE, complete=False)], NOW)
    assert str(caught.value) == (
        "unfinished DAG runs need more than 200 releases, and the dag-processor names only as many: end runs of old"
        " releases, or clear them with the latest version, then try again"
    )


IDS = st.sampled_from([f"{number:064x}" for number in range(40)])
RUNS = st.dictionaries(IDS, st.integers(0, 3), max_size=4)
TIMES = st.lists(st.tuples(IDS, st.integers(0, 300)), max_size=40)


@given(times=TIMES, runs=RUNS, began=st.integers(0, 15), last=st.integers(0, 25))
def test_nothing_that_a_run_needs_is_missing(
    times: list[tuple[str, int]], runs: dict[str, int], began: int, last: int
) -> None:
    """Neither what was counted, nor what a run has begun on since the count."""
    ordered = sorted(times, key=lambda each: -each[1])
    history = moves(*((release_id, age * MINUTE) for release_id, age in ordered))
    found = after(history, Usage(counted_at=NOW - began * MINUTE, runs=runs), last=last)
    at_the_count = [each.release_id for each in history if each.moved_at <= NOW - began * MINUTE][:1]
    since = [each.release_id for each in history if each.moved_at > NOW - began * MINUTE]
    assert {*runs, *at_the_count, *since} <= found.keys()
    # Beyond what may be needed there are the last ones only.
    hour = {each.release_id for each in history if each.moved_at >= NOW - BEGUN}
    assert len(found) <= len(hour | runs.keys()) + last + 3
