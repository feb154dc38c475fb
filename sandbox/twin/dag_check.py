"""Checks a project's DAGs while its stack is applied, so that the release need not read them again."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from sandbox.cli import SandboxError
from sandbox.twin import image
from sandbox.twin.dag_commit import DAGS, Place, environment, here, operations, snapshot

LOG: Final = "check.log"
POLITE: Final = ("nice", "-n", "10")
"""The engine goes first."""
ENDING_SECONDS: Final = 10.0


class Check:
    """A check under way. What it finds wrong nobody hears from it: the release reads the DAGs again, and says it."""

    def __init__(self, project: Path) -> None:
        """Begin it, unless there is nothing to check, or nothing to check with."""
        place = Place(project)
        self._process: subprocess.Popen[bytes] | None = None
        # Nor does it fail: the release meets the same trouble, and says it.
        with suppress(SandboxError):
            commit = snapshot(project.resolve(), place.repository) if image.is_installed() else None
            if commit is not None:
                self._begin(place, commit)

    def _begin(self, place: Place, commit: str) -> None:
        words = ("check", place.repository, "--commit", commit, "--folder", DAGS, "--record", place.approval)
        with (place.folder / LOG).open("wb") as log:
            self._process = subprocess.Popen(
                [*POLITE, *operations(*words)],
                cwd=here(),
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self._process is None or self._process.poll() is not None

    def stop(self) -> None:
        """End it in good order, and at once if that takes too long."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(ENDING_SECONDS)
            return
        self._process.kill()
        self._process.wait()


@contextmanager
def checking(project: Path) -> Iterator[Check]:
    """Check the DAGs meanwhile."""
    check = Check(project)
    try:
        yield check
    finally:
        check.stop()
