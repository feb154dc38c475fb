"""The gate's approval in a file, so that a pipeline can check in one step and release in a later one.

It counts for the very same tree, read by the same program with the same packages and variables, and for an hour only:
a DAG may depend on the day. Whatever does not fit is no error, the tree is just read again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol

from operations.dag_report import Report
from operations.gate import Gate, Tree

FORMAT: Final = 1
VALID: Final = timedelta(hours=1)

Say = Callable[[str], None]


class KnownGate(Gate, Protocol):
    """A gate that can be told from others."""

    @property
    def fingerprint(self) -> str:
        """Return what is another text as soon as the same tree might be judged otherwise."""


def _utc() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A gate that remembers its last approval."""

    gate: KnownGate
    file: Path
    """Where the approval is kept."""
    say: Say
    now: Callable[[], datetime] = _utc

    def record(self, tree: Tree) -> Report:
        """Let the gate read a tree, and keep its approval; one that was kept before is gone, whatever comes out.

        Raises:
            GateRefusal: The tree must not be released.
            GateError: It cannot be read.
            OSError: The file cannot be written.

        """
        self.file.unlink(missing_ok=True)
        report = self.gate.check(tree)
        document = {
            "format": FORMAT,
            "release_id": tree.manifest.release_id,
            "gate": self.gate.fingerprint,
            "checked_at": self.now().isoformat(),
            "report": report.to_json().decode(),
        }
        fresh = self.file.with_name(f".{self.file.name}.{os.getpid()}")
        fresh.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        fresh.replace(self.file)
        return report

    def check(self, tree: Tree) -> Report:
        """Return what was kept for the tree, or let the gate read it.

        Raises:
            GateRefusal: The tree must not be released.
            GateError: It cannot be read.

        """
        try:
            document = json.loads(self.file.read_text(encoding="utf-8"))
            if not (reason := self._misfit(document, tree)):
                report = Report.from_json(document["report"].encode())
                self.say(f"{self.file} approves this tree: checked at {document['checked_at']}")
                return report
        except (OSError, AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
            reason = f"it cannot be read ({type(error).__name__})"
        self.say(f"{self.file} does not count: {reason}")
        return self.gate.check(tree)

    def _misfit(self, document: dict[str, Any], tree: Tree) -> str:
        if document["format"] != FORMAT:
            return "it is of another version"
        if document["release_id"] != tree.manifest.release_id:
            return "it approves another tree"
        if document["gate"] != self.gate.fingerprint:
            return "the tree was read with other packages or variables"
        age = self.now() - datetime.fromisoformat(document["checked_at"])
        if not timedelta(0) <= age <= VALID:
            return f"it is older than {VALID.total_seconds() / 3600:g} h, or of the future"
        return ""
