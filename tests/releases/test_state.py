"""What the agent writes is what readers read, at every moment, and rubbish is nobody's state.

Not proved here: that both containers see one folder; the twin's tests run them.
"""

from __future__ import annotations

import dataclasses
import json
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from images.airflow.platform_runtime.releases import state
from images.airflow.platform_runtime.releases.manifest import genesis
from images.airflow.platform_runtime.releases.state import State, Status

ID = "a" * 64
OTHER = "b" * 64
GOOD = State(
    sequence=7,
    release_id=ID,
    serving=ID,
    status=Status.VERIFIED,
    verified_at=datetime(2026, 11, 21, 12, 0, 1, 5, UTC),
    detail="",
)

STATES = st.builds(
    State,
    sequence=st.integers(0, 2**40),
    release_id=st.sampled_from(["", ID, OTHER]),
    serving=st.sampled_from(["", ID, OTHER]),
    status=st.sampled_from(Status),
    verified_at=st.none() | st.datetimes(timezones=st.just(UTC)),
    detail=st.text(max_size=50),
)


@given(told=STATES)
def test_readers_read_what_was_written(tmp_path_factory: pytest.TempPathFactory, told: State) -> None:
    local = tmp_path_factory.mktemp("local")
    state.write(local, told)
    assert state.read(local) == told
    assert [path.name for path in local.iterdir()] == [state.CURRENT]


def test_the_form(tmp_path: Path) -> None:
    """Operators and the twin read it, too."""
    state.write(tmp_path, GOOD)
    assert json.loads((tmp_path / "current.json").read_text()) == {
        "sequence": 7,
        "release_id": ID,
        "serving": ID,
        "status": "verified",
        "verified_at": "2026-11-21T12:00:01.000005+00:00",
        "detail": "",
    }


def changed(**fields: object) -> str:
    return json.dumps(
        json.loads(json.dumps(dataclasses.asdict(GOOD) | {"verified_at": None}, default=str)) | fields
    )


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "7",
        "{}",
        changed(status="fine"),
        changed(sequence="x"),
        changed(serving="../../etc"),
        changed(verified_at="yesterday"),
    ],
    ids=["empty", "cut off", "list", "number", "no field", "status", "sequence", "path", "time"],
)
def test_what_cannot_be_read_is_no_state(tmp_path: Path, content: str) -> None:
    (tmp_path / state.CURRENT).write_text(content)
    assert state.read(tmp_path) is None


def test_no_file_is_no_state(tmp_path: Path) -> None:
    assert state.read(tmp_path) is None
    assert state.read(tmp_path / "nowhere") is None


def test_readers_never_see_half_of_a_state(tmp_path: Path) -> None:
    states = [dataclasses.replace(GOOD, sequence=number, detail=str(number) * 3000) for number in range(1, 4)]
    state.write(tmp_path, states[0])
    seen: list[State | None] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.append(state.read(tmp_path))

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for number in range(300):
        state.write(tmp_path, states[number % 3])
    done.set()
    for reader in readers:
        reader.join()
    assert len(seen) > 100
    assert {each.sequence if each else None for each in seen} <= {1, 2, 3}
    assert all(each in states for each in seen)


def test_a_problem_is_there_until_it_is_taken_away(tmp_path: Path) -> None:
    assert state.problem(tmp_path, ID) is None
    state.set_problem(tmp_path, ID, "mismatch: 1 changed (x.py)")
    state.set_problem(tmp_path, OTHER, "unknown: the ledger has no such release")
    assert state.problem(tmp_path, ID) == "mismatch: 1 changed (x.py)"
    assert {path.name for path in tmp_path.iterdir()} == {f"{ID}.problem", f"{OTHER}.problem"}
    state.set_problem(tmp_path, ID, None)
    state.set_problem(tmp_path, ID, None)
    assert state.problem(tmp_path, ID) is None


@pytest.mark.parametrize(
    ("text", "final"),
    [
        ("mismatch: x", True),
        ("gone: the release was collected", True),
        ("unknown: x", False),
        ("waiting: mismatch: x", False),
    ],
)
def test_problems_that_waiting_does_not_solve(text: str, final: bool) -> None:
    assert state.is_final(text) is final


def test_requests(tmp_path: Path) -> None:
    folder = tmp_path / "home" / state.REQUESTS
    assert state.requested(folder) == []
    state.request(folder, OTHER)
    state.request(folder, ID)
    state.request(folder, ID)
    assert state.requested(folder) == [ID, OTHER]
    state.answer(folder, ID)
    state.answer(folder, ID)
    assert state.requested(folder) == [OTHER]


def test_what_a_task_puts_among_the_requests_is_left_alone(tmp_path: Path) -> None:
    """The code of DAGs can write there: neither a name nor a link leads the agent elsewhere."""
    victim = tmp_path / "victim"
    victim.write_text("kept")
    folder = tmp_path / state.REQUESTS
    folder.mkdir()
    (folder / "..hidden").touch()
    (folder / ID.upper()).touch()
    (folder / ID).symlink_to(victim)
    (folder / OTHER).mkdir()
    assert state.requested(folder) == [ID, OTHER]
    for each in (ID, OTHER):
        state.answer(folder, each)
    assert victim.read_text() == "kept"
    assert state.requested(folder) == [OTHER]


# Health


def alive(local: Path, seconds_ago: float = 0) -> None:
    (local / state.HEARTBEAT).write_text(repr(time.monotonic() - seconds_ago))


def test_health_before_the_agent_has_begun(tmp_path: Path) -> None:
    assert state.unhealthy(tmp_path) == "the release agent has not begun"
    (tmp_path / state.HEARTBEAT).write_text("soon")
    assert state.unhealthy(tmp_path) == "the release agent has not begun"


def test_health_before_the_first_verified_release(tmp_path: Path) -> None:
    state.Pulse(tmp_path).beat()
    assert state.unhealthy(tmp_path) == "no release was verified yet: nothing was read"
    state.write(tmp_path, dataclasses.replace(GOOD, serving="", status=Status.WAITING, detail="copying"))
    assert state.unhealthy(tmp_path) == "no release was verified yet: copying"


@pytest.mark.parametrize("status", Status)
def test_health_after_it_does_not_depend_on_what_is_held(tmp_path: Path, status: Status) -> None:
    """ECS would stop the tasks that run."""
    alive(tmp_path)
    state.write(tmp_path, dataclasses.replace(GOOD, status=status))
    assert state.unhealthy(tmp_path) is None


def test_a_silent_agent_is_unhealthy(tmp_path: Path) -> None:
    state.write(tmp_path, GOOD)
    alive(tmp_path, state.SILENT_SECONDS - 5)
    assert state.unhealthy(tmp_path) is None
    alive(tmp_path, state.SILENT_SECONDS + 5)
    assert state.unhealthy(tmp_path) == "the release agent has been silent for 95 s"


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (Status.VERIFIED, None),
        (Status.WAITING, None),
        (Status.MISMATCH, "mismatch: 1 changed (x.py)"),
        (Status.NO_LEDGER, "no ledger: 1 changed (x.py)"),
    ],
)
def test_trouble_for_a_worker(tmp_path: Path, status: Status, told: str | None) -> None:
    alive(tmp_path)
    state.write(tmp_path, dataclasses.replace(GOOD, status=status, detail="1 changed (x.py)"))
    assert state.trouble(tmp_path) == told


def test_an_agent_that_is_gone_is_trouble(tmp_path: Path) -> None:
    """Its container is not essential: nobody replaces the task."""
    assert state.trouble(tmp_path) == "the release agent says nothing"
    state.write(tmp_path, GOOD)
    assert state.trouble(tmp_path) == "the release agent has not begun"
    alive(tmp_path, state.SILENT_SECONDS + 5)
    assert state.trouble(tmp_path) == "the release agent has been silent for 95 s"


def test_a_pulse_writes_once_a_second_at_most(tmp_path: Path) -> None:
    pulse = state.Pulse(tmp_path)
    pulse.beat()
    (tmp_path / state.HEARTBEAT).unlink()
    pulse.beat()
    assert not (tmp_path / state.HEARTBEAT).exists()


def test_a_pulse_survives_a_full_scratch(tmp_path: Path) -> None:
    state.Pulse(tmp_path / "nowhere").beat()


def test_the_first_release_is_a_release_like_any_other(tmp_path: Path) -> None:
    empty = genesis().release_id
    state.write(tmp_path, dataclasses.replace(GOOD, serving=empty))
    assert state.read(tmp_path) == dataclasses.replace(GOOD, serving=empty)
