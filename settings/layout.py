"""Where the subnets of a zone end up when the VPC component lays them out: arithmetic on prefix lengths."""

from __future__ import annotations

from collections.abc import Sequence

ADDRESS_BITS = 32


def zone_mask(vpc_mask: int, zones: int) -> int:
    """Return the prefix length of one zone's share: the VPC is halved until there is a part for each zone."""
    return vpc_mask + (zones - 1).bit_length()


def addresses(mask: int) -> int:
    """Return how many addresses a range of this prefix length has."""
    return 1 << (ADDRESS_BITS - mask)


def addresses_needed(masks: Sequence[int]) -> int:
    """Return how many addresses subnets take up in the given order, each aligned to its own size."""
    end = 0
    for mask in masks:
        size = addresses(mask)
        end = -(-end // size) * size + size
    return end
