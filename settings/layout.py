"""Where the subnets of a zone end up when the VPC component lays them out: arithmetic on prefix lengths."""

from __future__ import annotations

from collections.abc import Sequence

ADDRESS_BITS = 32


def zone_mask(vpc_mask: int) -> int:
    """Return the prefix length of one zone's share: a quarter of the VPC.

    Three zones need quarters; with two zones as well, so that a third one added later moves no subnet.
    """
    return vpc_mask + 2


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
