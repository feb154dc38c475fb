"""Work in several threads, for what waits: each file of a network's file system costs some answers of its server.

On a disk of the machine there is little to wait for, and one thread is as good.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Final, Generic, Self, TypeVar

WORKERS: Final = 16
AHEAD: Final = 4
"""Pieces that are begun and have no thread yet; what they hold takes memory."""
TOGETHER: Final = 16
"""Files in one piece of work: handing over each alone costs more than reading it from a disk."""

Given = TypeVar("Given")
Result = TypeVar("Result")


class Parallel(Generic[Result]):
    """Does pieces of work side by side. The first error ends it, and at its end nothing runs any more."""

    def __init__(self, workers: int = WORKERS) -> None:
        """Begin nothing yet; with one worker, everything is done by the caller, in order."""
        self._pool = ThreadPoolExecutor(workers) if workers > 1 else None
        self._most = workers + AHEAD
        self._begun: set[Future[Result]] = set()
        self._done: list[Result] = []

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Begin nothing more, and wait for what runs."""
        if self._pool:
            self._pool.shutdown(cancel_futures=True)

    def begin(self, work: Callable[[], Result]) -> None:
        """Begin a piece of work, once there is room for it; raise what an earlier one has raised."""
        if self._pool is None:
            self._done.append(work())
            return
        while len(self._begun) >= self._most:
            self._collect()
        self._begun.add(self._pool.submit(work))

    def results(self) -> Iterator[Result]:
        """Yield what the pieces return, as they end; more may be begun meanwhile.

        Raises:
            BaseException: What a piece has raised.

        """
        while self._begun or self._done:
            if not self._done:
                self._collect()
            yield self._done.pop()

    def finish(self) -> None:
        """Wait for all pieces, or raise what one has raised."""
        for _ in self.results():
            pass

    def _collect(self) -> None:
        ended, self._begun = wait(self._begun, return_when=FIRST_COMPLETED)
        self._done += [each.result() for each in ended]


def pieces(things: Iterable[Given], size: int = TOGETHER) -> Iterator[list[Given]]:
    """Yield things in lists of a size, the last one maybe shorter."""
    piece: list[Given] = []
    for thing in things:
        piece.append(thing)
        if len(piece) == size:
            yield piece
            piece = []
    if piece:
        yield piece
