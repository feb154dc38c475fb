"""The sandbox's own folder: tracked files are read, never written."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml

from sandbox.engine import Engine
from sandbox.workspace import Workspace, WorkspaceError, without_secrets

BUILT = Engine(Path("/opt/pulumi/pulumi"), "v3.259.0", "build")
OFFICIAL = Engine(Path("/opt/pulumi/pulumi"), "v3.274.1", "path")

STACK = """\
# who pays
secretsprovider: awskms://alias/state
encryptedkey: AQICAHh=
config:
  probe:account: 012345678901  # unquoted on purpose
  probe:token:
    secure: v1:abc:def==
  probe:platform:
    shared:
      stack: base
    auth:
      secret: {secure: v1:abc:def==}
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "Pulumi.yaml").write_text(
        "name: probe\nruntime: python\nbackend: {url: s3://state}\nmain: app\n"
    )
    (tmp_path / "Pulumi.dev.yaml").write_text(STACK)
    (tmp_path / "Pulumi.base.yaml").write_text("config: {}\n")
    return Workspace(tmp_path)


def copied(workspace: Workspace, name: str) -> str:
    return (workspace.folder / name).read_text()


def test_tracked_files_stay_as_they_are(workspace: Workspace) -> None:
    before = {path.name: path.read_bytes() for path in workspace.project.glob("Pulumi*.yaml")}
    workspace.refresh(BUILT)
    workspace.refresh(OFFICIAL)
    assert {path.name: path.read_bytes() for path in workspace.project.glob("Pulumi*.yaml")} == before


def test_the_folder_hides_itself_from_git(workspace: Workspace) -> None:
    workspace.refresh(BUILT)
    assert (workspace.root / ".gitignore").read_text() == "*\n"


def test_the_copy_of_the_project_points_back_to_the_program(workspace: Workspace) -> None:
    workspace.refresh(BUILT)
    project = yaml.safe_load(copied(workspace, "Pulumi.yaml"))
    assert project == {"name": "probe", "runtime": "python", "main": "../../app"}


def test_an_official_engine_uses_the_sandboxs_interpreter(workspace: Workspace) -> None:
    (workspace.project / "Pulumi.yaml").write_text("name: probe\nruntime: {name: python}\n")
    workspace.refresh(OFFICIAL)
    options = yaml.safe_load(copied(workspace, "Pulumi.yaml"))["runtime"]["options"]
    assert options["toolchain"] == "pip"
    assert (workspace.folder / options["virtualenv"]).samefile(sys.prefix)


def test_secrets_of_the_real_backend_become_labelled_placeholders(workspace: Workspace) -> None:
    workspace.refresh(BUILT)
    copy = yaml.safe_load(copied(workspace, "Pulumi.dev.yaml"))
    assert copy["config"]["probe:token"] == "simulated-secret-value-of-probe:token"
    nested = "simulated-secret-value-of-probe:platform.auth.secret"
    assert copy["config"]["probe:platform"]["auth"] == {"secret": nested}
    assert "secretsprovider" not in copy
    assert "encryptedkey" not in copy


def test_secrets_are_to_be_encrypted_again(workspace: Workspace) -> None:
    workspace.refresh(BUILT)
    paths = ["probe:token", "probe:platform.auth.secret"]
    assert list(workspace.plain_secrets("dev")) == [
        (path, f"simulated-secret-value-of-{path}") for path in paths
    ]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('config:\n  "pa:k":\n    secure: v1:a:b==\n', "pa:k"),
        ("config:\n  pa:k: # the key\n    secure: v1:a:b==\n", "pa:k"),
        ("config:\n  pa:k: {secure: v1:a:b==}  # after\n", "pa:k"),
        ("config:\n  pa:list:\n    - one\n    - secure: v1:a:b==\n    # after\n    - two\n", "pa:list[1]"),
    ],
    ids=["quoted key", "comment behind the key", "flow style", "list item"],
)
def test_a_secret_is_found_however_it_is_written(text: str, path: str) -> None:
    changed, paths = without_secrets(text)
    assert paths == [path]
    assert f"simulated-secret-value-of-{path}" in str(yaml.safe_load(changed))
    assert "v1:a:b==" not in changed
    assert [line for line in text.splitlines() if "#" in line and ":" not in line.partition("#")[0]] == [
        line for line in changed.splitlines() if "#" in line and ":" not in line.partition("#")[0]
    ]


def test_a_stack_whose_file_is_gone_is_refused(workspace: Workspace) -> None:
    workspace.refresh(BUILT)
    workspace.states.mkdir(parents=True)
    (workspace.states / "dev.json").write_text("{}")
    (workspace.project / "Pulumi.dev.yaml").unlink()
    workspace.check_stack("dev")
    with pytest.raises(WorkspaceError, match=r"Pulumi.dev.yaml is gone; only `down dev` works"):
        workspace.check_file("dev")
    assert workspace.references("dev") == ["base"]


def test_values_are_copied_as_text(workspace: Workspace) -> None:
    """A YAML round trip would quote the number, and hide what the real engine makes of it."""
    workspace.refresh(BUILT)
    assert "probe:account: 012345678901  # unquoted on purpose" in copied(workspace, "Pulumi.dev.yaml")


def test_the_engines_salt_survives_a_change_of_the_tracked_file(workspace: Workspace) -> None:
    workspace.refresh(BUILT)
    with (workspace.folder / "Pulumi.dev.yaml").open("a") as file:
        file.write("encryptionsalt: v1:salt\n")
    (workspace.project / "Pulumi.dev.yaml").write_text("config:\n  probe:size: 3\n")
    workspace.refresh(BUILT)
    assert yaml.safe_load(copied(workspace, "Pulumi.dev.yaml")) == {
        "config": {"probe:size": 3},
        "encryptionsalt": "v1:salt",
    }


def test_what_the_engine_wrote_stays_while_the_tracked_file_does(workspace: Workspace) -> None:
    workspace.refresh(BUILT)
    (workspace.folder / "Pulumi.base.yaml").write_text("encryptionsalt: v1:salt\nconfig: {a:b: c}\n")
    workspace.refresh(BUILT)
    assert copied(workspace, "Pulumi.base.yaml") == "encryptionsalt: v1:salt\nconfig: {a:b: c}\n"


def test_the_referenced_stack_is_found_in_the_configuration(workspace: Workspace) -> None:
    assert (workspace.references("dev"), workspace.references("base")) == (["base"], [])


def test_an_unknown_stack_is_refused_with_those_there_are(workspace: Workspace) -> None:
    with pytest.raises(WorkspaceError, match=r"no stack 'prod' in .*; there are: base, dev"):
        workspace.check_stack("prod")


def test_a_folder_without_a_project_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="is not a Pulumi project"):
        _ = Workspace(tmp_path).name


def test_a_stack_file_that_is_not_yaml_is_named(workspace: Workspace) -> None:
    (workspace.project / "Pulumi.dev.yaml").write_text("config: [\n")
    with pytest.raises(WorkspaceError, match=r"Pulumi.dev.yaml is not YAML"):
        workspace.refresh(BUILT)


def test_real_credentials_and_backends_do_not_reach_the_engine(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
    monkeypatch.setenv("AWS_PROFILE", "real")
    monkeypatch.setenv("PULUMI_ACCESS_TOKEN", "real")
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://real")
    environment = workspace.environment(BUILT, "aws:1")
    assert "real" not in environment.values()
    assert environment["PULUMI_BACKEND_URL"] == f"file://{workspace.root / 'state'}"
    assert environment["PULUMI_DEBUG_PROVIDERS"] == "aws:1"
