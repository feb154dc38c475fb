"""The commit that a project's DAGs are checked and released from: of a repository that belongs to the sandbox alone.

So nobody has to commit before trying something out.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import sandbox
from sandbox.cli import SandboxError
from sandbox.workspace import FOLDER

DAGS: Final = "dags"
"""Folder of the project that is released."""
NOBODY: Final = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "twin"), ("EMAIL", "twin@localhost"))
}
NOT_RELEASED: Final = "__pycache__/\n*.py[co]\n"
"""What Python leaves beside the DAGs that it has read."""


@dataclass(frozen=True)
class Place:
    """Where a project's commits and checks are kept."""

    project: Path

    @property
    def folder(self) -> Path:
        """Of the sandbox, not of a twin, which is made anew with each start."""
        return self.project.resolve() / FOLDER / "dags"

    @property
    def repository(self) -> Path:
        """A bare Git repository."""
        return self.folder / "dags.git"

    @property
    def approval(self) -> Path:
        """What the last check has approved."""
        return self.folder / "approval.json"


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
                command, env={**environment(), **NOBODY}, capture_output=True, text=True, check=False
            )
        except FileNotFoundError as error:
            raise SandboxError("the program git is not installed: DAGs are released from a commit") from error
        if done.returncode and check:
            raise SandboxError(f"the DAGs of {project} cannot be committed: {done.stderr.strip()}")
        return done.stdout.strip()

    if not any(path.is_file() for path in (project / DAGS).rglob("*")):
        return None
    if not repository.exists():
        repository.parent.mkdir(parents=True, exist_ok=True)
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


def environment() -> dict[str, str]:
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


def operations(*words: str | Path) -> list[str]:
    """Return the command line of an operation, which is run in this program's folder."""
    return [sys.executable, "-m", "operations", *map(str, words)]


def here() -> Path:
    """Return the folder in which `python -m operations` works."""
    return Path(sandbox.__file__).parents[1]
