"""The controls that the rules are about, with the names they have in public rule sets.

controls.csv holds one row for each demand on a kind of resource, as of 2026-11-20: Security Hub's controls of
2026-03-10 (`~`: not in its standard of foundational best practices), CIS AWS Foundations 7.0.0, checkov 3.3.30,
trivy's checks, the registry of CloudFormation Guard (2024-03) and Control Tower's proactive controls,
pulumi/compliance-policies and pulumi-policy-aws, prowler. `severity` and `tier` are the strictest of a row's parts.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TABLE: Final = Path(__file__).with_name("controls.csv")
UNCOVERED: Final = Path(__file__).with_name("uncovered.csv")
ADVISED: Final = Path(__file__).with_name("advised.csv")
PUBLIC: Final = (
    "securityhub",
    "cis_7",
    "checkov",
    "trivy",
    "cfn_guard_or_control_tower",
    "pulumi_policies",
    "prowler",
)
"""Columns of public names."""
OWN: Final = "own"
"""Stands for a control where a rule only keeps the others from being walked round."""
RELATIONS: Final[Mapping[str, str]] = {
    "R1": "No path leads from the internet to a security group of the data tier.",
    "R2": "What has a network interface is in a subnet of its tier.",
    "R3": "A task role belongs to one service; an execution role reads the secrets of its task definition only.",
    "R4": "The secrets that a task definition names are those that its execution role may read.",
    "R5": "Every resource that holds data is in a backup selection.",
    "R6": "Every service has a log group and alarms.",
    "R7": "The chain from listener to target group, service and security group is closed.",
    "R8": "Database, broker and file system are protected in prod.",
    "R9": "A key policy names the roles that use the key.",
    "R10": "An access point that only reads cannot be written by roles of Airflow.",
    "R11": "Every image of a task definition exists and was scanned.",
    "R12": "Every resource has tags for cost, owner and environment.",
    "R13": "The provider works in the account and region that the stack declares.",
}
"""What only several resources together show."""


@dataclass(frozen=True, kw_only=True)
class Control:
    """One row of the table."""

    number: str
    demand: str
    severity: str
    tier: str
    names: frozenset[str]
    """Its names in public rule sets."""


def controls() -> Iterator[Control]:
    """Iterate over the table."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            names = {name.removesuffix("~") for column in PUBLIC for name in row[column].split("|") if name}
            yield Control(
                number=row["number"],
                demand=row["rule"],
                severity=row["severity"],
                tier=row["tier"],
                names=frozenset(names),
            )


def uncovered() -> dict[str, str]:
    """Return the controls and relations that no rule can decide, with the reason."""
    with UNCOVERED.open(encoding="utf-8", newline="") as file:
        return {row["control"]: row["reason"] for row in csv.DictReader(file)}


def advised() -> dict[str, str]:
    """Return the advisory rules that our own stacks of prod do not follow, with the reason."""
    with ADVISED.open(encoding="utf-8", newline="") as file:
        return {row["rule"]: row["reason"] for row in csv.DictReader(file)}
