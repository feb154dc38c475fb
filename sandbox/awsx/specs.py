"""Subnet specifications: as given, checked against each other and completed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sandbox.awsx.blocks import Block, LayoutError
from sandbox.behaviour.model import Properties

SIZES: Final = tuple(1 << (32 - mask) for mask in range(31))
"""Valid sizes of a subnet in addresses; the index is the mask."""
NOT_UNIQUE: Final = (
    'Multiple subnet specs of type "{type}" require unique names. You can have at most one unnamed subnet '
    "per type. "
    'All other subnets of the same type must have unique "name" properties to avoid duplicate resource names.'
)


@dataclass(frozen=True)
class Spec:
    """One kind of subnet that every availability zone gets."""

    type: str
    name: str | None = None
    mask: int | None = None
    size: int | None = None
    cidr_blocks: tuple[str, ...] | None = None
    tags: Any = None
    assign_ipv6: Any = None

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Spec:
        """Take over one argument of `subnetSpecs`."""
        blocks = given.get("cidrBlocks")
        return cls(
            type=given["type"],
            name=given.get("name"),
            mask=given.get("cidrMask"),
            size=given.get("size"),
            cidr_blocks=None if blocks is None else tuple(blocks),
            tags=given.get("tags"),
            assign_ipv6=given.get("assignIpv6AddressOnCreation"),
        )

    @property
    def label(self) -> str:
        """The spec's part of a subnet's name."""
        return self.name if self.name is not None else self.type.lower()

    def resolved(self) -> Properties:
        """Return the spec as the component's output `subnetLayout` shows it."""
        shown = {
            "name": self.name,
            "cidrBlocks": list(self.cidr_blocks) if self.cidr_blocks is not None else None,
            "cidrMask": self.mask,
            "size": self.size,
            "type": self.type,
        }
        return {key: value for key, value in shown.items() if value}


@dataclass(frozen=True)
class Subnet:
    """One subnet of the plan. `zone` counts from 0; `tag_name` is the AWS name, `name` the resource's."""

    name: str
    tag_name: str
    type: str
    zone: int
    zone_name: str
    block: Block
    tags: Any = None
    assign_ipv6: Any = None

    @property
    def cidr(self) -> str:
        """The subnet's CIDR block."""
        return str(self.block)


def normalize(given: Sequence[Mapping[str, Any]], zones: int) -> list[Spec]:
    """Check specs against each other and the number of zones, and fill in mask and size from one another.

    Raises:
        LayoutError: lists everything that does not fit.

    """
    specs = [Spec.read(item) for item in given]
    issues = _unique_issues(specs) + _size_issues(specs)
    if any(spec.cidr_blocks is not None for spec in specs):
        issues += [
            issue for index, spec in enumerate(specs) if (issue := _explicit_issue(index, spec, zones))
        ]
        completed = specs
    else:
        completed = [_with_size(spec, issues) for spec in specs]
    if issues:
        raise LayoutError("Invalid subnet specifications:\n- " + "\n- ".join(issues))
    return completed


def _unique_issues(specs: Sequence[Spec]) -> list[str]:
    """Find types whose specs would give two resources the same name."""
    issues = []
    for kind in dict.fromkeys(spec.type.lower() for spec in specs):
        names = [spec.name for spec in specs if spec.type.lower() == kind]
        if len(set(names)) < len(names):
            issues.append(NOT_UNIQUE.format(type=kind))
    return issues


def _size_issues(specs: Sequence[Spec]) -> list[str]:
    """Find sizes that no mask gives."""
    wrong = [str(spec.size) for spec in specs if spec.size is not None and spec.size not in SIZES]
    valid = ", ".join(map(str, SIZES))
    return (
        [f"The following subnet sizes are invalid: {', '.join(wrong)}. Valid sizes are: {valid}."]
        if wrong
        else []
    )


def _explicit_issue(index: int, spec: Spec, zones: int) -> str | None:
    """Find what is wrong with a spec of a layout with explicit blocks."""
    if spec.cidr_blocks is None:
        return "If any subnet spec has explicit cidrBlocks, all subnets must have explicit cidrBlocks."
    at = f"subnetSpecs[{index}]"
    if len(spec.cidr_blocks) != zones:
        return f"The number of CIDR blocks in {at} must match the number of availability zones ({zones})."
    blocks = [Block.parse(cidr) for cidr in spec.cidr_blocks]
    if spec.mask is not None and any(block.mask != spec.mask for block in blocks):
        return f"The cidrMask in {at} must match all cidrBlocks or be left undefined."
    if spec.size is not None and any(block.size != spec.size for block in blocks):
        return f"The size in {at} must match all cidrBlocks or be left undefined."
    return None


def _with_size(spec: Spec, issues: list[str]) -> Spec:
    """Fill in mask and size; note in `issues` when both are given and differ."""
    mask = spec.mask
    if mask is None and spec.size in SIZES:
        mask = SIZES.index(spec.size)
    size = SIZES[mask] if mask is not None and 0 < mask < len(SIZES) else None
    if spec.size is not None and size is not None and size != spec.size:
        issues.append(
            f"Subnet size {spec.size} does not match the expected size for a /{mask} subnet ({size})."
        )
    return Spec(spec.type, spec.name, mask, size, None, spec.tags, spec.assign_ipv6)
