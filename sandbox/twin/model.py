"""What the twin runs, in the words of ECS: containers, task definitions, services. Plain values, no behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class HealthCheck:
    """How a container is asked for its health."""

    command: tuple[str, ...]
    """As in the definition: CMD and its arguments, or CMD-SHELL and one line for the shell."""
    interval_seconds: float
    timeout_seconds: float
    retries: int
    """Failures in a row that make the container unhealthy."""
    start_period_seconds: float
    """Failures in this time after the start do not count."""


@dataclass(frozen=True, kw_only=True)
class SecretSource:
    """Where the ECS agent finds the value of a variable."""

    arn: str
    key: str | None
    """Key within a JSON secret; None means the whole text."""


@dataclass(frozen=True, kw_only=True)
class Mount:
    """A volume of the task in the file system of a container."""

    volume: str
    path: str
    read_only: bool
    access_point: str = ""
    """Id of the way into the file system, for a volume on EFS; empty for scratch that dies with the task."""


@dataclass(frozen=True, kw_only=True)
class LogPlace:
    """Where CloudWatch Logs keeps what a container writes."""

    group: str
    prefix: str
    """Begins the name of a stream, which goes on with container and task."""


@dataclass(frozen=True, kw_only=True)
class Container:
    """One container of a task definition, as rendered."""

    name: str
    image: str
    entry_point: tuple[str, ...]
    command: tuple[str, ...]
    environment: Mapping[str, str]
    secrets: Mapping[str, SecretSource]
    health: HealthCheck | None
    stop_timeout_seconds: float
    """Time between SIGTERM and SIGKILL."""
    depends_on: tuple[tuple[str, str], ...]
    """Other containers of the task, each with its condition: START, COMPLETE, SUCCESS or HEALTHY."""
    user: str
    """User and group as numbers, "50000:0"."""
    read_only_root: bool
    mounts: tuple[Mount, ...]
    ports: tuple[int, ...]
    essential: bool
    """The task stops when this container stops."""
    init: bool
    """Run under an init that forwards signals to the command and reaps what it leaves."""
    restart_seconds: float | None = None
    """It is started again when it ends after at least this time; None: it never is."""
    log: LogPlace | None = None


@dataclass(frozen=True, kw_only=True)
class Overrides:
    """What RunTask changes about a container."""

    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to the definition's."""
    command: tuple[str, ...] | None = None
    """In place of the definition's."""


@dataclass(frozen=True, kw_only=True)
class TaskDefinition:
    """What a task consists of."""

    family: str
    revision: int
    arn: str
    containers: tuple[Container, ...]
    cpu_units: int
    memory_mib: int


@dataclass(frozen=True, kw_only=True)
class Service:
    """A number of tasks that ECS keeps running."""

    name: str
    arn: str
    role: str
    """api-server, scheduler, dag-processor, triggerer, worker or flower."""
    definition: TaskDefinition
    desired_count: int
    minimum_healthy_percent: int
    maximum_percent: int
    target_groups: tuple[tuple[str, int], ...]
    """ARN of a target group and the port of the container behind it."""
    dns_names: tuple[str, ...]
    """Private names that its healthy tasks answer to."""
    grace_period_seconds: float
    """A failing check of the load balancer does not count in this time after a task's start."""


@dataclass(frozen=True, kw_only=True)
class Booted:
    """A container as it is really started here: every secret resolved, every rewriting done."""

    container: Container
    environment: Mapping[str, str]
    """Complete: nothing else reaches the process."""
    command: tuple[str, ...]
    """Entry point and command."""
    health: HealthCheck | None
    address: str
    """Address of the task; its containers share it."""
    hosts_file: Path
    """The container's /etc/hosts; rewritten in place when names change."""
    user: str
    """User and group as numbers; ordinary users have only one for all containers."""
    mounts: Mapping[str, Path]
    """Path in the container -> directory or file here."""
    root_mounts: tuple[Path, ...]
    """Paths that are visible, read-only, where they are here: the Airflow installation and its base Python."""
    scratch: Path
    """Folder for what is the container's alone."""
    volumes: Path
    """Folder for the scratch volumes of the task; its containers share those of one name."""
    volume_user: str
    """User and group of a new scratch volume: the image's, whose mount points are declared volumes."""
