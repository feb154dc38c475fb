"""A release and a rollback where the image has the DAGs: the pointer moves, then a deployment follows it.

Everything else is as with releases on the file system: the same reading, the same gate, the same move by condition,
the same proofs. What a container holds is decided when it starts, so every running container is replaced, and the
proofs are complete when the last one of before has gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from images.airflow.platform_runtime.releases.ledger import Ledger, LedgerError, Pointer, Release, Target
from images.airflow.platform_runtime.releases.manifest import genesis
from operations.clock import Clock
from operations.errors import ExitCode, OperationError
from operations.image_build import Builder
from operations.interrupts import Interrupts
from operations.proofs import SHORT, FleetStanding, Standing, TaskStanding
from operations.release import Released, Releasing, Tree, Who
from operations.rollback import HISTORY, Choice, RollingBack
from operations.screen import Say
from operations.switch import End, Switch

DIGEST_SHORT = len("sha256:") + SHORT
AGAIN = "release the same commit again"


class Deploys(Protocol):
    """Applies the stack with another image of DAGs."""

    def deploy(self, digest: str, clock: Clock, interrupts: Interrupts | None = None) -> None:
        """Do it, or raise an OperationError."""


@dataclass
class ImageSwitch(Switch):
    """Moves the pointer, and deploys the image of what it names."""

    deployer: Deploys = field(kw_only=True)
    before: str = field(kw_only=True)
    """Digest of the image that is deployed now."""
    _wanted: str = field(default="", init=False)
    """Digest that every container has to run; empty: any."""
    _deployed: str = field(default="", init=False)
    """What was deployed here; empty: nothing yet."""

    def prove(self, pointer: Pointer | None) -> FleetStanding:
        """Wait until everybody has proved a pointer that is there already, with the image that it names.

        Raises:
            OperationError: somebody has not; the pointer is where it was.

        """
        self._wanted = pointer.image_digest if pointer else ""
        return super().prove(pointer)

    def _move(self, target: Target, expected: Pointer | None, now: datetime) -> None:
        super()._move(target, expected, now)
        self._wanted = target.image_digest
        with self.screen.step(f"deploy the image {_short(target.image_digest)}"):
            self._deployed = "unknown"
            self.deployer.deploy(target.image_digest, self.clock, self.interrupts)
            self._deployed = target.image_digest

    def _look(self, wanted: Pointer | None) -> FleetStanding | None:
        standing = super()._look(wanted)
        if standing is None or not self._wanted:
            return standing
        return FleetStanding(standing.services, tuple(self._with_the_image(each) for each in standing.tasks))

    def _with_the_image(self, task: TaskStanding) -> TaskStanding:
        """Let nobody prove a release with an image of before, which may have another Airflow around it."""
        if task.standing is Standing.PROVED and task.proof and task.proof.image_digest != self._wanted:
            detail = f"still runs the image {_short(task.proof.image_digest) or 'unknown'}"
            return replace(task, standing=Standing.WAITING, detail=detail)
        return task

    def _undo(self, target: Target, expected: Pointer | None, wanted: Pointer, *, back: bool) -> End:
        end = super()._undo(target, expected, wanted, back=back)
        return replace(end, words=f"{end.words}\n{self._where()}")

    def _take_back(self, target: Target, expected: Pointer | None, wanted: Pointer) -> End:
        """Deploy the image of before, then take the pointer back: also if the first does not succeed."""
        problem = ""
        if self._deployed:
            try:
                with self.screen.step(f"deploy the image {_short(self.before)} again"):
                    self._deployed = "unknown"
                    self.deployer.deploy(self.before, self.clock)
                    self._deployed = self.before
            except OperationError as error:
                problem = str(error)
        end = super()._take_back(replace(target, image_digest=self.before), expected, wanted)
        if problem:
            return End(end.where, f"{problem}\n{end.words}", ExitCode.UNPROVED)
        return end

    def _where(self) -> str:
        """Say what is deployed."""
        if self._deployed == "unknown":
            return (
                f"what is deployed is not known: see the stack's last update, and set dags.imageDigest to {self.before}"
                " for the image of before"
            )
        return f"deployed is the image {self._deployed or self.before}"


class ImagePublisher:
    """Makes a release readable: builds and pushes its image, and notes it in the ledger."""

    def __init__(self, tree: Tree, builder: Builder, ledger: Ledger, clock: Clock) -> None:
        """Keep the release."""
        self._tree, self._builder, self._ledger, self._clock = tree, builder, ledger, clock
        self.digest = ""
        """Of the image, once it is made."""

    def publish(self, release_id: str, *, git_commit: str, published_by: str, say: Say) -> None:
        """Do it, or raise an OperationError."""
        digest = self._builder.build(self._tree, self._clock.now(), say)
        say(f"image {_short(digest)}")
        manifest = self._tree.manifest
        try:
            self._ledger.record_release(
                Release(
                    release_id=release_id,
                    git_commit=git_commit,
                    files=manifest.files,
                    size_bytes=manifest.size_bytes,
                    published_at=self._clock.now(),
                    published_by=published_by,
                )
            )
        except LedgerError as error:
            raise OperationError(str(error)) from error
        self.digest = digest


@dataclass(frozen=True, kw_only=True)
class ImageReleasing(Releasing):
    """The procedure of a release; what goes to the bucket is what the next one is compared with."""

    publisher: ImagePublisher
    deployed: str
    """Digest of the image that is deployed now."""

    def _is_current(self, before: Pointer, released: Released) -> bool:
        """Say whether also the image is the one of the pointer."""
        current = super()._is_current(before, released) and before.image_digest == self.deployed
        released.image_digest = self.deployed if current else ""
        return current

    def _make_current(self, who: Who, released: Released) -> None:
        released.image_digest = self.publisher.digest
        super()._make_current(replace(who, image_digest=released.image_digest), released)


@dataclass(frozen=True, kw_only=True)
class ImageRollingBack(RollingBack):
    """The procedure of a rollback."""

    platform: str
    """Digest of the platform's image, which has no DAGs."""

    def _image(self, who: Who, choice: Choice) -> str:  # noqa: ARG002
        return image_of(choice.release_id, self.ledger.history(HISTORY), self.platform)


def image_of(release_id: str, history: Sequence[Pointer], platform: str) -> str:
    """Return the image that had a release when the pointer moved to it last.

    Args:
        release_id: Which release.
        history: Newest first.
        platform: Digest of the platform's image.

    Raises:
        OperationError: there is none: it was released while releases lay on the file system.

    """
    if release_id == genesis().release_id:
        raise OperationError("the empty release has no image: release a commit whose folder has no DAG")
    named = {
        digest: {each.release_id for each in history if each.image_digest == digest}
        for digest in {each.image_digest for each in history}
    }
    for pointer in history:
        # The platform's image goes with many releases, one with DAGs with its own.
        only_its_own = named[pointer.image_digest] == {release_id}
        if pointer.release_id == release_id and only_its_own and pointer.image_digest != platform:
            return pointer.image_digest
    raise OperationError(
        f"there is no image of the release {release_id[:SHORT]}: it was released while releases lay on the file"
        f" system: {AGAIN}"
    )


def _short(digest: str) -> str:
    return digest[:DIGEST_SHORT]
