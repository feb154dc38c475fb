"""The tags that every resource carries."""

from __future__ import annotations

from collections.abc import Mapping

PROJECT = "airflow-platform"
"""The Pulumi project, as it stands in Pulumi.yaml and in stack references."""
MANAGED_BY = "pulumi"


def default_tags(own: Mapping[str, str], *, environment: str, stack: str) -> dict[str, str]:
    """Return the provider's default tags: the team's own, and where a resource comes from.

    What the program knows wins over a team's tag of the same key: cost reports and access rules rely on it.
    """
    return {**own, "environment": environment, "project": PROJECT, "stack": stack, "managedBy": MANAGED_BY}
