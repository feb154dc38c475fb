"""Cases of the rules about names and certificates."""

from __future__ import annotations

from typing import Any, Final

from policies.security.rules.dns import CERTIFICATE, SIGNING
from tests.policies.cases import Case, Change

GOOD: Final[dict[str, Any]] = {
    "domainName": "airflow.example.com",
    "subjectAlternativeNames": ["flower.example.com"],
    "keyAlgorithm": "EC_prime256v1",
    "validationMethod": "DNS",
}
NAMES: Final = "subjectAlternativeNames"


def _case(rule: str, *changes: Change) -> Case:
    return Case(rule=rule, type=CERTIFICATE, good=GOOD, changes=changes)


CASES: Final = (
    _case("acm-key-strength", Change(path="keyAlgorithm", bad="RSA_1024", absent=False)),
    _case(
        "acm-renewed",
        Change(path="validationMethod", bad="EMAIL"),
        Change(path="certificateBody", bad="-----BEGIN CERTIFICATE-----", absent=False),
        Change(path="privateKey", bad="-----BEGIN EC PRIVATE KEY-----", absent=False),
        Change(path="privateKeyWo", bad="-----BEGIN EC PRIVATE KEY-----", absent=False),
    ),
    _case(
        "acm-no-wildcard",
        Change(path="domainName", bad="*.example.com", absent=False),
        Change(path=f"{NAMES}[0]", bad="*.example.com", absent=False),
    ),
    Case(
        rule="route53-signs",
        type=SIGNING,
        good={"hostedZoneId": "Z1", "signingStatus": "SIGNING"},
        changes=(Change(path="signingStatus", bad="NOT_SIGNING", absent=False),),
    ),
)
