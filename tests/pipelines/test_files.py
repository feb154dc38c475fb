"""What both pipelines promise: who may do what, one after the other, for how long, and from which branch.

Not proved here: that GitHub and Jenkins read the files as meant; actionlint and npm-groovy-lint do in `make lint`.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.pipelines.files import (
    CHECK,
    JENKINSFILE,
    RELEASE,
    ROOT,
    SYSTEMS,
    WORKFLOW,
    block,
    joined,
    pairs,
    shell_steps,
    stage,
    table,
    tokens,
    workflow,
)

SCRIPT = re.compile(r"platform/pipelines/release-dags (\w+)")
JOBS: dict[str, Any] = workflow()["jobs"]
USES = re.compile(r"uses: (\S+)(.*)")


def used(job: str, action: str) -> list[dict[str, Any]]:
    """Return the steps of a job that use an action."""
    return [step for step in JOBS[job]["steps"] if step.get("uses", "").startswith(f"{action}@")]


# Both


def test_both_have_the_same_table() -> None:
    assert pairs(table("github")) == pairs(table("jenkins")) == [["main", "dev"], ["production", "prod"]]


@pytest.mark.parametrize("stack", [stack for _, stack in pairs(table("github"))])
def test_the_stacks_of_the_table_are_environments(stack: str) -> None:
    settings = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())
    assert settings["config"]["airflow-platform:platform"]["kind"] == "environment"


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize(
    ("job", "commands"), [(CHECK, ["setup", "stack", "check"]), (RELEASE, ["setup", "release"])]
)
def test_a_job_is_a_few_calls_of_the_script(system: str, job: str, commands: list[str]) -> None:
    assert SCRIPT.findall("\n".join(shell_steps(system, job))) == commands


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("job", [CHECK, RELEASE])
def test_what_a_signal_must_reach_takes_the_place_of_the_shell(system: str, job: str) -> None:
    assert f"exec platform/pipelines/release-dags {job}" in shell_steps(system, job)


@pytest.mark.parametrize("file", [WORKFLOW, JENKINSFILE], ids=lambda file: file.name)
@pytest.mark.parametrize(
    "word", ["AKIA", "aws-access-key-id", "AWS_SECRET_ACCESS_KEY", "withCredentials", "password"]
)
def test_there_is_no_key(file: Any, word: str) -> None:
    assert word.lower() not in file.read_text().lower()


# GitHub


def test_every_push_and_pull_request_starts_it_and_no_tag() -> None:
    assert workflow()["on"] == {"push": {"branches": ["**"]}, "pull_request": None}


def test_no_job_has_a_right_by_default() -> None:
    assert workflow()["permissions"] == {}


def test_the_job_that_runs_code_of_pull_requests_can_only_read() -> None:
    assert JOBS[CHECK]["permissions"] == {"contents": "read"}


def test_only_the_release_may_take_a_role() -> None:
    assert JOBS[RELEASE]["permissions"] == {"contents": "read", "id-token": "write"}
    assert [job for job in JOBS if used(job, "aws-actions/configure-aws-credentials")] == [RELEASE]


def test_only_a_push_to_a_branch_with_a_stack_is_released_after_its_check() -> None:
    job = JOBS[RELEASE]
    assert job["if"] == "github.event_name == 'push' && needs.check.outputs.stack != ''"
    assert job["needs"] == CHECK
    assert JOBS[CHECK]["outputs"] == {"stack": "${{ steps.stack.outputs.stack }}"}


def test_the_release_asks_the_rules_of_its_environment() -> None:
    assert JOBS[RELEASE]["environment"] == "${{ needs.check.outputs.stack }}"


def test_one_release_of_a_stack_at_a_time_and_none_is_cut_off() -> None:
    assert workflow()["concurrency"] == {
        "group": "dags-${{ github.ref }}",
        "cancel-in-progress": "${{ github.event_name == 'pull_request' }}",
    }
    assert JOBS[RELEASE]["concurrency"] == {
        "group": "dags-release-${{ needs.check.outputs.stack }}",
        "cancel-in-progress": False,
    }


def test_jobs_have_time_outs_and_the_release_ends_before_its_credentials() -> None:
    """A role that is taken without a word on its duration lasts 60 minutes."""
    assert {name: job["timeout-minutes"] for name, job in JOBS.items()} == {CHECK: 30, RELEASE: 45}


def test_the_release_has_time_for_everything_it_may_wait_for() -> None:
    from operations.commands import PROVE_SECONDS, PUBLISH_SECONDS
    from operations.gate import TIME_LIMIT_SECONDS

    # Moving back waits for proofs again; the rest is for the set-up.
    assert TIME_LIMIT_SECONDS + PUBLISH_SECONDS + 2 * PROVE_SECONDS + 10 * 60 <= 45 * 60


def test_actions_are_pinned_by_commit_with_their_version_beside_it() -> None:
    found = USES.findall(WORKFLOW.read_text())
    assert len(found) == 9
    for action, comment in found:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action)
        assert re.fullmatch(r"  # v\d+\.\d+\.\d+", comment), action


def test_an_action_has_one_version() -> None:
    found = {
        action.partition("@")[0]: (action, comment) for action, comment in USES.findall(WORKFLOW.read_text())
    }
    assert set(found.values()) == set(USES.findall(WORKFLOW.read_text()))


def test_no_checkout_leaves_a_token_behind() -> None:
    checkouts = [step for job in JOBS for step in used(job, "actions/checkout")]
    assert [step["with"]["persist-credentials"] for step in checkouts] == [False] * 4


def test_the_platform_is_fetched_at_the_version_that_a_variable_names() -> None:
    for job in JOBS:
        _, platform = used(job, "actions/checkout")
        assert platform["with"] == {
            "repository": "${{ vars.PLATFORM_REPOSITORY }}",
            "ref": "${{ vars.PLATFORM_REF }}",
            "ssh-key": "${{ secrets.PLATFORM_READ_KEY }}",
            "path": "platform",
            "persist-credentials": False,
        }


def test_the_only_secret_reads_the_platform() -> None:
    assert set(re.findall(r"secrets\.\w+", WORKFLOW.read_text())) == {"secrets.PLATFORM_READ_KEY"}


@pytest.mark.parametrize("job", [CHECK, RELEASE])
def test_nothing_is_pasted_into_a_shell_step(job: str) -> None:
    """A branch may be called `$(anything)`: what comes from outside comes as a variable."""
    assert [step for step in shell_steps("github", job) if "${{" in step] == []


def test_results_are_kept_also_of_what_fails() -> None:
    kept = {
        job: [(step["if"], step["with"]["path"]) for step in used(job, "actions/upload-artifact")]
        for job in JOBS
    }
    assert kept == {CHECK: [("always()", "results/")], RELEASE: [("always()", "results/release.*")]}


def test_the_release_gets_the_approval_of_its_check() -> None:
    (upload,), (download,) = (
        used(CHECK, "actions/upload-artifact"),
        used(RELEASE, "actions/download-artifact"),
    )
    assert download["with"] == {"name": upload["with"]["name"], "path": "results"}


def test_pulumi_is_the_one_of_the_program() -> None:
    (step,) = used(RELEASE, "pulumi/actions")
    assert f"pulumi=={step['with']['pulumi-version']}" in (ROOT / "requirements.txt").read_text().splitlines()


def test_both_use_the_same_shell() -> None:
    assert workflow()["defaults"] == {"run": {"shell": "sh"}}


# Jenkins


def test_builds_of_a_branch_come_one_after_the_other() -> None:
    options = joined(block(tokens(JENKINSFILE.read_text()), "agent", "none", "options"))
    assert "disableConcurrentBuilds ( ) skipDefaultCheckout ( )" in options
    assert "abortPrevious" not in options


@pytest.mark.parametrize(("job", "minutes"), [(CHECK, 30), (RELEASE, 45)])
def test_stages_have_time_outs(job: str, minutes: int) -> None:
    assert joined(block(stage(job), "options")) == f"timeout ( time : {minutes} , unit : 'MINUTES' )"


def test_only_a_branch_with_a_stack_is_released() -> None:
    assert joined(block(stage(RELEASE), "when")) == (
        "beforeAgent true not { changeRequest ( ) } not { buildingTag ( ) } expression { env . STACK }"
    )


def test_what_runs_code_of_pull_requests_has_agents_of_its_own() -> None:
    assert joined(block(stage(CHECK), "agent")) == "label 'dags-check'"
    assert joined(block(stage(RELEASE), "agent")) == "label 'dags-release-${env.STACK}'"


def test_the_stage_gets_the_approval_of_the_check() -> None:
    assert "stash name : 'approval' , includes : 'results/approval.json'" in joined(stage(CHECK))
    assert "unstash 'approval'" in joined(stage(RELEASE))


@pytest.mark.parametrize("job", [CHECK, RELEASE])
def test_results_are_archived_also_of_what_fails(job: str) -> None:
    archive = f"archiveArtifacts artifacts : 'results/{job}.*' , allowEmptyArchive : true"
    assert joined(block(stage(job), "post")) == f"always {{ {archive} }}"


def test_jenkins_fetches_the_platform_at_the_version_that_a_variable_names() -> None:
    fetched = joined(block(tokens(JENKINSFILE.read_text()), "dir", "(", "platform", ")"))
    assert "branches : [ [ name : env . PLATFORM_REF ] ]" in fetched
    assert "url : env . PLATFORM_URL" in fetched


@pytest.mark.parametrize("job", [CHECK, RELEASE])
def test_groovy_pastes_nothing_into_a_shell_step(job: str) -> None:
    found = re.findall(r'\bsh\b[^\n]*"', "\n".join(JENKINSFILE.read_text().splitlines()))
    assert found == []
    assert shell_steps("jenkins", job)
