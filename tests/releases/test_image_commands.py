"""The commands on a stack whose image has the DAGs: a real Git repository, commands of the tests' own.

Not proved here: Airflow's reading of the DAGs, Docker, Pulumi and ECS.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from images.airflow.platform_runtime.releases.pinned import baked
from operations import image_command
from operations.errors import OperationError
from operations.stack_outputs import parse
from tests.releases.simulated_platform import OLD_ID, Platform
from tests.releases.test_operations_commands import (
    OUTPUTS,
    Repository,
    clients,
    platform,
    repository,
    run,
    run_json,
)

__all__ = ["clients", "image_command", "platform", "repository"]

BEFORE, BUILT = (f"sha256:{letter * 64}" for letter in "ab")
IN_IMAGE = {
    **OUTPUTS,
    "dagDelivery": "image",
    "dagImageDigest": BEFORE,
    "repositoryUrl": "registry.example/airflow",
    "architecture": "x86_64",
}
BUILD = f"""printf '{{"containerimage.digest": "{BUILT}"}}' > "$METADATA_FILE\""""


@pytest.fixture
def in_image(platform: Platform, tmp_path: Path) -> Platform:
    """Return a platform whose outputs say that the image has the DAGs."""
    (tmp_path / "outputs.json").write_text(json.dumps(IN_IMAGE))
    return platform


def test_a_release_that_cannot_be_deployed(
    in_image: Platform, repository: Repository, tmp_path: Path
) -> None:
    """The image of before is deployed again, and the answer says where everything is."""
    commit = repository.commit("print('two')\n")
    in_image.released_before()
    deploy = f'echo "$STACK $DAG_IMAGE_DIGEST" >> {tmp_path}/deployed; [ "$DAG_IMAGE_DIGEST" = {BEFORE} ]'
    code, document = run_json(
        "release", repository.folder, "--build-command", BUILD, "--deploy-command", deploy
    )
    assert (tmp_path / "deployed").read_text().splitlines() == [f"dev {BUILT}", f"dev {BEFORE}"]
    assert (code, document["pointer"], document["delivery"]) == (1, "moved back", "image")
    assert (document["git_commit"], document["image_digest"]) == (commit, BUILT)
    assert document["error"].splitlines() == [
        f"the image {BUILT} is not deployed: `{deploy}` ended with 1:",
        "  it said nothing",
        f"the pointer is back on {OLD_ID[:12]} (number 3)",
        f"deployed is the image {BEFORE}",
    ]


def test_a_release_waits_for_the_containers_of_its_image(in_image: Platform, repository: Repository) -> None:
    """Those that run follow the pointer at once, and run another image."""
    in_image.released_before()
    words = ("--build-command", BUILD, "--deploy-command", "true", "--timeout", "30")
    code, document = run_json("release", repository.folder, *words)
    assert code == 1
    lines = document["error"].splitlines()
    assert lines[0] == "not proved within 30 s"
    assert {line.partition(": ")[2] for line in lines[1:4]} == {"still runs the image sha256:1"}


def test_a_dry_run_runs_no_command(in_image: Platform, repository: Repository) -> None:
    words = ("--dry-run", "--build-command", "exit 9", "--deploy-command", "exit 9")
    code, document = run_json("release", repository.folder, *words)
    assert (code, document["result"]) == (0, "dry run")


def test_a_rollback_to_the_current_release_deploys_nothing(in_image: Platform) -> None:
    in_image.released_before()
    words = ("--to", OLD_ID[:12], "--deploy-command", "exit 9", "--timeout", "10")
    code, document = run_json("rollback", *words)
    assert (code, document["delivery"], document["pointer"]) == (1, "image", "not moved")
    assert document["error"].splitlines()[0] == "not proved within 10 s"


def test_nothing_is_collected(in_image: Platform) -> None:
    """On the file system is nothing, and a release that is noted as collected could not be gone back to."""
    in_image.released_before()
    code, document = run_json("collect", "--older-than-days", "0")
    assert (code, document["error"]) == (
        1,
        "the DAGs are in images, and the registry's lifecycle policy takes old ones away",
    )
    assert in_image.ecs.requests == []


def test_an_image_alone(in_image: Platform, repository: Repository, tmp_path: Path) -> None:
    """Nothing is moved, nothing is deployed; the ledger does not hear of it."""
    command = f'cp -r "$CONTEXT" {tmp_path}/context; echo "$PLATFORM" > {tmp_path}/platform; {BUILD}'
    code, document = run_json("image", repository.folder, "--build-command", command)
    assert (code, document["image_digest"]) == (0, BUILT)
    assert baked(tmp_path / "context" / "releases") == document["release_id"]
    first = (tmp_path / "context" / "Dockerfile").read_text().splitlines()[0]
    assert first == "FROM registry.example/airflow@sha256:1"
    assert (tmp_path / "platform").read_text() == "linux/amd64\n"
    assert in_image.current[0] == 0


def test_an_image_for_a_stack_that_is_not_there_yet(
    platform: Platform, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPERATIONS_OUTPUTS")
    command = f'cp "$CONTEXT/Dockerfile" {tmp_path}/Dockerfile; {BUILD}'
    base = f"other.example/airflow@sha256:{'c' * 64}"
    code, _ = run_json("image", repository.folder, "--base", base, "--build-command", command)
    assert code == 0
    assert (tmp_path / "Dockerfile").read_text().splitlines()[0] == f"FROM {base}"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--base", "airflow:3"), "--base airflow:3: want REPOSITORY@DIGEST"),
        (("--base", "airflow@latest"), "--base airflow@latest: want REPOSITORY@DIGEST"),
        (
            ("--base", f"airflow@{BUILT}", "--architecture", "arm"),
            "--architecture arm: want one of arm64, x86_64",
        ),
    ],
)
def test_a_base_that_is_none(
    platform: Platform, repository: Repository, words: tuple[str, ...], said: str
) -> None:
    code, document = run_json("image", repository.folder, *words)
    assert (code, document["error"]) == (1, said)


def test_an_image_for_a_stack_whose_outputs_are_older(platform: Platform, repository: Repository) -> None:
    code, document = run_json("image", repository.folder)
    assert code == 1
    assert document["error"].startswith("the outputs of the stack dev lack repositoryUrl: apply it with this")


def test_help_names_the_command() -> None:
    assert " image " in run("--help").stdout


# The outputs


def test_outputs_of_an_image() -> None:
    found = parse(json.dumps(IN_IMAGE), "x")
    assert (found.dags_in_image, found.dag_image_digest) == (True, BEFORE)


def test_outputs_of_a_stack_that_does_not_know_images() -> None:
    found = parse(json.dumps(OUTPUTS), "x")
    assert (found.dags_in_image, found.dag_image_digest, found.repository_url) == (False, "", "")


@pytest.mark.parametrize("name", ["dagImageDigest", "repositoryUrl", "architecture"])
def test_outputs_of_an_image_that_lack_something(name: str) -> None:
    with pytest.raises(OperationError, match=rf"^x lacks outputs: {name} \(text\): "):
        parse(json.dumps(IN_IMAGE | {name: ""}), "x")
