"""The table of alarms: every row exactly as CloudWatch gets it, and what it may hold at all.

Whether AWS writes these metrics is not proved here: names, dimensions and units are copied from its documentation.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from components import alarms
from components.alarms import TABLE, Alarm

SERVICE = {"ClusterName": "c", "ServiceName": "s"}
DATABASE = {"DBInstanceIdentifier": "airflow-dev"}
NODES = [{"CacheClusterId": "broker-001"}, {"CacheClusterId": "broker-002"}]
TARGETS = {"LoadBalancer": "app/web/1", "TargetGroup": "targetgroup/api/2"}
RULE = {"RuleName": "rule"}
METASTORE = alarms.of_metastore(DATABASE, storage_gib=100, max_connections=750, burstable=True)
MADE: dict[str, Alarm] = {
    made.label: made
    for made in (
        alarms.of_service("scheduler", SERVICE, pool=False),
        alarms.of_service("worker-default", SERVICE, pool=True),
        *METASTORE,
        *alarms.of_broker(NODES[:1]),
        *alarms.of_targets("api-server", TARGETS),
        alarms.of_restarts(RULE),
        alarms.of_delivery(RULE),
    )
}


class Want(NamedTuple):
    """What an alarm on a single metric is."""

    namespace: str
    metric: str
    dimensions: dict[str, str]
    statistic: str
    comparison: str
    threshold: float
    period: int
    points: tuple[int, int]
    """How many of how many periods."""
    missing: str


SINGLE: dict[str, Want] = {
    "metastore-storage": Want(
        "AWS/RDS",
        "FreeStorageSpace",
        DATABASE,
        "Minimum",
        "LessThanThreshold",
        5 * 1024**3,
        300,
        (3, 3),
        "missing",
    ),
    "metastore-load": Want(
        "AWS/RDS", "CPUUtilization", DATABASE, "Average", "GreaterThanThreshold", 80, 300, (3, 3), "missing"
    ),
    "metastore-credits": Want(
        *("AWS/RDS", "CPUCreditBalance", DATABASE, "Maximum", "LessThanOrEqualToThreshold"),
        *(0, 3600, (12, 12), "missing"),
    ),
    "metastore-connections": Want(
        "AWS/RDS",
        "DatabaseConnections",
        DATABASE,
        "Maximum",
        "GreaterThanThreshold",
        600,
        60,
        (5, 5),
        "missing",
    ),
    "broker-memory": Want(
        *("AWS/ElastiCache", "DatabaseMemoryUsagePercentage", NODES[0], "Maximum", "GreaterThanThreshold"),
        *(70, 60, (5, 5), "missing"),
    ),
    "broker-evictions": Want(
        "AWS/ElastiCache", "Evictions", NODES[0], "Sum", "GreaterThanThreshold", 0, 300, (1, 1), "missing"
    ),
    "broker-clients": Want(
        *("AWS/ElastiCache", "CurrConnections", NODES[0], "Maximum", "GreaterThanThreshold"),
        *(10_000, 60, (5, 5), "missing"),
    ),
    "api-server-hosts": Want(
        *("AWS/ApplicationELB", "HealthyHostCount", TARGETS, "Minimum", "LessThanThreshold"),
        *(1, 60, (3, 3), "breaching"),
    ),
    "api-server-errors": Want(
        *("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", TARGETS, "Sum", "GreaterThanOrEqualToThreshold"),
        *(5, 60, (3, 5), "notBreaching"),
    ),
    "services-restarts": Want(
        *("AWS/Events", "Invocations", RULE, "Sum", "GreaterThanOrEqualToThreshold"),
        *(3, 900, (1, 1), "notBreaching"),
    ),
    "services-event-delivery": Want(
        "AWS/Events", "FailedInvocations", RULE, "Sum", "GreaterThanThreshold", 0, 300, (1, 1), "notBreaching"
    ),
}


@pytest.mark.parametrize("label", SINGLE)
def test_alarm_on_one_metric(label: str) -> None:
    want, given = SINGLE[label], alarms.inputs(MADE[label])
    assert given.pop("alarm_description")
    assert given == {
        "namespace": want.namespace,
        "metric_name": want.metric,
        "dimensions": want.dimensions,
        "statistic": want.statistic,
        "comparison_operator": want.comparison,
        "threshold": want.threshold,
        "period": want.period,
        "datapoints_to_alarm": want.points[0],
        "evaluation_periods": want.points[1],
        "treat_missing_data": want.missing,
    }


def query(key: str, namespace: str, metric: str, dimensions: dict[str, str], stat: str) -> dict[str, Any]:
    """Return how an alarm asks for one of several metrics, minute by minute."""
    wanted = {
        "namespace": namespace,
        "metric_name": metric,
        "dimensions": dimensions,
        "stat": stat,
        "period": 60,
    }
    return {"id": key, "metric": wanted}


@pytest.mark.parametrize(
    ("label", "points", "periods"), [("scheduler-tasks", 3, 5), ("worker-default-workers", 10, 15)]
)
def test_running_tasks_are_compared_with_desired_ones(label: str, points: int, periods: int) -> None:
    """Container Insights writes both for each service; a service with no task may lack the running ones."""
    given = alarms.inputs(MADE[label])
    assert given.pop("alarm_description")
    assert given == {
        "comparison_operator": "GreaterThanThreshold",
        "threshold": 0,
        "datapoints_to_alarm": points,
        "evaluation_periods": periods,
        "treat_missing_data": "missing",
        "metric_queries": [
            query("m1", "ECS/ContainerInsights", "DesiredTaskCount", SERVICE, "Average"),
            query("m2", "ECS/ContainerInsights", "RunningTaskCount", SERVICE, "Average"),
            {"id": "value", "expression": "m1 - FILL(m2, 0)", "label": "tasks", "return_data": True},
        ],
    }


def test_several_nodes_are_one_alarm_on_the_worst() -> None:
    memory, *_ = alarms.of_broker(NODES)
    metric = "AWS/ElastiCache", "DatabaseMemoryUsagePercentage"
    assert alarms.inputs(memory)["metric_queries"] == [
        query("m1", *metric, NODES[0], "Maximum"),
        query("m2", *metric, NODES[1], "Maximum"),
        {"id": "value", "expression": "MAX([m1, m2])", "label": "percent", "return_data": True},
    ]


def test_every_row_is_tested() -> None:
    labels = {"scheduler-tasks", "worker-default-workers", *SINGLE}
    assert (set(MADE), {id(alarm.row) for alarm in MADE.values()}) == (labels, set(map(id, TABLE.values())))


def test_credits_are_watched_where_there_are_any() -> None:
    steady = alarms.of_metastore(DATABASE, storage_gib=20, max_connections=100, burstable=False)
    assert {made.label for made in METASTORE} - {made.label for made in steady} == {"metastore-credits"}


@pytest.mark.parametrize("name", TABLE)
def test_row_says_what_to_do_and_why_nothing_is_no_alarm(name: str) -> None:
    row = TABLE[name]
    assert row.why.endswith(".")
    assert len(row.why) <= alarms.MAX_DESCRIPTION
    assert row.missing_because


@pytest.mark.parametrize("name", TABLE)
def test_row_is_one_that_cloudwatch_takes(name: str) -> None:
    """An alarm looks back a day at most; a period is a multiple of a minute."""
    row = TABLE[name]
    assert row.period_seconds % 60 == 0
    assert row.period_seconds * row.periods <= 86_400
    assert 1 <= row.points <= row.periods
    assert (len(row.metrics) > 1) == (row.expression is not None)


@pytest.mark.parametrize(
    ("pool", "targets", "names"),
    [
        (False, False, ["env-alarms-it-tasks"]),
        (False, True, ["env-alarms-it-tasks", "env-alarms-it-errors"]),
        (True, False, ["env-alarms-it-workers"]),
    ],
    ids=["service", "behind the door", "pool"],
)
def test_alarms_that_deployments_are_watched_by(pool: bool, targets: bool, names: list[str]) -> None:
    assert alarms.watching_deployments("env-alarms", "it", pool=pool, targets=targets) == names


def test_a_threshold_that_depends_on_the_environment_must_be_given() -> None:
    with pytest.raises(ValueError, match=r"^threshold: want one for storage, whose threshold depends on"):
        alarms._alarm("metastore", "storage", DATABASE)
