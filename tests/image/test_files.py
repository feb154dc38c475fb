"""Files made from variables: private from the first moment, written at once, and left alone when they are right."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from images.airflow.platform_runtime import files


def test_content_ends_with_one_line_break(tmp_path: Path) -> None:
    files.write(str(tmp_path / "key"), "a\nb\n\n")
    assert (tmp_path / "key").read_text() == "a\nb\n"


def test_only_the_owner_reads_it(tmp_path: Path) -> None:
    files.write(str(tmp_path / "key"), "a")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_what_is_right_is_left_alone(tmp_path: Path) -> None:
    """A health check runs beside the process that has opened it."""
    files.write(str(tmp_path / "key"), "a")
    before = (tmp_path / "key").stat()
    files.write(str(tmp_path / "key"), "a\n")
    after = (tmp_path / "key").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_what_is_wrong_is_replaced_as_a_whole(tmp_path: Path) -> None:
    files.write(str(tmp_path / "key"), "old")
    reader = (tmp_path / "key").open()
    files.write(str(tmp_path / "key"), "new")
    assert (reader.read(), (tmp_path / "key").read_text()) == ("old\n", "new\n")
    reader.close()
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file or directory"):
        files.write(str(tmp_path / "none" / "key"), "a")


def paths(folder: Path) -> tuple[str, str]:
    return str(folder / "flower.pem"), str(folder / "flower.key")


def test_the_pair_serves_tls(tmp_path: Path) -> None:
    certificate, key = paths(tmp_path)
    files.throw_away_pair(certificate, key)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    stored = x509.load_pem_x509_certificate(Path(certificate).read_bytes())
    assert stored.not_valid_before_utc < datetime.now(UTC) < stored.not_valid_after_utc
    assert Path(key).stat().st_mode & 0o777 == 0o600


def test_the_pair_is_made_once(tmp_path: Path) -> None:
    files.throw_away_pair(*paths(tmp_path))
    before = [Path(path).read_text() for path in paths(tmp_path)]
    files.throw_away_pair(*paths(tmp_path))
    assert [Path(path).read_text() for path in paths(tmp_path)] == before


def test_half_a_pair_is_made_again(tmp_path: Path) -> None:
    files.throw_away_pair(*paths(tmp_path))
    (tmp_path / "flower.key").unlink()
    files.throw_away_pair(*paths(tmp_path))
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*paths(tmp_path))
