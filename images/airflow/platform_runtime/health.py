"""`platform-health ROLE`: the health check of the roles that answer no HTTP. Ends with 0 when healthy, else with 1.

ECS starts it beside the process, with the container's own variables, not with what the entry point has made of them.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from . import addresses, consumption, heartbeat, notes
from .variables import Refusal, Variables

HEALTHY, UNHEALTHY = 0, 1
LONGEST_SECONDS: Final = 18
"""Less than ECS waits: an interrupted check can still tell a silent broker from a silent worker."""

Check = Callable[[Variables, dict[str, Any]], str | None]


def main() -> int:
    """Check the role that stands in the arguments."""
    role = sys.argv[1] if len(sys.argv) > 1 else ""
    if role not in CHECKS:
        sys.stderr.write(f"usage: platform-health {'|'.join(CHECKS)}\n")
        return UNHEALTHY
    signal.signal(signal.SIGALRM, _give_up)
    signal.alarm(LONGEST_SECONDS)
    problem = check(role, os.environ)
    sys.stdout.write(f"{problem or 'healthy'}\n")
    return UNHEALTHY if problem else HEALTHY


def check(role: str, environment: Mapping[str, str]) -> str | None:
    """Say why the process of a role is unhealthy, or None."""
    variables = Variables(environment)
    home = variables.need("AIRFLOW_HOME")
    try:
        variables.refuse()
        remembered = notes.read(home)
        problem = CHECKS[role](variables, remembered)
    except Refusal as refusal:
        return str(refusal)
    notes.write(home, remembered)
    return problem


def _heartbeat(role: str) -> Check:
    return lambda variables, remembered: heartbeat.problem(role, variables, remembered)


def _worker(variables: Variables, remembered: dict[str, Any]) -> str | None:
    where, login = addresses.broker(variables), addresses.login(variables, "BROKER")
    variables.refuse()
    worker = consumption.CeleryWorker(where.url(login, addresses.BROKER_DATABASE))
    return consumption.problem(worker, remembered, time.time())


def _give_up(_signal: int, _frame: object) -> None:
    raise TimeoutError(f"no answer within {LONGEST_SECONDS} s")


CHECKS: Final[Mapping[str, Check]] = {
    "dag-processor": _heartbeat("dag-processor"),
    "triggerer": _heartbeat("triggerer"),
    "worker": _worker,
}
