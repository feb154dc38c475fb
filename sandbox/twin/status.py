"""What a twin says of itself, and how a person sees it. The answer of the control command `status` has this shape."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypedDict

SHORT: Final = 8
"""Characters of a task's id that tell it from the others."""


class TaskStatus(TypedDict):
    """A task of a service."""

    id: str
    status: str
    """PROVISIONING, RUNNING, STOPPING or STOPPED."""
    health: str
    """HEALTHY, UNHEALTHY or UNKNOWN."""
    address: str
    memory_mib: float | None
    """None when it was not counted."""
    limit_mib: float
    """What its definition gives it."""
    healthy_after_seconds: float | None
    """From its start to its first healthy moment."""
    target: str | None
    """State in its target group; None without one."""


class ServiceStatus(TypedDict):
    """A service."""

    name: str
    role: str
    desired: int
    restarts: int
    """Tasks that were replaced since the twin started, except by a deployment or on request."""
    tasks: list[TaskStatus]


class Status(TypedDict):
    """A twin."""

    stack: str
    url: str
    mode: str
    """How containers are kept apart."""
    phase: str
    """What it is doing, for people."""
    ready: bool
    """Whether every service has its healthy tasks, and the balancer a target."""
    error: str
    """What went wrong since the start, and still is; empty otherwise."""
    aws: dict[str, str]
    """Variables with which AWS tools of this machine find the twin's AWS; empty before it answers."""
    notes: list[str]
    """What a person must know before trusting it, such as what the mode cannot show."""
    services: list[ServiceStatus]


class Login(TypedDict):
    """Who can log in."""

    username: str
    password: str
    source: str
    """Which secret it is."""


def healthy(service: ServiceStatus) -> int:
    """Return how many tasks of a service run and are healthy."""
    return sum(task["status"] == "RUNNING" and task["health"] == "HEALTHY" for task in service["tasks"])


def table(status: Status) -> str:
    """Return the status as a table, a line for each task."""
    rows: list[Sequence[str]] = [
        ("SERVICE", "TASK", "STATUS", "HEALTH", "TARGET", "ADDRESS", "MEMORY", "HEALTHY AFTER", "RESTARTS")
    ]
    for service in status["services"]:
        count = f"{service['role']} {healthy(service)}/{service['desired']}"
        restarts = str(service["restarts"])
        tasks: list[TaskStatus | None] = [*service["tasks"]]
        for task in tasks or [None]:
            rows.append((count, *_task(task), restarts))
            count = restarts = ""
    state = "ready" if status["ready"] else status["phase"]
    lines = [f"{status['stack']} at {status['url']} ({status['mode']}): {state}", *aligned(rows)]
    return "\n".join([*lines, *status["notes"], *filter(None, [status["error"]]), *exports(status["aws"])])


def exports(variables: Mapping[str, str]) -> list[str]:
    """Return lines for a shell that make AWS tools talk to the twin, and to nothing else."""
    if not variables:
        return []
    return [
        *(f"export {name}={shlex.quote(value)}" for name, value in variables.items()),
        'export NO_PROXY="127.0.0.1${NO_PROXY:+,$NO_PROXY}"',
        'export no_proxy="$NO_PROXY"',
        "unset AWS_PROFILE AWS_SESSION_TOKEN",
    ]


def _task(task: TaskStatus | None) -> tuple[str, ...]:
    if task is None:
        return ("none", *[""] * 6)
    after = task["healthy_after_seconds"]
    return (
        task["id"][:SHORT],
        task["status"],
        task["health"],
        task["target"] or "",
        task["address"],
        "" if task["memory_mib"] is None else f"{task['memory_mib']:.0f}/{task['limit_mib']:.0f} MiB",
        "" if after is None else f"{after:.1f} s",
    )


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table; every row has as many cells."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


class News:
    """Tells what has changed from one status to the next, each thing once."""

    def __init__(self) -> None:
        """Start with nothing told."""
        self._told: set[str] = set()

    def of(self, status: Status) -> Iterator[str]:
        """Give the lines that are new."""
        for line in (*status["notes"], status["phase"], *_events(status)):
            if line not in self._told:
                self._told.add(line)
                yield line


def _events(status: Status) -> Iterator[str]:
    for service in status["services"]:
        if service["restarts"]:
            yield f"{service['role']}: a task was replaced ({service['restarts']} so far)"
        times = [task["healthy_after_seconds"] for task in service["tasks"]]
        done = [time for time in times if time is not None]
        if healthy(service) >= service["desired"] > 0 and done:
            yield f"{service['role']}: {len(done)} healthy, {max(done):.1f} s after its start"


def missing(status: Status) -> str:
    """Return which services are not healthy yet, for an error."""
    short = [
        f"{service['role']} {healthy(service)}/{service['desired']}"
        for service in status["services"]
        if healthy(service) < service["desired"]
    ]
    return ", ".join(short) or "no target of the balancer is healthy"


def welcome(status: Status, login: Login, command: str) -> str:
    """Return what a person needs to begin.

    Args:
        status: The twin's.
        login: Shown here, and nowhere else.
        command: How the twin's commands begin.

    """
    stack = f" --stack {status['stack']}"
    return "\n".join(
        (
            f"Airflow   {status['url']}",
            f"log in    {login['username']}, password {login['password']}",
            f"          (made for this twin alone: {login['source']})",
            f"a run     {command} trigger example_etl --wait{stack}",
            f"look      {command} status{stack}",
            f"end       {command} stop{stack}",
        )
    )
