"""New secret values. Nothing here knows AWS, and nothing here keeps or logs a value."""

from __future__ import annotations

import base64
import json
import secrets
import string
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .kinds import USER_NAMES, SecretKind

PASSWORD_ALPHABET = string.ascii_letters + string.digits
"""Means itself in URLs, shells, SQL and INI files, and is allowed by PostgreSQL and by ElastiCache."""
PASSWORD_LENGTH = 40
"""238 bits; ElastiCache wants 16 to 128 characters."""
CERTIFICATE_DAYS = 3650
"""Only our own containers trust it, each exactly this one, so it lasts as long as the environment may."""
RENEW_BEFORE_DAYS = 60
CLOCK_SKEW = timedelta(days=1)


def password() -> str:
    """Return a password that needs no quoting anywhere."""
    return "".join(secrets.choice(PASSWORD_ALPHABET) for _ in range(PASSWORD_LENGTH))


def fernet_key() -> str:
    """Return a key for Airflow's encryption of connections and variables: 32 bytes in URL-safe base64."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def token() -> str:
    """Return a signing secret of 64 bytes, what the strongest HMAC of a JWT takes."""
    return secrets.token_urlsafe(64)


def private_key() -> str:
    """Return a new P-256 key, as PEM without a password."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, *pem).decode()


def login(username: str) -> str:
    """Return a new login as JSON."""
    return json.dumps({"username": username, "password": password()})


def alone(kind: SecretKind, broker_user: str) -> str:
    """Return a new value of a secret that is made from no other one; `broker_user` is the broker's user name."""
    if kind is SecretKind.BROKER_USER:
        return login(broker_user)
    return login(USER_NAMES[kind]) if kind in USER_NAMES else _GENERATORS[kind]()


_GENERATORS: Mapping[SecretKind, Callable[[], str]] = {
    SecretKind.FERNET_KEY: fernet_key,
    SecretKind.JWT_SECRET: token,
    SecretKind.API_SECRET_KEY: token,
    SecretKind.API_SERVER_PRIVATE_KEY: private_key,
}


def certificate(key_pem: str, host_name: str, now: datetime | None = None) -> str:
    """Return a self-signed server certificate for a key, as PEM.

    It is no authority: who trusts it trusts this one certificate, and it can sign no other.
    """
    key = _key(key_pem)
    now = now or datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "api-server")])
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + timedelta(days=CERTIFICATE_DAYS))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host_name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def certificate_problem(
    certificate_pem: str, key_pem: str, host_name: str, now: datetime | None = None
) -> str | None:
    """Say why a stored certificate cannot serve, as a clause, or None."""
    now = now or datetime.now(UTC)
    try:
        stored, key = x509.load_pem_x509_certificate(certificate_pem.encode()), _key(key_pem)
    except ValueError:
        return "is no PEM text, or its private key is none"
    if stored.public_key() != key.public_key():
        return "belongs to another private key"
    if host_name not in _host_names(stored):
        return f"is not for the host {host_name}"
    if stored.not_valid_after_utc < now + timedelta(days=RENEW_BEFORE_DAYS):
        return f"ends on {stored.not_valid_after_utc:%Y-%m-%d}"
    return None


def _host_names(stored: x509.Certificate) -> list[str]:
    try:
        names = stored.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return names.get_values_for_type(x509.DNSName)


def _key(pem: str) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
    """Read a key; the gate makes P-256 ones, an operator may have brought an RSA one."""
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise ValueError("want an EC or RSA key")  # noqa: TRY004  one error for every unusable key
    return key
