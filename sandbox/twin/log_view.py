"""Showing log files of containers as they grow, several at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, TypedDict

POLL_SECONDS: Final = 0.2
LOOK_AGAIN_SECONDS: Final = 2.0
"""How often a follower asks for the logs of tasks that are new."""


class LogFile(TypedDict):
    """The log of a container. The answer of the control command `logs_path` is a list of these."""

    task: str
    container: str
    path: str


class Tail:
    """The end of a log file."""

    def __init__(self, path: Path) -> None:
        """Start before its first line."""
        self._path = path
        self._place = 0

    def lines(self) -> list[str]:
        """Return the whole lines that were added since the last time."""
        if not self._path.exists():
            return []
        with self._path.open("rb") as log:
            log.seek(self._place)
            added = log.read()
        whole = added[: added.rfind(b"\n") + 1]
        self._place += len(whole)
        return whole.decode(errors="replace").split("\n")[:-1]


def follow(
    files: Callable[[], Sequence[LogFile]], count: int, *, ever: bool = True
) -> Iterator[tuple[LogFile, str]]:
    """Give the last lines of each log, then each new line as it comes.

    Args:
        files: Returns the logs; asked again and again, since tasks come and go.
        count: Lines of each log to begin with.
        ever: Whether to go on until the caller stops; otherwise that was all.

    """
    tails: dict[str, tuple[LogFile, Tail]] = {}
    asked = 0.0
    while True:
        if not tails or time.monotonic() - asked > LOOK_AGAIN_SECONDS:
            asked = time.monotonic()
            for file in files():
                if file["path"] not in tails:
                    tail = Tail(Path(file["path"]))
                    tails[file["path"]] = file, tail
                    yield from ((file, line) for line in tail.lines()[-count:])
        if not ever:
            return
        time.sleep(POLL_SECONDS)
        for file, tail in tails.values():
            yield from ((file, line) for line in tail.lines())
