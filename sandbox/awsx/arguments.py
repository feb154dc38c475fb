"""The arguments of `awsx:ec2:Vpc` (version 3.11.0): which exist and of which type they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sandbox.awsx.blocks import LayoutError
from sandbox.behaviour.values import UNKNOWN

Kind = type | tuple[str, ...]
"""A Python type, or the allowed strings."""

SUBNET_TYPES: Final = ("Public", "Private", "Isolated", "Unused")
PASSED_TO_VPC: Final[Mapping[str, Kind]] = {
    "assignGeneratedIpv6CidrBlock": bool,
    "cidrBlock": str,
    "enableDnsHostnames": bool,
    "enableDnsSupport": bool,
    "enableNetworkAddressUsageMetrics": bool,
    "instanceTenancy": str,
    "ipv4IpamPoolId": str,
    "ipv4NetmaskLength": int,
    "ipv6CidrBlock": str,
    "ipv6CidrBlockNetworkBorderGroup": str,
    "ipv6IpamPoolId": str,
    "ipv6NetmaskLength": int,
    "region": str,
}
"""Arguments that the inner `aws:ec2/vpc:Vpc` gets as they are."""
LAYOUT: Final[Mapping[str, Kind]] = {
    "availabilityZoneCidrMask": int,
    "availabilityZoneNames": list,
    "natGateways": dict,
    "numberOfAvailabilityZones": int,
    "subnetNameTagStrategy": ("Legacy", "AvailabilityZone"),
    "subnetSpecs": list,
    "subnetStrategy": ("Legacy", "Auto", "AutoMerge", "Exact"),
    "tags": dict,
    "vpcEndpointSpecs": list,
    "vpcEndpointStrategy": ("Legacy", "Auto"),
}
NAT_GATEWAYS: Final[Mapping[str, Kind]] = {"strategy": str, "elasticIpAllocationIds": list}
SUBNET_SPEC: Final[Mapping[str, Kind]] = {
    "type": SUBNET_TYPES,
    "assignIpv6AddressOnCreation": bool,
    "cidrBlocks": list,
    "cidrMask": int,
    "name": str,
    "size": int,
    "tags": dict,
}
ENDPOINT_SPEC: Final[Mapping[str, Kind]] = {
    "serviceName": str,
    "autoAccept": bool,
    "dnsOptions": dict,
    "ipAddressType": str,
    "policy": str,
    "privateDnsEnabled": bool,
    "region": str,
    "resourceConfigurationArn": str,
    "routeTableIds": list,
    "securityGroupIds": list,
    "serviceNetworkArn": str,
    "serviceRegion": str,
    "subnetConfigurations": list,
    "subnetIds": list,
    "tags": dict,
    "vpcEndpointType": str,
}
MAY_BE_UNKNOWN: Final = (
    frozenset(PASSED_TO_VPC) - {"cidrBlock"} | frozenset(ENDPOINT_SPEC) - {"serviceName"} | {"tags"}
)
"""Arguments that take the output of another resource; the layout needs all others at preview already."""
WORDS: Final = {bool: "a boolean", int: "an integer", str: "a string", list: "a list", dict: "a map"}


def check_arguments(args: Mapping[str, Any]) -> None:
    """Refuse unknown arguments, wrong types and strategies that do not exist.

    Raises:
        LayoutError: one line per mistake, each with the argument's path and what is allowed.

    """
    mistakes = _mistakes(args, {**PASSED_TO_VPC, **LAYOUT}, "")
    if isinstance(nat := args.get("natGateways"), Mapping):
        mistakes += _mistakes(nat, NAT_GATEWAYS, "natGateways.", required="strategy")
    for name, kinds, required in (
        ("subnetSpecs", SUBNET_SPEC, "type"),
        ("vpcEndpointSpecs", ENDPOINT_SPEC, "serviceName"),
    ):
        specs = args.get(name)
        for index, spec in enumerate(specs if isinstance(specs, list) else ()):
            path = f"{name}[{index}]"
            if isinstance(spec, Mapping):
                mistakes += _mistakes(spec, kinds, f"{path}.", required=required)
            else:
                mistakes.append(f"{path}: got {spec!r}, expected a map")
    if mistakes:
        raise LayoutError("\n".join(mistakes))


def _mistakes(
    given: Mapping[str, Any], kinds: Mapping[str, Kind], path: str, required: str = ""
) -> list[str]:
    """List what is wrong with one map of arguments."""
    found = []
    if required and given.get(required) is None:
        found.append(f"{path}{required}: missing, it is required")
    for name, value in given.items():
        if name not in kinds:
            found.append(f"{path}{name}: no such argument, allowed: {', '.join(sorted(kinds))}")
        elif value is UNKNOWN:
            if name not in MAY_BE_UNKNOWN:
                found.append(f"{path}{name}: must be known at preview, got the output of another resource")
        elif wrong := _wrong_type(value, kinds[name]):
            found.append(f"{path}{name}: {wrong}")
    return found


def _wrong_type(value: Any, kind: Kind) -> str:
    """Say what is wrong with the type of a value; empty when nothing is."""
    if isinstance(kind, tuple):
        return "" if value in kind else f"got {value!r}, allowed: {', '.join(kind)}"
    fits = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    return "" if fits else f"got {value!r}, expected {WORDS[kind]}"
