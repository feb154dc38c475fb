"""The web entry of an environment: who may reach Airflow's pages and API, and under which name."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from settings.ranges import Range
from settings.section import Section, allowed

MAX_RANGES = 50  # a security group takes 60 rules unless AWS raises the quota
HostLabel = Annotated[
    str,
    Field(
        # With the longest zone and environment the whole name has 64 characters, all that a certificate takes.
        pattern=r"^[a-z]([a-z0-9-]{0,13}[a-z0-9])?$",
        json_schema_extra=allowed("1 to 15 lower-case letters, digits and inner hyphens, a letter first"),
    ),
]


class WebAccess(StrEnum):
    """Where the load balancer of the web entry stands."""

    INTERNAL = "internal"
    """In the private subnets: reached from the VPC and from networks connected with it."""
    INTERNET = "internet"
    """In the public subnets: reached from the listed ranges of the internet, never from everywhere."""


class WebSettings(Section):
    """The load balancer in front of the api-server and Flower; its name is `<hostLabel>.<environment>.<zone>`."""

    access: WebAccess
    """Where the load balancer stands."""
    allowed_cidrs: Annotated[tuple[Range, ...], Field(min_length=1, max_length=MAX_RANGES)]
    """Ranges that may open a connection; private ones for internal access, known public ones otherwise."""
    host_label: HostLabel = "airflow"
    """First label of the host name. A change gives users another address and a new certificate."""
    deletion_protection: bool
    """Let AWS refuse to delete the load balancer until this is changed to false and applied."""
