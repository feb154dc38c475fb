"""Names of the platform and the certificates that prove them.

What a zone has beside itself, and where its names lead to, are relations.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.crossguard.checks import one_of
from policies.crossguard.findings import Finding, Violation, judged
from policies.crossguard.rules import Rule, Severity, Tier
from policies.crossguard.values import View

CERTIFICATE: Final = "aws:acm/certificate:Certificate"
SIGNING: Final = "aws:route53/hostedZoneDnsSec:HostedZoneDnsSec"

STRONG_KEYS: Final = frozenset(
    {"RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"}
)
IMPORTED: Final = ("privateKey", "privateKeyWo", "certificateBody")
"""What only a certificate has that somebody else issued."""


def _renewed(certificate: View) -> Iterator[Finding]:
    """ACM renews what it issued itself, as long as it can prove the name alone; a private CA asks for no proof."""
    imported = [name for name in IMPORTED if not certificate[name].empty]
    if imported:
        yield Violation(f"{imported[0]} is set, want a certificate that ACM issues: it renews no other")
    elif certificate["certificateAuthorityArn"].absent:
        yield from one_of("validationMethod", {"DNS", "HTTP"})(certificate)


def _no_wildcard(certificate: View) -> Iterator[Finding]:
    yield from judged(_is_one_name, certificate["domainName"])
    for name in certificate["subjectAlternativeNames"].items():
        yield from judged(_is_one_name, name)


def _is_one_name(name: View) -> Iterator[Finding]:
    if "*" in name.text():
        yield Violation(f"{name.path} is {name.shown()}, want a name without *")


RULES: Final = (
    Rule(
        name="acm-key-strength",
        why="Who finds the private key of a short public one can pose as the platform.",
        fix="Set `keyAlgorithm` to RSA of 2048 bits or more, or to an elliptic curve.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("66",),
        references=("ACM.2",),
        on=(CERTIFICATE,),
        check=one_of("keyAlgorithm", STRONG_KEYS, default="RSA_2048"),
    ),
    Rule(
        name="acm-renewed",
        why="A certificate that somebody has to renew by hand ends one day, and everything behind it with it.",
        fix="Let ACM issue it, with the `validationMethod` DNS.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("66",),
        references=("ACM.1",),
        on=(CERTIFICATE,),
        check=_renewed,
    ),
    Rule(
        name="acm-no-wildcard",
        why="Who has the key of one host can pose as every other one of the domain.",
        fix="List the names, or record an exception with the reason.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("66",),
        references=("CKV2_AWS_71",),
        on=(CERTIFICATE,),
        check=_no_wildcard,
    ),
    Rule(
        name="route53-signs",
        why="A zone that is prepared to sign and does not is answered for by whoever answers first.",
        fix="Set `signingStatus` to SIGNING.",
        severity=Severity.MEDIUM,
        tier=Tier.NOWHERE,
        controls=("67",),
        references=("CKV2_AWS_38",),
        on=(SIGNING,),
        check=one_of("signingStatus", {"SIGNING"}, default="SIGNING"),
    ),
)
