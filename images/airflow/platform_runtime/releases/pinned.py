"""The one release that an image brings, and the ledger as a container sees it that has no other.

In the image lies what would be on the DAG storage: a folder named by the release's id, with its tree and its manifest.
Which release a container holds is decided when it is deployed. The pointer still says what all of them should hold, and
its number is in every proof.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .ledger import GENESIS, Pointer, Proof, Release
from .manifest import is_release_id

if TYPE_CHECKING:
    from .following import Followed

FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Of a pointer that was never moved."""


class BakedError(Exception):
    """The image is none with DAGs; the message says what it has."""


def baked(place: Path) -> str:
    """Return the id of the one release in an image.

    Raises:
        BakedError: There is none, or more than one.

    """
    try:
        found = sorted(each.name for each in place.iterdir() if is_release_id(each.name))
    except OSError as error:
        raise BakedError(
            f"{place}: {error.strerror or error}: deploy an image with DAGs, as `operations release` makes it"
        ) from error
    if len(found) != 1:
        names = ", ".join(each[:12] for each in found) or "none"
        raise BakedError(
            f"{place}: want exactly one release, got {names}: deploy an image as `operations release` makes it"
        )
    return found[0]


class Pinned:
    """The ledger for one baked release: whatever the pointer names, this is what is followed."""

    def __init__(self, ledger: Followed, release_id: str) -> None:
        """Keep both."""
        self._ledger, self._release_id = ledger, release_id

    def pointer(self) -> Pointer | None:
        """Return the current pointer, on the baked release; None only if the ledger has lost its own."""
        found = self._ledger.pointer()
        if found is not None:
            return replace(found, release_id=self._release_id)
        if self._ledger.history(1):
            return None
        return Pointer(
            sequence=0,
            release_id=self._release_id,
            git_commit="",
            image_digest="",
            publisher="",
            moved_at=FIRST,
            reason="genesis",
            previous_release_id=GENESIS,
        )

    def history(self, limit: int) -> list[Pointer]:
        """Return the last moves."""
        return self._ledger.history(limit)

    def release(self, release_id: str) -> Release | None:
        """Return a release that was once published."""
        return self._ledger.release(release_id)

    def verify_request(self) -> str:
        """Return the token of the last request to verify."""
        return self._ledger.verify_request()

    def write_proof(self, proof: Proof) -> None:
        """Write what this task holds."""
        self._ledger.write_proof(proof)
