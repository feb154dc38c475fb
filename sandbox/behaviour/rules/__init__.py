"""Rules per resource type that the schema does not know: what the provider's plan step or AWS itself refuses.

A rule is a generator of failures, registered by `@rule(token, ...)`. It runs only on inputs without schema failures, so
types are as declared; any part can still be UNKNOWN.
"""

from __future__ import annotations

import importlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sandbox.behaviour.model import Failure, Properties, Session
from sandbox.behaviour.values import UNKNOWN

MODULES: Final = (
    "alarms", "backup", "certificates", "databases", "dns", "dynamodb", "ec2", "ecr", "ecs_service", "ecs_task", "efs",
    "elasticache", "events", "iam", "kms", "lambda_", "load_balancer", "logs", "messaging", "policies", "s3",
    "scaling", "secrets", "security_groups", "vpc_endpoint", "waf",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One resource under check: its completed inputs, what the program itself gave, and who asks."""

    token: str
    name: str
    inputs: Properties
    given: Properties
    session: Session

    def known(self, key: str, default: Any = None) -> Any:
        """Return an input, or the default when it is absent or UNKNOWN."""
        value = self.inputs.get(key, default)
        return default if value is UNKNOWN else value

    def has(self, key: str) -> bool:
        """Say whether an input is given or will be; UNKNOWN counts."""
        return self.inputs.get(key) is not None

    @property
    def region(self) -> str:
        """The region of the resource."""
        return str(self.known("region", self.session.region))


Rule = Callable[[Case], Iterable[Failure]]

_RULES: Final[dict[str, list[Rule]]] = defaultdict(list)


def rule(*tokens: str) -> Callable[[Rule], Rule]:
    """Register a rule for Pulumi types."""

    def register(function: Rule) -> Rule:
        for token in tokens:
            _RULES[token].append(function)
        return function

    return register


@cache
def _loaded() -> dict[str, list[Rule]]:
    for module in MODULES:
        importlib.import_module(f"{__name__}.{module}")
    return _RULES


def rule_failures(case: Case) -> Iterator[Failure]:
    """Yield what the rules of the resource's type refuse."""
    for check in _loaded().get(case.token, ()):
        yield from check(case)


def known(value: Any, key: str, default: Any = None) -> Any:
    """Return a property of a nested object, or the default when it, or the object, is absent or UNKNOWN."""
    found = value.get(key, default) if isinstance(value, dict) else default
    return default if found is UNKNOWN else found


def objects(value: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Iterate over the known objects of a list with their paths."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, dict):
                yield f"{path}[{index}]", item
