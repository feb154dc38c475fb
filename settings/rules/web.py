"""Web entry."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network

from settings.errors import Mistake
from settings.network import PRIVATE_RANGES
from settings.rules.base import Rule, environments_only
from settings.stacks import EnvironmentSettings
from settings.web import WebAccess

INTERNAL_RANGES = (*PRIVATE_RANGES, IPv4Network("100.64.0.0/10"))
"""Addresses that never come from the internet: the private ranges, and the shared one that some VPNs use."""
WIDEST_PUBLIC = 8
"""Nobody owns more of the internet than a /8: what is wider lets strangers in, 0.0.0.0/0 all of them."""


@environments_only
def allowed_ranges_are_distinct(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """No range of web.allowedCidrs is listed twice."""
    ranges = settings.web.allowed_cidrs
    twice = sorted({str(cidr) for cidr in ranges if ranges.count(cidr) > 1})
    if twice:
        yield Mistake("web.allowedCidrs", twice, "each range once")


@environments_only
def internal_access_is_for_private_ranges(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """With internal access, every allowed range is a private one, or of 100.64.0.0/10."""
    if settings.web.access is not WebAccess.INTERNAL:
        return
    for index, cidr in enumerate(settings.web.allowed_cidrs):
        if not any(cidr.subnet_of(internal) for internal in INTERNAL_RANGES):
            wanted = ", ".join(map(str, INTERNAL_RANGES))
            yield Mistake(
                f"web.allowedCidrs[{index}]", str(cidr), f"with access internal ranges within {wanted}"
            )


@environments_only
def internet_access_is_for_known_ranges(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """With internet access, in every environment, each allowed range is public and not wider than a /8."""
    if settings.web.access is not WebAccess.INTERNET:
        return
    for index, cidr in enumerate(settings.web.allowed_cidrs):
        if cidr.prefixlen < WIDEST_PUBLIC or any(cidr.overlaps(internal) for internal in INTERNAL_RANGES):
            yield Mistake(
                f"web.allowedCidrs[{index}]",
                str(cidr),
                f"with access internet known public ranges, /{WIDEST_PUBLIC} or narrower",
            )


RULES: tuple[Rule, ...] = (
    allowed_ranges_are_distinct,
    internal_access_is_for_private_ranges,
    internet_access_is_for_known_ranges,
)
