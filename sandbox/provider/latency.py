"""How long AWS takes: one measured or documented duration per resource type and operation, drawn reproducibly.

Durations come from `sandbox/data/aws_delays.csv` (collected from provider logs and AWS documentation, 2018-2026; each
row names its source, and says so where it is derived from other rows). A type without a row takes `UNLISTED_SECONDS`.
"""

from __future__ import annotations

import csv
import math
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

Operation = Literal["create", "update", "delete"]

DELAYS: Final = Path(__file__).parent.parent / "data" / "aws_delays.csv"
UNLISTED_SECONDS: Final = (0.2, 1.0)
"""The logs have a resolution of 1 s; what they show as 0 s, and what they do not show, takes 0.2-1.0 s."""
P95_SIGMAS: Final = 1.6449
"""Standard deviations between the median and the 95th percentile of a normal distribution."""


@dataclass(frozen=True)
class Delay:
    """One row of the table, in seconds; None where the source gives no figure."""

    p50: float | None
    p95: float | None
    low: float | None
    high: float | None

    def draw(self, chance: random.Random) -> float:
        """Draw one duration in seconds: log-normal through p50 and p95, uniform over a range, else +-20 %."""
        if self.p50 is not None and self.p50 <= 0:
            return chance.uniform(*UNLISTED_SECONDS)
        if self.p50 and self.p95:
            sigma = math.log(max(self.p95 / self.p50, 1.0)) / P95_SIGMAS
            seconds = self.p50 * math.exp(chance.gauss(0.0, sigma))
            return min(max(seconds, self.low or 0.0), self.high or math.inf)
        if self.p50:
            return self.p50 * chance.uniform(0.8, 1.2)
        if self.low is not None and self.high is not None:
            return chance.uniform(self.low, self.high)
        return chance.uniform(*UNLISTED_SECONDS)


def _database(inputs: Mapping[str, Any]) -> str:
    if inputs.get("multiAz") is True:
        return "Multi-AZ; PostgreSQL"
    if inputs.get("backupRetentionPeriod", 0):
        return "Single-AZ; PostgreSQL/MySQL; with automated backups"
    return "Single-AZ; PostgreSQL; no automated backup"


def _broker(inputs: Mapping[str, Any]) -> str:
    nodes = inputs.get("numCacheClusters", 1)
    return "Multi-AZ" if inputs.get("multiAzEnabled") is True or nodes > 1 else "1 node"


def _endpoint(inputs: Mapping[str, Any]) -> str:
    return "interface" if inputs.get("vpcEndpointType") == "Interface" else "gateway"


def _service(inputs: Mapping[str, Any]) -> str:
    if not inputs.get("waitForSteadyState"):
        return "no steady-state wait"
    if inputs.get("loadBalancers"):
        return "Fargate behind ALB, waitForSteadyState"
    return "Fargate, waitForSteadyState, no load balancer"


def _function(inputs: Mapping[str, Any]) -> str:
    inside = (inputs.get("vpcConfig") or {}).get("subnetIds")
    return "in VPC, first use of subnet and security group" if inside else "no VPC"


def _invocation(inputs: Mapping[str, Any]) -> str:
    # The function's work is not simulated; what it is told shows whether it starts a task and waits for it.
    return "one-off Fargate task" if "taskDefinition" in str(inputs.get("input")) else "short function"


VARIANTS: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "aws:ec2/vpcEndpoint:VpcEndpoint": _endpoint,
    "aws:ecs/service:Service": _service,
    "aws:elasticache/replicationGroup:ReplicationGroup": _broker,
    "aws:lambda/function:Function": _function,
    "aws:lambda/invocation:Invocation": _invocation,
    "aws:rds/instance:Instance": _database,
}
"""How the inputs of a type name one of its rows."""


@cache
def _rows() -> Mapping[tuple[str, str], Mapping[str, Delay]]:
    rows: dict[tuple[str, str], dict[str, Delay]] = {}
    with DELAYS.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found = re.fullmatch(r"(aws:\S+)(?: \((.*)\))?", row["what"])
            kind = row["kind"]
            if not found or kind not in ("create", "update", "delete"):
                continue
            low, high, p50, p95 = (
                float(row[key]) if row[key] else None for key in ("min_s", "max_s", "p50_s", "p95_s")
            )
            rows.setdefault((found[1], kind), {})[found[2] or ""] = Delay(p50, p95, low, high)
    return rows


def delay_of(token: str, operation: Operation, inputs: Mapping[str, Any]) -> Delay:
    """Return the row for an operation: the variant that fits the inputs, else the type's first row."""
    variants = _rows().get((token, operation), {})
    wanted = VARIANTS[token](inputs) if token in VARIANTS else ""
    return variants.get(wanted) or next(iter(variants.values()), Delay(None, None, *UNLISTED_SECONDS))


@dataclass(frozen=True)
class Latencies:
    """Scaled waiting times; `scale` 1.0 is AWS's own pace, 0 switches waiting off."""

    scale: float = 0.0

    def seconds(self, urn: str, token: str, operation: Operation, inputs: Mapping[str, Any]) -> float:
        """Return how long to wait; the same resource and operation always draws the same duration."""
        if not self.scale:
            return 0.0
        return self.scale * delay_of(token, operation, inputs).draw(random.Random(f"{urn}|{operation}"))
