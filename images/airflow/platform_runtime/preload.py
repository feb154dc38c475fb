"""What a worker does before it forks: each task's process finds it done.

It is the only module of this package that changes something inside Airflow; `preloaded` carries it out.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Final

MODULES: Final = ("airflow.dag_processing.dagbag", "airflow.sdk.definitions.decorators.setup_teardown")
"""What the process of a task imports besides the DAG, and a worker does not of itself: 0.15 to 0.3 seconds of it."""
SUPERVISOR: Final = ("airflow.sdk.execution_time.supervisor", "WatchedSubprocess", "_service_subprocess")
SOON_SECONDS: Final = 0.05
"""The time that a process may take from its last word to its end is milliseconds; a longer one costs nothing much."""

Service = Callable[..., int | None]


def attentive(service: Service) -> Service:
    """Let a supervisor look again soon when all it still waits for is the end of its process.

    It waits for the sockets of the process, and then asks once whether the process has ended. The kernel closes the
    sockets a moment before it says so: often too late for that one question, and Airflow waits for a whole heartbeat
    interval before the next, with the slot taken.
    """

    def look(self: Any, max_wait_time: float, *args: Any, **kwargs: Any) -> int | None:
        if not self._open_sockets:
            max_wait_time = min(max_wait_time, SOON_SECONDS)
        return service(self, max_wait_time, *args, **kwargs)

    return look


def preload() -> list[str]:
    """Import and change all that this Airflow has; return what it lacks."""
    lacks = []
    for name in MODULES:
        try:
            importlib.import_module(name)
        except ImportError as error:
            lacks.append(f"{name} ({error})")
    module, class_name, method = SUPERVISOR
    try:
        supervisor = getattr(importlib.import_module(module), class_name)
        setattr(supervisor, method, attentive(getattr(supervisor, method)))
    except (ImportError, AttributeError) as error:
        lacks.append(f"{module}.{class_name}.{method} ({error})")
    return lacks
