"""What the arguments of a Pulumi command say, as far as the sandbox must know it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

WITH_VALUE: Final = frozenset(
    {
        "--color", "--config", "--config-file", "--cwd", "--memprofilerate", "--message", "--otel-traces",
        "--parallel", "--plan", "--policy-pack", "--policy-pack-config", "--profiling", "--replace", "--save-plan",
        "--stack", "--target", "--target-replace", "--tracing", "--verbose", "-C", "-c", "-m", "-p", "-s", "-t", "-v",
    }
)  # fmt: skip
"""The flags of the CLI whose value may be the next word."""
ELSEWHERE: Final = {"-C": "--project", "--cwd": "--project", "--config-file": "--project"}
"""Flags that would lead the CLI out of the sandbox's folder, to tracked files, and what to use instead."""
ALIASES: Final = {"pre": "preview", "update": "up", "down": "destroy", "dn": "destroy"}


class ArgumentsError(ValueError):
    """Arguments that the sandbox refuses."""


@dataclass(frozen=True)
class Arguments:
    """One Pulumi command: its name without aliases, and the flags by name; a switch has the value "true"."""

    command: str
    flags: dict[str, str]

    @property
    def stack(self) -> str | None:
        """The stack that is named, without organisation and project."""
        named = self.flags.get("--stack") or self.flags.get("-s")
        return named.rsplit("/", 1)[-1] if named else None

    def has(self, *names: str) -> bool:
        """Say whether one of the flags is given, and not switched off."""
        return any(self.flags.get(name, "false") != "false" for name in names)


def parse(words: Sequence[str]) -> Arguments:
    """Read a Pulumi command's arguments.

    Raises:
        ArgumentsError: A flag leads out of the sandbox.

    """
    flags = dict(_flags(words))
    for flag, instead in ELSEWHERE.items():
        if flag in flags:
            raise ArgumentsError(
                f"pulumi {flag} would leave the sandbox's copies; use `sandbox {instead} DIR pulumi ...`"
            )
    command = flags.pop("", "")
    return Arguments(ALIASES.get(command, command), flags)


def _flags(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield (flag, value); the first word that is no flag comes with an empty name."""
    left = list(words)
    found = False
    while left:
        word = left.pop(0)
        if not word.startswith("-") or word == "-":
            if not found:
                found = True
                yield "", word
        elif "=" in word:
            name, _, value = word.partition("=")
            yield name, value
        elif not word.startswith("--") and len(word) > 2 and word[:2] in WITH_VALUE:
            yield word[:2], word[2:]
        elif word in WITH_VALUE and left:
            yield word, left.pop(0)
        else:
            yield word, "true"
