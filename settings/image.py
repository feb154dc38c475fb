"""The Airflow image that every container runs."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from settings.section import Section, allowed

ImageDigest = Annotated[
    str,
    Field(
        pattern=r"^sha256:[0-9a-f]{64}$",
        json_schema_extra=allowed("sha256: and 64 lower-case hexadecimal digits"),
    ),
]
AirflowVersion = Annotated[
    str,
    Field(
        pattern=r"^3\.(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})$",
        json_schema_extra=allowed('a release of Airflow 3 in quotes, such as "3.3.2"'),
    ),
]


class Architecture(StrEnum):
    """The processors that the image is built for."""

    ARM64 = "arm64"
    """Graviton: a fifth cheaper than x86_64 at the same size."""
    X86_64 = "x86_64"
    """For DAGs with packages that exist for Intel and AMD processors only."""


class ImageSettings(Section):
    """The image, from the registry of the account's shared services, and what it contains."""

    digest: ImageDigest
    """Digest of the image in the registry. Never a tag: a digest cannot come to mean another image."""
    airflow_version: AirflowVersion
    """Airflow release in the image. The platform gate compares it with the metastore's schema."""
    architecture: Architecture = Architecture.ARM64
    """Processor that the image was built for; on another one no container starts."""
