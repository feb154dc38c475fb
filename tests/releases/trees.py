"""Trees for tests: written to a folder, or drawn by chance."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from hypothesis import strategies as st

from images.airflow.platform_runtime.releases.archive import pack
from images.airflow.platform_runtime.releases.entries import Entry, Refusal, file_entry, link_entry
from images.airflow.platform_runtime.releases.manifest import Manifest
from images.airflow.platform_runtime.releases.rules import LFS_POINTER

Item = tuple[str, bytes | str, bool]
"""Path, content of a file or target of a link, and whether it may be executed."""

NAMES: Final = st.sampled_from(("a", "b", "c.py", "ä", "日本", "x y", "-", "_z", "ﬀ", "e.sql"))
PATHS: Final = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
CONTENT: Final = st.binary(max_size=40).filter(lambda content: not content.startswith(LFS_POINTER))


def entry_of(item: Item) -> Entry:
    """Return the manifest's entry."""
    path, content, executable = item
    if isinstance(content, str):
        return link_entry(path, content)
    return file_entry(path, content, executable=executable)


def manifest_of(items: Iterable[Item]) -> Manifest:
    """Return the manifest of a tree."""
    return Manifest(tuple(map(entry_of, items)))


def write(root: Path, items: Iterable[Item]) -> Path:
    """Write a tree to a folder, which is made if need be."""
    root.mkdir(parents=True, exist_ok=True)
    for path, content, executable in items:
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            place.symlink_to(content)
        else:
            place.write_bytes(content)
            place.chmod(0o755 if executable else 0o644)
    return root


def archive_of(items: Iterable[Item]) -> bytes:
    """Return the archive of a tree."""
    items = list(items)
    content = {path: given for path, given, _ in items if isinstance(given, bytes)}
    out = io.BytesIO()
    pack(manifest_of(items), lambda entry: content[entry.path], out)
    return out.getvalue()


def snapshot(root: Path) -> dict[str, str]:
    """Return everything below a folder with what it is, links not followed."""
    found = {}
    for folder, folders, files in os.walk(root):
        for name in folders + files:
            path = Path(folder, name)
            found[str(path.relative_to(root))] = f"{path.lstat().st_mode:o} {_content(path)}"
    return found


def _content(path: Path) -> str:
    if path.is_symlink():
        return str(path.readlink())
    return "" if path.is_dir() else str(path.read_bytes())


class GivenTree:
    """A tree as the gate takes it."""

    def __init__(self, *items: Item) -> None:
        self.manifest = manifest_of(items)
        self._content = {path: content for path, content, _ in items}

    def read(self, entry: Entry) -> bytes:
        content = self._content[entry.path]
        assert isinstance(content, bytes)
        return content


@st.composite
def trees(draw: st.DrawFn, *, links: bool = True) -> tuple[Item, ...]:
    """Draw a tree that can be a release: no path is a folder and something else, links lead to what is there."""
    drawn = draw(st.dictionaries(PATHS, st.tuples(CONTENT, st.booleans()), max_size=8))
    items: list[Item] = [
        (path, content, executable)
        for path, (content, executable) in drawn.items()
        if not any(other != path and other.startswith(f"{path}/") for other in drawn)
    ]
    for path, target in draw(st.dictionaries(PATHS, st.integers(0, 7), max_size=3)).items() if links else ():
        here = path.count("/") * "../"
        with_link = [*items, (path, here + items[target % len(items)][0], False)] if items else items
        if _valid(with_link):
            items = with_link
    return tuple(items)


def _valid(items: list[Item]) -> bool:
    try:
        manifest_of(items)
    except Refusal:
        return False
    return True
