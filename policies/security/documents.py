"""Policy documents of IAM, of roles as well as of buckets, keys and others: JSON texts or data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from policies.crossguard.checks import all_of, is_absent, parsed, when
from policies.crossguard.findings import Check, Finding, Violation, judged
from policies.crossguard.values import UndecidedError, View, WrongTypeError

KINDS: Final = ("AWS", "Service", "Federated", "CanonicalUser")
"""Of principals."""


@dataclass(frozen=True)
class Statement:
    """One statement; IAM lets a single value stand for a list of one."""

    view: View

    @property
    def allows(self) -> bool:
        """Whether it grants; anything but Deny counts as granting."""
        return self.view["Effect"].text().lower() != "deny"

    @property
    def actions(self) -> list[str]:
        """The actions in lower case, as IAM compares them."""
        return [action.lower() for action in _texts(self.view["Action"])]

    @property
    def resources(self) -> list[str]:
        """The resources."""
        return _texts(self.view["Resource"])

    @property
    def inverted(self) -> list[str]:
        """The elements that name everything but what they list."""
        return [name for name in ("NotAction", "NotResource", "NotPrincipal") if not self.view[name].absent]

    @property
    def principals(self) -> list[tuple[str, str]]:
        """The principals with their kind: AWS, Service, Federated or CanonicalUser; `*` alone is AWS's."""
        return [(kind, principal.text()) for kind, principal in self.each_principal()]

    def each(self, element: str) -> Iterator[View]:
        """Iterate over the values of an element such as Action, so that each can be judged for itself."""
        return values(self.view[element])

    def each_principal(self) -> Iterator[tuple[str, View]]:
        """Iterate over the principals with their kind, so that each can be judged for itself.

        Raises:
            UndecidedError: Not even the kinds are known.
            WrongTypeError: A kind is none.

        """
        principal = self.view["Principal"]
        if principal.absent or isinstance(principal.known(), str):
            yield from (("AWS", each) for each in values(principal))
            return
        for kind, named in principal.entries():
            if kind not in KINDS:
                raise WrongTypeError(principal, f"principals by {', '.join(KINDS)}")
            yield from ((kind, each) for each in values(named))

    def conditions(self) -> Iterator[tuple[str, str, list[str]]]:
        """Iterate over the conditions: operator, key in lower case as IAM compares it, values."""
        for operator, key, value in self._conditions():
            yield operator, key, _texts(value)

    def condition(self, key: str, *operators: str) -> list[str]:
        """Return the values that a key is compared with by one of the operators, or by any."""
        wanted = {operator.lower() for operator in operators}
        return [
            text
            for operator, name, value in self._conditions()
            if name == key.lower() and (not wanted or operator.lower() in wanted)
            for text in _texts(value)
        ]

    def _conditions(self) -> Iterator[tuple[str, str, View]]:
        for operator, keys in self.view["Condition"].entries():
            for key, value in keys.entries():
                yield operator, key.lower(), value

    def grants(self, action: str) -> bool:
        """Say whether it allows an action, in full or by a pattern.

        Raises:
            UndecidedError: No known action is it, and not all of them are known.

        """
        if not self.allows:
            return False
        if not self.view["NotAction"].absent:
            return not _any_like(self.each("NotAction"), action)
        return _any_like(self.each("Action"), action)


def values(view: View) -> Iterator[View]:
    """Iterate over what IAM lets stand alone or in a list; one that is not known is still one."""
    if view.absent:
        return
    if not view.unknown and isinstance(view.known(), list | tuple):
        yield from view.items()
    else:
        yield view


@lru_cache(maxsize=4096)
def like(text: str, pattern: str) -> bool:
    """Say whether a text matches a pattern of IAM, where `*` is any text and `?` any character."""
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, text, re.DOTALL) is not None


def has_wildcard(text: str) -> bool:
    """Say whether IAM takes a text for a pattern."""
    return "*" in text or "?" in text


def statements(document: View) -> Iterator[Statement]:
    """Iterate over the statements of a document; an absent one has none.

    Raises:
        UndecidedError: The document is not known yet.
        WrongTypeError: It is none.

    """
    found = parsed(document)["Statement"]
    if isinstance(found.known(), dict):
        yield Statement(found)
        return
    for item in found.items():
        yield Statement(item)


def each_statement(path: str, *checks: Check) -> Check:
    """Return a check of every statement of the document at a path."""
    every = all_of(*checks)

    def check(view: View) -> Iterator[Finding]:
        for statement in statements(view.at(path)):
            yield from judged(every, statement.view)

    return check


def each_grant(path: str, *checks: Check) -> Check:
    """Return a check of every statement that grants something, of the document at a path."""
    return each_statement(path, when(lambda view: Statement(view).allows, *checks))


def each_value(element: str, *checks: Check) -> Check:
    """Return a check of every value of an element of a statement, such as Action."""
    every = all_of(*checks)

    def check(view: View) -> Iterator[Finding]:
        for value in Statement(view).each(element):
            yield from judged(every, value)

    return check


def each_principal(*checks: Check) -> Check:
    """Return a check of every principal of a statement, of whatever kind."""
    every = all_of(*checks)

    def check(view: View) -> Iterator[Finding]:
        for _, principal in Statement(view).each_principal():
            yield from judged(every, principal)

    return check


def _no_wildcard(principal: View) -> Iterator[Finding]:
    if "*" in principal.text():
        yield Violation(f"{principal.path} is {principal.shown()}, want names without *")


names_principals: Final = all_of(is_absent("NotPrincipal"), each_principal(_no_wildcard))
"""Checks that a statement that grants something names to whom: not to everybody, nor to all but some."""


def _any_like(patterns: Iterator[View], action: str) -> bool:
    unknown: View | None = None
    for pattern in patterns:
        if pattern.unknown:
            unknown = pattern
        elif like(action.lower(), pattern.text().lower()):
            return True
    if unknown is not None:
        raise UndecidedError(unknown.path)
    return False


def _texts(view: View) -> list[str]:
    """Return one text or a list of texts; what is true or false, or a number, as IAM writes it."""
    return [_text(each) for each in values(view)]


def _text(view: View) -> str:
    value = view.known()
    if isinstance(value, bool):  # of conditions such as aws:SecureTransport
        return str(value).lower()
    if isinstance(value, int | float):  # of conditions such as aws:MultiFactorAuthAge
        return str(value)
    return view.text()
