"""The agent where the image has the DAGs: it follows the baked release, and its proofs have the pointer's number."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from images.airflow.platform_runtime.releases import agent_command
from images.airflow.platform_runtime.releases.agent import VERIFY_SECONDS
from images.airflow.platform_runtime.releases.copies import Copies
from images.airflow.platform_runtime.releases.ledger import Pointer
from images.airflow.platform_runtime.releases.pinned import BakedError, Pinned, baked
from images.airflow.platform_runtime.variables import Refusal
from tests.releases.test_agent import EMPTY, MIB, FakeClock, FakeLedger, World, environment
from tests.releases.test_copies import publish, sized

OTHER = "e" * 64


class Pinning(World):
    """A task whose image has a release."""

    baked = ""

    def agents_ledger(self) -> Pinned:
        self.baked = publish(self.storage, sized(1, 5000)).release_id
        return Pinned(self.ledger, self.baked)


@pytest.fixture
def task(tmp_path: Path) -> Pinning:
    return Pinning(tmp_path)


def test_it_holds_what_the_image_has_before_anything_was_released(task: Pinning) -> None:
    task.run(1)
    (proof,) = task.ledger.proofs
    assert (proof.sequence, proof.release_id, proof.computed_id) == (0, task.baked, task.baked)
    assert (proof.status, proof.versions) == ("verified", (task.baked,))


def test_it_takes_the_number_of_a_pointer_that_is_on_another_release(task: Pinning) -> None:
    """So whoever waits for that release sees that this container knows, and holds something else."""
    task.run(1)
    task.ledger.point(OTHER)
    task.run(6)
    proof = task.proof
    assert (proof.sequence, proof.release_id, proof.status) == (1, task.baked, "verified")


def test_a_damaged_copy_is_found(task: Pinning) -> None:
    task.run(1)
    task.damage(task.baked)
    task.run(VERIFY_SECONDS + 1)
    assert task.proof.status == "mismatch"


def test_a_pointer_that_was_lost_is_not_taken_for_a_new_platform(task: Pinning) -> None:
    task.ledger.point(OTHER)
    task.ledger.current = None
    task.run(1)
    assert task.ledger.proofs == []


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sequence=st.integers(1, 10**9),
    named=st.sampled_from("abcdef").map(lambda letter: letter * 64),
    held=st.sampled_from("abcdef").map(lambda letter: letter * 64),
)
def test_only_the_release_of_a_pointer_is_another(sequence: int, named: str, held: str) -> None:
    clock = FakeClock()
    pointer = Pointer(
        sequence=sequence,
        release_id=named,
        git_commit="c" * 40,
        image_digest="sha256:1",
        publisher="ada",
        moved_at=clock.utc(),
        reason="release",
        previous_release_id=EMPTY,
    )
    assert Pinned(FakeLedger(clock, current=pointer), held).pointer() == replace(pointer, release_id=held)


# What the image has


def test_the_one_release(tmp_path: Path) -> None:
    """Whatever else lies there is no release."""
    for name in ("a" * 64, ".staging", "README"):
        (tmp_path / name).mkdir()
    assert baked(tmp_path) == "a" * 64


@pytest.mark.parametrize(
    ("names", "said"),
    [((), "none"), (("b" * 64, "a" * 64), f"{'a' * 12}, {'b' * 12}")],
    ids=["none", "two"],
)
def test_more_or_fewer_than_one_are_refused(tmp_path: Path, names: tuple[str, ...], said: str) -> None:
    for name in names:
        (tmp_path / name).mkdir()
    with pytest.raises(BakedError) as raised:
        baked(tmp_path)
    assert str(raised.value) == (
        f"{tmp_path}: want exactly one release, got {said}: deploy an image as `operations release` makes it"
    )


def test_an_image_without_dags_is_named(tmp_path: Path) -> None:
    with pytest.raises(BakedError) as raised:
        baked(tmp_path / "baked")
    assert str(raised.value) == (
        f"{tmp_path}/baked: No such file or directory: deploy an image with DAGs, as `operations release` makes it"
    )


# The command


def test_settings_name_the_baked_release(task: Pinning) -> None:
    found = agent_command.settings(environment(task) | {"PLATFORM_DAG_DELIVERY": "image"})
    assert found.baked == task.baked


def test_settings_of_a_storage_name_none(task: Pinning) -> None:
    assert agent_command.settings(environment(task) | {"PLATFORM_DAG_DELIVERY": "release"}).baked == ""


def test_an_agent_refuses_to_start_with_two_releases(task: Pinning) -> None:
    second = publish(task.storage, sized(2, 5000)).release_id
    with pytest.raises(Refusal) as raised:
        agent_command.settings(environment(task) | {"PLATFORM_DAG_DELIVERY": "image"})
    names = ", ".join(sorted((task.baked[:12], second[:12])))
    assert raised.value.problems == [
        f"{task.storage}: want exactly one release, got {names}: deploy an image as `operations release` makes it"
    ]


def test_copies_take_the_images_layout(task: Pinning, tmp_path: Path) -> None:
    (tmp_path / "copies").mkdir()
    copies = Copies(task.storage, tmp_path / "copies", 10 * MIB)
    assert copies.ensure(task.baked, set()) is None
    assert (tmp_path / "copies" / task.baked / "data.bin").read_bytes() == b"\1" * 5000
