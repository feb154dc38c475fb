"""CloudWatch Logs."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.behaviour.model import Failure
from sandbox.behaviour.rules import Case, known, rule


@rule("aws:cloudwatch/logMetricFilter:LogMetricFilter")
def metric_filter(case: Case) -> Iterator[Failure]:
    """Check the metric that a filter makes."""
    metric = case.known("metricTransformation")
    dimensions = known(metric, "dimensions") or {}
    if dimensions and known(metric, "defaultValue"):
        yield Failure("metricTransformation.defaultValue", "conflicts with dimensions")
    if len(dimensions) > 3:
        yield Failure("metricTransformation.dimensions", f"takes at most 3, got {len(dimensions)}")
    default = known(metric, "defaultValue")
    if default and not _is_number(default):
        yield Failure("metricTransformation.defaultValue", f'expected a number as a string, got "{default}"')


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
