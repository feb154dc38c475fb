"""Short cuts of the layout tests."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.awsx.blocks import LayoutError
from sandbox.awsx.layout import Plan, plan

ZONES = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
PRIVATE, PUBLIC, ISOLATED = ({"type": kind} for kind in ("Private", "Public", "Isolated"))
BLOCKS = [
    {**PUBLIC, "cidrBlocks": ["10.0.64.0/18", "10.0.192.0/18"]},
    {**PRIVATE, "cidrBlocks": ["10.0.0.0/18", "10.0.128.0/18"]},
]


def cidrs(layout: Plan) -> dict[str, str]:
    return {subnet.name: subnet.cidr for subnet in layout.subnets}


def make(zones: int = 2, **args: Any) -> Plan:
    return plan(
        "main", {"cidrBlock": "10.0.0.0/16", "natGateways": {"strategy": "None"}, **args}, ZONES[:zones]
    )


def refused(zones: int = 2, **args: Any) -> str:
    with pytest.raises(LayoutError) as raised:
        make(zones, **args)
    return str(raised.value)
