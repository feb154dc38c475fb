"""A run that is interrupted loses nothing: the next `up` finishes, and the one after it would have nothing to do.

That is what the engine says of the state after an `up` that nobody interrupted; the others must leave the same state.

Not proven here: a machine that loses power (writes are not synced to disk), and other systems than Linux.
"""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.engine.support import ROOT, Project, environment

pytestmark = pytest.mark.engine

UP = ("pulumi", "up", "--yes", "--skip-preview", "--stack", "dev")
SLOW = ["--latency", "0.02"]
"""AWS's latencies at 1/50: the NAT gateway takes about 2 s, and the whole `up` about 4 s."""

RESOURCES = [
    {"token": "aws:ec2/vpc:Vpc", "name": "vpc", "inputs": {"cidrBlock": "10.0.0.0/16"}},
    {"token": "aws:ec2/internetGateway:InternetGateway", "name": "igw", "inputs": {"vpcId": {"$ref": "vpc"}}},
    {
        "token": "aws:ec2/subnet:Subnet",
        "name": "public",
        "inputs": {"vpcId": {"$ref": "vpc"}, "cidrBlock": "10.0.0.0/24", "availabilityZone": "eu-west-1a"},
    },
    {"token": "aws:ec2/eip:Eip", "name": "address", "inputs": {"domain": "vpc"}},
    {
        "token": "aws:ec2/natGateway:NatGateway",
        "name": "nat",
        "inputs": {"subnetId": {"$ref": "public"}, "allocationId": {"$ref": "address"}},
    },
    *(
        {"token": "aws:sqs/queue:Queue", "name": f"queue-{index}", "inputs": {"name": f"queue-{index}"}}
        for index in range(6)
    ),
    {
        "token": "aws:cloudwatch/logGroup:LogGroup",
        "name": "last",
        "inputs": {"retentionInDays": 7},
        "after": ["nat"],
    },
]
COUNT = len(RESOURCES) + 2
"""With the stack and its provider."""
MOMENTS = [0.1 + 0.3 * step for step in range(10)]
"""Seconds after the first sign of the update: from its beginning to its end."""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return the project with its stack initialised; tests work on copies."""
    project = Project.raw(tmp_path_factory.mktemp("interrupted") / "probe", *RESOURCES)
    project.run("pulumi", "stack", "init", "dev")
    project.measured = False
    return project


def facts(project: Project) -> list[dict[str, Any]]:
    """Return all that the engine compares of a state, with names in the place of ids, which AWS draws."""
    resources = project.state()
    names = {each["id"]: each["urn"].rpartition("::")[2] for each in resources if "id" in each}
    found = []
    for each in sorted(resources, key=lambda each: str(each["urn"])):
        kept = {key: value for key, value in each.items() if key not in ("created", "modified")}
        kept["outputs"] = sorted(each.get("outputs", {}))
        kept["dependencies"] = sorted(each.get("dependencies", []))
        text = json.dumps(kept)
        for identity, name in names.items():
            text = text.replace(identity, f"id of {name}")
        found.append(json.loads(text))
    return found


@pytest.fixture(scope="module")
def undisturbed(prepared: Project, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Return the facts after an `up` that nobody interrupted, and after which there is nothing to do."""
    project = prepared.moved_to(tmp_path_factory.mktemp("undisturbed") / "probe")
    project.run(*UP)
    again = project.run(*UP, "--expect-no-changes")
    assert f"{COUNT} unchanged" in again.stdout
    return facts(project)


def interrupt(project: Project, moment: float, how: str) -> None:
    """Start an `up`, and stop it so many seconds after the engine has begun to apply it."""
    engine = project.folder / ".sandbox" / "engine.pid"
    process = project.start(*SLOW, *UP)
    deadline = time.monotonic() + 60
    while not engine.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.3 + moment)
    if how == "Ctrl-C":
        process.send_signal(signal.SIGINT)
    elif how == "kill -9 of the engine" and engine.exists():
        os.kill(json.loads(engine.read_text())["pid"], signal.SIGKILL)
    else:
        process.kill()
    process.communicate(timeout=120)


STOPS = ["Ctrl-C", "kill -9 of the engine", "kill -9 of the sandbox"]
CASES = [(how, moment) for index, moment in enumerate(MOMENTS) for how in (STOPS[0], STOPS[1 + index % 2])]


@pytest.mark.parametrize(
    ("how", "moment"), CASES, ids=lambda part: f"{part:.1f}s" if isinstance(part, float) else part
)
def test_up_finishes_after_an_interruption(
    prepared: Project, undisturbed: list[dict[str, Any]], tmp_path: Path, how: str, moment: float
) -> None:
    """Whatever stopped the first run: the second ends as if nothing had happened, and nothing is orphaned."""
    project = prepared.moved_to(tmp_path / "probe")
    interrupt(project, moment, how)
    project.run(*UP)
    assert facts(project) == undisturbed
    assert project.pending() == []
    assert project.unknown_to_state() == 0


def nothing_runs(project: Project) -> bool:
    """Say whether no process of a project is left."""
    left = subprocess.run(["ps", "-eo", "command="], capture_output=True, text=True, check=True).stdout
    return str(project.folder) not in left


@pytest.mark.parametrize("delay", [0.0, 0.1, 0.2, 0.3, 0.4])
def test_a_signal_at_the_start_is_answered_with_one_message(
    prepared: Project, tmp_path: Path, delay: float
) -> None:
    """So many seconds after its first line: while the sandbox starts the CLI, and while the CLI starts."""
    project = prepared.moved_to(tmp_path / "probe")
    process = project.start("up", "dev")
    assert process.stdout
    assert "nothing real is read or changed" in process.stdout.readline()
    time.sleep(delay)
    process.send_signal(signal.SIGINT)
    output = process.stdout.read()
    assert (process.wait(), "stopped on request" in output) == (130, True), output
    assert nothing_runs(project)
    project.run(*UP)
    assert len(project.state()) == COUNT


@pytest.mark.parametrize("delay", [0.0, 0.1])
def test_a_signal_while_python_starts_leaves_nothing_running(
    prepared: Project, tmp_path: Path, delay: float
) -> None:
    """Before any line of the sandbox runs, Python decides what it does; the next `up` must not notice."""
    project = prepared.moved_to(tmp_path / "probe")
    process = project.start("up", "dev")
    time.sleep(delay)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert nothing_runs(project)
    project.run(*UP)
    assert len(project.state()) == COUNT


def killed_with(project: Project, type_name: str, *options: str) -> None:
    """Kill the engine of a slow `up` once simulated AWS holds a resource of a type."""
    process = project.start("--latency", "0.2", *options, "up", "dev")
    journal = project.folder / ".sandbox" / "cloud.jsonl"
    deadline = time.monotonic() + 60
    while type_name not in (journal.read_text() if journal.exists() else "") and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(json.loads((project.folder / ".sandbox" / "engine.pid").read_text())["pid"], signal.SIGKILL)
    process.communicate(timeout=60)


def test_a_killed_engine_leaves_traces_that_are_cleared_with_a_message(tmp_path: Path) -> None:
    """Killed while the NAT gateway is coming up: lock, pending operation and orphan are each named."""
    project = Project.raw(tmp_path / "probe", *RESOURCES)
    killed_with(project, "natGateway")
    assert project.unknown_to_state() == 1
    finished = project.run("up", "dev").stdout
    assert "cleared the lock of process" in finished
    assert "pending operation(s) of an interrupted run: nat" in finished
    assert "deleted aws:ec2/natGateway:NatGateway nat" in finished
    assert project.unknown_to_state() == 0


def test_without_checkpoints_what_a_killed_run_has_made_is_made_anew(
    tmp_path: Path, undisturbed: list[dict[str, Any]]
) -> None:
    """The state knows nothing of it, so the next run deletes it and begins from nothing."""
    project = Project.raw(tmp_path / "probe", *RESOURCES)
    killed_with(project, "natGateway", "--no-checkpoints")
    assert project.state() == []
    assert project.unknown_to_state() > 1
    assert "deleted aws:ec2/natGateway:NatGateway nat" in project.run("--no-checkpoints", "up", "dev").stdout
    assert facts(project) == undisturbed
    assert project.unknown_to_state() == 0


def test_a_state_that_knows_resources_is_saved_on_the_way_all_the_same(tmp_path: Path) -> None:
    """Else the updates and deletions of a killed run would be forgotten."""
    project = Project.raw(tmp_path / "probe", *RESOURCES[:1])
    project.run("up", "dev")
    project.resources(*RESOURCES)
    killed_with(project, "natGateway", "--no-checkpoints")
    assert project.pending() != []


def test_ctrl_c_at_a_terminal_stops_in_good_order(tmp_path: Path) -> None:
    """There the terminal signals every process by itself: the CLI must hear it once, or it gives up at once."""
    project = Project.raw(tmp_path / "probe", *RESOURCES)
    journal = project.folder / ".sandbox" / "cloud.jsonl"
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        os.execve(sys.executable, project.command("--latency", "0.05", "up", "dev"), environment())
    output = b""
    interrupted = False
    with contextlib.suppress(OSError):  # the terminal closes with the process
        while piece := os.read(terminal, 65536):
            output += piece
            if not interrupted and journal.exists() and "natGateway" in journal.read_text():
                interrupted = True
                os.write(terminal, b"\x03")
    _, status = os.waitpid(pid, 0)
    assert interrupted
    assert os.waitstatus_to_exitcode(status) == 130
    assert b"stopped on request; what was finished is recorded" in output
    assert b"Traceback" not in output
    assert project.unknown_to_state() == 0
    project.run("up", "dev")
    assert len(project.state()) == COUNT
