"""The tracked stack files, and what must hold between them."""

from __future__ import annotations

import itertools
import json
from ipaddress import IPv4Network
from pathlib import Path

import pytest
import yaml

from settings import AccountClass, Environment, EnvironmentSettings, Settings, SharedSettings, parse
from settings.markdown import ADDRESS_PLAN
from settings.section import Section
from tests.settings.samples import KEY, PLACEHOLDER_DIGEST, ROOT, STACKS, stack_file


def read(stack: str) -> Settings:
    return parse(json.dumps(stack_file(stack)), stack)


def test_no_stack_file_is_forgotten() -> None:
    assert {path.name for path in ROOT.glob("Pulumi.*.yaml")} == {f"Pulumi.{stack}.yaml" for stack in STACKS}


@pytest.mark.parametrize("stack", STACKS)
def test_stack_file_loads(stack: str) -> None:
    wanted = SharedSettings if stack.endswith("-shared") else EnvironmentSettings
    assert isinstance(read(stack), wanted)


@pytest.mark.parametrize("stack", STACKS)
def test_stack_file_points_editors_to_the_schema(stack: str) -> None:
    first, *_ = (ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8").splitlines()
    _, schema = first.split("$schema=")
    assert (ROOT / schema).is_file()


@pytest.mark.parametrize("stack", STACKS)
def test_stack_file_says_that_the_account_is_a_placeholder(stack: str) -> None:
    account = next(
        line for line in Path(ROOT / f"Pulumi.{stack}.yaml").read_text().splitlines() if " id: " in line
    )
    assert "# placeholder" in account


@pytest.mark.parametrize("stack", [stack for stack in STACKS if not stack.endswith("-shared")])
def test_stack_file_says_that_image_and_ranges_are_placeholders(stack: str) -> None:
    lines = (ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8").splitlines()
    (digest,) = (number for number, line in enumerate(lines) if PLACEHOLDER_DIGEST in line)
    assert "# placeholder" in lines[digest - 1]
    (ranges,) = (line for line in lines if "allowedCidrs:" in line)
    assert "# placeholder" in ranges


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_stack_file_leaves_nothing_unsaid(stack: str) -> None:
    """All keys but the host's label, `airflow` everywhere, an image of DAGs, more tags, and Flower in prod."""
    settings = read(stack)
    unset = {
        f"{section}.{key}"
        for section in EnvironmentSettings.model_fields
        for key in unset_keys(getattr(settings, section))
    }
    missing = {"web.host_label", "dags.image_digest", "tags.extra"}
    assert unset == missing | ({"services.flower"} if stack == "prod" else set())


def unset_keys(section: object) -> set[str]:
    return (
        set(type(section).model_fields) - section.model_fields_set if isinstance(section, Section) else set()
    )


def test_stacks_of_one_class_share_an_account_and_others_do_not() -> None:
    accounts: dict[AccountClass, set[str]] = {AccountClass.NONPROD: set(), AccountClass.PROD: set()}
    for stack in STACKS:
        named = stack.removesuffix("-shared")
        of_class = AccountClass(named) if stack.endswith("-shared") else Environment(stack).account_class
        accounts[of_class].add(read(stack).account.id)
    assert accounts == {AccountClass.NONPROD: {"111111111111"}, AccountClass.PROD: {"222222222222"}}


def test_address_plan_does_not_overlap() -> None:
    networks = [IPv4Network(cidr) for cidr in ADDRESS_PLAN.values()]
    assert not any(one.overlaps(other) for one, other in itertools.combinations(networks, 2))
    assert set(ADDRESS_PLAN) == set(Environment)


@pytest.mark.parametrize("stack", [stack for stack in STACKS if not stack.endswith("-shared")])
def test_environment_keeps_to_the_address_plan(stack: str) -> None:
    settings = read(stack)
    assert isinstance(settings, EnvironmentSettings)
    assert str(settings.network.cidr) == ADDRESS_PLAN[settings.environment]


def test_project_file_declares_the_one_key() -> None:
    """So the engine itself refuses a stack without settings, before the program runs."""
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))
    assert project["name"] == "airflow-platform"
    assert project["requiredPulumiVersion"] == ">=3.249.0"
    assert {key: value["type"] for key, value in project["config"].items()} == {KEY: "object"}
