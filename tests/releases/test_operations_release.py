"""The release procedure: whatever fails, and whenever, the pointer is right at the end, and the message says where.

Ledger, bucket, containers and time are simulated here; every call of the procedure is a place where a test can step in.
Not proved here: that a process which is killed leaves the pointer right, because it cannot.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from images.airflow.platform_runtime.releases.ledger import (
    GENESIS,
    LedgerBusy,
    LedgerError,
    NotPublished,
    Pointer,
    PointerMoved,
    Target,
)
from operations.errors import AwsBusy, ExitCode, OperationError
from operations.gate import GateError
from operations.gate_findings import Fault, Finding, GateRefusal
from operations.git_tree import GitError
from operations.release import Result
from tests.releases.ledger_table import START
from tests.releases.simulated_platform import NEW_ID, OLD, OLD_ID, WHO, Agent, Gate, Platform, throttled

NOT_MOVED = "the pointer was not moved: every container goes on with what it has"
BY_HAND = f"go back with `operations rollback --to {OLD_ID[:12]}`"
BACK = f"the pointer is back on {OLD_ID[:12]} (number 3)"


@pytest.fixture
def platform() -> Platform:
    """Return a platform on which OLD is the current release, as number 1."""
    return with_old()


def with_old() -> Platform:
    found = Platform()
    found.released_before(OLD)
    return found


def failure(platform: Platform, **options: Any) -> OperationError:
    with pytest.raises(OperationError) as caught:
        platform.release(**options)
    return caught.value


def at(platform: Platform, step: str, action: Callable[[], None], *, times: int = 1) -> None:
    """Do something at the first calls of a kind."""
    left = [times]

    def hook(seen: str) -> None:
        if seen == step and left[0]:
            left[0] -= 1
            action()

    platform.hook = hook


def raising(error: BaseException) -> Callable[[], None]:
    def action() -> None:
        raise error

    return action


def others(platform: Platform, release_id: str = GENESIS) -> Callable[[], None]:
    """Return what moves the pointer on behalf of somebody else."""

    def action() -> None:
        platform.ledger.move(
            Target(
                release_id=release_id,
                git_commit="9" * 40,
                image_digest="sha256:9",
                publisher="grace",
                reason="release",
            ),
            expected=platform.ledger.pointer(),
            now=START + timedelta(hours=1),
        )

    return action


# What goes well


def test_a_release(platform: Platform) -> None:
    released = platform.release()
    assert platform.current == (2, NEW_ID)
    assert platform.ledger.history(1) == [
        Pointer(
            sequence=2,
            release_id=NEW_ID,
            git_commit="c" * 40,
            image_digest=WHO.image_digest,
            publisher=WHO.publisher,
            moved_at=released.pointer.moved_at if released.pointer else START,
            reason="release",
            previous_release_id=OLD_ID,
        )
    ]
    document = released.document()
    assert sorted(document.pop("seconds")) == ["gate", "look", "prove", "publish", "total", "upload"]
    assert [container["standing"] for container in document.pop("containers")] == ["proved"] * 3
    assert document == {
        "result": "released",
        "release_id": NEW_ID,
        "git_commit": "c" * 40,
        "files": 2,
        "size_bytes": 17,
        "dags": 2,
        "previous_release_id": OLD_ID,
        "sequence": 2,
        "replaced": [],
        "file_changes": {"added": ["new/one.py"], "changed": ["daily.py"], "removed": []},
        "dag_changes": {"added": ["new/one.py"], "changed": ["daily.py"], "removed": []},
        "services": {
            "dag-processor": {"running": 1, "proved": 1, "waiting": 0, "mismatch": 0},
            "worker": {"running": 2, "proved": 2, "waiting": 0, "mismatch": 0},
        },
    }


def test_what_a_log_shows(platform: Platform) -> None:
    platform.release()
    assert re.sub(r"\d+\.\d s", "1.0 s", platform.printed.getvalue()).splitlines() == [
        "read the current release ...",
        "done  read the current release  1.0 s",
        "files: 1 added, 1 changed, 0 removed",
        "check the DAGs with the image's Airflow ...",
        "done  check the DAGs with the image's Airflow: 2 DAGs  1.0 s",
        "DAGs: 1 added (new/one.py), 1 changed (daily.py)",
        "upload 2 files, 17 B ...",
        "done  upload 2 files, 17 B: archive of 155 B  1.0 s",
        f"publish {NEW_ID[:12]} ...",
        f"done  publish {NEW_ID[:12]}: task publisher-1  1.0 s",
        f"move the pointer to {NEW_ID[:12]} ...",
        f"done  move the pointer to {NEW_ID[:12]}  1.0 s",
        "proved: dag-processor 0/1, worker 0/2  (60 s left)",
        "proved: dag-processor 1/1, worker 2/2  (52 s left)",
    ]


def test_the_order(platform: Platform) -> None:
    """The pointer is read before anything else, and moved once everything is there."""
    steps: list[str] = []
    platform.hook = lambda step: steps.append(step.removeprefix("before ")) if "before" in step else None
    platform.release()
    first = [*dict.fromkeys(steps)]
    wanted = ["pointer", "manifest", "check", "report", "upload", "run_task", "move", "running", "proofs"]
    assert [step for step in first if step in wanted] == wanted
    assert steps.count("move") == 1


def test_the_first_release() -> None:
    platform = Platform()
    released = platform.release()
    assert platform.current == (1, NEW_ID)
    assert released.document()["previous_release_id"] == GENESIS
    assert released.document()["file_changes"]["added"] == ["daily.py", "new/one.py"]
    assert released.dag_changes is not None
    assert released.dag_changes.added == ("daily.py", "new/one.py")


def test_the_same_tree_again(platform: Platform) -> None:
    """From another commit; nothing is published, everybody proves it all the same."""
    released = platform.release(OLD)
    assert (released.result, platform.current) == (Result.ALREADY_CURRENT, (1, OLD_ID))
    assert platform.ecs.requests == []
    assert (
        "this tree is the current release already: there is nothing to publish" in platform.printed.getvalue()
    )
    assert released.document()["services"]["worker"]["proved"] == 2


def test_the_same_tree_that_somebody_does_not_hold(platform: Platform) -> None:
    platform.agents[1].behaviour = "mismatch"
    error = failure(platform, items=OLD)
    assert str(error) == (
        f"a container holds something else\n  worker w1: daily.py: another content\n{NOT_MOVED}"
    )
    assert (error.code, platform.current) == (ExitCode.FAILED, (1, OLD_ID))


def test_a_dry_run_writes_nothing(platform: Platform) -> None:
    platform.hook = lambda step: pytest.fail(step) if re.search("upload|run_task|move|proof", step) else None
    released = platform.release(dry_run=True)
    assert (released.result, platform.current) == (Result.DRY_RUN, (1, OLD_ID))
    assert released.document()["file_changes"] is not None
    assert released.shown() == [
        f"dry run: nothing was written; the release would be {NEW_ID} (commit cccccccccccc, 2 files)"
    ]


def test_no_container_runs(platform: Platform) -> None:
    """A stack that sleeps; whoever starts proves itself first."""
    platform.agents.clear()
    released = platform.release()
    assert (platform.current, released.document()["containers"]) == ((2, NEW_ID), [])


def test_a_current_release_without_manifest_and_report(platform: Platform) -> None:
    """Lost from the bucket, or of an older version: there is nothing to compare with, and that is all."""
    platform.bucket.manifests.clear()
    platform.bucket.reports[OLD_ID] = b"{}"
    released = platform.release()
    assert (released.file_changes, released.dag_changes) == (None, None)
    assert "DAGs: the current release has no report to compare with" in platform.printed.getvalue()


def test_something_else_was_in_the_bucket(platform: Platform) -> None:
    platform.bucket.replaced = ("dags/x/archive.tar.gz",)
    platform.release()
    assert (
        "warning: dags/x/archive.tar.gz had another content and has been replaced; the bucket keeps that version:"
        " unless another version of Python has compressed it in its own way, find out who wrote it"
    ) in platform.printed.getvalue()


# Before the pointer moves


@pytest.mark.parametrize(
    ("step", "error", "says"),
    [
        ("before pointer", LedgerError("no table"), "no table"),
        ("before manifest", OperationError("denied"), "denied"),
        ("before check", GateError("no Airflow"), "no Airflow"),
        ("before upload", OperationError("no room"), "no room"),
        ("before upload", GitError("the content is gone"), "the content is gone"),
        ("before run_task", OperationError("denied"), "denied"),
    ],
)
def test_nothing_moves_before_everything_is_there(
    platform: Platform, step: str, error: Exception, says: str
) -> None:
    at(platform, step, raising(error))
    found = failure(platform)
    assert str(found) == f"{says}\n{NOT_MOVED}"
    assert (found.code, found.facts["pointer"]) == (ExitCode.FAILED, "not moved")
    assert found.facts["release_id"] == NEW_ID
    assert platform.current == (1, OLD_ID)


def test_dags_that_must_not_be_released(platform: Platform) -> None:
    finding = Finding(Fault.IMPORT_ERROR, "daily.py:3", "NameError: name 'x' is not defined", "the trace")
    platform.gate = Gate(GateRefusal([finding]))
    error = failure(platform)
    assert str(error) == (
        "the DAGs cannot be released as they are:\n"
        f"import error: daily.py:3: NameError: name 'x' is not defined\n{NOT_MOVED}"
    )
    assert error.facts["findings"] == [
        {
            "fault": "import error",
            "place": "daily.py:3",
            "text": "NameError: name 'x' is not defined",
            "trace": "the trace",
        }
    ]
    assert (platform.current, platform.bucket.manifests.keys()) == ((1, OLD_ID), {OLD_ID})


def test_a_publisher_that_fails(platform: Platform) -> None:
    platform.ecs.publish = lambda _: (1, ['{"error": "the disk is full"}'])
    error = failure(platform)
    assert str(error) == (
        "the publisher failed with exit code 1: the disk is full (log group /airflow/publisher, stream"
        f" release/release-publisher/publisher-1)\n{NOT_MOVED}"
    )
    assert platform.current == (1, OLD_ID)


def test_a_publisher_that_does_not_end(platform: Platform) -> None:
    platform.ecs.polls = -1
    error = failure(platform)
    assert str(error) == (
        "the publisher has not ended within 120 s (task publisher-1); it goes on, and changes nothing that containers"
        f" read: look at its log, then release again\n{NOT_MOVED}"
    )
    assert platform.current == (1, OLD_ID)


def test_a_release_that_the_clean_up_takes_away(platform: Platform) -> None:
    at(platform, "before move", raising(NotPublished("it is being removed")))
    error = failure(platform)
    assert (str(error), platform.current) == (f"it is being removed\n{NOT_MOVED}", (1, OLD_ID))


# Somebody else


def test_somebody_else_is_faster(platform: Platform) -> None:
    at(platform, "before run_task", others(platform))
    error = failure(platform)
    assert str(error) == (
        "somebody else has moved the pointer meanwhile: number 2, release "
        f"{GENESIS[:12]}, release by grace at 2026-11-20 10:30:00 UTC\nit stays where they have moved it"
    )
    assert (error.code, error.facts["pointer"]) == (ExitCode.MOVED_BY_OTHERS, "moved by somebody else")
    assert platform.current == (2, GENESIS)


def test_somebody_else_moves_it_while_we_wait(platform: Platform) -> None:
    at(platform, "before sleep", others(platform))
    error = failure(platform)
    assert str(error).startswith("somebody else has moved the pointer meanwhile: number 3, release")
    assert (error.code, platform.current) == (ExitCode.MOVED_BY_OTHERS, (3, GENESIS))


def test_somebody_else_moves_it_before_it_is_taken_back(platform: Platform) -> None:
    """Theirs is not touched, whatever became of ours."""
    platform.agents[0].behaviour = "mismatch"

    def hook(step: str) -> None:
        if step == "before move" and platform.current == (2, NEW_ID):
            platform.hook = lambda _: None
            others(platform)()

    platform.hook = hook
    error = failure(platform)
    assert str(error).splitlines()[-1] == "it stays where they have moved it"
    assert (error.code, platform.current) == (ExitCode.MOVED_BY_OTHERS, (3, GENESIS))


def test_a_pointer_that_disappears(platform: Platform) -> None:
    ledger: Any = platform.ledger
    at(platform, "before sleep", ledger._moves.clear)
    error = failure(platform)
    assert str(error).startswith("somebody else has moved the pointer meanwhile: there is none any more")
    assert error.code == ExitCode.MOVED_BY_OTHERS


# Somebody does not prove it


@pytest.mark.parametrize(
    ("behaviour", "detail"),
    [
        ("silent", "has not said anything yet"),
        ("waits", "has no verified copy yet"),
    ],
)
def test_a_missing_proof(platform: Platform, behaviour: str, detail: str) -> None:
    platform.agents[2].behaviour = behaviour
    error = failure(platform)
    assert str(error) == f"not proved within 60 s\n  worker w2: {detail}\n{BACK}"
    assert (error.code, error.facts["pointer"]) == (ExitCode.FAILED, "moved back")
    assert error.facts["services"]["worker"] == {"running": 2, "proved": 1, "waiting": 1, "mismatch": 0}
    assert platform.current == (3, OLD_ID)
    assert platform.clock.passed >= 60


def test_who_took_it_back(platform: Platform) -> None:
    platform.agents[2].behaviour = "silent"
    failure(platform)
    restored, released, _ = platform.ledger.history(3)
    assert (restored.reason, restored.publisher) == ("restored", WHO.publisher)
    assert (restored.git_commit, restored.previous_release_id) == ("0" * 40, released.release_id)


@pytest.mark.parametrize(
    ("behaviour", "detail"),
    [
        ("mismatch", "daily.py: another content"),
        ("lies", f"its copy is eeeeeeeeeeee instead of {NEW_ID[:12]}"),
    ],
)
def test_a_container_with_something_else(platform: Platform, behaviour: str, detail: str) -> None:
    """Nobody waits for the time-out."""
    platform.agents[1].behaviour = behaviour
    error = failure(platform)
    assert str(error) == f"a container holds something else\n  worker w1: {detail}\n{BACK}"
    assert (error.code, platform.current) == (ExitCode.FAILED, (3, OLD_ID))
    assert platform.clock.passed < 15


def test_many_that_do_not_prove_it(platform: Platform) -> None:
    platform.agents[:] = [Agent("worker", f"w{number:02}", behaviour="silent") for number in range(13)]
    lines = str(failure(platform)).splitlines()
    assert lines[1] == "  worker w00: has not said anything yet"
    assert lines[10:] == ["  worker w09: has not said anything yet", "  and 3 more", BACK]


def test_the_first_release_is_taken_back_to_nothing() -> None:
    platform = Platform()
    platform.agents[0].behaviour = "silent"
    error = failure(platform)
    assert str(error).endswith("\nthe pointer is back on the empty release (number 2)")
    assert platform.current == (2, GENESIS)


def test_a_task_that_stops_drops_out(platform: Platform) -> None:
    platform.agents[2].behaviour = "silent"

    def stop() -> None:
        platform.agents[2].desired = "STOPPED"

    at(platform, "before sleep", stop)
    released = platform.release()
    assert released.document()["services"]["worker"] == {
        "running": 1,
        "proved": 1,
        "waiting": 0,
        "mismatch": 0,
    }


def test_a_new_task_has_to_prove_it_too(platform: Platform) -> None:
    def start() -> None:
        platform.agents.append(Agent("worker", "w3", behaviour="silent"))

    at(platform, "before sleep", start)
    assert "worker w3: has not said anything yet" in str(failure(platform))


def test_a_task_that_is_starting_is_not_waited_for(platform: Platform) -> None:
    platform.agents.append(Agent("worker", "w3", behaviour="silent", status="PENDING"))
    assert platform.release().result is Result.RELEASED


def test_an_old_proof_does_not_count(platform: Platform) -> None:
    """Not even one of the same release: the task may have held something else since."""
    platform.release()
    for agent in platform.agents:
        agent.behaviour = "silent"
    others(platform, OLD_ID)()
    error = failure(platform)
    assert f"worker w1: still follows number 2 ({NEW_ID[:12]})" in str(error)
    assert platform.current == (5, OLD_ID)


# AWS has moments


@pytest.mark.parametrize("step", ["before running", "before proofs"])
def test_a_busy_moment_while_waiting(platform: Platform, step: str) -> None:
    error = AwsBusy("busy") if step == "before running" else LedgerBusy("busy")
    at(platform, step, raising(error), times=3)
    assert platform.release().result is Result.RELEASED


def test_busy_to_the_end(platform: Platform) -> None:
    platform.ecs.errors["ListTasks"] = [throttled()] * 100
    error = failure(platform)
    assert str(error) == (
        "not proved within 60 s\n  cannot list the tasks of the service dag-processor: AWS is busy"
        f" (ThrottlingException): try again in a minute\n{BACK}"
    )
    assert platform.current == (3, OLD_ID)


def test_rights_that_end_while_waiting(platform: Platform) -> None:
    at(platform, "before proofs", raising(LedgerError("sign in again")))
    error = failure(platform)
    assert (str(error), platform.current) == (f"sign in again\n{BACK}", (3, OLD_ID))


def test_a_move_whose_answer_is_lost(platform: Platform) -> None:
    """It was made, so it is taken back: nobody knew for how long."""
    at(platform, "after move", raising(LedgerBusy("no answer")))
    error = failure(platform)
    assert (str(error), platform.current) == (f"no answer\n{BACK}", (3, OLD_ID))


def test_a_move_that_was_not_made(platform: Platform) -> None:
    at(platform, "before move", raising(LedgerBusy("no answer")))
    error = failure(platform)
    assert (str(error), platform.current) == (f"no answer\n{NOT_MOVED}", (1, OLD_ID))


class Undo:
    """Steps in once the release has moved the pointer and gives up."""

    def __init__(self, platform: Platform, step: str, error: Exception, times: int) -> None:
        platform.agents[0].behaviour = "mismatch"
        self._platform, self._step, self._error, self._left = platform, step, error, times
        platform.hook = self

    def __call__(self, step: str) -> None:
        undoing = any(agent.told(2) for agent in self._platform.agents)
        if undoing and step == self._step and self._left:
            self._left -= 1
            raise self._error


@pytest.mark.parametrize("step", ["before move", "after move"])
def test_a_busy_ledger_is_asked_again_to_take_it_back(platform: Platform, step: str) -> None:
    """Also if it was done, and only the answer was lost."""
    Undo(platform, step, LedgerBusy("no answer"), 5 if step == "before move" else 1)
    error = failure(platform)
    assert str(error).endswith(BACK)
    assert (error.code, platform.current) == (ExitCode.FAILED, (3, OLD_ID))


@pytest.mark.parametrize(
    "reason", [LedgerBusy("no answer"), NotPublished("it is being removed")], ids=["busy", "removed"]
)
def test_a_pointer_that_cannot_be_taken_back(platform: Platform, reason: Exception) -> None:
    Undo(platform, "before move", reason, 1000)
    error = failure(platform)
    assert str(error).splitlines()[2:] == [
        f"the pointer could not be taken back: {reason}",
        f"it is on {NEW_ID[:12]} (number 2), which is not proved: {BY_HAND}",
    ]
    assert (error.code, error.facts["pointer"]) == (ExitCode.UNPROVED, "moved")
    assert platform.current == (2, NEW_ID)


def test_a_pointer_that_cannot_be_read(platform: Platform) -> None:
    platform.agents[0].behaviour = "mismatch"

    def hook(step: str) -> None:
        if step == "after move":
            platform.hook = raise_at_pointer

    def raise_at_pointer(step: str) -> None:
        if step == "before pointer":
            raise LedgerError("sign in again")

    platform.hook = hook
    error = failure(platform)
    assert str(error).splitlines() == [
        "sign in again",
        "where the pointer is now is not known: sign in again",
        f"look with `operations releases`; if it is on {NEW_ID[:12]}, {BY_HAND}",
    ]
    assert (error.code, error.facts["pointer"]) == (ExitCode.UNPROVED, "unknown")


def test_the_first_release_that_cannot_be_taken_back() -> None:
    platform = Platform()
    platform.agents[0].behaviour = "silent"

    def hook(step: str) -> None:
        if step == "before move" and platform.current == (1, NEW_ID):
            raise NotPublished("no")

    platform.hook = hook
    assert str(failure(platform)).endswith("go back with `operations rollback --to genesis`")


# Every step


RELEASED = "released"
POINTERS = {"not moved": (1, OLD_ID), "moved back": (3, OLD_ID), RELEASED: (2, NEW_ID)}
ENDS = {"not moved": NOT_MOVED, "moved back": BACK, RELEASED: ""}


def ended(platform: Platform) -> tuple[str, ExitCode, str]:
    """Release; return where the pointer is said to be, the exit code, and the message."""
    try:
        platform.release()
    except OperationError as error:
        return str(error.facts["pointer"]), error.code, str(error)
    return RELEASED, ExitCode.DONE, ""


def each_step(action: Callable[[], None], *, behaviour: str) -> Iterator[Platform]:
    """Give platforms whose releases are disturbed, each at another step, until the last step was."""
    number = -1
    seen = [""]
    while len(seen) > number:
        number += 1
        seen.clear()
        platform = with_old()
        platform.agents[0].behaviour = behaviour

        def hook(step: str, number: int = number) -> None:
            seen.append(step)
            if len(seen) - 1 == number:
                action()

        platform.hook = hook
        yield platform


@pytest.mark.parametrize("behaviour", ["follows", "mismatch", "silent"])
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_stopped_at_every_step(name: str, behaviour: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Before the move it ends at once; afterwards the pointer is taken back first."""
    number, found = getattr(signal, name), set[tuple[str, bool]]()
    for platform in each_step(lambda: signal.raise_signal(number), behaviour=behaviour):
        where, code, message = ended(platform)
        stopped = message.startswith(f"stopped by {'Ctrl-C' if name == 'SIGINT' else name}\n")
        assert stopped == (code is ExitCode.INTERRUPTED)
        assert (platform.current, message.endswith(ENDS[where])) == (POINTERS[where], True)
        found.add((where, stopped))
    # If it comes when everything is decided, it changes nothing.
    late = (RELEASED if behaviour == "follows" else "moved back", False)
    assert found == {("not moved", True), ("moved back", True), late}
    assert "stopping in good order, wait a moment" in capfd.readouterr().err


def test_a_second_one_changes_nothing() -> None:
    """Impatience does not leave the pointer where it must not be."""
    platform, again = with_old(), list[int]()

    def hook(step: str) -> None:
        if platform.current[0] >= 2:
            again.append(1)
            signal.raise_signal(signal.SIGINT)

    platform.hook = hook
    assert ended(platform) == ("moved back", ExitCode.INTERRUPTED, f"stopped by Ctrl-C\n{BACK}")
    assert len(again) > 5


def test_our_handlers_are_gone_afterwards(platform: Platform) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    platform.release()
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before


@pytest.mark.parametrize("behaviour", ["follows", "mismatch"])
@pytest.mark.parametrize("error", [RuntimeError("a bug"), KeyboardInterrupt(), SystemExit(9)], ids=repr)
def test_an_error_of_our_own_at_every_step(error: BaseException, behaviour: str) -> None:
    """It keeps its trace, and the pointer is right even then, unless it strikes while the pointer is taken back."""
    found = set[str]()
    for platform in each_step(raising(error), behaviour=behaviour):
        error.__notes__ = []
        try:
            where, _, _ = ended(platform)
        except type(error):
            found.add("".join(error.__notes__))
            undoing = behaviour == "mismatch" and any(agent.told(2) for agent in platform.agents)
            assert platform.current[1] == OLD_ID or undoing
        else:
            assert platform.current == POINTERS[where]
    assert {"", NOT_MOVED, BACK} <= found


def test_a_busy_ledger_at_every_call() -> None:
    calls = re.compile(r"(before|after) (pointer|move|proofs)")
    for number in range(50):
        platform, seen = with_old(), list[str]()

        def hook(step: str, seen: list[str] = seen, number: int = number) -> None:
            if calls.fullmatch(step):
                seen.append(step)
                if len(seen) - 1 == number:
                    raise LedgerBusy("no answer")

        platform.hook = hook
        where, _, _ = ended(platform)
        assert platform.current == POINTERS[where]


ERRORS = {
    "busy": LedgerBusy("no answer"),
    "refused": LedgerError("refused"),
    "moved": PointerMoved(None),
}
"""What the ledger may say, with or without reason."""


class Disturbed:
    """Does things at some steps of a release."""

    def __init__(self, platform: Platform, what: dict[int, str]) -> None:
        self._platform, self._what, self._count = platform, what, -1
        self.theirs = 0
        """Number of the last pointer that somebody else has made."""

    def __call__(self, step: str) -> None:
        self._count += 1
        match self._what.get(self._count):
            case "others":
                others(self._platform)()
                self.theirs = self._platform.current[0]
            case "stop":
                signal.raise_signal(signal.SIGINT)
            case "new task":
                self._platform.agents.append(Agent("worker", f"new{self._count}"))
            case str(kind) if re.search("pointer|move|proofs", step):
                raise ERRORS[kind]


@given(
    behaviours=st.lists(
        st.sampled_from(["follows", "follows", "follows", "silent", "mismatch", "lies", "waits"]), max_size=4
    ),
    what=st.dictionaries(
        st.integers(0, 120), st.sampled_from([*ERRORS, "others", "stop", "new task"]), max_size=3
    ),
)
def test_whatever_happens(behaviours: list[str], what: dict[int, str]) -> None:
    """The pointer is where the message says; a release that succeeds is proved by all; nobody else's is taken back."""
    platform = with_old()
    platform.agents[:] = [Agent("worker", f"w{at}", behaviour=each) for at, each in enumerate(behaviours)]
    platform.hook = disturbed = Disturbed(platform, what)
    where, code, _ = ended(platform)
    moves = platform.ledger.history(100)
    assert [move.sequence for move in moves] == list(range(len(moves), 0, -1))
    if where == RELEASED:
        assert all(agent.behaviour == "follows" for agent in platform.agents)
    if disturbed.theirs:
        assert disturbed.theirs in {move.sequence for move in moves}
        assert platform.current[0] == disturbed.theirs or where not in {"not moved", "moved by somebody else"}
    elif where in POINTERS:
        assert platform.current == POINTERS[where]
        assert code in {ExitCode.FAILED, ExitCode.INTERRUPTED} or where == RELEASED
    elif where == "moved by somebody else":
        # A ledger that says so without reason is believed.
        assert (code, "moved" in what.values()) == (ExitCode.MOVED_BY_OTHERS, True)
    else:
        assert code is ExitCode.UNPROVED


def test_many_containers() -> None:
    platform = with_old()
    platform.agents[:] = [Agent("worker", f"{number:032x}") for number in range(250)]
    assert platform.release().document()["services"]["worker"]["proved"] == 250
