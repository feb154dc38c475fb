"""What a health check remembers until the next one, in the container's own scratch."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

FILE: Final = "platform-health.json"


def read(folder: str) -> dict[str, Any]:
    """Return what the last check wrote; nothing when there is no readable note."""
    try:
        notes = json.loads(_path(folder).read_text())
    except (OSError, ValueError):
        return {}
    return notes if isinstance(notes, dict) else {}


def write(folder: str, notes: dict[str, Any]) -> None:
    """Replace the note; a check that ECS kills in between leaves the old one.

    A full scratch is no reason to replace a worker and lose its tasks: then there is no note, or the old one.
    """
    path = _path(folder)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    with suppress(OSError):
        try:
            fresh.write_text(json.dumps(notes))
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)


def _path(folder: str) -> Path:
    return Path(folder) / FILE
