"""The way back to an earlier release: the pointer moves, nothing is copied.

Whoever goes back flees from something. So the pointer stays on the earlier release even when a container has not proved
it in time; the command says which one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.console import RenderableType

from images.airflow.platform_runtime.releases.ledger import Ledger, Pointer, Release, Target
from images.airflow.platform_runtime.releases.manifest import genesis
from operations.errors import OperationError
from operations.proofs import SHORT, FleetStanding
from operations.release import Who
from operations.screen import Screen, many, services
from operations.switch import Switch, unmoved

HISTORY: Final = 1000
"""Moves that are looked through."""
SHORTEST: Final = 6
"""Characters of an id or a commit that are enough to name a release."""
EMPTY: Final = "genesis"
"""Name of the empty release."""


@dataclass(frozen=True)
class Choice:
    """Where to go back to."""

    release_id: str
    git_commit: str


@dataclass(frozen=True, kw_only=True)
class RolledBack:
    """The end of a rollback."""

    before: Pointer
    pointer: Pointer
    standing: FleetStanding
    moved: bool
    """False if the release was the current one already."""

    def document(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "result": "rolled back" if self.moved else "already current",
            "release_id": self.pointer.release_id,
            "git_commit": self.pointer.git_commit,
            "sequence": self.pointer.sequence,
            "previous_release_id": self.before.release_id,
            **self.standing.document(),
        }

    def shown(self) -> list[RenderableType]:
        """Return the result for people."""
        name = _named(self.pointer.release_id, self.pointer.git_commit)
        proved = f"proved by {many(len(self.standing.tasks), 'running container')}"
        did = f"went back to {name} as number {self.pointer.sequence}" if self.moved else f"{name} is current"
        return [services(self.standing), f"{did}: {proved}"]


@dataclass(frozen=True, kw_only=True)
class RollingBack:
    """The procedure."""

    ledger: Ledger
    switch: Switch
    screen: Screen

    def run(self, who: Who, to: str | None) -> RolledBack:
        """Go back.

        Args:
            who: Who does it.
            to: Which release, as `choose` takes it; None for the one before.

        Raises:
            OperationError: it did not succeed; the message and `facts["pointer"]` say where the pointer is.

        """
        with unmoved():
            before, choice = self._choose(to)
            self.screen.note(f"from {_named(before.release_id, before.git_commit)}")
            self.screen.note(f"back to {_named(choice.release_id, choice.git_commit)}")
            if choice.release_id == before.release_id:
                self.screen.note("that is the current release already")
                standing = self.switch.prove(before)
                return RolledBack(before=before, pointer=before, standing=standing, moved=False)
            target = Target(
                release_id=choice.release_id,
                git_commit=choice.git_commit,
                image_digest=self._image(who, choice),
                publisher=who.publisher,
                reason="rollback",
            )
            switched = self.switch.to(target, before, back=False)
            return RolledBack(before=before, pointer=switched.pointer, standing=switched.standing, moved=True)

    def _image(self, who: Who, choice: Choice) -> str:  # noqa: ARG002
        return who.image_digest

    def _choose(self, to: str | None) -> tuple[Pointer, Choice]:
        before = self.ledger.pointer()
        if before is None:
            raise OperationError("nothing was ever released here: there is nothing to go back from")
        history = self.ledger.history(HISTORY)
        return before, choose(to, self.ledger.releases(), history) if to else step_back(history)


def step_back(history: Sequence[Pointer]) -> Choice:
    """Return the release before the current one, as it was before anything was rolled back or taken back.

    Each rollback goes a step further back: what was left because it was bad is not chosen again.

    Args:
        history: Newest first.

    Raises:
        OperationError: there is none.

    """
    trail: list[Pointer] = []
    for pointer in reversed(history):
        known = [at for at, each in enumerate(trail) if each.release_id == pointer.release_id]
        if pointer.reason in {"rollback", "restored"} and known:
            del trail[known[-1] + 1 :]
        elif pointer.reason == "restored":
            # Its release is further back than this history goes.
            trail = [pointer]
        elif not trail or trail[-1].release_id != pointer.release_id:
            trail.append(pointer)
    earlier = [each for each in trail[:-1] if each.release_id != genesis().release_id]
    if not earlier:
        raise OperationError(
            f"there is no earlier release to go back to: name one with --to, or go to the empty"
            f" release with --to {EMPTY}"
        )
    return Choice(earlier[-1].release_id, earlier[-1].git_commit)


def choose(wanted: str, releases: Iterable[Release], history: Iterable[Pointer]) -> Choice:
    """Return the release that somebody names.

    Args:
        wanted: A release id or a Git commit, or at least the first characters of one; `genesis` for the empty release.
        releases: What was published.
        history: Newest first; knows commits of releases that were published for another one.

    Raises:
        OperationError: there is none, more than one, or it is no longer on the file system.

    """
    if wanted == EMPTY:
        return Choice(genesis().release_id, "")
    if len(wanted) < SHORTEST:
        raise OperationError(
            f"--to {wanted}: want at least {SHORTEST} characters of a release id or a commit"
        )
    known = {release.release_id: release for release in releases}
    commits: dict[str, list[str]] = {release_id: [] for release_id in known}
    for pointer in history:
        commits.setdefault(pointer.release_id, []).append(pointer.git_commit)
    found: list[Choice] = []
    for release_id, release in sorted(known.items()):
        of_it = [*commits[release_id], release.git_commit]
        meant = [commit for commit in of_it if commit.startswith(wanted)]
        if meant or release_id.startswith(wanted):
            found.append(Choice(release_id, (meant or of_it)[0]))
    if not found:
        raise OperationError(
            f"there is no release and no commit {wanted} here: `operations releases` lists them"
        )
    if len(found) > 1:
        names = ", ".join(_named(each.release_id, each.git_commit) for each in found)
        raise OperationError(f"{wanted} can be any of {names}: name the release by its id")
    (choice,) = found
    if known[choice.release_id].state != "published":
        raise OperationError(
            f"the release {choice.release_id[:SHORT]} is no longer on the file system: release its commit"
            f" {choice.git_commit[:SHORT]} again"
        )
    return choice


def _named(release_id: str, commit: str) -> str:
    if release_id == genesis().release_id:
        return "the empty release"
    return f"{release_id[:SHORT]} (commit {commit[:SHORT] or 'unknown'})"
