"""What a person sees while an operation runs: steps, and how far the containers have got.

All of it goes to standard error. A terminal gets a table that is drawn again; a log gets a line when something changes.
A terminal that goes away stops nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, TextIO

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from operations.proofs import FleetStanding, ServiceStanding, Standing, TaskStanding

WIDTH: Final = 100
"""Of a log."""
SHOWN_TASKS: Final = 8
"""Tasks that are listed while everybody is waited for; at the end all are."""
TASK_ID_CHARACTERS: Final = 8
BAR_WIDTH: Final = 24

Say = Callable[[str], None]
Show = Callable[[FleetStanding, float], None]
"""Takes how far everybody has got, and how many seconds are left."""


class Steady:
    """A stream whose reader may go away: nobody hears of it, and nothing ends because of it."""

    def __init__(self, stream: TextIO) -> None:
        """Keep the stream."""
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, if somebody is there."""
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Hand over what was written, if somebody is there."""
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def console(stream: TextIO, width: int = WIDTH) -> Console:
    """Return a console, as wide as its terminal; of a log, as wide as is asked for."""
    steady: Any = Steady(stream)
    found = Console(file=steady, highlight=False)
    return found if found.is_terminal else Console(file=steady, highlight=False, width=width)


class Screen:
    """The screen of one operation."""

    def __init__(self, console: Console) -> None:
        """Keep the console."""
        self._console = console

    def note(self, text: str) -> None:
        """Say something."""
        self._print(Text(text))

    def warn(self, text: str) -> None:
        """Say something that needs attention."""
        self._print(Text.assemble(("warning: ", "bold yellow"), text))

    def error(self, text: str) -> None:
        """Say why a command ends."""
        self._print(Text.assemble(("error: ", "bold red"), text))

    @contextmanager
    def step(self, doing: str) -> Iterator[Say]:
        """Show that something is being done, then how long it took; more can be said meanwhile."""
        begun = time.monotonic()
        details: list[str] = []
        if not self._console.is_terminal:
            self._print(Text(f"{doing} ..."))
            yield details.append
        else:
            with self._console.status(Text(doing)) as status:

                def say(detail: str) -> None:
                    details.append(detail)
                    status.update(Text(f"{doing}: {detail}"))

                yield say
        last = f": {details[-1]}" if details else ""
        seconds = f"  {time.monotonic() - begun:.1f} s"
        self._print(Text.assemble(("done  ", "green"), f"{doing}{last}", (seconds, "dim")))

    @contextmanager
    def proving(self) -> Iterator[Show]:
        """Show how far the containers have got, for as long as the block takes."""
        if not self._console.is_terminal:
            yield _Log(self._print).show
            return
        with Live(console=self._console, transient=True, refresh_per_second=4) as live:

            def show(standing: FleetStanding, left_seconds: float) -> None:
                live.update(progress(standing, left_seconds))

            yield show

    def _print(self, what: RenderableType) -> None:
        # Whoever shows a text folds it; in a log its lines stay whole.
        self._console.print(what, soft_wrap=isinstance(what, Text))


class _Log:
    """Lines of a log; nothing is said twice."""

    def __init__(self, say: Callable[[Text], None]) -> None:
        self._say, self._before = say, ""

    def show(self, standing: FleetStanding, left_seconds: float) -> None:
        counts = ", ".join(f"{each.service} {each.proved}/{each.running}" for each in standing.by_service())
        if counts != self._before:
            self._before = counts
            self._say(Text(f"proved: {counts}  ({left_seconds:.0f} s left)"))


def many(count: int, noun: str) -> str:
    """Return a number of things."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def progress(standing: FleetStanding, left_seconds: float) -> RenderableType:
    """Return the table that is drawn while everybody is waited for."""
    missing = standing.unproved
    parts: list[RenderableType] = [services(standing)]
    if missing:
        parts.append(containers(missing[:SHOWN_TASKS]))
    more = f"and {len(missing) - SHOWN_TASKS} more; " if len(missing) > SHOWN_TASKS else ""
    parts.append(Text(f"{more}{left_seconds:.0f} s left; Ctrl-C stops in good order", "dim"))
    return Group(*parts)


def services(standing: FleetStanding) -> Table:
    """Return a line for each service."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("Service")
    table.add_column("Containers", justify="right")
    table.add_column("Proved", justify="right")
    table.add_column("", width=BAR_WIDTH)
    table.add_column("")
    for each in standing.by_service():
        bar = ProgressBar(total=max(each.running, 1), completed=each.proved, width=BAR_WIDTH)
        table.add_row(
            each.service, str(each.running), str(each.proved), bar if each.running else "", _state(each)
        )
    return table


def containers(tasks: tuple[TaskStanding, ...]) -> Table:
    """Return a line for each task."""
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("Service", "Task", "State", "Verified at (UTC)", "Why"):
        table.add_column(heading, overflow="fold")
    for task in tasks:
        verified = f"{task.proof.verified_at:%H:%M:%S}" if task.proof else ""
        table.add_row(
            task.task.service,
            task.task.task_id[:TASK_ID_CHARACTERS],
            Text(task.standing.value, _STYLES[task.standing]),
            verified,
            Text(task.detail),
        )
    return table


_STYLES: Final = {Standing.PROVED: "green", Standing.WAITING: "yellow", Standing.WRONG: "bold red"}


def _state(service: ServiceStanding) -> Text:
    if service.wrong:
        return Text(f"{service.wrong} with something else", "bold red")
    if service.waiting:
        return Text(f"{service.waiting} to go", "yellow")
    return Text("all proved", "green") if service.running else Text("no container runs", "dim")
