"""A task that fails, and succeeds when it is tried again.

Services fail for a moment. A task that is safe to repeat should be repeated: `retries` says how often, `retry_delay`
how long to wait before. The state in between is "up for retry", and every try keeps its own log.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from airflow.sdk import dag, get_current_context, task

log = logging.getLogger(__name__)


class ServiceUnavailableError(Exception):
    """What a service answers on a bad day."""


@dag(
    dag_id="example_retries",
    description="A task that fails, and succeeds when it is tried again",
    doc_md=__doc__,
    schedule=None,
    catchup=False,
    default_args={"owner": "platform"},
    tags=["example"],
)
def retries() -> None:
    """Call a service that is unavailable at first."""

    @task(retries=2, retry_delay=timedelta(seconds=5))
    def call_service() -> int:
        """Fail at the first try; returns the number of the try that succeeded."""
        number: int = get_current_context()["ti"].try_number
        if number == 1:
            raise ServiceUnavailableError("the service is unavailable; this is what the example is about")
        log.info("The service answered at try %s", number)
        return number

    @task
    def use(answer: int) -> None:
        """Run only after the call has succeeded."""
        log.info("Answered at try %s", answer)

    use(call_service())


retries()
