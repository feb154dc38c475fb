"""The hosts file of a task."""

from __future__ import annotations

import os
from pathlib import Path

from sandbox.twin import hosts


def test_it_has_localhost_the_task_and_every_name(tmp_path: Path) -> None:
    hosts.write(
        tmp_path / "hosts",
        "10.20.0.10",
        {"db.internal": ["10.20.0.2"], "api.internal": ["10.20.0.11", "10.20.0.12"]},
    )
    assert (tmp_path / "hosts").read_text().splitlines() == [
        "127.0.0.1 localhost",
        "10.20.0.10 ip-10-20-0-10.compute.internal",
        "10.20.0.2 db.internal",
        "10.20.0.11 api.internal",
        "10.20.0.12 api.internal",
    ]


def test_it_is_rewritten_in_place(tmp_path: Path) -> None:
    """A container has this very file mounted."""
    path = tmp_path / "hosts"
    hosts.write(path, "10.20.0.10", {"db.internal": ["10.20.0.2"]})
    before = path.stat().st_ino
    hosts.write(path, "10.20.0.10", {})
    assert path.stat().st_ino == before
    assert "db.internal" not in path.read_text()


def test_everybody_may_read_it(tmp_path: Path) -> None:
    mask = os.umask(0o077)
    try:
        hosts.write(tmp_path / "hosts", "10.20.0.10", {})
    finally:
        os.umask(mask)
    assert (tmp_path / "hosts").stat().st_mode & 0o777 == 0o644
