"""The four stacks through the real CLI: up, nothing to do the second time, down, nothing left."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.engine.conftest import PAIRS
from tests.engine.support import ROOT, Project

pytestmark = pytest.mark.engine

NO_CHANGES = ("pulumi", "up", "--yes", "--skip-preview", "--expect-no-changes", "--stack")


def readme_counts() -> dict[str, int]:
    rows = re.findall(r"^\| `([\w-]+)` \| (\d+) \|$", (ROOT / "README.md").read_text(), re.MULTILINE)
    return {stack: int(count) for stack, count in rows}


def test_up_applies_the_referenced_stack_first(applied: tuple[Project, str]) -> None:
    project, stack = applied
    assert len(project.state(PAIRS[stack])) > 0


def test_the_readme_counts_the_resources(applied: tuple[Project, str]) -> None:
    project, stack = applied
    for name in (stack, PAIRS[stack]):
        unchanged = re.search(r"(\d+) unchanged", project.run(*NO_CHANGES, name).stdout)
        assert unchanged
        assert readme_counts()[name] == int(unchanged[1]), name


def test_a_second_up_changes_nothing(applied: tuple[Project, str]) -> None:
    project, stack = applied
    project.run(*NO_CHANGES, PAIRS[stack])
    project.run(*NO_CHANGES, stack)


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
def test_down_leaves_nothing(tmp_path: Path, stack: str) -> None:
    """Protected resources included: the sandbox lifts their protection, and says so."""
    project = Project.platform(tmp_path / "platform")
    project.run("up", stack)
    done = project.run("down")
    assert "2 stack(s) destroyed; the inventory holds 0 resource(s)" in done.stdout
    assert ("lifting the protection" in done.stdout) == (stack == "prod")
    assert project.run("inventory").stdout.endswith("0 resource(s), 0 of them in no state\n")


def test_a_preview_of_a_new_environment_applies_its_shared_stack_only(tmp_path: Path) -> None:
    project = Project.platform(tmp_path / "platform")
    done = project.run("preview", "prod")
    assert "prod references prod-shared: applying it first" in done.stdout
    assert project.state("prod") == []


def test_tracked_stack_files_stay_untouched(applied: tuple[Project, str]) -> None:
    project, _ = applied
    for path in ROOT.glob("Pulumi*.yaml"):
        assert (project.folder / path.name).read_bytes() == path.read_bytes()
