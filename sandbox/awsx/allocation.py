"""The strategies that give every subnet its CIDR block: Auto, AutoMerge, Exact and Legacy."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.awsx.blocks import Block, LayoutError, new_bits
from sandbox.awsx.specs import NOT_UNIQUE, Spec, Subnet

LEGACY_MASKS = {"private": 19, "public": 20, "isolated": 24}
"""Order of types within a zone, and the mask of a spec that gives none."""


@dataclass(frozen=True)
class Frame:
    """Where subnets go: the VPC's name and block, its zones, and how the Name tag ends."""

    vpc_name: str
    vpc: Block
    zones: tuple[str, ...]
    zone_mask: int | None = None
    tag_zone: bool = False

    def subnet(self, spec: Spec, zone: int, block: Block) -> Subnet:
        """Name one subnet."""
        stem = f"{self.vpc_name}-{spec.label}"
        suffix = zone_suffix(self.zones[zone]) if self.tag_zone else str(zone + 1)
        return Subnet(
            name=f"{stem}-{zone + 1}",
            tag_name=f"{stem}-{suffix}",
            type=spec.type,
            zone=zone,
            zone_name=self.zones[zone],
            block=block,
            tags=spec.tags,
            assign_ipv6=spec.assign_ipv6,
        )


def zone_suffix(zone: str) -> str:
    """Return what is left of a zone name without the letters of its region: `1a` of `eu-west-1a`."""
    return re.sub(r"^[a-z]{2}(?:-[a-z]+)+-", "", zone)


def explicit(frame: Frame, specs: Sequence[Spec]) -> list[Subnet]:
    """Take the blocks that the specs list, one a zone."""
    return [
        frame.subnet(spec, zone, Block.parse((spec.cidr_blocks or ())[zone]))
        for zone in range(len(frame.zones))
        for spec in specs
    ]


def auto(frame: Frame, specs: Sequence[Spec] | None) -> list[Subnet]:
    """Split the VPC evenly between the zones and lay the specs out in their given order."""
    zone_mask = _zone_mask(frame)
    specs = default_specs(zone_mask) if specs is None else specs
    if not specs:
        raise LayoutError("No subnets specified")
    masks = [spec.mask if spec.mask is not None else zone_mask + new_bits(len(specs)) for spec in specs]
    room, wanted = Block(0, zone_mask).size, sum(Block(0, mask).size for mask in masks)
    if wanted > room:
        raise LayoutError(
            f"Subnets are too large for VPC. VPC has {room} addresses, but subnets require {wanted} "
            "addresses."
        )
    subnets: list[Subnet] = []
    for zone in range(len(frame.zones)):
        # A zone mask wider than the VPC's moves the zones outside the VPC; the provider accepts that, AWS
        # does not.
        base = Block(frame.vpc.start, zone_mask).start + zone * room
        block: Block | None = None
        for spec, mask in zip(specs, masks, strict=True):
            block = Block(Block(base, mask).start, mask) if block is None else block.next(mask)
            subnets.append(frame.subnet(spec, zone, block))
    return subnets


def auto_merge(frame: Frame, specs: Sequence[Spec] | None) -> list[Subnet]:
    """Lay out the default specs, with the unnamed given specs merged into those of their type."""
    defaults = default_specs(_zone_mask(frame))
    own = {spec.type.lower(): spec for spec in defaults}
    merged, extra = {}, []
    for spec in specs or ():
        kind = spec.type.lower()
        if kind not in own or spec.name is not None:
            extra.append(spec)
        elif kind in merged:
            raise LayoutError(NOT_UNIQUE.format(type=kind))
        else:
            merged[kind] = spec
    base = [merged.get(kind, spec) for kind, spec in own.items()]
    return auto(frame, [*base, *extra])


def default_specs(zone_mask: int) -> list[Spec]:
    """Return what a VPC without specs gets in each zone: half of it private, a quarter public."""
    if zone_mask > 26:
        raise LayoutError(
            "Automatic subnet creation requires a VPC with at least /26 available per AZ, "
            f"but only /{zone_mask} is available."
            "If you do need very small subnets, please specify them explicitly."
        )
    mask = max(zone_mask, 16)
    return [Spec("Private", mask=mask + 1), Spec("Public", mask=mask + 2)]


def legacy(frame: Frame, specs: Sequence[Spec] | None) -> list[Subnet]:
    """Lay out private, public, isolated subnets, in that order whatever the order of the specs."""
    bases = [_split(frame.vpc, new_bits(len(frame.zones)), zone) for zone in range(len(frame.zones))]
    if specs is None:
        private = [_split(base, 1, 0) for base in bases]
        public = [_split(_split(block, 0, 1), 1, 0) for block in private]
        return [
            *(frame.subnet(Spec("Private"), zone, block) for zone, block in enumerate(private)),
            *(frame.subnet(Spec("Public"), zone, block) for zone, block in enumerate(public)),
        ]
    return [subnet for zone, base in enumerate(bases) for subnet in _legacy_zone(frame, specs, zone, base)]


def _legacy_zone(frame: Frame, specs: Sequence[Spec], zone: int, base: Block) -> list[Subnet]:
    """Lay out one zone the legacy way: the n-th block behind the previous type, or the next free one."""
    widest = base.mask + (0 if len(specs) == 1 else 1)
    subnets: list[Subnet] = []
    current = Block(base.start - 1, 32) if base.start else None
    for kind, default_mask in LEGACY_MASKS.items():
        start = _split(subnets[-1].block, 0, 1) if subnets else base
        for position, spec in enumerate(spec for spec in specs if spec.type.lower() == kind):
            mask = spec.mask if spec.mask is not None else max(widest, default_mask)
            block = _split(start, mask - start.mask, position)
            if current is not None and block.overlaps(current):
                block = current.next(mask)
            subnets.append(frame.subnet(spec, zone, block))
            current = block
    return subnets


def legacy_layout(subnets: Sequence[Subnet], frame: Frame) -> list[Spec]:
    """Return the specs that give the first zone's subnets with Auto, gaps as Unused.

    The provider takes the first n-th part of all subnets for the first zone, which is wrong when specs are
    omitted and there are several zones: Legacy then lists all private subnets first.
    """
    layout: list[Spec] = []
    previous: Block | None = None
    for subnet in subnets[: len(subnets) // max(len(frame.zones), 1)]:
        if previous is not None:
            layout += [Spec("Unused", mask=gap.mask) for gap in gaps(previous, subnet.block)]
        layout.append(Spec(subnet.type, mask=subnet.block.mask))
        previous = subnet.block
    return layout


def gaps(one: Block, other: Block) -> list[Block]:
    """Return the widest aligned blocks that fill the space between two blocks."""
    start, end = sorted((one, other), key=lambda block: block.start)
    found: list[Block] = []
    previous, block = start, start.next()
    while block.start < end.start:
        while block.mask > 0:
            wider = Block(block.start, block.mask - 1)
            if wider.start <= previous.end or wider.end >= end.start:
                break
            block = wider
        found.append(block)
        previous, block = block, block.next()
    return found


def _zone_mask(frame: Frame) -> int:
    """Return the mask of one zone's share."""
    if frame.zone_mask is not None:
        return frame.zone_mask
    return frame.vpc.mask + new_bits(len(frame.zones))


def _split(block: Block, bits: int, number: int) -> Block:
    """Return the `number`-th block that is `bits` smaller, counted from a block's address (not aligned)."""
    if block.mask + bits > 32:
        raise LayoutError(f"Requested {bits} new bits, but only {32 - block.mask} are available.")
    mask = block.mask + bits
    return Block(block.address + number * Block(0, mask).size, mask)
