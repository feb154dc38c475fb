"""DAGs for drills: many short tasks, long ones, and one that shows what a worker may see."""

import os
import time

from airflow.sdk import dag, task


@dag(schedule=None, catchup=False, max_active_tasks=1000, tags=["drill"], params={"count": 60, "seconds": 2})
def drill_burst() -> None:
    """Run `count` tasks of `seconds` each."""

    @task
    def numbers(params: dict[str, int] | None = None) -> list[int]:
        assert params is not None
        return list(range(params["count"]))

    @task
    def sleep(number: int, params: dict[str, float] | None = None) -> int:
        assert params is not None
        print(f"drill: task {number} sleeps", flush=True)
        time.sleep(params["seconds"])
        return number

    sleep.expand(number=numbers())


@dag(schedule=None, catchup=False, tags=["drill"], params={"seconds": 30})
def drill_long() -> None:
    """Run one task that says something each second."""

    @task
    def count(params: dict[str, int] | None = None) -> None:
        assert params is not None
        for second in range(params["seconds"]):
            print(f"drill: second {second}", flush=True)
            time.sleep(1)

    count()


@dag(schedule=None, catchup=False, tags=["drill"])
def drill_connection() -> None:
    """Read a connection that the api-server decrypts, and return its password."""

    @task
    def read() -> str:
        from airflow.sdk import Connection

        return Connection.get("drill").password or ""

    read()


@dag(schedule=None, catchup=False, tags=["drill"])
def drill_environment() -> None:
    """Return the names of the variables that a task sees."""

    @task
    def names() -> list[str]:
        return sorted(os.environ)

    names()


drill_burst()
drill_long()
drill_connection()
drill_environment()
