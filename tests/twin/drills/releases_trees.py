"""The trees that measurements release: of a given size, each with all kinds of changes against the one before."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

from images.airflow.platform_runtime.releases.entries import Kind
from images.airflow.platform_runtime.releases.manifest import Manifest
from images.airflow.platform_runtime.releases.tree import differences
from tests.releases.trees import Item
from tests.twin.drills.releases import FILES, tree

GROWING: Final = 8
LOOK_SECONDS: Final = 0.002
STAMPED: Final = tuple(f"parts/{part}{number}.py" for number in range(FILES) for part in "abc")
"""Files with the release's stamp, all of one size."""


def release(files: int, number: int) -> tuple[Item, ...]:
    """Return a release of so many files; the next one differs from it in every way in which trees differ.

    From one to the next: 32 files change and keep their sizes, 8 grow, one is renamed, one changes the case of its
    name, one its mode and one link its target.
    """
    items = [
        *tree(number),
        *((f"growing/g{each}.py", b"x = 1\n" * (number + 1), False) for each in range(GROWING)),
        (f"moved/m{number}.py", b"moved = True\n", False),
        ("case/Job.py" if number % 2 else "case/job.py", b"case = True\n", False),
        ("bin/run.sh", b"#!/bin/sh\n", bool(number % 2)),
        ("latest.py", f"dag{number % 2}.py", False),
    ]
    rest = files - len(items)
    items += [(f"team{n % 20}/job{n}.py", f"X = {n}\n".encode() * (n % 200 + 5), False) for n in range(rest)]
    return tuple(items)


def wrong(folder: Path, items: tuple[Item, ...], manifest: Manifest) -> Counter[str]:
    """Count what is not as in the release, by kind."""
    found = differences(folder, manifest)
    content = {path: given for path, given, _ in items}
    counts: Counter[str] = Counter()
    for path in found.changed:
        entry = manifest.by_path.get(path)
        if entry and entry.kind is Kind.LINK:
            counts["link"] += 1
        elif entry and (folder / path).read_bytes() == content[path]:
            counts["mode"] += 1
        else:
            counts["old content"] += 1
    counts["kept"] += sum(not path.startswith(".git") for path in found.extra)
    counts["missing"] += len(found.missing)
    return +counts


class Looks:
    """Looks at the stamped files again and again, as somebody does who parses meanwhile."""

    def __init__(self, where: Callable[[], Path]) -> None:
        """Look where the content is now."""
        self._where = where
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.looks = self.mixed = self.missing = 0

    def __enter__(self) -> Looks:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.is_set():
            place = self._where()
            try:
                stamps = {(place / path).read_bytes() for path in STAMPED}
            except OSError:
                self.missing += 1
            else:
                self.mixed += len(stamps) > 1
            self.looks += 1
            time.sleep(LOOK_SECONDS)
