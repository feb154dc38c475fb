"""How DAGs come to the containers, and where they are kept."""

from __future__ import annotations

from enum import StrEnum

from settings.section import Section


class DagDelivery(StrEnum):
    """The way of the DAGs into the containers."""

    RELEASE = "release"
    """As whole releases on a shared file system: published, verified, then switched to at once."""


class DagSettings(Section):
    """The storage of DAG releases: a file system, and the ledger of what was released when."""

    delivery: DagDelivery
    """The way of the DAGs into the containers."""
    protect: bool
    """Refuse to delete file system and ledger until this is changed to false and applied."""
