"""The authority signs for the names that it is asked for, and for no others."""

from __future__ import annotations

import socket
import ssl
import stat
import threading
from pathlib import Path

import pytest

from sandbox.twin.certificates import Certificates, write

HOSTS = ("db.example.com", "127.0.0.1")


def greeted(files: Certificates, authority: Path, host: str) -> str:
    """Connect as a strict client does and return what the server says."""
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(files.certificate, files.key)
    client_context = ssl.create_default_context(cafile=authority)
    client_context.verify_flags |= ssl.VERIFY_X509_STRICT
    near, far = socket.socketpair()

    def serve() -> None:
        try:
            with server_context.wrap_socket(far, server_side=True) as served:
                served.sendall(b"hello")
        except OSError:
            far.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client_context.wrap_socket(near, server_hostname=host) as connection:
            return connection.recv(10).decode()
    finally:
        near.close()
        thread.join()


@pytest.mark.parametrize("host", HOSTS)
def test_a_client_that_trusts_the_authority_is_served(tmp_path: Path, host: str) -> None:
    files = write(tmp_path, HOSTS)
    assert greeted(files, files.authority, host) == "hello"


@pytest.mark.parametrize("host", ["other.example.com", "127.0.0.2"])
def test_another_name_is_refused(tmp_path: Path, host: str) -> None:
    files = write(tmp_path, HOSTS)
    with pytest.raises(ssl.SSLCertVerificationError, match=r"mismatch|not valid for"):
        greeted(files, files.authority, host)


def test_a_client_of_another_authority_refuses(tmp_path: Path) -> None:
    files, others = write(tmp_path / "one", HOSTS), write(tmp_path / "other", HOSTS)
    with pytest.raises(ssl.SSLCertVerificationError):
        greeted(files, others.authority, HOSTS[0])


def test_only_the_key_is_private(tmp_path: Path) -> None:
    files = write(tmp_path, HOSTS)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (files.authority, files.certificate, files.key)]
    assert modes == [0o644, 0o644, 0o600]
    assert b"PRIVATE" not in files.authority.read_bytes() + files.certificate.read_bytes()


def test_an_earlier_pair_is_replaced(tmp_path: Path) -> None:
    before = write(tmp_path, HOSTS).authority.read_bytes()
    files = write(tmp_path, HOSTS)
    assert files.authority.read_bytes() != before
    assert greeted(files, files.authority, HOSTS[0]) == "hello"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["authority.pem", "server.key", "server.pem"]
