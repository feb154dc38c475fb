"""Folders with what nobody may write are removed all the same."""

from __future__ import annotations

from pathlib import Path

from sandbox.twin.folders import erase


def test_releases_are_removed_and_what_links_lead_to_is_not(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir(mode=0o555)
    release = tmp_path / "efs" / "0123" / "tree"
    release.mkdir(parents=True)
    (release / "etl.py").touch(mode=0o444)
    (release / "link").symlink_to(tmp_path / "kept")
    for folder in (release, release.parent):
        folder.chmod(0o555)

    erase(tmp_path / "efs")

    assert [each.name for each in tmp_path.iterdir()] == ["kept"]
    assert (tmp_path / "kept").stat().st_mode & 0o777 == 0o555


def test_what_is_not_there_needs_no_removal(tmp_path: Path) -> None:
    erase(tmp_path / "nothing")
