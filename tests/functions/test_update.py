"""The gate in real updates: what invokes it again, and what does not."""

from __future__ import annotations

import compileall
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import functions
from tests.engine.support import Project

pytestmark = pytest.mark.engine

PROGRAM = """\
import pulumi, pulumi_aws as aws
from components.migration import Migration, MigrationArgs
from components.provider import aws_provider
from functions.platform_gate.kinds import SecretKind

ACCOUNT, REGION = "111111111111", "eu-west-1"
provider = aws_provider(account_id=ACCOUNT, region=REGION, tags={"owner": "data"})
opts, child = pulumi.ResourceOptions(providers=[provider]), pulumi.ResourceOptions(provider=provider)
cluster = aws.ecs.Cluster("cluster", opts=child)
key = aws.kms.Key("key", opts=child)
secrets = {kind: aws.secretsmanager.Secret(f"secret-{kind}", kms_key_id=key.arn, opts=child).arn for kind in SecretKind}
topic = aws.sns.Topic("way-out", kms_master_key_id=key.arn, opts=child)
role = f"arn:aws:iam::{ACCOUNT}:role/airflow/dev"
gate = Migration(
    "gate",
    MigrationArgs(
        account_id=ACCOUNT,
        region=REGION,
        key_arn=key.arn,
        log_retention_days=30,
        cluster_arn=cluster.arn,
        cluster_name=cluster.name,
        task_definition_arn=f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/bootstrap:1",
        task_family="bootstrap",
        task_role_arns=[f"{role}/execution", f"{role}/task"],
        task_log_group_name="bootstrap",
        subnet_ids=["subnet-1"],
        security_group_id="sg-1",
        database_identifier="airflow-dev",
        database_arn=f"arn:aws:rds:{REGION}:{ACCOUNT}:db:airflow-dev",
        database_resource_id="db-1",
        secret_arns=secrets,
        broker_user_id="airflow-dev",
        broker_user_arn=f"arn:aws:elasticache:{REGION}:{ACCOUNT}:user:airflow-dev",
        broker_access_string="on ~* &* +@all",
        api_server_host="api-server.dev.airflow.internal",
        image="airflow@sha256:one",
        after=[topic],
    ),
    opts,
)
"""
FUNCTION, INVOCATION = "gate-function", "gate-invocation"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a program with its own copy of components and functions, applied."""
    project = Project.program(tmp_path_factory.mktemp("gate") / "probe", PROGRAM)
    copy(functions.FOLDER, project.folder / "functions")
    copy(functions.FOLDER.parent / "components", project.folder / "components")
    project.run("up", "dev")
    return project


def copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))


def changes(project: Project) -> dict[str, str]:
    """Return what an update would do, by name; the preview's report is JSON."""
    done = project.run("pulumi", "preview", "--json", "--stack", "dev").stdout
    report = json.loads(done[done.index("{\n") :])
    steps: list[dict[str, Any]] = report["steps"]
    return {
        step["urn"].rpartition("::")[2]: step["op"] for step in steps if step["op"] not in {"same", "read"}
    }


def test_neither_bytecode_nor_another_folder_is_new_code(project: Project, tmp_path: Path) -> None:
    """Nor does anything change by itself."""
    moved = project.moved_to(tmp_path / "moved")
    assert compileall.compile_dir(moved.folder / "functions" / "platform_gate", quiet=1)
    assert changes(moved) == {}


def test_invocation_waits_for_its_role_and_for_the_task(project: Project) -> None:
    (invocation,) = [row for row in project.state() if row["urn"].endswith(f"::{INVOCATION}")]
    names = {urn.rpartition("::")[2] for urn in invocation["dependencies"]}
    assert {"gate-role-policy", "way-out", FUNCTION} <= names


def test_nothing_secret_is_in_the_state(project: Project) -> None:
    (invocation,) = [row for row in project.state() if row["urn"].endswith(f"::{INVOCATION}")]
    assert json.loads(invocation["outputs"]["result"])["simulated"] is True
    assert not any("SecretVersion" in row["type"] for row in project.state())


@pytest.mark.parametrize(
    ("file", "old", "new", "changed"),
    [
        ("__main__.py", "sha256:one", "sha256:two", {INVOCATION}),
        ("__main__.py", "task-definition/bootstrap:1", "task-definition/bootstrap:2", {INVOCATION}),
        ("__main__.py", 'resource_id="db-1"', 'resource_id="db-2"', {INVOCATION}),
        ("__main__.py", "on ~* &* +@all", "on ~*", {INVOCATION}),
        ("functions/platform_gate/pace.py", "RESERVE_SECONDS = 60", "RESERVE_SECONDS = 61", {FUNCTION}),
        ("functions/packages/cffi/api.py", "import", "import  ", {FUNCTION}),
    ],
    ids=["image", "task definition", "database", "access string", "own code", "package"],
)
def test_changes(project: Project, file: str, old: str, new: str, changed: set[str]) -> None:
    """New code alone does not invoke the gate: it made everything ready already."""
    text = (project.folder / file).read_text()
    project.edit(file, old, new)
    try:
        found = changes(project)
    finally:
        (project.folder / file).write_text(text)
    assert set(found) == changed


def test_missing_packages_name_the_remedy(project: Project) -> None:
    lock = project.folder / "functions" / "packages" / "requirements.lock"
    text = lock.read_bytes()
    lock.unlink()
    try:
        done = project.run("preview", "dev", check=False)
    finally:
        lock.write_bytes(text)
    assert done.returncode != 0
    assert "want the packages of requirements.lock, run `make setup`" in " ".join(done.stdout.split())
