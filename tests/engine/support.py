"""Small Pulumi projects, driven through the real CLI in the sandbox."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sandbox.provider.inventory import Inventory
from sandbox.recovery import unknown_to_state
from sandbox.workspace import Workspace

ROOT = Path(__file__).parent.parent.parent
ACCOUNT = "111111111111"

RAW_PROGRAM = """\
import json, pathlib, pulumi

accounts, made = {{}}, {{}}
for row in json.loads(pathlib.Path("resources.json").read_text()):
    account = row.get("account", "{account}")
    if account not in accounts:
        accounts[account] = pulumi.ProviderResource(
            "aws",
            "account" if account == "{account}" else f"account-{{account}}",
            {{"region": "eu-west-1", "allowedAccountIds": json.dumps([account])}},
        )
    options = pulumi.ResourceOptions(
        provider=accounts[account], depends_on=[made[name] for name in row.get("after", [])]
    )
    inputs = {{
        key: made[value["$ref"]].id if isinstance(value, dict) and "$ref" in value else value
        for key, value in row["inputs"].items()
    }}
    made[row["name"]] = pulumi.CustomResource(row["token"], row["name"], inputs, options)
"""
"""Registers the resources of `resources.json` as they stand, so that no SDK class can repair an input."""


@dataclass
class Project:
    """A project in a folder of its own, with one stack `dev` unless a test adds more."""

    folder: Path
    measured: bool = True
    """Whether the coverage of its processes counts. Measuring slows them by half, and the platform's own program runs
    in the unit tests as well."""

    @classmethod
    def raw(cls, folder: Path, *resources: dict[str, Any], account: str = ACCOUNT) -> Project:
        """Make a project that registers raw resources: dicts of token, name, inputs, after and account."""
        project = cls.program(folder, RAW_PROGRAM.format(account=account))
        project.resources(*resources)
        return project

    @classmethod
    def program(cls, folder: Path, text: str, config: dict[str, Any] | None = None) -> Project:
        """Make a project from a program's text and the configuration of stack dev."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "Pulumi.yaml").write_text("name: probe\nruntime: python\n")
        (folder / "__main__.py").write_text(text)
        (folder / "Pulumi.dev.yaml").write_text(yaml.safe_dump({"config": config or {}}))
        return cls(folder)

    @classmethod
    def platform(cls, folder: Path) -> Project:
        """Make a copy of this repository's own program and stack files."""
        folder.mkdir(parents=True, exist_ok=True)
        for path in (*ROOT.glob("Pulumi*.yaml"), ROOT / "__main__.py"):
            shutil.copy(path, folder)
        ignored = shutil.ignore_patterns("__pycache__", "packages")
        for package in ("components", "settings", "functions", "policies"):
            shutil.copytree(ROOT / package, folder / package, ignore=ignored)
        (folder / "functions" / "packages").symlink_to(ROOT / "functions" / "packages")
        return cls(folder, measured=False)

    @classmethod
    def copy(cls, folder: Path, name: str) -> Project:
        """Copy a program from tests/programs."""
        shutil.copytree(ROOT / "tests" / "programs" / name, folder)
        return cls(folder)

    def moved_to(self, folder: Path) -> Project:
        """Return a copy with everything that was applied: cheaper than to apply it again."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Project(folder, self.measured)

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace a text, which must be there, in one of the project's files."""
        path = self.folder / file
        text = path.read_text()
        assert old in text, f"{file} does not contain {old!r}"
        path.write_text(text.replace(old, new))

    def resources(self, *rows: dict[str, Any]) -> None:
        """Replace the raw resources."""
        (self.folder / "resources.json").write_text(json.dumps(rows))

    def command(self, *arguments: str) -> list[str]:
        """Return the command line of a sandbox command on this project."""
        return [sys.executable, "-m", "sandbox", "--project", str(self.folder), *arguments]

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a sandbox command in a process group of its own."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=ROOT,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, check: bool = True, **extra: str) -> subprocess.CompletedProcess[str]:
        """Run a sandbox command; stdout and stderr together, in `stdout`."""
        done = subprocess.run(
            self.command(*arguments),
            cwd=ROOT,
            env=self.environment() | extra,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"{arguments} failed:\n{done.stdout}")
        return done

    def environment(self) -> dict[str, str]:
        """Return the environment of a sandbox command on this project."""
        found = environment()
        return (
            found if self.measured else {key: found[key] for key in found if not key.startswith("COVERAGE_")}
        )

    def state(self, stack: str = "dev") -> list[dict[str, Any]]:
        """Return the resources in a stack's state."""
        return self._latest(stack).get("resources") or []

    def pending(self, stack: str = "dev") -> list[dict[str, Any]]:
        """Return the operations that a stack's state calls pending."""
        return self._latest(stack).get("pending_operations") or []

    def _latest(self, stack: str) -> dict[str, Any]:
        path = self.folder / ".sandbox" / "state" / ".pulumi" / "stacks"
        name = yaml.safe_load((self.folder / "Pulumi.yaml").read_text())["name"]
        found: dict[str, Any] = json.loads((path / name / f"{stack}.json").read_text())["checkpoint"][
            "latest"
        ]
        return found

    def unknown_to_state(self) -> int:
        """Return how many resources exist that no state knows."""
        workspace = Workspace(self.folder)
        existing = Inventory(workspace.journal)
        stacks = {entry.urn.split("::")[0].rpartition(":")[2] for entry in existing}
        return sum(len(unknown_to_state(workspace, stack, existing)) for stack in stacks)


@contextmanager
def unmeasured() -> Iterator[None]:
    """Keep coverage out of the processes that are started in the block."""
    found = {key: os.environ.pop(key) for key in list(os.environ) if key.startswith("COVERAGE_")}
    try:
        yield
    finally:
        os.environ.update(found)


def environment() -> dict[str, str]:
    """Return the tests' environment without what would slow Python down or point at a real account."""
    return {
        key: value
        for key, value in os.environ.items()
        if key != "PYTHONDONTWRITEBYTECODE" and not key.startswith(("AWS_", "PULUMI_"))
    }
