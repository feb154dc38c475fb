"""What differs between two releases, file by file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from images.airflow.platform_runtime.releases.manifest import Manifest


@dataclass(frozen=True, kw_only=True)
class FileChanges:
    """Paths, each list in its order."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    """Another content, another mode, or a link instead of a file."""
    removed: tuple[str, ...]

    def __str__(self) -> str:
        """Count them."""
        return f"{len(self.added)} added, {len(self.changed)} changed, {len(self.removed)} removed"

    def document(self) -> dict[str, Any]:
        """Return it for programs."""
        return {"added": list(self.added), "changed": list(self.changed), "removed": list(self.removed)}


def compare(before: Manifest, after: Manifest) -> FileChanges:
    """Return what has changed from one release to another."""
    old, new = before.by_path, after.by_path
    return FileChanges(
        added=tuple(path for path in new if path not in old),
        changed=tuple(path for path, entry in new.items() if path in old and old[path] != entry),
        removed=tuple(path for path in old if path not in new),
    )
