"""A burst whose tasks write down each execution in S3, which no drill breaks: metastore and broker may forget."""

import os
import time
import urllib.request
import uuid
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from airflow.sdk import dag, task


def mark(run_id: str, number: int, attempt: int, execution: str, what: str) -> None:
    """Leave an object whose key says who did what when."""
    bucket = urlsplit(os.environ["AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER"]).netloc
    key = f"drill/{run_id}/{number}/{attempt}/{execution}/{what}/{time.time():.3f}"
    # The twin's endpoint asks nobody for a signature, and boto3 takes a while to import.
    url = f"{os.environ['AWS_ENDPOINT_URL']}/{bucket}/{quote(key)}"
    urllib.request.urlopen(urllib.request.Request(url, data=b"-", method="PUT"), timeout=60).close()


@dag(
    schedule=None,
    catchup=False,
    max_active_tasks=1000,
    tags=["drill"],
    # The number of retries is the platform's; Airflow would wait five minutes before each.
    default_args={"retry_delay": timedelta(seconds=5)},
    params={"count": 40, "seconds": 2, "long_count": 0, "long_seconds": 60},
)
def drill_faults() -> None:
    """Run `long_count` tasks of `long_seconds` each, and `count` of `seconds` after them."""

    @task
    def durations(params: dict[str, float] | None = None) -> list[float]:
        assert params is not None
        long = [params["long_seconds"]] * int(params["long_count"])
        return [*long, *[params["seconds"]] * int(params["count"])]

    @task
    def sleep(seconds: float, **context: Any) -> None:
        instance, execution = context["ti"], uuid.uuid4().hex
        mark(context["run_id"], instance.map_index, instance.try_number, execution, "began")
        time.sleep(seconds)
        mark(context["run_id"], instance.map_index, instance.try_number, execution, "ended")

    sleep.expand(seconds=durations())


drill_faults()
