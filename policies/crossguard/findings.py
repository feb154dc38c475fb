"""What judging a value can say, apart from nothing, which means that all is well."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from policies.crossguard.values import UndecidedError, View, WrongTypeError


@dataclass(frozen=True)
class Violation:
    """Something is not as it must be."""

    message: str
    """What is where, and what is wanted."""


@dataclass(frozen=True)
class Undecided:
    """The decision needs a value that is known only during `pulumi up`."""

    path: str


Finding = Violation | Undecided
Check = Callable[[View], Iterable[Finding]]
"""Judges a value; it may also raise UndecidedError or WrongTypeError, which end this check alone."""


def judged(check: Check, view: View) -> Iterator[Finding]:
    """Run a check; what it raises about values becomes a finding as well."""
    try:
        yield from check(view)
    except UndecidedError as error:
        yield Undecided(error.path)
    except WrongTypeError as error:
        yield Violation(str(error))
