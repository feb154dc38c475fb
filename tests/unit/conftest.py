"""Runs components and the program under mocks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness import Deployment


@pytest.fixture
def deploy() -> Iterator[Deployment]:
    """Give a place to run programs in; each run starts from nothing."""
    deployment = Deployment()
    yield deployment
    deployment.close()


def pytest_configure(config: pytest.Config) -> None:
    """Hide what the SDK warns about itself while it is imported."""
    config.addinivalue_line("filterwarnings", r"ignore::DeprecationWarning:pulumi_(aws|awsx)\..*")
