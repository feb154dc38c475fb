"""How DAGs come to the containers, and where they are kept."""

from __future__ import annotations

from enum import StrEnum

from settings.image import ImageDigest
from settings.section import Section


class DagDelivery(StrEnum):
    """The way of the DAGs into the containers."""

    RELEASE = "release"
    """As whole releases on a shared file system: published, verified, then switched to at once."""
    IMAGE = "image"
    """Baked into an image, one for each release: a release starts every container that reads DAGs anew."""


class DagSettings(Section):
    """The storage of DAG releases: a file system, and the ledger of what was released when."""

    delivery: DagDelivery
    """The way of the DAGs into the containers."""
    image_digest: ImageDigest | None = None
    """Digest of the image with the DAGs, in the same registry, for delivery image; `operations release` sets it."""
    protect: bool
    """Refuse to delete file system and ledger until this is changed to false and applied."""
