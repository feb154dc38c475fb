"""Is the dag-processor or triggerer of this container alive: how old its newest heartbeat in the metastore is.

One SQL query without Airflow, whose own check takes 3.3 CPU seconds. A metastore out of reach does not condemn a
process that was healthy before, for half an hour: one that cannot go on ends by itself. Before its first heartbeat a
process is not healthy, whatever the reason.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any, Final

from . import addresses, outages
from .variables import Variables

JOB_TYPES: Final[Mapping[str, str]] = {"dag-processor": "DagProcessorJob", "triggerer": "TriggererJob"}
OLDEST_SECONDS: Final = 60
"""They beat every 5 seconds; Airflow itself calls a triggerer dead after 30, a dag-processor after 50."""
PATIENCE_SECONDS: Final = 4
"""For the query, and for a connection that breaks without a word."""
# A killed predecessor leaves a row that says "running" for ever; its heartbeat tells.
QUERY: Final = (
    "SELECT extract(epoch FROM clock_timestamp() - max(latest_heartbeat))::float FROM job"
    " WHERE job_type = %s AND hostname = %s AND state = 'running'"
)


def problem(role: str, variables: Variables, notes: dict[str, Any], now: float) -> str | None:
    """Say why the process is unhealthy, or None; `notes` is what the last check remembered, and is updated.

    Raises:
        Refusal: variables are missing.

    """
    where, login = addresses.metastore(variables), addresses.login(variables, "METASTORE")
    variables.refuse()
    psycopg2 = _driver()
    try:
        age = _age(psycopg2, where, login, JOB_TYPES[role])
    except (psycopg2.OperationalError, TimeoutError) as error:
        if notes.get("healthy"):
            return outages.problem("metastore", str(error).strip(), notes, now)
        return f"the metastore is out of reach: {str(error).strip()}"
    except psycopg2.Error as error:
        return f"the metastore does not answer: {str(error).strip()}"
    outages.over(notes)
    if age is None:
        return f"no {JOB_TYPES[role]} of this host has begun"
    if age > OLDEST_SECONDS:
        return f"the newest heartbeat is {age:.0f} s old"
    notes["healthy"] = True
    return None


def _driver() -> Any:
    """Return psycopg2, which waits in Python: a check that takes too long is interrupted, and libpq is not to be."""
    import psycopg2
    from psycopg2 import extensions, extras

    extensions.set_wait_callback(extras.wait_select)
    return psycopg2


def _age(psycopg2: Any, where: addresses.Metastore, login: addresses.Login, job_type: str) -> float | None:
    connection = psycopg2.connect(
        host=where.host,
        port=where.port,
        dbname=where.database,
        user=login.username,
        password=login.password,
        options=f"-c statement_timeout={PATIENCE_SECONDS}s",
        **where.parameters("platform-health") | {"tcp_user_timeout": str(PATIENCE_SECONDS * 1000)},
    )
    try:
        with connection.cursor() as cursor:
            cursor.execute(QUERY, (job_type, host_name()))
            (age,) = cursor.fetchone()
    finally:
        connection.close()
    return None if age is None else float(age)


def host_name() -> str:
    """Return what airflow.utils.net.get_host_ip_address returns: jobs are written down under it."""
    name = socket.gethostname()
    try:
        found = socket.getaddrinfo(name, None, 0, socket.SOCK_DGRAM, 0, socket.AI_CANONNAME)
    except OSError:
        found = []
    return socket.gethostbyname(next((entry[3] for entry in found if entry[3]), name))
