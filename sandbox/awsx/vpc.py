"""Constructs `awsx:ec2:Vpc` the way the real component provider does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sandbox.awsx.blocks import LayoutError
from sandbox.awsx.children import (
    ASSOCIATION,
    EIP,
    ENDPOINT,
    GATEWAY,
    NAT,
    ROUTE,
    SUBNET,
    TABLE,
    VPC,
    Child,
    Key,
    children,
)
from sandbox.awsx.layout import Plan, check_early, first_zones, plan, zones_wanted
from sandbox.awsx.registration import ConstructOptions, Registered, Registrar, register_children
from sandbox.behaviour.model import Properties
from sandbox.behaviour.values import UNKNOWN, ResourceReference

__all__ = [
    "TOKEN",
    "ConstructOptions",
    "Constructed",
    "LayoutError",
    "Registered",
    "Registrar",
    "ResourceReference",
    "construct",
]

TOKEN: Final = "awsx:ec2:Vpc"
LISTS: Final = {
    "eips": EIP,
    "natGateways": NAT,
    "routeTableAssociations": ASSOCIATION,
    "routeTables": TABLE,
    "routes": ROUTE,
    "subnets": SUBNET,
    "vpcEndpoints": ENDPOINT,
}
"""Outputs that list all children of a type."""


@dataclass(frozen=True)
class Constructed:
    """A constructed component: its URN, its outputs and, by output, the URNs that the output depends on."""

    urn: str
    outputs: Properties
    dependencies: Mapping[str, list[str]]


def construct(
    name: str,
    args: Properties,
    options: ConstructOptions,
    registrar: Registrar,
    availability_zones: Callable[[str], Sequence[str]],
    preview: bool,
) -> Constructed:
    """Check the arguments, register the component and its children, and return the outputs.

    Args:
        name: logical name of the component.
        args: arguments as on the wire.
        options: what comes with the component besides arguments.
        registrar: the engine.
        availability_zones: names of a region's zones; asked only when the arguments name none.
        preview: whether ids are not known.

    Raises:
        LayoutError: wrong arguments, with the real provider's text; no child is registered then. The
            component is
            only registered before when the zones had to be looked up.
        Exception: what the registrar raised for the first child that failed.

    """
    check_early(args)
    wanted = zones_wanted(args)
    if isinstance(wanted, int):
        urn = _register_component(name, options, registrar)
        region = args.get("region", options.region)
        if region is UNKNOWN:
            raise LayoutError(
                "Vpc.region must be a plain string when availabilityZoneNames is not set. "
                "If region is dynamic, specify availabilityZoneNames explicitly."
            )
        layout = plan(name, args, first_zones(availability_zones(region), wanted))
    else:
        layout = plan(name, args, wanted)
        urn = _register_component(name, options, registrar)
    for warning in layout.warnings:
        registrar.log_warning(warning, urn)
    todo = children(layout, options.input_dependencies)
    made = register_children(todo, urn, options, registrar, preview)
    registrar.register_outputs(urn, {})
    return Constructed(urn, *_outputs(layout, todo, made))


def _register_component(name: str, options: ConstructOptions, registrar: Registrar) -> str:
    """Register the component itself: no inputs, as the state of a real one shows."""
    return registrar.register(
        TOKEN,
        name,
        options.parent_urn,
        {},
        {},
        False,
        component=True,
        depends_on=options.depends_on,
        protect=options.protect,
        aliases=options.aliases,
        providers=options.providers,
    ).urn


def _outputs(
    layout: Plan, todo: Sequence[Child], made: Mapping[Key, Registered]
) -> tuple[Properties, dict[str, list[str]]]:
    """Return the component's outputs and what each depends on."""
    vpc, gateway = made[VPC, layout.name], made[GATEWAY, layout.name]
    groups: dict[str, list[Registered]] = {"private": [], "public": [], "isolated": []}
    for subnet in layout.subnets:
        kind = subnet.type.lower()
        groups[kind if kind in groups else "isolated"].append(made[SUBNET, subnet.name])
    lists = {
        output: [made[child.key] for child in todo if child.key[0] == kind] for output, kind in LISTS.items()
    }
    lists |= {f"{kind}Subnets": members for kind, members in groups.items()}
    outputs: Properties = {
        **{output: [_reference(member) for member in members] for output, members in lists.items()},
        **{f"{kind}SubnetIds": _ids(members) for kind, members in groups.items()},
        "internetGateway": _reference(gateway),
        "subnetLayout": list(layout.subnet_layout),
        "vpc": _reference(vpc),
        "vpcId": vpc.id,
    }
    base = [*(member.urn for members in groups.values() for member in members), vpc.urn]
    members = {**lists, "internetGateway": [gateway]}
    dependencies = {
        output: list(dict.fromkeys([*base, *(member.urn for member in members.get(output, ()))]))
        for output in sorted(outputs)
    }
    return {output: outputs[output] for output in dependencies}, dependencies


def _ids(members: Sequence[Registered]) -> Any:
    """Return the ids of subnets; one unknown makes the whole list unknown, as a list of outputs does."""
    ids = [member.id for member in members]
    return UNKNOWN if UNKNOWN in ids else ids


def _reference(registered: Registered) -> ResourceReference:
    """Return the reference to a resource."""
    return ResourceReference(registered.urn, registered.id)
