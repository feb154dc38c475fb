"""Where images come from: a repository whose images are scanned, by the digest of the one that was.

A program tells that much: the repository is of this stack, or of one that it refers to, where a rule wants scanning on
push. Whether the digest is there, and what the scan found, only the registry tells.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from policies.crossguard.checks import parsed
from policies.crossguard.findings import Finding, Undecided, Violation, judged
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.rules import Relation, Severity, Tier
from policies.crossguard.values import View
from policies.security.references import each_of
from policies.security.rules.containers import TASK_DEFINITION
from policies.security.rules.registries import REPOSITORY

REFERENCE: Final = "pulumi:pulumi:StackReference"


def _judged(stack: Stack, definition: Resource) -> Iterator[Finding]:
    for container in parsed(definition.props["containerDefinitions"]).items():
        yield from judged(partial(_source, stack), container["image"])


def _source(stack: Stack, image: View) -> Iterator[Finding]:
    repository, _, _ = image.text().partition("@")
    repository = repository if ":" not in repository.rpartition("/")[2] else repository.rpartition(":")[0]
    known = [*_repositories(stack)]
    if any(each.text() == repository for each in known if not each.unknown):
        return
    # An engine does not show the stacks that a program refers to; an exported state does.
    if any(each.unknown for each in known) or not any(stack.of(REFERENCE)):
        yield Undecided(image.path)
    else:
        yield Violation(
            f"{image.path} is {image.shown()}, want an image of a repository of this stack, or of one that it refers to"
        )


def _repositories(stack: Stack) -> Iterator[View]:
    """Iterate over the addresses of repositories that are scanned: some of the outputs of other stacks are such."""
    for repository in stack.of(REPOSITORY):
        yield repository.props["repositoryUrl"]
    for reference in stack.of(REFERENCE):
        outputs = reference.props["outputs"]
        if outputs.unknown:
            yield outputs
        else:
            yield from (
                value for _, value in outputs.entries() if value.unknown or isinstance(value.known(), str)
            )


RELATIONS: Final = (
    Relation(
        name="image-of-scanned-repository",
        why="An image from elsewhere may have never been scanned, and nobody is told of its holes.",
        fix="Take images from the repository of the account's shared stack, by digest.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("R11",),
        check=each_of(_judged, TASK_DEFINITION),
    ),
)
