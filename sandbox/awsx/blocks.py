"""IPv4 address blocks: the arithmetic that the subnet layout needs."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass


class LayoutError(ValueError):
    """Arguments of the VPC that the component refuses; the text is the one that the real provider gives."""


@dataclass(frozen=True)
class Block:
    """An IPv4 block: `address` as given (it may have host bits) and the mask length, 0 to 32."""

    address: int
    mask: int

    def __post_init__(self) -> None:
        """Refuse what is no IPv4 block."""
        if not 0 <= self.mask <= 32:
            raise LayoutError(f"Invalid mask for ip4: {self.mask}")
        if not 0 <= self.address < 2**32:
            raise LayoutError(
                f"Invalid net address: {self.address}, the layout leaves the IPv4 address space"
            )

    @classmethod
    def parse(cls, cidr: str) -> Block:
        """Read `a.b.c.d/mask`."""
        address, _, mask = cidr.partition("/")
        try:
            return cls(int(ipaddress.IPv4Address(address)), int(mask or "32"))
        except (ipaddress.AddressValueError, ValueError) as error:
            if isinstance(error, LayoutError):
                raise
            raise LayoutError(f"Invalid net address: {cidr}") from None

    def __str__(self) -> str:
        """Write `a.b.c.d/mask`."""
        return f"{ipaddress.IPv4Address(self.address)}/{self.mask}"

    @property
    def size(self) -> int:
        """Number of addresses."""
        return 1 << (32 - self.mask)

    @property
    def start(self) -> int:
        """First address."""
        return self.address - self.address % self.size

    @property
    def end(self) -> int:
        """Last address."""
        return self.start + self.size - 1

    @property
    def last_host(self) -> str:
        """Last address that a host can have."""
        return str(ipaddress.IPv4Address(self.end - 1 if self.mask <= 30 else self.end))

    def next(self, mask: int | None = None) -> Block:
        """Return the first aligned block of a size (own size when None) behind this one."""
        size = Block(0, self.mask if mask is None else mask).size
        return Block(-(-(self.end + 1) // size) * size, self.mask if mask is None else mask)

    def overlaps(self, other: Block) -> bool:
        """Say whether two blocks share an address."""
        return self.start <= other.end and other.start <= self.end


def new_bits(count: int) -> int:
    """Return how many bits of a mask it takes to tell `count` blocks apart."""
    return (count - 1).bit_length() if count > 0 else 0
