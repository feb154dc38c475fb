"""How drills count executions: by what tasks themselves have left."""

from __future__ import annotations

from tests.twin.drills.burst import Mark, overlapping, unseen

RUN = "drill/manual__2026-11-21T12:00:00.000000+00:00"


def marks(*lines: str) -> list[Mark]:
    """Return marks of lines such as `0/1/a/began/1.0`: index, attempt, execution, what, time."""
    return [Mark.of(f"{RUN}/{line}") for line in lines]


def test_a_mark_says_who_did_what_when() -> None:
    assert Mark.of(f"{RUN}/7/2/f00/ended/12.5") == Mark(7, 2, "f00", "ended", 12.5)


def test_a_key_of_s3_may_be_quoted() -> None:
    assert Mark.of("drill/manual__2026%2B00%3A00/7/2/f00/ended/12.5").number == 7


def test_an_attempt_that_was_executed_twice_is_unseen() -> None:
    assert unseen(marks("0/1/a/began/1", "0/1/b/began/2")) == 1


def test_a_second_attempt_is_seen() -> None:
    assert unseen(marks("0/1/a/began/1", "0/2/b/began/2")) == 0


def test_two_tasks_are_no_second_execution() -> None:
    assert unseen(marks("0/1/a/began/1", "1/1/b/began/2")) == 0


def test_an_execution_that_goes_on_beside_the_next_one_overlaps() -> None:
    assert overlapping(marks("0/1/a/began/1", "0/2/b/began/2", "0/1/a/ended/3", "0/2/b/ended/4")) == 1


def test_an_execution_that_was_killed_does_not_overlap() -> None:
    assert overlapping(marks("0/1/a/began/1", "0/2/b/began/2", "0/2/b/ended/4")) == 0


def test_executions_one_after_the_other_do_not_overlap() -> None:
    assert overlapping(marks("0/1/a/began/1", "0/1/a/ended/2", "0/2/b/began/3", "0/2/b/ended/4")) == 0
