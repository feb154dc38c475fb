"""One task for a queue of its own, which only another pool of workers reads."""

from airflow.sdk import dag, task


@dag(schedule=None, catchup=False, tags=["drill"])
def drill_queue() -> None:
    """Run a task on the queue `heavy`, and say where it ran."""

    @task(queue="heavy")
    def where() -> str:
        from airflow.utils.net import get_host_ip_address

        return get_host_ip_address()

    where()


drill_queue()
