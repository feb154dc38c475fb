"""Checks to build rules of: each looks at the properties of a resource, or of a part of one.

Absent values are judged like AWS does, by its default, where one is named; else something that is wanted and absent is
a violation. What is not known yet is never taken for anything: it makes that check undecided, and only that one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from policies.crossguard.findings import Check, Finding, Undecided, Violation, judged
from policies.crossguard.values import View, WrongTypeError


def all_of(*checks: Check) -> Check:
    """Return a check that makes each of several, also after one that was undecided."""

    def check(view: View) -> Iterator[Finding]:
        for part in checks:
            yield from judged(part, view)

    return check


def any_of(*checks: Check) -> Check:
    """Return a check that is content when one of several is; undecided, when one of them might still be."""

    def check(view: View) -> Iterator[Finding]:
        outcomes = [list(judged(part, view)) for part in checks]
        if all(outcomes):
            undecided = [
                outcome for outcome in outcomes if all(isinstance(one, Undecided) for one in outcome)
            ]
            if undecided:
                yield undecided[0][0]
            else:
                messages = [one.message for each in outcomes for one in each if isinstance(one, Violation)]
                yield Violation("; and ".join(messages))

    return check


def each(path: str, *checks: Check) -> Check:
    """Return a check of every item of a list; nothing is wrong with an absent list."""
    every = all_of(*checks)

    def check(view: View) -> Iterator[Finding]:
        for item in view.at(path).items():
            yield from judged(every, item)

    return check


def when(condition: Callable[[View], bool], *checks: Check) -> Check:
    """Return a check that is made only where a condition holds; it is undecided where the condition is."""
    every = all_of(*checks)

    def check(view: View) -> Iterable[Finding]:
        return every(view) if condition(view) else ()

    return check


def wanted(path: str, want: str, test: Callable[[View], bool]) -> Check:
    """Return a check of one value.

    Args:
        path: Where it is, as in `rootDirectory.path`.
        want: What is wanted, in words, for the message.
        test: Whether the value, maybe absent, is as wanted.

    """

    def check(view: View) -> Iterator[Finding]:
        value = view.at(path)
        if not test(value):
            yield Violation(f"{value.path} is {value.shown()}, want {want}")

    return check


def is_true(path: str, *, default: bool = False) -> Check:
    """Return a check that a value is true; `default` is what AWS takes when it is absent."""
    return wanted(path, "true", lambda value: value.flag(default=default))


def is_false(path: str, *, default: bool = False) -> Check:
    """Return a check that a value is false; `default` is what AWS takes when it is absent."""
    return wanted(path, "false", lambda value: not value.flag(default=default))


def is_set(path: str, want: str = "a value") -> Check:
    """Return a check that something is there: no empty text, list or object."""
    return wanted(path, want, lambda value: not value.empty)


def is_absent(path: str) -> Check:
    """Return a check that nothing is there."""
    return wanted(path, "nothing", lambda value: value.empty)


def one_of(path: str, allowed: Collection[str], *, default: str = "") -> Check:
    """Return a check that a text is one of several; `default` is what AWS takes when it is absent."""
    names = sorted(allowed)
    want = names[0] if len(names) == 1 else f"one of {', '.join(names)}"
    return wanted(path, want, lambda value: value.text(default) in allowed)


def none_of(path: str, refused: Collection[str], *, default: str = "") -> Check:
    """Return a check that a text is none of several, in any case of letters."""
    lower = {name.lower() for name in refused}
    want = f"anything but {', '.join(sorted(refused))}"
    return wanted(path, want, lambda value: value.text(default).lower() not in lower)


def at_least(path: str, low: float, *, default: float = 0) -> Check:
    """Return a check that a number is not too small; `default` is what AWS takes when it is absent."""
    return wanted(path, f"at least {low:g}", lambda value: value.number(default) >= low)


def at_most(path: str, high: float, *, default: float) -> Check:
    """Return a check that a number is not too large; `default` is what AWS takes when it is absent."""
    return wanted(path, f"at most {high:g}", lambda value: value.number(default) <= high)


def holds(path: str, items: Collection[str]) -> Check:
    """Return a check that a list of texts has certain items."""

    def check(view: View) -> Iterator[Finding]:
        there = view.at(path)
        missing = sorted(set(items) - {item.text() for item in there.items()})
        if missing:
            yield Violation(f"{there.path} lacks {', '.join(missing)}")

    return check


def matches(path: str, pattern: str, want: str) -> Check:
    """Return a check that the whole of a text has a form; `want` says it in words."""
    form = re.compile(pattern)
    return wanted(path, want, lambda value: form.fullmatch(value.text()) is not None)


def parsed(view: View) -> View:
    """Return what a JSON text says; a value that was given as data is returned as it is.

    Raises:
        UndecidedError: Not known yet.
        WrongTypeError: Not JSON, or a name is there twice: readers differ in which one they take.

    """
    value: Any = view.known()
    if not isinstance(value, str):
        return view
    try:
        found = json.loads(value, object_pairs_hook=_each_once)
    except ValueError as error:
        raise WrongTypeError(view, "JSON with every name once") from error
    return View.of(found, view.path, secret=view.secret)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is there twice")
    return found
