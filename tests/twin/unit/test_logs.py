"""Where logs lie."""

from __future__ import annotations

from pathlib import Path

from sandbox.twin.logs import Logs


def test_a_container_has_a_file_for_its_output(tmp_path: Path) -> None:
    path = Logs(tmp_path).file("scheduler", "0a", "main")
    assert path.relative_to(tmp_path) == Path("scheduler/0a/main.log")
    path.touch()


def test_health_checks_write_to_a_file_of_their_own(tmp_path: Path) -> None:
    path = Logs(tmp_path).health_file("scheduler", "0a", "main")
    assert path.relative_to(tmp_path) == Path("scheduler/0a/main.health.log")
