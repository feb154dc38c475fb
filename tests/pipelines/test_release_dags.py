"""The script that both pipelines call: its table, its variables, how it ends, what it does when it is cancelled."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pipelines.files import ROOT
from tests.pipelines.running import machine
from tests.pipelines.standing_in import StandIn

SCRIPT = ROOT / "pipelines" / "release-dags"
WAIT_SECONDS = 20.0
NAMES = st.text("abcABC019/._-$'\"*\\", min_size=1, max_size=8)
RELEASING = {"DAG_STACKS": "main dev", "BRANCH": "main", "OPERATIONS_OUTPUTS": "outputs.json"}


@pytest.fixture
def platform(tmp_path: Path) -> StandIn:
    """Return a stand-in, with a DAG repository beside it."""
    (tmp_path / "repository").mkdir()
    return StandIn(tmp_path / "platform")


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    return machine() | dict(variables)


def run(script: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [script, *words],
        cwd=script.parents[2] if script != SCRIPT else ROOT,
        env=environment(variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def call(platform: StandIn, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return run(platform.folder / "pipelines" / "release-dags", *words, **variables)


def test_shellcheck_finds_nothing() -> None:
    shellcheck = Path(sys.executable).with_name("shellcheck")
    command: list[str | Path] = [shellcheck, "--shell=sh", SCRIPT, ROOT / "pipelines" / "lint" / "run"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stdout) == (0, "")


def test_the_help_names_every_variable() -> None:
    text = SCRIPT.read_text().partition("\nTEXT\n")[2]
    read = set(re.findall(r"\$\{?([A-Z][A-Z_]+)", text)) - {"PWD", "GITHUB_STEP_SUMMARY"}
    told = run(SCRIPT, "--help")
    assert (told.returncode, told.stderr) == (0, "")
    assert {name for name in read if name not in told.stdout} == set()
    assert len(read) == 8


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "want one command; release-dags --help lists them"),
        (("check", "now"), "want one command; release-dags --help lists them"),
        (("chekc",), "there is no command chekc; release-dags --help lists them"),
    ],
)
def test_wrong_usage_is_said(words: tuple[str, ...], message: str) -> None:
    ended = run(SCRIPT, *words)
    assert (ended.returncode, ended.stderr) == (2, f"release-dags: {message}\n")


# The table


@settings(max_examples=40)
@given(rows=st.dictionaries(NAMES, NAMES, min_size=1, max_size=4), other=NAMES)
def test_a_branch_has_the_stack_on_its_line(rows: dict[str, str], other: str) -> None:
    rows = {branch: f"{number}{stack}" for number, (branch, stack) in enumerate(rows.items())}
    text = "\n".join(f"  {branch}   {stack}" for branch, stack in rows.items())
    for branch in (next(reversed(rows)), other):
        ended = run(SCRIPT, "stack", DAG_STACKS=f"\n{text}\n  ", BRANCH=branch)
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, rows.get(branch, "") + "\n", "")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("main", "DAG_STACKS: want a branch and a stack on a line, got: main"),
        ("main dev prod", "DAG_STACKS: want a branch and a stack on a line, got: main dev prod"),
        ("main dev\nmain prod", "DAG_STACKS: the branch main is there twice"),
        ("main dev\nhotfix dev", "DAG_STACKS: two branches release to the stack dev"),
        ("", "the variable DAG_STACKS is missing: which branch releases to which stack, one pair a line"),
    ],
)
def test_a_table_that_is_no_table_is_refused(table: str, message: str) -> None:
    ended = run(SCRIPT, "stack", DAG_STACKS=table, BRANCH="main")
    assert (ended.returncode, ended.stdout, ended.stderr.rstrip()) == (2, "", f"release-dags: {message}")


def test_without_a_branch_nothing_is_found() -> None:
    ended = run(SCRIPT, "stack", DAG_STACKS="main dev")
    assert (ended.returncode, ended.stderr) == (
        2,
        "release-dags: the variable BRANCH is missing: the branch that is built\n",
    )


# The commands


def test_variables_choose_what_is_checked(platform: StandIn, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    ended = call(
        platform,
        "check",
        DAG_REPOSITORY="other",
        DAG_FOLDER="flows",
        COMMIT="v7",
        RESULTS=str(tmp_path / "out" / "put"),
        DAG_VARIABLES="\n  AIRFLOW_VAR_A=x y \n\n  B=$HOME\n",
    )
    assert ended.returncode == 0, ended.stderr
    assert platform.calls[0]["arguments"] == [
        "check",
        str(tmp_path / "other"),
        *("--commit", "v7", "--folder", "flows"),
        *("--record", str(tmp_path / "out" / "put" / "approval.json")),
        *("--variable", "AIRFLOW_VAR_A=x y", "--variable", "B=$HOME"),
        "--json",
    ]
    assert (tmp_path / "out" / "put" / "check.md").exists()


@pytest.mark.parametrize(
    ("given_path", "seen"), [("outputs.json", "{}/outputs.json"), ("/o/outputs.json", "/o/outputs.json")]
)
def test_a_file_with_outputs_is_found_from_where_the_script_is_called(
    platform: StandIn, tmp_path: Path, given_path: str, seen: str
) -> None:
    assert call(platform, "release", **RELEASING | {"OPERATIONS_OUTPUTS": given_path}).returncode == 0
    assert platform.calls[0]["outputs"] == seen.format(tmp_path)


@pytest.mark.parametrize("code", [0, 1, 3, 4, 130])
def test_it_ends_as_the_command_ends_and_keeps_its_result(
    platform: StandIn, tmp_path: Path, code: int
) -> None:
    platform.answers({"release": {"ok": code == 0, "exit_code": code, "release_id": "f00"}})
    assert call(platform, "release", **RELEASING).returncode == code
    assert '"release_id": "f00"' in (tmp_path / "results" / "release.json").read_text()
    assert "| release | `f00` |" in (tmp_path / "results" / "release.md").read_text()


def test_a_command_that_is_killed_leaves_a_summary_too(platform: StandIn, tmp_path: Path) -> None:
    platform.answers({"release": {"ok": True, "exit_code": 0, "killed": True}})
    assert call(platform, "release", **RELEASING).returncode == 128 + signal.SIGKILL
    assert (tmp_path / "results" / "release.md").read_text() == (
        "### It ended without a result; the log has its last words\n\n"
    )


def test_what_an_earlier_release_has_left_is_gone_before_anything_can_fail(
    platform: StandIn, tmp_path: Path
) -> None:
    assert call(platform, "release", **RELEASING).returncode == 0
    assert call(platform, "release", **RELEASING | {"BRANCH": "other"}).returncode == 2
    assert list((tmp_path / "results").iterdir()) == []


def test_a_platform_that_is_not_set_up_is_said(platform: StandIn) -> None:
    (platform.folder / ".venv" / "bin" / "python").unlink()
    ended = call(platform, "check")
    message = f"release-dags: {platform.folder} is not set up: run release-dags setup\n"
    assert (ended.returncode, ended.stderr) == (2, message)


def test_a_repository_that_is_not_there_is_said(platform: StandIn, tmp_path: Path) -> None:
    (tmp_path / "repository").rmdir()
    ended = call(platform, "check")
    assert ended.returncode == 2
    assert f"there is no folder {tmp_path / 'repository'}: check out the DAG repository there" in ended.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_pipeline_that_is_cancelled_lets_the_command_end_in_good_order(
    platform: StandIn, tmp_path: Path, number: signal.Signals
) -> None:
    """The signal comes to the script alone, as GitHub sends it."""
    platform.answers({"release": {"ok": True, "exit_code": 0, "waits": True}})
    process = subprocess.Popen(
        [platform.folder / "pipelines" / "release-dags", "release"],
        cwd=tmp_path,
        env=environment(RELEASING),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    give_up_at = time.monotonic() + WAIT_SECONDS
    while not (platform.folder / "waiting").exists():
        assert time.monotonic() < give_up_at, "it does not start"
        time.sleep(0.02)
    process.send_signal(number)
    shown, _ = process.communicate(timeout=WAIT_SECONDS)

    assert process.returncode == 130
    assert shown.decode() == "### Stopped\n\n```\nstopped by SIGTERM\n```\n\n"
