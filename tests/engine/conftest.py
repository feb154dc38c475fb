"""What several modules of engine tests start from: the platform, applied once in each test process."""

from __future__ import annotations

import pytest

from tests.engine.support import Project

PAIRS = {"dev": "nonprod-shared", "prod": "prod-shared"}
"""Environments and the shared stacks that they reference."""


@pytest.fixture(scope="session", params=PAIRS)
def applied(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, str]:
    """Return the platform with one environment applied; tests leave it as it is."""
    project = Project.platform(tmp_path_factory.mktemp(request.param) / "platform")
    project.run("up", request.param)
    return project, request.param
