"""The image without a container engine: what is read from the Dockerfile, and where its files lie here."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sandbox.twin import packages
from sandbox.twin.image import FOLDER, Image, ImageError, installed

SYSTEM = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an environment whose Python is a link into an installation, as uv makes it."""
    base = tmp_path / "python-3.11.7"
    (base / "bin").mkdir(parents=True)
    (base / "bin" / "python3.11").touch()
    home = tmp_path / "airflow-1a2b3c"
    (home / "bin").mkdir(parents=True)
    (home / "lib" / "python3.11" / "site-packages").mkdir(parents=True)
    (home / "bin" / "python").symlink_to(base / "bin" / "python3.11")
    monkeypatch.setattr(packages, "environment", lambda *_: home)
    return home


def silent(_line: str) -> None:
    """Say nothing."""


@pytest.fixture
def image(home: Path) -> Image:
    return installed(silent)


def test_what_the_dockerfile_says(image: Image) -> None:
    assert image.airflow_version == "3.3.2"
    assert image.entry_point == ("platform-entrypoint",)
    assert image.user == "50000:0"
    assert image.scratch == ("/opt/airflow/state", "/opt/airflow/releases", "/tmp")


def test_files_by_their_place_in_the_container(image: Image) -> None:
    assert image.files == {
        "/opt/platform/requirements.lock": FOLDER / "requirements.lock",
        "/opt/platform/certificates": FOLDER / "certificates",
        "/opt/platform/bin": FOLDER / "bin",
        "/opt/platform/lib/platform_runtime": FOLDER / "platform_runtime",
    }


def test_programs_of_the_environment_stand_where_those_of_the_official_image_stood(
    image: Image, home: Path
) -> None:
    assert image.environment["PATH"] == f"/opt/platform/bin:{home / 'bin'}:{SYSTEM}"


def test_variables_of_the_official_image_are_there(image: Image) -> None:
    expected = {
        "LANG": "C.UTF-8",
        "GUNICORN_CMD_ARGS": "--worker-tmp-dir /dev/shm",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "PYTHONPATH": "/opt/platform/lib",
    }
    assert expected.items() <= image.environment.items()


def test_in_place_every_path_is_one_of_this_machine(image: Image, home: Path) -> None:
    changed = {
        name: value for name, value in image.environment_in_place.items() if value != image.environment[name]
    }
    assert changed == {
        "PATH": f"{FOLDER / 'bin'}:{home / 'bin'}:{SYSTEM}",
        "PYTHONPATH": str(FOLDER),
        "PLATFORM_METASTORE_CA_BUNDLE": str(FOLDER / "certificates" / "rds-global-bundle.pem"),
    }


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/opt/platform/bin/platform-health", FOLDER / "bin" / "platform-health"),
        ("/opt/platform/bin", FOLDER / "bin"),
        ("/opt/platform/lib", FOLDER),
        ("/opt/platform", FOLDER),
        ("/opt/platform/binary", Path("/opt/platform/binary")),
        ("/opt/airflow/state", Path("/opt/airflow/state")),
    ],
)
def test_place(image: Image, path: str, place: Path) -> None:
    assert image.place(path) == place


def test_what_a_container_must_see(image: Image, home: Path, tmp_path: Path) -> None:
    """The environment only points to its Python."""
    assert image.base_prefix == (tmp_path / "python-3.11.7").resolve()
    assert image.root_mounts == (home, tmp_path / "python-3.11.7")
    assert image.bin == home / "bin"
    assert image.site_packages == home / "lib" / "python3.11" / "site-packages"


def test_a_python_that_has_two_names(image: Image, home: Path, tmp_path: Path) -> None:
    """Uv's own installations: the environment names a link to the folder with the full version."""
    (tmp_path / "python-3.11").symlink_to(tmp_path / "python-3.11.7")
    (home / "bin" / "python").unlink()
    (home / "bin" / "python").symlink_to(tmp_path / "python-3.11" / "bin" / "python3.11")
    assert installed(silent).root_mounts == (home, tmp_path / "python-3.11.7", tmp_path / "python-3.11")


@pytest.mark.parametrize(
    ("wrong", "right", "problem"),
    [
        (
            "ARG PYTHON_VERSION=3.11",
            "ARG PYTHON_VERSION",
            "the Dockerfile has no ARG PYTHON_VERSION with a value",
        ),
        ('ENTRYPOINT ["platform-entrypoint"]', "", "the Dockerfile has no ENTRYPOINT"),
        (
            'ENTRYPOINT ["platform-entrypoint"]',
            "ENTRYPOINT platform-entrypoint",
            "the Dockerfile's ENTRYPOINT: want a JSON list, got platform-entrypoint",
        ),
    ],
    ids=["no version", "no entry point", "a shell's entry point"],
)
def test_a_dockerfile_that_lacks_something(
    home: Path, tmp_path: Path, wrong: str, right: str, problem: str
) -> None:
    folder = tmp_path / "image"
    folder.mkdir()
    shutil.copy(FOLDER / "requirements.lock", folder)
    text = (FOLDER / "Dockerfile").read_text()
    assert wrong in text
    (folder / "Dockerfile").write_text(text.replace(wrong, right))
    with pytest.raises(ImageError) as caught:
        installed(silent, folder)
    assert str(caught.value) == problem
