"""The ledger: one writer wins, nothing is lost, and every refusal says what to do. DynamoDB is moto's.

Not proved here: that DynamoDB's transactions are serializable, and when it throttles.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from images.airflow.platform_runtime.releases.ledger import (
    CONFLICTS,
    GENESIS,
    Ledger,
    LedgerBusy,
    LedgerError,
    NotPublished,
    Pointer,
    PointerMoved,
    Proof,
    Release,
    StillCurrent,
    Target,
    connect,
)
from images.airflow.platform_runtime.releases.manifest import genesis
from images.airflow.platform_runtime.releases.usage import Usage
from tests.releases.ledger_table import (
    NO_PATIENCE,
    START,
    TABLE,
    A,
    B,
    C,
    Failing,
    Serial,
    empty,
    moved,
    proof,
    refused,
    release,
    simulation,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
COUNTS = st.integers(0, 2**53)
MOMENTS = st.integers(0, 2**32).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[Any]:
    with simulation() as session:
        yield session.client("dynamodb", config=NO_PATIENCE)


@pytest.fixture
def client(dynamodb: Any) -> Any:
    return empty(dynamodb)


@pytest.fixture
def ledger(client: Any) -> Ledger:
    """Return a ledger with three published releases and no pointer."""
    found = Ledger(TABLE, client)
    for release_id in (A, B, C):
        found.record_release(release(release_id))
    return found


def items(client: Any, partition: str | None = None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.scan(TableName=TABLE)["Items"]
    return [item for item in found if partition in (None, item["pk"]["S"])]


# The pointer


def test_a_new_platform_has_no_pointer(ledger: Ledger) -> None:
    assert (ledger.pointer(), ledger.history(10)) == (None, [])


def test_the_first_move(ledger: Ledger) -> None:
    pointer = moved(ledger, None, A)
    assert pointer == Pointer(
        sequence=1,
        release_id=A,
        git_commit="a" * 40,
        image_digest="sha256:1",
        publisher="ada",
        moved_at=START,
        reason="release",
        previous_release_id=genesis().release_id,
    )
    assert ledger.pointer() == pointer
    assert str(pointer) == "number 1, release aaaaaaaaaaaa, release by ada at 2026-11-20 09:30:00 UTC"


def test_how_it_lies_in_the_table(ledger: Ledger, client: Any) -> None:
    """Other versions read it as well."""
    moved(ledger, moved(ledger, None, A), B)
    row = {
        "sequence": {"N": "2"},
        "releaseId": {"S": B},
        "gitCommit": {"S": "b" * 40},
        "imageDigest": {"S": "sha256:1"},
        "publisher": {"S": "ada"},
        "movedAt": {"S": "2026-11-20T09:31:00.000000+00:00"},
        "reason": {"S": "release"},
        "previousReleaseId": {"S": A},
    }
    (current,), (_, newest) = items(client, "POINTER"), items(client, "HISTORY")
    # Only whoever wrote it needs that.
    assert current.pop("mark") == newest.pop("mark")
    assert current == {"pk": {"S": "POINTER"}, "sk": {"S": "CURRENT"}, **row}
    assert newest == {"pk": {"S": "HISTORY"}, "sk": {"S": "000000000002"}, **row}


def test_every_move_is_in_the_history(ledger: Ledger) -> None:
    pointers: list[Pointer] = []
    for release_id in (A, B, A, C, GENESIS, B):
        pointers.append(moved(ledger, pointers[-1] if pointers else None, release_id))
    assert ledger.history(100) == pointers[::-1]
    assert ledger.history(2) == pointers[:-3:-1]
    assert [pointer.sequence for pointer in pointers] == [1, 2, 3, 4, 5, 6]
    assert [pointer.previous_release_id for pointer in pointers] == [GENESIS, A, B, A, C, GENESIS]


def test_a_history_of_many_pages(ledger: Ledger, client: Any) -> None:
    """DynamoDB gives a megabyte at a time."""
    long = "x" * 300_000
    first = moved(ledger, None, A, publisher=long)
    for at in range(2, 9):
        first = moved(ledger, replace(first, sequence=at - 1), B, publisher=long)
    assert [pointer.sequence for pointer in ledger.history(100)] == [8, 7, 6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize("stale", ["no pointer", "an older one", "a later one"])
def test_a_pointer_that_has_moved_stays(ledger: Ledger, client: Any, stale: str) -> None:
    first = moved(ledger, None, A)
    second = moved(ledger, first, B)
    before = items(client)
    expected = {"no pointer": None, "an older one": first, "a later one": replace(second, sequence=3)}[stale]
    with pytest.raises(PointerMoved) as caught:
        moved(ledger, expected, C)
    assert caught.value.actual == second
    assert str(caught.value) == (
        "the pointer has been moved by somebody else: number 2, release bbbbbbbbbbbb, release by ada at"
        " 2026-11-20 09:31:00 UTC"
    )
    assert items(client) == before


def test_a_pointer_that_has_gone(ledger: Ledger, client: Any) -> None:
    first = moved(ledger, None, A)
    client.delete_item(TableName=TABLE, Key={"pk": {"S": "POINTER"}, "sk": {"S": "CURRENT"}})
    with pytest.raises(
        PointerMoved, match=re.escape("moved by somebody else: there is no pointer")
    ) as caught:
        moved(ledger, first, B)
    assert caught.value.actual is None


def test_a_pointer_whose_history_is_lost(ledger: Ledger, client: Any) -> None:
    first = moved(ledger, None, A)
    client.delete_item(TableName=TABLE, Key={"pk": {"S": "HISTORY"}, "sk": {"S": f"{1:012d}"}})
    with pytest.raises(PointerMoved):
        moved(ledger, None, B)
    assert ledger.pointer() == first


def test_everything_is_read_as_it_is_now(ledger: Ledger, client: Any) -> None:
    """Otherwise somebody else's move could be overlooked for a moment."""
    failing = Failing(client)
    reading = Ledger(TABLE, failing)
    for read in (reading.pointer, lambda: reading.release(A), reading.verify_request):
        read()
    assert [request["ConsistentRead"] for _, request in failing.calls] == [True] * 3
    seen: list[bool] = []
    client.meta.events.register_first(
        "provide-client-params.dynamodb.Query", lambda params, **_: seen.append(params["ConsistentRead"])
    )
    reading.history(1), reading.releases(), reading.proofs(["worker"])
    assert seen == [True] * 3


def test_a_history_that_knows_better(ledger: Ledger, client: Any) -> None:
    """Nothing in the history is ever overwritten."""
    moved(ledger, None, A)
    client.delete_item(TableName=TABLE, Key={"pk": {"S": "POINTER"}, "sk": {"S": "CURRENT"}})
    before = items(client)
    with pytest.raises(LedgerError, match="the history has a move number 1 already"):
        moved(ledger, None, B)
    assert items(client) == before


@pytest.mark.parametrize("state", ["unknown", "collecting", "collected"])
def test_only_to_what_is_published(ledger: Ledger, client: Any, state: str) -> None:
    first = moved(ledger, None, A)
    target = "d" * 64 if state == "unknown" else B
    if state != "unknown":
        ledger.begin_collecting(B, START)
    if state == "collected":
        ledger.finish_collecting(B)
    before = items(client)
    with pytest.raises(NotPublished) as caught:
        moved(ledger, first, target)
    assert str(caught.value) == (
        f"the release {target} is not published, or is being removed: release its commit again"
    )
    assert items(client) == before


def test_the_empty_release_is_always_there(ledger: Ledger) -> None:
    moved(ledger, moved(ledger, None, A), GENESIS, reason="restored")
    pointer = ledger.pointer()
    assert pointer is not None
    assert (pointer.release_id, pointer.reason) == (GENESIS, "restored")


def test_moments_need_a_time_zone(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="want a moment with a time zone"):
        moved(ledger, None, A, now=datetime(2026, 11, 20))  # noqa: DTZ001
    elsewhere = START.astimezone(timezone(timedelta(hours=5)))
    assert moved(ledger, None, A, now=elsewhere).moved_at == START


def test_of_many_writers_one_wins(client: Any) -> None:
    """Every round, all have read the same pointer and move it at once."""
    ledger, writers = Ledger(TABLE, Serial(client)), 8
    for release_id in (A, B, C):
        ledger.record_release(release(release_id))
    for at in range(5):
        expected, barrier = ledger.pointer(), threading.Barrier(writers)

        def move(name: str, expected: Pointer | None = expected, barrier: Any = barrier) -> Pointer | None:
            barrier.wait()
            try:
                return moved(ledger, expected, (A, B, C)[int(name) % 3], publisher=name)
            except PointerMoved:
                return None

        with ThreadPoolExecutor(writers) as pool:
            winners = [won for won in pool.map(move, map(str, range(writers))) if won]
        assert [ledger.pointer()] == winners
        assert ledger.history(1) == winners
        assert len(ledger.history(100)) == at + 1


def test_a_lost_answer_is_no_other_writer(ledger: Ledger, client: Any) -> None:
    """The client repeats the call, and the second one meets what the first one has written."""
    failing = Failing(client)
    failing.lost = 1
    pointer = moved(Ledger(TABLE, failing), None, A)
    assert (pointer, ledger.history(10)) == (ledger.pointer(), [pointer])


def test_every_try_has_a_token(ledger: Ledger, client: Any, conflicts: Any) -> None:
    failing = Failing(client, transact_write_items=conflicts(*["TransactionConflict"] * 2, None))
    moved(Ledger(TABLE, failing, pause=lambda _: None), None, A)
    tokens = [request["ClientRequestToken"] for name, request in failing.calls if name.startswith("transact")]
    assert len(set(tokens)) == 3


@pytest.fixture
def conflicts(client: Any) -> Callable[..., list[Exception | None]]:
    """Return what makes the errors of transactions that are cancelled for a reason."""

    def error(code: str) -> Exception:
        response = {
            "Error": {"Code": "TransactionCanceledException", "Message": "cancelled"},
            "CancellationReasons": [{"Code": "None"}, {"Code": code}, {"Code": "None"}],
        }
        found: Exception = client.exceptions.TransactionCanceledException(response, "TransactWriteItems")
        return found

    def errors(*codes: str | None) -> list[Exception | None]:
        return [error(code) if code else None for code in codes]

    return errors


def test_a_conflict_is_tried_again(ledger: Ledger, client: Any, conflicts: Any) -> None:
    pauses: list[float] = []
    failing = Failing(client, transact_write_items=conflicts("TransactionConflict", "ThrottlingError", None))
    pointer = moved(Ledger(TABLE, failing, pauses.append), None, A)
    assert ledger.pointer() == pointer
    assert [0.05 <= pauses[0] <= 0.1, 0.1 <= pauses[1] <= 0.2] == [True, True]


def test_a_conflict_that_does_not_end(ledger: Ledger, client: Any, conflicts: Any) -> None:
    failing = Failing(client, transact_write_items=conflicts(*["TransactionConflict"] * (CONFLICTS + 1)))
    with pytest.raises(LedgerBusy) as caught:
        moved(Ledger(TABLE, failing, pause=lambda _: None), None, A)
    assert str(caught.value) == (
        f"cannot move the pointer: the ledger {TABLE} is busy (TransactionConflict): try again in a minute"
    )
    assert len(failing.failures["transact_write_items"]) == 1
    assert ledger.pointer() is None


# Releases


def test_releases_newest_first(ledger: Ledger) -> None:
    later = release("d" * 64, published_at=START + timedelta(seconds=1))
    ledger.record_release(later)
    assert ledger.releases() == [later, release(C), release(B), release(A)]
    assert ledger.release(A) == release(A)
    assert ledger.release("e" * 64) is None


def test_a_release_is_recorded_once(ledger: Ledger) -> None:
    ledger.record_release(release(A, published_at=START + timedelta(days=1), published_by="another"))
    assert ledger.release(A) == release(A)


def test_a_collected_release_comes_back(ledger: Ledger) -> None:
    again = release(A, published_at=START + timedelta(days=1))
    ledger.begin_collecting(A, START)
    ledger.finish_collecting(A)
    ledger.record_release(again)
    assert ledger.release(A) == again


def test_a_clean_up_that_died_keeps_nobody_from_publishing(ledger: Ledger) -> None:
    ledger.begin_collecting(A, START)
    ledger.record_release(release(A))
    assert moved(ledger, None, A).release_id == A


def test_the_states_of_a_clean_up(ledger: Ledger) -> None:
    ledger.begin_collecting(A, START)
    found = ledger.release(A)
    assert (found and found.state) == "collecting"
    for _ in range(2):
        ledger.finish_collecting(A)
        found = ledger.release(A)
        assert (found and found.state) == "collected"


def test_a_clean_up_that_died_is_finished_by_the_next(ledger: Ledger) -> None:
    ledger.begin_collecting(A, START)
    ledger.begin_collecting(A, START + timedelta(days=1))
    ledger.finish_collecting(A)


def test_the_current_release_stays(ledger: Ledger, client: Any) -> None:
    moved(ledger, None, A)
    before = items(client)
    with pytest.raises(StillCurrent, match=f"^the release {A} is the current one: it stays$"):
        ledger.begin_collecting(A, START)
    assert items(client) == before
    ledger.begin_collecting(B, START)


@pytest.mark.parametrize("moves", [[], [B], [B, A, B]])
def test_what_was_decided_by_the_pointer_of_now_is_collected(ledger: Ledger, moves: list[str]) -> None:
    pointer = None
    for release_id in moves:
        pointer = moved(ledger, pointer, release_id)
    ledger.begin_collecting(A, START, sequence=len(moves))
    found = ledger.release(A)
    assert (found and found.state) == "collecting"


@pytest.mark.parametrize("before", [0, 1])
def test_what_was_decided_by_an_earlier_pointer_is_not_collected(ledger: Ledger, before: int) -> None:
    """It may have been on this release meanwhile, and a run may have begun there."""
    pointer = moved(ledger, moved(ledger, None, A), B)
    with pytest.raises(PointerMoved) as caught:
        ledger.begin_collecting(A, START, sequence=before)
    assert caught.value.actual == pointer
    found = ledger.release(A)
    assert (found and found.state) == "published"


def test_the_current_release_is_never_collected_whatever_was_decided(ledger: Ledger) -> None:
    moved(ledger, None, A)
    for sequence in (None, 0, 1):
        with pytest.raises(StillCurrent):
            ledger.begin_collecting(A, START, sequence=sequence)


@pytest.mark.parametrize("state", ["unknown", "collected"])
def test_nothing_to_collect(ledger: Ledger, state: str) -> None:
    target = "d" * 64 if state == "unknown" else A
    if state == "collected":
        ledger.begin_collecting(A, START)
        ledger.finish_collecting(A)
    with pytest.raises(NotPublished, match="is not on the file system: nothing to remove"):
        ledger.begin_collecting(target, START)


def test_nobody_has_begun(ledger: Ledger) -> None:
    with pytest.raises(NotPublished, match=f"^the release {A} is not being removed$"):
        ledger.finish_collecting(A)


# Proofs


def test_proofs_of_some_services(ledger: Ledger) -> None:
    worker, other = proof(), proof(task_id="2", versions=())
    triggerer = proof(service="triggerer", status="mismatch", detail="one byte", computed_id=B)
    for each in (worker, other, triggerer, proof(service="dag-processor")):
        ledger.write_proof(each)
    assert ledger.proofs(["worker", "triggerer", "nobody"]) == [worker, other, triggerer]


def test_a_task_has_one_proof(ledger: Ledger) -> None:
    ledger.write_proof(proof())
    ledger.write_proof(proof(sequence=2))
    assert ledger.proofs(["worker"]) == [proof(sequence=2)]


def test_a_proof_expires(ledger: Ledger, client: Any) -> None:
    ledger.write_proof(proof(verified_at=START + timedelta(milliseconds=1)))
    (item,) = items(client, "PROOF#worker")
    assert item["sk"] == {"S": "1"}
    assert item["expiresAt"] == {"N": str(int(START.timestamp()) + 2 * 3600 + 1)}


def test_a_long_detail_is_cut(ledger: Ledger) -> None:
    ledger.write_proof(proof(detail="x" * 5000))
    assert ledger.proofs(["worker"])[0].detail == "x" * 1000


def test_a_count_of_runs_in_a_proof(ledger: Ledger, client: Any) -> None:
    counted = proof(usage=Usage(counted_at=START, runs={A: 2, B: 0}, complete=False))
    ledger.write_proof(counted)
    assert ledger.proofs(["worker"]) == [counted]
    (item,) = items(client, "PROOF#worker")
    assert item["usage"] == {
        "M": {
            "countedAt": {"S": "2026-11-20T09:30:00.000000+00:00"},
            "runs": {"M": {A: {"N": "2"}, B: {"N": "0"}}},
            "complete": {"BOOL": False},
        }
    }


def test_a_proof_without_a_count_has_no_word_of_it(ledger: Ledger, client: Any) -> None:
    """As proofs are that older agents have written."""
    ledger.write_proof(proof())
    (item,) = items(client, "PROOF#worker")
    assert "usage" not in item
    assert ledger.proofs(["worker"])[0].usage is None


def test_a_count_that_cannot_be_read(ledger: Ledger, client: Any) -> None:
    ledger.write_proof(proof(usage=Usage(counted_at=START)))
    (item,) = items(client, "PROOF#worker")
    del item["usage"]["M"]["countedAt"]
    client.put_item(TableName=TABLE, Item=item)
    with pytest.raises(LedgerError, match="the ledger's item PROOF#worker/1 has no proper countedAt"):
        ledger.proofs(["worker"])


def test_proofs_of_many_pages(ledger: Ledger, client: Any) -> None:
    versions = ("x" * 300_000,)
    for at in range(9):
        ledger.write_proof(proof(task_id=str(at), versions=versions))
    assert [each.task_id for each in ledger.proofs(["worker"])] == [str(at) for at in range(9)]


def test_requests_to_verify(ledger: Ledger) -> None:
    assert ledger.verify_request() == ""
    tokens = [ledger.request_verify(START), ledger.request_verify(START)]
    assert len(set(tokens)) == 2
    assert ledger.verify_request() == tokens[1]
    assert ledger.pointer() is None


# What is written is read


POINTERS = st.builds(
    Pointer,
    sequence=COUNTS,
    release_id=TEXTS,
    git_commit=TEXTS,
    image_digest=TEXTS,
    publisher=TEXTS,
    moved_at=MOMENTS,
    reason=st.sampled_from(["genesis", "release", "rollback", "restored"]),
    previous_release_id=TEXTS,
)
RELEASES = st.builds(
    Release,
    release_id=TEXTS.filter(bool),
    git_commit=TEXTS,
    files=COUNTS,
    size_bytes=COUNTS,
    published_at=MOMENTS,
    published_by=TEXTS,
    state=st.just("published"),
)
PROOFS = st.builds(
    Proof,
    service=TEXTS,
    task_id=TEXTS.filter(bool),
    release_id=TEXTS,
    computed_id=TEXTS,
    sequence=COUNTS,
    files=COUNTS,
    status=st.sampled_from(["verified", "mismatch", "waiting"]),
    detail=TEXTS,
    verified_at=MOMENTS,
    image_digest=TEXTS,
    versions=st.lists(TEXTS, max_size=3).map(tuple),
    request=TEXTS,
    usage=st.none()
    | st.builds(
        Usage,
        counted_at=MOMENTS,
        runs=st.dictionaries(TEXTS.filter(bool), COUNTS, max_size=3),
        complete=st.booleans(),
    ),
)
HERE = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


@HERE
@given(record=RELEASES)
def test_releases_survive(client: Any, record: Release) -> None:
    ledger = Ledger(TABLE, empty(client))
    ledger.record_release(record)
    assert ledger.releases() == [record]


@HERE
@given(record=PROOFS)
def test_proofs_survive(client: Any, record: Proof) -> None:
    ledger = Ledger(TABLE, empty(client))
    ledger.write_proof(record)
    assert ledger.proofs([record.service]) == [record]


@HERE
@given(record=POINTERS)
def test_pointers_survive(client: Any, record: Pointer) -> None:
    ledger = Ledger(TABLE, empty(client))
    ledger.record_release(release(record.release_id or "x"))
    facts = {name: getattr(record, name) for name in ("git_commit", "image_digest", "publisher", "reason")}
    target = Target(release_id=record.release_id or "x", **facts)
    written = ledger.move(target, expected=None, now=record.moved_at)
    assert (ledger.pointer(), written.moved_at, written.publisher) == (
        written,
        record.moved_at,
        record.publisher,
    )


class Model(RuleBasedStateMachine):
    """The ledger against a few variables."""

    client: Any
    ids = st.sampled_from([A, B, C, GENESIS])

    @initialize()
    def begin(self) -> None:
        self.ledger = Ledger(TABLE, empty(self.client))
        self.states: dict[str, str] = {}
        self.pointers: list[Pointer] = []

    @property
    def current(self) -> Pointer | None:
        return self.pointers[-1] if self.pointers else None

    @rule(release_id=st.sampled_from([A, B, C]))
    def publish(self, release_id: str) -> None:
        self.ledger.record_release(release(release_id))
        self.states[release_id] = "published"

    @rule(release_id=ids)
    def move(self, release_id: str) -> None:
        if release_id == GENESIS or self.states.get(release_id) == "published":
            self.pointers.append(moved(self.ledger, self.current, release_id))
        else:
            with pytest.raises(NotPublished):
                moved(self.ledger, self.current, release_id)

    @precondition(lambda self: self.pointers)
    @rule(release_id=ids, back=st.integers(0, 5))
    def move_by_a_stale_pointer(self, release_id: str, back: int) -> None:
        stale = [None, *self.pointers[:-1]][::-1][back : back + 1]
        with pytest.raises(PointerMoved) as caught:
            moved(self.ledger, stale[0] if stale else None, release_id)
        assert caught.value.actual == self.current

    @rule(release_id=st.sampled_from([A, B, C]))
    def begin_collecting(self, release_id: str) -> None:
        if self.current and self.current.release_id == release_id:
            with pytest.raises(StillCurrent):
                self.ledger.begin_collecting(release_id, START)
        elif self.states.get(release_id) in {"published", "collecting"}:
            self.ledger.begin_collecting(release_id, START)
            self.states[release_id] = "collecting"
        else:
            with pytest.raises(NotPublished):
                self.ledger.begin_collecting(release_id, START)

    @rule(release_id=st.sampled_from([A, B, C]))
    def finish_collecting(self, release_id: str) -> None:
        if self.states.get(release_id) in {"collecting", "collected"}:
            self.ledger.finish_collecting(release_id)
            self.states[release_id] = "collected"
        else:
            with pytest.raises(NotPublished):
                self.ledger.finish_collecting(release_id)

    @invariant()
    def what_it_says(self) -> None:
        assert self.ledger.pointer() == self.current
        assert self.ledger.history(100) == self.pointers[::-1]
        assert {each.release_id: each.state for each in self.ledger.releases()} == self.states
        if self.current and self.current.release_id != GENESIS:
            assert self.states[self.current.release_id] == "published"


def test_against_a_model(dynamodb: Any) -> None:
    Model.client = dynamodb
    machine: Any = Model.TestCase
    machine.settings = settings(max_examples=10, stateful_step_count=15, deadline=None, derandomize=True)
    machine().runTest()


# What goes wrong


def everything(ledger: Ledger) -> dict[str, Callable[[], object]]:
    """Return all that can be asked, by the words that an error has for it."""
    return {
        "read the ledger": ledger.pointer,
        "move the pointer": lambda: moved(ledger, None, A),
        "record a release": lambda: ledger.record_release(release()),
        "collect a release": lambda: ledger.begin_collecting(A, START),
        "write a proof": lambda: ledger.write_proof(proof()),
        "ask for a verification": lambda: ledger.request_verify(START),
    }


def failing_with(client: Any, error: Exception) -> Ledger:
    names = ("get_item", "put_item", "transact_write_items", "update_item")
    failures: dict[str, list[Exception | None]] = {name: [error] for name in names}
    return Ledger(TABLE, Failing(client, **failures))


@pytest.mark.parametrize(
    "code",
    [
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "RequestLimitExceeded",
        "InternalServerError",
    ],
)
def test_a_throttled_ledger(client: Any, code: str) -> None:
    for what in everything(Ledger(TABLE, client)):
        with pytest.raises(LedgerBusy) as caught:
            everything(failing_with(client, refused(code)))[what]()
        assert (
            str(caught.value) == f"cannot {what}: the ledger {TABLE} is busy ({code}): try again in a minute"
        )


def test_the_client_tries_again_first(client: Any) -> None:
    """Not by a loop of ours."""
    from images.airflow.platform_runtime.releases.ledger import CONFIG

    assert CONFIG.retries == {"mode": "standard", "total_max_attempts": 5}
    connected = connect(TABLE)
    assert connected.pointer() is None


def test_no_table(client: Any) -> None:
    client.delete_table(TableName=TABLE)
    for what, ask in everything(Ledger(TABLE, client)).items():
        with pytest.raises(LedgerError) as caught:
            ask()
        assert str(caught.value) == (
            f"cannot {what}: there is no table {TABLE} in eu-west-1: see whether account, region and stack are"
            " the right ones"
        )
        assert not isinstance(caught.value, LedgerBusy)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (
            refused("AccessDeniedException", message="ada may not"),
            f"AWS does not allow it on the table {TABLE} in eu-west-1: ada may not: use a role that may do it",
        ),
        (
            refused("ExpiredTokenException"),
            "AWS does not accept the credentials (ExpiredTokenException): sign in again",
        ),
        (
            refused("ValidationException", message="bad"),
            f"DynamoDB refuses it on the table {TABLE} in eu-west-1 (ValidationException: bad)",
        ),
        (NoCredentialsError(), "no credentials for AWS (Unable to locate credentials): sign in first"),
    ],
    ids=["denied", "expired", "refused", "nobody"],
)
def test_refusals(client: Any, error: Exception, says: str) -> None:
    for what in everything(Ledger(TABLE, client)):
        with pytest.raises(LedgerError) as caught:
            everything(failing_with(client, error))[what]()
        assert str(caught.value) == f"cannot {what}: {says}"
        assert not isinstance(caught.value, LedgerBusy)


def test_no_way_to_dynamodb(client: Any) -> None:
    error = EndpointConnectionError(endpoint_url="https://dynamodb")
    with pytest.raises(LedgerBusy) as caught:
        failing_with(client, error).pointer()
    assert str(caught.value) == (
        f"cannot read the ledger: the ledger {TABLE} does not answer (EndpointConnectionError: Could not connect to the"
        ' endpoint URL: "https://dynamodb"): see whether there is a way to DynamoDB from here, then try again'
    )


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"sequence": {"S": "1"}}, "sequence"),
        ({"reason": {"S": "whim"}}, "reason"),
        ({"movedAt": {"NULL": True}}, "movedAt"),
    ],
)
def test_an_item_of_somebody_else(ledger: Ledger, client: Any, change: dict[str, Any], name: str) -> None:
    moved(ledger, None, A)
    (item,) = items(client, "POINTER")
    client.put_item(TableName=TABLE, Item=item | change)
    with pytest.raises(LedgerError) as caught:
        ledger.pointer()
    assert str(caught.value) == (
        f"the ledger's item POINTER/CURRENT has no proper {name}: it was not written by this version; restore it from"
        " the history"
    )
