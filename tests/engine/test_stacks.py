"""The four stacks through the real CLI: up, nothing to do the second time, down, nothing left."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.engine.conftest import PAIRS, Applied
from tests.engine.support import ROOT, Project

pytestmark = pytest.mark.engine

NO_CHANGES = ("pulumi", "up", "--yes", "--skip-preview", "--expect-no-changes", "--stack")


def readme_counts() -> dict[str, int]:
    rows = re.findall(r"^\| `([\w-]+)` \| (\d+) \|$", (ROOT / "README.md").read_text(), re.MULTILINE)
    return {stack: int(count) for stack, count in rows}


@pytest.fixture(scope="module")
def again(applied: tuple[Project, str]) -> dict[str, str]:
    """Return what a second `up` of the environment and of its shared stack prints; a change would fail it."""
    project, stack = applied
    return {name: project.run(*NO_CHANGES, name, check=False).stdout for name in (stack, PAIRS[stack])}


def test_up_applies_the_referenced_stack_first(applied: tuple[Project, str]) -> None:
    project, stack = applied
    assert len(project.state(PAIRS[stack])) > 0


def test_a_second_up_changes_nothing(again: dict[str, str]) -> None:
    """The command itself fails on a change; and each resource is counted as unchanged."""
    summaries = {
        name: re.findall(r"^Resources:\n((?:    .*\n)+)", text, re.MULTILINE) for name, text in again.items()
    }
    assert all(re.fullmatch(r"    \d+ unchanged\n", "".join(found)) for found in summaries.values()), again


def test_the_readme_counts_the_resources(again: dict[str, str]) -> None:
    for name, text in again.items():
        unchanged = re.search(r"(\d+) unchanged", text)
        assert unchanged
        assert readme_counts()[name] == int(unchanged[1]), name


def test_every_resource_of_aws_carries_the_stacks_tags(applied: tuple[Project, str]) -> None:
    """As the provider's default tags merge them: whatever can have tags has all of ours."""
    project, stack = applied
    resources = [each for name in (stack, PAIRS[stack]) for each in project.state(name)]
    tagged = [each["outputs"]["tagsAll"] for each in resources if "tagsAll" in each.get("outputs", {})]
    wanted = {"project", "stack", "managedBy", "owner", "costCenter"}
    assert len(tagged) > 20
    assert [tags for tags in tagged if not wanted <= tags.keys()] == []


def test_every_resource_of_aws_has_the_explicit_provider(applied: tuple[Project, str]) -> None:
    project, stack = applied
    references = [each["provider"] for each in project.state(stack) if each["type"].startswith("aws:")]
    assert {reference.split("::", 2)[2].rsplit("::", 1)[0] for reference in references} == {
        "pulumi:providers:aws::aws"
    }


def test_nothing_exists_that_no_state_knows(applied: tuple[Project, str]) -> None:
    assert applied[0].unknown_to_state() == 0


@pytest.mark.parametrize("stack", PAIRS)
def test_down_leaves_nothing(platform_with: Applied, tmp_path: Path, stack: str) -> None:
    """Protected resources included: the sandbox lifts their protection, and says so."""
    project = platform_with(stack, tmp_path / "platform")
    done = project.run("down")
    assert "2 stack(s) destroyed; the inventory holds 0 resource(s)" in done.stdout
    assert ("lifting the protection" in done.stdout) == (stack == "prod")
    assert project.run("inventory").stdout.endswith("0 resource(s), 0 of them in no state\n")


def test_a_preview_of_a_new_environment_applies_its_shared_stack_only(tmp_path: Path) -> None:
    project = Project.raw(tmp_path / "probe", {"token": "aws:sqs/queue:Queue", "name": "work", "inputs": {}})
    (project.folder / "Pulumi.base.yaml").write_text("config: {}\n")
    (project.folder / "Pulumi.dev.yaml").write_text("config:\n  probe:platform:\n    shared: {stack: base}\n")
    done = project.run("preview", "dev")
    assert "dev references base: applying it first" in done.stdout
    assert [each["urn"].rpartition("::")[2] for each in project.state("base")] == [
        "probe-base",
        "account",
        "work",
    ]
    assert project.state("dev") == []


def test_tracked_stack_files_stay_untouched(applied: tuple[Project, str]) -> None:
    project, _ = applied
    for path in ROOT.glob("Pulumi*.yaml"):
        assert (project.folder / path.name).read_bytes() == path.read_bytes()
