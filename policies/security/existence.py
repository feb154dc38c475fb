"""Something that has to exist: one of several things must be as wanted, no matter which."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policies.crossguard.findings import Check, Finding, Undecided, Violation, judged
from policies.crossguard.values import View


def one_is_good(message: str, outcomes: Iterable[Iterable[Finding]]) -> Iterator[Finding]:
    """Yield nothing when nothing is wrong with one of several; undecided, when one of them may still turn out good.

    Args:
        message: What is wrong when none is good.
        outcomes: What judging each of them said.

    """
    might_be: Finding | None = None
    for outcome in outcomes:
        findings = list(outcome)
        if not findings:
            return
        if all(isinstance(finding, Undecided) for finding in findings):
            might_be = might_be or findings[0]
    yield might_be or Violation(message)


def exists(message: str, *checks: Check) -> Check:
    """Return a check that is content when one of several is; it says `message` for all of them."""

    def check(view: View) -> Iterator[Finding]:
        yield from one_is_good(message, (judged(each, view) for each in checks))

    return check


def one_item(message: str, items: Iterable[View], check: Check) -> Iterator[Finding]:
    """Yield what is wrong when a check is content with no item."""
    yield from one_is_good(message, (judged(check, item) for item in items))
