"""Runs the function behind an invocation, in a process of its own, against an endpoint on this machine."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.behaviour.model import AwsError, Properties
from sandbox.behaviour.values import UNKNOWN
from sandbox.invocation.code import lay_out
from sandbox.invocation.mirror import CREDENTIALS, Mirror
from sandbox.provider.inventory import Entry, Inventory

FUNCTION: Final = "aws:lambda/function:Function"
INVOCATION: Final = "aws:lambda/invocation:Invocation"
RUNTIME: Final = Path(__file__).with_name("runtime.py")
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
POLL_SECONDS: Final = 0.1
DEFAULT_TIMEOUT_SECONDS: Final = 3
SHOWN_CHARACTERS: Final = 500
"""Of what a process wrote before it died without an answer."""


def endpoint_of(url: str) -> str:
    """Return the URL of an endpoint on this machine.

    Raises:
        ValueError: it is on another machine, or no URL.

    """
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname not in LOOPBACK or parts.path not in ("", "/"):
        raise ValueError(
            f"--functions-endpoint {url!r}: want http://127.0.0.1:PORT, functions must not leave here"
        )
    return url.rstrip("/")


class Functions:
    """The functions of a program, as far as they can run here."""

    def __init__(self, endpoint: str, inventory: Inventory, program: Path) -> None:
        """Run functions of an inventory.

        Args:
            endpoint: URL that answers their calls of AWS.
            inventory: What exists.
            program: Folder of the program, from which relative paths of code start.

        Raises:
            ValueError: the endpoint is not on this machine.

        """
        self._endpoint = endpoint_of(endpoint)
        self._inventory, self._program = inventory, program
        self._code: dict[str, Any] = {}
        self._lock = threading.Lock()
        """The account is shown to the endpoint by one invocation at a time."""

    def remember(self, urn: str, inputs: Properties) -> None:
        """Keep the code of a function: the inventory holds its hash only."""
        if inputs.get("code", UNKNOWN) is not UNKNOWN:
            self._code[urn] = inputs["code"]

    def invoke(self, inputs: Properties, account: str, region: str, stop: threading.Event) -> str:
        """Run the function that an invocation names and return its answer, as JSON.

        Args:
            inputs: The invocation's.
            account: Whose function.
            region: Where it lives.
            stop: Ends the function when it is set.

        Raises:
            AwsError: the function fails, or is not one that can run here.

        """
        entry = self._find(str(inputs["functionName"]), account, region)
        function = entry.outputs
        handler = function.get("handler")
        if not str(function.get("runtime", "")).startswith("python") or not handler:
            raise AwsError("UnsupportedRuntime", f"the sandbox runs handlers in Python only, not {entry.id}")
        if entry.urn not in self._code:
            raise AwsError(
                "CodeUnknown", f"the code of {entry.id} is not known: its program did not register it"
            )
        self._show(account, region)
        facts = {
            "name": entry.id,
            "arn": function["arn"],
            "handler": handler,
            "timeout": function.get("timeout") or DEFAULT_TIMEOUT_SECONDS,
            "memory": function.get("memorySize") or 128,
            "logGroup": (function.get("loggingConfig") or {}).get("logGroup", ""),
            "request": str(uuid.uuid4()),
            "event": json.loads(str(inputs["input"])),
        }
        variables = (function.get("environment") or {}).get("variables") or {}
        with tempfile.TemporaryDirectory(prefix="sandbox-function-") as folder:
            place = Path(folder) / "code"
            place.mkdir()
            lay_out(self._code[entry.urn], place, self._program)
            environment = self._environment(region, variables, folder)
            answer = _call({**facts, "code": str(place)}, environment, stop)
        if answer.get("error"):
            raise AwsError(
                "FunctionError", f"Lambda function ({entry.id}) returned error: ({answer['payload']})"
            )
        return str(answer["payload"])

    def _show(self, account: str, region: str) -> None:
        entries = [entry for entry in self._inventory if entry.account == account]
        try:
            with self._lock:
                Mirror(self._endpoint, region).show(entries)
        except (BotoCoreError, ClientError) as error:
            raise AwsError("EndpointFailed", f"--functions-endpoint {self._endpoint}: {error}") from error

    def _find(self, named: str, account: str, region: str) -> Entry:
        for entry in self._inventory.of_type(FUNCTION, account):
            if entry.outputs.get("region") == region and named in (entry.id, entry.outputs.get("arn")):
                return entry
        raise AwsError("ResourceNotFoundException", f"Function not found: {named}")

    def _environment(self, region: str, variables: Mapping[str, str], folder: str) -> dict[str, str]:
        """Return what the function sees: its own variables, this endpoint, and nothing of the person's."""
        return {
            **{key: str(value) for key, value in variables.items()},
            "PATH": os.environ.get("PATH", ""),
            "HOME": folder,
            "TMPDIR": folder,
            "AWS_ENDPOINT_URL": self._endpoint,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            **{key.upper(): value for key, value in CREDENTIALS.items()},
        }


def _call(facts: Mapping[str, Any], environment: dict[str, str], stop: threading.Event) -> dict[str, Any]:
    answer = Path(environment["HOME"]) / "answer.json"
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, "-u", "-P", str(RUNTIME), str(answer)],
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=subprocess.STDOUT,
            cwd=environment["HOME"],
            env=environment,
        )
        if not _wait(process, json.dumps(facts).encode(), float(facts["timeout"]), stop):
            seconds = f"{float(facts['timeout']):.2f}"
            return _failure(f"{facts['request']} Task timed out after {seconds} seconds", "Sandbox.Timedout")
        if answer.exists():
            answered: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
            return answered
        said.seek(0)
        last = said.read().decode(errors="replace")[-SHOWN_CHARACTERS:].strip()
    status = f"RequestId: {facts['request']} Error: Runtime exited with status {process.returncode}"
    return _failure(f"{status}: {last}" if last else status, "Runtime.ExitError")


def _failure(message: str, kind: str) -> dict[str, Any]:
    return {"error": True, "payload": json.dumps({"errorMessage": message, "errorType": kind})}


def _wait(process: subprocess.Popen[bytes], text: bytes, seconds: float, stop: threading.Event) -> bool:
    """Hand over the request and wait; say whether the process ended in time."""
    assert process.stdin is not None
    # A process that dies at once reads nothing.
    with contextlib.suppress(BrokenPipeError), process.stdin as request:
        request.write(text)
    end = time.monotonic() + seconds
    while process.poll() is None:
        left = end - time.monotonic()
        if left <= 0 or stop.wait(min(POLL_SECONDS, left)):
            process.kill()
            process.wait()
            if stop.is_set():
                raise AwsError("RequestCanceled", "the function was stopped, because the update was")
            return False
    return True
