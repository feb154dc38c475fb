"""What a rule is, and to which stacks it applies."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

from settings.account import AccountClass
from settings.errors import Mistake
from settings.stacks import EnvironmentSettings, Settings

ACCESS_LOG_DAYS = 365  # in the prod account: a break-in is often found only after months

Rule = Callable[[Settings, str], Iterator[Mistake]]
"""A pure function of the settings and the name of the stack; its docstring's first line goes to the page."""
EnvironmentRule = Callable[[EnvironmentSettings, str], Iterator[Mistake]]


def environments_only(rule: EnvironmentRule) -> Rule:
    """Make a rule for environments pass shared stacks."""

    @functools.wraps(rule)
    def applied(settings: Settings, stack: str) -> Iterator[Mistake]:
        if isinstance(settings, EnvironmentSettings):
            yield from rule(settings, stack)

    return applied


def prod_account_only(rule: EnvironmentRule) -> Rule:
    """Make a rule for preprod and prod pass all other stacks."""

    @functools.wraps(rule)
    def applied(settings: EnvironmentSettings, stack: str) -> Iterator[Mistake]:
        if settings.environment.account_class is AccountClass.PROD:
            yield from rule(settings, stack)

    return environments_only(applied)
