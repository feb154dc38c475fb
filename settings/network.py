"""The network of an environment: address range, zones, ways out, subnet sizes and the flow log."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv4Network
from typing import Annotated

from pydantic import AfterValidator, Field, PlainSerializer, PlainValidator, WithJsonSchema

from components.checks import LOG_RETENTION_DAYS
from settings.endpoints import InterfaceEndpoint
from settings.ranges import read_range
from settings.section import Section, allowed

WIDEST_VPC, NARROWEST_VPC = 16, 20
PRIVATE_RANGES = tuple(IPv4Network(cidr) for cidr in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
CIDR_ALLOWED = (
    f"a range of {PRIVATE_RANGES[0]}, {PRIVATE_RANGES[1]} or {PRIVATE_RANGES[2]}, "
    f"/{WIDEST_VPC} to /{NARROWEST_VPC}, without host bits, such as 10.20.0.0/16"
)


class NatMode(StrEnum):
    """The way out of the private subnets."""

    NONE = "none"
    """No way to the internet: AWS is reached through endpoints only, and DAGs cannot call anything else."""
    SINGLE = "single"
    """One NAT gateway in the first zone: the cheapest way out; a failure of that zone cuts off all zones."""
    PER_ZONE = "perZone"
    """One NAT gateway in each zone: no zone depends on another."""


def canonical_range(value: object) -> IPv4Network:
    """Parse a VPC range; raise ValueError unless it is private, canonical and between /16 and /20."""
    network = read_range(value)
    if not WIDEST_VPC <= network.prefixlen <= NARROWEST_VPC:
        raise ValueError("size out of bounds")
    if not any(network.subnet_of(private) for private in PRIVATE_RANGES):
        raise ValueError("not a private range")
    return network


def known_period(days: int) -> int:
    """Return `days`; raise ValueError unless CloudWatch Logs knows the period.

    Not a Literal: pydantic takes true for the literal 1, even when it is strict.
    """
    if days not in LOG_RETENTION_DAYS:
        raise ValueError("not a period of CloudWatch Logs")
    return days


VpcRange = Annotated[
    IPv4Network,
    PlainValidator(canonical_range),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9.]{7,15}/(1[6-9]|20)$", "x-allowed": CIDR_ALLOWED}),
]
Zone = Annotated[
    str,
    Field(
        pattern=r"^[a-z]{2}-[a-z]+-[1-9][a-z]$",
        json_schema_extra=allowed("an availability zone of the account's region, such as eu-west-1a"),
    ),
]
RetentionDays = Annotated[
    int, AfterValidator(known_period), Field(json_schema_extra={"enum": list(LOG_RETENTION_DAYS)})
]


class NetworkSettings(Section):
    """The VPC of one environment, with a public, a private and a data subnet in each zone.

    Nothing that shapes the addresses has a default: a default that moves would replace subnets.
    """

    cidr: VpcRange
    """Address range of the VPC. It cannot be changed without replacing everything in the VPC."""
    zones: Annotated[tuple[Zone, ...], Field(min_length=2, max_length=3)]
    """Availability zones by name, in a fixed order: the subnets of a zone take its position in this list."""
    nat: NatMode
    """The way out of the private subnets."""
    interface_endpoints: tuple[InterfaceEndpoint, ...] = ()
    """AWS services with an interface endpoint in the private subnets, each about 8 USD a month and zone."""
    public_mask: Annotated[int, Field(ge=18, le=27)]
    """Prefix length of a public subnet (load balancer, NAT); a load balancer needs /27 or wider."""
    private_mask: Annotated[int, Field(ge=18, le=27)]
    """Prefix length of a private subnet; each running task takes one address."""
    data_mask: Annotated[int, Field(ge=18, le=28)]
    """Prefix length of a data subnet (database, broker, file system); it has no route out."""
    flow_log_retention_days: RetentionDays
    """Days that CloudWatch keeps the flow log; only the periods that CloudWatch Logs knows."""
