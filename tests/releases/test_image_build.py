"""The image with DAGs: what its build context has, and what its builder is told and believed.

Not proved here: that Docker builds it; the twin's stand-in reads the same Dockerfile.
"""

from __future__ import annotations

import json
import os
import stat
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings

from components import shared_services, task
from images.airflow.platform_runtime.releases.archive import remove
from images.airflow.platform_runtime.releases.copies import Copies
from images.airflow.platform_runtime.releases.pinned import baked
from operations import image_build
from operations.errors import OperationError
from operations.image_build import Base, Builder, lay_out
from settings import Architecture
from tests.releases.simulated_platform import NEW, NEW_ID, OLD, GitCommit
from tests.releases.trees import Item, trees

DIGEST = f"sha256:{'b' * 64}"
BASE = Base(repository="registry.example/airflow", digest=f"sha256:{'a' * 64}", architecture="arm64")
NOW = datetime(2026, 11, 21, 19, 30, 5, tzinfo=UTC)
MIB = 2**20
WRITES_A_DIGEST = f"""printf '{{"containerimage.digest": "{DIGEST}"}}' > "$METADATA_FILE\""""


def built(command: str, items: tuple[Item, ...] = NEW, base: Base = BASE) -> tuple[str, list[str]]:
    said: list[str] = []
    digest = Builder(base=base, command=command).build(GitCommit(items), NOW, said.append)
    return digest, said


# The context


def test_the_dockerfile_has_two_instructions(tmp_path: Path) -> None:
    lay_out(tmp_path / "context", GitCommit(NEW), "registry.example/airflow@sha256:1")
    assert (tmp_path / "context" / "Dockerfile").read_text() == (
        "FROM registry.example/airflow@sha256:1\nCOPY --chown=0:0 releases /opt/airflow/baked\n"
    )


def test_the_context_has_the_layout_of_the_storage(tmp_path: Path) -> None:
    lay_out(tmp_path / "context", GitCommit(NEW), "base")
    found = sorted(
        str(path.relative_to(tmp_path / "context")) for path in tmp_path.rglob("*") if path.is_file()
    )
    release = f"releases/{NEW_ID}"
    assert found == [
        "Dockerfile",
        f"{release}/manifest.json",
        f"{release}/tree/daily.py",
        f"{release}/tree/new/one.py",
    ]


def test_modes_are_those_of_the_manifest(tmp_path: Path) -> None:
    """COPY keeps them, and the containers' user is another than the builder."""
    items: tuple[Item, ...] = (("run.sh", b"#!/bin/sh\n", True), ("lib/x.py", b"", False))
    before = os.umask(0o077)
    try:
        lay_out(tmp_path / "context", GitCommit(items), "base")
    finally:
        os.umask(before)
    place = tmp_path / "context"
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in place.rglob("*")}
    assert modes["run.sh"] == 0o755
    assert {modes[name] for name in ("x.py", "manifest.json", "Dockerfile")} == {0o644}
    assert {modes[name] for name in ("lib", "tree", "releases")} == {0o755}


def test_times_do_not_depend_on_the_day(tmp_path: Path) -> None:
    lay_out(tmp_path / "context", GitCommit(NEW), "base")
    assert {path.lstat().st_mtime for path in (tmp_path / "context").rglob("*")} == {0.0}


@settings(max_examples=40, deadline=None)
@given(items=trees())
def test_the_agent_takes_every_tree_from_it(items: tuple[Item, ...]) -> None:
    """What the image brings passes the same comparison as what the storage has."""
    tree = GitCommit(items)
    with tempfile.TemporaryDirectory() as name:
        lay_out(Path(name) / "context", tree, "base")
        place = Path(name) / "context" / "releases"
        (Path(name) / "local").mkdir()
        copies = Copies(place, Path(name) / "local", 100 * MIB)
        try:
            assert baked(place) == tree.manifest.release_id
            assert copies.ensure(tree.manifest.release_id) is None
        finally:
            remove(Path(name) / "local")


def test_a_repository_that_changes_meanwhile_is_noticed(tmp_path: Path) -> None:
    tree = GitCommit(NEW)
    tree._content["daily.py"] = b"print('other')\n"
    with pytest.raises(
        OperationError, match=r"^the repository changes while it is read: daily.py: release again$"
    ):
        lay_out(tmp_path / "context", tree, "base")


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    (tmp_path / "context").write_text("")
    with pytest.raises(OperationError, match=r"^the image's files cannot be written to "):
        lay_out(tmp_path / "context", GitCommit(NEW), "base")


# The command


def test_the_command_finds_what_it_needs(tmp_path: Path) -> None:
    command = (
        f'printf "%s\\n" "$DAG_IMAGE" "$PLATFORM" > {tmp_path}/told; cp -r "$CONTEXT/releases" {tmp_path}/copied; '
        + WRITES_A_DIGEST
    )
    digest, said = built(command)
    tag = f"dags-{NEW_ID[:12]}-20261121193005"
    assert (tmp_path / "told").read_text() == f"registry.example/airflow:{tag}\nlinux/arm64\n"
    assert baked(tmp_path / "copied") == NEW_ID
    assert (digest, said) == (DIGEST, [tag])


def test_docker_is_told_to_make_the_same_image_of_the_same_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker = tmp_path / "docker"
    docker.write_text(
        "#!/bin/sh\n"
        f'printf "%s\\n" "epoch $SOURCE_DATE_EPOCH" "$@" > {tmp_path}/told\n' + WRITES_A_DIGEST + "\n"
    )
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert built("")[0] == DIGEST
    told = (tmp_path / "told").read_text().splitlines()
    context = told.pop()
    metadata = told.pop()
    assert (Path(context).name, Path(metadata).name) == ("context", "metadata.json")
    assert told == [
        "epoch 0",
        *("buildx", "build", "--provenance=false", "--sbom=false", "--platform", "linux/arm64"),
        *("--tag", f"registry.example/airflow:dags-{NEW_ID[:12]}-20261121193005"),
        *("--output", "type=image,push=true,rewrite-timestamp=true", "--metadata-file"),
    ]


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    built(f'echo "$CONTEXT" > {tmp_path}/place; {WRITES_A_DIGEST}')
    assert not Path((tmp_path / "place").read_text().strip()).exists()


def test_a_failure_shows_what_the_command_said_last() -> None:
    with pytest.raises(OperationError) as raised:
        built("echo no builder >&2; exit 3")
    assert str(raised.value) == (
        "the image is not built: `echo no builder >&2; exit 3` ended with 3:\n  no builder\n"
        "see whether a builder is installed and logged in to the registry, or give another command"
        " (--build-command)"
    )


def test_a_command_that_does_not_end_is_ended() -> None:
    builder = Builder(base=BASE, command="sleep 60", patience_seconds=0.1)
    with pytest.raises(OperationError, match=r"^the image is not built within 0 s: `sleep 60`$"):
        builder.build(GitCommit(OLD), NOW, print)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            None,
            r"its digest \(containerimage.digest\) is not in the command's METADATA_FILE: FileNotFoundError",
        ),
        ("{", "is not in the command's METADATA_FILE: JSONDecodeError"),
        (json.dumps({"digest": DIGEST}), "is not in the command's METADATA_FILE: KeyError"),
        ("[]", "is not in the command's METADATA_FILE: TypeError"),
        (json.dumps({"containerimage.digest": "latest"}), "'latest' is no digest"),
        (json.dumps({"containerimage.digest": f"{DIGEST}\n"}), "is no digest"),
    ],
    ids=["no file", "no JSON", "no digest", "no object", "a tag", "a line too many"],
)
def test_without_a_digest_there_is_no_image(tmp_path: Path, text: str | None, said: str) -> None:
    (tmp_path / "answer").write_text(text or "")
    command = "true" if text is None else f'cp {tmp_path}/answer "$METADATA_FILE"'
    with pytest.raises(OperationError, match=f"^the image was built, but .*{said}"):
        built(command)


# What it shares with the program


def test_the_image_has_the_release_where_the_agent_looks() -> None:
    assert image_build.BAKED == task.BAKED_PATH


def test_the_registrys_lifecycle_knows_the_tags() -> None:
    assert image_build.TAG == shared_services.DAG_IMAGE_TAG


def test_every_processor_has_a_platform() -> None:
    assert image_build.PLATFORMS.keys() == {each.value for each in Architecture}
