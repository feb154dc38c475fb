"""What a person sees: a table at a terminal, lines in a log, and nothing that can end an operation."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from operations.proofs import FleetStanding, RunningTask, judge
from operations.screen import Screen, console, containers, many, progress
from tests.releases.ledger_table import START, proof
from tests.releases.test_operations_proofs import POINTER


def standing(*, proved: int = 1, waiting: int = 1, wrong: int = 0) -> FleetStanding:
    kinds = ["verified"] * proved + ["waiting"] * waiting + ["mismatch"] * wrong
    tasks = [RunningTask("worker", f"{at:032}", START) for at in range(len(kinds))]
    proofs = [
        proof(task_id=f"{at:032}", sequence=7, status=kind, detail="" if kind == "verified" else "[b]why[/b]")
        for at, kind in enumerate(kinds)
    ]
    return judge(["dag-processor", "worker"], tasks, proofs, POINTER)


def text(what: object) -> str:
    recording = Console(file=io.StringIO(), width=110, record=True)
    recording.print(what)
    return recording.export_text()


def lines(what: object) -> list[str]:
    return [" ".join(re.sub("[─━╸╺]+", "", line).split()) for line in text(what).splitlines() if line.strip()]


class Terminal(io.StringIO):
    """What a person sits in front of."""

    def isatty(self) -> bool:
        return True


def test_progress() -> None:
    found = [line for line in lines(progress(standing(proved=3, waiting=2, wrong=1), 42.4)) if line]
    assert found == [
        "Service Containers Proved",
        "dag-processor 0 0 no container runs",
        "worker 6 3 1 with something else",
        "Service Task State Verified at (UTC) Why",
        "worker 00000000 mismatch 09:30:00 [b]why[/b]",
        "worker 00000000 waiting 09:30:00 [b]why[/b]",
        "worker 00000000 waiting 09:30:00 [b]why[/b]",
        "42 s left; Ctrl-C stops in good order",
    ]


def test_progress_of_many() -> None:
    found = lines(progress(standing(waiting=20), 42.4))
    assert sum("waiting" in line for line in found) == 8
    assert found[-1] == "and 12 more; 42 s left; Ctrl-C stops in good order"


def test_all_proved() -> None:
    found = lines(progress(standing(proved=2, waiting=0), 1))
    assert "worker 2 2 all proved" in found
    assert not any("Why" in line for line in found)


def test_a_task_that_never_said_anything() -> None:
    silent = judge(["worker"], [RunningTask("worker", "1", START)], [], POINTER)
    assert lines(containers(silent.tasks))[-1] == "worker 1 waiting has not said anything yet"


def test_a_log_says_nothing_twice() -> None:
    out = io.StringIO()
    with Screen(Console(file=out, width=100)).proving() as show:
        for left in (60, 58, 56):
            show(standing(), left)
        show(standing(proved=2, waiting=0), 54)
    assert out.getvalue().splitlines() == [
        "proved: dag-processor 0/0, worker 1/2  (60 s left)",
        "proved: dag-processor 0/0, worker 2/2  (54 s left)",
    ]


def test_lines_of_a_log_stay_whole() -> None:
    out = io.StringIO()
    Screen(Console(file=out, width=40)).error("word " * 40)
    assert len(out.getvalue().splitlines()) == 1


def test_a_terminal() -> None:
    out = Terminal()
    screen = Screen(Console(file=out, width=100, force_terminal=True, legacy_windows=False))
    with screen.step("upload") as say:
        say("half")
        say("all")
    with screen.proving() as show:
        show(standing(), 60)
    screen.warn("look [there]")
    seen = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.getvalue())
    assert re.search(r"done  upload: all  \d+\.\d s", seen)
    assert "worker" in seen
    assert "warning: look [there]" in seen


def test_a_step_that_fails_is_not_done() -> None:
    out = io.StringIO()
    with pytest.raises(ValueError, match="no"), Screen(Console(file=out)).step("upload"):
        raise ValueError("no")
    assert out.getvalue() == "upload ...\n"


class Gone(io.StringIO):
    """A terminal that was closed."""

    def __init__(self, error: OSError, *, terminal: bool) -> None:
        super().__init__()
        self._error, self._terminal = error, terminal

    def isatty(self) -> bool:
        return self._terminal

    def write(self, _: str) -> int:
        raise self._error

    def flush(self) -> None:
        raise self._error


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), BrokenPipeError()], ids=repr)
def test_a_screen_that_is_gone_stops_nothing(error: OSError, terminal: bool) -> None:
    shown = console(Gone(error, terminal=terminal))
    assert shown.is_terminal == terminal
    screen, done = Screen(shown), list[str]()
    with screen.step("upload") as say:
        say("half")
        done.append("step")
    with screen.proving() as show:
        show(standing(), 60)
        done.append("proving")
    screen.error("it failed")
    assert done == ["step", "proving"]


def test_a_log_is_wide_enough() -> None:
    assert (console(io.StringIO()).width, console(io.StringIO(), 180).width) == (100, 180)


@pytest.mark.parametrize(("count", "wanted"), [(0, "0 files"), (1, "1 file"), (12345, "12,345 files")])
def test_counts(count: int, wanted: str) -> None:
    assert many(count, "file") == wanted
