"""IPv4 ranges as they stand in a stack file."""

from __future__ import annotations

import re
from ipaddress import IPv4Network
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

RANGE_ALLOWED = "an IPv4 range without host bits, such as 198.51.100.0/24"


def read_range(value: object) -> IPv4Network:
    """Parse an IPv4 range; raise ValueError unless it is a text with a prefix length and no host bits."""
    if isinstance(value, IPv4Network):
        return value
    if isinstance(value, str) and re.fullmatch(r"[0-9.]{7,15}/[0-9]{1,2}", value):
        return IPv4Network(value)
    raise ValueError("not a CIDR range")


Range = Annotated[
    IPv4Network,
    PlainValidator(read_range),
    PlainSerializer(str, return_type=str),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^[0-9.]{7,15}/([0-9]|[12][0-9]|3[0-2])$",
            "x-allowed": RANGE_ALLOWED,
        }
    ),
]
