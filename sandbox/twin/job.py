"""Work that takes long, beside a loop that must not wait, and what follows it in that loop."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from typing import Any

from sandbox.cli import SandboxError


class Job:
    """A thread, and what is done with its end."""

    def __init__(
        self, work: Callable[[], Any], then: Callable[[], None], failed: Callable[[Exception], None]
    ) -> None:
        """Begin the work.

        Args:
            work: What runs beside the loop.
            then: What the loop does after it.
            failed: What the loop does instead when the work, or what follows, fails.

        """
        self._work, self._then, self._failed = work, then, failed
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True, name="job")
        self._thread.start()

    @property
    def over(self) -> bool:
        """Whether the work has ended."""
        return not self._thread.is_alive()

    def join(self, seconds: float) -> None:
        """Wait for the end of the work, but not for long."""
        self._thread.join(seconds)

    def conclude(self) -> None:
        """Do what follows; called by the loop once the work is over."""
        if self._error is None:
            try:
                self._then()
            except Exception as error:
                self._error = error
        if self._error is not None:
            if not isinstance(self._error, SandboxError):
                traceback.print_exception(self._error)
            self._failed(self._error)

    def _run(self) -> None:
        try:
            self._work()
        except Exception as error:
            self._error = error
