"""Real parses while releases are switched: each sees one release, and the detector sees what copying does.

A small version of `python -m tests.twin.drills releases`, which parses 20,000 files.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.twin.drills import releases
from tests.twin.drills.releases import Found, Seen


@pytest.mark.twin
def test_no_parse_sees_two_releases(tmp_path: Path) -> None:
    found = releases.drill(tmp_path, parses=500, control=150)
    assert found.problems == ()
    assert (found.releases.mixed, found.releases.failed) == (0, 0)
    assert found.releases.parses >= 500
    assert found.releases.switches >= 10
    assert found.collected > 0
    # The same trees, copied over one another.
    assert found.copied.mixed > 0


def lines(folder: Path, *found: str) -> Seen:
    """Judge lines of one reader, as `version: stamps`."""
    text = ""
    for at, line in enumerate(found):
        version, _, stamps = line.partition(": ")
        parts = ", ".join(f'"{name} {stamp}"' for name, stamp in zip("abcf", stamps.split(), strict=False))
        what = f'"parts": [{parts}]' if stamps else '"error": "ImportError"'
        text += f'{{"version": "{version}", "at": {at}, "until": {at + 1}, {what}}}\n'
    (folder / "out").write_text(text)
    return releases.seen([releases.Reader(None, folder)], {"v1": "1", "v2": "2"})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "mixed", "failed"),
    [
        (["v1: 1 1 1 1", "v2: 2 2 2 2"], 0, 0),
        (["v1: 1 1 1 2"], 1, 0),
        (["v2: 1 2 2 2"], 1, 0),
        # One release, and not the one that the bundle reports.
        (["v1: 2 2 2 2"], 1, 0),
        (["v1: "], 0, 1),
    ],
)
def test_what_counts_as_mixed(tmp_path: Path, found: list[str], mixed: int, failed: int) -> None:
    seen = lines(tmp_path, *found)
    assert (seen.parses, seen.mixed, seen.failed) == (len(found), mixed, failed)
    assert seen.seconds == len(found)


GOOD = Seen(parses=1, mixed=0, failed=0, switches=1, seconds=1)
BAD = Seen(parses=1, mixed=1, failed=0, switches=1, seconds=1)
FAILED = Seen(parses=1, mixed=0, failed=1, switches=1, seconds=1)


@pytest.mark.parametrize(
    ("of_releases", "of_copies", "problems", "good"),
    [
        (GOOD, BAD, (), True),
        (BAD, BAD, (), False),
        (FAILED, BAD, (), False),
        # A detector that sees nothing.
        (GOOD, GOOD, (), False),
        (GOOD, BAD, ("container0: 1 changed (dag0.py)",), False),
    ],
)
def test_when_all_is_well(of_releases: Seen, of_copies: Seen, problems: tuple[str, ...], good: bool) -> None:
    found = Found(
        releases=of_releases, copied=of_copies, moves=1, published=1, collected=0, problems=problems
    )
    assert found.good == good
