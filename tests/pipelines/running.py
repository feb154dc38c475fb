"""Runs the shell steps of a pipeline's jobs in a folder, one after the other, as the system's machines do."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.pipelines.files import shell_steps, variables

SHELLS: Final = {"github": ("sh", "-e"), "jenkins": ("sh", "-xe")}
TEAM: Final = {
    "PLATFORM_REPOSITORY": "example/airflow-platform",
    "PLATFORM_URL": "https://git.example.org/airflow-platform",
    "PLATFORM_REF": "v1",
    "AWS_ROLE_ARN": "arn:aws:iam::111111111111:role/dags",
    "AWS_REGION": "eu-west-1",
    "PULUMI_BACKEND_URL": "s3://state",
}
"""What a team sets up for its pipeline."""
MACHINE: Final = ("PATH", "HOME", "TMPDIR", "LANG")
PACKAGES: Final = ("XDG_", "UV_", "PIP_", "SSL_", "HTTP", "NO_PROXY")
"""How names of variables begin that say where packages come from and are kept."""
IDENTITY: Final = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "ada"), ("EMAIL", "ada@example.org"))
}


def machine() -> dict[str, str]:
    """Return the variables that any machine has, whatever runs on it."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in MACHINE or name.upper().startswith(PACKAGES)
    }


def git(folder: Path, *words: str) -> str:
    """Run Git without a person's settings."""
    settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    command = ["git", "-C", str(folder), *words]
    done = subprocess.run(
        command, env=os.environ | settings | IDENTITY, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@dataclass(frozen=True)
class Ended:
    """A job that has ended."""

    code: int
    """Exit code of the last step that ran."""
    log: str
    stack: str
    """What the job found for the branch."""


@dataclass(frozen=True)
class Workspace:
    """The folder of a pipeline, with `repository` and `platform` in it."""

    system: str
    folder: Path
    given: Mapping[str, str] = field(default_factory=dict)
    """More variables, of machine and team."""

    @property
    def results(self) -> Path:
        """Folder with what came out."""
        return self.folder / "results"

    def commit(self, files: Mapping[str, str]) -> str:
        """Commit files to the DAG repository and return the commit."""
        repository = self.folder / "repository"
        if not repository.exists():
            repository.mkdir(parents=True)
            git(repository, "init", "-q", "--initial-branch=main")
        for name, text in files.items():
            path = repository / "dags" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        git(repository, "add", "-A")
        git(repository, "commit", "-q", "-m", "change")
        return git(repository, "rev-parse", "HEAD")

    def environment(self, job: str, branch: str) -> dict[str, str]:
        """Return the variables of a job's steps."""
        of_pipeline = variables(self.system, job, {**TEAM, **self.given, "BRANCH": branch})
        files = {name: str(self.folder / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        return {**machine(), **self.given, **of_pipeline, **(files if self.system == "github" else {})}

    def run(self, job: str, branch: str = "main") -> Ended:
        """Run the steps of a job up to the first that fails."""
        log, stack, code = "", "", 0
        for script in shell_steps(self.system, job):
            done = subprocess.run(
                [*SHELLS[self.system], "-c", script],
                cwd=self.folder,
                env=self.environment(job, branch),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            log, code = log + done.stdout + done.stderr, done.returncode
            if script.endswith("release-dags stack"):
                stack = done.stdout.strip()
            if code:
                break
        output = self.folder / "GITHUB_OUTPUT"
        if output.exists():
            (line,) = output.read_text().splitlines()
            stack = line.removeprefix("stack=")
            output.unlink()
        return Ended(code, log, stack)

    def document(self, command: str) -> dict[str, Any]:
        """Return a command's result for programs."""
        found: dict[str, Any] = json.loads((self.results / f"{command}.json").read_text())
        return found

    def summary(self, command: str) -> str:
        """Return a command's result for people."""
        return (self.results / f"{command}.md").read_text()
