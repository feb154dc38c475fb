"""Releases a project's DAGs on its twin, with the command that operators use, from a commit that is made for it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from sandbox.cli import SandboxError
from sandbox.twin.dag_commit import DAGS, Place, environment, here, operations, snapshot

RESULT, LOG = "release.json", "release.log"
GOES_ON: Final = "the twin goes on; release again with `python -m sandbox twin release`"
LOG_LINES: Final = 20
SHORT: Final = 12
OUTPUTS: Final = "OPERATIONS_OUTPUTS"
"""Variable with the file of the stack's outputs."""


class Release:
    """A release under way."""

    def __init__(self, project: Path, folder: Path, variables: Mapping[str, str]) -> None:
        """Begin it.

        Args:
            project: Whose DAGs.
            folder: The twin's.
            variables: With which the twin's AWS and the stack's outputs are found.

        Raises:
            SandboxError: Git does not take the DAGs.

        """
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        if _in_image(variables):
            self.problem = (
                "nothing is released: the image has the DAGs, `python -m operations release` makes another"
            )
            return
        place = Place(project)
        commit = snapshot(project, place.repository)
        if commit is None:
            self.problem = f"nothing is released: {project / DAGS} has no file"
            return
        self.problem = ""
        words = ("release", place.repository, "--commit", commit, "--folder", DAGS, "--json")
        checked = ("--checked", place.approval) if place.approval.exists() else ()
        with (folder / RESULT).open("wb") as result, (folder / LOG).open("wb") as log:
            self._process = subprocess.Popen(
                operations(*words, "--stack", folder.name, *checked),
                cwd=here(),
                env={**environment(), **variables},
                stdin=subprocess.DEVNULL,
                stdout=result,
                stderr=log,
                # A Ctrl-C is handed on by whoever began it.
                start_new_session=True,
            )

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self._process is None or self._process.poll() is not None

    def wait(self, seconds: float) -> None:
        """Wait for its end, but not longer than so many seconds."""
        if self._process is not None:
            self._process.wait(seconds)

    def stop(self) -> None:
        """Let it end in good order."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def tell(self, told: Callable[[str], None]) -> None:
        """Say how it ended.

        Raises:
            SandboxError: Not well; the words are its own.

        """
        if self._process is None:
            told(self.problem)
            return
        result = self._result()
        if self._process.returncode:
            why = result.get("error") or self._last_words()
            raise SandboxError(f"the DAGs are not released: {why}\n{GOES_ON}")
        seconds = ", ".join(f"{name} {value:.1f} s" for name, value in result["seconds"].items())
        told(
            f"DAGs: release {result['release_id'][:SHORT]}, {result['dags']} DAGs in {result['files']} files:"
            f" {result['result']} ({seconds})"
        )

    def _result(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads((self._folder / RESULT).read_text(encoding="utf-8"))
        except ValueError:
            return {}
        return found

    def _last_words(self) -> str:
        lines = (self._folder / LOG).read_text(errors="replace").splitlines()
        return "\n".join(["it ended without a result; its last lines:", *lines[-LOG_LINES:]])


def _in_image(variables: Mapping[str, str]) -> bool:
    """Say whether the stack's DAGs come in an image, which somebody has built before."""
    try:
        found: dict[str, Any] = json.loads(Path(variables.get(OUTPUTS, "")).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        # Whoever releases says what is wrong with them.
        return False
    return found.get("dagDelivery") == "image"
