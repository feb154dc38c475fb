"""What a command ends with when it does not succeed: one message for people, facts for programs, an exit code."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from typing import Any


class ExitCode(IntEnum):
    """How a command ended; pipelines decide by it."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    MOVED_BY_OTHERS = 3
    UNPROVED = 4
    INTERRUPTED = 130


class Where(StrEnum):
    """What became of the pointer."""

    NOT_MOVED = "not moved"
    MOVED = "moved"
    MOVED_BACK = "moved back"
    OTHERS = "moved by somebody else"
    UNKNOWN = "unknown"


class OperationError(Exception):
    """It could not be done; the message says what, where and what to do."""

    def __init__(
        self, message: str, *, code: ExitCode = ExitCode.FAILED, facts: Mapping[str, Any] | None = None
    ) -> None:
        """Keep what a program wants to know."""
        super().__init__(message)
        self.code, self.facts = code, dict(facts or {})


class AwsError(OperationError):
    """AWS refuses something, or does not answer."""


class AwsBusy(AwsError):
    """AWS throttles or does not answer: the same call may work later."""


class Interrupted(OperationError):
    """Somebody wants this to end: Ctrl-C, or whoever runs it."""

    def __init__(self, signal_name: str) -> None:
        """Name the signal."""
        how = "Ctrl-C" if signal_name == "SIGINT" else signal_name
        super().__init__(f"stopped by {how}", code=ExitCode.INTERRUPTED)
