"""DAGs in the image on real Airflow: a release and a rollback replace the readers, and every one proves what it holds.

A stand-in builds the images, and the deployment is a change of the stack file and an update: Docker, the registry and
`pulumi` itself are not proved here.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.support import ROOT, Project
from tests.twin import checks
from tests.twin.running import RunningTwin, running

pytestmark = pytest.mark.twin

STAMPED = """\
from airflow.sdk import dag, task


@dag(schedule=None, catchup=False, tags=["drill"])
def drill_stamp() -> None:
    \"\"\"Say which release it is of.\"\"\"

    @task
    def stamp() -> str:
        return "A"

    stamp()


drill_stamp()
"""
READERS = {"dag-processor", "triggerer", "worker"}
REPOSITORY = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/airflow-platform/airflow"
BASE = f"{REPOSITORY}@sha256:{'0' * 64}"
"""As in the stack file: the first release then is the image that is deployed already."""


class Images:
    """A Git repository with a DAG, a project that has it in an image, and the commands of both.

    What is deployed already is not applied again: that would only take time.
    """

    def __init__(self, folder: Path) -> None:
        self.repository, self.project = folder / "repository", folder / "platform"
        sandbox = shlex.join([sys.executable, "-m", "sandbox", "--project", str(self.project)])
        self.build = f'{sandbox} image "$CONTEXT" --metadata-file "$METADATA_FILE"'
        stack_file = shlex.quote(str(self.project / "Pulumi.dev.yaml"))
        # The variables of the twin's AWS are for the operations.
        self.deploy = (
            f'grep -q "$DAG_IMAGE_DIGEST" {stack_file} && exit; '
            f'sed -i "s/imageDigest: .*/imageDigest: $DAG_IMAGE_DIGEST/" {stack_file}'
            f" && {sandbox} --no-checkpoints up dev && {sandbox} twin start dev"
        )
        (self.repository / "dags").mkdir(parents=True)
        self._git("init", "-q")
        self.commit("A")

    def commit(self, stamp: str) -> None:
        (self.repository / "dags" / "drill_stamp.py").write_text(STAMPED.replace('"A"', f'"{stamp}"'))
        self._git("add", "-A")
        self._git("commit", "-q", "-m", f"stamp {stamp}")

    def first(self, project: Project) -> None:
        """Build an image before there is a stack, and name it in the stack file."""
        command = [sys.executable, "-m", "operations", "image", str(self.repository), "--json"]
        command += ["--base", BASE, "--build-command", self.build]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
        digest = json.loads(done.stdout)["image_digest"]
        project.edit("Pulumi.dev.yaml", "delivery: release", f"delivery: image\n      imageDigest: {digest}")

    def _git(self, *words: str) -> None:
        identity = ["-c", "user.name=ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"]
        own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        command = ["git", "-C", str(self.repository), *identity, *words]
        subprocess.run(command, check=True, env=os.environ | own)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Images:
    return Images(tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="module")
def twin(images: Images) -> Iterator[RunningTwin]:
    """Return a twin whose readers have their DAGs in the image."""
    with running(images.project, prepare=images.first) as found:
        yield found


def stamp(twin: RunningTwin) -> str:
    """Run the DAG and return what its code says."""
    run = checks.trigger(twin, "drill_stamp")
    checks.ended(twin.airflow, run, checks.RUN_SECONDS)
    return str(twin.airflow.xcom("drill_stamp", run.id, "stamp"))


def proved(answer: dict[str, Any], twin: RunningTwin) -> set[str]:
    """Return the images of the containers that have proved an answer's release."""
    assert answer["ok"], answer
    containers = answer["containers"]
    assert {each["service"] for each in containers} == {twin.service(role)["name"] for role in READERS}
    assert {each["computed_id"] for each in containers} == {answer["release_id"]}
    return {each["image_digest"] for each in containers}


def test_release_and_rollback_replace_the_readers_and_nobody_else(images: Images, twin: RunningTwin) -> None:
    """All in one: each step begins with what the one before has deployed."""
    checks.wait(lambda: "drill_stamp" in twin.airflow.dags(), checks.PARSE_SECONDS, "the first image is read")
    others = {role: twin.task(role) for role in ("api-server", "scheduler")}
    started = {role: twin.task(role) for role in READERS}
    deploy = ("--stack", "dev", "--deploy-command", images.deploy)
    build = (str(images.repository), "--build-command", images.build)

    first = twin.operations("release", *build, *deploy)
    # The same release on the same base is the same image, so nothing is replaced.
    assert {role: twin.task(role) for role in READERS} == started
    stamps = [stamp(twin)]
    images.commit("B")
    second = twin.operations("release", *build, *deploy)
    stamps.append(stamp(twin))
    back = twin.operations("rollback", *deploy)
    stamps.append(stamp(twin))
    verified = twin.operations("verify")

    assert stamps == ["A", "B", "A"]
    found = [proved(answer, twin) for answer in (first, second, back, verified)]
    assert found == [{first["image_digest"]}, {second["image_digest"]}, *[{first["image_digest"]}] * 2]
    assert [answer["sequence"] for answer in (first, second, back)] == [1, 2, 3]
    assert {role: twin.task(role) for role in others} == others
