"""Settings for all tests."""

from __future__ import annotations

import signal
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler.loadfile import LoadFileScheduling

# Machines are shared: a slow moment must not fail a property, and every run tries the same examples.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")

# What a shell starts with & ignores Ctrl-C, and so would every process that a test interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# The same for nohup and a terminal that is gone.
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


OWN_TWIN = ("test_prod.py", "test_image_mode.py")
"""Files of tests/twin that start a twin of their own; all others share one."""


class Files(LoadFileScheduling):  # type: ignore[misc]  # it has no types
    """Gives each process whole files, and all that share a twin to the same one."""

    def _split_scope(self, nodeid: str) -> str:
        file = str(super()._split_scope(nodeid))
        folder, _, name = file.rpartition("/")
        return folder if folder == "tests/twin" and name not in OWN_TWIN else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Files | None:
    """Distribute by files in our way."""
    return Files(config, log) if config.getvalue("dist") == "loadfile" else None
