"""A program that knows nothing of this project runs in the sandbox: default provider, data sources, secrets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.engine.support import Project

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return the foreign program, applied."""
    project = Project.copy(tmp_path_factory.mktemp("foreign") / "orders", "foreign")
    project.run("up", "dev")
    return project


def outputs(project: Project) -> dict[str, object]:
    done = project.run("pulumi", "stack", "output", "--json", "--stack", "dev")
    found: dict[str, object] = json.loads(done.stdout[done.stdout.index("{") :])
    return found


def test_its_outputs_look_like_those_of_aws(applied: Project) -> None:
    found = outputs(applied)
    assert str(found["queueUrl"]).startswith("https://sqs.eu-central-1.amazonaws.com/123456789012/orders-")
    assert str(found["functionArn"]).startswith("arn:aws:lambda:eu-central-1:123456789012:function:worker-")


def test_data_sources_answer(applied: Project) -> None:
    found = outputs(applied)
    assert (found["region"], found["account"]) == ("eu-central-1", "123456789012")
    assert json.loads(str(found["layout"])) == {"zones": ["eu-central-1a", "eu-central-1b"]}


def test_its_secret_is_a_placeholder_and_stays_secret(applied: Project) -> None:
    assert outputs(applied)["token"] == "[secret]"
    shown = applied.run("pulumi", "stack", "output", "token", "--show-secrets", "--stack", "dev").stdout
    assert "simulated-secret-value-of-orders:apiToken" in shown


def test_a_second_up_changes_nothing(applied: Project) -> None:
    applied.run("pulumi", "up", "--yes", "--skip-preview", "--expect-no-changes", "--stack", "dev")


def test_its_files_are_not_touched(applied: Project) -> None:
    tracked = yaml.safe_load((applied.folder / "Pulumi.dev.yaml").read_text())
    assert tracked["config"]["orders:apiToken"] == {
        "secure": "v1:abcdefghijklmnop:abcdefghijklmnopqrstuvwxyz=="
    }
    assert "encryptionsalt" not in tracked


def test_json_output_stays_json(applied: Project, tmp_path: Path) -> None:
    """What the sandbox says goes to standard error."""
    import subprocess

    from tests.engine.support import ROOT, environment

    command = applied.command("pulumi", "preview", "--json", "--stack", "dev")
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["changeSummary"].keys() == {"same"}
    assert "simulated AWS" in done.stderr


def test_down_leaves_nothing(applied: Project, tmp_path: Path) -> None:
    project = applied.moved_to(tmp_path / "orders")
    done = project.run("down")
    assert "the inventory holds 0 resource(s)" in done.stdout
    assert (
        project.run("inventory").stdout.strip()
        == "sandbox: simulated AWS: 0 resource(s), 0 of them in no state"
    )


def test_two_providers_of_one_program_keep_their_regions_and_tags(tmp_path: Path) -> None:
    program = """\
import pulumi, pulumi_aws as aws
for region in ("eu-west-1", "us-east-1"):
    provider = aws.Provider(region, region=region, default_tags={"tags": {"home": region}})
    queue = aws.sqs.Queue(region, opts=pulumi.ResourceOptions(provider=provider))
    pulumi.export(region, [queue.arn, queue.tags_all])
"""
    project = Project.program(tmp_path / "probe", program)
    project.run("up", "dev")
    for region in ("eu-west-1", "us-east-1"):
        arn, tags = project.state()[0]["outputs"][region]
        assert (arn.split(":")[3], tags) == (region, {"home": region})


def test_the_plainest_awsx_vpc_works(tmp_path: Path) -> None:
    """No provider, no zones: both come from the configured region."""
    program = "import pulumi, pulumi_awsx as awsx\npulumi.export('vpc', awsx.ec2.Vpc('net').vpc_id)\n"
    project = Project.program(tmp_path / "probe", program, {"aws:region": "eu-central-1"})
    project.run("up", "dev")
    zones = {
        each["inputs"]["availabilityZone"] for each in project.state() if each["type"].endswith(":Subnet")
    }
    assert zones == {"eu-central-1a", "eu-central-1b", "eu-central-1c"}


def test_awsx_takes_the_region_of_the_provider_it_is_handed(tmp_path: Path) -> None:
    """Another provider for another region, as certificates of a distribution need one, does not matter."""
    program = """\
import pulumi, pulumi_aws as aws, pulumi_awsx as awsx
home = aws.Provider("home", region="eu-west-1")
other = aws.Provider("other", region="us-east-1")
aws.sqs.Queue("other", opts=pulumi.ResourceOptions(provider=other))
awsx.ec2.Vpc("net", opts=pulumi.ResourceOptions(providers=[home], depends_on=[other]))
"""
    project = Project.program(tmp_path / "probe", program)
    project.run("up", "dev")
    zones = {
        each["inputs"]["availabilityZone"] for each in project.state() if each["type"].endswith(":Subnet")
    }
    assert zones == {"eu-west-1a", "eu-west-1b", "eu-west-1c"}


def test_its_own_modules_come_first(tmp_path: Path) -> None:
    """Also those that are called like ours, or like a module of the standard library."""
    program = "import sandbox, settings\nassert (sandbox.NAME, settings.NAME) == ('mine', 'mine too')\n"
    project = Project.program(tmp_path / "probe", program)
    (project.folder / "sandbox.py").write_text("NAME = 'mine'\n")
    (project.folder / "settings.py").write_text("NAME = 'mine too'\n")
    (project.folder / "platform.py").write_text("raise ImportError('shadowed the standard library')\n")
    project.run("preview", "dev")
