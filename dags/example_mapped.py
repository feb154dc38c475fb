"""One task for each element of a list.

How many there are is known only when the DAG runs: `expand` makes one task instance for each element of what `files`
returned, they run side by side, and `total` gets the results of all of them.
"""

from __future__ import annotations

from collections.abc import Iterable

from airflow.sdk import dag, get_current_context, task

FILES = {"monday.csv": 120, "tuesday.csv": 80, "wednesday.csv": 200}
"""Stands in for a folder: names and their numbers of rows."""


@dag(
    dag_id="example_mapped",
    description="One task for each element of a list",
    doc_md=__doc__,
    schedule=None,
    catchup=False,
    default_args={"owner": "platform"},
    tags=["example"],
)
def mapped() -> None:
    """Count the rows of every file."""

    @task
    def files() -> list[str]:
        """List what there is to do today."""
        return list(FILES)

    @task(max_active_tis_per_dagrun=2, map_index_template="{{ file }}")
    def count(file: str) -> int:
        """Count the rows of one file; at most two at a time, named after the file in the UI."""
        get_current_context()["file"] = file
        return FILES[file]

    @task
    def total(counts: Iterable[int]) -> int:
        """Reduce the results to one."""
        return sum(counts)

    total(count.expand(file=files()))


mapped()
