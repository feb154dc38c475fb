"""A task that waits without taking up a worker.

The task defers itself: it hands a trigger to the triggerer and leaves its worker. The triggerer, one process, waits
for thousands of triggers at once; when this one fires, the task goes on at `done`, on any worker. Many operators and
sensors do this by themselves with `deferrable=True`.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger
from airflow.sdk import BaseOperator, Context, dag, task

log = logging.getLogger(__name__)


class Pause(BaseOperator):
    """Wait for some seconds in the triggerer."""

    def __init__(self, *, seconds: int, **operator: Any) -> None:
        """Take the seconds, and what every operator takes."""
        super().__init__(**operator)
        self.seconds = seconds

    def execute(self, context: Context) -> None:
        """Hand the waiting over; `defer` does not return."""
        log.info("%s: the triggerer waits from here on", context["run_id"])
        self.defer(trigger=TimeDeltaTrigger(timedelta(seconds=self.seconds)), method_name="done")

    def done(self, context: Context, event: datetime) -> str:
        """Go on after the trigger; returns the moment that it waited for."""
        log.info("%s: the trigger fired at %s", context["run_id"], event)
        return event.isoformat()


@dag(
    dag_id="example_deferrable",
    description="A task that waits without taking up a worker",
    doc_md=__doc__,
    schedule=None,
    catchup=False,
    default_args={"owner": "platform"},
    tags=["example"],
)
def deferrable() -> None:
    """Wait, then go on with what the trigger brought."""

    @task
    def report(moment: str) -> str:
        """Use what the first task returned."""
        return f"waited until {moment}"

    report(Pause(task_id="pause", seconds=8).output)


deferrable()
