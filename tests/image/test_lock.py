"""`python -m images.airflow lock`: what changed is shown, and nothing asks the network unless it is told to.

Not proved here: uv's own work. `resolved` stands for it.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from images.airflow import lock
from images.airflow.__main__ import main

OLD = (
    "a==1.0 \\\n    --hash=sha256:1\n    # via b\nb==2.0 ; python_version < '3.13' \\\n    --hash=sha256:2\n"
)
NEW = "b==2.1 \\\n    --hash=sha256:3\nc==0.1 \\\n    --hash=sha256:4\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text("ARG AIRFLOW_VERSION=3.3.2\nARG PYTHON_VERSION=3.11\n")
    (tmp_path / "requirements.in").write_text("b\n")
    (tmp_path / "requirements.lock").write_text(OLD)
    return tmp_path


class Resolver:
    """Writes one answer; keeps what it was given."""

    def __init__(self, answer: str) -> None:
        self.answer = answer
        self.began_with = self.python = ""

    def __call__(self, requirements: Path, target: Path, python: str) -> None:
        assert requirements.name == "requirements.in"
        self.began_with, self.python = target.read_text(), python
        target.write_text(self.answer)


def run(words: list[str], *, folder: Path, compile_lock: lock.Compile, installs: Any = None) -> int:
    return main(words, folder=folder, compile_lock=compile_lock, installs=installs or Installer())


class Installer:
    """Finds wheels for all platforms but one; keeps what it was asked."""

    def __init__(self, missing: str = "") -> None:
        self.missing = missing
        self.asked: list[tuple[str, str, str]] = []

    def __call__(self, target: Path, python: str, platform: str) -> None:
        self.asked.append((target.name, python, platform))
        if platform == self.missing:
            raise lock.LockError(f"no wheel for {platform}")


def test_pins() -> None:
    assert lock.pins(OLD) == {"a": "1.0", "b": "2.0"}


def test_changes() -> None:
    assert lock.changes(lock.pins(OLD), lock.pins(NEW)) == ["- a 1.0", "  b 2.0 -> 2.1", "+ c 0.1"]


def test_a_new_lock(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lock"], folder=folder, compile_lock=Resolver(NEW)) == 0
    assert (folder / "requirements.lock").read_text() == NEW
    assert capsys.readouterr().out == "- a 1.0\n  b 2.0 -> 2.1\n+ c 0.1\n"


def test_the_first_lock(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "requirements.lock").unlink()
    assert run(["lock"], folder=folder, compile_lock=Resolver(NEW)) == 0
    assert capsys.readouterr().out == "+ b 2.1\n+ c 0.1\n"


def test_what_is_pinned_stays_unless_an_upgrade_is_wanted(folder: Path) -> None:
    kept, moved = Resolver(OLD), Resolver(OLD)
    run(["lock"], folder=folder, compile_lock=kept)
    run(["lock", "--upgrade"], folder=folder, compile_lock=moved)
    assert (kept.began_with, moved.began_with) == (OLD, "")
    assert kept.python == "3.11"


def test_check_changes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lock", "--check"], folder=folder, compile_lock=Resolver(NEW)) == 1
    assert (folder / "requirements.lock").read_text() == OLD
    assert capsys.readouterr().out == "- a 1.0\n  b 2.0 -> 2.1\n+ c 0.1\n"


def test_check_of_a_lock_that_is_right(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lock", "--check"], folder=folder, compile_lock=Resolver(OLD)) == 0
    assert capsys.readouterr().out == "requirements.lock is up to date\n"


def test_other_files_of_the_same_versions(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = OLD.replace("sha256:1", "sha256:9")
    assert run(["lock", "--check"], folder=folder, compile_lock=Resolver(answer)) == 1
    assert capsys.readouterr().out == "other hashes\n"


def test_requirements_that_contradict_each_other(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(*_: object) -> None:
        raise lock.LockError("no solution")

    assert run(["lock"], folder=folder, compile_lock=refuse) == 1
    assert capsys.readouterr().err == "no solution\n"
    assert (folder / "requirements.lock").read_text() == OLD


@pytest.mark.parametrize("words", [["lock"], ["lock", "--check"]], ids=" ".join)
def test_wheels_are_looked_for_on_every_platform_of_fargate(folder: Path, words: list[str]) -> None:
    installer = Installer()
    assert run(words, folder=folder, compile_lock=Resolver(OLD), installs=installer) == 0
    assert installer.asked == [
        ("requirements.lock", "3.11", "x86_64-manylinux_2_28"),
        ("requirements.lock", "3.11", "aarch64-manylinux_2_28"),
    ]


def test_a_package_without_a_wheel(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    installer = Installer(missing="aarch64-manylinux_2_28")
    assert run(["lock", "--check"], folder=folder, compile_lock=Resolver(OLD), installs=installer) == 1
    assert capsys.readouterr().err == "no wheel for aarch64-manylinux_2_28\n"


def test_a_dockerfile_without_the_python_version(folder: Path) -> None:
    (folder / "Dockerfile").write_text("FROM x\n")
    with pytest.raises(lock.LockError, match="has no ARG PYTHON_VERSION"):
        lock.python_version(folder)


def test_what_uv_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[Any] = []

    def run(command: list[str], **options: Any) -> Any:
        asked.append((command[1:], options["cwd"]))
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(subprocess, "run", run)
    lock.uv(tmp_path / "images" / "airflow" / "requirements.in", tmp_path / "lock", "3.11")
    options = [
        "--universal",
        "--python-version",
        "3.11",
        "--generate-hashes",
        "--no-emit-index-url",
    ]
    output = [
        "--no-header",
        "--output-file",
        str(tmp_path / "lock"),
        "images/airflow/requirements.in",
        "--quiet",
    ]
    assert asked == [(["pip", "compile", *options, *output], tmp_path)]


def test_wheels_of_another_platform(tmp_path: Path) -> None:
    """The real one, with a lock without packages: it asks nobody."""
    (tmp_path / "requirements.lock").write_text("")
    lock.wheels(tmp_path / "requirements.lock", "3.11", "aarch64-manylinux_2_28")
    with pytest.raises(lock.LockError, match="amiga"):
        lock.wheels(tmp_path / "requirements.lock", "3.11", "amiga")


def test_uv_says_no(tmp_path: Path) -> None:
    """The real one, with requirements that name nothing; it does not get as far as the network."""
    folder = tmp_path / "images" / "airflow"
    folder.mkdir(parents=True)
    (folder / "requirements.in").write_text("==\n")
    with pytest.raises(lock.LockError, match=r"requirements\.in"):
        lock.uv(folder / "requirements.in", tmp_path / "lock", "3.11")
    shutil.rmtree(folder)
