"""A commit's tree through the real Git: the content is the commit's, whatever lies around it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from images.airflow.platform_runtime.releases.entries import Kind, Refusal
from images.airflow.platform_runtime.releases.rules import LFS_POINTER, MAX_FILE_BYTES
from images.airflow.platform_runtime.releases.tree import scan
from operations import git_tree
from operations.git_tree import GitError, dirty, read
from tests.releases.trees import Item, manifest_of, write

TREE: tuple[Item, ...] = (
    ("dags/etl.py", b"x = 1\n", False),
    ("dags/bin/run", b"#!/bin/sh\n", True),
    ("dags/bin/current", "run", False),
    ("dags/straße/ü b.sql", b"select 1", False),
    ("README.md", b"text\r\n", False),
)
FETCH = "commit first, or fetch it (a shallow clone has the newest only)"
AUTHOR = {
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@localhost",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@localhost",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
}


def git(folder: Path, *words: str, given: bytes = b"") -> str:
    """Run Git as somebody with no settings of their own."""
    answer = subprocess.run(
        ["git", "-C", str(folder), *words],
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **AUTHOR},
        input=given,
        capture_output=True,
        check=True,
    )
    return answer.stdout.decode(errors="surrogateescape").strip()


def commit(folder: Path, message: str = "m") -> str:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", message)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = write(tmp_path / "repository", TREE)
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder)
    return folder


def stage(folder: Path, mode: str, path: str, content: bytes) -> None:
    """Put something into the next commit that needs no file, and no file system that allows it."""
    blob = (
        git(folder, "hash-object", "-w", "--stdin", given=content) if mode != "160000" else content.decode()
    )
    git(folder, "update-index", "-z", "--index-info", given=os.fsencode(f"{mode} {blob} 0\t{path}\0"))


def committed(folder: Path) -> str:
    """Commit what is staged."""
    git(folder, "commit", "--quiet", "-m", "m")
    return git(folder, "rev-parse", "HEAD")


def test_the_tree(repository: Path) -> None:
    with read(repository) as tree:
        assert tree.commit == git(repository, "rev-parse", "HEAD")
        assert tree.manifest == manifest_of(TREE)
        content = {path: given if isinstance(given, bytes) else given.encode() for path, given, _ in TREE}
        assert {entry.path: tree.read(entry) for entry in tree.manifest.entries} == content


@pytest.mark.parametrize("folder", ["dags", "dags/", "./dags", "/dags//."])
def test_a_folder_of_it(repository: Path, folder: str) -> None:
    with read(repository, folder=folder) as tree:
        assert tree.manifest == manifest_of(
            (path.removeprefix("dags/"), content, executable)
            for path, content, executable in TREE
            if path.startswith("dags/")
        )
        assert tree.read(tree.manifest.by_path["etl.py"]) == b"x = 1\n"


def test_from_a_folder_within(repository: Path) -> None:
    """The folder is named from the top, wherever one stands."""
    assert (
        read(repository / "dags" / "bin", folder="dags").manifest == read(repository, folder="dags").manifest
    )


def test_what_git_gives_by_an_archive(repository: Path, tmp_path: Path) -> None:
    """Another way to the same content, by Git itself."""
    git(repository, "archive", "--output", str(tmp_path / "a.tar"), "HEAD")
    with tarfile.open(tmp_path / "a.tar") as tar:
        tar.extractall(tmp_path / "a", filter="fully_trusted")
    assert scan(tmp_path / "a") == read(repository).manifest


def test_the_work_tree_does_not_matter(repository: Path) -> None:
    expected = read(repository).manifest
    (repository / "dags/etl.py").write_bytes(b"x = 2\n")
    (repository / "dags/new.py").write_bytes(b"")
    (repository / "README.md").unlink()
    git(repository, "add", "--all")
    assert read(repository).manifest == expected


def test_attributes_do_not_matter(repository: Path) -> None:
    """Each of them changes what lies in a work tree or in `git archive`."""
    git(repository, "config", "core.autocrlf", "true")
    git(repository, "config", "filter.shout.clean", "tr a-z A-Z")
    git(repository, "config", "filter.shout.smudge", "tr a-z A-Z")
    stage(repository, "100644", ".gitattributes", b"dags export-ignore\n* ident eol=crlf filter=shout\n")
    stage(repository, "100644", "id.py", b"# $Id$\n")
    committed(repository)
    with read(repository) as tree:
        assert tree.manifest.files == len(TREE) + 2
        assert tree.read(tree.manifest.by_path["id.py"]) == b"# $Id$\n"
        assert tree.read(tree.manifest.by_path["dags/etl.py"]) == b"x = 1\n"


@pytest.mark.parametrize("name", ["HEAD~1", "v1", "v1^{}", "other"])
def test_any_name_of_a_commit(repository: Path, name: str) -> None:
    git(repository, "tag", "-a", "-m", "m", "v1")
    git(repository, "branch", "other")
    first = git(repository, "rev-parse", "HEAD")
    (repository / "dags/etl.py").write_bytes(b"x = 2\n")
    commit(repository)
    for each in (name, first, first[:8]):
        assert (read(repository, each).commit, read(repository, each).manifest) == (first, manifest_of(TREE))
    assert read(repository).manifest != manifest_of(TREE)


def test_a_bare_repository_and_a_shallow_clone(repository: Path, tmp_path: Path) -> None:
    commit(repository, "second")
    git(tmp_path, "clone", "--quiet", "--bare", str(repository), "bare")
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{repository}", "shallow")
    for clone in ("bare", "shallow"):
        assert read(tmp_path / clone).manifest == manifest_of(TREE)
        assert not dirty(tmp_path / clone)
    with pytest.raises(GitError) as raised:
        read(tmp_path / "shallow", "HEAD~1")
    assert str(raised.value) == (f"{tmp_path}/shallow has no commit HEAD~1: {FETCH}")


def test_a_replaced_object_is_not_the_commits(repository: Path) -> None:
    """Git shows other content for an object when somebody has asked it to, in this clone alone."""
    original = git(repository, "rev-parse", "HEAD:dags/etl.py")
    other = git(repository, "hash-object", "-w", "--stdin", given=b"x = 3\n")
    git(repository, "replace", original, other)
    assert git(repository, "cat-file", "-p", "HEAD:dags/etl.py") == "x = 3"
    assert read(repository).manifest == manifest_of(TREE)


def test_variables_of_a_hook_do_not_matter(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Git sets them for its hooks, and then they would win over the folder."""
    git(tmp_path, "init", "--quiet", "other")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "none"))
    assert read(repository).manifest == manifest_of(TREE)
    assert not dirty(repository)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({"commit": "none"}, "{r} has no commit none: {FETCH}"),
        ({"commit": "--all"}, "{r} has no commit --all: {FETCH}"),
        ({"commit": ""}, "{r} has no commit : {FETCH}"),
        ({"folder": "none"}, "commit {c} of {r} has no folder none"),
        ({"folder": "README.md"}, "README.md is not a folder in commit {c} of {r}"),
        ({"folder": "dags/bin/current"}, "dags/bin/current is not a folder in commit {c} of {r}"),
        ({"folder": "../x"}, "the folder ../x leads out of the repository: give it as seen from the top"),
    ],
)  # fmt: skip
def test_what_is_not_there(repository: Path, words: dict[str, str], expected: str) -> None:
    with pytest.raises(GitError) as raised:
        read(repository, **words)
    assert str(raised.value) == expected.format(
        FETCH=FETCH, r=repository, c=git(repository, "rev-parse", "HEAD")[:12]
    )


def test_a_tree_is_no_commit(repository: Path) -> None:
    with pytest.raises(GitError, match="has no commit HEAD:dags: "):
        read(repository, "HEAD:dags")


def test_no_repository(tmp_path: Path) -> None:
    for action in (read, dirty):
        with pytest.raises(GitError, match=f"^git rev-parse in {tmp_path}: fatal: not a git repository"):
            action(tmp_path)
    with pytest.raises(GitError) as raised:
        read(tmp_path / "none")
    assert str(raised.value) == f"{tmp_path}/none is not a folder: give the folder of a Git repository"


def test_a_repository_without_a_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    with pytest.raises(GitError, match=f"^{tmp_path} has no commit HEAD: commit first, "):
        read(tmp_path)


def test_nothing_in_the_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    full = commit(tmp_path)
    with pytest.raises(GitError) as raised:
        read(tmp_path)
    assert str(raised.value) == (
        f"there is no file in the tree of commit {full[:12]} of {tmp_path}: a release needs at least one"
    )


def test_no_git(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    for action in (read, dirty):
        with pytest.raises(GitError) as raised:
            action(repository)
        assert str(raised.value) == "there is no program git on the PATH: install Git"


def test_all_refusals_at_once(repository: Path) -> None:
    """Those of Git's own kind together with the manifest's."""
    stage(repository, "160000", "dags/library", b"1" * 40)
    stage(repository, "100644", "dags/model.bin", LFS_POINTER + b"v1\noid sha256:0\nsize 1\n")
    stage(repository, "100644", "dags/ETL.py", b"")
    stage(repository, "120000", "dags/out", b"../README.md")
    stage(repository, "100644", "dags/huge", bytes(MAX_FILE_BYTES + 1))
    stage(repository, "100644", "dags/__pycache__/x.pyc", b"")
    stage(repository, "100644", "dags/\udcff.py", b"")
    committed(repository)
    with pytest.raises(Refusal) as raised:
        read(repository, folder="dags")
    assert str(raised.value).splitlines() == [
        (
            "__pycache__/x.pyc: it is bytecode, which Python may run in place of the source;"
            " remove it from the repository and add it to .gitignore"
        ),
        (
            "etl.py: it differs from ETL.py in upper and lower case only;"
            " some file systems take them for one: rename one"
        ),
        "huge: it has 10485761 bytes; at most 10485760 are allowed: keep data in a bucket",
        (
            "library: it is a submodule, whose files are not in this repository;"
            " commit the files themselves, or install the package in the image"
        ),
        (
            "model.bin: it is a pointer of Git LFS, not the content;"
            " commit the file itself, or read it from a bucket in the task"
        ),
        "out: it is a link to ../README.md, which leaves the tree; want a file or folder of the tree",
        "\\udcff.py: its name is not UTF-8; rename it",
    ]


def test_a_missing_object(repository: Path) -> None:
    blob = git(repository, "rev-parse", "HEAD:dags/etl.py")
    shutil.rmtree(repository / ".git" / "objects" / blob[:2])
    with pytest.raises(GitError, match=r"does not have the content of dags/etl\.py"):
        read(repository)


def test_an_object_that_goes_away_later(repository: Path) -> None:
    blob = git(repository, "rev-parse", "HEAD:dags/etl.py")
    tree = read(repository)
    shutil.rmtree(repository / ".git" / "objects" / blob[:2])
    with pytest.raises(GitError) as raised:
        tree.read(tree.manifest.by_path["dags/etl.py"])
    assert str(raised.value) == (
        f"{repository} does not have the content of dags/etl.py: its objects are not complete;"
        " run `git fsck`, or clone without a filter"
    )


def test_gits_process_ends(repository: Path) -> None:
    tree = read(repository)
    entry = tree.manifest.by_path["dags/etl.py"]
    assert tree.read(entry) == b"x = 1\n"
    process = tree._objects._process
    assert process is not None
    assert process.poll() is None
    process.kill()
    process.wait()
    with pytest.raises(GitError, match="does not have the content"):
        tree.read(entry)
    # The next reading starts another one, and it ends with the tree.
    assert tree.read(entry) == b"x = 1\n"
    process = tree._objects._process
    assert process is not None
    del tree
    assert process.returncode is not None


def test_links_are_never_followed(repository: Path) -> None:
    stage(repository, "120000", "dags/l", b"etl.py")
    committed(repository)
    with read(repository, folder="dags") as tree:
        entry = tree.manifest.by_path["l"]
        assert (entry.kind, entry.target, tree.read(entry)) == (Kind.LINK, "etl.py", b"etl.py")


def test_uncommitted_changes(repository: Path) -> None:
    assert not dirty(repository)
    (repository / "README.md").write_bytes(b"other\n")
    assert (dirty(repository), dirty(repository, "dags")) == (True, False)
    (repository / "dags/new.py").write_bytes(b"")
    assert dirty(repository, "dags/")
    assert dirty(repository / "dags" / "bin", "dags")
    git(repository, "add", "--all")
    assert dirty(repository, "dags")
    commit(repository)
    assert not dirty(repository)
    (repository / ".git/info/exclude").write_text("*.pyc\n")
    (repository / "dags/x.pyc").write_bytes(b"")
    assert not dirty(repository, "dags")


def test_a_folder_named_like_a_pattern(repository: Path) -> None:
    write(repository, [("*", b"", False), (":(top)x/a", b"", False)])
    commit(repository)
    assert read(repository, folder=":(top)x").manifest.files == 1
    (repository / "dags/etl.py").write_bytes(b"")
    assert not dirty(repository, ":(top)x")
    assert not dirty(repository, "*")


def test_many_files(repository: Path) -> None:
    for number in range(2000):
        path = repository / f"many/{number % 50}/{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(number))
    commit(repository)
    assert read(repository, folder="many").manifest == scan(repository / "many")


def test_no_question_is_ever_asked() -> None:
    assert git_tree._environment()["GIT_TERMINAL_PROMPT"] == "0"
