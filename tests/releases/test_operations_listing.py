"""The list of releases: everything that is known of each, in order."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from rich.console import Console

from images.airflow.platform_runtime.releases.ledger import GENESIS
from images.airflow.platform_runtime.releases.usage import Usage
from operations import listing
from operations.fleet import Fleet
from tests.releases.ledger_table import START, A, B, C, release
from tests.releases.simulated_platform import CLUSTER, NEW, NEW_ID, OLD, OLD_ID, SERVICES, Platform
from tests.releases.test_operations_rollback import history


def test_rows() -> None:
    moves = history("A B !A")
    never = release(C, published_at=START + timedelta(hours=1))
    rows = listing.rows([release(A), release(B, state="collected"), never], moves, moves[0], {A: 3}, {A: 2})
    assert [row.release_id for row in rows] == [C, A, B]
    assert rows[1] == listing.Row(
        release_id=A,
        current=True,
        git_commit="a" * 40,
        published_at=START,
        released_at=START + timedelta(minutes=2),
        released_by="ada",
        reason="restored",
        taken_back=False,
        files=3,
        size_bytes=1024,
        state="published",
        containers=3,
        runs=2,
    )
    assert (rows[0].current, rows[0].released_at, rows[0].released_by) == (False, None, "")
    assert (rows[2].state, rows[2].containers, rows[2].runs) == ("collected", 0, 0)
    assert rows[2].taken_back


def test_taken_back_once_and_proved_later() -> None:
    moves = history("A B !A B")
    rows = listing.rows([release(A), release(B)], moves, moves[0], {}, {})
    assert [(row.release_id, row.taken_back) for row in rows] == [(B, False), (A, False)]


def test_what_programs_get() -> None:
    moves = history("A")
    (row,) = listing.rows([release(A)], moves, moves[0], {}, {})
    assert row.document() == {
        "release_id": A,
        "current": True,
        "git_commit": "a" * 40,
        "published_at": "2026-11-20T09:30:00+00:00",
        "released_at": "2026-11-20T09:30:00+00:00",
        "released_by": "ada",
        "reason": "release",
        "taken_back": False,
        "files": 3,
        "size_bytes": 1024,
        "state": "published",
        "containers": 0,
        "runs": 0,
    }


def test_programs_are_told_when_nobody_counted() -> None:
    moves = history("A")
    (row,) = listing.rows([release(A)], moves, moves[0], {}, None)
    assert row.document()["runs"] is None


def test_a_new_platform_has_the_empty_release() -> None:
    (row,) = listing.rows([], [], None, {GENESIS: 2}, None)
    assert (row.release_id, row.current, row.state, row.containers) == (GENESIS, True, "published", 2)
    assert row.document()["released_at"] is None


def test_the_empty_release_stays_in_the_list_once_it_was_current() -> None:
    moves = history("A <0 A")
    rows = listing.rows([release(A)], moves, moves[0], {}, {})
    assert [(row.release_id, row.current) for row in rows] == [(A, True), (GENESIS, False)]


def test_read() -> None:
    platform = Platform()
    platform.released_before(OLD)
    platform.released_before(NEW)
    platform.clock.sleep(0)
    platform.clock.sleep(5)
    rows = listing.read(platform.ledger, Fleet(platform.ecs, CLUSTER, SERVICES), platform.clock.now())
    # Both moves have the same moment; the pointer decides which is current.
    assert {row.release_id: (row.current, row.containers, row.runs) for row in rows} == {
        NEW_ID: (True, 3, None),
        OLD_ID: (False, 0, None),
    }


@pytest.mark.parametrize(
    ("minutes", "runs"), [(15, {NEW_ID: 0, OLD_ID: 3}), (16, {NEW_ID: None, OLD_ID: None})]
)
def test_runs_are_known_for_a_while(minutes: int, runs: dict[str, int | None]) -> None:
    platform = Platform()
    for items in (OLD, NEW):
        platform.released_before(items)
    platform.agents[0].usage = Usage(counted_at=platform.clock.now(), runs={OLD_ID: 3})
    platform.clock.sleep(0)
    platform.clock.sleep(minutes * 60)
    rows = listing.read(platform.ledger, Fleet(platform.ecs, CLUSTER, SERVICES), platform.clock.now())
    assert {row.release_id: row.runs for row in rows} == runs


def lines(*rows: listing.Row) -> list[str]:
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(listing.table(rows))
    return [" ".join(line.split()) for line in console.export_text().splitlines() if line.strip()]


def test_table() -> None:
    moves = history("C A !C B")
    releases = [release(A, files=12345, size_bytes=3 * 2**20), release(B)]
    found = lines(*listing.rows(releases, moves, moves[0], {B: 2}, {A: 1234}))
    assert found[0] == "Release Commit Released (UTC) Why By Files Size State Containers Runs"
    assert found[2:] == [
        "* bbbbbbbbbbbb bbbbbbbbbbbb 2026-11-20 09:33:00 release ada 3 1 KiB current 2 0",
        "aaaaaaaaaaaa aaaaaaaaaaaa 2026-11-20 09:31:00 release, taken back ada 12,345 3,072 KiB published 0 1,234",
    ]


def test_nobody_counted() -> None:
    moves = history("A")
    assert lines(*listing.rows([release(A)], moves, moves[0], {}, None))[2].endswith(" current 0 -")


def test_who_it_was_in_short() -> None:
    arn = "arn:aws:sts::123456789012:assumed-role/dags-dev/GitHubActions"
    assert listing.short_name(arn) == "assumed-role/dags-dev/GitHubActions"
    assert listing.short_name("ada") == "ada"
