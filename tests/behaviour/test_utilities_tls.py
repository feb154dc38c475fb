"""Facts about the tls provider: its keys and certificates are real."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_private_key

from sandbox.behaviour import utilities
from sandbox.behaviour.model import AwsError, Created, Properties
from sandbox.behaviour.schema import facts_of
from tests.behaviour.utility_types import (
    KEY,
    LOCALLY_SIGNED,
    REQUEST,
    SELF_SIGNED,
    elliptic,
    make,
    self_signed,
)


@pytest.mark.parametrize(
    ("inputs", "kind", "size", "header"),
    [
        ({"algorithm": "RSA"}, rsa.RSAPrivateKey, 2048, "RSA PRIVATE KEY"),
        ({"algorithm": "RSA", "rsaBits": 3072}, rsa.RSAPrivateKey, 3072, "RSA PRIVATE KEY"),
        ({"algorithm": "ECDSA"}, ec.EllipticCurvePrivateKey, 224, "EC PRIVATE KEY"),
        ({"algorithm": "ECDSA", "ecdsaCurve": "P521"}, ec.EllipticCurvePrivateKey, 521, "EC PRIVATE KEY"),
        ({"algorithm": "ED25519"}, ed25519.Ed25519PrivateKey, None, "PRIVATE KEY"),
    ],
    ids=["RSA 2048", "RSA 3072", "P224", "P521", "ED25519"],
)
def test_key_is_of_the_kind_asked_for(inputs: Properties, kind: type, size: int | None, header: str) -> None:
    outputs = make(KEY, **inputs).outputs
    key = load_pem_private_key(outputs["privateKeyPem"].encode(), None)
    assert isinstance(key, kind)
    assert getattr(key, "key_size", None) == size
    assert outputs["privateKeyPem"].startswith(f"-----BEGIN {header}-----\n")
    assert outputs["privateKeyPemPkcs8"].startswith("-----BEGIN PRIVATE KEY-----\n")
    assert outputs["publicKeyPem"].startswith("-----BEGIN PUBLIC KEY-----\n")


@pytest.mark.parametrize(
    ("inputs", "start"),
    [
        ({"algorithm": "RSA"}, "ssh-rsa "),
        ({"algorithm": "ECDSA", "ecdsaCurve": "P256"}, "ecdsa-sha2-nistp256 "),
        ({"algorithm": "ED25519"}, "ssh-ed25519 "),
    ],
    ids=["RSA", "P256", "ED25519"],
)
def test_openssh_forms_are_of_the_same_key(inputs: Properties, start: str) -> None:
    outputs = make(KEY, **inputs).outputs
    key = load_pem_private_key(outputs["privateKeyPem"].encode(), None)
    ssh = load_ssh_private_key(outputs["privateKeyOpenssh"].encode(), None)
    assert ssh.public_key() == key.public_key()
    assert outputs["publicKeyOpenssh"].startswith(start)
    assert outputs["publicKeyOpenssh"].endswith("\n")
    assert re.fullmatch(r"([0-9a-f]{2}:){15}[0-9a-f]{2}", outputs["publicKeyFingerprintMd5"])
    assert re.fullmatch(r"SHA256:[A-Za-z0-9+/]{43}", outputs["publicKeyFingerprintSha256"])


def test_default_curve_has_no_openssh_form() -> None:
    outputs = make(KEY, algorithm="ECDSA").outputs
    names = ("privateKeyOpenssh", "publicKeyOpenssh", "publicKeyFingerprintMd5", "publicKeyFingerprintSha256")
    assert [outputs[name] for name in names] == [""] * 4


def test_key_shows_its_defaults_and_its_id_is_a_hash() -> None:
    created = make(KEY, algorithm="ED25519")
    assert (created.outputs["rsaBits"], created.outputs["ecdsaCurve"]) == (2048, "P224")
    assert re.fullmatch(r"[0-9a-f]{40}", created.id)


def parsed(created: Created) -> x509.Certificate:
    return x509.load_pem_x509_certificate(created.outputs["certPem"].encode())


def test_self_signed_certificate_verifies_itself() -> None:
    created = self_signed()
    certificate = parsed(created)
    certificate.verify_directly_issued_by(certificate)
    assert certificate.subject.rfc4514_string() == "CN=ca.example.com,O=Example"
    assert created.id == str(certificate.serial_number)
    assert created.outputs["keyAlgorithm"] == "ECDSA"
    assert created.outputs["readyForRenewal"] is False


def test_validity_is_in_hours() -> None:
    created = self_signed(validityPeriodHours=36)
    certificate = parsed(created)
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc == timedelta(hours=36)
    assert datetime.fromisoformat(created.outputs["validityStartTime"]) == certificate.not_valid_before_utc
    assert datetime.fromisoformat(created.outputs["validityEndTime"]) == certificate.not_valid_after_utc


def test_uses_become_extensions() -> None:
    extensions = parsed(self_signed()).extensions
    usage = extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.key_cert_sign, usage.digital_signature) == (True, False)
    extended = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [oid.dotted_string for oid in extended] == ["1.3.6.1.5.5.7.3.1"]


@pytest.mark.parametrize("use", facts_of(SELF_SIGNED)["properties"]["allowedUses"]["enum"])
def test_every_use_is_known(use: str) -> None:
    extensions = parsed(self_signed(allowedUses=[use])).extensions
    assert (
        len([item for item in extensions if isinstance(item.value, x509.KeyUsage | x509.ExtendedKeyUsage)])
        == 1
    )


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({}, x509.BasicConstraints(ca=False, path_length=None)),
        ({"isCaCertificate": True}, x509.BasicConstraints(ca=True, path_length=None)),
        ({"isCaCertificate": True, "maxPathLength": 0}, x509.BasicConstraints(ca=True, path_length=0)),
    ],
    ids=["leaf", "CA", "CA without intermediates"],
)
def test_basic_constraints(inputs: Properties, expected: x509.BasicConstraints) -> None:
    extensions = parsed(self_signed(**inputs)).extensions
    assert extensions.get_extension_for_class(x509.BasicConstraints).value == expected
    identified = any(isinstance(item.value, x509.SubjectKeyIdentifier) for item in extensions)
    assert identified is bool(inputs)


NAMES: Properties = {"dnsNames": ["a.example.com"], "ipAddresses": ["10.0.0.1"], "uris": ["spiffe://a/b"]}


def alternative_names(extensions: x509.Extensions) -> list[str]:
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(name.value) for name in names]


def test_self_signed_certificate_has_the_alternative_names() -> None:
    expected = ["a.example.com", "10.0.0.1", "spiffe://a/b"]
    assert alternative_names(parsed(self_signed(**NAMES)).extensions) == expected


def locally_signed(**inputs: Any) -> tuple[Created, Created]:
    authority = self_signed(isCaCertificate=True)
    leaf = make(KEY, b"leaf", algorithm="ED25519").outputs
    subject = {"commonName": "leaf"}
    request = make(REQUEST, privateKeyPem=leaf["privateKeyPem"], subject=subject, **NAMES)
    arguments = {
        "caCertPem": authority.outputs["certPem"],
        "caPrivateKeyPem": elliptic()["privateKeyPem"],
        "certRequestPem": request.outputs["certRequestPem"],
        "allowedUses": ["digital_signature"],
        "validityPeriodHours": 1,
    }
    return authority, make(LOCALLY_SIGNED, **{**arguments, **inputs})


def test_locally_signed_certificate_is_issued_by_the_ca() -> None:
    authority, created = locally_signed()
    certificate = parsed(created)
    certificate.verify_directly_issued_by(parsed(authority))
    assert certificate.subject.rfc4514_string() == "CN=leaf"
    assert isinstance(certificate.public_key(), ed25519.Ed25519PublicKey)
    assert alternative_names(certificate.extensions) == ["a.example.com", "10.0.0.1", "spiffe://a/b"]
    issuer = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    own = parsed(authority).extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert issuer.key_identifier == own.key_identifier
    assert created.outputs["caKeyAlgorithm"] == "ECDSA"


def test_request_is_signed_by_its_key() -> None:
    key = elliptic("P384")
    created = make(REQUEST, privateKeyPem=key["privateKeyPem"], subject={"commonName": "x"})
    request = x509.load_pem_x509_csr(created.outputs["certRequestPem"].encode())
    assert request.is_signature_valid
    assert created.outputs["keyAlgorithm"] == "ECDSA"
    assert created.outputs["certRequestPem"].startswith("-----BEGIN CERTIFICATE REQUEST-----\n")
    assert re.fullmatch(r"[0-9a-f]{40}", created.id)


def test_ca_key_must_belong_to_the_ca_certificate() -> None:
    other = make(KEY, b"other", algorithm="ED25519").outputs["privateKeyPem"]
    with pytest.raises(AwsError, match=r"doesn't match .* \(caPrivateKeyPem\)"):
        locally_signed(caPrivateKeyPem=other)


@pytest.mark.parametrize(
    "pem", ["", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_unreadable_key_is_named(pem: str) -> None:
    with pytest.raises(AwsError, match=r"failed to parse the private key.*\(privateKeyPem\)"):
        self_signed(privateKeyPem=pem)


@pytest.mark.parametrize(
    "inputs", [{"subject": {"country": "Germany"}}, {"ipAddresses": ["10.0.0"]}], ids=["country", "address"]
)
def test_unusable_names_are_errors_of_the_provider(inputs: Properties) -> None:
    with pytest.raises(AwsError, match=r"^tls: "):
        self_signed(**inputs)


def test_write_only_key_signs_and_never_shows() -> None:
    pem = elliptic()["privateKeyPem"]
    inputs: Properties = {"privateKeyPemWo": pem, "privateKeyPemWoVersion": 1, "subject": {"commonName": "x"}}
    created = make(REQUEST, **inputs)
    assert x509.load_pem_x509_csr(created.outputs["certRequestPem"].encode()).is_signature_valid
    assert set(created.outputs) == {"privateKeyPemWoVersion", "subject", "certRequestPem", "keyAlgorithm"}
    assert "privateKeyPemWo" not in utilities.plan(REQUEST, inputs)
