"""One twin of dev for all tests that look at it, and one of prod."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.twin.running import RunningTwin, running


@pytest.fixture(scope="session")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTwin]:
    """Return the twin of dev; tests leave it as it was."""
    with running(tmp_path_factory.mktemp("twin") / "platform") as found:
        yield found
