"""The sandbox's own folder: tracked files are read, never written."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml

from sandbox.engine import Engine
from sandbox.workspace import Workspace, WorkspaceError

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
    assert copy["config"]["probe:platform"]["auth"] == {"secret": "simulated-secret-value-of-secret"}
    assert "secretsprovider" not in copy
    assert "encryptedkey" not in copy


def test_top_level_secrets_are_to_be_encrypted_again(workspace: Workspace) -> None:
    workspace.refresh(BUILT)
    assert list(workspace.plain_secrets("dev")) == [("probe:token", "simulated-secret-value-of-probe:token")]


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
