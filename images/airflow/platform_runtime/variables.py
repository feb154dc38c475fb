"""Reading the container's variables: all that is missing or wrong is collected, so that one start shows everything.

A value never appears in a problem: it may be a secret, or stand in the place of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

BAD_CONFIGURATION: Final = 78
"""Exit code of a container that refuses to start: EX_CONFIG of sysexits.h."""


class Refusal(Exception):
    """The container must not start; `problems` is the complete list of reasons."""

    def __init__(self, problems: list[str]) -> None:
        """Keep the reasons."""
        super().__init__("; ".join(problems))
        self.problems = problems


class Variables:
    """The variables of a container, and what is wrong with them."""

    def __init__(self, given: Mapping[str, str]) -> None:
        """Read from `given`, usually the process's environment."""
        self._given = given
        self.problems: list[str] = []

    def need(self, name: str) -> str:
        """Return a variable that must have a value; a missing one is a problem, and empty here."""
        value = self._given.get(name, "")
        if not value.strip():
            self.problems.append(f"{name} is missing" if name not in self._given else f"{name} is empty")
            return ""
        return value

    def get(self, name: str) -> str | None:
        """Return a variable, or None when it has no value."""
        return self._given.get(name) or None

    def number(self, name: str, low: int, high: int) -> int:
        """Return a whole number within limits; the lower limit when it is a problem."""
        text = self.need(name)
        if text:
            if text.isascii() and text.isdigit() and low <= int(text) <= high:
                return int(text)
            self.problems.append(f"{name}: want a whole number from {low} to {high}")
        return low

    def must_be(self, name: str, wanted: str, why: str) -> None:
        """Note a problem unless a variable has this value; case does not matter, as for Airflow's booleans."""
        if (self._given.get(name) or "").lower() != wanted.lower():
            self.problems.append(f"{name}: want {wanted}: {why}")

    def must_not_have(self, name: str, why: str) -> None:
        """Note a problem if a variable is there at all."""
        if name in self._given:
            self.problems.append(f"{name} must not be set: {why}")

    def refuse(self) -> None:
        """Raise the problems, if there are any.

        Raises:
            Refusal: with all of them.

        """
        if self.problems:
            raise Refusal(self.problems)
