"""Where a drill works."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.twin.drills import report


@contextmanager
def place() -> Iterator[Path]:
    """Give a folder that is removed afterwards; after an error it stays, for the logs of the twin in it."""
    folder = Path(tempfile.mkdtemp(prefix="drill-"))
    # Containers read copies of the image's code there, as another user.
    folder.chmod(0o755)
    try:
        yield folder
    except BaseException:
        report.say(f"its logs are in {folder}")
        raise
    shutil.rmtree(folder)
