"""Where checkov and our policies say the same, and where they do not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from tests.policies.checkov.checker import Answer, Said
from tests.policies.checkov.samples import Sample


class Direction(StrEnum):
    """How checkov differs from us."""

    ACCEPTS = "accepts what we refuse"
    REFUSES = "refuses what we accept"
    SILENT = "says nothing about what we judge"
    ELSEWHERE = "is about other resources"


@dataclass(frozen=True)
class Difference:
    """One check of checkov and one policy of ours about one sample, or about all of them."""

    id: str
    policy: str
    direction: Direction
    on: str = ""
    what: str = ""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One check of checkov and one policy of ours that names it."""

    id: str
    policy: str
    accepted: int
    """Samples that both accept."""
    refused: int
    """Samples that both refuse."""
    covered: int
    """Samples that the check passes, while another check that the policy names as well fails them."""
    others: tuple[str, ...]
    """Types of samples that the check is not about."""
    differences: tuple[Difference, ...]

    @property
    def compared(self) -> bool:
        """Whether the check is about something that our policy accepts, and something that it refuses."""
        return all(each.direction is not Direction.ELSEWHERE for each in self.differences)


@dataclass(frozen=True)
class Comparison:
    """All pairs."""

    pairs: tuple[Pair, ...]

    @property
    def differences(self) -> list[Difference]:
        """Everything that differs."""
        return [difference for pair in self.pairs for difference in pair.differences]

    def ids(self, *, compared: bool) -> set[str]:
        """Return the checks that are compared with one of our policies at least, or with none."""
        some = {pair.id for pair in self.pairs if pair.compared}
        return some if compared else {pair.id for pair in self.pairs} - some

    def figures(self) -> dict[str, int]:
        """Count."""
        compared, differing = self.ids(compared=True), {each.id for each in self.differences}
        return {
            "checks compared": len(compared),
            "that agree in everything": len(compared - differing),
            "that differ in something": len(compared & differing),
            "that refuse nothing at all": len(compared - {pair.id for pair in self.pairs if pair.refused}),
            "checks about other resources": len(self.ids(compared=False)),
            "verdicts, both accept": sum(pair.accepted for pair in self.pairs),
            "verdicts, both refuse": sum(pair.refused for pair in self.pairs),
            "verdicts, another check of the policy refuses": sum(pair.covered for pair in self.pairs),
            **{
                f"verdicts, checkov {each}": sum(each is one.direction for one in self.differences)
                for each in (Direction.ACCEPTS, Direction.REFUSES, Direction.SILENT)
            },
            "types that only we look at": len(
                {(pair.id, each) for pair in self.pairs for each in pair.others}
            ),
        }

    def data(self) -> list[dict[str, Any]]:
        """Return all pairs as plain data."""
        return [asdict(pair) for pair in self.pairs]


def compared(samples: Iterable[Sample], answer: Answer) -> Comparison:
    """Compare all that was said."""
    found: dict[tuple[str, str], list[Sample]] = defaultdict(list)
    for sample in samples:
        for id in sample.ids:
            found[id, sample.policy].append(sample)
    return Comparison(tuple(_pair(id, policy, each, answer) for (id, policy), each in sorted(found.items())))


def _pair(id: str, policy: str, samples: list[Sample], answer: Answer) -> Pair:
    seen = [(sample, answer.said(id, sample)) for sample in samples if answer.is_about(id, sample)]
    others = {sample.on for sample in samples if not answer.is_about(id, sample)}
    refuses = any(says is Said.FAILED and not sample.accepted for sample, says in seen)
    differing = [(sample, says) for sample, says in seen if says is not _ours(sample)]
    # A check that refuses nothing is not covered by others: it is about something else, or does not work.
    covered = [
        sample for sample, says in differing if refuses and says is Said.PASSED and _is_failed(sample, answer)
    ]
    return Pair(
        id=id,
        policy=policy,
        accepted=sum(sample.accepted and says is Said.PASSED for sample, says in seen),
        refused=sum(not sample.accepted and says is Said.FAILED for sample, says in seen),
        covered=len(covered),
        others=tuple(sorted(others)),
        differences=(
            *(
                Difference(id, policy, _direction(says), sample.on, sample.what)
                for sample, says in differing
                if sample not in covered
            ),
            *_elsewhere(id, policy, [sample for sample, _ in seen]),
        ),
    )


def _ours(sample: Sample) -> Said:
    return Said.PASSED if sample.accepted else Said.FAILED


def _is_failed(sample: Sample, answer: Answer) -> bool:
    """Say whether some check that our policy names fails a sample that our policy refuses."""
    return not sample.accepted and any(answer.said(id, sample) is Said.FAILED for id in sample.ids)


def _direction(says: Said) -> Direction:
    known = {Said.PASSED: Direction.ACCEPTS, Said.FAILED: Direction.REFUSES}
    return known.get(says, Direction.SILENT)


def _elsewhere(id: str, policy: str, samples: list[Sample]) -> Iterator[Difference]:
    if {sample.accepted for sample in samples} != {True, False}:
        yield Difference(id, policy, Direction.ELSEWHERE)
