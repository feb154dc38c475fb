"""How a release lies on a file system: the names in its folder, and the modes of its files and folders."""

from __future__ import annotations

from typing import Final

TREE: Final = "tree"
"""The content, in a release's folder."""
MANIFEST: Final = "manifest.json"

READ_ONLY: Final = 0o444
READ_ONLY_EXECUTABLE: Final = 0o555
READ_ONLY_FOLDER: Final = 0o555
WHILE_WRITING: Final = 0o600
WHILE_FILLING: Final = 0o700
