"""A release and a rollback where the image has the DAGs: containers are replaced, proofs and pointer are as ever.

The builder is played; deployments replace the simulated tasks one by one. Not proved here: Docker, Pulumi and ECS.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from images.airflow.platform_runtime.releases.ledger import GENESIS, Ledger, Pointer, Target
from images.airflow.platform_runtime.releases.manifest import Manifest
from images.airflow.platform_runtime.releases.pinned import Pinned
from operations.clock import Clock
from operations.errors import ExitCode, Interrupted, OperationError
from operations.fleet import Fleet
from operations.image_release import ImagePublisher, ImageReleasing, ImageRollingBack, ImageSwitch, image_of
from operations.interrupts import Interrupts
from operations.release import Released
from operations.rollback import RolledBack
from tests.releases.ledger_table import START
from tests.releases.simulated_platform import (
    CLUSTER,
    NEW,
    NEW_ID,
    OLD,
    OLD_ID,
    SERVICES,
    WHO,
    Agent,
    GitCommit,
    Platform,
)
from tests.releases.trees import Item

PLATFORM = f"sha256:{'0' * 64}"


def image_for(manifest: Manifest, build: int = 1) -> str:
    return f"sha256:{build}{manifest.release_id[1:]}"


OLD_IMAGE, NEW_IMAGE = (image_for(GitCommit(items).manifest) for items in (OLD, NEW))


@dataclass
class Builder:
    """Builds an image, and is asked how often."""

    release_of: dict[str, str]
    built: list[str] = field(default_factory=list)
    build: int = 1
    error: Exception | None = None

    def build_(self, tree: Any) -> str:
        if self.error:
            raise self.error
        digest = image_for(tree.manifest, self.build)
        self.release_of[digest] = tree.manifest.release_id
        self.built.append(digest)
        return digest


@dataclass
class ImageAgent(Agent):
    """The agent of a task whose image has a release."""

    image: str = OLD_IMAGE
    release_id: str = OLD_ID

    def work(self, ledger: Ledger, pointer: Pointer | None, request: str, clock: Clock) -> None:
        pinned = Pinned(ledger, self.release_id).pointer()
        super().work(ledger, pinned, request, clock)

    def _proof(self, pointer: Pointer | None, request: str, clock: Clock) -> Any:
        return replace(super()._proof(pointer, request, clock), image_digest=self.image)


class ImagePlatform(Platform):
    """A platform whose tasks have a release in their image."""

    def __init__(self) -> None:
        super().__init__()
        self.release_of = {OLD_IMAGE: OLD_ID, NEW_IMAGE: NEW_ID}
        self.builder = Builder(self.release_of)
        self.image = OLD_IMAGE
        self.deployed: list[str] = []
        self.failures: list[Exception] = []
        """What the next deployments raise, after they have begun."""
        self.seconds = 10.0
        """Until a new task replaces one of before."""
        self.behaviour = "follows"
        """Of new tasks."""
        self._pending: list[tuple[float, Agent, Agent]] = []
        self.agents[:] = [ImageAgent(each.service, each.task_id) for each in self.agents]
        self.clock.woken.append(self._replace)

    def released_before(self, items: tuple[Item, ...] = OLD) -> Pointer:
        tree = GitCommit(items)
        self.bucket.upload(tree.manifest, tree.read, self.gate.check(tree).to_json())
        self.publisher(tree).publish(
            tree.manifest.release_id, git_commit="0" * 40, published_by="grace", say=lambda _: None
        )
        self.builder.built.clear()
        return self.ledger.move(
            Target(
                release_id=tree.manifest.release_id,
                git_commit="0" * 40,
                image_digest=image_for(tree.manifest),
                publisher="grace",
                reason="release",
            ),
            expected=self.ledger.pointer(),
            now=START,
        )

    def deploy(self, digest: str, clock: Clock, interrupts: Interrupts | None = None) -> None:
        """Play the deployer."""
        self.deployed.append(digest)
        if self.failures and (error := self.failures.pop(0)):
            raise error
        self.image = digest
        self._pending.clear()
        for number, old in enumerate(list(self.agents)):
            if old.desired == "RUNNING":
                new = ImageAgent(
                    old.service,
                    f"{old.task_id}-{len(self.deployed)}",
                    behaviour=self.behaviour if digest == NEW_IMAGE else "follows",
                    image=digest,
                    release_id=self.release_of[digest],
                )
                self._pending.append((self.clock.passed + self.seconds * (number + 1), old, new))

    def _replace(self) -> None:
        for each in list(self._pending):
            due, old, new = each
            if self.clock.passed >= due:
                old.desired = "STOPPED"
                self.agents.append(new)
                self._pending.remove(each)

    def publisher(self, tree: GitCommit) -> ImagePublisher:
        builder: Any = self.builder

        class Builds:
            def build(self, tree: Any, now: Any, say: Callable[[str], None]) -> str:
                say("dags-tag")
                return str(builder.build_(tree))

        played: Any = Builds()
        return ImagePublisher(tree, played, self.ledger, self.clock)

    def image_switch(self, timeout_seconds: float = 120) -> ImageSwitch:
        return ImageSwitch(
            self.ledger,
            Fleet(self.ecs, CLUSTER, SERVICES),
            self.screen,
            self.clock,
            self.interrupts,
            timeout_seconds,
            deployer=self,
            before=self.image,
        )

    def release(self, items: tuple[Item, ...] = NEW, **options: Any) -> Released:
        tree = GitCommit(items)
        releasing = ImageReleasing(
            ledger=self.ledger,
            bucket=self.bucket,
            publisher=self.publisher(tree),
            switch=self.image_switch(options.pop("timeout_seconds", 120)),
            gate=self.gate,
            screen=self.screen,
            deployed=self.image,
        )
        with self.interrupts:
            return releasing.run(tree, WHO, **options)

    def rollback(self, to: str | None = None, timeout_seconds: float = 120) -> RolledBack:
        rolling = ImageRollingBack(
            ledger=self.ledger,
            switch=self.image_switch(timeout_seconds),
            screen=self.screen,
            platform=PLATFORM,
        )
        with self.interrupts:
            return rolling.run(WHO, to)

    @property
    def pointer(self) -> Pointer:
        found = self.ledger.pointer()
        assert found
        return found

    def failed(self, *arguments: Any, **options: Any) -> OperationError:
        with pytest.raises(OperationError) as raised:
            self.release(*arguments, **options)
        return raised.value


@pytest.fixture
def platform() -> ImagePlatform:
    found = ImagePlatform()
    found.released_before()
    return found


def test_the_pointer_moves_with_the_image_and_then_it_is_deployed(platform: ImagePlatform) -> None:
    released = platform.release()
    assert (released.pointer, platform.deployed) == (platform.pointer, [NEW_IMAGE])
    assert (platform.current, platform.pointer.image_digest) == ((2, NEW_ID), NEW_IMAGE)
    assert released.document()["image_digest"] == NEW_IMAGE


def test_it_ends_when_the_last_task_of_before_has_gone(platform: ImagePlatform) -> None:
    """Three tasks are replaced, one every ten seconds, and each proof takes five."""
    released = platform.release()
    assert 30 <= platform.clock.passed < 42
    assert released.standing is not None
    assert {task.task.task_id for task in released.standing.tasks} == {"p1-1", "w1-1", "w2-1"}


def test_the_first_release_of_a_stack_needs_no_pointer() -> None:
    platform = ImagePlatform()
    platform.release(OLD)
    assert (platform.current, platform.deployed) == ((1, OLD_ID), [OLD_IMAGE])


def test_a_dry_run_builds_and_deploys_nothing(platform: ImagePlatform) -> None:
    platform.release(dry_run=True)
    assert (platform.builder.built, platform.deployed, platform.current) == ([], [], (1, OLD_ID))


def test_the_same_tree_in_the_same_image_is_only_proved(platform: ImagePlatform) -> None:
    released = platform.release(OLD)
    assert released.result == "already current"
    assert (platform.builder.built, platform.deployed, platform.current) == ([], [], (1, OLD_ID))


def test_the_same_tree_in_another_image_is_released(platform: ImagePlatform) -> None:
    """Somebody has deployed an image by hand: the pointer's is not the one that runs."""
    other = f"sha256:{'f' * 64}"
    platform.release_of[other] = OLD_ID
    platform.image = other
    platform.release(OLD)
    assert (platform.current, platform.deployed) == ((2, OLD_ID), [OLD_IMAGE])


def test_nobody_proves_a_release_with_an_image_of_before(platform: ImagePlatform) -> None:
    """All hold this very release already, in an image with another Airflow around it."""
    platform.builder.build = 2
    platform.image = f"sha256:{'f' * 64}"
    platform.release_of[platform.image] = OLD_ID
    platform.seconds = 1000
    error = platform.failed(OLD)
    assert f"  worker w1: still runs the image {OLD_IMAGE[:19]}" in str(error).splitlines()


def test_the_release_is_recorded_for_the_list_and_for_rollbacks(platform: ImagePlatform) -> None:
    platform.release()
    assert {each.release_id for each in platform.ledger.releases()} == {OLD_ID, NEW_ID}


# What goes wrong


def test_without_an_image_nothing_moves(platform: ImagePlatform) -> None:
    platform.builder.error = OperationError("the image is not built")
    error = platform.failed()
    assert str(error) == (
        "the image is not built\nthe pointer was not moved: every container goes on with what it has"
    )
    assert (platform.current, platform.deployed) == ((1, OLD_ID), [])


def test_a_deployment_that_fails_is_taken_back(platform: ImagePlatform) -> None:
    platform.failures = [OperationError("pulumi says no")]
    error = platform.failed()
    assert platform.deployed == [NEW_IMAGE, OLD_IMAGE]
    assert str(error) == (
        f"pulumi says no\nthe pointer is back on {OLD_ID[:12]} (number 3)\ndeployed is the image {OLD_IMAGE}"
    )
    assert (error.code, error.facts["pointer"]) == (ExitCode.FAILED, "moved back")


def test_the_pointer_goes_back_with_the_image_of_before(platform: ImagePlatform) -> None:
    """The next rollback deploys what the history says."""
    platform.failures = [OperationError("pulumi says no")]
    platform.failed()
    assert (platform.pointer.reason, platform.pointer.image_digest) == ("restored", OLD_IMAGE)


def test_a_deployment_that_cannot_be_taken_back_is_said(platform: ImagePlatform) -> None:
    """The pointer goes back all the same."""
    platform.failures = [OperationError("pulumi says no"), OperationError("pulumi is gone")]
    error = platform.failed()
    assert str(error) == (
        f"pulumi says no\npulumi is gone\nthe pointer is back on {OLD_ID[:12]} (number 3)\n"
        "what is deployed is not known: see the stack's last update, and set dags.imageDigest to"
        f" {OLD_IMAGE} for the image of before"
    )
    assert (error.code, platform.current) == (ExitCode.UNPROVED, (3, OLD_ID))


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [("mismatch", "a container holds something else"), ("silent", "not proved within 60 s")],
)
def test_what_is_not_proved_is_taken_back(platform: ImagePlatform, behaviour: str, said: str) -> None:
    platform.behaviour = behaviour
    error = platform.failed(timeout_seconds=60)
    assert str(error).splitlines()[0] == said
    assert (platform.deployed, platform.current) == ([NEW_IMAGE, OLD_IMAGE], (3, OLD_ID))


def test_who_stops_it_while_it_is_deployed_gets_the_image_of_before(platform: ImagePlatform) -> None:
    platform.failures = [Interrupted("SIGTERM")]
    error = platform.failed()
    assert (error.code, error.facts["pointer"]) == (ExitCode.INTERRUPTED, "moved back")
    assert platform.deployed == [NEW_IMAGE, OLD_IMAGE]


def test_who_was_overtaken_deploys_nothing(platform: ImagePlatform) -> None:
    """Somebody else's release ends while this one's image is built."""
    build = platform.builder.build_

    def overtaken(tree: Any) -> str:
        platform.ledger.move(
            Target(
                release_id=GENESIS,
                git_commit="",
                image_digest="sha256:x",
                publisher="grace",
                reason="release",
            ),
            expected=platform.ledger.pointer(),
            now=START,
        )
        return build(tree)

    platform.builder.build_ = overtaken  # type: ignore[method-assign]
    error = platform.failed()
    assert (error.code, platform.deployed) == (ExitCode.MOVED_BY_OTHERS, [])
    assert str(error).splitlines()[-1] == f"deployed is the image {OLD_IMAGE}"


# The way back


def test_a_rollback_deploys_the_image_of_the_history(platform: ImagePlatform) -> None:
    platform.release()
    rolled = platform.rollback()
    assert platform.deployed == [NEW_IMAGE, OLD_IMAGE]
    assert (rolled.pointer.release_id, rolled.pointer.image_digest) == (OLD_ID, OLD_IMAGE)
    assert {task.proof.image_digest for task in rolled.standing.tasks if task.proof} == {OLD_IMAGE}


def test_a_rollback_that_is_not_proved_stays(platform: ImagePlatform) -> None:
    platform.release()
    platform.seconds = 1000
    with pytest.raises(OperationError) as raised:
        platform.rollback()
    assert (raised.value.code, platform.current) == (ExitCode.UNPROVED, (3, OLD_ID))
    assert str(raised.value).splitlines()[-2:] == [
        f"the pointer stays on {OLD_ID[:12]} (number 3): containers that can have it go on with it",
        f"deployed is the image {OLD_IMAGE}",
    ]


def test_a_release_without_an_image_is_refused_before_anything_moves(platform: ImagePlatform) -> None:
    with pytest.raises(OperationError) as raised:
        platform.rollback("genesis")
    assert str(raised.value) == (
        "the empty release has no image: release a commit whose folder has no DAG\n"
        "the pointer was not moved: every container goes on with what it has"
    )
    assert (platform.deployed, platform.current) == ([], (1, OLD_ID))


def moved(sequence: int, release_id: str, image: str) -> Pointer:
    return Pointer(
        sequence=sequence,
        release_id=release_id,
        git_commit="c" * 40,
        image_digest=image,
        publisher="ada",
        moved_at=START,
        reason="release",
        previous_release_id=GENESIS,
    )


def test_the_last_image_of_a_release_counts() -> None:
    history = [moved(3, "a" * 64, "sha256:3"), moved(2, "b" * 64, "sha256:2"), moved(1, "a" * 64, "sha256:1")]
    assert image_of("a" * 64, history, PLATFORM) == "sha256:3"


@pytest.mark.parametrize(
    "history",
    [
        [moved(1, "a" * 64, PLATFORM)],
        [moved(2, "b" * 64, "sha256:1"), moved(1, "a" * 64, "sha256:1")],
        [],
    ],
    ids=["the platform's of today", "the platform's of once", "never current"],
)
def test_an_image_of_the_platform_has_no_dags(history: list[Pointer]) -> None:
    with pytest.raises(OperationError) as raised:
        image_of("a" * 64, history, PLATFORM)
    assert str(raised.value) == (
        "there is no image of the release aaaaaaaaaaaa: it was released while releases lay on the file system:"
        " release the same commit again"
    )
