"""The DAG bundle where the image has the DAGs: one release in each container, and no other can be had.

So runs do not stay on the release that they began with: each task of a run uses what the worker's image has when the
task starts. Airflow is told that there are no versions, and notes none in its runs. Whoever needs runs that end on
their own release takes the delivery by releases.
"""

from __future__ import annotations

import logging
from typing import Any

from .bundle import ReleaseBundle

log = logging.getLogger(__name__)


class ImageBundle(ReleaseBundle):
    """The release of the image, which the agent has copied and verified."""

    supports_versioning = False

    def __init__(self, *, version: str | None = None, **given: Any) -> None:
        """Look at nothing yet.

        Args:
            version: What a run has noted that began while DAGs were delivered by releases; it is not used.
            given: What any release bundle takes.

        """
        super().__init__(**given, version=None)
        self._noted = version

    def initialize(self) -> None:
        """Make sure that the copy is here, and that it stays as long as this process runs."""
        if self._noted:
            log.warning(
                "the run began on release %s; this container has the release of its image", self._noted[:12]
            )
        super().initialize()
