"""VPC endpoints of the component: what strategy Legacy passes on and what Auto fills in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.awsx.blocks import LayoutError
from sandbox.behaviour.model import Properties
from sandbox.behaviour.values import UNKNOWN

DNS_ATTRIBUTES = ("enableDnsHostnames", "enableDnsSupport")


@dataclass(frozen=True)
class Endpoint:
    """One endpoint of the plan.

    `given` holds the spec's fields; the flags say what the component adds: subnets and a security group of
    its
    own for an interface, all route tables for a gateway.
    """

    index: int
    service: str
    given: Mapping[str, Any]
    add_subnets: bool = False
    add_security_group: bool = False
    add_route_tables: bool = False

    @property
    def wants_ipv6(self) -> bool:
        """Whether the endpoint's own security group must let IPv6 in."""
        kind = self.given.get("ipAddressType")
        return isinstance(kind, str) and kind.lower() in ("ipv6", "dualstack")


def plan_endpoints(specs: Sequence[Mapping[str, Any]], strategy: str) -> list[Endpoint]:
    """Decide what the component adds to each endpoint.

    Raises:
        LayoutError: strategy Auto with an endpoint type that is not known yet.

    """
    endpoints = []
    for index, spec in enumerate(specs):
        kind = _kind(spec)
        if strategy == "Auto" and kind is None:
            raise LayoutError(
                f'vpcEndpointStrategy "Auto" requires vpcEndpointType for endpoint "{spec["serviceName"]}" '
                "to be omitted "
                'or a plain string. Use vpcEndpointStrategy "Legacy" for dynamic endpoint types.'
            )
        interface = strategy == "Auto" and kind == "interface"
        given = {"privateDnsEnabled": True, **spec} if interface else dict(spec)
        endpoints.append(
            Endpoint(
                index=index,
                service=spec["serviceName"],
                given=given,
                add_subnets=interface and not {"subnetIds", "subnetConfigurations"} & spec.keys(),
                add_security_group=interface and "securityGroupIds" not in spec,
                add_route_tables=strategy == "Auto" and kind == "gateway" and "routeTableIds" not in spec,
            )
        )
    return endpoints


def dns_defaults(args: Mapping[str, Any], strategy: str) -> Properties:
    """Return the DNS attributes that Auto interface endpoints with private DNS add to the VPC.

    Raises:
        LayoutError: such an endpoint, and the attribute is turned off.

    """
    private_dns = any(
        _kind(spec) == "interface" and spec.get("privateDnsEnabled", True) is True
        for spec in args.get("vpcEndpointSpecs", ())
    )
    if strategy != "Auto" or not private_dns:
        return {}
    for name in DNS_ATTRIBUTES:
        if args.get(name) is False:
            raise LayoutError(
                f'vpcEndpointStrategy "Auto" requires {name} to be true when Interface endpoint private DNS '
                "is enabled."
            )
    return {name: True for name in DNS_ATTRIBUTES if name not in args}


def endpoint_warnings(specs: Sequence[Mapping[str, Any]], strategy: str) -> list[str]:
    """Return what the provider logs about endpoints that strategy Legacy leaves without a connection."""
    if strategy != "Legacy":
        return []
    found = []
    for spec in specs:
        kind, service = _kind(spec), spec["serviceName"]
        if kind == "interface" and not {"subnetIds", "subnetConfigurations"} & spec.keys():
            found.append(
                f'VPC endpoint "{service}" is an Interface endpoint without subnetIds or '
                "subnetConfigurations. "
                'Specify vpcEndpointStrategy: "Auto" to use generated VPC subnets.'
            )
        if kind == "gateway" and "routeTableIds" not in spec:
            found.append(
                f'VPC endpoint "{service}" is a Gateway endpoint without routeTableIds. '
                'Specify vpcEndpointStrategy: "Auto" to use generated VPC route tables.'
            )
    return found


def _kind(spec: Mapping[str, Any]) -> str | None:
    """Return the endpoint's type in lower case; None when it is not known yet."""
    kind = spec.get("vpcEndpointType", "gateway")
    return None if kind is UNKNOWN else str(kind).lower()
