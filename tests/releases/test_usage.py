"""The count of runs, as the dag-processor writes it and the agent reads it: exact, or nobody's.

Not proved here: what is counted, and that both containers see one file; the tests of the bundle and the twin's do.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from images.airflow.platform_runtime.releases import usage
from images.airflow.platform_runtime.releases.usage import FRESH, MAX_BYTES, MAX_RELEASES, Usage, counted

A, B = "a" * 64, "b" * 64
NOW = datetime(2026, 11, 20, 9, 30, 0, 5, UTC)
USAGE = Usage(counted_at=NOW, runs={A: 3, B: 0})

IDS = st.text("0123456789abcdef", min_size=64, max_size=64)
USAGES = st.builds(
    Usage,
    counted_at=st.datetimes(timezones=st.just(UTC)),
    runs=st.dictionaries(IDS, st.integers(0, 2**53), max_size=5),
    complete=st.booleans(),
)


@given(told=USAGES)
def test_the_agent_reads_what_was_written(tmp_path_factory: pytest.TempPathFactory, told: Usage) -> None:
    path = tmp_path_factory.mktemp("home") / usage.FILE
    usage.write(path, told)
    assert usage.read(path) == told
    assert [each.name for each in path.parent.iterdir()] == [usage.FILE]


def test_the_form(tmp_path: Path) -> None:
    usage.write(tmp_path / "file", USAGE)
    assert json.loads((tmp_path / "file").read_text()) == {
        "counted_at": "2026-11-20T09:30:00.000005+00:00",
        "runs": {A: 3, B: 0},
        "complete": True,
    }


def test_the_place() -> None:
    assert usage.path_beside(Path("/opt/airflow/release-requests")) == Path("/opt/airflow/release-usage.json")


def text(**changes: Any) -> str:
    return json.dumps({"counted_at": NOW.isoformat(), "runs": {A: 3}, "complete": True} | changes)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "7",
        "{}",
        "[" * 30_000,
        text(counted_at="2026-11-20T09:30:00"),
        text(counted_at="now"),
        text(counted_at=7),
        text(runs=[A]),
        text(runs={"main": 1}),
        text(runs={f"{A}\n": 1}),
        text(runs={A: -1}),
        text(runs={A: 1.5}),
        text(runs={A: True}),
        text(runs={A: 2**53 + 1}),
        text(runs={A: None}),
        text(runs={f"{number:064x}": 1 for number in range(MAX_RELEASES + 1)}),
        text(complete=1),
        text() + " " * MAX_BYTES,
    ],
)
def test_rubbish_is_no_count(tmp_path: Path, content: str) -> None:
    """The code of DAGs can write the file, too."""
    (tmp_path / "file").write_text(content)
    assert usage.read(tmp_path / "file") is None


def test_what_is_no_file_is_no_count(tmp_path: Path) -> None:
    """And nobody waits for it."""
    usage.write(tmp_path / "file", USAGE)
    (tmp_path / "link").symlink_to(tmp_path / "file")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    found = {name: usage.read(tmp_path / name) for name in ("file", "link", "folder", "pipe", "none")}
    assert found == {"file": USAGE, "link": None, "folder": None, "pipe": None, "none": None}


def test_the_largest_count_fits(tmp_path: Path) -> None:
    most = counted({f"{number:064x}": 2**53 for number in range(MAX_RELEASES)}, NOW)
    usage.write(tmp_path / "file", most)
    assert (usage.read(tmp_path / "file"), len(most.runs), most.complete) == (most, MAX_RELEASES, True)


def test_only_releases_are_counted() -> None:
    assert counted({A: 2, "main": 3, "c" * 40: 1, "": 1}, NOW) == Usage(counted_at=NOW, runs={A: 2})


def test_too_many_releases_are_said() -> None:
    """Those with the fewest runs are missing, and nobody may take that for all."""
    runs = {f"{number:064x}": number for number in range(MAX_RELEASES + 2)}
    found = counted(runs, NOW)
    assert (set(runs.values()) - set(found.runs.values()), found.complete) == ({0, 1}, False)


def test_the_moment_is_in_utc() -> None:
    assert counted({}, NOW.astimezone(timezone(timedelta(hours=2)))).counted_at.isoformat() == NOW.isoformat()


@pytest.mark.parametrize(
    ("age", "fresh"),
    [
        (timedelta(0), True),
        (FRESH, True),
        (FRESH + timedelta(microseconds=1), False),
        (-FRESH, True),
        (-FRESH - timedelta(microseconds=1), False),
    ],
)
def test_a_count_is_believed_for_a_while(age: timedelta, fresh: bool) -> None:
    assert USAGE.is_fresh(NOW + age) == fresh
