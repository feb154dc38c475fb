"""The commit that a release of a twin is made from, and what a person is told of the release.

Not proved here: the release itself, which the tests of the running twin do.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from operations import git_tree
from sandbox.cli import SandboxError
from sandbox.twin import dag_check, dag_commit, image
from sandbox.twin.dag_check import Check, checking
from sandbox.twin.dag_commit import Place, snapshot
from sandbox.twin.dag_release import Release


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project with one DAG."""
    (tmp_path / "platform" / "dags").mkdir(parents=True)
    (tmp_path / "platform" / "dags" / "etl.py").write_text("one\n")
    return tmp_path / "platform"


def paths(repository: Path, commit: str) -> list[str]:
    with git_tree.read(repository, commit, "dags") as tree:
        return [entry.path for entry in tree.manifest.entries]


def test_the_dags_are_committed_as_they_are(project: Path, tmp_path: Path) -> None:
    (project / "dags" / "team").mkdir()
    (project / "dags" / "team" / "more.py").write_text("more\n")
    (project / "secret.txt").write_text("not a DAG")
    commit = snapshot(project, tmp_path / "dags.git")
    assert commit is not None
    assert paths(tmp_path / "dags.git", commit) == ["etl.py", "team/more.py"]


def test_what_python_leaves_beside_them_is_left_out(project: Path, tmp_path: Path) -> None:
    (project / "dags" / "__pycache__").mkdir()
    (project / "dags" / "__pycache__" / "etl.cpython-313.pyc").touch()
    commit = snapshot(project, tmp_path / "dags.git")
    assert paths(tmp_path / "dags.git", commit or "") == ["etl.py"]


def test_the_same_dags_are_the_same_commit_and_a_change_follows_it(project: Path, tmp_path: Path) -> None:
    repository = tmp_path / "dags.git"
    first, again = snapshot(project, repository), snapshot(project, repository)
    (project / "dags" / "etl.py").unlink()
    (project / "dags" / "other.py").write_text("two\n")
    second = snapshot(project, repository)
    assert first == again != second
    assert paths(repository, second or "") == ["other.py"]
    log = subprocess.run(
        ["git", f"--git-dir={repository}", "log", "--format=%H %an"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert log.stdout.splitlines() == [f"{second} twin", f"{first} twin"]


def test_the_settings_and_the_repository_of_a_person_are_left_alone(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a hook Git's variables name another repository; a person's settings may change line ends or want a key."""
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other.git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "other.index"))
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".gitconfig").write_text("[core]\nautocrlf = true\n[commit]\ngpgsign = true\n")
    (project / "dags" / "etl.py").write_bytes(b"one\r\n")
    commit = snapshot(project, tmp_path / "dags.git")
    monkeypatch.delenv("GIT_DIR")
    monkeypatch.delenv("GIT_INDEX_FILE")
    with git_tree.read(tmp_path / "dags.git", commit or "", "dags") as tree:
        assert tree.read(tree.manifest.entries[0]) == b"one\r\n"
    assert not (tmp_path / "other.index").exists()


def test_without_any_file_nothing_is_released(tmp_path: Path) -> None:
    told: list[str] = []
    (tmp_path / "dags" / "empty").mkdir(parents=True)
    release = Release(tmp_path, tmp_path / "dev", {})
    release.tell(told.append)
    assert release.over
    assert told == [f"nothing is released: {tmp_path / 'dags'} has no file"]


def test_where_the_image_has_the_dags_nothing_is_released(project: Path, tmp_path: Path) -> None:
    """The start of a twin has nothing to release: its containers bring their DAGs."""
    (tmp_path / "outputs.json").write_text(json.dumps({"dagDelivery": "image"}))
    release = Release(project, tmp_path, {"OPERATIONS_OUTPUTS": str(tmp_path / "outputs.json")})
    told: list[str] = []
    release.tell(told.append)
    assert release.over
    assert told == [
        "nothing is released: the image has the DAGs, `python -m operations release` makes another"
    ]


def test_without_git_the_reason_is_said(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        SandboxError, match=r"^the program git is not installed: DAGs are released from a commit$"
    ):
        snapshot(project, tmp_path / "dags.git")


# The operators' command, played by a program.
RESULT: dict[str, Any] = {
    "result": "released",
    "release_id": "0123456789abcdef" * 4,
    "dags": 14,
    "files": 9,
    "seconds": {"gate": 17.84, "total": 22.31},
}


def playing(folder: Path, monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    """Put in the command's place a program that notes what it gets and does as the lines say."""
    folder.mkdir()
    program = folder / "python"
    noting = f"json.dump([sys.argv[1:], dict(os.environ)], open({str(folder / 'seen')!r}, 'w'))"
    program.write_text("\n".join([f"#!{sys.executable}", "import json, os, sys, time", noting, *lines, ""]))
    program.chmod(0o755)
    monkeypatch.setattr(dag_commit, "sys", type("sys", (), {"executable": str(program)}))


def played(
    project: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, result: str, code: int = 0
) -> Release:
    """Begin a release with a command that notes what it gets, says something and ends."""
    playing(folder, monkeypatch, f"print({result!r}); print('a step', file=sys.stderr); sys.exit({code})")
    release = Release(
        project, folder, {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "OPERATIONS_OUTPUTS": "/o.json"}
    )
    release.wait(20)
    return release


def test_the_command_of_operators_releases_the_commit(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "prod")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "real")
    told: list[str] = []
    folder = tmp_path / "dev"
    played(project, folder, monkeypatch, json.dumps(RESULT)).tell(told.append)

    words, variables = json.loads((folder / "seen").read_text())
    repository = Place(project).repository
    commit = snapshot(project, repository)
    assert words == [
        "-m", "operations", "release", str(repository), "--commit", commit, "--folder", "dags", "--json",
        "--stack", "dev",
    ]  # fmt: skip
    assert variables["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert variables["OPERATIONS_OUTPUTS"] == "/o.json"
    assert "127.0.0.1" in variables["NO_PROXY"].split(",")
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN"} & set(variables)
    assert variables["AWS_CONFIG_FILE"] == os.devnull
    assert told == ["DAGs: release 0123456789ab, 14 DAGs in 9 files: released (gate 17.8 s, total 22.3 s)"]


def test_why_dags_are_not_released_is_said_in_the_commands_words(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = played(project, tmp_path / "dev", monkeypatch, '{"error": "etl.py:3: no such module"}', 1)
    with pytest.raises(
        SandboxError, match=r"^the DAGs are not released: etl\.py:3: no such module\nthe twin goes on; "
    ):
        release.tell(print)


def test_a_command_that_breaks_is_quoted(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = played(project, tmp_path / "dev", monkeypatch, "", 1)
    with pytest.raises(
        SandboxError, match=r"it ended without a result; its last lines:\na step\nthe twin goes on; "
    ):
        release.tell(print)


# The check that goes before it.


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image, "is_installed", lambda: True)


def ended(check: Check) -> None:
    give_up_at = time.monotonic() + 20
    while not check.over:
        assert time.monotonic() < give_up_at
        time.sleep(0.02)


@pytest.mark.usefixtures("installed")
def test_the_commit_is_checked_and_its_approval_kept(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "prod")
    playing(tmp_path / "dev", monkeypatch)
    ended(Check(project))
    words, variables = json.loads((tmp_path / "dev" / "seen").read_text())
    place = Place(project)
    commit = snapshot(project, place.repository)
    assert words == [
        "-m", "operations", "check", str(place.repository), "--commit", commit, "--folder", "dags",
        "--record", str(place.approval),
    ]  # fmt: skip
    assert "AWS_PROFILE" not in variables


def test_the_release_takes_the_approval(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(project)
    place.folder.mkdir(parents=True)
    place.approval.touch()
    played(project, tmp_path / "dev", monkeypatch, json.dumps(RESULT))
    words, _ = json.loads((tmp_path / "dev" / "seen").read_text())
    assert words[-2:] == ["--checked", str(place.approval)]


def test_without_the_images_packages_nothing_is_checked(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person shall see how they are installed."""
    monkeypatch.setattr(image, "is_installed", lambda: False)
    assert Check(project).over
    assert not Place(project).folder.exists()


@pytest.mark.usefixtures("installed")
def test_a_check_that_cannot_begin_stops_nobody(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Check(project).over


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    "ending", ["", "signal.signal(signal.SIGTERM, signal.SIG_IGN)"], ids=["good", "deaf"]
)
def test_no_check_outlives_its_command(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setattr(dag_check, "ENDING_SECONDS", 0.5)
    begun = tmp_path / "begun"
    playing(
        tmp_path / "dev",
        monkeypatch,
        f"import signal; {ending}",
        f"open({str(begun)!r}, 'w'); time.sleep(60)",
    )
    with checking(project) as check:
        give_up_at = time.monotonic() + 20
        while not begun.exists():
            assert time.monotonic() < give_up_at
            time.sleep(0.02)
        assert not check.over
    assert check.over
