"""Folders that containers have written into."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path


def erase(folder: Path) -> None:
    """Remove a folder with everything in it, as far as it belongs to this user; releases may not even be written."""
    for path, _, _ in os.walk(folder):
        with contextlib.suppress(OSError):
            Path(path).chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
