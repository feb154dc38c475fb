"""Facts about the docker provider: digests follow from what is built."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sandbox.behaviour import utilities
from sandbox.behaviour.model import Failure, Properties
from sandbox.behaviour.values import UNKNOWN
from tests.behaviour.utility_types import IMAGE, make


def context(path: Path, **files: str) -> Properties:
    for name, text in {"Dockerfile": "FROM scratch", **files}.items():
        (path / name).write_text(text)
    return {"context": str(path), "dockerfile": str(path / "Dockerfile"), "platform": "linux/amd64"}


def checked(path: Path, **files: str) -> Properties:
    build = context(path, **files)
    result = utilities.complete(IMAGE, {"imageName": "docker.io/a/b:1", "build": build})
    assert result.failures == ()
    return result.inputs


def test_image_outputs(tmp_path: Path) -> None:
    inputs = checked(tmp_path) | {"registry": {"server": "docker.io", "password": "secret"}}
    created = make(IMAGE, **inputs)
    digest = created.outputs.pop("repoDigest")
    assert re.fullmatch(r"docker\.io/a/b@sha256:[0-9a-f]{64}", digest)
    assert created.id == "docker.io/a/b:1"
    assert created.outputs == {
        "imageName": "docker.io/a/b:1",
        "baseImageName": "docker.io/a/b:1",
        "context": str(tmp_path),
        "dockerfile": "Dockerfile",
        "platform": "linux/amd64",
        "registryServer": "docker.io",
    }


def test_image_that_is_not_pushed_has_a_local_id() -> None:
    digest = make(IMAGE, imageName="b", skipPush=True).outputs["repoDigest"]
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", digest)


def test_registry_with_port_is_kept_in_the_digest() -> None:
    digest = make(IMAGE, imageName="localhost:5000/a/b:1").outputs["repoDigest"]
    assert digest.startswith("localhost:5000/a/b@sha256:")


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ({}, True),
        ({"registry": {"password": "new"}}, True),
        ({"build": {"platform": "linux/arm64"}}, False),
        ({"build": {"args": {"A": "1"}}}, False),
    ],
    ids=["nothing", "credentials", "platform", "arguments"],
)
def test_image_digest_follows_from_the_build(changed: Properties, same: bool, tmp_path: Path) -> None:
    inputs = checked(tmp_path)
    other = {**inputs, **changed, "build": {**inputs["build"], **changed.get("build", {})}}
    first, second = (make(IMAGE, **item).outputs["repoDigest"] for item in (inputs, other))
    assert (first == second) is same


@pytest.mark.parametrize(
    ("files", "same"),
    [
        ({"app.py": "1"}, True),
        ({"app.py": "2"}, False),
        ({"app.py": "1", "Dockerfile": "FROM alpine"}, False),
        ({"app.py": "1", "new.py": ""}, False),
        ({"app.py": "1", "notes.md": "ignored"}, True),
        ({"app.py": "1", "keep.md": "not ignored"}, False),
    ],
    ids=["nothing", "content", "Dockerfile", "new file", "ignored file", "file not ignored after all"],
)
def test_image_digest_follows_from_the_files(files: dict[str, str], same: bool, tmp_path: Path) -> None:
    ignore = {".dockerignore": "# docs\n*.md\n!keep.md\n"}
    first = checked(tmp_path, **{"app.py": "1"}, **ignore)
    second = checked(tmp_path, **files, **ignore)
    assert (first["build"]["contextDigest"] == second["build"]["contextDigest"]) is same


def test_ignored_directory_is_left_out(tmp_path: Path) -> None:
    first = checked(tmp_path, **{".dockerignore": "build\n"})
    (tmp_path / "build" / "deep").mkdir(parents=True)
    (tmp_path / "build" / "deep" / "file").write_text("x")
    assert checked(tmp_path)["build"]["contextDigest"] == first["build"]["contextDigest"]


def test_check_gives_the_image_a_platform(tmp_path: Path) -> None:
    build = context(tmp_path)
    del build["platform"]
    completed = utilities.complete(IMAGE, {"imageName": "docker.io/a/b", "build": build}).inputs
    assert re.fullmatch(r"linux/\w+", completed["build"]["platform"])


def test_check_refuses_a_context_that_does_not_exist(tmp_path: Path) -> None:
    inputs = {"imageName": "docker.io/a/b", "build": {"context": str(tmp_path / "none")}}
    expected = Failure("build.context", f"no such directory: {tmp_path / 'none'}")
    assert utilities.complete(IMAGE, inputs).failures == (expected,)


def test_check_says_where_the_dockerfile_is(tmp_path: Path) -> None:
    build = {**context(tmp_path), "dockerfile": "Dockerfile"}
    [failure] = utilities.complete(IMAGE, {"imageName": "docker.io/a/b", "build": build}).failures
    assert failure.property == "build.dockerfile"
    assert failure.reason.endswith(f"Try setting `dockerfile` to '{tmp_path}/Dockerfile'")


@pytest.mark.parametrize(
    ("inputs", "refused"),
    [
        ({"imageName": "a/b:1"}, True),
        ({"imageName": "b:1"}, True),
        ({"imageName": "a/b:1", "skipPush": True}, False),
        ({"imageName": "localhost/b"}, False),
        ({"imageName": UNKNOWN}, False),
    ],
)
def test_check_wants_the_registry_in_the_name(inputs: Properties, refused: bool, tmp_path: Path) -> None:
    failures = utilities.complete(IMAGE, {**inputs, "build": context(tmp_path)}).failures
    assert [failure.property for failure in failures] == (["imageName"] if refused else [])


def test_check_waits_for_an_unknown_context() -> None:
    inputs = {"imageName": "docker.io/a/b", "build": {"context": UNKNOWN}}
    result = utilities.complete(IMAGE, inputs)
    assert (result.inputs, result.failures) == (inputs, ())


def test_remote_image() -> None:
    created = make("docker:index/remoteImage:RemoteImage", name="nginx:1.27")
    image_id = created.outputs["imageId"]
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", image_id)
    assert re.fullmatch(r"nginx@sha256:[0-9a-f]{64}", created.outputs["repoDigest"])
    assert created.id == f"{image_id}nginx:1.27"


def test_registry_image() -> None:
    token = "docker:index/registryImage:RegistryImage"
    created = make(token, name="docker.io/a/b:1")
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", created.outputs["sha256Digest"])
    assert created.id == created.outputs["sha256Digest"]
    assert created.outputs["keepRemotely"] is False
    assert make(token, name="docker.io/a/b:1", triggers={"a": "1"}).id != created.id


def test_tag() -> None:
    token = "docker:index/tag:Tag"
    source = "sha256:" + "a" * 64
    created = make(token, sourceImage=source, targetImage="b:1")
    assert (created.id, created.outputs["sourceImageId"]) == (f"{source}.b:1", source)
    by_name = make(token, sourceImage="a:1", targetImage="b:1").outputs["sourceImageId"]
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", by_name)
