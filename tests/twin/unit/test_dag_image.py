"""Images with DAGs without a container engine: what is kept of a build context, and what a container gets of it.

Not proved here: that Airflow reads the DAGs; the twin's own tests do that.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from operations.image_build import lay_out
from sandbox.twin.dag_image import CannotPullContainerError, ImageBuildError, added, build
from sandbox.twin.isolation import Mode
from sandbox.twin.model import Container
from sandbox.twin.rewrites import Context, Facts
from sandbox.twin.rewriting import boot, differences, explanation, of_image
from sandbox.twin.task import Status
from tests.engine.support import Project
from tests.releases.simulated_platform import NEW, NEW_ID, OLD, GitCommit
from tests.releases.trees import Item
from tests.twin.rendered import IMAGE, container, facts, read, task
from tests.twin.unit.test_task import Stage

pytestmark = pytest.mark.filterwarnings(r"ignore::DeprecationWarning:pulumi_(aws|awsx)\..*")

BASE = f"registry.example/airflow@sha256:{'0' * 64}"
BAKED = "/opt/airflow/baked"


def context(folder: Path, items: tuple[Item, ...] = NEW, base: str = BASE) -> Path:
    lay_out(folder, GitCommit(items), base)
    return folder


def dockerfile(folder: Path, text: str) -> Path:
    (folder / "releases").mkdir(parents=True)
    (folder / "Dockerfile").write_text(text)
    return folder


# Building


def test_what_is_copied_is_kept_under_the_digest(tmp_path: Path) -> None:
    digest = build(context(tmp_path / "c"), tmp_path / "images", tmp_path / "metadata")
    files = added(f"x@{digest}", BASE, tmp_path / "images")
    assert list(files) == [BAKED]
    assert (files[BAKED] / NEW_ID / "tree" / "new" / "one.py").read_bytes() == b"1\n"
    assert json.loads((tmp_path / "metadata").read_text()) == {"containerimage.digest": digest}


def test_the_same_context_is_the_same_image(tmp_path: Path) -> None:
    """Whenever and wherever it was written."""
    first = build(context(tmp_path / "one"), tmp_path / "images")
    (tmp_path / "one").rename(tmp_path / "other")
    shutil.copytree(tmp_path / "other", tmp_path / "copied", copy_function=shutil.copy)
    assert build(tmp_path / "copied", tmp_path / "images") == first
    assert [path.name for path in (tmp_path / "images").iterdir()] == [first]


@pytest.mark.parametrize(
    "changed",
    [
        {"items": OLD},
        {"base": f"registry.example/airflow@sha256:{'1' * 64}"},
        {"items": (("daily.py", b"print('DAILY')\n", True), NEW[1])},
    ],
    ids=["content", "base", "mode"],
)
def test_another_context_is_another_image(tmp_path: Path, changed: dict[str, object]) -> None:
    first = build(context(tmp_path / "one"), tmp_path / "images")
    other = build(context(tmp_path / "two", **changed), tmp_path / "images")  # type: ignore[arg-type]
    assert other != first


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            f"FROM {BASE}\nRUN pip install x\n",
            "the Dockerfile has RUN: without a container engine only FROM and COPY can be done",
        ),
        ("FROM airflow:3\n", "FROM airflow:3: want an image with its digest"),
        ("COPY releases /x\n", "FROM nothing: want an image with its digest"),
        (
            f"FROM {BASE}\nCOPY nothing /x\n",
            "COPY nothing /x: want a folder of the context and an absolute path",
        ),
        (
            f"FROM {BASE}\nCOPY releases x\n",
            "COPY releases x: want a folder of the context and an absolute path",
        ),
    ],
    ids=["an instruction", "a tag", "no base", "nothing to copy", "a relative target"],
)
def test_what_it_cannot_build_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ImageBuildError) as raised:
        build(dockerfile(tmp_path / "c", text), tmp_path / "images")
    assert str(raised.value) == said


def test_nothing_is_left_of_a_build_that_fails(tmp_path: Path) -> None:
    place = dockerfile(tmp_path / "c", f"FROM {BASE}\nCOPY releases /x\n")
    # Neither a file nor a folder nor a link.
    os.mkfifo(place / "releases" / "pipe")
    with pytest.raises(ImageBuildError, match=r"^COPY releases /x: .*pipe"):
        build(place, tmp_path / "images")
    assert list((tmp_path / "images").iterdir()) == []


def test_a_folder_without_a_dockerfile_is_no_context(tmp_path: Path) -> None:
    with pytest.raises(ImageBuildError, match=f"^{tmp_path} is no build context: "):
        build(tmp_path, tmp_path / "images")


def test_the_command_says_that_it_is_a_stand_in(tmp_path: Path) -> None:
    project = Project.program(tmp_path / "project", "")
    place = context(tmp_path / "c")
    done = project.start("image", str(place), "--metadata-file", str(tmp_path / "metadata"))
    said, _ = done.communicate(timeout=60)
    digest = json.loads((tmp_path / "metadata").read_text())["containerimage.digest"]
    images = tmp_path / "project" / ".sandbox" / "images"
    assert said.splitlines() == [
        f"sandbox: simulated build: {digest} is kept in {images} and pushed nowhere",
        digest,
    ]
    assert (images / digest).is_dir()


# Starting


def in_image(folder: Path, mode: Mode) -> tuple[Container, Facts, Path]:
    """Return the agent of a platform whose image has the DAGs, what is true there, and where the DAGs lie."""
    digest = build(context(folder / "c"), folder / "images")
    known = replace(facts("dev", mode, folder=folder), images=folder / "images")
    agent = container("dev", "release-agent")
    variables = {**agent.environment, "PLATFORM_DAG_STORAGE_PATH": BAKED, "PLATFORM_DAG_DELIVERY": "image"}
    mounts = tuple(mount for mount in agent.mounts if mount.path != "/mnt/dags")
    image = f"{known.platform.image.partition('@')[0]}@{digest}"
    changed = replace(agent, image=image, environment=variables, mounts=mounts)
    return changed, known, folder / "images" / digest / "files" / "0"


def test_a_container_has_what_its_image_adds(tmp_path: Path) -> None:
    agent, known, place = in_image(tmp_path, Mode.NAMESPACES)
    booted = boot(agent, known, task(tmp_path), lambda _: "")
    assert booted.mounts[BAKED] == place
    assert booted.environment["PLATFORM_DAG_STORAGE_PATH"] == BAKED


def test_a_plain_process_finds_it_where_it_lies(tmp_path: Path) -> None:
    agent, known, place = in_image(tmp_path, Mode.PLAIN)
    booted = boot(agent, known, task(tmp_path), lambda _: "")
    assert booted.environment["PLATFORM_DAG_STORAGE_PATH"] == str(place)


@pytest.mark.parametrize("mode", Mode)
def test_the_table_names_every_difference_of_it(tmp_path: Path, mode: Mode) -> None:
    agent, known, _ = in_image(tmp_path, mode)
    booted = boot(agent, known, task(tmp_path), lambda _: "")
    own = of_image(known, agent.image)
    where = Context(own, agent, task(tmp_path))
    assert [each.place for each in differences(booted, own.image) if explanation(each, where) is None] == []


def test_the_platforms_image_adds_nothing(tmp_path: Path) -> None:
    known = facts("dev", folder=tmp_path)
    assert of_image(known, known.platform.image).image == IMAGE


def test_every_container_of_release_delivery_has_the_platforms_image() -> None:
    platform = read("dev")
    images = {each.image for definition in platform.definitions for each in definition.containers}
    assert images == {platform.image}


def test_an_image_that_was_never_built_cannot_be_pulled(tmp_path: Path) -> None:
    """The name of the error and its text are those of ECS: a task shows both as its reason."""
    known = facts("dev", folder=tmp_path)
    image = f"registry.example/airflow@sha256:{'f' * 64}"
    lost = replace(container("dev", "release-agent"), image=image)
    with pytest.raises(CannotPullContainerError) as raised:
        boot(lost, known, task(tmp_path), lambda _: "")
    assert str(raised.value) == (
        f"pull image manifest has been retried 1 time(s): failed to resolve ref {image}: {image}: not found"
    )


def test_a_task_says_why_it_does_not_start(tmp_path: Path) -> None:
    known = facts("dev", folder=tmp_path)
    lost = replace(container("dev", "release-agent"), image=f"registry.example/airflow@sha256:{'f' * 64}")
    there = Stage(tmp_path, [lost], boot=lambda each, _: boot(each, known, task(tmp_path), lambda _: ""))
    there.live()
    assert (there.task.status, there.isolation.started) == (Status.STOPPED, {})
    assert there.task.stopped_reason.startswith(
        "CannotPullContainerError: pull image manifest has been retried"
    )
