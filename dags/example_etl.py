"""Extract, transform, load.

Three tasks that hand small data to each other. What a task returns is stored by Airflow (an "XCom"), and calling the
next task with it makes the edge between them. XComs live in the metadata database: pass large data by its place
(an S3 URI), not by value.
"""

from __future__ import annotations

import logging
from collections import defaultdict

from airflow.sdk import dag, task

log = logging.getLogger(__name__)


@dag(
    dag_id="example_etl",
    description="Three tasks that hand small data to each other",
    doc_md=__doc__,
    schedule=None,
    catchup=False,
    default_args={"owner": "platform"},
    tags=["example"],
)
def etl() -> None:
    """Sum the day's orders by country."""

    @task
    def extract() -> list[dict[str, str | int]]:
        """Read the orders; here a constant, elsewhere a query or a file."""
        return [
            {"country": "DE", "cents": 1250},
            {"country": "FR", "cents": 990},
            {"country": "DE", "cents": 400},
        ]

    @task
    def transform(orders: list[dict[str, str | int]]) -> dict[str, int]:
        """Add up the orders of each country."""
        totals: dict[str, int] = defaultdict(int)
        for order in orders:
            totals[str(order["country"])] += int(order["cents"])
        return dict(totals)

    @task
    def load(totals: dict[str, int]) -> int:
        """Write the result; here into the log. Returns the sum of all countries."""
        for country, cents in sorted(totals.items()):
            log.info("%s: %.2f", country, cents / 100)
        return sum(totals.values())

    load(transform(extract()))


etl()
