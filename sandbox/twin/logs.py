"""Where the output of containers lies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Logs:
    """The folder of all log files: <service>/<task id>/<container>.log."""

    root: Path

    def file(self, service: str, task_id: str, container: str) -> Path:
        """Return the file that a container's output is appended to; its folder exists then."""
        return self._folder(service, task_id) / f"{container}.log"

    def health_file(self, service: str, task_id: str, container: str) -> Path:
        """Return the file that the output of a container's health checks is appended to."""
        return self._folder(service, task_id) / f"{container}.health.log"

    def _folder(self, service: str, task_id: str) -> Path:
        folder = self.root / service / task_id
        folder.mkdir(parents=True, exist_ok=True)
        return folder
