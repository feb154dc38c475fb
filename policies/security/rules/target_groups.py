"""Target groups: how a load balancer talks to what is behind it.

Whether targets on Fargate Spot have the time to drain is a relation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.crossguard.checks import is_true, wanted, when
from policies.crossguard.findings import Check, Finding, Violation
from policies.crossguard.rules import Rule, Severity, Tier
from policies.crossguard.values import View

TARGET_GROUP: Final = "aws:lb/targetGroup:TargetGroup"
ENCRYPTED: Final = frozenset({"HTTPS", "TLS", "QUIC", "TCP_QUIC"})
CHECKED_ENCRYPTED: Final = frozenset({"HTTPS"})
WITHOUT_CONNECTION: Final = frozenset({"lambda", "alb"})
"""Kinds of targets to which the group itself opens no connection."""


def _connects(target_group: View) -> bool:
    return target_group["targetType"].text("instance") not in WITHOUT_CONNECTION


def _checks_health(target_group: View) -> bool:
    return not target_group["healthCheck"].empty


def _protocol_is(place: str, allowed: frozenset[str], default: str = "") -> Check:
    names = " or ".join(sorted(allowed))
    return wanted(place, names, lambda value: value.text(default).upper() in allowed)


def _asks(target_group: View) -> Iterator[Finding]:
    """Judge what is asked for; a check by TCP alone asks for nothing."""
    health = target_group["healthCheck"]
    if health["path"].empty and health["protocol"].text("HTTP").upper() != "TCP":
        yield Violation("healthCheck.path is not set, want one that answers only when the target works")


RULES: Final = (
    Rule(
        name="lb-target-tls",
        why="Passwords and sessions are readable inside of the network.",
        fix="Set `protocol` to HTTPS, and give the targets a certificate.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("64",),
        references=("ELB.22", "CKV_AWS_378"),
        on=(TARGET_GROUP,),
        check=when(_connects, _protocol_is("protocol", ENCRYPTED)),
    ),
    Rule(
        name="lb-target-health-check-tls",
        why="A check that speaks no TLS says nothing about the port that does, or it opens one that does not.",
        fix="Set `healthCheck.protocol` to HTTPS.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("64",),
        references=("ELB.21",),
        on=(TARGET_GROUP,),
        check=when(
            _connects,
            when(_checks_health, _protocol_is("healthCheck.protocol", CHECKED_ENCRYPTED, default="HTTP")),
        ),
    ),
    Rule(
        name="lb-target-health-check",
        why="Requests go to targets that cannot answer them.",
        fix="Set `healthCheck` with a path that answers only when the target works.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("65",),
        references=("CKV_AWS_261",),
        on=(TARGET_GROUP,),
        check=when(_connects, is_true("healthCheck.enabled", default=True), _asks),
    ),
)
