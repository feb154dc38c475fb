"""After an interrupted run: clear what would block the next one, say so, and lose nothing that exists.

An engine that was killed leaves a lock, and operations that its state calls pending. The lock of a dead process is
removed. What a pending creation had already made in the simulated cloud is unknown to the state: it is deleted there,
since the next `up` makes it again. In a real account that is the operator's work (`pulumi refresh`, or an import).
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sandbox.provider.inventory import Entry, Inventory
from sandbox.workspace import Workspace

Say = Callable[[str], None]


def clear_torn_attributes(workspace: Workspace) -> None:
    """Remove what the file backend keeps about its files where a killed engine left it empty or in pieces.

    It reads them before the file itself and refuses the state; it does well without.
    """
    for path in (workspace.root / "state").rglob("*.attrs"):
        try:
            json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            path.unlink(missing_ok=True)


def clear_dead_locks(workspace: Workspace, stack: str, say: Say) -> None:
    """Remove the stack's locks whose process on this machine is gone."""
    for lock in sorted((workspace.locks / stack).glob("*.json")):
        try:
            content = json.loads(lock.read_text(encoding="utf-8"))
        except (OSError, json.JSONDecodeError):
            content = {}
        if content.get("hostname", socket.gethostname()) != socket.gethostname() or _alive(
            content.get("pid")
        ):
            continue
        lock.unlink(missing_ok=True)
        say(
            f"{stack}: cleared the lock of process {content.get('pid')}, which is dead (the run was interrupted)"
        )


def clear_pending_operations(workspace: Workspace, stack: str, say: Say) -> None:
    """Drop pending operations from the stack's state; the state file is replaced whole, or not at all."""
    path = workspace.states / f"{stack}.json"
    if not path.exists():
        return
    state = json.loads(path.read_text(encoding="utf-8"))
    latest = (state.get("checkpoint") or {}).get("latest") or {}
    pending = latest.pop("pending_operations", None)
    if not pending:
        return
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(json.dumps(state), encoding="utf-8")
    fresh.replace(path)
    names = ", ".join(sorted(operation["resource"]["urn"].rsplit("::", 1)[-1] for operation in pending))
    say(f"{stack}: cleared {len(pending)} pending operation(s) of an interrupted run: {names}")


def delete_orphans(workspace: Workspace, stack: str, inventory: Inventory, say: Say) -> None:
    """Delete from the simulated cloud what an interrupted run created and no state knows."""
    orphans = unknown_to_state(workspace, stack, inventory)
    for entry in orphans:
        inventory.remove(entry.token, entry.id, entry.account)
        name = entry.urn.rsplit("::", 1)[-1]
        say(
            f"{stack}: deleted {entry.token} {name} ({entry.id}) from simulated AWS: created, but never recorded"
        )


def unknown_to_state(workspace: Workspace, stack: str, inventory: Inventory) -> list[Entry]:
    """Return what the inventory holds for a stack and its state does not."""
    known = {(resource["type"], resource.get("id")) for resource in resources(workspace, stack)}
    prefix = f"urn:pulumi:{stack}::{workspace.name}::"
    return [
        entry for entry in inventory if entry.urn.startswith(prefix) and (entry.token, entry.id) not in known
    ]


def resources(workspace: Workspace, stack: str) -> list[dict[str, Any]]:
    """Return the resources in a stack's state."""
    path: Path = workspace.states / f"{stack}.json"
    if not path.exists():
        return []
    latest = (json.loads(path.read_text(encoding="utf-8")).get("checkpoint") or {}).get("latest") or {}
    found: list[dict[str, Any]] = latest.get("resources") or []
    return found


def _alive(pid: object) -> bool:
    if not isinstance(pid, int):
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
