"""The environment of the lock: made once, by one caller at a time, and never used half-made.

A lock without packages makes a real environment in a moment, without the network.
"""

from __future__ import annotations

import hashlib
import platform
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from sandbox.twin import packages

RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"


class Maker:
    """Makes environments of one lock in a cache of the test's; keeps what was said."""

    def __init__(self, folder: Path) -> None:
        self.lock = folder / "requirements.lock"
        self.lock.write_text("# nothing\n")
        self.said: list[str] = []

    def make(self, python_version: str = RUNNING) -> Path:
        return packages.environment(self.lock, python_version, self.said.append)


@pytest.fixture
def maker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Maker:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Maker(tmp_path)


def test_an_environment_with_a_python(maker: Maker) -> None:
    folder = maker.make()
    answer = subprocess.run(
        [folder / "bin" / "python", "-c", "import sys; print(sys.prefix)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == str(folder)


def test_it_is_made_once(maker: Maker) -> None:
    first = maker.make()
    stamp = (first / packages.READY).stat().st_mtime_ns
    maker.said.clear()
    assert maker.make() == first
    assert (maker.said, (first / packages.READY).stat().st_mtime_ns) == ([], stamp)


def test_its_name_tells_the_lock_the_machine_and_the_python(maker: Maker, tmp_path: Path) -> None:
    folder = packages.cache_folder(maker.lock, "3.11")
    assert folder.parent == tmp_path / "cache" / "airflow-platform"
    digest = hashlib.sha256(maker.lock.read_bytes()).hexdigest()[:12]
    system = f"{platform.system().lower()}-{platform.machine()}"
    assert folder.name == f"airflow-{digest}-{system}-python3.11"
    maker.lock.write_text("# something else\n")
    assert packages.cache_folder(maker.lock, "3.11") != folder


def test_a_half_made_one_is_made_again(maker: Maker) -> None:
    folder = maker.make()
    (folder / packages.READY).unlink()
    (folder / "bin" / "python").unlink()
    maker.make()
    assert (folder / "bin" / "python").exists()
    assert (folder / packages.READY).exists()


def test_a_failure_leaves_nothing_that_is_used(maker: Maker) -> None:
    maker.lock.write_text("==\n")
    with pytest.raises(packages.PackagesError, match="cannot be installed"):
        maker.make()
    assert not (packages.cache_folder(maker.lock, RUNNING) / packages.READY).exists()


def test_a_package_without_hashes_is_refused(maker: Maker) -> None:
    maker.lock.write_text("idna==3.10\n")
    with pytest.raises(packages.PackagesError, match="hash"):
        maker.make()


def test_callers_wait_for_one_another(maker: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[float] = []

    def make(folder: Path, *_: object) -> None:
        made.append(time.monotonic())
        time.sleep(0.2)
        folder.mkdir(parents=True)
        (folder / packages.READY).touch()

    monkeypatch.setattr(packages, "_make", make)
    threads = [threading.Thread(target=maker.make) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert maker.said == ["waiting for another installation of the packages of the Airflow image"] * 2


def test_without_the_images_python_the_running_one_is_used(maker: Maker) -> None:
    folder = maker.make("3.99")
    assert folder.name.endswith(f"-python{RUNNING}")
    assert maker.said[0] == f"no python3.99 as in the image, Airflow runs on Python {RUNNING}"


def test_progress_of_a_long_installation(maker: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "REPORT_SECONDS", 0.001)
    maker.make()
    assert any(line.startswith("still installing after") for line in maker.said)


def test_an_interrupted_installation_ends_its_process(maker: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[str]] = []

    class Interrupted(subprocess.Popen[str]):
        def communicate(self, *_: object, **__: object) -> tuple[str, str]:
            started.append(self)
            raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        maker.make()
    assert [process.poll() is not None for process in started] == [True]


def test_an_environment_for_something_else(maker: Maker) -> None:
    folder = packages.environment(
        maker.lock, RUNNING, maker.said.append, packages.Purpose("other", "other packages")
    )
    assert folder.name.startswith("other-")
    assert maker.said[0] == "installing other packages, once (10 s to 2 minutes)"
