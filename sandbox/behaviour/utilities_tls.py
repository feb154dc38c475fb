"""The tls provider: real keys and certificates."""

from __future__ import annotations

import ipaddress
import random
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from sandbox.behaviour.model import AwsError, Created, Properties
from sandbox.behaviour.utilities_keys import (
    PrivateKey,
    PublicKey,
    algorithm_of,
    load_key,
    private_key,
    signing_hash,
)

SUBJECT: Final = {
    "country": NameOID.COUNTRY_NAME,
    "organization": NameOID.ORGANIZATION_NAME,
    "organizationalUnit": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "locality": NameOID.LOCALITY_NAME,
    "province": NameOID.STATE_OR_PROVINCE_NAME,
    "streetAddresses": NameOID.STREET_ADDRESS,
    "postalCode": NameOID.POSTAL_CODE,
    "commonName": NameOID.COMMON_NAME,
    "serialNumber": NameOID.SERIAL_NUMBER,
    "emailAddress": NameOID.EMAIL_ADDRESS,
}
KEY_USES: Final = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
RENAMED_USES: Final = {"cert_signing": "key_cert_sign", "crl_signing": "crl_sign"}
EXTENDED_USES: Final = {
    "any_extended": ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    "client_auth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "code_signing": ExtendedKeyUsageOID.CODE_SIGNING,
    "email_protection": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "ipsec_end_system": ObjectIdentifier("1.3.6.1.5.5.7.3.5"),
    "ipsec_tunnel": ObjectIdentifier("1.3.6.1.5.5.7.3.6"),
    "ipsec_user": ObjectIdentifier("1.3.6.1.5.5.7.3.7"),
    "microsoft_commercial_code_signing": ObjectIdentifier("1.3.6.1.4.1.311.2.1.22"),
    "microsoft_kernel_code_signing": ObjectIdentifier("1.3.6.1.4.1.311.61.1.1"),
    "microsoft_server_gated_crypto": ObjectIdentifier("1.3.6.1.4.1.311.10.3.3"),
    "netscape_server_gated_crypto": ObjectIdentifier("2.16.840.1.113730.4.1"),
    "ocsp_signing": ExtendedKeyUsageOID.OCSP_SIGNING,
    "server_auth": ExtendedKeyUsageOID.SERVER_AUTH,
    "timestamping": ExtendedKeyUsageOID.TIME_STAMPING,
}


def make(token: str, inputs: Properties, stream: random.Random) -> Created:
    """Create a key, a request or a certificate; `inputs` have their defaults filled in.

    Raises:
        AwsError: a key, request or name that cannot be used.

    """
    try:
        match token.rpartition(":")[2]:
            case "PrivateKey":
                return private_key(inputs, stream)
            case "CertRequest":
                return _request(inputs)
            case "SelfSignedCert":
                return _self_signed(inputs, stream)
            case _:
                return _locally_signed(inputs, stream)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise AwsError("tls", str(error)) from error


def _request(inputs: Properties) -> Created:
    """Make a certificate request."""
    key = load_key(inputs, "privateKeyPem")
    builder = x509.CertificateSigningRequestBuilder().subject_name(_subject(inputs))
    if names := _alternative_names(inputs):
        builder = builder.add_extension(names, critical=False)
    request = builder.sign(key, signing_hash(key))
    outputs = {
        **inputs,
        "certRequestPem": request.public_bytes(Encoding.PEM).decode(),
        "keyAlgorithm": algorithm_of(key),
    }
    return Created(sha1(request.public_bytes(Encoding.DER), usedforsecurity=False).hexdigest(), outputs)


def _self_signed(inputs: Properties, stream: random.Random) -> Created:
    """Make a certificate that its own key signs."""
    key = load_key(inputs, "privateKeyPem")
    subject, public = _subject(inputs), key.public_key()
    builder = _certificate(inputs, subject, public, stream)
    if names := _alternative_names(inputs):
        builder = builder.add_extension(names, critical=False)
    if inputs["setAuthorityKeyId"]:
        own = x509.AuthorityKeyIdentifier.from_issuer_public_key(public)
        builder = builder.add_extension(own, critical=False)
    return _signed(inputs, builder.issuer_name(subject).sign(key, signing_hash(key)), "keyAlgorithm", key)


def _locally_signed(inputs: Properties, stream: random.Random) -> Created:
    """Make the certificate of a request, signed by a CA."""
    key = load_key(inputs, "caPrivateKeyPem")
    authority = x509.load_pem_x509_certificate(inputs["caCertPem"].encode())
    request = x509.load_pem_x509_csr(inputs["certRequestPem"].encode())
    if not request.is_signature_valid:
        raise AwsError("tls", "the signature of the certificate request is not valid", "certRequestPem")
    if authority.public_key() != key.public_key():
        raise AwsError("tls", "provided PrivateKey doesn't match parent's PublicKey", "caPrivateKeyPem")
    public: Any = request.public_key()
    builder = _certificate(inputs, request.subject, public, stream).issuer_name(authority.subject)
    for extension in request.extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            builder = builder.add_extension(extension.value, critical=False)
    for extension in authority.extensions:
        if isinstance(extension.value, x509.SubjectKeyIdentifier):
            issuer = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(extension.value)
            builder = builder.add_extension(issuer, critical=False)
    return _signed(inputs, builder.sign(key, signing_hash(key)), "caKeyAlgorithm", key)


def _certificate(
    inputs: Properties, subject: x509.Name, public: PublicKey, stream: random.Random
) -> x509.CertificateBuilder:
    """Start a certificate: everything but issuer, names and signature."""
    start = datetime.now(UTC).replace(microsecond=0)
    is_authority, longest = inputs["isCaCertificate"], inputs["maxPathLength"]
    path_length = longest if is_authority and longest >= 0 else None
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(public)
        .serial_number(stream.getrandbits(127) | 1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(hours=inputs["validityPeriodHours"]))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=path_length), critical=True)
    )
    uses = {RENAMED_USES.get(use, use) for use in inputs["allowedUses"]}
    if uses & set(KEY_USES):
        flags = {use: use in uses for use in KEY_USES}
        flags["key_agreement"] |= flags["encipher_only"] or flags["decipher_only"]
        builder = builder.add_extension(x509.KeyUsage(**flags), critical=True)
    if extended := [EXTENDED_USES[use] for use in inputs["allowedUses"] if use in EXTENDED_USES]:
        builder = builder.add_extension(x509.ExtendedKeyUsage(extended), critical=False)
    if is_authority or inputs["setSubjectKeyId"]:
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    return builder


def _signed(inputs: Properties, certificate: x509.Certificate, algorithm: str, key: PrivateKey) -> Created:
    """Return the outputs of a certificate."""
    outputs = {
        **inputs,
        "certPem": certificate.public_bytes(Encoding.PEM).decode(),
        algorithm: algorithm_of(key),
        "readyForRenewal": False,
        "validityStartTime": f"{certificate.not_valid_before_utc:%Y-%m-%dT%H:%M:%SZ}",
        "validityEndTime": f"{certificate.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}",
    }
    return Created(str(certificate.serial_number), outputs)


def _subject(inputs: Properties) -> x509.Name:
    """Return the subject in the order of the provider."""
    given = inputs.get("subject", {})
    attributes = []
    for key, oid in SUBJECT.items():
        values = given.get(key, [])
        values = values if isinstance(values, list) else [values]
        attributes += [x509.NameAttribute(oid, value) for value in values]
    return x509.Name(attributes)


def _alternative_names(inputs: Properties) -> x509.SubjectAlternativeName | None:
    """Return the names besides the subject."""
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in inputs.get("dnsNames", ())]
    names += [x509.IPAddress(ipaddress.ip_address(address)) for address in inputs.get("ipAddresses", ())]
    names += [x509.UniformResourceIdentifier(uri) for uri in inputs.get("uris", ())]
    return x509.SubjectAlternativeName(names) if names else None
