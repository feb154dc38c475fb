"""What decides between update and replacement for networks and load balancers, one function a type."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from sandbox.behaviour.diff_comparison import Comparison
from sandbox.behaviour.model import Properties
from sandbox.behaviour.values import has_unknown

SOURCES: Final = ("cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId")
TARGETS: Final = ("targetGroupArn", "forward")
ACTIONS: Final = {
    "authenticate-cognito": ("authenticateCognito",),
    "authenticate-oidc": ("authenticateOidc",),
    "fixed-response": ("fixedResponse",),
    "forward": TARGETS,
    "jwt-validation": ("jwtValidation",),
    "redirect": ("redirect",),
}
"""The blocks that belong to each type of listener action; others are no change."""

NOT_ON_LAMBDA: Final = (
    "healthCheck.port",
    "healthCheck.protocol",
    "port",
    "protocol",
    "protocolVersion",
    "stickiness",
    "targetFailovers",
    "targetGroupHealth",
    "vpcId",
)


def _subnet(case: Comparison) -> None:
    if case.before("assignIpv6AddressOnCreation") is True:
        case.replace("ipv6CidrBlock")


def _vpc(case: Comparison) -> None:
    if (case.before("instanceTenancy"), case.after("instanceTenancy")) != ("dedicated", "default"):
        case.replace("instanceTenancy")


def _vpc_endpoint(case: Comparison) -> None:
    if case.after("vpcEndpointType") != "Interface":
        case.replace("privateDnsEnabled")


def _nat_gateway(case: Comparison) -> None:
    if case.after("connectivityType") == "private":
        case.replace("secondaryPrivateIpAddressCount")
    old, new = case.before("availabilityZoneAddresses") or [], case.after("availabilityZoneAddresses") or []
    if bool(old) != bool(new):
        case.replace("availabilityZoneAddresses")
    elif not has_unknown(new) and len(old) == len(new) and all(any(map(_same_zone(it), old)) for it in new):
        case.drop("availabilityZoneAddresses")


def _same_zone(new: Properties) -> Callable[[Properties], bool]:
    """Match the addresses of one zone, which its name or its id may name."""

    def matches(old: Properties) -> bool:
        zones = ("availabilityZone", "availabilityZoneId")
        return set(old.get("allocationIds", ())) == set(new.get("allocationIds", ())) and any(
            new.get(key) and old.get(key) == new[key] for key in zones
        )

    return matches


def _rule_source(case: Comparison) -> None:
    """Replace when the kind of source changes; another source of the same kind is an update."""
    old = [key for key in SOURCES if case.before(key)]
    new = [key for key in SOURCES if case.after(key)]
    if old != new:
        case.replace(*SOURCES)


def _load_balancer(case: Comparison) -> None:
    for block in ("accessLogs", "connectionLogs"):
        if case.after(f"{block}.enabled") is False and case.before(f"{block}.enabled") in (False, None):
            case.drop(f"{block}.bucket", f"{block}.prefix")
    mappings = _mappings(case)
    if case.after("loadBalancerType") != "network":
        case.drop("secondaryIpsAutoAssignedPerSubnet")
        if mappings is not None and not (mappings[0] < mappings[1] or mappings[1] < mappings[0]):
            case.replace("subnetMappings")
        return
    subnets_old, subnets_new = case.before("subnets") or [], case.after("subnets") or []
    if case.changed("subnets") and (has_unknown(subnets_new) or len(subnets_new) <= len(subnets_old)):
        case.replace("subnets")
    if mappings is not None and not mappings[0] < mappings[1]:
        case.replace("subnetMappings")
    if bool(case.before("securityGroups")) != bool(case.after("securityGroups")):
        case.replace("securityGroups")
    old_count, new_count = (
        case.before("secondaryIpsAutoAssignedPerSubnet"),
        case.after("secondaryIpsAutoAssignedPerSubnet"),
    )
    if isinstance(old_count, int) and isinstance(new_count, int) and new_count < old_count:
        case.replace("secondaryIpsAutoAssignedPerSubnet")


def _mappings(case: Comparison) -> tuple[set[str], set[str]] | None:
    """Give old and new subnet mappings when they changed; a mapping counts with all of its known parts."""
    if not case.changed("subnetMappings"):
        return None
    old, new = case.before("subnetMappings") or [], case.after("subnetMappings") or []
    if has_unknown(new):
        return set(), set()
    return {repr(sorted(item.items())) for item in old}, {repr(sorted(item.items())) for item in new}


def _target_group(case: Comparison) -> None:
    protocol = str(case.after("protocol") or "")
    if case.after("targetType") == "lambda":
        case.drop(*NOT_ON_LAMBDA)
    elif protocol and protocol not in ("HTTP", "HTTPS"):
        case.drop("protocolVersion")
    if protocol in ("TCP", "UDP", "TCP_UDP", "TLS", "GENEVE"):
        case.drop("stickiness.cookieDuration")


def _actions(key: str) -> Callable[[Comparison], None]:
    """Drop changes of blocks that do not belong to the type of their action."""

    def rule(case: Comparison) -> None:
        kept = []
        for change in case.changes:
            match = re.match(rf"{key}\[(\d+)]\.(\w+)", change.path)
            actions = case.new.get(key)
            action = (
                actions[int(match[1])]
                if match and isinstance(actions, list) and int(match[1]) < len(actions)
                else {}
            )
            kind = action.get("type") if isinstance(action, dict) else None
            others = {block for name, blocks in ACTIONS.items() if name != kind for block in blocks}
            if match is None or kind not in ACTIONS or match[2] not in others:
                kept.append(change)
        case.changes = kept

    return rule


RULES: Final[Mapping[str, Callable[[Comparison], None]]] = {
    "aws:ec2/natGateway:NatGateway": _nat_gateway,
    "aws:ec2/subnet:Subnet": _subnet,
    "aws:ec2/vpc:Vpc": _vpc,
    "aws:ec2/vpcEndpoint:VpcEndpoint": _vpc_endpoint,
    "aws:lb/listener:Listener": _actions("defaultActions"),
    "aws:lb/listenerRule:ListenerRule": _actions("actions"),
    "aws:lb/loadBalancer:LoadBalancer": _load_balancer,
    "aws:lb/targetGroup:TargetGroup": _target_group,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _rule_source,
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _rule_source,
}
