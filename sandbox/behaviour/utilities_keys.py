"""The tls provider's private keys."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable
from hashlib import md5, sha1, sha256
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from sandbox.behaviour.model import AwsError, Created, Properties

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
SigningHash = hashes.SHA256 | hashes.SHA384 | hashes.SHA512

CURVES: Final[dict[str, Callable[[], ec.EllipticCurve]]] = {
    "P224": ec.SECP224R1,
    "P256": ec.SECP256R1,
    "P384": ec.SECP384R1,
    "P521": ec.SECP521R1,
}
HASHES: Final[dict[int, SigningHash]] = {384: hashes.SHA384(), 521: hashes.SHA512()}
"""What keys on the larger curves sign with; all others use SHA-256."""


def private_key(inputs: Properties, stream: random.Random) -> Created:
    """Make a key pair."""
    key = _new_key(inputs, stream)
    public = key.public_key()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    # PKCS 1 and SEC 1, as the provider writes them; ED25519 has neither.
    old_form = PrivateFormat.PKCS8 if inputs["algorithm"] == "ED25519" else PrivateFormat.TraditionalOpenSSL
    outputs = {
        **inputs,
        "privateKeyPem": key.private_bytes(Encoding.PEM, old_form, NoEncryption()).decode(),
        "privateKeyPemPkcs8": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        "publicKeyPem": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
        **_openssh(key),
    }
    return Created(sha1(der, usedforsecurity=False).hexdigest(), outputs)


def _new_key(inputs: Properties, stream: random.Random) -> PrivateKey:
    """Generate a key; elliptic ones follow from the stream."""
    if inputs["algorithm"] == "RSA":
        return rsa.generate_private_key(public_exponent=65537, key_size=inputs["rsaBits"])
    if inputs["algorithm"] == "ED25519":
        return ed25519.Ed25519PrivateKey.from_private_bytes(stream.randbytes(32))
    curve = CURVES[inputs["ecdsaCurve"]]()
    return ec.derive_private_key(stream.getrandbits(curve.key_size - 1) | 1, curve)


def _openssh(key: PrivateKey) -> Properties:
    """Return the OpenSSH forms and fingerprints; they are empty for the curve that OpenSSH does not know."""
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP224R1):
        names = (
            "privateKeyOpenssh",
            "publicKeyOpenssh",
            "publicKeyFingerprintMd5",
            "publicKeyFingerprintSha256",
        )
        return dict.fromkeys(names, "")
    line = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    blob = base64.b64decode(line.split()[1])
    short = base64.b64encode(sha256(blob).digest()).decode().rstrip("=")
    return {
        "privateKeyOpenssh": key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode(),
        "publicKeyOpenssh": f"{line}\n",
        "publicKeyFingerprintMd5": md5(blob, usedforsecurity=False).digest().hex(":"),
        "publicKeyFingerprintSha256": f"SHA256:{short}",
    }


def load_key(inputs: Properties, name: str) -> PrivateKey:
    """Read the private key, or its write-only form."""
    pem = str(inputs.get(name, inputs.get(f"{name}Wo", "")))
    try:
        key = load_pem_private_key(pem.encode(), None)
    except (TypeError, ValueError) as error:
        raise AwsError("tls", "failed to parse the private key, PEM is expected", name) from error
    if not isinstance(key, PrivateKey):
        raise AwsError("tls", "the private key must be RSA, ECDSA or ED25519", name)
    return key


def algorithm_of(key: PrivateKey) -> str:
    """Return the provider's name of a key's algorithm."""
    if isinstance(key, rsa.RSAPrivateKey):
        return "RSA"
    return "ED25519" if isinstance(key, ed25519.Ed25519PrivateKey) else "ECDSA"


def signing_hash(key: PrivateKey) -> SigningHash | None:
    """Return the hash to sign with, by strength of the key."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return None
    size = key.curve.key_size if isinstance(key, ec.EllipticCurvePrivateKey) else 0
    return HASHES.get(size, hashes.SHA256())
