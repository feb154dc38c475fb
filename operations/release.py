"""The release of a tree: checked, uploaded, published, made current, proved by every container.

Until the pointer moves, nothing that a container reads has changed, so every failure before that just ends here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Protocol

from rich.console import RenderableType

from images.airflow.platform_runtime.releases.ledger import Ledger, Pointer, Target
from images.airflow.platform_runtime.releases.manifest import Entry, Manifest, genesis
from operations.changes import FileChanges, compare
from operations.dag_report import Changes as DagChanges
from operations.dag_report import Report
from operations.dag_report import compare as compare_dags
from operations.errors import OperationError
from operations.gate import Gate, GateError
from operations.gate_findings import GateRefusal
from operations.git_tree import GitError
from operations.proofs import SHORT, FleetStanding
from operations.screen import Say, Screen, many, services
from operations.switch import Switch, unmoved
from operations.uploads import Uploaded

KIB: Final = 1024
FIND_OUT: Final = "unless another version of Python has compressed it in its own way, find out who wrote it"


class Tree(Protocol):
    """A commit's tree."""

    @property
    def commit(self) -> str:
        """The commit's full hash."""

    @property
    def manifest(self) -> Manifest:
        """What it consists of."""

    def read(self, entry: Entry) -> bytes:
        """Return the content of a file."""


class Bucket(Protocol):
    """Where releases lie before they are published."""

    def upload(self, manifest: Manifest, read: Callable[[Entry], bytes], report: bytes) -> Uploaded:
        """Put a release there."""

    def manifest(self, release_id: str) -> Manifest | None:
        """Return the manifest of an earlier release."""

    def report(self, release_id: str) -> bytes | None:
        """Return what the gate has found in an earlier release."""


class PublishesReleases(Protocol):
    """Brings a release from the bucket to the file system."""

    def publish(self, release_id: str, *, git_commit: str, published_by: str, say: Say) -> None:
        """Do it, or raise an OperationError."""


class Result(StrEnum):
    """How a release ended well."""

    RELEASED = "released"
    ALREADY_CURRENT = "already current"
    DRY_RUN = "dry run"


@dataclass(frozen=True, kw_only=True)
class Who:
    """Who releases, on what."""

    publisher: str
    image_digest: str
    """Of the image that the platform runs."""


@dataclass(kw_only=True)
class Released:
    """What is known of a release, from its beginning to its end; also of one that fails."""

    release_id: str
    git_commit: str
    files: int
    size_bytes: int
    before: Pointer | None = None
    result: Result | None = None
    pointer: Pointer | None = None
    file_changes: FileChanges | None = None
    dags: int | None = None
    dag_changes: DagChanges | None = None
    image_digest: str = ""
    """Of the image that has the release; empty where releases lie on the file system."""
    replaced: tuple[str, ...] = ()
    """Keys of the bucket under which there was something else."""
    standing: FleetStanding | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    """How long each step took."""

    def document(self) -> dict[str, Any]:
        """Return it for programs."""
        changes = self.dag_changes
        return {
            "result": self.result and self.result.value,
            "release_id": self.release_id,
            "git_commit": self.git_commit,
            "files": self.files,
            "size_bytes": self.size_bytes,
            "dags": self.dags,
            "previous_release_id": self.before.release_id if self.before else genesis().release_id,
            "sequence": self.pointer.sequence if self.pointer else None,
            "file_changes": self.file_changes and self.file_changes.document(),
            "dag_changes": changes
            and {name: list(getattr(changes, name)) for name in ("added", "changed", "removed")},
            **({"image_digest": self.image_digest} if self.image_digest else {}),
            "replaced": list(self.replaced),
            "seconds": {name: round(seconds, 3) for name, seconds in self.seconds.items()},
            **(self.standing.document() if self.standing else {}),
        }

    def shown(self) -> list[RenderableType]:
        """Return the result for people."""
        name = f"{self.release_id} (commit {self.git_commit[:SHORT]}, {many(self.files, 'file')})"
        if self.standing is None or self.pointer is None:
            return [f"dry run: nothing was written; the release would be {name}"]
        proved = f"proved by {many(len(self.standing.tasks), 'running container')}"
        if self.result is Result.ALREADY_CURRENT:
            return [services(self.standing), f"{name} is the current release, {proved}"]
        return [
            services(self.standing),
            f"released {name} as number {self.pointer.sequence}: {proved} in {self.seconds['total']:.1f} s",
        ]


@dataclass(frozen=True, kw_only=True)
class Releasing:
    """The procedure."""

    ledger: Ledger
    bucket: Bucket
    publisher: PublishesReleases
    switch: Switch
    gate: Gate
    screen: Screen

    def run(self, tree: Tree, who: Who, *, dry_run: bool = False) -> Released:
        """Release a tree.

        Args:
            tree: What is released.
            who: Who does it.
            dry_run: Stop before anything is written anywhere.

        Raises:
            OperationError: it did not succeed; the message and `facts["pointer"]` say where the pointer is.

        """
        manifest = tree.manifest
        released = Released(
            release_id=manifest.release_id,
            git_commit=tree.commit,
            files=manifest.files,
            size_bytes=manifest.size_bytes,
        )
        begun = time.monotonic()
        try:
            with unmoved(), judged():
                self._run(tree, who, released, dry_run=dry_run)
        except OperationError as error:
            error.facts = released.document() | error.facts
            raise
        released.seconds["total"] = time.monotonic() - begun
        return released

    def _run(self, tree: Tree, who: Who, released: Released, *, dry_run: bool) -> None:
        self._look(tree, released)
        report = self._check(tree, released)
        if dry_run:
            released.result = Result.DRY_RUN
        elif released.before is not None and self._is_current(released.before, released):
            self.screen.note("this tree is the current release already: there is nothing to publish")
            with _timed(released, "prove"):
                released.standing = self.switch.prove(released.before)
            released.pointer, released.result = released.before, Result.ALREADY_CURRENT
        else:
            self._publish(tree, who, report, released)
            self._make_current(who, released)

    def _is_current(self, before: Pointer, released: Released) -> bool:
        return before.release_id == released.release_id

    # Before the pointer moves

    def _look(self, tree: Tree, released: Released) -> None:
        with self._step(released, "look", "read the current release"):
            released.before = before = self.ledger.pointer()
            known = self.bucket.manifest(before.release_id) if before else genesis()
        if known is not None:
            released.file_changes = compare(known, tree.manifest)
            self.screen.note(f"files: {released.file_changes}")

    def _check(self, tree: Tree, released: Released) -> Report:
        with self._step(released, "gate", "check the DAGs with the image's Airflow") as say:
            report = self.gate.check(tree)
            say(many(len(report.dags), "DAG"))
        released.dags = len(report.dags)
        earlier = self._earlier(released.before, report)
        if earlier is None:
            self.screen.note("DAGs: the current release has no report to compare with")
        else:
            released.dag_changes = compare_dags(earlier, report)
            self.screen.note(f"DAGs: {released.dag_changes}")
        return report

    def _earlier(self, pointer: Pointer | None, report: Report) -> Report | None:
        """Return the report on the current release; None if there is none that can be read."""
        if pointer is None or pointer.release_id == genesis().release_id:
            return Report(airflow=report.airflow, dags={})
        content = self.bucket.report(pointer.release_id)
        try:
            return None if content is None else Report.from_json(content)
        except ValueError:
            return None

    def _publish(self, tree: Tree, who: Who, report: Report, released: Released) -> None:
        size = many(released.files, "file") + f", {_size(released.size_bytes)}"
        with self._step(released, "upload", f"upload {size}") as say:
            uploaded = self.bucket.upload(tree.manifest, tree.read, report.to_json())
            say(f"archive of {_size(uploaded.archive_bytes)}" if uploaded.written else "it is there already")
        released.replaced = uploaded.replaced
        for key in uploaded.replaced:
            self.screen.warn(
                f"{key} had another content and has been replaced; the bucket keeps that version: {FIND_OUT}"
            )
        with self._step(released, "publish", f"publish {released.release_id[:SHORT]}") as say:
            self.publisher.publish(
                released.release_id, git_commit=tree.commit, published_by=who.publisher, say=say
            )

    # The pointer moves

    def _make_current(self, who: Who, released: Released) -> None:
        target = Target(
            release_id=released.release_id,
            git_commit=released.git_commit,
            image_digest=who.image_digest,
            publisher=who.publisher,
            reason="release",
        )
        with _timed(released, "prove"):
            switched = self.switch.to(target, released.before, back=True)
        released.pointer, released.standing = switched.pointer, switched.standing
        released.result = Result.RELEASED

    @contextmanager
    def _step(self, released: Released, name: str, doing: str) -> Iterator[Say]:
        with _timed(released, name), self.screen.step(doing) as say:
            yield say


@contextmanager
def _timed(released: Released, name: str) -> Iterator[None]:
    begun = time.monotonic()
    try:
        yield
    finally:
        released.seconds[name] = time.monotonic() - begun


@contextmanager
def judged() -> Iterator[None]:
    """Turn what gate and Git say into our own error."""
    try:
        yield
    except GateRefusal as refusal:
        findings = [vars(finding) for finding in refusal.findings]
        raise OperationError(
            f"the DAGs cannot be released as they are:\n{refusal}", facts={"findings": findings}
        ) from refusal
    except (GateError, GitError) as error:
        raise OperationError(str(error)) from error


def _size(count: int) -> str:
    return f"{count} B" if count < KIB else f"{count / KIB:,.0f} KiB"
