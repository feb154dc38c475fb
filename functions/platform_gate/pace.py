"""Waiting, within the time that Lambda gives the function."""

import time
from collections.abc import Callable

from .errors import RUN_AGAIN, GateError

RESERVE_SECONDS = 60
"""Kept for the call that follows a pause: a slow one is repeated for a minute at most."""


class Pace:
    """The function's clock: it pauses, and says so clearly when no time is left."""

    def __init__(
        self,
        remaining_milliseconds: Callable[[], int],
        *,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the time that is left from `remaining_milliseconds`."""
        self._remaining_milliseconds = remaining_milliseconds
        self._sleep = sleep
        self.now = now

    def pause(self, seconds: float, state: str) -> None:
        """Wait.

        Args:
            seconds: How long.
            state: What is not finished, as a clause: "the bootstrap task x is still running".

        Raises:
            GateError: the function would not live long enough to look again.

        """
        if self._remaining_milliseconds() < (seconds + RESERVE_SECONDS) * 1000:
            raise GateError(state, f"{RUN_AGAIN}, it goes on from there")
        self._sleep(seconds)
