"""`operations collect`: the plan that it shows, and what the real publisher then does on a folder.

S3 and DynamoDB are moto's. Not proved here: ECS, which is a stand-in.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from images.airflow.platform_runtime.releases.ledger import Target
from images.airflow.platform_runtime.releases.usage import FRESH, Usage
from operations import collect
from operations.collect import plan, runs_by_release
from operations.errors import ExitCode
from tests.releases.ledger_table import START, A, B, C, refused, simulation
from tests.releases.ledger_table import release as published
from tests.releases.simulated_platform import SERVICES, Clients, Platform
from tests.releases.test_operations_commands import operated, run, run_json
from tests.releases.test_operations_commands import published as on_disk
from tests.releases.test_operations_rollback import history

NOW = START + timedelta(days=100)
D = "d" * 64
UNKNOWN = (
    "nobody says which releases running DAG runs need: the dag-processor has not counted yet, or not for hours, and a"
    " count is believed for 15 minutes: see whether it runs, then try again"
)


# The plan


def shown(reasons: dict[str, str], **options: Any) -> dict[str, str]:
    releases = [
        published(A),
        published(B, published_at=NOW - timedelta(days=29)),
        published(C, state="collecting"),
        published(D, state="collected"),
    ]
    rows = plan(releases, [], reasons, NOW, **{"older_than_days": 30} | options)
    return {row.release_id: row.stays for row in rows}


def test_what_goes_and_why_the_rest_stays() -> None:
    """What is gone is not shown; what a dead clean-up has begun goes."""
    assert shown({}) == {B: "younger than 30 days", C: "", A: ""}
    assert shown({A: "current", B: "3 unfinished runs"}) == {B: "3 unfinished runs", C: "", A: "current"}
    assert shown({}, older_than_days=0) == {B: "", C: "", A: ""}


def test_only_one_goes() -> None:
    assert shown({A: "current"}, only=B) == {B: "", C: "not chosen", A: "current"}


def test_a_release_is_as_old_as_its_last_publication() -> None:
    """Releasing a commit again publishes it again; going back does not."""
    moves = history("A B A <B")
    rows = plan([published(A), published(B)], moves, {}, NOW, older_than_days=30)
    assert [(row.release_id, row.dated) for row in rows] == [
        (A, START + timedelta(minutes=2)),
        (B, START + timedelta(minutes=1)),
    ]
    assert [row.git_commit for row in rows] == ["a" * 40, "b" * 40]


def test_the_plan_for_programs() -> None:
    (row,) = plan([published(A)], [], {A: "current"}, NOW, older_than_days=30)
    assert row.document() == {
        "release_id": A,
        "git_commit": "a" * 40,
        "dated": "2026-11-20T09:30:00+00:00",
        "age_days": 100.0,
        "stays": "current",
    }


def test_table() -> None:
    rows = plan([published(A), published(B)], [], {B: "current"}, NOW, older_than_days=30)
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(collect.table(rows))
    found = [" ".join(line.split()) for line in console.export_text().splitlines() if line.strip()]
    assert found[0] == "Release Commit Age (days) Why it stays"
    assert found[2:] == ["bbbbbbbbbbbb bbbbbbbbbbbb 100.0 current", "aaaaaaaaaaaa aaaaaaaaaaaa 100.0 goes"]


@pytest.mark.parametrize(("age", "runs"), [(FRESH, {A: 1}), (FRESH * 2, None)])
def test_who_uses_what(age: timedelta, runs: dict[str, int] | None) -> None:
    assert runs_by_release([Usage(counted_at=NOW - age, runs={A: 1})], NOW) == runs


# The command


@pytest.fixture(scope="module")
def clients() -> Iterator[Clients]:
    with simulation() as session:
        yield Clients(session)


@pytest.fixture
def platform(clients: Clients, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Platform:
    """Return a platform with 24 releases of a hundred days ago, the last of which is current."""
    (tmp_path / "storage").mkdir()
    found = Platform(clients, tmp_path / "storage")
    monkeypatch.setattr("os.fsync", lambda _: None)
    operated(found, clients, tmp_path, monkeypatch)
    for number in range(24):
        found.released_before(((f"{number}.py", b"", False),))
    found.clock.passed += 100 * 24 * 3600
    return found


@pytest.fixture
def ids(platform: Platform) -> list[str]:
    """Return the releases, the oldest first."""
    return [move.release_id for move in reversed(platform.ledger.history(99))]


def counts(platform: Platform, runs: dict[str, int], ago: timedelta = timedelta(0)) -> None:
    """Let the dag-processor count, and its agent write its proof."""
    (agent, *_) = platform.agents
    agent.usage = Usage(counted_at=platform.clock.now() - ago, runs=runs)
    platform.ledger.write_proof(agent._proof(platform.ledger.pointer(), "", platform.clock))


def test_a_clean_up(platform: Platform, ids: list[str]) -> None:
    counts(platform, {ids[1]: 2})
    code, document = run_json("collect")
    assert (code, document["result"]) == (0, "collected")
    assert document["collected"] == sorted([ids[0], ids[2], ids[3]])
    assert (document["refused"], document["emptied"], document["publisher_task"]) == ([], [], "publisher-1")
    assert document["counted_at"] == (platform.clock.now() - timedelta(seconds=2)).isoformat()
    stays = {row["release_id"]: row["stays"] for row in document["releases"]}
    assert stays == {
        ids[23]: "current",
        ids[22]: "the one before the current release",
        ids[1]: "2 unfinished runs",
    } | dict.fromkeys(ids[4:22], "one of the last 20 releases") | dict.fromkeys([ids[0], *ids[2:4]], "")
    assert on_disk(platform) == sorted([ids[1], *ids[4:]])


def test_a_dry_run_removes_nothing(platform: Platform, ids: list[str]) -> None:
    counts(platform, {})
    code, document = run_json("collect", "--dry-run")
    assert (code, document["result"]) == (0, "dry run")
    assert {row["release_id"] for row in document["releases"] if not row["stays"]} == set(ids[:4])
    assert "collected" not in document
    assert (platform.ecs.requests, on_disk(platform)) == ([], sorted(ids))


def test_what_people_see(platform: Platform, ids: list[str]) -> None:
    counts(platform, {ids[1]: 2})
    result = run("collect", "--dry-run")
    counted = f"runs were counted at {platform.clock.now():%H:%M:%S} UTC"
    assert result.stdout.splitlines()[-1] == f"dry run: nothing was removed; 3 releases would go ({counted})"
    assert "done  work out what must stay: 3 of 24 releases go" in result.stderr
    result = run("collect")
    gone = ", ".join(sorted(each[:12] for each in (ids[0], *ids[2:4])))
    assert result.stdout.splitlines()[-1] == (
        f"3 releases taken away: {gone}; files of 0 releases removed from the disk ({counted})"
    )
    # A day later the files go, too.
    platform.clock.passed += 25 * 3600
    counts(platform, {ids[1]: 2})
    assert "; files of 3 releases removed from the disk (" in run("collect").stdout.splitlines()[-1]


def test_how_old(platform: Platform, ids: list[str]) -> None:
    counts(platform, {})
    _, document = run_json("collect", "--older-than-days", 101)
    stays = {row["release_id"]: row["stays"] for row in document["releases"]}
    assert (document["collected"], stays[ids[0]]) == ([], "younger than 101 days")


def test_only_one(platform: Platform, ids: list[str]) -> None:
    """Even one of the last, by the first characters of its id; another one goes by its age later."""
    counts(platform, {})
    code, document = run_json("collect", "--only", ids[9][:10])
    assert (code, document["collected"]) == (0, [ids[9]])
    assert ids[0] in on_disk(platform)


@pytest.mark.parametrize(
    ("number", "reason"),
    [(23, "current"), (22, "the one before the current release"), (1, "1 unfinished run")],
)
def test_only_one_that_must_stay(platform: Platform, ids: list[str], number: int, reason: str) -> None:
    counts(platform, {ids[1]: 1})
    code, document = run_json("collect", "--only", ids[number])
    assert (code, document["error"]) == (
        ExitCode.FAILED,
        f"the release {ids[number]} must stay: {reason}",
    )
    assert platform.ecs.requests == []


def test_only_one_that_nobody_knows(platform: Platform) -> None:
    counts(platform, {})
    code, document = run_json("collect", "--only", "f" * 64)
    assert (code, "there is no release and no commit" in document["error"]) == (ExitCode.FAILED, True)


@pytest.mark.parametrize("words", [[], ["--dry-run"], ["--only", "f" * 64]])
def test_nobody_has_counted(platform: Platform, ids: list[str], words: list[str]) -> None:
    code, document = run_json("collect", *words)
    wanted = UNKNOWN if "--only" not in words else "there is no release and no commit"
    assert (code, document["error"].startswith(wanted)) == (ExitCode.FAILED, True)
    assert (platform.ecs.requests, on_disk(platform)) == ([], sorted(ids))


def test_the_publisher_finds_the_count_too_old(platform: Platform, ids: list[str]) -> None:
    """It decides by itself, when it has come to run."""
    counts(platform, {})

    def late(command: list[str]) -> tuple[int | None, list[str]]:
        counts(platform, {}, timedelta(minutes=16))
        return platform._publish(command)

    platform.ecs.publish = late
    code, document = run_json("collect")
    assert code == ExitCode.FAILED
    assert document["error"].startswith(
        "the publisher failed with exit code 1: nobody says which releases running DAG runs need: the dag-processor"
    )
    assert on_disk(platform) == sorted(ids)


def test_a_release_that_becomes_current_on_the_way(platform: Platform, ids: list[str]) -> None:
    counts(platform, {})

    def go_back(command: list[str]) -> tuple[int | None, list[str]]:
        pointer = platform.ledger.pointer()
        platform.ledger.move(
            Target(
                release_id=ids[0],
                git_commit="",
                image_digest="",
                publisher="ada",
                reason="rollback",
            ),
            expected=pointer,
            now=platform.clock.now(),
        )
        return platform._publish(command)

    platform.ecs.publish = go_back
    _, document = run_json("collect")
    assert document["collected"] == sorted(ids[1:5])
    assert ids[0] in on_disk(platform)


def test_a_log_that_may_not_be_read(platform: Platform) -> None:
    counts(platform, {})
    platform.logs.error = refused("AccessDeniedException", "GetLogEvents")
    result = run("collect")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == (
        "done; what was done is in the publisher's log, which cannot be read from here (log group /airflow/publisher,"
        " stream release/release-publisher/publisher-1)"
    )


def test_runs_in_the_list(platform: Platform, ids: list[str]) -> None:
    counts(platform, {ids[1]: 2})
    _, document = run_json("releases", "-n", 99)
    runs = {row["release_id"]: row["runs"] for row in document["releases"]}
    assert runs == dict.fromkeys(ids, 0) | {ids[1]: 2}
    platform.clock.passed += 16 * 60
    assert {row["runs"] for row in run_json("releases", "-n", 99)[1]["releases"]} == {None}


def test_the_publisher_is_told_who_knows(platform: Platform) -> None:
    counts(platform, {})
    run("collect", "--older-than-days", 7)
    (override,) = platform.ecs.requests[-1]["overrides"]["containerOverrides"]
    assert override["command"] == [
        *("platform-publisher", "collect", "--older-than-days", "7", "--readers"),
        *SERVICES,
    ]
