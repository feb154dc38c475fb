"""What counts as the same, as covered and as a difference, and when a reason fits."""

from __future__ import annotations

import pytest

from tests.policies.checkov.checker import Answer
from tests.policies.checkov.compare import Difference, Direction, Pair, compared
from tests.policies.checkov.known import Known, stale, unexplained
from tests.policies.checkov.samples import Sample
from tests.policies.checkov.terraform import Block

ID, OTHER = "CKV_AWS_1", "CKV_AWS_2"


def sample(what: str, *, accepted: bool, kind: str = "aws_vpc", data: bool = False) -> Sample:
    block = Block(type=kind, name=what, values={}, data=data)
    return Sample(
        ids=(ID, OTHER), policy="rule", on="aws:ec2/vpc:Vpc", what=what, accepted=accepted, blocks=(block,)
    )


GOOD, BAD, WORSE = (
    sample("good", accepted=True),
    sample("bad", accepted=False),
    sample("worse", accepted=False),
)


def answered(*samples: Sample, **verdicts: tuple[bool | None, bool | None]) -> tuple[Pair, Pair]:
    """Compare when both checks say something about each sample: that it passes, that it fails, or nothing."""
    said = {
        (id, f"aws_vpc.{what}"): passed
        for what, both in verdicts.items()
        for id, passed in zip((ID, OTHER), both, strict=True)
        if passed is not None
    }
    types = frozenset({"aws_vpc"})
    first, second = compared(samples, Answer("1", said, {ID: types, OTHER: types})).pairs
    return first, second


def directions(pair: Pair) -> list[tuple[Direction, str]]:
    return [(each.direction, each.what) for each in pair.differences]


def test_both_say_the_same() -> None:
    pair, _ = answered(GOOD, BAD, good=(True, True), bad=(False, False))
    assert (pair.accepted, pair.refused, pair.covered, pair.differences) == (1, 1, 0, ())


def test_a_check_refuses_what_we_accept() -> None:
    pair, _ = answered(GOOD, BAD, good=(False, True), bad=(False, False))
    assert directions(pair) == [(Direction.REFUSES, "good")]


def test_a_check_accepts_what_we_refuse() -> None:
    pair, _ = answered(GOOD, BAD, WORSE, good=(True, True), bad=(True, True), worse=(False, False))
    assert directions(pair) == [(Direction.ACCEPTS, "bad")]


def test_a_check_says_nothing() -> None:
    pair, _ = answered(GOOD, BAD, good=(None, True), bad=(False, False))
    assert directions(pair) == [(Direction.SILENT, "good")]


def test_another_check_of_the_policy_covers_what_a_check_accepts() -> None:
    pair, _ = answered(GOOD, BAD, WORSE, good=(True, True), bad=(True, False), worse=(False, True))
    assert (pair.covered, pair.differences) == (1, ())


def test_nothing_covers_a_check_that_refuses_nothing() -> None:
    pair, _ = answered(GOOD, BAD, WORSE, good=(True, True), bad=(True, False), worse=(True, False))
    assert directions(pair) == [(Direction.ACCEPTS, "bad"), (Direction.ACCEPTS, "worse")]


@pytest.mark.parametrize(
    ("samples", "others"),
    [
        ((GOOD,), ()),
        ((BAD,), ()),
        ((GOOD, sample("bad", accepted=False, kind="aws_subnet")), ("aws:ec2/vpc:Vpc",)),
        ((GOOD, sample("bad", accepted=False, data=True)), ("aws:ec2/vpc:Vpc",)),
    ],
)
def test_a_check_is_about_other_resources(samples: tuple[Sample, ...], others: tuple[str, ...]) -> None:
    pair, _ = answered(*samples, good=(True, True), bad=(False, False))
    assert directions(pair) == [(Direction.ELSEWHERE, "")]
    assert (pair.others, pair.compared) == (others, False)


def test_one_part_that_fails_is_enough() -> None:
    parts = Sample(
        ids=(ID,),
        policy="rule",
        on="aws:ec2/vpc:Vpc",
        what="bad",
        accepted=False,
        blocks=tuple(Block(type="aws_vpc", name=name, values={}) for name in "ab"),
    )
    said = {(ID, "aws_vpc.a"): True, (ID, "aws_vpc.b"): False}
    (pair,) = compared([parts], Answer("1", said, {ID: frozenset({"aws_vpc"})})).pairs
    assert pair.refused == 1


def test_figures() -> None:
    said = {(ID, "aws_vpc.good"): True, (ID, "aws_vpc.bad"): False}
    said |= {(OTHER, "aws_vpc.good"): True, (OTHER, "aws_vpc.bad"): True}
    types = frozenset({"aws_vpc"})
    found = compared([GOOD, BAD], Answer("1", said, {ID: types, OTHER: types}))
    assert list(found.figures().values()) == [2, 1, 1, 1, 0, 2, 1, 0, 1, 0, 0, 0]


SEEN = Difference(ID, "rule", Direction.ACCEPTS, "aws:ec2/vpc:Vpc", "cidr = 1")
KNOWN = Known(ids=(ID,), policy="rule", direction=Direction.ACCEPTS, what=("cidr = ",), reason="why")


def test_a_reason_explains_a_difference() -> None:
    assert (unexplained([SEEN], [KNOWN]), stale([SEEN], [KNOWN])) == ([], [])


@pytest.mark.parametrize(
    ("id", "policy", "direction", "what"),
    [
        (OTHER, "rule", Direction.ACCEPTS, "cidr = 1"),
        (ID, "relation", Direction.ACCEPTS, "cidr = 1"),
        (ID, "rule", Direction.REFUSES, "cidr = 1"),
        (ID, "rule", Direction.ACCEPTS, "name = 1"),
    ],
)
def test_a_reason_explains_nothing_else(id: str, policy: str, direction: Direction, what: str) -> None:
    other = Difference(id, policy, direction, "type", what)
    assert unexplained([other], [KNOWN]) == [f"{id} {direction} ({policy}): type {what}"]
    assert stale([other], [KNOWN]) == [f"{ID} never {Direction.ACCEPTS} (rule): cidr ="]


@pytest.mark.parametrize(
    ("ids", "what", "said"),
    [
        ((ID, OTHER), ("cidr = ",), [f"{OTHER} never {Direction.ACCEPTS} (rule): cidr ="]),
        ((ID,), ("cidr = ", "name = "), [f"{ID} never {Direction.ACCEPTS} (rule): name ="]),
    ],
)
def test_every_part_of_a_reason_is_needed(
    ids: tuple[str, ...], what: tuple[str, ...], said: list[str]
) -> None:
    known = Known(ids=ids, policy="rule", direction=Direction.ACCEPTS, what=what, reason="why")
    assert stale([SEEN], [known]) == said
