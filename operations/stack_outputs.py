"""What the operations need to know of a stack, read from its outputs.

Nothing else is read from Pulumi: whoever has the outputs in a file needs neither its CLI nor its state.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from operations.errors import OperationError

ARN_PARTS: Final = 6
DAGS_IN_IMAGE: Final = "image"
"""Value of the output `dagDelivery`."""


@dataclass(frozen=True, kw_only=True)
class StackOutputs:
    """A stack, as far as DAG releases go."""

    release_bucket: str
    ledger_table: str
    cluster: str
    publisher_task_definition: str
    publisher_subnets: tuple[str, ...]
    publisher_security_groups: tuple[str, ...]
    reader_services: tuple[str, ...]
    """Names of the ECS services whose containers read DAGs."""
    image_digest: str
    region: str
    dags_in_image: bool = False
    """Whether the DAGs come in the readers' image; else they come as releases on the file system."""
    dag_image_digest: str = ""
    """The readers' image, if the DAGs are in it."""
    repository_url: str = ""
    """Where images are pushed; the registry of the account."""
    architecture: str = ""
    """Processor of the images, as the settings name it."""

    @property
    def account(self) -> str | None:
        """Account of the stack, as its ARNs have it."""
        parts = self.publisher_task_definition.split(":")
        return parts[4] if parts[0] == "arn" and len(parts) >= ARN_PARTS else None


class Outputs(Protocol):
    """Where the outputs come from."""

    def read(self) -> StackOutputs:
        """Return them.

        Raises:
            OperationError: they cannot be read, or lack something.

        """


@dataclass(frozen=True)
class PulumiOutputs:
    """The outputs of a stack, from the Pulumi CLI."""

    stack: str
    folder: Path
    """The program's."""
    program: str = "pulumi"

    def read(self) -> StackOutputs:
        """Ask the CLI; it finds backend and credentials as for every other command."""
        command = [self.program, "stack", "output", "--json", "--non-interactive", "--stack", self.stack]
        try:
            answer = subprocess.run(
                command,
                cwd=self.folder,
                capture_output=True,
                text=True,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except FileNotFoundError as error:
            raise OperationError(
                f"cannot read the outputs of the stack {self.stack}: there is no program {self.program} on the PATH, or"
                f" no folder {self.folder}: install Pulumi, or give the outputs in a file (--outputs)"
            ) from error
        if answer.returncode:
            said = answer.stderr.strip() or f"it ended with {answer.returncode}"
            raise OperationError(
                f"cannot read the outputs of the stack {self.stack}: pulumi says: {said}\n"
                "see whether you are logged in to the right backend (`pulumi whoami -v`), or give the outputs in a file"
                " (--outputs)"
            )
        return parse(answer.stdout, f"the stack {self.stack}")


@dataclass(frozen=True)
class FileOutputs:
    """Outputs that `pulumi stack output --json` has written to a file; `-` reads standard input."""

    path: Path

    def read(self) -> StackOutputs:
        """Read the file."""
        if str(self.path) == "-":
            return parse(sys.stdin.read(), "the text on standard input")
        try:
            text = self.path.read_text(encoding="utf-8")
        except (OSError, UnicodeError) as error:
            raise OperationError(f"cannot read the outputs in {self.path}: {error}") from error
        return parse(text, f"the file {self.path}")


def parse(text: str, where: str) -> StackOutputs:
    """Return the outputs in the JSON of `pulumi stack output`.

    Raises:
        OperationError: it is no such JSON, or lacks something; every missing name is listed.

    """
    try:
        values = json.loads(text)
    except ValueError as error:
        raise OperationError(
            f"{where} has no JSON: want what `pulumi stack output --json` writes ({error})"
        ) from error
    if not isinstance(values, dict):
        raise OperationError(f"{where} has no object: want what `pulumi stack output --json` writes")
    read = _Reader(values)
    network = read.part("publisherNetwork")
    # A stack that was applied before there was a choice does not say.
    baked = read.maybe("dagDelivery") == DAGS_IN_IMAGE
    found = StackOutputs(
        release_bucket=read.text("releaseBucketName"),
        ledger_table=read.text("ledgerTableName"),
        cluster=read.text("clusterName"),
        publisher_task_definition=read.text("publisherTaskDefinitionArn"),
        publisher_subnets=network.texts("subnets"),
        publisher_security_groups=network.texts("securityGroups"),
        reader_services=read.texts("dagReaderServices"),
        image_digest=read.text("imageDigest"),
        region=read.text("region"),
        dags_in_image=baked,
        dag_image_digest=read.text("dagImageDigest") if baked else "",
        repository_url=read.text("repositoryUrl") if baked else read.maybe("repositoryUrl"),
        architecture=read.text("architecture") if baked else read.maybe("architecture"),
    )
    if read.problems:
        raise OperationError(
            f"{where} lacks outputs: {'; '.join(read.problems)}: apply it with this version of the program (`pulumi"
            " up`), or name an environment's stack"
        )
    return found


class _Reader:
    """Reads names and notes what is missing."""

    def __init__(self, values: Any, place: str = "", problems: list[str] | None = None) -> None:
        self._values: Mapping[str, Any] = values if isinstance(values, Mapping) else {}
        self._place, self.problems = place, [] if problems is None else problems

    def part(self, name: str) -> _Reader:
        return _Reader(self._values.get(name), f"{self._place}{name}.", self.problems)

    def text(self, name: str) -> str:
        value = self._values.get(name)
        if isinstance(value, str) and value:
            return value
        self.problems.append(f"{self._place}{name} (text)")
        return ""

    def maybe(self, name: str) -> str:
        value = self._values.get(name)
        return value if isinstance(value, str) else ""

    def texts(self, name: str) -> tuple[str, ...]:
        value = self._values.get(name)
        if isinstance(value, list) and value and all(isinstance(each, str) and each for each in value):
            return tuple(value)
        self.problems.append(f"{self._place}{name} (list of texts)")
        return ()
