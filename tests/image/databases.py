"""A database connection that answers from a script and keeps what it was told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class FakeConnection:
    """Its own cursor. `answers` has the row for every statement that begins with the key; None for none.

    `failing` has errors by statement.
    """

    def __init__(
        self, answers: Mapping[str, Any] | None = None, failing: Mapping[str, Exception] | None = None
    ) -> None:
        self.answers = dict(answers or {})
        self.failing = failing or {}
        self.told: list[tuple[str, Any]] = []
        self.closed = False

    def cursor(self) -> FakeConnection:
        return self

    def __enter__(self) -> FakeConnection:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def execute(self, statement: str, values: Any = None) -> None:
        self.told.append((statement, values))
        if statement in self.failing:
            raise self.failing[statement]

    def fetchone(self) -> Any:
        statement = self.told[-1][0]
        answer = next((row for start, row in self.answers.items() if statement.startswith(start)), None)
        return answer.pop(0) if isinstance(answer, list) else answer

    def close(self) -> None:
        self.closed = True

    @property
    def changes(self) -> list[str]:
        """What was told and is no question."""
        return [statement for statement, _ in self.told if not statement.startswith("SELECT")]
