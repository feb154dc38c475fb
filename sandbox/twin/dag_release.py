"""Releases a project's DAGs on its twin, with the command that operators use, from a commit that is made for it.

The commit is one of a repository of the twin's own, so nobody has to commit before trying something out.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import sandbox
from sandbox.cli import SandboxError

DAGS: Final = "dags"
"""Folder of the project that is released."""
REPOSITORY: Final = "dags.git"
RESULT, LOG = "release.json", "release.log"
NOBODY: Final = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "twin"), ("EMAIL", "twin@localhost"))
}
NOT_RELEASED: Final = "__pycache__/\n*.py[co]\n"
"""What Python leaves beside the DAGs that it has read."""
GOES_ON: Final = "the twin goes on; release again with `python -m sandbox twin release`"
LOG_LINES: Final = 20
SHORT: Final = 12


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
        commit = snapshot(project, folder / REPOSITORY)
        if commit is None:
            self.problem = f"nothing is released: {project / DAGS} has no file"
            return
        self.problem = ""
        words = ["release", str(folder / REPOSITORY), "--commit", commit, "--folder", DAGS, "--json"]
        with (folder / RESULT).open("wb") as result, (folder / LOG).open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "operations", *words, "--stack", folder.name],
                cwd=Path(sandbox.__file__).parents[1],
                env={**_environment(), **variables},
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


def snapshot(project: Path, repository: Path) -> str | None:
    """Commit the DAGs as they are and return the commit, the last one if nothing has changed; None without any file.

    Raises:
        SandboxError: Git is missing, or refuses.

    """

    def git(*words: str | Path, check: bool = True) -> str:
        of_both = () if words[0] == "init" else (f"--git-dir={repository}", f"--work-tree={project}")
        command = ["git", *of_both, *words]
        try:
            done = subprocess.run(
                command, env={**_environment(), **NOBODY}, capture_output=True, text=True, check=False
            )
        except FileNotFoundError as error:
            raise SandboxError("the program git is not installed: DAGs are released from a commit") from error
        if done.returncode and check:
            raise SandboxError(f"the DAGs of {project} cannot be committed: {done.stderr.strip()}")
        return done.stdout.strip()

    if not any(path.is_file() for path in (project / DAGS).rglob("*")):
        return None
    if not repository.exists():
        git("init", "--quiet", "--bare", "--initial-branch=main", repository)
        (repository / "info").mkdir(exist_ok=True)
        (repository / "info" / "exclude").write_text(NOT_RELEASED)
    git("add", "--all", "--", DAGS)
    tree = git("write-tree")
    last = git("rev-parse", "--quiet", "--verify", "HEAD", check=False)
    if last and git("rev-parse", f"{last}^{{tree}}") == tree:
        return last
    commit = git("commit-tree", tree, *(["-p", last] if last else []), "-m", f"DAGs of {project.name}")
    git("update-ref", "HEAD", commit)
    return commit


def _environment() -> dict[str, str]:
    """Return this process's variables, without a real account's and without Git's, whose settings are a person's."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "GIT_", "OPERATIONS_"))
    }
    local = ",".join(filter(None, ("127.0.0.1", os.environ.get("NO_PROXY", ""))))
    return {
        **kept,
        "NO_PROXY": local,
        "no_proxy": local,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        # No machine's own role and no person's profile comes in between.
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
