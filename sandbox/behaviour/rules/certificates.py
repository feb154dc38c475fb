"""ACM certificates."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.behaviour.model import Failure
from sandbox.behaviour.rules import Case, rule

MAX_NAMES = 10


@rule("aws:acm/certificate:Certificate")
def certificate(case: Case) -> Iterator[Failure]:
    """Check how a requested certificate is validated, and its names."""
    if (
        case.has("domainName")
        and not case.has("certificateAuthorityArn")
        and not case.has("validationMethod")
    ):
        yield Failure(
            "validationMethod", "is required with domainName, unless a private CA issues the certificate"
        )
    names = case.known("subjectAlternativeNames") or []
    if len({*names, case.known("domainName")}) > MAX_NAMES:
        yield Failure("subjectAlternativeNames", f"a certificate takes at most {MAX_NAMES} names")
