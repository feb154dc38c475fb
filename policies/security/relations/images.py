"""Images of containers and the account that they run in."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from policies.crossguard.checks import parsed
from policies.crossguard.findings import Check, Finding, Violation
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.rules import Relation, Severity, Tier
from policies.crossguard.values import View
from policies.security.references import each_of
from policies.security.rules.containers import TASK_DEFINITION, containers

REGISTRY_ACCOUNT: Final = re.compile(r"(\d{12})\.dkr[.-]ecr")


def _of_one_of(accounts: Collection[str]) -> Check:
    def check(container: View) -> Iterator[Finding]:
        image = container["image"]
        found = REGISTRY_ACCOUNT.match(image.text())
        # Any other registry is refused without asking whose it is.
        if found and found[1] not in accounts:
            yield Violation(f"{image.path} is {image.shown()}, want a registry of {' or '.join(accounts)}")

    return containers(check)


def _own_registry(_: Stack, definition: Resource) -> Iterable[Finding]:
    if definition.provider is None:
        return ()
    # The engine hands on lists of a provider as JSON.
    allowed = definition.provider.props["allowedAccountIds"]
    accounts = [] if allowed.absent else [each.text() for each in parsed(allowed).items()]
    # That a provider names its accounts is a demand on the provider.
    return _of_one_of(accounts)(definition.props) if accounts else ()


RELATIONS: Final = (
    Relation(
        name="container-image-own-account",
        why="Who owns the other account decides what is in the image.",
        fix="Copy the image into the registry of the account that the stack is in.",
        severity=Severity.HIGH,
        tier=Tier.PROD,
        controls=("12",),
        implies=frozenset({"image-of-scanned-repository"}),
        check=each_of(_own_registry, TASK_DEFINITION),
    ),
)
