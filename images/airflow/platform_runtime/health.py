"""`platform-health ROLE`: the health check of the roles that answer no HTTP. Ends with 0 when healthy, else with 1.

ECS starts it beside the process, with the container's own variables, not with what the entry point has made of them.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from . import addresses, consumption, heartbeat, notes
from .releases import state
from .variables import Refusal, Variables

HEALTHY, UNHEALTHY = 0, 1
AGAIN_SECONDS: Final = 1.0
"""A library may take the first interruption for an attempt that failed, and try once more."""

Judge = Callable[[Variables, dict[str, Any]], str | None]


@dataclass(frozen=True)
class Check:
    """What says that a process is unhealthy."""

    judge: Judge
    longest_seconds: float
    """Less than ECS waits: an interrupted check can still tell a silent server from a silent process."""


def main() -> int:
    """Check the role that stands in the arguments."""
    role = sys.argv[1] if len(sys.argv) > 1 else ""
    if role not in CHECKS:
        sys.stderr.write(f"usage: platform-health {'|'.join(CHECKS)}\n")
        return UNHEALTHY
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
        with _at_most(CHECKS[role].longest_seconds):
            problem = CHECKS[role].judge(variables, remembered)
    except (Refusal, TimeoutError) as reason:
        return str(reason)
    notes.write(home, remembered)
    return problem


def _heartbeat(role: str) -> Judge:
    return lambda variables, remembered: heartbeat.problem(role, variables, remembered, time.time())


def _worker(variables: Variables, remembered: dict[str, Any]) -> str | None:
    where, login = addresses.broker(variables), addresses.login(variables, "BROKER")
    variables.refuse()
    worker = consumption.CeleryWorker(where.url(login, addresses.BROKER_DATABASE))
    # With DAGs in the image there are no copies, and no agent.
    copies = variables.get("PLATFORM_RELEASES_PATH")
    halted = copies is not None and state.trouble(Path(copies)) is not None
    return consumption.problem(worker, remembered, time.time(), halted=halted)


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Interrupt the block with a TimeoutError, which is an OSError: the servers' clients know what to do with it."""

    def give_up(_signal: int, _frame: object) -> None:
        raise TimeoutError(f"no answer within {seconds:g} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


CHECKS: Final[Mapping[str, Check]] = {
    "dag-processor": Check(_heartbeat("dag-processor"), 15),
    "triggerer": Check(_heartbeat("triggerer"), 15),
    "worker": Check(_worker, 25),
}
