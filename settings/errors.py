"""Mistakes in settings, one readable line each: the YAML path, what was given, what is allowed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pulumi

CONFIG_KEY = "airflow-platform:platform"
MAX_GIVEN = 60

Location = Sequence[str | int]


class SettingsError(pulumi.RunError):
    """The settings of a stack cannot be used.

    A subclass of `pulumi.RunError`: Pulumi's Python hosts show the text of such an error without a traceback.

    Attributes:
        stack: the name of the stack.
        mistakes: one line for each mistake.

    """

    def __init__(self, stack: str, mistakes: Iterable[str]) -> None:
        """Build the message: the stack file and its key, then one line for each of `mistakes`."""
        self.stack = stack
        self.mistakes = tuple(mistakes)
        count = f"{len(self.mistakes)} mistake{'' if len(self.mistakes) == 1 else 's'}"
        lines = "\n".join(f"  {mistake}" for mistake in self.mistakes)
        super().__init__(f"{stack_file(stack)}: {count} in {CONFIG_KEY}\n{lines}")


@dataclass(frozen=True)
class Mistake:
    """What one cross-field rule found: `path` as in the stack file, the value given, and what is allowed."""

    path: str
    given: object
    allowed: str

    def __str__(self) -> str:
        """Return the line for the user."""
        return f"{self.path}: got {show(self.given)}, allowed: {self.allowed}"


def stack_file(stack: str) -> str:
    """Return the name of the file that holds the settings of `stack`; it is always printable."""
    return f"Pulumi.{stack if re.fullmatch(r'[A-Za-z0-9_.-]{1,100}', stack) else show(stack)}.yaml"


def show(value: object) -> str:
    """Return `value` as it stands in JSON, on one line, shortened when it is long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    text = text.encode("utf-8", "backslashreplace").decode()
    text = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
    return text if len(text) <= MAX_GIVEN else f"{text[: MAX_GIVEN - 3]}..."


def show_path(location: Location) -> str:
    """Return a location as a YAML path: `network.zones[0]`, with unusual keys in quotes."""
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        elif re.fullmatch(r"[A-Za-z0-9_-]{1,60}", part):
            path += f".{part}" if path else part
        else:
            path += f"[{show(part)}]"
    return path or CONFIG_KEY
