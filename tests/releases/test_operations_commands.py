"""The command line from end to end: a real Git repository, the real publisher on a folder, S3 and DynamoDB of moto.

Not proved here: Airflow's reading of the DAGs, and ECS; both are stand-ins.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from images.airflow.platform_runtime.releases.ledger import GENESIS
from images.airflow.platform_runtime.releases.source import archive_key, manifest_key
from operations.aws import SIGN_IN, Aws
from operations.commands import app
from operations.errors import ExitCode, OperationError
from operations.gate import AirflowGate
from operations.gate_findings import Fault, Finding, GateRefusal
from tests.releases.ledger_table import REGION, TABLE, simulation
from tests.releases.simulated_platform import (
    ACCOUNT,
    BUCKET,
    CLUSTER,
    DEFINITION,
    NEW,
    OLD,
    SERVICES,
    Clients,
    Platform,
)

ROOT = Path(__file__).parents[2]
NOT_MOVED = "the pointer was not moved: every container goes on with what it has"
OUTPUTS = {
    "releaseBucketName": BUCKET,
    "ledgerTableName": TABLE,
    "clusterName": CLUSTER,
    "publisherTaskDefinitionArn": DEFINITION,
    "publisherNetwork": {"subnets": ["subnet-1", "subnet-2"], "securityGroups": ["sg-1"]},
    "dagReaderServices": list(SERVICES),
    "imageDigest": "sha256:1",
    "region": REGION,
}


@pytest.fixture(scope="module")
def clients() -> Iterator[Clients]:
    with simulation() as session:
        yield Clients(session)


def operated(platform: Platform, clients: Clients, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the commands work on a platform: with its clients, its clock and its stack's outputs."""
    monkeypatch.setattr("operations.aws.Aws.session", clients)
    monkeypatch.setattr("operations.aws.Aws.ecs", platform.ecs)
    monkeypatch.setattr("operations.aws.Aws.logs", platform.logs)
    monkeypatch.setattr("operations.clock.Clock", lambda: platform.clock)
    (folder / "outputs.json").write_text(json.dumps(OUTPUTS))
    monkeypatch.setenv("OPERATIONS_OUTPUTS", str(folder / "outputs.json"))


@pytest.fixture
def platform(clients: Clients, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Platform:
    """Return a platform on which nothing was ever released; the commands work on it."""
    (tmp_path / "storage").mkdir()
    found = Platform(clients, tmp_path / "storage")
    operated(found, clients, tmp_path, monkeypatch)
    monkeypatch.setattr(AirflowGate, "check", lambda _self, tree: found.gate.check(tree))
    return found


class Repository:
    """A Git repository with DAGs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "dags").mkdir(parents=True)
        self.git("init", "-q")
        self.commit("print('one')\n")

    def git(self, *words: str) -> str:
        identity = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        settings = ["-c", "user.name=ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"]
        return subprocess.run(
            ["git", "-C", str(self.folder), *settings, *words],
            check=True,
            capture_output=True,
            text=True,
            env=os.environ | identity,
        ).stdout

    def commit(self, content: str, name: str = "daily.py") -> str:
        (self.folder / "dags" / name).write_text(content)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "change")
        return self.git("rev-parse", "HEAD").strip()


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repository")


def run(*words: Any) -> Result:
    result = CliRunner().invoke(app, [str(word) for word in words])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def run_json(*words: Any) -> tuple[int, dict[str, Any]]:
    """Return the exit code and the one document on standard output."""
    result = run(*words, "--json")
    document = json.loads(result.stdout)
    assert (document["command"], document["exit_code"]) == (words[0], result.exit_code)
    assert document["ok"] == (result.exit_code == 0)
    return result.exit_code, document


def published(platform: Platform) -> list[str]:
    return (
        sorted(path.name for path in platform.root.iterdir() if not path.name.startswith("."))
        if platform.root
        else []
    )


# A story


def test_release_change_go_back(platform: Platform, repository: Repository) -> None:
    first = run("release", repository.folder)
    assert first.exit_code == 0, first.stderr
    commit = repository.commit("print('two')\n")
    code, second = run_json("release", repository.folder)
    assert (code, second["result"], second["git_commit"], second["sequence"]) == (0, "released", commit, 2)
    assert second["file_changes"] == {"added": [], "changed": ["daily.py"], "removed": []}
    assert published(platform) == sorted([second["release_id"], second["previous_release_id"]])
    code, back = run_json("rollback")
    assert (code, back["release_id"], back["sequence"]) == (0, second["previous_release_id"], 3)
    code, proved = run_json("verify")
    assert (code, proved["result"], proved["release_id"]) == (0, "proved", back["release_id"])
    code, forth = run_json("rollback", "--to", commit[:8])
    assert (code, forth["release_id"], forth["git_commit"]) == (0, second["release_id"], commit)
    code, listed = run_json("releases")
    assert [(row["release_id"], row["current"], row["containers"]) for row in listed["releases"]] == [
        (second["release_id"], True, 3),
        (second["previous_release_id"], False, 0),
    ]
    assert listed["releases"][0]["released_by"].startswith(f"arn:aws:sts::{ACCOUNT}:")
    assert listed["releases"][0]["reason"] == "rollback"


def test_what_people_see(platform: Platform, repository: Repository) -> None:
    result = run("release", repository.folder)
    assert result.exit_code == 0
    last = result.stdout.splitlines()[-1]
    release_id = published(platform)[0]
    assert last.startswith(f"released {release_id} (commit ")
    assert ", 1 file) as number 1: proved by 3 running containers in " in last
    assert "done  read dags of HEAD in" in result.stderr
    assert f"done  sign in to AWS: arn:aws:sts::{ACCOUNT}" in result.stderr
    assert "files: 1 added, 0 changed, 0 removed" in result.stderr
    again = run("release", repository.folder)
    assert again.stdout.splitlines()[-1].endswith("is the current release, proved by 3 running containers")
    listed = run("releases", "--limit", 1)
    assert f"* {release_id[:12]}" in " ".join(listed.stdout.split())
    verified = run("verify")
    assert verified.stdout.splitlines()[-1] == f"{release_id} is proved by 3 running containers"


def test_more_releases_than_are_shown(platform: Platform) -> None:
    for items in (OLD, NEW, OLD[:1] + NEW[1:]):
        platform.released_before(items)
    result = run("releases", "-n", 1)
    assert result.stdout.splitlines()[-1] == "and 2 more: --limit shows them"
    _, document = run_json("releases", "-n", 2)
    assert (document["total"], len(document["releases"])) == (3, 2)


def test_another_commit_and_another_folder(platform: Platform, repository: Repository) -> None:
    first = repository.git("rev-parse", "HEAD").strip()
    repository.commit("print('two')\n")
    repository.git("tag", "v2")
    _, tagged = run_json("release", repository.folder, "--commit", "v2", "--dry-run")
    _, older = run_json("release", repository.folder, "--commit", first[:10], "--dry-run")
    _, whole = run_json("release", repository.folder, "--folder", ".", "--dry-run")
    assert (older["git_commit"], older["result"]) == (first, "dry run")
    assert len({each["release_id"] for each in (tagged, older, whole)}) == 3
    assert whole["file_changes"]["added"] == ["dags/daily.py"]
    assert (platform.ledger.pointer(), published(platform)) == (None, [])


def test_what_is_not_committed_is_not_released(platform: Platform, repository: Repository) -> None:
    _, clean = run_json("release", repository.folder, "--dry-run")
    (repository.folder / "dags" / "new.py").write_text("")
    result = run("release", repository.folder, "--dry-run", "--json")
    assert json.loads(result.stdout)["release_id"] == clean["release_id"]
    assert "warning: dags has changes that are not committed; they are left out" in result.stderr


# Checked beforehand


def test_a_check_needs_no_platform(repository: Repository, platform: Platform) -> None:
    """It is for pull requests: neither outputs nor a login are there."""
    code, document = run_json("check", repository.folder)
    commit = repository.git("rev-parse", "HEAD").strip()
    assert (code, document["git_commit"], document["files"], document["dags"]) == (0, commit, 1, ["daily.py"])
    last = run("check", repository.folder).stdout.splitlines()[-1]
    assert last == f"{document['release_id']} (commit {commit[:12]}, 1 file, 1 DAG) may be released"
    assert platform.ledger.pointer() is None


def test_what_was_checked_is_not_read_again(
    platform: Platform, repository: Repository, tmp_path: Path
) -> None:
    approval = tmp_path / "approval.json"
    assert run("check", repository.folder, "--record", approval).exit_code == 0
    platform.gate.error = GateRefusal([Finding(Fault.IMPORT_ERROR, "daily.py:1", "read again")])
    code, document = run_json("release", repository.folder, "--checked", approval)
    assert (code, document["result"], document["dags"]) == (0, "released", 1)
    repository.commit("print('two')\n")
    result = run("release", repository.folder, "--checked", approval)
    assert result.exit_code == ExitCode.FAILED
    assert f"{approval} does not count: it approves another tree" in result.stderr


def test_a_check_that_refuses(platform: Platform, repository: Repository, tmp_path: Path) -> None:
    """What was approved before does not stay."""
    approval = tmp_path / "approval.json"
    run("check", repository.folder, "--record", approval)
    platform.gate.error = GateRefusal([Finding(Fault.IMPORT_ERROR, "daily.py:1", "no such module")])
    code, document = run_json("check", repository.folder, "--record", approval)
    assert (code, document["findings"][0]["place"]) == (ExitCode.FAILED, "daily.py:1")
    assert not approval.exists()


def test_an_approval_that_cannot_be_written(platform: Platform, repository: Repository) -> None:
    code, document = run_json("check", repository.folder, "--record", repository.folder / "none" / "file")
    assert (code, document["error"]) == (
        ExitCode.FAILED,
        f"{repository.folder}/none/file: the approval cannot be written: No such file or directory",
    )


# What goes wrong with the content


@pytest.mark.parametrize("what", ["tampered", "truncated", "another release's", "gone"])
@pytest.mark.parametrize("key", [archive_key, manifest_key])
def test_a_release_that_is_changed_in_the_bucket(
    platform: Platform, repository: Repository, what: str, key: Any
) -> None:
    """The publisher finds out, nothing becomes visible, and the next release puts it right."""
    _, first = run_json("release", repository.folder)
    repository.commit("print('two')\n")
    _, planned = run_json("release", repository.folder, "--dry-run")
    name = key(planned["release_id"])

    def change() -> None:
        body = platform.s3.get_object(Bucket=BUCKET, Key=name)["Body"].read()
        if what == "gone":
            platform.s3.delete_object(Bucket=BUCKET, Key=name)
            return
        other = platform.s3.get_object(Bucket=BUCKET, Key=key(first["release_id"]))["Body"].read()
        changed = {
            "tampered": body[:-9] + b"x" + body[-8:],
            "truncated": body[:-9],
            "another release's": other,
        }
        platform.s3.put_object(Bucket=BUCKET, Key=name, Body=changed[what])

    platform.uploaded = change
    code, document = run_json("release", repository.folder)
    assert (code, document["pointer"]) == (ExitCode.FAILED, "not moved")
    assert document["error"].startswith(
        f"the publisher failed with exit code 1: the release {planned['release_id']} is not published"
    )
    assert document["error"].endswith(NOT_MOVED)
    assert document["publisher_log"]
    assert platform.current == (1, first["release_id"])
    assert published(platform) == [first["release_id"]]
    platform.uploaded = lambda: None
    code, document = run_json("release", repository.folder)
    assert (code, document["result"]) == (0, "released")
    assert document["replaced"] == ([] if what == "gone" else [name])


def test_a_tree_that_cannot_be_a_release(platform: Platform, repository: Repository) -> None:
    repository.commit("x", "Daily.py")
    repository.commit("x", "old.pyc")
    code, document = run_json("release", repository.folder)
    assert code == ExitCode.FAILED
    assert document["error"].startswith("the tree cannot be a release:\n")
    assert [problem["path"] for problem in document["problems"]] == ["daily.py", "old.pyc"]
    assert platform.ledger.pointer() is None


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--commit", "nothing"], "has no commit nothing"),
        (["--folder", "plugins"], "has no folder plugins"),
    ],
)
def test_nothing_to_release(platform: Platform, repository: Repository, words: list[str], says: str) -> None:
    code, document = run_json("release", repository.folder, *words)
    assert (code, says in document["error"]) == (ExitCode.FAILED, True)


def test_no_repository(platform: Platform, tmp_path: Path) -> None:
    code, document = run_json("release", tmp_path / "none")
    assert (code, "is not a folder" in document["error"]) == (ExitCode.FAILED, True)


# What goes wrong elsewhere


def test_a_container_that_does_not_prove_it(platform: Platform, repository: Repository) -> None:
    _, first = run_json("release", repository.folder)
    repository.commit("print('two')\n")
    platform.agents[1].behaviour = "silent"
    result = run("release", repository.folder, "--timeout", 8)
    assert (result.exit_code, result.stdout) == (ExitCode.FAILED, "")
    assert result.stderr.splitlines()[-3:] == [
        "error: not proved within 8 s",
        f"  worker w1: still follows number 1 ({first['release_id'][:12]})",
        f"the pointer is back on {first['release_id'][:12]} (number 3)",
    ]
    code, document = run_json("release", repository.folder, "--timeout", 8)
    assert (code, document["pointer"], document["result"]) == (ExitCode.FAILED, "moved back", None)
    assert document["services"]["worker"] == {"running": 2, "proved": 1, "waiting": 1, "mismatch": 0}
    code, document = run_json("rollback", "--to", "genesis", "--timeout", 8)
    assert (code, document["pointer"]) == (ExitCode.UNPROVED, "moved")


def test_somebody_else_releases_meanwhile(platform: Platform, repository: Repository) -> None:
    run("release", repository.folder)
    repository.commit("print('two')\n")
    platform.uploaded = platform.released_before
    code, document = run_json("release", repository.folder)
    assert (code, document["pointer"]) == (ExitCode.MOVED_BY_OTHERS, "moved by somebody else")
    assert platform.current[0] == 2


def test_ctrl_c(platform: Platform, repository: Repository) -> None:
    def interrupt_after_the_move() -> None:
        if platform.current[0]:
            signal.raise_signal(signal.SIGINT)

    platform.clock.woken.append(lambda: signal.raise_signal(signal.SIGINT))
    code, document = run_json("release", repository.folder)
    assert (code, document["pointer"]) == (ExitCode.INTERRUPTED, "not moved")
    platform.clock.woken.pop()
    platform.clock.woken.append(interrupt_after_the_move)
    code, document = run_json("release", repository.folder)
    assert (code, document["pointer"]) == (ExitCode.INTERRUPTED, "moved back")
    assert platform.current == (2, GENESIS)


def test_verify_finds_something_else(platform: Platform, repository: Repository) -> None:
    run("release", repository.folder)
    platform.agents[2].behaviour = "mismatch"
    result = run("verify", "--timeout", 8)
    assert result.exit_code == ExitCode.FAILED
    assert "daily.py: another content" in result.stdout
    assert result.stderr.splitlines()[-1] == "error: 1 of 3 containers hold something else"
    code, document = run_json("verify", "--timeout", 8)
    assert (code, document["result"], document["error"]) == (
        ExitCode.FAILED,
        "not proved",
        "1 of 3 containers hold something else",
    )


def test_credentials_of_another_account(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    elsewhere = OUTPUTS | {"publisherTaskDefinitionArn": DEFINITION.replace(ACCOUNT, "999999999999")}
    (tmp_path / "outputs.json").write_text(json.dumps(elsewhere))
    code, document = run_json("rollback")
    assert code == ExitCode.FAILED
    assert document["error"].startswith(f"the credentials are of account {ACCOUNT} (arn:aws:sts::{ACCOUNT}:")
    assert document["error"].endswith(
        "the stack is in account 999999999999: use the credentials of that account, or name another stack"
    )


def test_no_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(OperationError) as caught:
        Aws(REGION).caller(None)
    assert str(caught.value) == (
        f"cannot sign in to AWS: The config profile (nobody) could not be found: {SIGN_IN}"
    )


def test_no_outputs(platform: Platform, tmp_path: Path) -> None:
    code, document = run_json("releases", "--outputs", tmp_path / "none.json")
    assert (code, document["error"].startswith("cannot read the outputs in")) == (ExitCode.FAILED, True)


@pytest.mark.parametrize("command", ["release", "rollback", "verify", "releases"])
def test_no_table(platform: Platform, repository: Repository, command: str) -> None:
    platform.dynamodb.delete_table(TableName=TABLE)
    code, document = run_json(command, *([repository.folder] if command == "release" else []))
    assert code == ExitCode.FAILED
    assert f"there is no table {TABLE} in {REGION}" in document["error"]


def test_an_error_that_nobody_expected(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person gets the trace, a program its document."""
    monkeypatch.setattr("operations.fleet.Fleet.running", lambda _: 1 / 0)
    result = CliRunner().invoke(app, ["releases", "--json"])
    assert isinstance(result.exception, ZeroDivisionError)
    document = json.loads(result.stdout)
    assert (document["ok"], document["exit_code"]) == (False, 1)
    assert document["error"] == "ZeroDivisionError('division by zero')"


@pytest.mark.parametrize(
    "words",
    [
        ["release", "--variable", "NAME"],
        ["release", "--timeout", "-1"],
        ["releases", "--nothing"],
        ["nothing"],
    ],
)
def test_wrong_usage(words: list[str]) -> None:
    assert run(*words).exit_code == ExitCode.USAGE


def test_what_the_gate_is_given(
    platform: Platform, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[AirflowGate] = []

    def check(gate: AirflowGate, tree: Any) -> Any:
        seen.append(gate)
        return platform.gate.check(tree)

    monkeypatch.setattr(AirflowGate, "check", check)
    run(
        "release",
        repository.folder,
        "--dry-run",
        "--python",
        "/opt/python",
        "--variable",
        "A=b=c",
        "--variable",
        "D=",
    )
    (gate,) = seen
    assert (gate.python, gate.variables) == (Path("/opt/python"), {"A": "b=c", "D": ""})


@pytest.mark.parametrize("command", [[], ["release"], ["rollback"], ["releases"], ["verify"]])
def test_help_has_the_exit_codes(command: list[str]) -> None:
    text = " ".join(run(*command, "--help").stdout.split())
    for code in ExitCode:
        assert f"{int(code)}: " in text


# The program


def program(*words: str, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "operations", *words],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def test_a_real_ctrl_c() -> None:
    """It waits for the outputs on standard input, which never come."""
    process = program("verify", "--outputs", "-", "--json")
    assert process.stderr is not None
    assert "read the outputs of -" in process.stderr.readline()
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=30)
    assert (process.returncode, error) == (130, "error: stopped by Ctrl-C\n")
    assert json.loads(out) == {
        "command": "verify",
        "ok": False,
        "exit_code": 130,
        "error": "stopped by Ctrl-C",
    }


def test_nobody_reads_what_it_says() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.run(
        [sys.executable, "-m", "operations", "releases", "--outputs", os.devnull, "--json"],
        cwd=ROOT,
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)
    assert process.returncode == 1
    assert process.stderr.splitlines()[-1].startswith("error: the file /dev/null has no JSON")
