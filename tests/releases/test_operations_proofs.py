"""Which tasks have proved what: a table of cases, and what must hold for all of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from images.airflow.platform_runtime.releases.ledger import GENESIS, Pointer, Proof
from operations.proofs import FleetStanding, RunningTask, Standing, holders, judge
from tests.releases.ledger_table import START, A, B, proof

POINTER = Pointer(
    sequence=7,
    release_id=A,
    git_commit="a" * 40,
    image_digest="sha256:1",
    publisher="ada",
    moved_at=START,
    reason="release",
    previous_release_id=B,
)
TASK = RunningTask("worker", "1", START)


def standing(tasks: list[RunningTask], proofs: list[Proof], **more: Any) -> FleetStanding:
    return judge(["dag-processor", "worker"], tasks, proofs, more.pop("pointer", POINTER), **more)


@pytest.mark.parametrize(
    ("changes", "wanted", "detail"),
    [
        ({}, Standing.PROVED, ""),
        ({"sequence": 8}, Standing.PROVED, ""),
        ({"sequence": 6}, Standing.WAITING, "still follows number 6 (aaaaaaaaaaaa)"),
        ({"sequence": 6, "status": "mismatch"}, Standing.WAITING, "still follows number 6 (aaaaaaaaaaaa)"),
        ({"release_id": B}, Standing.WAITING, "follows number 7 (bbbbbbbbbbbb)"),
        ({"release_id": B, "computed_id": A}, Standing.WAITING, "follows number 7 (bbbbbbbbbbbb)"),
        ({"status": "waiting", "computed_id": ""}, Standing.WAITING, "has no verified copy yet"),
        ({"status": "waiting", "detail": "not visible yet"}, Standing.WAITING, "not visible yet"),
        ({"status": "mismatch", "detail": "dags/a.py: changed"}, Standing.WRONG, "dags/a.py: changed"),
        (
            {"status": "mismatch", "computed_id": B},
            Standing.WRONG,
            "its copy is bbbbbbbbbbbb instead of aaaaaaaaaaaa",
        ),
        ({"computed_id": B}, Standing.WRONG, "its copy is bbbbbbbbbbbb instead of aaaaaaaaaaaa"),
        ({"computed_id": ""}, Standing.WRONG, "its copy is nothing instead of aaaaaaaaaaaa"),
        ({"task_id": "2"}, Standing.WAITING, "has not said anything yet"),
        ({"service": "triggerer"}, Standing.WAITING, "has not said anything yet"),
    ],
)
def test_one_task(changes: dict[str, Any], wanted: Standing, detail: str) -> None:
    (found,) = standing([TASK], [proof(**{"sequence": 7} | changes)]).tasks
    assert (found.standing, found.detail) == (wanted, detail)


@pytest.mark.parametrize(
    ("request_", "wanted"),
    [("", "has not answered yet"), ("older", "has not answered yet"), ("mine", ""), ("later", "")],
)
def test_answers_to_requests(request_: str, wanted: str) -> None:
    (found,) = standing([TASK], [proof(sequence=7, request=request_)], requests={"mine", "later"}).tasks
    assert found.detail == wanted


def test_nothing_was_ever_released() -> None:
    """A new platform proves the empty release."""
    empty = proof(release_id=GENESIS, sequence=0)
    assert standing([TASK], [empty], pointer=None).complete
    assert not standing([TASK], [proof(sequence=0)], pointer=None).complete


def test_tasks_that_are_gone_do_not_count() -> None:
    found = standing([TASK], [proof(sequence=7), proof(task_id="2", status="mismatch", sequence=7)])
    assert (found.complete, found.wrong) == (True, ())


def test_counts() -> None:
    tasks = [RunningTask("worker", str(number), START) for number in range(4)]
    proofs = [proof(task_id="0", sequence=7), proof(task_id="1", sequence=7, status="mismatch", detail="x")]
    found = standing(tasks, proofs)
    none, counts = found.by_service()
    assert (none.service, none.running, none.proved) == ("dag-processor", 0, 0)
    assert (counts.running, counts.proved, counts.waiting, counts.wrong) == (4, 1, 2, 1)
    assert [each.task.task_id for each in found.unproved] == ["1", "2", "3"]
    assert found.document()["services"] == {
        "dag-processor": {"running": 0, "proved": 0, "waiting": 0, "mismatch": 0},
        "worker": {"running": 4, "proved": 1, "waiting": 2, "mismatch": 1},
    }


def test_what_programs_get() -> None:
    written, nothing = standing([TASK, RunningTask("worker", "2", START)], [proof(sequence=7)]).document()[
        "containers"
    ]
    assert written == {
        "service": "worker",
        "task_id": "1",
        "started_at": "2026-11-20T09:30:00+00:00",
        "standing": "proved",
        "detail": "",
        "release_id": A,
        "computed_id": A,
        "sequence": 7,
        "files": 3,
        "verified_at": "2026-11-20T09:30:00+00:00",
        "image_digest": "sha256:1",
        "versions": [A],
    }
    assert [nothing[name] for name in ("standing", "release_id", "versions")] == ["waiting", None, []]


def test_who_holds_what() -> None:
    proofs = [
        proof(versions=(A, B)),
        proof(task_id="2", versions=(B, B)),
        proof(task_id="gone", versions=(A,)),
        proof(service="elsewhere", versions=(A,)),
    ]
    assert holders([TASK, RunningTask("worker", "2", START)], proofs) == {A: 1, B: 2}


TASKS = st.builds(
    RunningTask,
    st.sampled_from(["dag-processor", "worker"]),
    st.sampled_from("123"),
    st.integers(0, 9).map(lambda minutes: START + timedelta(minutes=minutes)),
)
PROOFS = st.builds(
    proof,
    service=st.sampled_from(["dag-processor", "worker"]),
    task_id=st.sampled_from("123"),
    release_id=st.sampled_from([A, B]),
    computed_id=st.sampled_from([A, B, ""]),
    sequence=st.integers(5, 9),
    status=st.sampled_from(["verified", "mismatch", "waiting"]),
    detail=st.sampled_from(["", "something"]),
)


@given(st.lists(TASKS, max_size=6), st.lists(PROOFS, max_size=8))
def test_complete_means_that_every_running_task_holds_it(
    tasks: list[RunningTask], proofs: list[Proof]
) -> None:
    found = standing(tasks, proofs)
    last = {(each.service, each.task_id): each for each in proofs}
    right = {
        key
        for key, each in last.items()
        if (each.release_id, each.computed_id, each.status) == (A, A, "verified") and each.sequence >= 7
    }
    assert found.complete == all((task.service, task.task_id) in right for task in tasks)
    assert all(bool(each.detail) == (each.standing is not Standing.PROVED) for each in found.tasks)
    assert sum(each.running for each in found.by_service()) == len(set(tasks)) == len(found.tasks)


@given(st.lists(TASKS, min_size=1, max_size=6), st.lists(PROOFS, max_size=8), st.randoms())
def test_order_means_nothing(tasks: list[RunningTask], proofs: list[Proof], chance: Any) -> None:
    unique = list({(each.service, each.task_id): each for each in proofs}.values())
    before = standing(tasks, unique)
    chance.shuffle(tasks)
    chance.shuffle(unique)
    assert standing(tasks, unique) == before


@given(st.lists(PROOFS, max_size=8))
def test_nobody_unproves_another(proofs: list[Proof]) -> None:
    others = [replace(each, task_id=f"other {each.task_id}") for each in proofs]
    assert standing([TASK], [proof(sequence=7), *others]).complete
