"""What several modules of engine tests start from: the platform, applied once in a whole run of the tests.

The first process that needs a project makes it while the others wait; each test process works on copies of its own.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.support import Project

PAIRS = {"dev": "nonprod-shared", "prod": "prod-shared"}
"""Environments and the shared stacks that they reference."""

Applied = Callable[[str, Path], Project]
"""Gives a copy, in the folder, of the platform to which a stack was applied."""


@pytest.fixture(scope="session")
def platform_with(tmp_path_factory: pytest.TempPathFactory) -> Applied:
    """Return how to get the platform with a stack applied."""
    base = tmp_path_factory.getbasetemp()
    # Under pytest-xdist every test process has a folder of its own in that of the run.
    run = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def copied(stack: str, folder: Path) -> Project:
        original, made = run / f"platform-{stack}", run / f"platform-{stack}.made"
        with (run / f"platform-{stack}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not made.exists():
                shutil.rmtree(original, ignore_errors=True)
                Project.platform(original).run("--no-checkpoints", "up", stack)
                made.touch()
        return Project(original, measured=False).moved_to(folder)

    return copied


@pytest.fixture(scope="session", params=PAIRS)
def applied(
    request: pytest.FixtureRequest, platform_with: Applied, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Project, str]:
    """Return the platform with one environment applied; tests leave it as it is."""
    return platform_with(request.param, tmp_path_factory.mktemp(request.param) / "platform"), request.param
