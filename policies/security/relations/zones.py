"""Zones and what they must have, records and where they lead to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from ipaddress import ip_address
from typing import Final

from policies.crossguard.findings import Finding, Violation, judged
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.rules import About, Relation, Severity, Tier
from policies.crossguard.values import UndecidedError, View, WrongTypeError
from policies.security.existence import exists
from policies.security.links import is_meant
from policies.security.references import each_of, given
from policies.security.rules.dns import SIGNING

ZONE: Final = "aws:route53/zone:Zone"
RECORD: Final = "aws:route53/record:Record"
QUERY_LOG: Final = "aws:route53/queryLog:QueryLog"
NAMES: Final = (
    "bucketRegionalDomainName",
    "cloudfrontDomainName",
    "cname",
    "dnsName",
    "domainName",
    "fqdn",
    "regionalDomainName",
    "websiteDomain",
)
"""Properties in which a resource has a name that an alias may lead to."""
ADDRESSES: Final = ("publicIp", "ipAddress")


def _public_has(kind: str, place: str, what: str) -> Callable[[Stack], Iterator[About]]:
    """Return the check of a relation that each public zone has something; one of VPCs needs none."""

    def judge(stack: Stack, zone: Resource) -> Iterator[Finding]:
        if given(zone, "vpcs").empty:
            found = (is_meant(stack, each, place, zone) for each in stack.of(kind))
            yield from exists(f"{zone.name} is public and has no {what}", *found)(zone.props)

    return each_of(judge, ZONE)


def _leads_somewhere(stack: Stack, record: Resource) -> Iterator[Finding]:
    """Judge a record by what its target was made of, also in another stack; else by the names that are known."""
    if not stack.behind(record, "aliases"):
        for alias in record.props["aliases"].items():
            yield from judged(partial(_is_name_of, stack), alias["name"])
    if not stack.behind(record, "records") and record.props["type"].text() in ("A", "AAAA"):
        for address in record.props["records"].items():
            yield from judged(partial(_is_address_of, stack), address)


def _is_name_of(stack: Stack, alias: View) -> Iterator[Finding]:
    name = _bare(alias.text())
    if not _is_known(stack, NAMES, alias, lambda other: _bare(other) == name):
        yield Violation(f"{alias.path} is {alias.shown()}, want the name of something in the stack")


def _is_address_of(stack: Stack, address: View) -> Iterator[Finding]:
    """Judge a public address; who has a private one next is somebody inside of the network."""
    text = address.text()
    try:
        public = ip_address(text).is_global
    except ValueError as error:
        raise WrongTypeError(address, "an address") from error
    if public and not _is_known(stack, ADDRESSES, address, lambda other: other == text):
        yield Violation(f"{address.path} is {address.shown()}, want an address of something in the stack")


def _is_known(stack: Stack, places: tuple[str, ...], target: View, test: Callable[[str], bool]) -> bool:
    """Say whether something in the stack has a name or an address; undecided while some are not known."""
    values = [resource.props[place] for resource in stack.resources for place in places]
    found = any(
        test(value.text()) for value in values if not value.unknown and isinstance(value.known(), str)
    )
    if not found and any(value.unknown for value in values):
        raise UndecidedError(target.path)
    return found


def _bare(name: str) -> str:
    return name.lower().removesuffix(".").removeprefix("dualstack.")


RELATIONS: Final = (
    Relation(
        name="route53-has-query-log",
        why="Nobody can tell later which names were asked for, such as those that malware makes up.",
        fix="Add a QueryLog with the `zoneId` of the zone.",
        severity=Severity.MEDIUM,
        tier=Tier.NOWHERE,
        controls=("67",),
        references=("Route53.2", "CKV2_AWS_39"),
        check=_public_has(QUERY_LOG, "zoneId", "query log"),
    ),
    Relation(
        name="route53-has-dnssec",
        why="Without signatures, whoever answers first answers for the zone.",
        fix="Add a HostedZoneDnsSec with the `hostedZoneId` of the zone.",
        severity=Severity.MEDIUM,
        tier=Tier.NOWHERE,
        controls=("67",),
        references=("CKV2_AWS_38",),
        check=_public_has(SIGNING, "hostedZoneId", "DNSSEC"),
    ),
    Relation(
        name="route53-leads-somewhere",
        why="Who gets the name or the address that is left over answers for ours.",
        fix="Make the record of what it leads to, or remove it.",
        severity=Severity.MEDIUM,
        tier=Tier.NOWHERE,
        controls=("67",),
        references=("CKV2_AWS_23", "route53_dangling_ip_subdomain_takeover"),
        check=each_of(_leads_somewhere, RECORD),
    ),
)
