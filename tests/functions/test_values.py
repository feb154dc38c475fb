"""New values: fit for every place they are written to, and never the same twice."""

from __future__ import annotations

import base64
import json
import shlex
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote_plus, urlsplit

import pytest
from cryptography import x509
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from functions.platform_gate import values
from functions.platform_gate.kinds import JSON_KEYS, LOGINS, USER_NAMES, SecretKind

HOST = "api-server.dev.airflow.internal"
NOW = datetime(2026, 6, 1, tzinfo=UTC)
ALONE = [kind for kind in SecretKind if kind is not SecretKind.API_SERVER_CERTIFICATE]


@given(st.text(values.PASSWORD_ALPHABET, min_size=1))
def test_the_alphabet_needs_no_quoting(text: str) -> None:
    assert quote_plus(text) == shlex.quote(text) == text
    assert urlsplit(f"rediss://airflow:{text}@broker:6379/0").password == text
    assert json.dumps(text) == f'"{text}"'


def test_password() -> None:
    """RDS takes 8 to 128 characters without / @ " and space, ElastiCache 16 to 128."""
    password = values.password()
    assert len(password) == 40
    assert set(password) <= set(values.PASSWORD_ALPHABET)


@pytest.mark.parametrize("kind", ALONE)
def test_no_value_comes_twice(kind: SecretKind) -> None:
    assert len({values.alone(kind, "airflow-dev") for _ in range(20)}) == 20


def test_fernet_key_is_one() -> None:
    key = values.alone(SecretKind.FERNET_KEY, "airflow-dev")
    assert Fernet(key).decrypt(Fernet(key).encrypt(b"text")) == b"text"


@pytest.mark.parametrize("kind", [SecretKind.JWT_SECRET, SecretKind.API_SECRET_KEY])
def test_tokens_have_64_bytes(kind: SecretKind) -> None:
    token = values.alone(kind, "airflow-dev")
    assert len(base64.urlsafe_b64decode(token + "==")) == 64
    assert quote_plus(token) == token


@pytest.mark.parametrize(
    ("kind", "username"),
    [
        (SecretKind.METASTORE_USER, "airflow"),
        (SecretKind.BROKER_USER, "airflow-dev"),
        (SecretKind.ADMIN_USER, "admin"),
        (SecretKind.FLOWER_USER, "flower"),
    ],
)
def test_logins(kind: SecretKind, username: str) -> None:
    login = json.loads(values.alone(kind, "airflow-dev"))
    assert login == {"username": username, "password": login["password"]}
    assert len(login["password"]) == 40


def test_json_keys_name_what_is_in_the_value() -> None:
    for kind in ALONE:
        value = values.alone(kind, "airflow-dev")
        assert JSON_KEYS[kind] == (tuple(json.loads(value)) if kind in LOGINS else ())
    assert JSON_KEYS[SecretKind.API_SERVER_CERTIFICATE] == ()


def test_only_the_broker_user_has_no_fixed_name() -> None:
    assert LOGINS - set(USER_NAMES) == {SecretKind.BROKER_USER}


def test_private_key() -> None:
    pem = values.alone(SecretKind.API_SERVER_PRIVATE_KEY, "airflow-dev")
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert key.curve.name == "secp256r1"


def certificate(key: str, host: str = HOST) -> x509.Certificate:
    return x509.load_pem_x509_certificate(values.certificate(key, host, NOW).encode())


def test_certificate() -> None:
    made = certificate(values.private_key())
    extension = made.extensions.get_extension_for_class
    assert extension(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName) == [HOST]
    assert extension(x509.BasicConstraints).value == x509.BasicConstraints(ca=False, path_length=None)
    assert not extension(x509.KeyUsage).value.key_cert_sign
    assert made.not_valid_before_utc == NOW - timedelta(days=1)
    assert made.not_valid_after_utc == NOW + timedelta(days=3650)


def test_certificate_fits_into_a_variable() -> None:
    """ECS hands it over as an environment variable; all of a container's overrides and secrets stay small."""
    assert len(values.certificate(values.private_key(), HOST)) < 1024


STRICT = ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN  # what Python 3.13 verifies by default


@pytest.mark.parametrize("flags", [ssl.VerifyFlags(0), STRICT], ids=["plain", "strict"])
@pytest.mark.parametrize(
    ("host", "trusts_it", "error"),
    [
        (HOST, True, ""),
        ("other.dev.airflow.internal", True, "Hostname mismatch"),
        (HOST, False, "self-signed certificate"),
    ],
    ids=["trusted", "other host", "other certificate"],
)
def test_clients_trust_exactly_this_certificate(
    tmp_path: Path, host: str, trusts_it: bool, error: str, flags: ssl.VerifyFlags
) -> None:
    key = values.private_key()
    served, trusted = values.certificate(key, HOST), values.certificate(values.private_key(), HOST)
    (tmp_path / "key.pem").write_text(key)
    (tmp_path / "served.pem").write_text(served)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "served.pem", tmp_path / "key.pem")
    client = ssl.create_default_context(cadata=served if trusts_it else trusted)
    client.verify_flags |= flags
    assert error in handshake(server, client, host)
    assert error or not handshake(server, client, host)


def handshake(server: ssl.SSLContext, client: ssl.SSLContext, host: str) -> str:
    """Return the client's error, empty without one."""
    ours, theirs = socket.socketpair()

    def serve() -> None:
        try:
            with server.wrap_socket(theirs, server_side=True):
                pass
        except (ssl.SSLError, OSError):
            pass

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(ours, server_hostname=host):
            return ""
    except ssl.SSLError as error:
        return str(error)
    finally:
        ours.close()
        thread.join()


def problem(stored: str, key: str, host: str = HOST, now: datetime = NOW) -> str | None:
    return values.certificate_problem(stored, key, host, now)


def test_own_certificate_has_no_problem() -> None:
    key = values.private_key()
    assert problem(values.certificate(key, HOST, NOW), key) is None
    assert values.certificate_problem(values.certificate(key, HOST), key, HOST) is None


def rsa_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return private_pem(key)


def private_pem(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> str:
    pem = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, *pem).decode()


def test_an_rsa_key_of_the_operator_is_fine() -> None:
    key = rsa_key()
    assert problem(values.certificate(key, HOST, NOW), key) is None


def test_problem_other_key() -> None:
    stored = values.certificate(values.private_key(), HOST, NOW)
    assert problem(stored, values.private_key()) == "belongs to another private key"


def test_problem_other_host() -> None:
    key = values.private_key()
    stored = values.certificate(key, "api-server.old.airflow.internal", NOW)
    assert problem(stored, key) == f"is not for the host {HOST}"


def test_problem_no_host() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW, NOW + timedelta(days=1))
    stored = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
    pem = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    key_pem = key.private_bytes(serialization.Encoding.PEM, *pem).decode()
    assert problem(stored, key_pem) == f"is not for the host {HOST}"


@pytest.mark.parametrize(("days", "found"), [(3589, None), (3591, "ends on 2036-05-29")])
def test_problem_soon_over(days: int, found: str | None) -> None:
    key = values.private_key()
    assert problem(values.certificate(key, HOST, NOW), key, now=NOW + timedelta(days=days)) == found


@pytest.mark.parametrize("which", ["certificate", "key"])
def test_problem_no_pem(which: str) -> None:
    key = values.private_key()
    stored = values.certificate(key, HOST, NOW)
    found = problem("text", key) if which == "certificate" else problem(stored, "text")
    assert found == "is no PEM text, or its private key is none"


def test_no_certificate_for_a_key_that_load_balancers_do_not_know() -> None:
    with pytest.raises(ValueError, match=r"^want an EC or RSA key$"):
        values.certificate(private_pem(ed25519.Ed25519PrivateKey.generate()), HOST)
