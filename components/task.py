"""The container of an Airflow process as ECS sees it: one pure function, and one table of what each role needs.

Every container runs without root, without capabilities and on a read-only root file system. What it may write is
scratch that dies with the task. Its image, the variables and the secrets are given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import pulumi

from components.connections import API_SERVER_PORT, FLOWER_PORT, TRIGGERER_LOG_PORT, WORKER_LOG_PORT
from components.references import SecretReference
from components.roles import DAG_READERS, ONE_OFF, Role

USER = "50000:0"
"""User and group of the Airflow image; files that it may write belong to the group 0."""
PUBLISHER_USER = "50001:0"
"""Owns the files of DAG releases, so that nothing else may write them."""
HEALTH_COMMAND = "platform-health"
"""The image's health check. The image's entry point puts the addresses of metastore and broker together, then becomes
the command; ECS starts a health check beside it, without its variables, so this one puts them together itself."""
SCHEDULER_HEALTH_PORT = 8974
"""Answers inside the container only."""
FLOWER_PREFIX = "flower"
"""Path of Flower under the one host name."""
STATE_PATH = "/opt/airflow/state"
"""AIRFLOW_HOME: generated configuration and logs of running tasks."""
DAG_STORAGE_PATH = "/mnt/dags"
DAG_VOLUME = "dags"
BAKED_PATH = "/opt/airflow/baked"
"""Where an image with DAGs has its release, in the layout of the DAG storage."""
RELEASES_PATH = "/opt/airflow/releases"
"""Verified copies of DAG releases: the agent writes them, Airflow reads them."""
RELEASES_VOLUME = "releases"
SCRATCH = MappingProxyType({"state": STATE_PATH, "tmp": "/tmp"})  # noqa: S108  a mount point, not a file
"""Scratch volumes of every task by name; the image owns their mount points, otherwise Fargate gives them to root."""
AGENT_COMMAND = "platform-release-agent"
STORAGE, COPIES = (DAG_VOLUME, DAG_STORAGE_PATH), (RELEASES_VOLUME, RELEASES_PATH)
MOUNTS: Mapping[Role, tuple[tuple[tuple[str, str], bool], ...]] = MappingProxyType(
    {
        **dict.fromkeys(DAG_READERS, ((COPIES, True),)),
        Role.RELEASE_AGENT: ((STORAGE, True), (COPIES, False)),
        Role.RELEASE_PUBLISHER: ((STORAGE, False),),
    }
)
"""Volumes besides scratch, and whether they are read only. Airflow itself cannot change a DAG that it runs."""
RESTART_SECONDS = 60
"""The shortest that ECS allows: a container that ends sooner after its start is not started again."""
START_SECONDS = 120
"""Fargate would wait for three minutes; a first copy takes seconds, and a new task may be luckier."""
LOG_BUFFER = "25m"
MAX_STOP_SECONDS = 120
"""The longest that Fargate waits between SIGTERM and SIGKILL."""


@dataclass(frozen=True, kw_only=True)
class HealthCheck:
    """How ECS asks a container for its health; it replaces one that fails `retries` times in a row."""

    command: tuple[str, ...]
    interval_seconds: int = 30
    timeout_seconds: int = 5
    retries: int = 3
    start_seconds: int = 120
    """Failures that do not count after the start."""


@dataclass(frozen=True, kw_only=True)
class Process:
    """What is the same for all containers of one role."""

    command: tuple[str, ...]
    health: HealthCheck | None
    stop_seconds: int
    """Time between SIGTERM and SIGKILL."""
    start_seconds: int | None = None
    """How long those that depend on it wait until it is healthy, before the task is given up."""
    port: int | None = None
    """What other parties may connect to."""
    user: str = USER
    essential: bool = True
    """Whether its end is the end of the task."""


def _asks(url: str) -> tuple[str, ...]:
    # -k: the certificate names the private host name, not localhost; nobody can stand between the two.
    return ("CMD", "curl", "-fsSk", "--max-time", "4", url)


def _runtime_check(role: Role, **limits: int) -> HealthCheck:
    """Ask the image's own check, for the roles that answer no HTTP.

    It takes the container's variables itself and imports no Airflow: 0.1 CPU seconds for a heartbeat in the
    metastore, 0.4 for a worker; Airflow's own commands take 3.3.
    """
    return HealthCheck(command=("CMD", HEALTH_COMMAND, role.value), **limits)


PROCESSES: Mapping[Role, Process] = MappingProxyType(
    {
        Role.API_SERVER: Process(
            # Without the flag it takes the load balancer for the client and http for the scheme.
            command=("airflow", "api-server", "--proxy-headers"),
            port=API_SERVER_PORT,
            health=HealthCheck(command=_asks(f"https://localhost:{API_SERVER_PORT}/api/v2/version")),
            # Idle it ends in 5 seconds; gunicorn lets open requests finish, such as downloads of logs, for as long as
            # Airflow's worker_timeout, which must be shorter.
            stop_seconds=MAX_STOP_SECONDS,
        ),
        Role.SCHEDULER: Process(
            command=("airflow", "scheduler"),
            # It answers 503 without the metastore; 150 seconds are longer than a failover takes.
            health=HealthCheck(
                command=(
                    "CMD",
                    "curl",
                    "-fsS",
                    "--max-time",
                    "9",
                    f"http://localhost:{SCHEDULER_HEALTH_PORT}/health",
                ),
                timeout_seconds=10,
                retries=5,
            ),
            # 3 seconds when idle; under load it finishes its loop first.
            stop_seconds=30,
        ),
        Role.DAG_PROCESSOR: Process(
            command=("airflow", "dag-processor"),
            health=_runtime_check(Role.DAG_PROCESSOR, timeout_seconds=20, retries=5),
            # Half a second: it drops what it parses and parses it again after the start.
            stop_seconds=30,
        ),
        Role.TRIGGERER: Process(
            command=("airflow", "triggerer"),
            port=TRIGGERER_LOG_PORT,
            health=_runtime_check(Role.TRIGGERER, timeout_seconds=20, retries=5),
            # 12.5 seconds without a single trigger.
            stop_seconds=60,
        ),
        Role.WORKER: Process(
            command=("airflow", "celery", "worker"),
            port=WORKER_LOG_PORT,
            # A broker out of reach does not count, the check itself sees to that. Five failures: after an outage a
            # worker tries again every 30 seconds at the slowest. Patience, once a minute: a busy one answers late.
            health=_runtime_check(Role.WORKER, interval_seconds=60, timeout_seconds=30, retries=5),
            # It waits for its running tasks; what is not done by then starts again elsewhere.
            stop_seconds=MAX_STOP_SECONDS,
        ),
        Role.FLOWER: Process(
            command=("airflow", "celery", "flower"),
            port=FLOWER_PORT,
            health=HealthCheck(command=_asks(f"https://localhost:{FLOWER_PORT}/{FLOWER_PREFIX}/healthcheck")),
            # It keeps nothing and ends in a second.
            stop_seconds=30,
        ),
        Role.BOOTSTRAP: Process(
            command=("platform-bootstrap",),
            # It runs once and ends; its exit code tells.
            health=None,
            # The longest there is: it goes on after SIGTERM, since a migration should end by itself.
            stop_seconds=MAX_STOP_SECONDS,
        ),
        Role.RELEASE_AGENT: Process(
            command=(AGENT_COMMAND, "run"),
            # Airflow waits for the first success, so it is asked often; each time costs 0.05 seconds of a processor.
            health=HealthCheck(command=("CMD", AGENT_COMMAND, "healthy"), interval_seconds=5),
            start_seconds=START_SECONDS,
            # It ends at once: what readers see of it appears as a whole or not at all.
            stop_seconds=10,
            # Running tasks go on without it, and it is started again.
            essential=False,
        ),
        Role.RELEASE_PUBLISHER: Process(
            command=("platform-publisher", "verify"),
            # It runs once and ends; its exit code tells.
            health=None,
            # It ends at once; the next one begins again.
            stop_seconds=30,
            user=PUBLISHER_USER,
        ),
    }
)


@dataclass(frozen=True, kw_only=True)
class ContainerArgs:
    """Inputs of a container definition."""

    role: Role
    """Decides command, health check, port and the time to stop; it is the container's name as well."""
    image: pulumi.Input[str]
    """Image with its digest."""
    command: Sequence[str] = ()
    """Command instead of the role's own."""
    region: str
    """Region of the log group."""
    log_group_name: pulumi.Input[str]
    """Existing log group: the container may not make one."""
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """Plain variables."""
    secrets: Mapping[str, SecretReference] = field(default_factory=dict)
    """Variables that the ECS agent fills."""
    exec_enabled: bool = False
    """Allow ECS Exec: its agent writes into the root file system."""
    dags_in_image: bool = False
    """The image has the DAGs, so there is no DAG storage to mount."""


def container(args: ContainerArgs) -> dict[str, Any]:
    """Return the container definition; outputs stand inside."""
    process = PROCESSES[args.role]
    definition: dict[str, Any] = {
        "name": args.role.value,
        "image": args.image,
        "essential": process.essential,
        "command": list(args.command or process.command),
        "user": process.user,
        "readonlyRootFilesystem": not args.exec_enabled,
        "environment": [{"name": name, "value": args.environment[name]} for name in sorted(args.environment)],
        "secrets": [
            {"name": name, "valueFrom": args.secrets[name].value_from} for name in sorted(args.secrets)
        ],
        "linuxParameters": {"initProcessEnabled": True, "capabilities": {"drop": ["ALL"]}},
        "logConfiguration": {"logDriver": "awslogs", "options": _log_options(args)},
        "mountPoints": _mount_points(args),
        "stopTimeout": process.stop_seconds,
    }
    if process.port is not None:
        definition["portMappings"] = [{"containerPort": process.port, "protocol": "tcp"}]
    if process.health is not None:
        definition["healthCheck"] = _health_check(process.health)
    if process.start_seconds is not None:
        definition["startTimeout"] = process.start_seconds
    if not process.essential:
        definition["restartPolicy"] = {"enabled": True, "restartAttemptPeriod": RESTART_SECONDS}
    if args.role in DAG_READERS:
        definition["dependsOn"] = [{"containerName": Role.RELEASE_AGENT.value, "condition": "HEALTHY"}]
    return definition


def _log_options(args: ContainerArgs) -> dict[str, Any]:
    options = {
        "awslogs-group": args.log_group_name,
        "awslogs-region": args.region,
        "awslogs-stream-prefix": "task",
    }
    if args.role in ONE_OFF:
        # Its log explains why an update or a release failed: it waits rather than lose a line.
        return options | {"mode": "blocking"}
    # A process that cannot write its log stands still, heartbeats included. Logs of tasks go to S3 anyway.
    return options | {"mode": "non-blocking", "max-buffer-size": LOG_BUFFER}


def _mount_points(args: ContainerArgs) -> list[dict[str, Any]]:
    scratch = [_mount(name, path, read_only=False) for name, path in SCRATCH.items()]
    own = [
        _mount(*volume, read_only=read_only)
        for volume, read_only in MOUNTS.get(args.role, ())
        if not (args.dags_in_image and volume == STORAGE)
    ]
    return [*own, *scratch]


def _mount(name: str, path: str, *, read_only: bool) -> dict[str, Any]:
    return {"sourceVolume": name, "containerPath": path, "readOnly": read_only}


def _health_check(health: HealthCheck) -> dict[str, Any]:
    return {
        "command": list(health.command),
        "interval": health.interval_seconds,
        "timeout": health.timeout_seconds,
        "retries": health.retries,
        "startPeriod": health.start_seconds,
    }
