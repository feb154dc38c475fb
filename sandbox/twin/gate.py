"""Opens the platform's gate: the real function, with the invocation of the stack, against the twin's endpoint."""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from google.protobuf import struct_pb2

from sandbox.behaviour.model import AwsError
from sandbox.behaviour.values import Archive, Asset
from sandbox.cli import SandboxError
from sandbox.invocation.runner import Functions
from sandbox.provider import wire
from sandbox.provider.inventory import Inventory
from sandbox.twin.platform import Platform

FUNCTIONS: Final = "functions"
"""Folder of the program's functions."""


class GateClosedError(SandboxError):
    """The gate refuses; the message is its own."""


def open_gate(
    platform: Platform,
    endpoint: str,
    program: Path,
    *,
    host_name: str | None = None,
    stop: threading.Event | None = None,
) -> Mapping[str, Any]:
    """Invoke the gate and return its answer: the secrets that it made, and the bootstrap task that it ran.

    Args:
        platform: Whose gate.
        endpoint: URL of the endpoint on this machine.
        program: Folder of the Pulumi program.
        host_name: Host name for the api-server's certificate instead of the rendered one.
        stop: Ends the function when it is set.

    Raises:
        GateClosedError: the function fails.

    """
    inputs = dict(platform.gate.invocation)
    if host_name not in (None, platform.gate.host_name):
        inputs["input"] = json.dumps(json.loads(inputs["input"]) | {"hostName": host_name})
    with tempfile.TemporaryDirectory(prefix="twin-gate-") as folder:
        inventory = Inventory(Path(folder) / "journal")
        for entry in platform.entries:
            inventory.put(entry.token, entry.id, entry.urn, entry.account, entry.outputs)
        functions = Functions(endpoint, inventory, program)
        functions.remember(platform.gate.urn, {"code": code(platform, program)})
        try:
            answer = functions.invoke(inputs, platform.account, platform.region, stop or threading.Event())
        except AwsError as error:
            raise GateClosedError(str(error)) from error
    opened: Mapping[str, Any] = json.loads(answer)
    return opened


def code(platform: Platform, program: Path) -> Archive:
    """Return the function's code: what the state names, while it is there; otherwise the program's folder."""
    if platform.gate.code is not None:
        struct = struct_pb2.Struct()
        struct.update({"code": platform.gate.code})
        found = wire.decode(struct).values.get("code")
        if isinstance(found, Archive) and _is_there(found, program):
            return found
    name = package(platform)
    folder = Archive(path=str(program / FUNCTIONS / name))
    return Archive(assets=((name, folder),))


def package(platform: Platform) -> str:
    """Return the package of the function's handler."""
    for entry in platform.entries:
        if entry.urn == platform.gate.urn:
            return str(entry.outputs["handler"]).partition(".")[0]
    raise GateClosedError(f"the state does not hold the function {platform.gate.urn}")


def _is_there(member: Archive | Asset, program: Path) -> bool:
    """Say whether everything that an archive names is on this machine; states outlive checkouts."""
    if isinstance(member, Archive) and member.assets is not None:
        return all(_is_there(each, program) for _, each in member.assets)
    if isinstance(member, Asset) and member.text is not None:
        return True
    return member.path is not None and (program / member.path).exists()
