"""The broker: the queues between scheduler and workers, on ElastiCache for Valkey."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, JsonValue

from settings.section import Section

NODE_TYPES: tuple[JsonValue, ...] = (
    *("cache.t4g.micro", "cache.t4g.small", "cache.t4g.medium"),
    *("cache.m7g.large", "cache.m7g.xlarge", "cache.m7g.2xlarge"),
    *("cache.r7g.large", "cache.r7g.xlarge", "cache.r7g.2xlarge"),
)
"""Node types of the broker, all of them Graviton. A queued message has about a kilobyte: memory is rarely the
reason for a larger one."""


def known_type(name: str) -> str:
    """Return `name`; raise ValueError unless it is one of NODE_TYPES."""
    if name not in NODE_TYPES:
        raise ValueError("not a known node type")
    return name


NodeType = Annotated[str, AfterValidator(known_type), Field(json_schema_extra={"enum": list(NODE_TYPES)})]


class BrokerSettings(Section):
    """One Valkey primary, with replicas in other zones; never in cluster mode, which Celery cannot use."""

    node_type: NodeType
    """Size of each node."""
    engine_version: Literal["7.2", "8.0", "8.1"] = "8.0"
    """Version of Valkey, in quotes; there is no way back to a lower one."""
    replicas: Annotated[int, Field(ge=0, le=5)]
    """Copies of the primary. With one or more a copy takes over when the primary fails; with 0 the queues
    wait until AWS has replaced the node."""
    snapshot_retention_days: Annotated[int, Field(ge=0, le=35)]
    """Days that a daily snapshot of the broker is kept; 0 for none."""
    visibility_timeout_minutes: Annotated[int, Field(ge=10, le=10080)]
    """Minutes after which the broker hands a message that was not acknowledged to another worker. Longer than
    the longest task (workers.longestTaskMinutes) with its wait, or the task is delivered twice."""
    protect: bool
    """Refuse to delete the broker until this is changed to false and applied."""
