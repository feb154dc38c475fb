"""Settings for all tests."""

from __future__ import annotations

from hypothesis import settings

# Machines are shared: a slow moment must not fail a property, and every run tries the same examples.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")
