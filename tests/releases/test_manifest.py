"""The manifest: one tree is one sequence of bytes, and what could mean two things is refused."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from images.airflow.platform_runtime.releases.entries import (
    Entry,
    Kind,
    Problem,
    Refusal,
    file_entry,
    link_entry,
    name,
    raw,
    shown,
)
from images.airflow.platform_runtime.releases.manifest import MAX_JSON_BYTES, Manifest, genesis, is_release_id
from images.airflow.platform_runtime.releases.rules import (
    LFS_POINTER,
    MAX_ENTRIES,
    MAX_FILE_BYTES,
    MAX_TREE_BYTES,
    check,
    content_problem,
)
from tests.releases.trees import Item, entry_of, manifest_of, trees, write

EMPTY = hashlib.sha256(b"").hexdigest()


def files(*paths: str) -> list[Entry]:
    return [file_entry(path, b"") for path in paths]


def refused(entries: Iterable[Entry]) -> list[str]:
    """Return the lines of the refusal, none when the tree is fine."""
    try:
        Manifest(tuple(entries))
    except Refusal as refusal:
        return str(refusal).splitlines()
    return []


def test_the_bytes() -> None:
    """They are the release's identity: another byte here is another id for every release there ever was."""
    manifest = Manifest(
        (
            file_entry("ä.sql", b"select 1"),
            file_entry("bin/run", b"#!/bin/sh\n", executable=True),
            link_entry("bin/current", "../ä.sql"),
        )
    )
    assert (
        manifest.to_json()
        == (
            '{"entries":['
            '{"kind":"link","mode":"0777","path":"bin/current",'
            '"sha256":"78eb34ce2712bc4b6049289974fce28d1e5e2ed5545b4a4e0835ef9829030984","size":9,"target":"../ä.sql"},'
            '{"kind":"file","mode":"0755","path":"bin/run",'
            '"sha256":"a8076d3d28d21e02012b20eaf7dbf75409a6277134439025f282e368e3305abf","size":10},'
            '{"kind":"file","mode":"0644","path":"ä.sql",'
            '"sha256":"822ae07d4783158bc1912bb623e5107cc9002d519e1143a9c200ed6ee18b6d0f","size":8}'
            '],"format":1}\n'
        ).encode()
    )
    assert manifest.release_id == hashlib.sha256(manifest.to_json()).hexdigest()
    assert (manifest.files, manifest.size_bytes, manifest.folders) == (3, 18, ("bin",))


def test_the_empty_release() -> None:
    assert genesis().to_json() == b'{"entries":[],"format":1}\n'
    assert genesis().release_id == "496dec0ef1cbdae46d6ef621fe118f9bacf9bb461789a6006401b55a1298d1ee"
    assert (genesis().files, genesis().size_bytes, genesis().folders) == (0, 0, ())
    assert Manifest.from_json(genesis().to_json()) == genesis()


@given(trees(), st.randoms(use_true_random=False))
def test_the_order_given_does_not_matter(items: tuple[Item, ...], random: Any) -> None:
    shuffled = list(items)
    random.shuffle(shuffled)
    assert manifest_of(shuffled).to_json() == manifest_of(items).to_json()


@given(trees())
def test_read_back(items: tuple[Item, ...]) -> None:
    manifest = manifest_of(items)
    again = Manifest.from_json(manifest.to_json())
    assert (again, again.release_id) == (manifest, manifest.release_id)
    assert is_release_id(manifest.release_id)


@given(st.lists(st.text(min_size=1, max_size=3), unique=True))
def test_the_order_is_that_of_the_bytes(paths: list[str]) -> None:
    try:
        manifest = Manifest(tuple(files(*paths)))
    except Refusal:
        return
    listed = [entry.path.encode() for entry in manifest.entries]
    assert listed == sorted(listed)


@given(trees(), trees())
def test_other_trees_have_other_ids(one: tuple[Item, ...], other: tuple[Item, ...]) -> None:
    same = set(map(entry_of, one)) == set(map(entry_of, other))
    assert (manifest_of(one).release_id == manifest_of(other).release_id) == same


@pytest.mark.parametrize(
    "changes",
    [
        {"path": "b.py"},
        {"mode": 0o755},
        {"size": 2},
        {"sha256": EMPTY},
    ],
)
def test_each_field_is_part_of_the_id(changes: dict[str, Any]) -> None:
    entry = file_entry("a.py", b"1")
    changed = replace(entry, **changes)
    assert Manifest((entry,)).release_id != Manifest((changed,)).release_id


WANT_NAMES = 'a part of the path is empty, "." or ".."; want names only'
BYTECODE = (
    "it is bytecode, which Python may run in place of the source;"
    " remove it from the repository and add it to .gitignore"
)
NFC = "its name has letters in a decomposed form, which some file systems change; want Unicode's form NFC: rename it"
CONTROL = "its name has a control character; rename it"
GIT = "it belongs to a Git repository itself; release what is committed, not .git"


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("", f"(the tree): {WANT_NAMES}"),
        (".", f".: {WANT_NAMES}"),
        ("a/../b", f"a/../b: {WANT_NAMES}"),
        ("a//b", f"a//b: {WANT_NAMES}"),
        ("a/", f"a/: {WANT_NAMES}"),
        ("/etc/passwd", "/etc/passwd: the path is absolute; want one relative to the tree's root"),
        ("a\\b.py", "a\\b.py: its name has a backslash; some tools take that for a folder: rename it"),
        ("a\nb.py", f"a\\nb.py: {CONTROL}"),
        ("a\x7f.py", f"a\\x7f.py: {CONTROL}"),
        ("a\u2028.py", f"a\\u2028.py: {CONTROL}"),
        ("a\u202eyp.py", f"a\\u202eyp.py: {CONTROL}"),
        ("u\u0308.py", f"u\u0308.py: {NFC}"),
        ("\u212b.py", f"\u212b.py: {NFC}"),
        ("\udcff.py", "\\udcff.py: its name is not UTF-8; rename it"),
        ("\ud800.py", "\\ud800.py: its name is not UTF-8; rename it"),
        ("é" * 128, f"{'é' * 128}: a name in the path has 256 bytes; at most 255 are allowed"),
        (
            f"{'a' * 250}/" * 4 + "b" * 21,
            f"{'a' * 250}/" * 4 + "b" * 21 + ": the path has 1025 bytes; at most 1024 are allowed",
        ),
        (".git/config", f".git/config: {GIT}"),
        ("sub/.GIT", f"sub/.GIT: {GIT}"),
        ("__pycache__/a.cpython-311.so", f"__pycache__/a.cpython-311.so: {BYTECODE}"),
        ("a.pyc", f"a.pyc: {BYTECODE}"),
        ("sub/a.PYO", f"sub/a.PYO: {BYTECODE}"),
    ],
)
def test_names_refused(path: str, line: str) -> None:
    assert refused(files(path)) == [line]


@pytest.mark.parametrize(
    "path",
    [
        "a.py",
        ".airflowignore",
        ".gitignore",
        ".gitmodules",
        "a b/c d.py",
        "ü.py",
        "日本語.sql",
        "👩\u200d🔬.txt",  # the joiner in it is no control character
        "é" * 127,
        f"{'a' * 250}/" * 4 + "b" * 20,
        "-rf",
        "con",
        "pycache.pyx",
        "...",
    ],
)
def test_names_allowed(path: str) -> None:
    assert refused(files(path)) == []


FILE_AND_FOLDER = "a: it is a file or link and also a folder; want one of them"
SAME = "in upper and lower case only; some file systems take them for one: rename one"


@pytest.mark.parametrize(
    ("paths", "lines"),
    [
        (("a.py", "A.py"), [f"a.py: it differs from A.py {SAME}"]),
        (("Dags/a.py", "dags/b.py"), [f"dags: it differs from Dags {SAME}"]),
        (("x/Dags/a.py", "x/dags/b.py"), [f"x/dags: it differs from x/Dags {SAME}"]),
        (("dags", "Dags/b.py"), [f"dags: it differs from Dags {SAME}"]),
        (("STRASSE", "straße"), [f"straße: it differs from STRASSE {SAME}"]),
        (("İ", "i̇"), [f"İ: it differs from i̇ {SAME}"]),
        (("\u0390", "\u03aa\u0301"), [f"\u03aa\u0301: it differs from \u0390 {SAME}"]),
        (("a", "A", "a/b"), [f"a: it differs from A {SAME}", FILE_AND_FOLDER]),
        (("a", "a/b"), [FILE_AND_FOLDER]),
        (("a", "a"), ["a: it is listed twice; want one entry a path"]),
        (("x/a", "y/A"), []),
        (("a", "b/A"), []),
    ],
)  # fmt: skip
def test_names_that_are_one_somewhere(paths: tuple[str, ...], lines: list[str]) -> None:
    assert refused(files(*paths)) == lines


EMPTY_FILE = file_entry("a", b"")
HUGE = MAX_FILE_BYTES + 1


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        (replace(EMPTY_FILE, mode=0o600), "a: its mode is 0600; want 0644, or 0755 for a program"),
        (replace(EMPTY_FILE, mode=0o4755), "a: its mode is 4755; want 0644, or 0755 for a program"),
        (replace(EMPTY_FILE, size=-1), "a: its size is -1; want 0 or more"),
        (replace(EMPTY_FILE, sha256="A" * 64), "a: its sha256 is not one; want 64 hexadecimal characters"),
        (replace(EMPTY_FILE, target="b"), "a: it is a file and has a target; only links have one"),
        (
            replace(EMPTY_FILE, size=HUGE),
            f"a: it has {HUGE} bytes; at most {MAX_FILE_BYTES} are allowed: keep data in a bucket",
        ),
        (replace(link_entry("a", "b"), mode=0o644), "a: its mode is 0644; want 0777 for a link"),
        (
            replace(link_entry("a", "b"), sha256=EMPTY),
            "a: its size or sha256 is not that of its target; want those of the target",
        ),
    ],
)  # fmt: skip
def test_entries_refused(entry: Entry, line: str) -> None:
    assert refused([entry, *files("b")]) == [line]


THROUGH_A_FILE = "which goes through a file as if it were a folder; want a file or folder of the tree"
IN_THE_TREE = "want a file or folder of the tree"


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("b.py", None),
        ("./b.py", None),
        ("sub", None),
        ("sub/", None),
        ("sub/deep/../c.py", None),
        ("", f"l: it is a link to nothing; {IN_THE_TREE}"),
        ("/etc/passwd", "l: it is a link to /etc/passwd, an absolute path; want a relative one within the tree"),
        ("../b.py", f"l: it is a link to ../b.py, which leaves the tree; {IN_THE_TREE}"),
        ("sub/../../b.py", f"l: it is a link to sub/../../b.py, which leaves the tree; {IN_THE_TREE}"),
        ("none.py", f"l: it is a link to none.py, which is not in the tree; {IN_THE_TREE}"),
        ("none/../b.py", f"l: it is a link to none/../b.py, which is not in the tree; {IN_THE_TREE}"),
        ("b.py/", f"l: it is a link to b.py/, {THROUGH_A_FILE}"),
        ("b.py/../b.py", f"l: it is a link to b.py/../b.py, {THROUGH_A_FILE}"),
        ("l", f"l: it is a link to l, which leads in a circle; {IN_THE_TREE}"),
        ("l/x", f"l: it is a link to l/x, which leads in a circle; {IN_THE_TREE}"),
        ("\udcff", "l: its target is not UTF-8; rename it"),
        ("a\n", "l: its target has a control character; rename it"),
        (
            ".",
            ("l: it is a link to ., a folder that leads to the link again;"
            " a walk over the tree would never end: link to a file, or elsewhere"),
        ),
        ("x" * 1025, "l: its target has 1025 bytes; at most 1024 are allowed"),
    ],
)  # fmt: skip
def test_links(target: str, line: str | None) -> None:
    tree = [*files("b.py", "sub/c.py", "sub/deep/d.py"), link_entry("l", target)]
    assert refused(tree) == ([line] if line else [])


def test_links_through_links() -> None:
    tree = [*files("sub/deep/c.py"), link_entry("one", "sub"), link_entry("two", "one/deep/c.py")]
    assert refused(tree) == []
    # As for the system, ".." is that of the place which the link leads to.
    assert refused(
        [*tree, link_entry("three", "one/deep/../deep/c.py"), link_entry("x/four", "../one/..")]
    ) == [
        (
            "x/four: it is a link to ../one/.., a folder that leads to the link again;"
            " a walk over the tree would never end: link to a file, or elsewhere"
        )
    ]


def test_links_between_two_folders_in_a_circle() -> None:
    tree = [
        *files("a/1", "b/1", "c/1"),
        link_entry("a/to", "../b"),
        link_entry("b/to", "../a"),
        link_entry("c/to", "../a"),
    ]
    assert [line.split(":")[0] for line in refused(tree)] == ["a/to", "b/to"]


def test_links_that_lead_into_a_circle_are_none_of_it() -> None:
    """They are told of neither before nor behind it: what is wrong is the circle alone."""
    tree = [
        *files("before/1", "a/1", "b/1", "behind/1"),
        link_entry("before/to", "../a"),
        link_entry("a/to", "../b"),
        link_entry("b/to", "../a"),
        link_entry("b/on", "../behind"),
    ]
    assert [line.split(":")[0] for line in refused(tree)] == ["a/to", "b/to"]


@given(st.sets(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=10))
def test_circles_of_any_links(pairs: set[tuple[int, int]]) -> None:
    """A link is in a circle if following links from its end comes to its own folder."""
    tree = [*files(*(f"f{number}/x" for number in range(6)))]
    tree += [link_entry(f"f{one}/to{other}", f"../f{other}") for one, other in pairs]
    reached = {number: {number} for number in range(6)}
    for _ in range(6):
        for one, other in pairs:
            for places in reached.values():
                places.update({other} if one in places else ())
    circles = sorted(f"f{one}/to{other}" for one, other in pairs if one in reached[other])
    assert [line.split(":")[0] for line in refused(tree)] == circles


def test_a_long_chain_of_links() -> None:
    """Linux gives up after 40."""
    chain = [link_entry(f"l{number}", f"l{number + 1}") for number in range(41)]
    lines = refused([*chain, *files("l41")])
    assert lines == [f"l0: it is a link to l1, which leads in a circle; {IN_THE_TREE}"]


def test_a_link_to_what_is_refused_itself_is_told_once() -> None:
    assert refused([*files("a.pyc"), link_entry("l", "a.pyc")]) == [f"a.pyc: {BYTECODE}"]


TARGETS = st.lists(st.sampled_from(("a", "b", "..", ".", "c.py", "")), min_size=1, max_size=4).map("/".join)


@given(
    st.dictionaries(st.sampled_from(("c.py", "a/c.py", "b/a/c.py")), st.just(b"x"), min_size=1),
    st.dictionaries(st.sampled_from(("a", "b", "a/b", "b/b", "b/a/a", "z", "a/a")), TARGETS, max_size=4),
)
@example({"c.py": b"x"}, {"a": "b", "b": "a"})
def test_links_as_the_system_sees_them(content: dict[str, bytes], links: dict[str, str]) -> None:
    """What is allowed leads somewhere inside, and what is said to lead nowhere does so for the system as well."""
    paths = [*content, *links]
    links = {path: to for path, to in links.items() if not any(each.startswith(f"{path}/") for each in paths)}
    items: list[Item] = [(path, given, False) for path, given in content.items()]
    items += [(path, to, False) for path, to in links.items() if to and not to.startswith("/")]
    wrong = {problem.path: problem.wrong for problem in check(map(entry_of, items))}
    with tempfile.TemporaryDirectory() as folder:
        root = write(Path(folder, "x", "y", "z", "root"), items).resolve()
        for path, to, _ in items:
            if isinstance(to, bytes) or "leaves" in wrong.get(path, ""):
                continue
            there = (root / path).exists()
            assert there == (path not in wrong or "leads to the link again" in wrong[path]), (path, wrong)
            if path not in wrong:
                assert (root / path).resolve().is_relative_to(root)
        if not wrong:
            # No walk comes twice through the same folder on one way.
            for here, _, _ in os.walk(root, followlinks=True):
                way = [Path(here), *Path(here).parents]
                real = [str(each.resolve()) for each in way if each.is_relative_to(root)]
                assert len(real) == len(set(real)), here


def test_all_problems_at_once() -> None:
    lines = refused([*files("b.pyc", "a\\b", "a/../b"), link_entry("z", "/etc")])
    assert [line.split(":")[0] for line in lines] == ["a/../b", "a\\b", "b.pyc", "z"]


def test_not_more_problems_than_anybody_reads() -> None:
    with pytest.raises(Refusal) as raised:
        Manifest(tuple(files(*(f"{number:03}.pyc" for number in range(60)))))
    lines = str(raised.value).splitlines()
    assert (len(raised.value.problems), len(lines), lines[-1]) == (60, 51, "and 10 more")
    assert lines[49].startswith("049.pyc: ")


def test_too_many_and_too_large() -> None:
    many = [file_entry(str(number), b"") for number in range(MAX_ENTRIES)]
    assert Manifest(tuple(many)).files == MAX_ENTRIES
    assert refused([*many, *files("x")]) == [
        "(the tree): it has 20001 files and links; at most 20000 are allowed: split the repository"
    ]
    full = [replace(file_entry(str(n), b""), size=MAX_FILE_BYTES) for n in range(25)]
    assert MAX_TREE_BYTES == 25 * MAX_FILE_BYTES
    assert refused(full) == []
    assert refused([*full, file_entry("x", b"1")]) == [
        "(the tree): it has 262144001 bytes; at most 262144000 are allowed: keep data in a bucket"
    ]


def test_many_links_to_folders() -> None:
    """Neither time nor memory may grow with the square of their number: then this would take minutes."""
    count = MAX_ENTRIES // 2
    folders = [file_entry(f"f{number}/x", b"") for number in range(count)]
    links = [link_entry(f"f{number}/next", f"../f{number + 1}") for number in range(count - 1)]
    assert refused([*folders, *links]) == []
    with pytest.raises(Refusal) as raised:
        Manifest((*folders, *links, link_entry(f"f{count - 1}/next", "../f0")))
    assert len(raised.value.problems) == count


@pytest.mark.parametrize("head", [LFS_POINTER + b"v1\noid sha256:1\n", LFS_POINTER])
def test_git_lfs(head: bytes) -> None:
    assert content_problem("a.bin", head) == Problem(
        "a.bin",
        "it is a pointer of Git LFS, not the content",
        "commit the file itself, or read it from a bucket in the task",
    )
    assert content_problem("a.bin", b"# " + head) is None


def wrong(what: str) -> str:
    return f"manifest.json: {what}; take the manifest that `operations release` wrote, unchanged"


GOOD = Manifest((file_entry("a.py", b"1"), link_entry("b", "a.py")))
FIELDS = wrong("entry 0 lacks a field, has one too many or one of another type")
NOT_CANONICAL = wrong("it is not written in the canonical form, so its hash is not a release's id")


def document(**changes: Any) -> bytes:
    """Return the manifest of one file with other values in its entry."""
    fields = {"kind": "file", "mode": "0644", "path": "a", "sha256": EMPTY, "size": 0} | changes
    fields = {key: value for key, value in fields.items() if value is not None}
    return (
        json.dumps({"entries": [fields], "format": 1}, separators=(",", ":"), sort_keys=True).encode() + b"\n"
    )


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", wrong("it is not JSON in UTF-8: cut off or something else")),
        (GOOD.to_json()[:-3], wrong("it is not JSON in UTF-8: cut off or something else")),
        (b"\xff" + GOOD.to_json(), wrong("it is not JSON in UTF-8: cut off or something else")),
        (b"[" * 100_000, wrong("it is not JSON in UTF-8: cut off or something else")),
        (b"[]", wrong("it has no format number")),
        (b'{"entries":[]}', wrong("it has no format number")),
        (b'{"entries":[],"format":true}', wrong("it has no format number")),
        (b'{"entries":[],"format":2}', wrong("its format is 2, and only 1 is known here")),
        (b'{"entries":{},"format":1}', wrong("want a list `entries` and the format, and nothing else")),
        (b'{"entries":[],"format":1,"x":1}', wrong("want a list `entries` and the format, and nothing else")),
        (b'{"entries":[1],"format":1}', FIELDS),
        (b'{"entries":[{}],"format":1}', FIELDS),
        (document(size="0"), FIELDS),
        (document(size=True), FIELDS),
        (document(size=0.0), FIELDS),
        (document(size=None), FIELDS),
        (document(kind="folder"), FIELDS),
        (document(kind=["file"]), FIELDS),
        (document(mode="644"), FIELDS),
        (document(mode=420), FIELDS),
        (document(target="b"), FIELDS),
        (document(kind="link"), FIELDS),
        (document(path="../a"), f"../a: {WANT_NAMES}"),
        (document(path="\ud800"), "\\ud800: its name is not UTF-8; rename it"),
        (GOOD.to_json() + b"\n", NOT_CANONICAL),
        (GOOD.to_json().rstrip(), NOT_CANONICAL),
        (GOOD.to_json().replace(b",", b", "), NOT_CANONICAL),
        (GOOD.to_json().replace(b'"a.py"', b'"\\u0061.py"', 1), NOT_CANONICAL),
        (GOOD.to_json().replace(b'"format":1', b'"format":1,"format":1'), NOT_CANONICAL),
        (
            b" " * (MAX_JSON_BYTES + 1),
            wrong("it has 67108865 bytes, and at most 67108864 are possible"),
        ),
    ],
)
def test_what_is_no_manifest(content: bytes, line: str) -> None:
    with pytest.raises(Refusal) as raised:
        Manifest.from_json(content)
    assert str(raised.value) == line


def test_another_order_is_not_canonical() -> None:
    read = json.loads(GOOD.to_json())
    read["entries"].reverse()
    with pytest.raises(Refusal, match="canonical form"):
        Manifest.from_json(json.dumps(read, separators=(",", ":"), sort_keys=True).encode() + b"\n")


@given(st.data())
def test_no_byte_can_change_unseen(data: st.DataObject) -> None:
    content = bytearray(GOOD.to_json())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] = data.draw(st.integers(0, 255).filter(lambda byte: byte != content[place]))
    try:
        changed = Manifest.from_json(bytes(content))
    except Refusal:
        return
    assert changed.release_id != GOOD.release_id
    assert changed.to_json() == bytes(content)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(
            st.sampled_from(("kind", "mode", "path", "sha256", "size", "target")), children, max_size=6
        )
    ),
)


@given(st.lists(JSON, max_size=3))
def test_any_document_is_read_or_refused(entries: list[Any]) -> None:
    content = json.dumps({"entries": entries, "format": 1}, separators=(",", ":")).encode() + b"\n"
    if entries:
        with pytest.raises(Refusal):
            Manifest.from_json(content)


@given(st.binary(max_size=20))
def test_names_keep_their_bytes(content: bytes) -> None:
    assert raw(name(content)) == content


@given(st.text())
def test_what_is_shown_can_be_printed(text: str) -> None:
    assert shown(text).isprintable() or not shown(text)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("0" * 64, True),
        ("0" * 63, False),
        ("G" * 64, False),
        ("0" * 64 + "\n", False),
        ("A" * 64, False),
        ("", False),
    ],
)
def test_release_ids(text: str, is_one: bool) -> None:
    assert is_release_id(text) is is_one


def test_kinds_are_words() -> None:
    assert [str(kind) for kind in Kind] == ["file", "link"]
