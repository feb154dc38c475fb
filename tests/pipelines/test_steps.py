"""The shell steps of both pipelines, executed on a real Git repository, with a stand-in for `operations`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipelines.files import CHECK, RELEASE, SYSTEMS
from tests.pipelines.running import TEAM, Workspace
from tests.pipelines.standing_in import StandIn


@pytest.fixture(params=SYSTEMS)
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Workspace:
    """Return the folder of a pipeline with one DAG."""
    found = Workspace(request.param, tmp_path / "a workspace")
    found.commit({"etl.py": "one\n"})
    return found


@pytest.fixture
def platform(workspace: Workspace) -> StandIn:
    return StandIn(workspace.folder / "platform")


def test_a_check_keeps_its_approval_and_finds_the_stack(workspace: Workspace, platform: StandIn) -> None:
    ended = workspace.run(CHECK, "main")

    assert (ended.code, ended.stack) == (0, "dev"), ended.log
    assert platform.calls[0]["arguments"] == [
        "check",
        str(workspace.folder / "repository"),
        *("--commit", "HEAD", "--folder", "dags"),
        *("--record", str(workspace.results / "approval.json")),
        "--json",
    ]
    assert (workspace.results / "approval.json").read_text() == "approved"


@pytest.mark.parametrize(
    ("branch", "stack"), [("production", "prod"), ("feature/main", ""), ("7/merge", ""), ("$(touch x)", "")]
)
def test_a_branch_has_the_stack_of_the_table_or_none(
    workspace: Workspace, platform: StandIn, branch: str, stack: str
) -> None:
    ended = workspace.run(CHECK, branch)
    assert (ended.code, ended.stack) == (0, stack), ended.log
    assert not (workspace.folder / "x").exists()


def test_a_release_has_the_approval_and_the_stack_of_the_branch(
    workspace: Workspace, platform: StandIn
) -> None:
    ended = workspace.run(RELEASE, "production")

    assert ended.code == 0, ended.log
    assert platform.calls[0]["arguments"] == [
        "release",
        str(workspace.folder / "repository"),
        *("--commit", "HEAD", "--folder", "dags"),
        *("--checked", str(workspace.results / "approval.json"), "--stack", "prod"),
        "--json",
    ]
    assert workspace.document(RELEASE) == {"command": "release", "ok": True, "exit_code": 0}


def test_a_branch_without_a_stack_is_not_released_whoever_asks(
    workspace: Workspace, platform: StandIn
) -> None:
    ended = workspace.run(RELEASE, "feature")
    assert ended.code == 2
    assert (
        "release-dags: the branch feature releases to no stack; DAG_STACKS has those that do\n" in ended.log
    )
    assert platform.calls == []


@pytest.mark.parametrize("job", [CHECK, RELEASE])
def test_a_step_fails_when_its_command_does_and_says_why(
    workspace: Workspace, platform: StandIn, job: str
) -> None:
    platform.answers({job: {"ok": False, "exit_code": 1, "error": "etl.py: no"}})
    ended = workspace.run(job)
    assert ended.code == 1
    assert "```\netl.py: no\n```" in ended.log
    assert "```\netl.py: no\n```" in workspace.summary(job)


def test_a_failed_check_leaves_no_earlier_approval(workspace: Workspace, platform: StandIn) -> None:
    assert workspace.run(CHECK).code == 0
    platform.answers({CHECK: {"ok": False, "exit_code": 1}})
    assert workspace.run(CHECK).code == 1
    assert not (workspace.results / "approval.json").exists()


def test_it_is_set_up_first(workspace: Workspace, platform: StandIn) -> None:
    (platform.folder / "Makefile").write_text("setup:\n\t@exit 7\n")
    assert workspace.run(CHECK).code == 2
    assert platform.calls == []


@pytest.mark.parametrize(
    ("system", "job", "name"),
    [
        *((system, job, "PLATFORM_REF") for system in ("jenkins",) for job in (CHECK, RELEASE)),
        ("jenkins", CHECK, "PLATFORM_URL"),
        ("github", CHECK, "PLATFORM_REPOSITORY"),
        ("github", CHECK, "PLATFORM_REF"),
        *(("github", RELEASE, name) for name in ("AWS_ROLE_ARN", "AWS_REGION", "PULUMI_BACKEND_URL")),
        ("jenkins", RELEASE, "PULUMI_BACKEND_URL"),
    ],
)
def test_a_variable_that_is_missing_is_named(system: str, job: str, name: str, tmp_path: Path) -> None:
    assert name in TEAM
    workspace = Workspace(system, tmp_path, {name: ""})
    workspace.commit({"etl.py": "one\n"})
    platform = StandIn(tmp_path / "platform")

    ended = workspace.run(job)
    assert ended.code != 0
    assert f"{name}: the variable is missing" in ended.log or f"the variable {name} is missing" in ended.log
    assert platform.calls == []


def test_github_shows_the_summary(tmp_path: Path) -> None:
    workspace = Workspace("github", tmp_path)
    workspace.commit({"etl.py": "one\n"})
    StandIn(tmp_path / "platform")
    assert (workspace.run(CHECK).code, workspace.run(RELEASE).code) == (0, 0)
    shown = (tmp_path / "GITHUB_STEP_SUMMARY").read_text()
    assert shown == "### The DAGs may be released\n\n### Released to dev\n\n"
