"""Prints what Airflow makes of a folder of DAGs, as JSON; runs in Airflow's environment, not in that of the tests."""

from __future__ import annotations

import json
import sys
from typing import Any


def main(folder: str) -> dict[str, Any]:
    """Parse and serialize the DAGs of a folder, as the dag-processor does."""
    from airflow.dag_processing.dagbag import DagBag
    from airflow.serialization.serialized_objects import DagSerialization

    bag = DagBag(folder, bundle_name="dags")
    for dag in bag.dags.values():
        DagSerialization.to_dict(dag)
    return {
        "errors": {str(path): error for path, error in bag.import_errors.items()},
        "warnings": {str(path): list(found) for path, found in bag.captured_warnings.items()},
        "dags": {name: dag_facts(dag) for name, dag in bag.dags.items()},
    }


def dag_facts(dag: Any) -> dict[str, Any]:
    """Return what the tests compare of a DAG."""
    return {
        "schedule": dag.schedule,
        "catchup": dag.catchup,
        "tags": sorted(dag.tags),
        "documented": bool(dag.doc_md and dag.description),
        "owners": sorted({task.owner for task in dag.tasks}),
        "tasks": {task.task_id: sorted(task.upstream_task_ids) for task in dag.tasks},
        "mapped": sorted(task.task_id for task in dag.tasks if task.is_mapped),
        "retries": {
            task.task_id: [task.retries, task.retry_delay.total_seconds()]
            for task in dag.tasks
            if task.retries
        },
    }


if __name__ == "__main__":
    print("\n" + json.dumps(main(sys.argv[1])))  # noqa: T201 - what it is for
