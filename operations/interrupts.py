"""Ctrl-C and its relatives: at once while nothing is half done, afterwards at the next point where it is safe to stop.

From the moment the pointer moves, a signal is only noted; whoever waits looks for it, and puts the pointer right before
the process ends.
"""

from __future__ import annotations

import os
import signal
from typing import Any, Final, Self

from operations.errors import Interrupted

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, a pipeline that is cancelled, a terminal that is closed."""
STANDARD_ERROR: Final = 2
NOTED: Final = b"\nstopping in good order, wait a moment\n"


class Interrupts:
    """What to do with a signal; in force within its block, in the main thread."""

    def __init__(self) -> None:
        """Nothing has come yet."""
        self._holding = False
        self._noted: str | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self._holding, self._noted = False, None
        for number in SIGNALS:
            # What a shell starts with &, or nohup starts, shall not hear them.
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._come)
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    def hold(self) -> None:
        """From here to the end of the block only note signals; one that nobody looks for came too late to matter."""
        self._holding = True

    def check(self) -> None:
        """Stop here if a signal has come.

        Raises:
            Interrupted: one has.

        """
        if self._noted:
            raise Interrupted(self._noted)

    def _come(self, number: int, _frame: object) -> None:
        name = signal.Signals(number).name
        if not self._holding:
            raise Interrupted(name)
        self._noted = name
        # Not through anything that the signal may have interrupted; the terminal may be gone.
        try:
            os.write(STANDARD_ERROR, NOTED)
        except OSError:
            return
