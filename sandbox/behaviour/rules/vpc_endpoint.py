"""VPC endpoints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sandbox.behaviour.model import Failure
from sandbox.behaviour.rules import Case, rule

ENDPOINT: Final = "aws:ec2/vpcEndpoint:VpcEndpoint"
SERVICES: Final = ("serviceName", "serviceNetworkArn", "resourceConfigurationArn")
GATEWAY_SERVICES: Final = ("s3", "dynamodb")
_ELSEWHERE: Final = ("com.amazonaws.vpce.", "com.amazonaws.s3-global.")
_ONLY: Final = {
    "routeTableIds": ("Gateway",),
    "subnetIds": ("Interface", "GatewayLoadBalancer", "Resource", "ServiceNetwork"),
    "securityGroupIds": ("Interface", "Resource", "ServiceNetwork"),
    "privateDnsEnabled": ("Interface", "Resource", "ServiceNetwork"),
    "subnetConfigurations": ("Interface", "GatewayLoadBalancer", "Resource", "ServiceNetwork"),
    "policy": ("Gateway", "Interface"),
}


@rule(ENDPOINT)
def endpoint(case: Case) -> Iterator[Failure]:
    """Check what each kind of endpoint takes, and the service's name."""
    given = [key for key in SERVICES if case.has(key)]
    if len(given) != 1:
        got = " and ".join(given) or "none"
        yield Failure("serviceName", f"exactly one of {', '.join(SERVICES)} is required, got {got}")
    kind = case.inputs.get("vpcEndpointType", "Gateway")
    if not isinstance(kind, str):
        return
    for key, kinds in _ONLY.items():
        if case.inputs.get(key) not in (None, False, []) and kind not in kinds and key in case.given:
            yield Failure(key, f"is for endpoints of type {', '.join(kinds)} only, this one is {kind}")
    yield from _service(case, kind)


def _service(case: Case, kind: str) -> Iterator[Failure]:
    service = case.known("serviceName")
    if service is None or not service.startswith(("com.amazonaws.", "cn.com.amazonaws.")):
        return
    prefixes = (f"com.amazonaws.{case.region}.", f"cn.com.amazonaws.{case.region}.", *_ELSEWHERE)
    if case.known("serviceRegion", case.region) != case.region:
        return
    if not service.startswith(prefixes):
        yield Failure(
            "serviceName", f'expected a service of this region such as {prefixes[0]}s3, got "{service}"'
        )
    elif kind == "Gateway" and service.rpartition(".")[2] not in GATEWAY_SERVICES:
        yield Failure("vpcEndpointType", f"Gateway endpoints exist for {', '.join(GATEWAY_SERVICES)} only")
