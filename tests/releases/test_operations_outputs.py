"""The stack's outputs: from Pulumi's own command or from a file, and clear words about what is missing."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.errors import OperationError
from operations.stack_outputs import FileOutputs, PulumiOutputs, StackOutputs, parse

OUTPUTS: dict[str, Any] = {
    "releaseBucketName": "releases",
    "ledgerTableName": "ledger",
    "clusterName": "airflow-dev",
    "publisherTaskDefinitionArn": "arn:aws:ecs:eu-west-1:123456789012:task-definition/publisher:1",
    "publisherNetwork": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]},
    "dagReaderServices": ["worker"],
    "imageDigest": "sha256:1",
    "region": "eu-west-1",
    "somethingElse": 1,
}
READ = StackOutputs(
    release_bucket="releases",
    ledger_table="ledger",
    cluster="airflow-dev",
    publisher_task_definition="arn:aws:ecs:eu-west-1:123456789012:task-definition/publisher:1",
    publisher_subnets=("subnet-1",),
    publisher_security_groups=("sg-1",),
    reader_services=("worker",),
    image_digest="sha256:1",
    region="eu-west-1",
)


def pulumi(folder: Path, text: str) -> PulumiOutputs:
    """Return outputs that a program like Pulumi's CLI writes; it notes its arguments and its folder."""
    program = folder / "pulumi"
    program.write_text(f'#!/bin/sh\necho "$@" > "{folder}/asked"\npwd >> "{folder}/asked"\n{text}\n')
    program.chmod(0o755)
    return PulumiOutputs("dev", folder, str(program))


def problem(outputs: Any) -> str:
    with pytest.raises(OperationError) as caught:
        outputs.read()
    return str(caught.value)


def test_from_pulumi(tmp_path: Path) -> None:
    found = pulumi(tmp_path, f"cat <<'END'\n{json.dumps(OUTPUTS)}\nEND")
    assert (found.read(), found.read().account) == (READ, "123456789012")
    assert (tmp_path / "asked").read_text().splitlines() == [
        "stack output --json --non-interactive --stack dev",
        os.path.realpath(tmp_path),
    ]


def test_pulumi_refuses(tmp_path: Path) -> None:
    assert problem(pulumi(tmp_path, "echo 'error: no stack named dev found' >&2; exit 255")) == (
        "cannot read the outputs of the stack dev: pulumi says: error: no stack named dev found\n"
        "see whether you are logged in to the right backend (`pulumi whoami -v`), or give the outputs in a file"
        " (--outputs)"
    )


def test_pulumi_says_nothing(tmp_path: Path) -> None:
    assert "pulumi says: it ended with 7\n" in problem(pulumi(tmp_path, "exit 7"))


def test_no_pulumi(tmp_path: Path) -> None:
    assert problem(PulumiOutputs("dev", tmp_path, "no-such-program")).startswith(
        "cannot read the outputs of the stack dev: there is no program no-such-program on the PATH, or no folder"
    )


def test_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "outputs.json").write_text(json.dumps(OUTPUTS))
    assert FileOutputs(tmp_path / "outputs.json").read() == READ


def test_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(OUTPUTS)))
    assert FileOutputs(Path("-")).read() == READ


def test_no_file(tmp_path: Path) -> None:
    assert problem(FileOutputs(tmp_path / "none")).startswith(
        f"cannot read the outputs in {tmp_path}/none: [Errno 2]"
    )


@pytest.mark.parametrize("text", ["", "{", "Previewing update"])
def test_no_json(text: str) -> None:
    with pytest.raises(
        OperationError, match=r"^the file has no JSON: want what `pulumi stack output --json` writes"
    ):
        parse(text, "the file")


def test_no_object() -> None:
    with pytest.raises(OperationError, match=r"^the file has no object: want what"):
        parse("[]", "the file")


def test_everything_that_is_missing_is_said_at_once() -> None:
    with pytest.raises(OperationError) as caught:
        parse(
            json.dumps(
                {"region": "eu-west-1", "dagReaderServices": [], "publisherNetwork": {"subnets": "x"}}
            ),
            "X",
        )
    assert str(caught.value) == (
        "X lacks outputs: releaseBucketName (text); ledgerTableName (text); clusterName (text);"
        " publisherTaskDefinitionArn (text); publisherNetwork.subnets (list of texts);"
        " publisherNetwork.securityGroups (list of texts); dagReaderServices (list of texts); imageDigest (text):"
        " apply it with this version of the program (`pulumi up`), or name an environment's stack"
    )


@given(st.sampled_from(sorted(OUTPUTS)), st.sampled_from([None, "", 1, [], [1], [""], {}, ["x", None]]))
def test_one_that_is_wrong(name: str, value: Any) -> None:
    text = json.dumps(OUTPUTS | {name: value})
    if name == "somethingElse":
        assert parse(text, "X") == READ
        return
    with pytest.raises(OperationError, match=f"^X lacks outputs: {name}"):
        parse(text, "X")


@pytest.mark.parametrize("arn", ["publisher:1", "arn:aws:ecs"])
def test_no_account(arn: str) -> None:
    """A definition may be named in short; then credentials of any account are taken."""
    found = parse(json.dumps(OUTPUTS | {"publisherTaskDefinitionArn": arn}), "X")
    assert found.account is None
