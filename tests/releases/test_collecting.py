"""The clean-up by the publisher's command: what stays and why, and that nothing goes while nobody knows the runs.

S3 is a folder, and DynamoDB moto's. Not proved here: who counts the runs.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from images.airflow.platform_runtime.releases import keeping
from images.airflow.platform_runtime.releases.archive import remove
from images.airflow.platform_runtime.releases.ledger import LedgerBusy, Pointer, Target
from images.airflow.platform_runtime.releases.publisher import LOCK
from images.airflow.platform_runtime.releases.publisher_command import BROKEN, DONE, FAILED
from tests.releases.ledger_table import NO_PATIENCE, START, empty, moved, simulation
from tests.releases.publishing import DAY, OTHER, SMALL, Clock, Command, Shelf, store
from tests.releases.test_publisher import NOT_CLEANED, REPLACE
from tests.releases.trees import manifest_of

FIRST, SECOND = manifest_of(SMALL).release_id, manifest_of(OTHER).release_id


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No machine goes down here, so nobody has to wait for its disk."""
    monkeypatch.setattr("os.fsync", lambda _: None)


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[Any]:
    with simulation() as session:
        yield session.client("dynamodb", config=NO_PATIENCE)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path, SMALL, OTHER)


@pytest.fixture
def command(shelf: Shelf, dynamodb: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> Command:
    return Command(shelf, empty(dynamodb), capsys, monkeypatch)


# The clean-up by command

COLLECT = ("collect", "--readers", "worker", "dag-processor")


def releases(command: Command, count: int) -> list[str]:
    """Publish releases, and make each of them the current one in turn, a minute after the one before."""
    found = [store(command.shelf.bucket, ((f"{number}.py", b"", False),)) for number in range(count)]
    for release_id in found:
        assert command("publish", release_id)[0] == DONE
        command.ledger.move(
            Target(
                release_id=release_id,
                git_commit="",
                image_digest="",
                publisher="ada",
                reason="release",
            ),
            expected=command.ledger.pointer(),
            now=command.now(),
        )
        command.clock.ahead += 60
    return found


def test_what_nobody_needs_goes(command: Command) -> None:
    """The current release, the one before, the last 20, and what runs need stay."""
    found = releases(command, 24)
    command.clock.ahead += 31 * DAY
    command.counts({found[1]: 2})
    code, answer = command(*COLLECT)
    assert (code, answer["collected"], answer["refused"]) == (DONE, sorted([found[0], *found[2:4]]), [])
    assert answer["kept"] == {
        found[23]: "current",
        found[22]: "the one before the current release",
        found[1]: "2 unfinished runs",
    } | dict.fromkeys(found[4:22], "one of the last 20 releases")
    states = {noted.release_id: noted.state for noted in command.ledger.releases()}
    assert {each for each, state in states.items() if state == "collected"} == {found[0], *found[2:4]}
    assert {path.name for path in command.shelf.root.iterdir() if path.name[0] != "."} == {
        found[1],
        *found[4:],
    }
    # When its runs have ended, it goes, too.
    command.counts({})
    assert command(*COLLECT)[1]["collected"] == [found[1]]


def test_what_is_young_stays(command: Command) -> None:
    found = releases(command, 22)
    command.clock.ahead += 29 * DAY
    command.counts({})
    assert command(*COLLECT)[1]["collected"] == []
    assert command(*COLLECT, "--older-than-days", "29")[1]["collected"] == sorted(found[:2])


def test_what_somebody_wants_to_keep_stays(command: Command) -> None:
    found = releases(command, 23)
    command.clock.ahead += 31 * DAY
    command.counts({})
    assert command(*COLLECT, "--keep", *found[:2])[1]["collected"] == [found[2]]
    assert command(*COLLECT, "--keep")[1]["collected"] == sorted(found[:2])


def test_a_release_that_was_current_within_the_hour_stays(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run may have begun on it after the last count."""
    monkeypatch.setattr(keeping, "LAST", 1)
    found = releases(command, 6)
    # The last one became current 58.5 minutes ago, the one before a minute earlier, and so on.
    command.clock.ahead += 57.5 * 60
    command.counts({})
    code, answer = command(*COLLECT, "--older-than-days", "0")
    assert (code, answer["collected"]) == (DONE, sorted(found[:3]))
    assert answer["kept"][found[3]] == "current within the last hour"


@pytest.mark.parametrize("minutes", [None, 16])
def test_without_a_fresh_count_nothing_goes(command: Command, minutes: int | None) -> None:
    there = set(releases(command, 22))
    command.clock.ahead += 31 * DAY
    since = "yet, or not for hours"
    if minutes:
        command.counts({})
        since = f"since {command.now():%Y-%m-%d %H:%M:%S} UTC"
        command.clock.ahead += minutes * 60
    assert command(*COLLECT) == (
        FAILED,
        {
            "command": "collect",
            "ok": False,
            "error": (
                "nobody says which releases running DAG runs need: the dag-processor has not counted"
                f" {since}, and a count is believed for 15 minutes: see whether it runs, then try again"
            ),
        },
    )
    assert {path.name for path in command.shelf.root.iterdir() if path.name[0] != "."} == there


def test_a_count_of_another_service_is_nobodys(command: Command) -> None:
    command("publish", FIRST)
    command.counts({})
    assert command("collect", "--readers", "worker")[0] == FAILED


def test_a_count_that_is_not_complete_removes_nothing(command: Command) -> None:
    command("publish", FIRST)
    command.counts({FIRST: 1}, complete=False)
    code, answer = command(*COLLECT)
    assert code == FAILED
    assert answer["error"].startswith(
        "unfinished DAG runs need more than 200 releases, and the dag-processor"
    )


def test_a_release_that_becomes_the_current_one_meanwhile_stays(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    command("publish", FIRST)
    command.counts({})

    def move(_limit: int) -> list[Pointer]:
        moved(command.ledger, None, FIRST)
        return []

    monkeypatch.setattr(command.ledger, "history", move)
    assert command(*COLLECT, "--older-than-days", "0")[1]["refused"] == [FIRST]
    assert command.shelf.visible() == {FIRST}


def test_a_release_that_was_current_meanwhile_stays(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run has begun on it between the count and the clean-up, and the pointer is elsewhere already."""
    for release_id in (FIRST, SECOND):
        command("publish", release_id)
    first = moved(command.ledger, None, SECOND)
    command.counts({})

    def move_twice(_limit: int) -> list[Pointer]:
        moved(command.ledger, moved(command.ledger, first, FIRST), SECOND)
        return [first]

    monkeypatch.setattr(command.ledger, "history", move_twice)
    answer = command(*COLLECT, "--older-than-days", "0")[1]
    assert (answer["collected"], answer["refused"]) == ([], [FIRST])


def test_what_a_dead_clean_up_has_begun_is_finished(command: Command) -> None:
    command("publish", FIRST)
    command.ledger.begin_collecting(FIRST, START)
    remove(command.shelf.root / FIRST)
    command.counts({})
    command(*COLLECT)
    assert [noted.state for noted in command.ledger.releases()] == ["collected"]


def test_what_was_never_recorded_can_go(command: Command) -> None:
    command.shelf.publisher().publish(FIRST)
    command.counts({})
    assert command(*COLLECT, "--older-than-days", "0")[1]["collected"] == [FIRST]


def test_a_broken_release_can_be_replaced(command: Command) -> None:
    """It is one of the last and young; nothing else goes, and then it is published again."""
    found = releases(command, 3)
    command.clock.ahead += 2 * 3600
    (command.shelf.root / found[0] / "tree" / "0.py").chmod(0o755)
    code, answer = command("publish", found[0])
    assert (code, answer["error"].endswith(REPLACE)) == (BROKEN, True)
    command.counts({})
    code, answer = command(*COLLECT, "--only", found[0])
    assert (code, answer["collected"]) == (DONE, [found[0]])
    assert command("publish", found[0])[1]["already"] is False
    assert command("verify")[0] == DONE


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (0, "1 unfinished run"),
        (1, "current within the last hour"),
        (2, "the one before the current release"),
        (3, "current"),
    ],
)
def test_even_a_broken_release_stays_where_it_is_needed(command: Command, number: int, reason: str) -> None:
    found = releases(command, 4)
    command.counts({found[0]: 1})
    code, answer = command(*COLLECT, "--only", found[number])
    assert (code, answer["error"]) == (FAILED, f"the release {found[number]} must stay: {reason}")


# The clean-up after a publication


READERS = ("--readers", "worker", "dag-processor")


def test_a_publication_cleans_up(command: Command) -> None:
    found = releases(command, 22)
    command.clock.ahead += 31 * DAY
    command.counts({found[0]: 1})
    code, answer = command("publish", FIRST, *READERS)
    assert (code, answer["already"]) == (DONE, False)
    assert answer["collection"]["collected"] == [found[1]]
    assert (answer["collection"]["refused"], answer["collection"]["emptied"]) == ([], [])
    assert answer["collection"]["kept"][found[0]] == "1 unfinished run"


def test_a_publication_without_readers_says_why_it_does_not_clean_up(command: Command) -> None:
    assert command("publish", FIRST)[1]["collection"] == NOT_CLEANED


def test_a_publication_without_a_count_succeeds(command: Command) -> None:
    code, answer = command("publish", FIRST, *READERS)
    assert code == DONE
    assert answer["collection"]["skipped"].startswith("nobody says which releases running DAG runs need")


@pytest.mark.parametrize(
    ("error", "skipped"),
    [
        (LedgerBusy("cannot read the ledger: busy"), "LedgerBusy: cannot read the ledger: busy"),
        (ZeroDivisionError("x"), "ZeroDivisionError: x"),
    ],
)
def test_a_clean_up_that_fails_fails_no_publication(
    command: Command, monkeypatch: pytest.MonkeyPatch, error: Exception, skipped: str
) -> None:
    def fail(_services: object) -> None:
        raise error

    monkeypatch.setattr(command.ledger, "proofs", fail)
    code, answer = command("publish", FIRST, *READERS)
    assert (code, answer["collection"]) == (DONE, {"skipped": skipped})
    assert command.ledger.release(FIRST)


def test_a_publication_does_not_wait_for_others_to_clean_up(command: Command) -> None:
    command.counts({})
    waited: list[float] = []
    with (command.shelf.root / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        answer = command("publish", FIRST, *READERS, pause=waited.append)[1]
    assert answer["collection"] == {
        "skipped": "the clean-up has not come to its end: a publisher is at work: wait for its end, then try again"
    }
    assert waited == []


def test_a_publication_leaves_long_removals_to_others(shelf: Shelf) -> None:
    """Each removal takes a quarter of a minute here."""
    clock = Clock()

    def slow(step: str) -> None:
        clock.ahead += 15 * (step == "remove trash")

    for items in range(3):
        shelf.publisher().publish(store(shelf.bucket, ((f"{items}.py", b"", False),)))
    shelf.publisher(now=clock).collect((), 0)
    clock.ahead += 25 * 3600
    publisher = shelf.publisher(now=clock, steps=slow)
    assert len(publisher.collect((), 0, hurry=True).emptied) == 2
    assert len(publisher.collect((), 0, hurry=True).emptied) == 1
