"""The Dockerfile: clean, one version everywhere, what runs as whom, and nothing in it that should not be.

Not proved here: that it builds, which needs a container engine and the official image.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

from components import task
from images.airflow.lock import pins
from sandbox.twin.image import _Dockerfile
from tests.unit.stacks import ENVIRONMENTS, stack_file

FOLDER = Path(__file__).parents[2] / "images" / "airflow"
TEXT = (FOLDER / "Dockerfile").read_text()
DOCKERFILE = _Dockerfile(TEXT.encode())
VERSION = DOCKERFILE.argument("AIRFLOW_VERSION")
FIRST_RUN = next(value for kind, value in DOCKERFILE._instructions if kind == "RUN")
PREPARATION = [command.strip() for command in FIRST_RUN.split("&&")]
"""The first commands, run by root."""
LOCK = (FOLDER / "requirements.lock").read_text()


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    answer = subprocess.run([hadolint, FOLDER / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stdout) == (0, "")


@pytest.mark.parametrize("stack", ENVIRONMENTS)
def test_the_stacks_name_the_images_version(stack: str) -> None:
    assert stack_file(stack)["image"]["airflowVersion"] == VERSION


def test_requirements_and_lock_name_the_images_version() -> None:
    required = re.findall(
        r"^apache-airflow\[[^]]+\]==(\S+)$", (FOLDER / "requirements.in").read_text(), re.MULTILINE
    )
    locked = pins(LOCK)
    assert required == [VERSION]
    assert {locked["apache-airflow"], locked["apache-airflow-core"]} == {VERSION}


def test_base_image() -> None:
    assert (
        DOCKERFILE.last("FROM")
        == "apache/airflow:slim-${AIRFLOW_VERSION}-python${PYTHON_VERSION}${BASE_DIGEST}"
    )


def test_a_digest_of_the_base_image_is_whoever_builds_its_choice() -> None:
    assert DOCKERFILE.argument("BASE_DIGEST") == ""


def test_it_runs_as_the_definitions_say() -> None:
    assert DOCKERFILE.last("USER") == task.USER


def test_scratch_is_declared_and_owned() -> None:
    """Fargate gives a volume to root unless its mount point is declared, with the owner that it shall have."""
    state, tmp = task.SCRATCH.values()
    assert DOCKERFILE.exec_form("VOLUME") == [state, task.RELEASES_PATH, tmp]
    owned = f"{state} {task.RELEASES_PATH}"
    assert f"install --directory --owner=50000 --group=0 --mode=0770 {owned}" in PREPARATION
    assert f"chown 50000:0 {tmp}" in PREPARATION


def test_scratch_is_declared_after_it_is_owned() -> None:
    """What is changed in a volume after its declaration is lost."""
    kinds = [kind for kind, _ in DOCKERFILE._instructions]
    assert kinds.count("VOLUME") == 1
    assert kinds.index("VOLUME") > max(place for place, kind in enumerate(kinds) if kind in {"RUN", "COPY"})


def test_dags_have_a_mount_point_that_nobody_writes_to() -> None:
    """Without one, a read-only root file system has no place for the storage."""
    assert f"install --directory --owner=0 --group=0 --mode=0755 {task.DAG_STORAGE_PATH}" in PREPARATION


def test_entry_point_and_health() -> None:
    assert DOCKERFILE.exec_form("ENTRYPOINT") == ["platform-entrypoint"]
    assert DOCKERFILE.last("HEALTHCHECK") == "NONE"


def ours() -> set[str]:
    """Return the commands of task definitions that only our image has."""
    checks = (process.health.command[1] for process in task.PROCESSES.values() if process.health)
    commands = {process.command[0] for process in task.PROCESSES.values()}
    return {command for command in {*commands, *checks} if command.startswith("platform-")}


def test_the_images_scripts_are_those_that_something_starts() -> None:
    found = {path.name for path in (FOLDER / "bin").iterdir()}
    assert found == {"platform-entrypoint"} | ours()


@pytest.mark.parametrize("command", ["platform-entrypoint", *sorted(ours())])
def test_commands_are_scripts_of_the_image(command: str) -> None:
    script = FOLDER / "bin" / command
    assert script.stat().st_mode & 0o111 == 0o111
    assert script.read_text().startswith("#!/usr/bin/env python\n")


def test_packages_come_from_the_lock_alone() -> None:
    (installing,) = (
        line for line in TEXT.splitlines() if re.search(r"\b(pip|apt-get|apt|curl|wget)\b", line)
    )
    assert installing == (
        "RUN uv pip sync --no-cache --require-hashes --only-binary :all: --compile-bytecode"
        " /opt/platform/requirements.lock"
    )


def test_every_package_has_hashes() -> None:
    blocks = re.split(r"^(?=[A-Za-z0-9])", LOCK, flags=re.MULTILINE)[1:]
    assert [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block] == []


FITTING = {"celery": r"5\.[0-6]\.", "kombu": r"5\.([7-9]|\d\d)\.", "gunicorn": r"2[5-9]\.|[3-9]\d\."}


@pytest.mark.parametrize(("package", "fits"), FITTING.items())
def test_the_lock_keeps_what_the_requirements_give_a_reason_for(package: str, fits: str) -> None:
    assert re.match(fits, pins(LOCK)[package])


@pytest.mark.parametrize(
    "package", ["asyncpg", "boto3", "flower", "psycopg", "psycopg2-binary", "redis", "statsd"]
)
def test_the_lock_has_what_the_platform_needs(package: str) -> None:
    assert package in pins(LOCK)


def test_every_requirement_says_why() -> None:
    lines = (FOLDER / "requirements.in").read_text().splitlines()
    assert [
        line for line, before in zip(lines[1:], lines, strict=False) if line[:1] != "#" and before[:1] != "#"
    ] == []


def passes(path: str) -> bool:
    """Tell whether a file gets into the build, as Docker reads .dockerignore: the last line that fits decides."""
    inside = True
    for line in (FOLDER / ".dockerignore").read_text().splitlines():
        pattern = re.escape(line.removeprefix("!"))
        pattern = pattern.replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*")
        parents = [str(parent) for parent in PurePosixPath(path).parents][:-1]
        if not line.startswith("#") and any(re.fullmatch(pattern, each) for each in (path, *parents)):
            inside = line.startswith("!")
    return inside


FILES = sorted(
    str(path.relative_to(FOLDER))
    for path in FOLDER.rglob("*")
    if path.is_file() and "__pycache__" not in path.parts
)
COPIED = ("requirements.lock", "certificates/", "bin/", "platform_runtime/")


def test_what_is_copied_is_what_passes_the_ignore_file() -> None:
    assert [source for source, _ in DOCKERFILE.copies] == [name.rstrip("/") for name in COPIED]
    assert [path for path in FILES if passes(path)] == [path for path in FILES if path.startswith(COPIED)]


@pytest.mark.parametrize(
    "path",
    [
        "Dockerfile",
        "__main__.py",
        "lock.py",
        ".env",
        "certificates/api-server.key",
        "platform_runtime/.env",
        "platform_runtime/__pycache__/start.cpython-311.pyc",
        "other/start.py",
    ],
)
def test_what_the_image_does_not_need_stays_outside(path: str) -> None:
    assert not passes(path)


def test_the_images_variables() -> None:
    added = {
        name: value
        for name, value in DOCKERFILE.environment.items()
        if name in {"PYTHONPATH", "PYTHONUNBUFFERED", "PLATFORM_METASTORE_CA_BUNDLE"}
    }
    assert added == {
        "PYTHONPATH": "/opt/platform/lib",
        "PYTHONUNBUFFERED": "1",
        "PLATFORM_METASTORE_CA_BUNDLE": "/opt/platform/certificates/rds-global-bundle.pem",
    }
    assert DOCKERFILE.environment["PATH"].startswith("/opt/platform/bin:/root/bin:/home/airflow/.local/bin:")


def test_no_variable_is_a_secret() -> None:
    words = re.compile(r"PASSWORD|SECRET|TOKEN|FERNET|PRIVATE")
    assert [name for name in DOCKERFILE.environment if words.search(name)] == []
