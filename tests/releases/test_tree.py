"""A tree in the file system against its manifest: nothing that differs goes unseen, and nothing of it leads astray."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from images.airflow.platform_runtime.releases import tree
from images.airflow.platform_runtime.releases.entries import Refusal, file_entry
from images.airflow.platform_runtime.releases.manifest import Manifest, genesis
from images.airflow.platform_runtime.releases.rules import LFS_POINTER, MAX_FILE_BYTES
from images.airflow.platform_runtime.releases.tree import Differences, differences, scan
from tests.releases.trees import Item, entry_of, manifest_of, trees, write

TREE: tuple[Item, ...] = (
    ("etl.py", b"x = 1\n", False),
    ("bin/run", b"#!/bin/sh\n", True),
    ("bin/current", "run", False),
    ("sql/daily/a.sql", b"select 1", False),
    ("sql/daily/b.sql", b"select 2", False),
    ("straße/ü.py", b"", False),
    ("sql/latest", "daily", False),
)
MANIFEST = manifest_of(TREE)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write(tmp_path / "tree", TREE)


def paths(found: Differences) -> dict[str, tuple[str, ...]]:
    """Return the kinds of differences that there are, and see to it that the hash tells of them, too."""
    assert bool(found) == (found.computed_id != MANIFEST.release_id)
    listed = {"extra": found.extra, "missing": found.missing, "changed": found.changed}
    assert bool(found) == any(listed.values())
    return {kind: each for kind, each in listed.items() if each}


def test_nothing_differs(root: Path) -> None:
    found = differences(root, MANIFEST)
    assert paths(found) == {}
    assert (found.computed_id, found.files, str(found)) == (MANIFEST.release_id, 7, "no differences")
    assert scan(root) == MANIFEST


@given(trees())
def test_what_is_written_is_read(items: tuple[Item, ...]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert scan(write(Path(folder), items)) == manifest_of(items)


@given(trees(), trees())
def test_any_two_trees(there: tuple[Item, ...], wanted: tuple[Item, ...]) -> None:
    """The hash is that of what is there, so a container that holds another release says which one."""
    here = {item[0]: entry_of(item) for item in there}
    want = {item[0]: entry_of(item) for item in wanted}
    folders = set(manifest_of(wanted).folders)
    with tempfile.TemporaryDirectory() as folder:
        found = differences(write(Path(folder), there), manifest_of(wanted))
    assert found == Differences(
        computed_id=manifest_of(there).release_id,
        files=len(there),
        extra=tuple(sorted(here.keys() - want.keys() - folders)),
        missing=tuple(sorted(want.keys() - here.keys())),
        changed=tuple(
            sorted(
                {path for path in here.keys() & want.keys() if here[path] != want[path]}
                | (here.keys() & folders)
            )
        ),
    )


def same_size_and_times(root: Path) -> None:
    about = (root / "etl.py").stat()
    (root / "etl.py").write_bytes(b"x = 2\n")
    os.utime(root / "etl.py", ns=(about.st_atime_ns, about.st_mtime_ns))


def one_bit(root: Path) -> None:
    with (root / "sql/daily/b.sql").open("r+b") as file:
        file.seek(7)
        file.write(bytes([ord("2") ^ 1]))


def link_becomes_its_file(root: Path) -> None:
    (root / "bin/current").unlink()
    (root / "bin/current").write_bytes(b"#!/bin/sh\n")
    (root / "bin/current").chmod(0o755)


def file_becomes_a_link_to_the_same_content(root: Path) -> None:
    (root / "etl.py").rename(root.parent / "etl.py")
    (root / "etl.py").symlink_to("../etl.py")


def folder_becomes_a_link_to_the_same_content(root: Path) -> None:
    (root / "sql/daily").rename(root.parent / "daily")
    (root / "sql/daily").symlink_to("../../daily")


def link_leads_elsewhere(root: Path) -> None:
    (root / "bin/current").unlink()
    (root / "bin/current").symlink_to("./run")


def case_only_rename(root: Path) -> None:
    (root / "etl.py").rename(root / "ETL.py")


def case_only_rename_of_a_folder(root: Path) -> None:
    (root / "bin").rename(root / "Bin")


def decomposed(root: Path) -> None:
    (root / "straße/ü.py").rename(root / "straße/u\u0308.py")


def folder_becomes_a_file(root: Path) -> None:
    (root / "straße/ü.py").unlink()
    (root / "straße").rmdir()
    (root / "straße").write_bytes(b"")


def file_becomes_a_folder(root: Path) -> None:
    (root / "etl.py").unlink()
    (root / "etl.py").mkdir()


def pipe_in_place_of_a_file(root: Path) -> None:
    (root / "etl.py").unlink()
    os.mkfifo(root / "etl.py")


def a_socket(root: Path) -> None:
    here = Path.cwd()
    os.chdir(root)  # the path of a socket must be short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind("s")
    finally:
        os.chdir(here)


def bytes_that_are_no_name(root: Path) -> None:
    Path(os.fsdecode(os.fsencode(root) + b"/\xff")).write_bytes(b"")


EDITS: list[tuple[Callable[[Path], Any], dict[str, tuple[str, ...]]]] = [
    (same_size_and_times, {"changed": ("etl.py",)}),
    (one_bit, {"changed": ("sql/daily/b.sql",)}),
    (lambda root: (root / "etl.py").write_bytes(b""), {"changed": ("etl.py",)}),
    (lambda root: (root / "etl.py").unlink(), {"missing": ("etl.py",)}),
    (lambda root: (root / "bin/current").unlink(), {"missing": ("bin/current",)}),
    (lambda root: (root / "etl.py").rename(root / "x.py"), {"extra": ("x.py",), "missing": ("etl.py",)}),
    (case_only_rename, {"extra": ("ETL.py",), "missing": ("etl.py",)}),
    (
        case_only_rename_of_a_folder,
        {"extra": ("Bin/current", "Bin/run"), "missing": ("bin/current", "bin/run")},
    ),
    (decomposed, {"extra": ("straße/u\u0308.py",), "missing": ("straße/ü.py",)}),
    (lambda root: (root / "etl.py").chmod(0o755), {"changed": ("etl.py",)}),
    (lambda root: (root / "bin/run").chmod(0o655), {"changed": ("bin/run",)}),
    # Who may read or write is not content.
    (lambda root: (root / "bin/run").chmod(0o500), {}),
    (lambda root: (root / "etl.py").chmod(0o444), {}),
    (lambda root: (root / "sql").chmod(0o555), {}),
    (lambda root: os.utime(root / "etl.py", (0, 0)), {}),
    (link_becomes_its_file, {"changed": ("bin/current",)}),
    (file_becomes_a_link_to_the_same_content, {"changed": ("etl.py",)}),
    (
        folder_becomes_a_link_to_the_same_content,
        {"changed": ("sql/daily",), "missing": ("sql/daily/a.sql", "sql/daily/b.sql")},
    ),
    (link_leads_elsewhere, {"changed": ("bin/current",)}),
    (lambda root: (root / "x.py").write_bytes(b""), {"extra": ("x.py",)}),
    (lambda root: (root / "bin/__pycache__").mkdir(), {"extra": ("bin/__pycache__/",)}),
    (lambda root: (root / "a/b/c").mkdir(parents=True), {"extra": ("a/b/c/",)}),
    (folder_becomes_a_file, {"changed": ("straße",), "missing": ("straße/ü.py",)}),
    (file_becomes_a_folder, {"extra": ("etl.py/",), "missing": ("etl.py",)}),
    (pipe_in_place_of_a_file, {"changed": ("etl.py",)}),
    (a_socket, {"extra": ("s",)}),
    (bytes_that_are_no_name, {"extra": ("\udcff",)}),
]


@pytest.mark.parametrize(("edit", "expected"), EDITS)
def test_edits(root: Path, edit: Callable[[Path], Any], expected: dict[str, tuple[str, ...]]) -> None:
    edit(root)
    assert paths(differences(root, MANIFEST)) == expected


@pytest.mark.parametrize("failing", ["etl.py", "bin"])
def test_what_cannot_be_read_is_a_difference(
    root: Path, failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a stand-in: whoever runs the tests may be allowed to read everything."""
    original = os.open

    def refuse(path: Any, *arguments: Any, **named: Any) -> int:
        if path == failing.encode():
            raise PermissionError(13, "Permission denied")
        return original(path, *arguments, **named)

    monkeypatch.setattr(os, "open", refuse)
    expected: dict[str, tuple[str, ...]] = {"changed": (failing,)}
    if failing == "bin":
        expected["missing"] = ("bin/current", "bin/run")
    assert paths(differences(root, MANIFEST)) == expected
    with pytest.raises(Refusal) as raised:
        scan(root)
    assert f"{failing}: it cannot be read: Permission denied; want files, folders and links only" in str(
        raised.value
    )


def test_a_disk_that_fails_while_reading(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "read", fail)
    found = differences(root, MANIFEST)
    assert len(found.changed) == 5
    assert found.files == 2  # links need no reading


@pytest.mark.parametrize("manifest", [MANIFEST, genesis()])
def test_no_folder_at_all(tmp_path: Path, manifest: Manifest) -> None:
    """Not even the empty release is there."""
    found = differences(tmp_path / "none", manifest)
    assert found.changed == (".",)
    assert found.missing == tuple(entry.path for entry in manifest.entries)
    assert found.computed_id not in (manifest.release_id, genesis().release_id)
    with pytest.raises(Refusal) as raised:
        scan(tmp_path / "none")
    line = "(the tree): it cannot be read: No such file or directory; want files, folders and links only"
    assert str(raised.value) == line


def test_the_empty_release(tmp_path: Path) -> None:
    assert not differences(tmp_path, genesis())
    assert scan(tmp_path) == genesis()


def test_the_way_to_the_root_may_be_a_link(root: Path) -> None:
    """Scratch and mounted file systems often have one in their path."""
    (root.parent / "link").symlink_to(root)
    assert not differences(root.parent / "link", MANIFEST)


def test_a_folder_swapped_for_a_link_meanwhile(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing outside of the tree is read, however well it fits."""
    (root / "bin").rename(tmp_path / "bin")
    (root / "bin").symlink_to("../bin")
    monkeypatch.setattr(
        tree, "_is_folder", lambda each, folder: each in (b"bin", b"daily", b"sql", "straße".encode())
    )
    found = differences(root, MANIFEST)
    assert found.changed == ("bin",)
    assert found.missing == ("bin/current", "bin/run")


def test_a_file_that_goes_away_meanwhile(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = tree._is_folder

    def remove_first(each: bytes, folder: int) -> bool:
        if each == b"etl.py":
            with suppress(FileNotFoundError):
                (root / "etl.py").unlink()
        return original(each, folder)

    monkeypatch.setattr(tree, "_is_folder", remove_first)
    assert paths(differences(root, MANIFEST)) == {"missing": ("etl.py",)}


def test_no_device_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    opened = []
    original = os.open

    def note(path: Any, *arguments: Any, **named: Any) -> int:
        opened.append(path)
        return original(path, *arguments, **named)

    monkeypatch.setattr(os, "open", note)
    with pytest.raises(Refusal) as raised:
        scan(tmp_path)
    assert (
        str(raised.value)
        == "pipe: it is a device, a named pipe or a socket; want files, folders and links only"
    )
    assert b"pipe" not in opened


def test_all_problems_of_a_folder_at_once(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "model.bin").write_bytes(LFS_POINTER + b"v1\n")
    (tmp_path / "a.pyc").write_bytes(b"")
    (tmp_path / "out").symlink_to("/etc")
    with pytest.raises(Refusal) as raised:
        scan(tmp_path)
    assert [problem.path for problem in raised.value.problems] == ["a.pyc", "empty", "model.bin", "out"]
    assert (
        "empty: it is an empty folder; want at least one file in it: Git keeps no empty folders"
        in str(raised.value).splitlines()
    )


def test_a_huge_file_is_not_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = 2**40
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(size)
    read = []
    original = os.read

    def note(descriptor: int, count: int) -> bytes:
        read.append(count)
        return original(descriptor, count)

    monkeypatch.setattr(os, "read", note)
    with pytest.raises(Refusal) as raised:
        scan(tmp_path)
    line = f"huge: it has {size} bytes; at most {MAX_FILE_BYTES} are allowed: keep data in a bucket"
    assert str(raised.value).splitlines()[1] == line
    assert sum(read) <= MAX_FILE_BYTES + 2**20
    assert set(read) == {2**20}


def test_a_walk_that_would_never_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MAX_FOUND", 10)
    manifest = Manifest(tuple(file_entry(f"{number:02}", b"") for number in range(10)))
    write(tmp_path, ((entry.path, b"", False) for entry in manifest.entries))
    assert not differences(tmp_path, manifest)
    (tmp_path / "10").write_bytes(b"")
    found = differences(tmp_path, manifest)
    assert found.changed == (".",)
    with pytest.raises(Refusal, match=r"^\(the tree\): it has more than 10 files and folders; "):
        scan(tmp_path)


def test_ten_thousand_files(tmp_path: Path) -> None:
    items: list[Item] = [(f"f{n % 100}/{n}.py", str(n).encode(), False) for n in range(10_000)]
    manifest = manifest_of(items)
    write(tmp_path, items)
    assert not differences(tmp_path, manifest)
    (tmp_path / "f42/4242.py").write_bytes(b"4243")
    assert differences(tmp_path, manifest).changed == ("f42/4242.py",)


def test_no_descriptor_stays_open(root: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    os.mkfifo(root / "pipe")
    (root / "deep" / "/".join("abcdefgh")).mkdir(parents=True)
    differences(root, MANIFEST)
    differences(root / "none", MANIFEST)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_very_deep_tree(tmp_path: Path) -> None:
    """Nothing below the longest path that a manifest can have is of interest."""
    here = Path.cwd()
    os.chdir(tmp_path)
    try:
        for _ in range(150):
            Path("folder9").mkdir()
            os.chdir("folder9")
    finally:
        os.chdir(here)
    found = differences(tmp_path, genesis())
    assert [len(path) for path in found.extra] == [1031]
    with pytest.raises(Refusal, match="folder9: its path has 1031 bytes; "):
        scan(tmp_path)


def test_what_is_said() -> None:
    many = tuple(f"{number}.py" for number in range(7))
    found = Differences(computed_id="0", files=1, extra=many, missing=("a\nb",))
    assert str(found) == "7 extra (0.py, 1.py, 2.py, 3.py, 4.py, and 2 more), 1 missing (a\\nb)"
    assert str(replace(found, extra=(), missing=(), changed=("x",))) == "1 changed (x)"
