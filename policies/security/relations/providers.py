"""Account and region: every resource has an explicit provider that works in those of the stack, and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Final

from policies.crossguard.checks import parsed
from policies.crossguard.findings import Finding, Violation, judged
from policies.crossguard.resources import Provider, Stack
from policies.crossguard.rules import About, Relation, Severity, Tier
from policies.crossguard.values import View
from policies.security.relations.image_sources import REFERENCE

STACK: Final = "pulumi:pulumi:Stack"
DEFAULT: Final = "default"
"""How the names of providers begin that Pulumi makes itself, from whatever credentials are there."""
ACCOUNT: Final = re.compile(r"\d{12}")
ARN_PARTS: Final = 6
_ACCOUNT: Final = 4
OF_AWS: Final = frozenset({"", "aws"})
"""Accounts in ARNs that are no account: of what is global, and of what belongs to AWS."""


def _guarded(stack: Stack) -> Iterator[About]:
    providers = {
        each.provider.urn: each.provider
        for each in stack.resources
        if each.provider is not None and each.type.startswith("aws:")
    }
    for provider in providers.values():
        for finding in judged(partial(_provider, stack, provider), provider.props):
            yield About(provider.urn, finding)
    for resource in stack.resources:
        if resource.provider is not None and resource.provider.urn in providers:
            for finding in judged(partial(_place, resource.provider), resource.props):
                yield About(resource.urn, finding)


def _provider(stack: Stack, provider: Provider, _: View) -> Iterator[Finding]:
    if provider.name.startswith(DEFAULT):
        yield Violation("it is the default provider, want one that names account and region")
        return
    yield from judged(partial(_one_account, stack), provider.props)
    yield from judged(partial(_one_region, stack), provider.props)


def _accounts(provider: View) -> list[View]:
    allowed = provider["allowedAccountIds"]
    return [] if allowed.absent else [*parsed(allowed).items()]


def _one_account(stack: Stack, provider: View) -> Iterator[Finding]:
    accounts = _accounts(provider)
    if len(accounts) != 1 or not ACCOUNT.fullmatch(accounts[0].text()):
        shown = ", ".join(each.shown() for each in accounts) or "not set"
        yield Violation(f"allowedAccountIds is {shown}, want the one account of the stack")
        return
    yield from _as_declared(stack, "accountId", accounts[0])


def _one_region(stack: Stack, provider: View) -> Iterator[Finding]:
    region = provider["region"]
    if region.empty:
        yield Violation("region is not set, so it depends on where the program runs")
        return
    yield from _as_declared(stack, "region", region)


def _as_declared(stack: Stack, name: str, value: View) -> Iterator[Finding]:
    """Compare with what the stack exports, and the stacks of the same account that it refers to."""
    for place in (
        *(each.props for each in stack.of(STACK)),
        *(each.props["outputs"] for each in stack.of(REFERENCE)),
    ):
        declared = place[name]
        if not declared.absent and declared.text() != value.text():
            yield Violation(
                f"{value.path} is {value.shown()}, but {declared.path} of the stack is {declared.shown()}"
            )


def _place(provider: Provider, resource: View) -> Iterator[Finding]:
    """Judge where a resource is by its provider's region and account; what is not known there is another finding."""
    if provider.name.startswith(DEFAULT):
        return
    own, region = resource["region"], provider.props["region"]
    if not own.empty and not region.unknown and own.text() != region.text():
        yield Violation(f"{own.path} is {own.shown()}, want {region.shown()}, that of the stack")
    if not resource["arn"].unknown:
        yield from _in_account(resource["arn"], provider)


def _in_account(arn: View, provider: Provider) -> Iterator[Finding]:
    parts = arn.text().split(":", ARN_PARTS - 1)
    allowed = {each.text() for each in _accounts(provider.props)}
    if len(parts) == ARN_PARTS and allowed and parts[_ACCOUNT] not in allowed | OF_AWS:
        yield Violation(f"{arn.path} is of account {parts[_ACCOUNT]}, want {' or '.join(sorted(allowed))}")


RELATIONS: Final = (
    Relation(
        name="provider-guarded",
        why="With other credentials, the same program changes another account.",
        fix="Pass a provider with `region` and one id in `allowedAccountIds`, those that the stack exports.",
        severity=Severity.CRITICAL,
        tier=Tier.EVERYWHERE,
        controls=("R13",),
        implies=frozenset({"container-image-own-account", "s3-listed-accounts"}),
        check=_guarded,
    ),
)
