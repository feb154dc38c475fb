"""What is worth an alarm: one table, and what its rows watch in an environment. Nothing is registered here.

There is a row only for a metric that AWS writes by itself for what the platform consists of. Names, dimensions and
units are those of AWS's documentation:

- AWS/ApplicationELB: Application Load Balancers guide, "CloudWatch metrics for your Application Load Balancer"
- AWS/ElastiCache: ElastiCache guide, "Metrics for Valkey and Redis OSS"; each node is a cache cluster of its own, and
  nothing is written for a replication group
- AWS/Events: EventBridge guide, "Monitoring Amazon EventBridge"; the name of a rule alone means the default bus
- AWS/RDS: RDS guide, "Amazon CloudWatch instance-level metrics for Amazon RDS"
- ECS/ContainerInsights: CloudWatch guide, "Amazon ECS Container Insights metrics"; the cluster must have it switched on
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

import pulumi

GIB: Final = 1024**3
FREE_STORAGE_PERCENT: Final = 5
"""Of the storage at the beginning. RDS adds storage when a tenth is left; with half of that something holds it back."""
CONNECTIONS_PERCENT: Final = 80
MAX_DESCRIPTION: Final = 1024

Dimensions = Mapping[str, pulumi.Input[str]]


class Missing(StrEnum):
    """What an alarm thinks while its metric has no data."""

    MISSING = "missing"
    """That it does not know; the state says so, and nobody is told."""
    BREACHING = "breaching"
    NOT_BREACHING = "notBreaching"


class Comparison(StrEnum):
    """How a value is compared with the threshold."""

    ABOVE = "GreaterThanThreshold"
    AT_LEAST = "GreaterThanOrEqualToThreshold"
    BELOW = "LessThanThreshold"
    AT_MOST = "LessThanOrEqualToThreshold"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One kind of alarm."""

    why: str
    """What it means for the platform and where to look; whoever gets the message reads it."""
    namespace: str
    metrics: tuple[str, ...]
    """CloudWatch's names; more than one only with an expression."""
    statistic: str
    comparison: Comparison
    unit: str
    """What values and threshold count."""
    threshold: float | None = None
    """None where it depends on the environment."""
    expression: str | None = None
    """Metric math over m1, m2 and so on: the metrics in their order, or one metric of several nodes."""
    period_seconds: int = 60
    periods: int
    points: int
    """Of that many periods, how many must breach."""
    missing: Missing
    missing_because: str
    deployments: bool = False
    """ECS rolls a deployment back when it rings; its name is fixed for that, the service has to know it before."""


_TASKS: Final[dict[str, Any]] = {
    "why": "Fewer tasks run than the service wants. See the service's events in ECS, and the log of the last task.",
    "namespace": "ECS/ContainerInsights",
    "metrics": ("DesiredTaskCount", "RunningTaskCount"),
    "statistic": "Average",
    # A service without any task may lack the second metric.
    "expression": "m1 - FILL(m2, 0)",
    "comparison": Comparison.ABOVE,
    "threshold": 0,
    "unit": "tasks",
    "missing": Missing.MISSING,
    "missing_because": "a service that is gone wants nothing; a new one has no data yet",
    "deployments": True,
}

TABLE: Final[Mapping[str, Row]] = MappingProxyType(
    {
        # A lost task is replaced within two minutes, and a deployment starts the new tasks first.
        "tasks": Row(**_TASKS, periods=5, points=3),
        # A pool that grows lags behind what it wants by a minute or two at each step.
        "workers": Row(**_TASKS, periods=15, points=10),
        "restarts": Row(
            why="Tasks end by themselves, again and again. The record of stopped tasks says which, and why.",
            namespace="AWS/Events",
            metrics=("Invocations",),
            statistic="Sum",
            comparison=Comparison.AT_LEAST,
            threshold=3,
            unit="stopped tasks",
            period_seconds=900,
            periods=1,
            points=1,
            missing=Missing.NOT_BREACHING,
            missing_because="it is written only when a task has ended",
        ),
        "event-delivery": Row(
            why="EventBridge could not deliver a message about a failed deployment. See the service's events in ECS.",
            namespace="AWS/Events",
            metrics=("FailedInvocations",),
            statistic="Sum",
            comparison=Comparison.ABOVE,
            threshold=0,
            unit="events",
            period_seconds=300,
            periods=1,
            points=1,
            missing=Missing.NOT_BREACHING,
            missing_because="it is written only when it is not zero",
        ),
        "storage": Row(
            why=(
                "The metastore's storage is nearly full and does not grow. When it is full the database stops. Raise "
                "metastore.maxStorageGib, or remove what nobody needs from the database."
            ),
            namespace="AWS/RDS",
            metrics=("FreeStorageSpace",),
            statistic="Minimum",
            comparison=Comparison.BELOW,
            unit="bytes",
            period_seconds=300,
            periods=3,
            points=3,
            missing=Missing.MISSING,
            missing_because="a stopped database writes nothing",
        ),
        "load": Row(
            why="The metastore computes at its limit. See its Performance Insights, and metastore.instanceClass.",
            namespace="AWS/RDS",
            metrics=("CPUUtilization",),
            statistic="Average",
            comparison=Comparison.ABOVE,
            threshold=80,
            unit="percent",
            period_seconds=300,
            periods=3,
            points=3,
            missing=Missing.MISSING,
            missing_because="a stopped database writes nothing",
        ),
        "credits": Row(
            why=(
                "The metastore has worked above what its class is made for, for half a day: AWS charges each further "
                "minute. See metastore.instanceClass."
            ),
            namespace="AWS/RDS",
            metrics=("CPUCreditBalance",),
            statistic="Maximum",
            comparison=Comparison.AT_MOST,
            threshold=0,
            unit="CPU credits",
            # A new database begins without credits and collects them by the hour.
            period_seconds=3600,
            periods=12,
            points=12,
            missing=Missing.MISSING,
            missing_because="a stopped database writes nothing",
        ),
        "connections": Row(
            why=(
                "The metastore has few connections left; beyond the last one Airflow fails. See its Performance "
                "Insights for who holds them, and metastore.instanceClass."
            ),
            namespace="AWS/RDS",
            metrics=("DatabaseConnections",),
            statistic="Maximum",
            comparison=Comparison.ABOVE,
            unit="connections",
            periods=5,
            points=5,
            missing=Missing.MISSING,
            missing_because="a stopped database writes nothing",
        ),
        "memory": Row(
            why=(
                "The broker's memory fills up. When it is full it refuses new messages, since it may drop none: "
                "nothing is queued any more. See whether workers run and take tasks, and broker.nodeType."
            ),
            namespace="AWS/ElastiCache",
            metrics=("DatabaseMemoryUsagePercentage",),
            statistic="Maximum",
            comparison=Comparison.ABOVE,
            threshold=70,
            unit="percent",
            periods=5,
            points=5,
            missing=Missing.MISSING,
            missing_because="a node that is being replaced writes nothing",
        ),
        "evictions": Row(
            why=(
                "The broker drops messages, which it must never do: queued tasks are lost until the scheduler notices. "
                "Somebody has changed its parameter group; apply the stack again."
            ),
            namespace="AWS/ElastiCache",
            metrics=("Evictions",),
            statistic="Sum",
            comparison=Comparison.ABOVE,
            threshold=0,
            unit="keys",
            period_seconds=300,
            periods=1,
            points=1,
            missing=Missing.MISSING,
            missing_because="a node that is being replaced writes nothing",
        ),
        "clients": Row(
            why=(
                "The broker has more connections than the largest platform opens: somebody does not close them. A node "
                "takes 65,000, and each costs memory."
            ),
            namespace="AWS/ElastiCache",
            metrics=("CurrConnections",),
            statistic="Maximum",
            comparison=Comparison.ABOVE,
            threshold=10_000,
            unit="connections",
            periods=5,
            points=5,
            missing=Missing.MISSING,
            missing_because="a node that is being replaced writes nothing",
        ),
        "hosts": Row(
            why="The load balancer knows no healthy task: nobody gets an answer. See the service's events in ECS.",
            namespace="AWS/ApplicationELB",
            metrics=("HealthyHostCount",),
            statistic="Minimum",
            comparison=Comparison.BELOW,
            threshold=1,
            unit="tasks",
            periods=3,
            points=3,
            missing=Missing.BREACHING,
            missing_because="it is written as long as one task is registered",
        ),
        "errors": Row(
            why="The service answers with errors of its own (5xx). See its log.",
            namespace="AWS/ApplicationELB",
            metrics=("HTTPCode_Target_5XX_Count",),
            statistic="Sum",
            comparison=Comparison.AT_LEAST,
            threshold=5,
            unit="answers",
            periods=5,
            points=3,
            missing=Missing.NOT_BREACHING,
            missing_because="it is written only when it is not zero",
            deployments=True,
        ),
    }
)
"""All alarms there are."""


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """A row of the table in an environment."""

    label: str
    """Name inside the environment, such as scheduler-tasks."""
    row: Row
    dimensions: Sequence[Dimensions]
    """What it watches; several for the nodes of one thing."""
    threshold: float


def of_service(party: str, dimensions: Dimensions, *, pool: bool) -> Alarm:
    """Return the alarm of a service, whose number of workers changes in a pool."""
    return _alarm(party, "workers" if pool else "tasks", dimensions)


def of_targets(party: str, dimensions: Dimensions) -> list[Alarm]:
    """Return the alarms of a service behind the load balancer."""
    return [_alarm(party, name, dimensions) for name in ("hosts", "errors")]


def of_metastore(
    dimensions: Dimensions, *, storage_gib: int, max_connections: int, burstable: bool
) -> list[Alarm]:
    """Return the alarms of the metastore.

    Args:
        dimensions: Which database.
        storage_gib: Its storage to begin with.
        max_connections: How many connections it accepts.
        burstable: Whether its class collects CPU credits.

    """
    storage = storage_gib * GIB * FREE_STORAGE_PERCENT // 100
    connections = max_connections * CONNECTIONS_PERCENT // 100
    return [
        _alarm("metastore", "storage", dimensions, threshold=storage),
        _alarm("metastore", "load", dimensions),
        *([_alarm("metastore", "credits", dimensions)] if burstable else []),
        _alarm("metastore", "connections", dimensions, threshold=connections),
    ]


def of_broker(nodes: Sequence[Dimensions]) -> list[Alarm]:
    """Return the alarms of the broker; each watches all nodes, since any of them may become the primary."""
    return [_alarm("broker", name, *nodes) for name in ("memory", "evictions", "clients")]


def of_restarts(dimensions: Dimensions) -> Alarm:
    """Return the alarm of the rule that records stopped tasks."""
    return _alarm("services", "restarts", dimensions)


def of_delivery(dimensions: Dimensions) -> Alarm:
    """Return the alarm of the rule that reports failed deployments."""
    return _alarm("services", "event-delivery", dimensions)


def watching_deployments(environment: str, party: str, *, pool: bool, targets: bool) -> list[str]:
    """Return the names of the alarms for which ECS rolls a deployment of a service back.

    Args:
        environment: Name that the names of all alarms of the environment begin with.
        party: The service.
        pool: Whether it is a pool of workers.
        targets: Whether it is behind the load balancer.

    """
    found = [of_service(party, {}, pool=pool), *(of_targets(party, {}) if targets else [])]
    return [fixed_name(environment, alarm) for alarm in found if alarm.row.deployments]


def fixed_name(environment: str, alarm: Alarm) -> str:
    """Return the name in CloudWatch of an alarm that others know by its name."""
    return f"{environment}-{alarm.label}"


def inputs(alarm: Alarm) -> dict[str, Any]:
    """Return what CloudWatch is told about an alarm, but for its name and whom it tells."""
    row = alarm.row
    common = {
        "alarm_description": row.why,
        "comparison_operator": row.comparison.value,
        "threshold": alarm.threshold,
        "evaluation_periods": row.periods,
        "datapoints_to_alarm": row.points,
        "treat_missing_data": row.missing.value,
    }
    series = [(metric, dimensions) for dimensions in alarm.dimensions for metric in row.metrics]
    if len(series) == 1:
        [(metric, dimensions)] = series
        return common | {
            "namespace": row.namespace,
            "metric_name": metric,
            "dimensions": dimensions,
            "statistic": row.statistic,
            "period": row.period_seconds,
        }
    ids = [f"m{number}" for number in range(1, len(series) + 1)]
    queries = [
        {
            "id": key,
            "metric": {
                "namespace": row.namespace,
                "metric_name": metric,
                "dimensions": dimensions,
                "stat": row.statistic,
                "period": row.period_seconds,
            },
        }
        for key, (metric, dimensions) in zip(ids, series, strict=True)
    ]
    value = {
        "id": "value",
        "expression": row.expression or f"MAX([{', '.join(ids)}])",
        "label": row.unit,
        "return_data": True,
    }
    return common | {"metric_queries": [*queries, value]}


def _alarm(party: str, name: str, *dimensions: Dimensions, threshold: float | None = None) -> Alarm:
    row = TABLE[name]
    value = row.threshold if threshold is None else threshold
    if value is None:
        raise ValueError(f"threshold: want one for {name}, whose threshold depends on the environment")
    return Alarm(label=f"{party}-{name}", row=row, dimensions=dimensions, threshold=value)
