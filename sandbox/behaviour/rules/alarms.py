"""CloudWatch alarms and dashboards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from sandbox.behaviour.model import Failure
from sandbox.behaviour.rules import Case, known, objects, rule

ALARM: Final = "aws:cloudwatch/metricAlarm:MetricAlarm"
HIGH_RESOLUTION: Final = (10, 20, 30)


@rule(ALARM)
def metric_alarm(case: Case) -> Iterator[Failure]:
    """Check how an alarm names its metric, and its periods."""
    if case.has("metricName") or case.has("metricQueries"):
        for key in ("comparisonOperator", "evaluationPeriods"):
            if not case.has(key):
                yield Failure(key, "is required with metricName or metricQueries")
    if case.has("metricName"):
        yield from _single_metric(case)
    for path, query in objects(case.known("metricQueries"), "metricQueries"):
        if query.get("expression") and query.get("metric"):
            yield Failure(f"{path}.expression", "conflicts with metric")
        yield from _period(known(known(query, "metric"), "period"), f"{path}.metric.period", (1, 5))
        yield from _period(known(query, "period"), f"{path}.period", (1, 5))
    yield from _period(case.known("period"), "period", ())
    treat = case.known("treatMissingData")
    if treat is not None and treat.lower() not in ("breaching", "notbreaching", "ignore", "missing"):
        yield Failure("treatMissingData", f'got "{treat}", allowed: breaching, notBreaching, ignore, missing')
    if len(case.known("alarmActions") or ()) > 5:
        yield Failure("alarmActions", f"takes at most 5 items, got {len(case.known('alarmActions'))}")
    points, periods = case.known("datapointsToAlarm"), case.known("evaluationPeriods")
    if points is not None and periods is not None and points > periods:
        yield Failure("datapointsToAlarm", f"must not be above evaluationPeriods {periods}, got {points}")


def _single_metric(case: Case) -> Iterator[Failure]:
    given = [key for key in ("statistic", "extendedStatistic") if case.has(key)]
    if len(given) != 1:
        got = " and ".join(given) or "none"
        yield Failure("statistic", f"exactly one of statistic, extendedStatistic is required, got {got}")
    for key in ("namespace", "period"):
        if not case.has(key):
            yield Failure(key, "is required with metricName")


def _period(value: Any, path: str, more: tuple[int, ...]) -> Iterator[Failure]:
    if value is None or value in (*HIGH_RESOLUTION, *more) or (value > 0 and value % 60 == 0):
        return
    allowed = ", ".join(map(str, (*more, *HIGH_RESOLUTION)))
    yield Failure(path, f"must be {allowed} or a multiple of 60, got {value}")


@rule("aws:cloudwatch/dashboard:Dashboard")
def dashboard(case: Case) -> Iterator[Failure]:
    """Check the body's outline."""
    text = case.known("dashboardBody")
    body = json.loads(text) if text is not None else {"widgets": []}
    if not isinstance(body, dict) or not isinstance(body.get("widgets", []), list):
        yield Failure("dashboardBody", 'must be an object with a list of "widgets"')
        return
    for index, widget in enumerate(body.get("widgets", [])):
        if not isinstance(widget, dict) or "type" not in widget:
            yield Failure("dashboardBody", f"widgets[{index}] needs a type")
        elif widget["type"] == "metric" and "region" not in (widget.get("properties") or {}):
            yield Failure(
                "dashboardBody", f"widgets[{index}].properties.region is required for a metric widget"
            )
