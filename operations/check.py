"""The check of a tree before it is released: what may be said of it without AWS."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import RenderableType

from operations.checked import Checked, KnownGate
from operations.dag_report import Report
from operations.errors import OperationError
from operations.proofs import SHORT
from operations.release import Tree, judged
from operations.screen import Screen, many


@dataclass(frozen=True, kw_only=True)
class Approval:
    """A tree that may be released."""

    tree: Tree
    report: Report

    def document(self) -> dict[str, Any]:
        """Return it for programs."""
        manifest = self.tree.manifest
        return {
            "release_id": manifest.release_id,
            "git_commit": self.tree.commit,
            "files": manifest.files,
            "size_bytes": manifest.size_bytes,
            "dags": sorted(self.report.dags),
        }

    def shown(self) -> list[RenderableType]:
        """Return the result for people."""
        manifest = self.tree.manifest
        size = f"{many(manifest.files, 'file')}, {many(len(self.report.dags), 'DAG')}"
        return [f"{manifest.release_id} (commit {self.tree.commit[:SHORT]}, {size}) may be released"]


@dataclass(frozen=True)
class Checking:
    """The procedure."""

    gate: KnownGate
    screen: Screen
    record: Path | None
    """File for the approval."""

    def run(self, tree: Tree) -> Approval:
        """Check a tree.

        Raises:
            OperationError: It must not be released, or cannot be read, or the approval cannot be written.

        """
        with judged(), self.screen.step("check the DAGs with the image's Airflow") as say:
            report = self._check(tree)
            say(many(len(report.dags), "DAG"))
        return Approval(tree=tree, report=report)

    def _check(self, tree: Tree) -> Report:
        if self.record is None:
            return self.gate.check(tree)
        try:
            return Checked(gate=self.gate, file=self.record, say=self.screen.note).record(tree)
        except OSError as error:
            raise OperationError(
                f"{self.record}: the approval cannot be written: {error.strerror}"
            ) from error
