"""Rules between settings, each a pure function; they run when every single field is right.

The first line of a rule's docstring is its entry in the documentation, the first line of a module's is the
heading above it.
"""

from __future__ import annotations

from settings.errors import Mistake
from settings.rules import dags, data, network, observability, prod, services, stack, tags, web, workers
from settings.rules.base import Rule
from settings.stacks import Settings

MODULES = (stack, network, web, data, dags, services, workers, observability, prod, tags)
RULES: tuple[Rule, ...] = tuple(rule for module in MODULES for rule in module.RULES)

__all__ = ["MODULES", "RULES", "Rule", "broken_rules"]


def broken_rules(settings: Settings, stack: str) -> list[Mistake]:
    """Return what all rules find in the settings of `stack`, in the order of the rules."""
    return [mistake for rule in RULES for mistake in rule(settings, stack)]
