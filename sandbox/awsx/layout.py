"""Arguments of `awsx:ec2:Vpc` turned into a checked plan: subnets, NAT gateways, endpoints, warnings."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sandbox.awsx import checks
from sandbox.awsx.allocation import Frame, auto, auto_merge, explicit, legacy, legacy_layout
from sandbox.awsx.arguments import PASSED_TO_VPC, check_arguments
from sandbox.awsx.blocks import Block, LayoutError
from sandbox.awsx.endpoints import Endpoint, dns_defaults, endpoint_warnings, plan_endpoints
from sandbox.awsx.specs import Spec, Subnet, normalize
from sandbox.behaviour.model import Properties

DEFAULT_CIDR: Final = "10.0.0.0/16"
DEFAULT_ZONES: Final = 3
ORDER: Final = {"public": 0, "private": 1}
"""Order of a zone's subnets in resources and outputs; all other types come last."""


@dataclass(frozen=True)
class Plan:
    """What the component makes.

    `subnets` has one entry a subnet to create, zone by zone, within a zone public, private, isolated;
    `nat_subnets` holds the public subnets that host a NAT gateway, in order; `nat_of_zone` maps a zone (from
    0)
    to the NAT gateway its private subnets use, an index of `nat_subnets`; it is empty without NAT.
    """

    name: str
    vpc: Properties
    tags: Any
    subnets: tuple[Subnet, ...]
    nat_subnets: tuple[Subnet, ...]
    nat_of_zone: Mapping[int, int]
    allocation_ids: tuple[Any, ...]
    endpoints: tuple[Endpoint, ...]
    subnet_layout: tuple[Properties, ...]
    warnings: tuple[str, ...]
    zone_count: int
    region: Any = None
    assign_ipv6: Any = False


def zones_wanted(args: Properties) -> list[str] | int:
    """Return the zone names given, or the number of the region's first zones to use.

    Raises:
        LayoutError: both are given.

    """
    names, number = args.get("availabilityZoneNames"), args.get("numberOfAvailabilityZones")
    if names is not None and number:
        raise LayoutError(
            "Only one of [availabilityZoneNames] and [numberOfAvailabilityZones] can be specified"
        )
    if names is not None:
        return [str(name) for name in names]
    return DEFAULT_ZONES if number is None else int(number)


def first_zones(available: Sequence[str], number: int) -> list[str]:
    """Return the first zones of a region.

    Raises:
        LayoutError: the region has fewer.

    """
    if len(available) < number:
        raise LayoutError(
            f"The configured region for this provider does not have at least {number} Availability Zones. "
            "Either specify "
            f"an explicit list of zones in availabilityZoneNames or choose a region with at least {number} "
            "AZs."
        )
    return list(available[:number])


def check_early(args: Properties) -> None:
    """Check what the provider checks before it looks at zones.

    Raises:
        LayoutError: with the provider's text; arguments that do not exist are named.

    """
    check_arguments(args)
    if args.get("ipv4IpamPoolId") is not None:
        if "cidrBlock" in args and "ipv4NetmaskLength" in args:
            raise LayoutError("Only one of 'cidrBlock', 'ipv4NetmaskLength' is allowed.")
        if "cidrBlock" not in args and "ipv4NetmaskLength" not in args:
            raise LayoutError(
                "If 'ipv4IpamPoolId' is specified, 'ipv4NetmaskLength' or 'cidrBlock' must also be specified."
            )
        if "cidrBlock" not in args:
            raise LayoutError(
                "ipv4IpamPoolId: the sandbox does not simulate blocks that IPAM chooses, give cidrBlock"
            )
    strategy = args.get("vpcEndpointStrategy", "Legacy")
    plan_endpoints(args.get("vpcEndpointSpecs", ()), strategy)
    dns_defaults(args, strategy)
    zones_wanted(args)


def plan(name: str, args: Properties, zones: Sequence[str]) -> Plan:
    """Check the arguments of a VPC and lay it out.

    Args:
        name: the component's name, the stem of all names.
        args: the arguments as on the wire (camelCase).
        zones: names of the availability zones to use.

    Raises:
        LayoutError: with the text of the real provider.

    """
    check_early(args)
    nat = args.get("natGateways", {})
    strategy = nat.get("strategy", "OnePerAz")
    allocation_ids = tuple(nat.get("elasticIpAllocationIds", ()))
    checks.check_allocation_ids(strategy, allocation_ids, len(zones))
    frame = Frame(
        vpc_name=name,
        vpc=Block.parse(args.get("cidrBlock", DEFAULT_CIDR)),
        zones=tuple(zones),
        zone_mask=args.get("availabilityZoneCidrMask"),
        tag_zone=args.get("subnetNameTagStrategy") == "AvailabilityZone",
    )
    if frame.tag_zone:
        checks.check_suffixes(zones)
    subnets, layout, warnings = _allocate(frame, args)
    checks.check_overlap(subnets)
    if args.get("subnetStrategy") == "Exact":
        checks.check_gaps(args.get("cidrBlock", DEFAULT_CIDR), subnets)
    checks.check_nat(strategy, subnets)

    made = sorted(
        (subnet for subnet in subnets if subnet.type != "Unused"),
        key=lambda subnet: (subnet.zone, ORDER.get(subnet.type.lower(), 2)),
    )
    nat_subnets = _nat_subnets(strategy, made)
    specs, endpoint_strategy = args.get("vpcEndpointSpecs", ()), args.get("vpcEndpointStrategy", "Legacy")
    passed = {key: value for key, value in args.items() if key in PASSED_TO_VPC}
    return Plan(
        name=name,
        vpc={"cidrBlock": DEFAULT_CIDR, **passed, **dns_defaults(args, endpoint_strategy)},
        tags=args.get("tags", {}),
        subnets=tuple(made),
        nat_subnets=nat_subnets,
        nat_of_zone={
            zone: 0 if strategy.lower() == "single" else zone for zone in range(len(zones)) if nat_subnets
        },
        allocation_ids=allocation_ids,
        endpoints=tuple(plan_endpoints(specs, endpoint_strategy)),
        subnet_layout=tuple(layout),
        warnings=(*warnings, *endpoint_warnings(specs, endpoint_strategy)),
        zone_count=len(zones),
        region=args.get("region"),
        assign_ipv6=args.get("assignGeneratedIpv6CidrBlock", False),
    )


def _allocate(frame: Frame, args: Properties) -> tuple[list[Subnet], list[Properties], list[str]]:
    """Give every subnet its block; also return the resolved layout and the warnings."""
    given, strategy = args.get("subnetSpecs"), args.get("subnetStrategy", "Legacy")
    if strategy == "AutoMerge" and any("cidrBlocks" in spec for spec in given or ()):
        raise LayoutError(
            'subnetStrategy="AutoMerge" does not support subnetSpecs with explicit cidrBlocks. '
            'Use subnetStrategy="Auto" or "Exact" to fully specify the subnet layout.'
        )
    specs = None if given is None else normalize(given, len(frame.zones))
    listed = specs is not None and any(spec.cidr_blocks is not None for spec in specs)
    if strategy == "Legacy" or (strategy == "Exact" and specs is None):
        subnets = legacy(frame, specs)
    elif strategy == "AutoMerge":
        subnets = auto_merge(frame, specs)
    else:
        subnets = explicit(frame, specs) if specs is not None and listed else auto(frame, specs)
    shown: Sequence[Spec] = (
        legacy_layout(subnets, frame) if specs is None or strategy in ("Legacy", "AutoMerge") else specs
    )
    layout = [spec.resolved() for spec in shown]
    warnings = []
    if "subnetStrategy" not in args and specs is not None and not listed:
        warnings.append(
            'The default subnetStrategy will change from "Legacy" to "Auto" in the next major version. '
            "Please specify "
            'the subnetStrategy explicitly. The current subnet layout can be specified via "Auto" as:\n\n'
            + json.dumps(layout, separators=(",", ":"))
        )
    return subnets, layout, warnings


def _nat_subnets(strategy: str, subnets: Sequence[Subnet]) -> tuple[Subnet, ...]:
    """Return the public subnets that host a NAT gateway: the first of each zone, or of the VPC."""
    if strategy.lower() == "none":
        return ()
    first: dict[int, Subnet] = {}
    for subnet in subnets:
        if subnet.type.lower() == "public":
            first.setdefault(subnet.zone, subnet)
    hosts = tuple(first.values())
    return hosts[:1] if strategy.lower() == "single" else hosts
