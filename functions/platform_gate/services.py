"""Whether Airflow runs: a schema must not change under it."""

from __future__ import annotations

from itertools import islice
from typing import Any

DESCRIBED_AT_ONCE = 10  # limit of DescribeServices


def any_running(ecs: Any, cluster: str) -> bool:
    """Say whether a service of the cluster has tasks.

    Tasks that are about to run count: they would meet a schema in the middle of its change.
    """
    pages = ecs.get_paginator("list_services").paginate(cluster=cluster)
    arns = (arn for page in pages for arn in page["serviceArns"])
    while some := list(islice(arns, DESCRIBED_AT_ONCE)):
        described = ecs.describe_services(cluster=cluster, services=some)["services"]
        if any(service["runningCount"] + service["pendingCount"] for service in described):
            return True
    return False
