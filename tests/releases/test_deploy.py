"""The deployment of an image: what is run, and what becomes of its failure and of whoever stops it."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from operations.clock import Clock
from operations.deploy import Deployer
from operations.errors import Interrupted, OperationError
from operations.interrupts import Interrupts

DIGEST = f"sha256:{'b' * 64}"
STACK = ["--stack", "dev", "--non-interactive"]


def pulumi(folder: Path, script: str) -> Path:
    """Put a program in the place of Pulumi; it notes its words and does what the script says."""
    program = folder / "pulumi"
    program.write_text(f'#!/bin/sh\necho "$@" >> {folder}/told\n{script}\n')
    program.chmod(0o755)
    return folder / "told"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    return tmp_path


def test_pulumi_changes_the_setting_then_applies_the_stack(folder: Path) -> None:
    told = pulumi(folder, "true")
    Deployer("dev", folder).deploy(DIGEST, Clock())
    assert told.read_text().splitlines() == [
        " ".join(["config", "set", "--path", "airflow-platform:platform.dags.imageDigest", DIGEST, *STACK]),
        " ".join(["up", "--yes", "--skip-preview", *STACK]),
    ]


def test_a_stack_whose_setting_is_not_changed_is_not_applied(folder: Path) -> None:
    told = pulumi(folder, "echo no stack; exit 255")
    with pytest.raises(OperationError) as raised:
        Deployer("dev", folder).deploy(DIGEST, Clock())
    words = told.read_text().strip()
    assert str(raised.value) == (
        f"the image {DIGEST} is not deployed: `pulumi {words}` ended with 255:\n  no stack"
    )


def test_another_command_finds_digest_and_stack(folder: Path) -> None:
    Deployer("dev", folder, 'echo "$DAG_IMAGE_DIGEST $STACK" > told').deploy(DIGEST, Clock())
    assert (folder / "told").read_text() == f"{DIGEST} dev\n"


def test_only_the_last_lines_of_a_failure_are_shown(folder: Path) -> None:
    with pytest.raises(OperationError) as raised:
        Deployer("dev", folder, "seq 30; exit 2").deploy(DIGEST, Clock())
    lines = str(raised.value).splitlines()
    assert lines[0] == f"the image {DIGEST} is not deployed: `seq 30; exit 2` ended with 2:"
    assert lines[1:] == [f"  {number}" for number in range(11, 31)]


def test_a_machine_without_pulumi_is_told_what_to_do(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(OperationError) as raised:
        Deployer("dev", folder).deploy(DIGEST, Clock())
    assert str(raised.value) == (
        f"the image is not deployed: pulumi cannot be run in {folder} (No such file or directory): install it,"
        " or give another command (--deploy-command)"
    )


def test_who_stops_it_stops_the_command_in_good_order(folder: Path) -> None:
    """It hears of it once, ends what it has begun, and only then it is over here."""
    script = (
        f"trap 'echo heard >> {folder}/told; exit 0' INT; touch {folder}/begun; while :; do sleep 0.05; done"
    )

    def stop() -> None:
        while not (folder / "begun").exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    with Interrupts() as interrupts:
        interrupts.hold()
        stopper = threading.Thread(target=stop)
        stopper.start()
        with pytest.raises(Interrupted, match=r"^stopped by SIGTERM$"):
            Deployer("dev", folder, script).deploy(DIGEST, Clock(), interrupts)
        stopper.join()
    assert (folder / "told").read_text() == "heard\n"


def test_whoever_puts_things_right_is_not_stopped(folder: Path) -> None:
    with Interrupts() as interrupts:
        interrupts.hold()
        os.kill(os.getpid(), signal.SIGTERM)
        Deployer("dev", folder, "sleep 0.2; touch done").deploy(DIGEST, Clock())
    assert (folder / "done").exists()
