"""Bad input through the real CLI: one clear message each, and nothing lost."""

from __future__ import annotations

import fcntl
import socket
from pathlib import Path

import pytest

from tests.engine.conftest import Applied
from tests.engine.support import Project

pytestmark = pytest.mark.engine


@pytest.fixture
def platform(tmp_path: Path) -> Project:
    return Project.platform(tmp_path / "platform")


def errors(output: str) -> list[str]:
    """Return the distinct diagnostics of the CLI."""
    lines = dict.fromkeys(line.strip() for line in output.splitlines() if line.strip().startswith("error:"))
    return [line for line in lines if line != "error: preview failed"]


def refused(project: Project, *arguments: str, **extra: str) -> str:
    done = project.run(*arguments, check=False, **extra)
    assert done.returncode, f"{arguments} was not refused:\n{done.stdout}"
    assert "Traceback" not in done.stdout
    return done.stdout


@pytest.fixture
def shared(platform_with: Applied, tmp_path: Path) -> Project:
    """Return the platform with the stack applied that dev references."""
    return platform_with("nonprod-shared", tmp_path / "platform")


def test_wrong_settings_are_all_named_and_nothing_is_registered(shared: Project) -> None:
    shared.edit("Pulumi.dev.yaml", "nat: single", "nat: two")
    shared.edit("Pulumi.dev.yaml", "flowLogRetentionDays: 7", "flowLogRetentionDays: 8\n      colour: blue")
    output = refused(shared, "preview", "dev")
    assert len(errors(output)) == 1
    for mistake in (
        'network.nat: got "two", allowed: ',
        "network.flowLogRetentionDays: got 8",
        "network.colour: ",
    ):
        assert mistake in output
    assert "+ 1 to create" in output


def test_an_account_id_without_quotes_is_refused_with_the_remedy(platform: Project) -> None:
    platform.edit("Pulumi.nonprod-shared.yaml", '"111111111111"', "011111111111")
    output = refused(platform, "preview", "nonprod-shared")
    assert "account.id" in output
    assert "quotes" in output


def test_the_wrong_account_is_refused(platform: Project) -> None:
    output = refused(platform, "--account", "999999999999", "up", "nonprod-shared")
    assert "AWS account ID not allowed: 999999999999; the provider allows 111111111111" in output
    assert platform.run("inventory").stdout.strip().endswith("0 resource(s), 0 of them in no state")


def test_a_missing_shared_stack_is_named(platform: Project) -> None:
    """Without its file the sandbox cannot apply it; a real backend would say the same."""
    (platform.folder / "Pulumi.nonprod-shared.yaml").unlink()
    output = refused(platform, "preview", "dev")
    assert "nonprod-shared" in output
    assert len(errors(output)) == 1


def test_an_older_shared_stack_is_refused_with_the_remedy(shared: Project) -> None:
    state = shared.folder / ".sandbox/state/.pulumi/stacks/airflow-platform/nonprod-shared.json"
    text = state.read_text()
    assert '"contractVersion":2' in text
    state.write_text(text.replace('"contractVersion":2', '"contractVersion":0'))
    output = refused(shared, "preview", "dev")
    assert len(errors(output)) == 1
    assert "pulumi up --stack nonprod-shared" in output


def test_an_unknown_stack_is_refused_with_those_there_are(platform: Project) -> None:
    output = refused(platform, "preview", "stagin")
    assert "no stack 'stagin' in" in output
    assert "there are: dev, nonprod-shared, prod, prod-shared" in output


def test_no_engine_is_one_message(platform: Project) -> None:
    output = refused(platform, "preview", "dev", SANDBOX_ENGINE="path", PATH="/nonexistent")
    assert "no Pulumi CLI can be had" in output


def test_a_port_in_use_is_named(platform: Project) -> None:
    with socket.socket() as taken:
        # As another sandbox holds it: sharing allowed, so that a naive bind would succeed.
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        output = refused(platform, "--port", str(port), "preview", "nonprod-shared")
    assert f"port {port} on 127.0.0.1 cannot be had" in output


def test_a_second_run_beside_another_is_refused(platform: Project) -> None:
    (platform.folder / ".sandbox").mkdir()
    with (platform.folder / ".sandbox" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        output = refused(platform, "up", "nonprod-shared")
        output += refused(platform, "pulumi", "config", "--stack", "nonprod-shared")
    assert output.count("another sandbox command is changing") == 2
    assert "another sandbox command is changing" in output


def test_an_unknown_type_is_named(tmp_path: Path) -> None:
    row = {"token": "aws:cloudfront/distribution:Distribution", "name": "cdn", "inputs": {}}
    output = refused(Project.raw(tmp_path / "probe", row), "preview", "dev")
    assert "does not simulate the resource type aws:cloudfront/distribution:Distribution" in output


def test_an_undeclared_data_source_is_named(tmp_path: Path) -> None:
    program = "import pulumi_aws as aws\naws.s3.get_canonical_user_id()\n"
    config = {"aws:region": "eu-west-1"}
    done = Project.program(tmp_path / "probe", program, config).run("preview", "dev", check=False)
    assert done.returncode
    assert "does not simulate the data source aws:s3/getCanonicalUserId:getCanonicalUserId" in done.stdout


def test_a_program_error_is_shown_once(tmp_path: Path) -> None:
    project = Project.program(tmp_path / "probe", "raise ValueError('the program is wrong')\n")
    output = project.run("preview", "dev", check=False).stdout
    # Once in the source line that the traceback quotes, once as the error itself.
    assert output[output.index("Diagnostics:") :].count("the program is wrong") == 2


def test_a_missing_edge_is_refused_before_anything_is_created(tmp_path: Path) -> None:
    """A flow log that does not wait for its role's policy."""
    trust = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "vpc-flow-logs.amazonaws.com"}}]}'  # noqa: E501
    write = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "arn:aws:logs:eu-west-1:111111111111:log-group:flow:*"}]}'  # noqa: E501
    program = f"""\
import pulumi, pulumi_aws as aws
role = aws.iam.Role("flow", assume_role_policy='''{trust}''')
aws.iam.RolePolicy("flow", role=role.id, policy='''{write}''')
network = aws.ec2.Vpc("net", cidr_block="10.0.0.0/16")
logs = aws.cloudwatch.LogGroup("flow", retention_in_days=7)
aws.ec2.FlowLog("flow", vpc_id=network.id, iam_role_arn=role.arn, log_destination=logs.arn, traffic_type="ALL")
"""
    project = Project.program(tmp_path / "probe", program, {"aws:region": "eu-west-1"})
    message = (
        "aws:ec2/flowLog:FlowLog flow must depend on aws:iam/rolePolicy:RolePolicy flow: "
        "the flow log's role may not write yet [flow-log-role-policies]"
    )
    assert message in refused(project, "up", "dev")
    # However the flags are written, and for the stack that was selected last.
    for words in ("--stack dev up --yes", "up --yes -sdev", "up --yes", "preview --json --stack dev"):
        assert message in refused(project, "pulumi", *words.split()), words
    assert project.state() == []


def test_help_does_nothing_else(platform: Project) -> None:
    done = platform.run("pulumi", "preview", "--help", "--stack", "dev")
    assert "Usage:" in done.stdout
    assert not (platform.folder / ".sandbox" / "state" / ".pulumi").exists()
