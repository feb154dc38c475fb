"""Alarms."""

from __future__ import annotations

from collections.abc import Iterator

from settings.errors import Mistake
from settings.rules.base import Rule, environments_only
from settings.stacks import EnvironmentSettings


@environments_only
def alarm_addresses_are_distinct(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """No address of observability.alarmEmails is listed twice, in whatever case."""
    folded = [address.lower() for address in settings.observability.alarm_emails]
    twice = sorted({address for address in folded if folded.count(address) > 1})
    if twice:
        yield Mistake("observability.alarmEmails", twice, "each address once")


RULES: tuple[Rule, ...] = (alarm_addresses_are_distinct,)
