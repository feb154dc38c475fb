"""Files that a process needs and ECS can only hand over as variables: certificates and keys.

They lie in the container's own scratch and are readable for nobody else. A file that is right already is left alone,
since health checks run beside the process that reads it.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

PRIVATE: Final = 0o600


def write(path: str, content: str) -> None:
    """Write a private file, at once or not at all."""
    text = content.strip() + "\n"
    target = Path(path)
    with suppress(OSError):
        if target.read_text() == text:
            return
    # Created with its mode: it is never readable for others, not even for a moment.
    fresh = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    fresh.replace(target)


def throw_away_pair(certificate_path: str, key_path: str) -> None:
    """Make a key and a certificate for a server whose clients check no signer, unless they are there."""
    if Path(certificate_path).exists() and Path(key_path).exists():
        return
    # Slow to import, and only Flower needs it.
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "flower")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    write(key_path, key.private_bytes(pem, *form).decode())
    write(certificate_path, certificate.public_bytes(pem).decode())
