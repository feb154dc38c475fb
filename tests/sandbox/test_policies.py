"""Packs of a project as options of the CLI."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.policies import options


@pytest.fixture
def project(tmp_path: Path) -> Path:
    pack(tmp_path, "security")
    return tmp_path


def pack(project: Path, name: str, *configurations: str) -> Path:
    folder = project / "policies" / name
    folder.mkdir(parents=True)
    (folder / "PulumiPolicy.yaml").touch()
    for each in configurations:
        (folder / f"config.{each}.json").touch()
    return folder


def test_a_project_without_packs_has_no_options(tmp_path: Path) -> None:
    assert options(tmp_path, "dev") == []


def test_a_folder_without_a_definition_is_no_pack(tmp_path: Path) -> None:
    (tmp_path / "policies" / "notes").mkdir(parents=True)
    assert options(tmp_path, "dev") == []


def test_a_pack_without_configuration_counts_as_it_is(project: Path) -> None:
    assert options(project, "dev") == ["--policy-pack", str(project / "policies" / "security")]


@pytest.mark.parametrize(
    ("stack", "account_class"),
    [
        ("dev", "nonprod"),
        ("staging", "nonprod"),
        ("preprod", "prod"),
        ("prod", "prod"),
        ("nonprod-shared", "nonprod"),
        ("prod-shared", "prod"),
    ],
)
def test_the_class_of_the_account_chooses_the_levels(tmp_path: Path, stack: str, account_class: str) -> None:
    folder = pack(tmp_path, "security", "nonprod", "prod")
    assert options(tmp_path, stack)[2:] == [
        "--policy-pack-config",
        str(folder / f"config.{account_class}.json"),
    ]


def test_a_stack_may_have_levels_of_its_own(tmp_path: Path) -> None:
    folder = pack(tmp_path, "security", "nonprod", "dev")
    assert options(tmp_path, "dev")[2:] == ["--policy-pack-config", str(folder / "config.dev.json")]


def test_a_stack_of_another_name_has_the_packs_own_levels(tmp_path: Path) -> None:
    folder = pack(tmp_path, "security", "nonprod", "prod")
    assert options(tmp_path, "playground") == ["--policy-pack", str(folder)]


def test_packs_and_configurations_are_in_the_same_order(tmp_path: Path) -> None:
    security, cost = pack(tmp_path, "security", "dev"), pack(tmp_path, "cost", "dev")
    assert options(tmp_path, "dev") == [
        *("--policy-pack", str(cost), "--policy-pack", str(security)),
        *("--policy-pack-config", str(cost / "config.dev.json")),
        *("--policy-pack-config", str(security / "config.dev.json")),
    ]
