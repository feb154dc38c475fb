"""Settings for all tests."""

from __future__ import annotations

import signal

import pytest
from hypothesis import settings

# Machines are shared: a slow moment must not fail a property, and every run tries the same examples.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")

# What a shell starts with & ignores Ctrl-C, and so would every process that a test interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# The same for nohup and a terminal that is gone.
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the files that share a twin run in one process; two of them fit beside each other on two processors."""
    for item in items:
        if item.get_closest_marker("twin"):
            shared = "twin" in getattr(item, "fixturenames", ())
            item.add_marker(pytest.mark.xdist_group("twin of dev" if shared else item.path.name))
