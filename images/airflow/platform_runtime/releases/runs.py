"""Counts the unfinished runs of DAGs by release, in Airflow's database; the dag-processor's manager does it.

Only a run's own `bundle_version` counts: Airflow gives it to every task of the run, and to nobody else.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from . import usage
from .usage import COUNT_SECONDS

log = logging.getLogger(__name__)

QUERY_MILLISECONDS: Final = 5000
"""Nothing is parsed meanwhile; it usually takes a few milliseconds."""
UNFINISHED: Final = ("queued", "running")


class RunCounter:
    """Counts once a minute and writes the count into a file."""

    def __init__(
        self,
        path: Path,
        count: Callable[[], Mapping[str, int]] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is counted yet.

        Args:
            path: The file.
            count: Asks the database.
            clock: Seconds that no correction of the time touches.

        """
        self._path, self._count, self._clock = path, count or unfinished_runs, clock
        self._next = -COUNT_SECONDS
        self._failed = False

    def turn(self) -> None:
        """Count if that is due; nothing that goes wrong keeps the dag-processor from its work.

        What cannot be counted leaves the last count where it is: it gets old, and nobody removes anything by it.
        """
        if (now := self._clock()) < self._next:
            return
        self._next = now + COUNT_SECONDS
        # Before the question: what begins while it is answered may be missing.
        moment = datetime.now(UTC)
        try:
            usage.write(self._path, usage.counted(self._count(), moment))
        except Exception as error:
            if not self._failed:
                log.warning("the runs that need releases cannot be counted: %s", error)
            self._failed = True
        else:
            self._failed = False


def unfinished_runs() -> dict[str, int]:
    """Ask Airflow's database; see `question`."""
    from airflow.utils.session import create_session
    from sqlalchemy import text  # type: ignore[import-not-found]

    runs: Counter[str] = Counter()
    # A session of our own: the one of this thread may be in use.
    with create_session(scoped=False) as session:
        if session.get_bind().dialect.name == "postgresql":
            session.execute(text(f"SET LOCAL statement_timeout = {QUERY_MILLISECONDS}"))
        for version, count in session.execute(question()):
            if version:
                runs[version] += count
    return dict(runs)


def question() -> Any:
    """Return the query: unfinished runs by version, and with 0 the versions of the DAGs that are there.

    On those the next runs begin: a DAG that could not be read since keeps the version with which it was read last.
    """
    from airflow.models.dag import DagModel
    from airflow.models.dagrun import DagRun
    from sqlalchemy import func, literal_column, select, union_all

    # Airflow has an index for each of these states and none for both, and a database takes it only for a state that
    # stands in the query itself; there are millions of other runs.
    runs = [
        select(DagRun.bundle_version, func.count())
        .where(DagRun.state == literal_column(f"'{each}'"))
        .group_by(DagRun.bundle_version)
        for each in UNFINISHED
    ]
    dags = select(DagModel.bundle_version, literal_column("0")).where(~DagModel.is_stale).distinct()
    return union_all(*runs, dags)
