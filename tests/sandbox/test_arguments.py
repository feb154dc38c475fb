"""Reading a Pulumi command's arguments, wherever its flags stand."""

from __future__ import annotations

import pytest

from sandbox.arguments import ArgumentsError, parse


@pytest.mark.parametrize(
    ("words", "command", "stack"),
    [
        ("up --yes --stack dev", "up", "dev"),
        ("--stack dev up --yes", "up", "dev"),
        ("--stack=dev up", "up", "dev"),
        ("up -s dev", "up", "dev"),
        ("up -sdev", "up", "dev"),
        ("up -s=dev", "up", "dev"),
        ("--color never preview --stack organization/airflow-platform/dev", "preview", "dev"),
        ("up --yes", "up", None),
        ("update", "up", None),
        ("pre", "preview", None),
        ("down", "destroy", None),
        ("config set key value", "config", None),
        ("--help", "", None),
        ("", "", None),
    ],
)
def test_command_and_stack_are_found(words: str, command: str, stack: str | None) -> None:
    arguments = parse(words.split())
    assert (arguments.command, arguments.stack) == (command, stack)


@pytest.mark.parametrize(
    ("words", "given"),
    [
        ("up --yes", True),
        ("up -y", True),
        ("up --yes=false", False),
        ("up", False),
        ("up --message --yes", False),
    ],
)
def test_a_switch_is_found(words: str, given: bool) -> None:
    assert parse(words.split()).has("--yes", "-y") is given


@pytest.mark.parametrize("words", ["-C .. up", "--cwd=.. up", "up --config-file x.yaml"])
def test_ways_out_of_the_sandbox_are_refused(words: str) -> None:
    with pytest.raises(ArgumentsError, match="would leave the sandbox's copies; use `sandbox --project DIR"):
        parse(words.split())
