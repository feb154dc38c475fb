"""The archive: packed the same way each time, and unpacked to exactly the manifest's content or to an error."""

from __future__ import annotations

import gzip
import io
import os
import random
import shutil
import stat
import tarfile
import tempfile
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from images.airflow.platform_runtime.releases import archive
from images.airflow.platform_runtime.releases.archive import ArchiveError, pack, remove, unpack
from images.airflow.platform_runtime.releases.entries import file_entry
from images.airflow.platform_runtime.releases.manifest import Manifest, genesis
from images.airflow.platform_runtime.releases.parallel import AHEAD, WORKERS
from images.airflow.platform_runtime.releases.tree import differences
from tests.releases.trees import Item, archive_of, manifest_of, snapshot, trees, write

TREE: tuple[Item, ...] = (
    ("etl.py", b"x = 1\n", False),
    ("bin/run", b"#!/bin/sh\n", True),
    ("bin/current", "run", False),
    ("sql/daily/ü.sql", b"select 1", False),
)
MANIFEST = manifest_of(TREE)
ARCHIVE = archive_of(TREE)


class Crash(BaseException):
    """Nothing catches it, as nothing catches the end of a process."""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_the_same_bytes_each_time() -> None:
    assert archive_of(reversed(TREE)) == ARCHIVE
    with tarfile.open(fileobj=io.BytesIO(ARCHIVE)) as tar:
        members = [(m.name, m.mode, m.mtime, m.uid, m.gid, m.uname, m.gname, m.linkname) for m in tar]
    assert members == [
        ("bin/current", 0o777, 0, 0, 0, "", "", "run"),
        ("bin/run", 0o755, 0, 0, 0, "", "", ""),
        ("etl.py", 0o644, 0, 0, 0, "", "", ""),
        ("sql/daily/ü.sql", 0o644, 0, 0, 0, "", "", ""),
    ]
    assert ARCHIVE[4:8] == bytes(4), "gzip has a time of its own"


def test_a_stream_is_read_and_closed() -> None:
    content = {path: given for path, given, _ in TREE if isinstance(given, bytes)}
    streams = {path: io.BytesIO(given) for path, given in content.items()}
    out = io.BytesIO()
    pack(MANIFEST, lambda entry: streams[entry.path], out)
    assert out.getvalue() == ARCHIVE
    assert all(stream.closed for stream in streams.values())


@pytest.mark.parametrize("given", [b"", b"x = 2\n", b"x = 1\n\n", b"x"])
def test_other_content_is_not_packed(given: bytes) -> None:
    manifest = Manifest((file_entry("etl.py", b"x = 1\n"),))
    with pytest.raises(ArchiveError) as raised:
        pack(manifest, lambda _: given, io.BytesIO())
    sha256 = manifest.entries[0].sha256
    assert str(raised.value) == f"etl.py: the content is not what the manifest says: want sha256 {sha256}"


def test_a_full_disk_while_packing_is_no_damage() -> None:
    class Full(io.BytesIO):
        """For a moment, in the middle."""

        full = True

        def write(self, content: Any) -> int:
            if self.full and self.tell() > 1000:
                self.full = False
                raise OSError(28, "No space left on device")
            return super().write(content)

    content = random.Random(1).randbytes(10**6)  # so that much must be written before the end
    with pytest.raises(OSError, match="No space left on device"):
        pack(Manifest((file_entry("a", content),)), lambda _: content, Full())


def test_unpacked(tmp_path: Path) -> None:
    into = tmp_path / "tree"
    unpack(io.BytesIO(ARCHIVE), MANIFEST, into)
    assert not differences(into, MANIFEST)
    assert {str(path.relative_to(into)): oct(mode(path)) for path in [into, *into.rglob("*")]} == {
        ".": "0o555",
        "bin": "0o555",
        "bin/current": "0o777",
        "bin/run": "0o555",
        "etl.py": "0o444",
        "sql": "0o555",
        "sql/daily": "0o555",
        "sql/daily/ü.sql": "0o444",
    }


@given(trees())
def test_what_is_packed_is_unpacked(items: tuple[Item, ...]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        into = Path(folder, "tree")
        unpack(io.BytesIO(archive_of(items)), manifest_of(items), into)
        assert not differences(into, manifest_of(items))
        remove(into)


def test_the_empty_release(tmp_path: Path) -> None:
    unpack(io.BytesIO(archive_of(())), genesis(), tmp_path / "tree")
    assert not differences(tmp_path / "tree", genesis())


def test_long_names(tmp_path: Path) -> None:
    long = "ä" * 125
    items: list[Item] = [(f"{long}/{long}/{long}/{long}/x", b"1", False), ("l", f"{long}/" * 4 + "x", False)]
    unpack(io.BytesIO(archive_of(items)), manifest_of(items), tmp_path / "tree")
    assert not differences(tmp_path / "tree", manifest_of(items))


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"")
    with pytest.raises(ArchiveError) as raised:
        unpack(io.BytesIO(ARCHIVE), MANIFEST, tmp_path)
    assert str(raised.value) == f"{tmp_path} is not empty: unpacking needs a folder of its own"
    assert snapshot(tmp_path) == {"x": "100644 b''"}


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    unpack(io.BytesIO(ARCHIVE), MANIFEST, tmp_path / "tree")
    assert not differences(tmp_path / "tree", MANIFEST)


def test_a_link_in_place_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "tree").symlink_to("outside")
    with pytest.raises(OSError, match=r"Not a directory|Too many levels"):
        unpack(io.BytesIO(ARCHIVE), MANIFEST, tmp_path / "tree")
    assert list((tmp_path / "outside").iterdir()) == []


def tar_of(*members: tuple[dict[str, Any], bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    """Return an archive of any members."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", format=form) as tar:
        for fields, content in members:
            member = tarfile.TarInfo()
            member.size = len(content)
            for key, value in fields.items():
                setattr(member, key, value)
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


ETL = {"name": "etl.py"}, b"x = 1\n"
RUN = {"name": "bin/run", "mode": 0o755}, b"#!/bin/sh\n"
CURRENT = {"name": "bin/current", "mode": 0o777, "type": tarfile.SYMTYPE, "linkname": "run"}, b""
SQL = {"name": "sql/daily/ü.sql"}, b"select 1"
OTHER_CONTENT = (
    f"etl.py: the content is not what the manifest says: want sha256 {MANIFEST.by_path['etl.py'].sha256}"
)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the archive is damaged, or no archive: empty file"),
        (b"PK\x03\x04", "the archive is damaged, or no archive: Not a gzipped file (b'PK')"),
        (gzip.compress(b""), "the archive is damaged, or no archive: empty file"),
        (gzip.compress(b"x" * 600), "the archive is damaged, or no archive: invalid header"),
        (ARCHIVE[:-1], "the archive ends too early: its upload or download was cut off"),
        (ARCHIVE[:40], "the archive ends too early: its upload or download was cut off"),
        (tar_of(ETL, RUN, CURRENT), "the archive lacks sql/daily/ü.sql"),
        (tar_of(ETL, RUN), "the archive lacks bin/current, sql/daily/ü.sql"),
        (tar_of(ETL, ETL), "etl.py: it is in the archive twice"),
        (tar_of(({"name": "more.py"}, b"")), "more.py: it is in the archive only"),
        (tar_of(({"name": "../etl.py"}, b"")), "../etl.py: it is in the archive only"),
        (tar_of(({"name": "/etc/passwd"}, b"")), "/etc/passwd: it is in the archive only"),
        (tar_of(({"name": "./etl.py"}, b"x = 1\n")), "./etl.py: it is in the archive only"),
        (tar_of(({"name": "bin", "type": tarfile.DIRTYPE}, b"")), "bin: it is in the archive only"),
        (tar_of(({"name": "etl.py"}, b"x = 2\n")), OTHER_CONTENT),
        (
            tar_of(({"name": "etl.py"}, b"x = 10\n")),
            "etl.py: want a file of 6 bytes, mode 0644 as in the manifest, got a file of 7 bytes, mode 0644",
        ),
        (
            tar_of(({"name": "etl.py", "mode": 0o4755}, b"x = 1\n")),
            "etl.py: want a file of 6 bytes, mode 0644 as in the manifest, got a file of 6 bytes, mode 4755",
        ),
        (
            tar_of(({"name": "bin/current", "mode": 0o777, "type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}, b"")),
            ("bin/current: want a link of 0 bytes, mode 0777, to run as in the manifest,"
            " got a link of 0 bytes, mode 0777, to /etc/passwd"),
        ),
        (
            tar_of(({"name": "etl.py", "mode": 0o777, "type": tarfile.SYMTYPE, "linkname": "bin/run"}, b"")),
            ("etl.py: want a file of 6 bytes, mode 0644 as in the manifest,"
            " got a link of 0 bytes, mode 0777, to bin/run"),
        ),
        (
            tar_of(ETL, ({"name": "bin/run", "mode": 0o755, "type": tarfile.LNKTYPE, "linkname": "etl.py"}, b"")),
            ("bin/run: want a file of 10 bytes, mode 0755 as in the manifest,"
            " got a type b'1' of 0 bytes, mode 0755, to etl.py"),
        ),
        (
            tar_of(({"name": "etl.py", "type": tarfile.FIFOTYPE}, b"")),
            ("etl.py: want a file of 6 bytes, mode 0644 as in the manifest,"
            " got a type b'6' of 0 bytes, mode 0644"),
        ),
        (
            tar_of(({"name": "etl.py", "pax_headers": {"GNU.sparse.major": "0", "GNU.sparse.map": "0,6"}}, b"x = 1\n")),
            ("etl.py: want a file of 6 bytes, mode 0644 as in the manifest,"
            " got a type b'0' of 6 bytes, mode 0644"),
        ),
    ],
)  # fmt: skip
def test_what_is_not_this_release(content: bytes, words: str, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError) as raised:
        unpack(io.BytesIO(content), MANIFEST, tmp_path / "tree")
    assert str(raised.value) == words
    assert [path.name for path in tmp_path.iterdir()] == ["tree"]
    # What was begun is in the way of nobody.
    remove(tmp_path / "tree")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_another_order_and_form(form: int, tmp_path: Path) -> None:
    unpack(io.BytesIO(tar_of(SQL, CURRENT, ETL, RUN, form=form)), MANIFEST, tmp_path / "tree")
    assert not differences(tmp_path / "tree", MANIFEST)


def test_a_small_archive_with_a_huge_content(tmp_path: Path) -> None:
    out = io.BytesIO()
    with gzip.open(out, "wb") as file:
        file.write(gzip.decompress(ARCHIVE))
        for _ in range(64):
            file.write(bytes(2**20))
    with pytest.raises(
        ArchiveError, match=r"^the archive has more than 1097752 bytes, far more than its manifest lists$"
    ):
        unpack(io.BytesIO(out.getvalue()), MANIFEST, tmp_path / "tree")


def test_a_header_that_claims_a_huge_content(tmp_path: Path) -> None:
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, 2**33
    content = gzip.compress(header.tobuf() + bytes(3 * 2**20))
    with pytest.raises(ArchiveError):
        unpack(io.BytesIO(content), MANIFEST, tmp_path / "tree")


def test_a_cut_anywhere(tmp_path: Path) -> None:
    for size in range(len(ARCHIVE)):
        with pytest.raises(ArchiveError):
            unpack(io.BytesIO(ARCHIVE[:size]), MANIFEST, tmp_path / "tree")
        remove(tmp_path / "tree")


RAW = gzip.decompress(ARCHIVE)


def exact_or_error(content: bytes) -> None:
    """Unpack anything: the release as it must be, or an error, and nothing beside the folder."""
    with tempfile.TemporaryDirectory() as folder:
        into = Path(folder, "a", "tree")
        into.parent.mkdir()
        try:
            unpack(io.BytesIO(content), MANIFEST, into)
        except ArchiveError:
            pass
        else:
            assert not differences(into, MANIFEST)
        assert list(Path(folder).iterdir()) == [into.parent]
        assert list(into.parent.iterdir()) == [into]
        remove(into)


@given(st.data())
@settings(max_examples=200)
def test_any_changed_byte(data: st.DataObject) -> None:
    """Of the compressed bytes, or of what is in them."""
    compressed = data.draw(st.booleans())
    content = bytearray(ARCHIVE if compressed else RAW)
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    exact_or_error(bytes(content) if compressed else gzip.compress(bytes(content), 0))


HEADERS = st.fixed_dictionaries(
    {
        "name": st.sampled_from(
            ("etl.py", "bin/run", "bin/current", "../x", "/tmp/x", "", "bin", "bin/current/x")
        ),
        "mode": st.sampled_from((0o644, 0o755, 0o777)),
        "type": st.sampled_from([bytes([byte]) for byte in b"0123456LKxgXSV7\x00"]),
        "linkname": st.sampled_from(("", "run", "..", "/etc")),
        "pax_headers": st.dictionaries(
            st.sampled_from(
                ("path", "linkpath", "size", "GNU.sparse.size", "GNU.sparse.major", "GNU.sparse.map")
            ),
            st.sampled_from(("etl.py", "../x", "-1", "6", "1", "0,6,9", "x")),
            max_size=2,
        ),
    }
)


@given(
    st.lists(
        st.tuples(HEADERS, st.sampled_from((b"", b"x = 1\n", b"6 path=\n", b"11 path=../x\n", b"\xff" * 600)))
    )
)
@settings(max_examples=200)
def test_any_archive(members: list[tuple[dict[str, Any], bytes]]) -> None:
    exact_or_error(tar_of(*members))


def steps_of(action: Callable[[archive.Steps], None]) -> list[str]:
    steps: list[str] = []
    action(steps.append)
    return steps


def test_a_crash_at_each_step(tmp_path: Path) -> None:
    steps = steps_of(lambda each: unpack(io.BytesIO(ARCHIVE), MANIFEST, tmp_path / "whole", each))
    assert steps == [
        "make the root",
        "make bin",
        "make sql",
        "make sql/daily",
        "write bin/current",
        "write bin/run",
        "fill bin/run",
        "sync bin/run",
        "write etl.py",
        "fill etl.py",
        "sync etl.py",
        "write sql/daily/ü.sql",
        "fill sql/daily/ü.sql",
        "sync sql/daily/ü.sql",
        "close sql/daily",
        "sync sql/daily",
        "close sql",
        "sync sql",
        "close bin",
        "sync bin",
        "close the root",
        "sync the root",
    ]
    for number in range(len(steps)):
        left = iter(range(number))

        def crash(_step: str, left: Any = left) -> None:
            if next(left, None) is None:
                raise Crash

        with pytest.raises(Crash):
            unpack(io.BytesIO(ARCHIVE), MANIFEST, tmp_path / "tree", crash)
        # Only the very last steps, which change nothing any more, leave a whole tree.
        whole = not differences(tmp_path / "tree", MANIFEST)
        assert whole == (number >= steps.index("sync sql/daily/ü.sql"))
        remove(tmp_path / "tree")
        assert not (tmp_path / "tree").exists()
        unpack(io.BytesIO(ARCHIVE), MANIFEST, tmp_path / "tree")
        remove(tmp_path / "tree")


def test_everything_is_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file after its mode, each folder after all that is in it."""
    synced: list[str] = []

    def note(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        assert mode(path) in (0o444, 0o555)
        synced.append(str(path.relative_to(tmp_path)))

    monkeypatch.setattr(os, "fsync", note)
    unpack(io.BytesIO(ARCHIVE), MANIFEST, tmp_path / "t")
    assert synced == ["t/bin/run", "t/etl.py", "t/sql/daily/ü.sql", "t/sql/daily", "t/sql", "t/bin", "t"]


@pytest.mark.parametrize("number", [28, 13, 5])
def test_errors_of_the_file_system_stay_what_they_are(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "write", fail)
    with pytest.raises(OSError, match=os.strerror(number)) as raised:
        unpack(io.BytesIO(ARCHIVE), MANIFEST, tmp_path / "tree")
    assert raised.value.errno == number


def test_errors_of_the_source_stay_what_they_are(tmp_path: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, _size: int | None = -1) -> bytes:
            raise ConnectionResetError("the other side hung up")

    with pytest.raises(ConnectionResetError, match="the other side hung up"):
        unpack(Broken(), MANIFEST, tmp_path / "tree")


def test_short_writes_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, content: original(descriptor, bytes(content)[:3]))
    unpack(io.BytesIO(ARCHIVE), MANIFEST, tmp_path / "tree")
    assert not differences(tmp_path / "tree", MANIFEST)


def test_removed_and_nothing_else(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside", TREE)
    unpack(io.BytesIO(ARCHIVE), MANIFEST, tmp_path / "tree")
    (tmp_path / "tree").chmod(0o755)
    (tmp_path / "tree" / "out").symlink_to("../outside")
    (tmp_path / "tree").chmod(0o555)
    before = snapshot(outside)
    remove(tmp_path / "tree")
    assert [path.name for path in tmp_path.iterdir()] == ["outside"]
    assert snapshot(outside) == before


def test_folders_are_writable_before_anything_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their owner cannot remove anything from a read-only folder; root could."""
    unpack(io.BytesIO(ARCHIVE), MANIFEST, tmp_path / "tree")
    original = shutil.rmtree
    seen: list[str] = []

    def look(path: Path, **named: Any) -> None:
        seen.extend(oct(mode(each)) for each in [path, *path.rglob("*")] if each.is_dir())
        original(path, **named)

    monkeypatch.setattr(shutil, "rmtree", look)
    remove(tmp_path / "tree")
    assert seen == ["0o700"] * 4


def test_removed_is_also_what_is_no_folder_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "link").symlink_to(tmp_path)
    for name in ("file", "link", "none"):
        remove(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_two_remove_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one is always a little faster."""
    write(tmp_path / "tree", TREE)
    original = os.unlink

    def twice(path: Any, *, dir_fd: int | None = None) -> None:
        original(path, dir_fd=dir_fd)
        original(path, dir_fd=dir_fd)

    monkeypatch.setattr(os, "unlink", twice)
    remove(tmp_path / "tree")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_removed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "tree", TREE)

    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "unlink", refuse)
    with pytest.raises(PermissionError):
        remove(tmp_path / "tree")


# Many files are written by several threads

MANY: tuple[Item, ...] = (
    *((f"{n % 7}/{n % 3}/f{n}.py", b"x" * (n * 37 % 5000), n % 5 == 0) for n in range(4 * archive.FEW)),
    ("0/0/big", b"b" * (archive.SMALL_BYTES + 1), False),
    ("0/0/to", "big", False),
)
MANY_MANIFEST = manifest_of(MANY)
MANY_ARCHIVE = archive_of(MANY)


def test_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is synchronised once, with its mode, and each folder as well."""
    synced: list[str] = []

    def note(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        assert mode(path) in (0o444, 0o555)
        synced.append(str(path.relative_to(tmp_path / "t")))

    monkeypatch.setattr(os, "fsync", note)
    unpack(io.BytesIO(MANY_ARCHIVE), MANY_MANIFEST, tmp_path / "t")
    assert not differences(tmp_path / "t", MANY_MANIFEST)
    files = [path for path, content, _ in MANY if isinstance(content, bytes)]
    assert sorted(synced) == sorted([*files, *MANY_MANIFEST.folders, "."])
    assert synced[-1] == "."


def test_many_files_in_any_order(tmp_path: Path) -> None:
    """An archive that goes from folder to folder keeps no descriptor and forgets no file."""
    out = io.BytesIO()
    content = {path: given for path, given, _ in MANY}
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for entry in sorted(MANY_MANIFEST.entries, key=lambda entry: entry.path[::-1]):
            member = tarfile.TarInfo(entry.path)
            member.mode, member.size = entry.mode, entry.size
            given = content[entry.path]
            if isinstance(given, str):
                member.type, member.linkname, member.size = tarfile.SYMTYPE, given, 0
                tar.addfile(member)
            else:
                tar.addfile(member, io.BytesIO(given))
    before = len(list(Path("/proc/self/fd").iterdir()))
    unpack(io.BytesIO(out.getvalue()), MANY_MANIFEST, tmp_path / "t")
    assert not differences(tmp_path / "t", MANY_MANIFEST)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize("number", [28, 13, 5])
def test_an_error_while_many_are_written(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one thread, at one file: it stays what it is, and nobody writes on while the rest is removed."""
    original, left = os.fsync, iter(range(100))

    def fail(descriptor: int) -> None:
        if next(left, None) is None:
            raise OSError(number, os.strerror(number))
        original(descriptor)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match=os.strerror(number)) as raised:
            unpack(io.BytesIO(MANY_ARCHIVE), MANY_MANIFEST, tmp_path / "t")
    assert raised.value.errno == number
    assert threading.active_count() == 1
    remove(tmp_path / "t")
    unpack(io.BytesIO(MANY_ARCHIVE), MANY_MANIFEST, tmp_path / "t")


def test_other_content_among_many(tmp_path: Path) -> None:
    other = tuple((path, b"y" if path == "3/1/f10.py" else content, x) for path, content, x in MANY)
    wrong = replace(manifest_of(other).by_path["3/1/f10.py"], size=MANY_MANIFEST.by_path["3/1/f10.py"].size)
    entries = tuple(wrong if entry.path == wrong.path else entry for entry in MANY_MANIFEST.entries)
    with pytest.raises(ArchiveError, match=r"^3/1/f10\.py: the content is not what the manifest says"):
        unpack(io.BytesIO(MANY_ARCHIVE), Manifest(entries), tmp_path / "t")


def test_a_crash_while_many_are_written(tmp_path: Path) -> None:
    """Steps are counted one at a time; a tree is whole at the very last ones only."""
    steps = steps_of(lambda each: unpack(io.BytesIO(MANY_ARCHIVE), MANY_MANIFEST, tmp_path / "whole", each))
    for number in range(0, steps.index("close 6/2"), 61):
        seen: list[str] = []

        def crash(step: str, seen: list[str] = seen, number: int = number) -> None:
            seen.append(step)
            if len(seen) > number:
                raise Crash

        with pytest.raises(Crash):
            unpack(io.BytesIO(MANY_ARCHIVE), MANY_MANIFEST, tmp_path / "tree", crash)
        # Every thread comes to its next step at most.
        assert len(seen) <= number + 1 + WORKERS + AHEAD
        assert differences(tmp_path / "tree", MANY_MANIFEST)
        remove(tmp_path / "tree")
