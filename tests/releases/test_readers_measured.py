"""What the measurements of releases count: their trees, their eyes, and the ways that they compare ours with."""

from __future__ import annotations

import time
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from tests.releases.trees import Item, manifest_of, write
from tests.twin.drills import releases_others
from tests.twin.drills.releases_bench import spread
from tests.twin.drills.releases_others import Copying, Repository, Rule, by_copying
from tests.twin.drills.releases_trees import STAMPED, Looks, release, wrong

FILES = 100


@pytest.mark.parametrize("files", [60, 100, 1000])
def test_a_release_has_its_size(files: int) -> None:
    assert manifest_of(release(files, 3)).files == files


def test_how_two_releases_differ() -> None:
    one, other = (manifest_of(release(FILES, number)).by_path for number in (1, 2))
    same = [path for path in one.keys() & other.keys() if one[path] != other[path]]
    kinds = Counter(
        "link"
        if one[path].target
        else "mode"
        if one[path].sha256 == other[path].sha256
        else "same size"
        if one[path].size == other[path].size
        else "size"
        for path in same
    )
    assert kinds == {"same size": 32, "size": 8, "mode": 1, "link": 1}
    assert sorted(one.keys() - other.keys()) == ["case/Job.py", "moved/m1.py"]
    assert sorted(other.keys() - one.keys()) == ["case/job.py", "moved/m2.py"]


def test_what_is_wrong_is_counted_by_kind(tmp_path: Path) -> None:
    items = release(FILES, 1)
    write(tmp_path, items)
    assert wrong(tmp_path, items, manifest_of(items)) == {}
    (tmp_path / "bin/run.sh").chmod(0o644)
    (tmp_path / "latest.py").unlink()
    (tmp_path / "latest.py").write_bytes((tmp_path / "dag1.py").read_bytes())
    (tmp_path / STAMPED[0]).write_bytes(b"STAMP = '000009'\n")
    (tmp_path / STAMPED[1]).unlink()
    (tmp_path / "more.py").write_bytes(b"")
    assert wrong(tmp_path, items, manifest_of(items)) == {
        "mode": 1,
        "link": 1,
        "old content": 1,
        "missing": 1,
        "kept": 1,
    }


def test_looks_see_two_releases_at_once(tmp_path: Path) -> None:
    write(tmp_path, release(FILES, 1))
    with Looks(lambda: tmp_path) as looks:
        _until(lambda: looks.looks > 0)
        assert (looks.mixed, looks.missing) == (0, 0)
        (tmp_path / STAMPED[0]).write_bytes(b"STAMP = '000009'\n")
        _until(lambda: looks.mixed > 0)
        (tmp_path / STAMPED[1]).unlink()
        _until(lambda: looks.missing > 0)


def _until(seen: object) -> None:
    give_up_at = time.monotonic() + 10
    assert callable(seen)
    while not seen():
        assert time.monotonic() < give_up_at
        time.sleep(0.001)


# Copying

ONE: tuple[Item, ...] = ((STAMPED[0], b"1", False), ("z.py", b"1", False), ("kept.py", b"", False))
TWO: tuple[Item, ...] = ((STAMPED[0], b"2", False), ("z.py", b"22", False))


def copied(folder: Path, rule: Rule, *releases: tuple[Item, ...]) -> dict[str, str]:
    """Upload and copy one after the other; return what is there."""
    copying = Copying(folder, rule)
    for items in releases:
        copying.upload(items)
        copying.copy()
        time.sleep(0.02)
    return found(folder)


def found(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_copying_by_size_and_time(tmp_path: Path) -> None:
    """It is no straw man: what is uploaded between two copies arrives, and what is gone goes."""
    assert copied(tmp_path, "size and time", ONE, TWO) == {STAMPED[0]: "2", "z.py": "22"}


def test_copying_by_size_only(tmp_path: Path) -> None:
    assert copied(tmp_path, "size only", ONE, TWO) == {STAMPED[0]: "1", "z.py": "22"}


def test_what_is_uploaded_while_it_is_copied(tmp_path: Path) -> None:
    """What was read before is written afterwards, so it looks newer than what it should be replaced by."""
    copying = Copying(tmp_path, "size and time")
    copying.upload(ONE)
    copying.copy(meanwhile=TWO)
    copying.copy()
    assert found(tmp_path) == {STAMPED[0]: "1", "z.py": "22"}


def test_every_way_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two releases the second comes while another is copied."""
    monkeypatch.setattr(releases_others, "WHILE_COPYING", 2)
    by_time = by_copying(tmp_path, 60, 2, "size and time")
    by_size = by_copying(tmp_path, 60, 2, "size only")
    assert (by_time.wrong_releases, by_size.wrong_releases) == (2, 2)
    assert (len(by_time.seconds), by_time.wrong["link"], by_time.wrong["mode"]) == (2, 2, 1)
    assert by_size.wrong["old content"] == 2 * 32
    assert 1 <= by_time.wrong["old content"] < 32
    assert by_time.notes == by_size.notes == {"damaged byte": "not noticed"}


# Git


def test_a_commit_is_the_tree(tmp_path: Path) -> None:
    """Modes, links and removed files as well: what the bundle gets is what was released."""
    from operations.git_tree import read

    repository = Repository(tmp_path)
    commits = []
    for number in (1, 2):
        commits.append(repository.push(release(60, number)))
        assert read(repository.bare, commits[-1]).manifest == manifest_of(release(60, number))
    assert all(one != other for one, other in pairwise(commits))


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ([3.0], (1, 3.0, 3.0, 3.0)),
        ([float(n) for n in range(21)][::-1], (21, 10.0, 19.0, 20.0)),
    ],
)
def test_spread(seconds: list[float], expected: tuple[float, ...]) -> None:
    assert tuple(spread(seconds).values()) == expected
