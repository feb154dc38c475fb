"""Cleaning up after a run that died: only what is really dead, and with a message."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sandbox import recovery
from sandbox.provider.inventory import Inventory
from sandbox.workspace import Workspace

NAT = "aws:ec2/natGateway:NatGateway"
URN = f"urn:pulumi:dev::probe::{NAT}::nat"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "Pulumi.yaml").write_text("name: probe\nruntime: python\n")
    workspace = Workspace(tmp_path)
    workspace.states.mkdir(parents=True)
    return workspace


@pytest.mark.parametrize("content", ["", '{"user.cache', "\x00\x00"])
def test_torn_attributes_of_a_state_are_removed(workspace: Workspace, content: str) -> None:
    """The engine was killed while it wrote them; the next one would end with nothing but "EOF"."""
    torn = workspace.states / "dev.json.attrs"
    torn.write_text(content)
    recovery.clear_torn_attributes(workspace)
    assert not torn.exists()


def test_whole_attributes_stay(workspace: Workspace) -> None:
    whole = workspace.states / "dev.json.attrs"
    whole.write_text('{"user.cache_control":""}')
    recovery.clear_torn_attributes(workspace)
    assert whole.exists()


def dead_pid() -> int:
    """Return the number of a process that has just ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def lock(workspace: Workspace, **content: Any) -> Path:
    path = workspace.locks / "dev" / "1.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"hostname": socket.gethostname(), "pid": os.getpid()} | content))
    return path


def state(workspace: Workspace, latest: dict[str, Any]) -> Path:
    path = workspace.states / "dev.json"
    path.write_text(json.dumps({"version": 3, "checkpoint": {"latest": latest}}))
    return path


def test_the_lock_of_a_dead_process_is_cleared_with_a_message(workspace: Workspace) -> None:
    said: list[str] = []
    path = lock(workspace, pid=(pid := dead_pid()))
    recovery.clear_dead_locks(workspace, "dev", said.append)
    assert not path.exists()
    assert said == [f"dev: cleared the lock of process {pid}, which is dead (the run was interrupted)"]


@pytest.mark.parametrize(
    "content", [{}, {"hostname": "elsewhere", "pid": 1}], ids=["living process", "another machine"]
)
def test_other_locks_stay(workspace: Workspace, content: dict[str, Any]) -> None:
    path = lock(workspace, **content)
    recovery.clear_dead_locks(workspace, "dev", lambda _: pytest.fail("said something"))
    assert path.exists()


def test_pending_operations_are_cleared_and_named(workspace: Workspace) -> None:
    said: list[str] = []
    pending = [{"resource": {"urn": URN}, "type": "creating"}]
    path = state(workspace, {"resources": [{"urn": "kept"}], "pending_operations": pending})
    recovery.clear_pending_operations(workspace, "dev", said.append)
    assert json.loads(path.read_text())["checkpoint"]["latest"] == {"resources": [{"urn": "kept"}]}
    assert said == ["dev: cleared 1 pending operation(s) of an interrupted run: nat"]


def test_a_state_without_pending_operations_is_not_rewritten(workspace: Workspace) -> None:
    path = state(workspace, {"resources": []})
    before = path.stat().st_ino
    recovery.clear_pending_operations(workspace, "dev", lambda _: pytest.fail("said something"))
    assert path.stat().st_ino == before


def test_orphans_are_deleted_from_the_inventory_and_named(workspace: Workspace) -> None:
    said: list[str] = []
    inventory = Inventory(workspace.journal)
    inventory.put(NAT, "nat-1", URN, "111111111111", {})
    inventory.put(NAT, "nat-2", URN, "111111111111", {})
    state(workspace, {"resources": [{"type": NAT, "id": "nat-2", "urn": URN}]})
    recovery.delete_orphans(workspace, "dev", inventory, said.append)
    assert [entry.id for entry in inventory] == ["nat-2"]
    assert said == [f"dev: deleted {NAT} nat (nat-1) from simulated AWS: created, but never recorded"]


def test_other_stacks_and_projects_keep_their_resources(workspace: Workspace) -> None:
    inventory = Inventory(workspace.journal)
    inventory.put(NAT, "nat-1", URN.replace(":dev::", ":dev2::"), "111111111111", {})
    inventory.put(NAT, "nat-2", URN.replace("::probe::", "::probe2::"), "111111111111", {})
    assert recovery.unknown_to_state(workspace, "dev", inventory) == []


def test_a_lost_state_shows_every_resource(workspace: Workspace) -> None:
    inventory = Inventory(workspace.journal)
    inventory.put(NAT, "nat-1", URN, "111111111111", {})
    assert [entry.id for entry in recovery.unknown_to_state(workspace, "dev", inventory)] == ["nat-1"]
