"""Differences that were looked into: what checkov's own source says, and why we say something else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.policies.checkov.compare import Difference, Direction


@dataclass(frozen=True, kw_only=True)
class Known:
    """Why checks of checkov and a policy of ours differ."""

    ids: tuple[str, ...]
    policy: str
    direction: Direction
    what: tuple[str, ...] = ("",)
    """How the samples begin about which they differ; everything by default."""
    reason: str

    def explains(self, difference: Difference) -> bool:
        """Say whether this is it."""
        return (
            difference.id in self.ids
            and (difference.policy, difference.direction) == (self.policy, self.direction)
            and difference.what.startswith(self.what)
        )

    def stale(self, differences: Iterable[Difference]) -> Iterator[str]:
        """Iterate over what is no difference any more."""
        seen = [difference for difference in differences if self.explains(difference)]
        for id in self.ids:
            for what in self.what:
                if not any(each.id == id and each.what.startswith(what) for each in seen):
                    yield f"{id} never {self.direction} ({self.policy}): {what}".rstrip(": ")


def unexplained(differences: Iterable[Difference], table: Iterable[Known]) -> list[str]:
    """Return the differences that nothing explains."""
    every = list(table)
    return [
        f"{each.id} {each.direction} ({each.policy}): {each.on} {each.what}".rstrip(": ")
        for each in differences
        if not any(known.explains(each) for known in every)
    ]


def stale(differences: Iterable[Difference], table: Iterable[Known]) -> list[str]:
    """Return the explanations that explain nothing any more."""
    every = list(differences)
    return [text for known in table for text in known.stale(every)]
