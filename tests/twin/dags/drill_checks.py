"""DAGs for checks of the wiring; every one shows one thing."""

from datetime import timedelta
from typing import Any

from airflow.providers.standard.sensors.date_time import DateTimeSensorAsync
from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger
from airflow.sdk import BaseOperator, Connection, Context, dag, task


class Wait(BaseOperator):
    """Wait in the triggerer for half a minute."""

    def execute(self, context: Context) -> None:
        self.defer(trigger=TimeDeltaTrigger(timedelta(seconds=30)), method_name="done")

    def done(self, context: Context, event: Any) -> None:
        """End after the trigger."""


@dag(schedule=None, catchup=False, tags=["drill"])
def drill_trigger_log() -> None:
    """Leave time to read the log of a trigger while it runs."""
    Wait(task_id="wait")


@dag(schedule=None, catchup=False, tags=["drill"])
def drill_trigger() -> None:
    """Begin in the triggerer: the scheduler stores the trigger, encrypted; what a worker hands over is not."""
    DateTimeSensorAsync(task_id="wait", target_time="2020-01-01T00:00:00+00:00", start_from_trigger=True)


@dag(schedule=None, catchup=False, tags=["drill"])
def drill_retry() -> None:
    """Fail, without a word about attempts."""

    @task
    def fail() -> None:
        raise ValueError("on purpose")

    fail()


@dag(schedule=None, catchup=False, tags=["drill"])
def drill_secret_connection() -> None:
    """Return the password of a connection that Secrets Manager has."""

    @task
    def read() -> str:
        return Connection.get("drill_secret").password or ""

    read()


drill_trigger_log()
drill_trigger()
drill_retry()
drill_secret_connection()
