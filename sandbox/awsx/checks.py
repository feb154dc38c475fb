"""Checks of a VPC's plan, with the texts of the real provider."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sandbox.awsx.allocation import zone_suffix
from sandbox.awsx.blocks import Block, LayoutError
from sandbox.awsx.specs import Subnet


def check_allocation_ids(strategy: str, ids: Sequence[Any], zones: int) -> None:
    """Check the strategy's name and that it fits the number of Elastic IP addresses given."""
    match strategy.lower():
        case "none":
            if ids:
                raise LayoutError(
                    "Elastic IP allocation IDs cannot be specified when NAT Gateway strategy is "
                    f"'{strategy}'."
                )
        case "single":
            if len(ids) > 1:
                raise LayoutError(
                    f"Exactly one Elastic IP may be specified when NAT Gateway strategy is '{strategy}'."
                )
        case "oneperaz":
            if ids and len(ids) != zones:
                raise LayoutError(
                    "The number of Elastic IPs, if specified, must match the number of availability zones "
                    "for the VPC "
                    f"({zones}) when NAT Gateway strategy is '{strategy}'"
                )
        case _:
            raise LayoutError(f"Unknown NatGatewayStrategy '{strategy}'")


def check_suffixes(zones: Sequence[str]) -> None:
    """Refuse zones whose suffixes would give two subnets the same Name tag."""
    seen: dict[str, str] = {}
    for zone in zones:
        suffix = zone_suffix(zone)
        if suffix in seen:
            raise LayoutError(
                'subnetNameTagStrategy="AvailabilityZone" requires availability zones with distinct '
                "suffixes, "
                f'but "{seen[suffix]}" and "{zone}" both reduce to "{suffix}".'
            )
        seen[suffix] = zone


def check_overlap(subnets: Sequence[Subnet]) -> None:
    """Refuse subnets that share addresses."""
    overlapping = [
        subnet
        for subnet in subnets
        if any(other is not subnet and subnet.block.overlaps(other.block) for other in subnets)
    ]
    if overlapping:
        lines = (
            f"{number}. {subnet.tag_name}: {subnet.cidr}" for number, subnet in enumerate(overlapping, 1)
        )
        raise LayoutError(
            "The following subnets overlap with at least one other subnet. Make the CIDR for the VPC larger, "
            "reduce the "
            "size of the subnets per AZ, or use less Availability Zones:\n\n" + "\n".join(lines)
        )


def check_gaps(cidr: str, subnets: Sequence[Subnet]) -> None:
    """Refuse subnets that do not fill the VPC from start to end in their order (strategy Exact)."""
    vpc = Block.parse(cidr)
    found = []
    for previous, subnet in zip([None, *subnets], subnets, strict=False):
        if previous is None:
            if subnet.block.start != vpc.start:
                found.append(
                    f"{subnet.tag_name} ({subnet.cidr}) does not start at the beginning of the VPC ({cidr})"
                )
        elif subnet.block.start != previous.block.end + 1:
            found.append(f"{previous.tag_name} ({previous.cidr}) <=> {subnet.tag_name} ({subnet.cidr})")
    if subnets and subnets[-1].block.last_host != vpc.last_host:
        last = subnets[-1]
        found.append(
            f"{last.tag_name} (ending {last.block.last_host}) ends before VPC ends (at {vpc.last_host}}})"
        )
    if found:
        raise LayoutError(
            f"There are gaps in the subnet ranges. Please fix the following gaps: {', '.join(found)}"
        )


def check_nat(strategy: str, subnets: Sequence[Subnet]) -> None:
    """Refuse NAT gateways without a public subnet to host them and another one to use them."""
    types = {subnet.type.lower() for subnet in subnets}
    if strategy.lower() != "none" and not ("public" in types and types & {"private", "isolated"}):
        raise LayoutError(
            "If NAT Gateway strategy is 'OnePerAz' or 'Single', public subnets must be declared to host the "
            "NAT Gateway "
            "resource, along with private or isolated subnets to route through it."
        )
