"""What differs between a container as rendered and as it is started here: one table, and nothing beside it.

Hosts, ports, file roots, secret values, the mode of TLS, drill timers and sizes may differ, and the agent of ECS adds
variables of its own. In namespaces little is left of that, since every container has its own address, file system and
/etc/hosts; plain processes share one address and one file system.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import urlsplit

from sandbox.twin.image import BASE_IMAGE_PATH, Image
from sandbox.twin.isolation import Mode, host_name
from sandbox.twin.model import Container, Mount
from sandbox.twin.platform import Platform

LOCALHOST: Final = "localhost"
BUNDLE: Final = "PLATFORM_METASTORE_CA_BUNDLE"
"""The image's variable with the path of the authorities that it trusts for RDS."""
TMP: Final = "/tmp"  # noqa: S108  the container's
SIMULATED: Final = "simulated"
METADATA_PATH: Final = "/v4/"
"""Begins the paths under which ECS tells a container about itself and its task."""
BOTH: Final = frozenset(Mode)
PLAIN: Final = frozenset({Mode.PLAIN})
NAMESPACES: Final = frozenset({Mode.NAMESPACES})


class Kind(StrEnum):
    """What may differ."""

    HOST = "host"
    PORT = "port"
    FILE_ROOT = "file root"
    SECRET_VALUE = "secret value"
    TLS_MODE = "TLS mode"
    TRUST_ROOT = "trust root"
    USER = "user"
    TIMER = "drill timer"
    SIZE = "size"
    AGENT = "agent"


class Place(StrEnum):
    """Where something may differ besides a variable, whose name is its place."""

    SECRETS = "(every secret variable)"
    VARIABLES = "(every other variable)"
    COMMAND = "(command)"
    HEALTH = "(health check)"
    USER = "(user)"
    MOUNT = "(file of the image)"
    COUNT = "(desired count)"
    PERCENT = "(deployment: minimum healthy and maximum percent)"
    RULE_HOST = "(listener rule: host)"
    FORWARDED_PROTO = "(balancer: X-Forwarded-Proto)"
    CERTIFICATE_HOST = "(gate: hostName)"


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """The most of everything that one machine is asked to run."""

    tasks: int = 2
    """Tasks of a service."""
    concurrency: int = 8
    """Tasks that one worker runs at once."""
    api_server_processes: int = 2


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is true for every container of one twin."""

    platform: Platform
    image: Image
    mode: Mode
    url: str
    """The user interface's address here, such as http://localhost:8080."""
    aws_url: str
    """The endpoint that stands in for AWS; its host is an address, otherwise S3 puts names of buckets before it."""
    authority: Path
    """Certificate of the authority that signed for the servers."""
    volumes: Mapping[str, Path]
    """Folders here of the file system, by its access points."""
    images: Path = Path()
    """Folder here of the images that have DAGs."""
    user: str = ""
    """The one that all containers have, where there is no other; empty: as rendered."""
    ports: Mapping[int, int] = field(default_factory=dict)
    """Plain mode: what listens where, by rendered ports: metastore, broker and the first task of every service."""
    timers: bool = False
    """Use the drill timers."""
    sizes: Sizes = field(default_factory=Sizes)


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is true for the containers of one task."""

    address: str
    id: str
    hosts_file: Path
    scratch: Path
    """Folder for what is one container's alone."""
    volumes: Path
    """Folder for the scratch volumes of the task."""
    ports: Mapping[int, int] = field(default_factory=dict)
    """Plain mode: where the task itself listens, by rendered ports."""


@dataclass(frozen=True)
class Context:
    """What a value is made from; what belongs to the whole twin has neither a container nor a task."""

    facts: Facts
    container: Container | None = None
    task: Task | None = None

    @property
    def role(self) -> str:
        """The container's name, which is its role."""
        return self.container.name if self.container else ""

    @property
    def host_name(self) -> str:
        """The task's own."""
        return host_name(self.task.address) if self.task else ""

    @property
    def ui_host(self) -> str:
        """Host name of the user interface here."""
        return urlsplit(self.facts.url).hostname or LOCALHOST

    @property
    def folder(self) -> str:
        """The container's folder here."""
        return str(self.task.scratch) if self.task else ""

    @property
    def bundle(self) -> str:
        """Path, for the container, of the twin's authority."""
        inside = self.facts.image.environment[BUNDLE]
        return str(self.facts.authority) if self.facts.mode is Mode.PLAIN else inside

    def volume_here(self, path: str) -> str | None:
        """Return where a path on a volume lies on this machine; None for every other text."""
        for mount in self.container.mounts if self.container else ():
            if self.task and PurePosixPath(path).is_relative_to(mount.path):
                place = volume(self.facts, self.task, mount)
                return str(place / PurePosixPath(path).relative_to(mount.path))
        return None

    def port(self, rendered: str) -> str:
        """Return where this task listens, or another that it connects to."""
        own = self.task.ports if self.task else {}
        number = int(rendered)
        return str(own.get(number, self.facts.ports.get(number, number)))


def volume(facts: Facts, task: Task, mount: Mount) -> Path:
    """Return the folder of a volume: of the file system, or scratch of the task."""
    return facts.volumes[mount.access_point] if mount.access_point else task.volumes / mount.volume


def container_id(task_id: str, name: str) -> str:
    """Return the id that Fargate gives a container: the task's and a number."""
    return f"{task_id}-{zlib.crc32(name.encode()):010d}"


Value = Callable[[str, Context], str]


@dataclass(frozen=True, kw_only=True)
class Rewrite:
    """One row of the table."""

    kind: Kind
    place: str
    """A variable, or one of Place."""
    value: Value
    """Gives the value here from the rendered one."""
    becomes: str
    """The same for people."""
    why: str
    modes: frozenset[Mode] = BOTH
    timer: bool = False
    """Only with the drill timers."""
    added_to: frozenset[str] | None = None
    """Containers that get the variable although it is not rendered; None: it is only rewritten."""

    def applies(self, context: Context) -> bool:
        """Say whether the row counts in this mode."""
        return context.facts.mode in self.modes and (context.facts.timers or not self.timer)


def _always(value: str) -> Value:
    return lambda _rendered, _context: value


def _unchanged(rendered: str, _context: Context) -> str:
    return rendered


def _port(rendered: str, context: Context) -> str:
    return context.port(rendered)


def _at_most(limit: Callable[[Sizes], int]) -> Value:
    return lambda rendered, context: str(min(int(rendered), limit(context.facts.sizes)))


def _on_volume(rendered: str, context: Context) -> str:
    """Rewrite a value that is a path on a volume, and leave every other alone."""
    return context.volume_here(rendered) or rendered


def _in_image(rendered: str, context: Context) -> str:
    place = context.facts.image.place
    return ":".join(str(place(part)) if part.startswith("/") else part for part in rendered.split(":"))


def _programs(rendered: str, context: Context) -> str:
    return rendered.replace(BASE_IMAGE_PATH, str(context.facts.image.bin))


def _local_url(rendered: str, context: Context) -> str:
    parts = urlsplit(rendered)
    return parts._replace(netloc=f"{LOCALHOST}:{context.port(str(parts.port))}").geturl()


def _local_ports(rendered: str, context: Context) -> str:
    return re.sub(rf"(?<={LOCALHOST}:)\d+", lambda found: context.port(found[0]), rendered)


def _metadata_url(_rendered: str, context: Context) -> str:
    task_id = context.task.id if context.task else ""
    return f"{context.facts.aws_url}{METADATA_PATH}{container_id(task_id, context.role)}"


def _concurrency(rendered: str, context: Context) -> str:
    limit = context.facts.sizes.concurrency
    return re.sub(r"(?<=--concurrency )\d+", lambda found: str(min(int(found[0]), limit)), rendered)


EVERY: Final = frozenset(
    {
        "api-server",
        "scheduler",
        "dag-processor",
        "triggerer",
        "worker",
        "flower",
        "bootstrap",
        "release-agent",
        "release-publisher",
    }
)
SCHEDULER: Final = frozenset({"scheduler"})


def _variables(
    kind: Kind, names: Iterable[str], value: Value, becomes: str, why: str, modes: frozenset[Mode] = PLAIN
) -> tuple[Rewrite, ...]:
    return tuple(
        Rewrite(kind=kind, place=name, value=value, becomes=becomes, why=why, modes=modes) for name in names
    )


def _agent(name: str, value: Value, becomes: str, why: str, modes: frozenset[Mode] = BOTH) -> Rewrite:
    return Rewrite(
        kind=Kind.AGENT, place=name, value=value, becomes=becomes, why=why, modes=modes, added_to=EVERY
    )


def _timer(name: str, seconds: int, why: str, added_to: frozenset[str] | None = None) -> Rewrite:
    return Rewrite(
        kind=Kind.TIMER,
        place=name,
        value=_always(str(seconds)),
        becomes=str(seconds),
        why=why,
        timer=True,
        added_to=added_to,
    )


TABLE: Final[tuple[Rewrite, ...]] = (
    # Both modes.
    Rewrite(
        kind=Kind.SECRET_VALUE,
        place=Place.SECRETS,
        value=_unchanged,
        becomes="the secret's value at the twin's endpoint",
        why="the ECS agent fills them from Secrets Manager",
    ),
    _agent("AWS_EXECUTION_ENV", _always("AWS_ECS_FARGATE"), "AWS_ECS_FARGATE", "set on Fargate"),
    _agent("AWS_REGION", lambda _, context: context.facts.platform.region, "the region", "set on Fargate"),
    _agent(
        "HOSTNAME",
        lambda _, context: context.host_name,
        "the task's host name",
        "set by the container runtime",
        NAMESPACES,
    ),
    *(
        _agent(name, _always(SIMULATED), SIMULATED, "in place of the task role's credentials")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    ),
    _agent(
        "AWS_ENDPOINT_URL", lambda _, context: context.facts.aws_url, "the twin's endpoint", "AWS is not here"
    ),
    _agent(
        "ECS_CONTAINER_METADATA_URI_V4",
        _metadata_url,
        "the twin's endpoint, with the container's id",
        "where ECS tells a container about its task",
    ),
    Rewrite(
        kind=Kind.TRUST_ROOT,
        place="SSL_CERT_FILE",
        value=lambda _, context: context.bundle,
        becomes="the twin's authority",
        why="the broker's certificate is verified with the system's authorities",
        added_to=EVERY,
    ),
    Rewrite(
        kind=Kind.FILE_ROOT,
        place="PATH",
        value=_programs,
        becomes="the lock's packages, installed on this machine",
        why="there is no container engine to unpack an image",
    ),
    *_variables(
        Kind.TLS_MODE,
        ["AIRFLOW__API__BASE_URL"],
        lambda _, context: context.facts.url,
        "http://localhost:PORT",
        "the balancer listens there, without a certificate that browsers would refuse",
        BOTH,
    ),
    Rewrite(
        kind=Kind.TLS_MODE,
        place=Place.FORWARDED_PROTO,
        value=_always("http"),
        becomes="http",
        why="how clients reach the balancer here",
    ),
    Rewrite(
        kind=Kind.HOST,
        place=Place.RULE_HOST,
        value=lambda _, context: context.ui_host,
        becomes="localhost",
        why="the name of the user interface here",
    ),
    Rewrite(
        kind=Kind.SIZE,
        place=Place.COUNT,
        value=_at_most(lambda sizes: sizes.tasks),
        becomes="2 at most; 1 as plain processes, which share their ports",
        why="two show what redundancy does",
    ),
    Rewrite(
        kind=Kind.PORT,
        place=Place.PERCENT,
        value=_always("0/100"),
        becomes="0 and 100",
        why="a task can listen only after the one before has ended",
        modes=PLAIN,
    ),
    Rewrite(
        kind=Kind.SIZE,
        place=Place.COMMAND,
        value=_concurrency,
        becomes="--concurrency 8 at most",
        why="one machine stands in for many",
    ),
    Rewrite(
        kind=Kind.SIZE,
        place="AIRFLOW__API__WORKERS",
        value=_at_most(lambda sizes: sizes.api_server_processes),
        becomes="2 at most",
        why="one machine stands in for many",
    ),
    # Namespaces only.
    Rewrite(
        kind=Kind.TRUST_ROOT,
        place=Place.MOUNT,
        value=_unchanged,
        becomes="the twin's authority, in the place of the RDS bundle",
        why="it signed for the servers that stand in for RDS",
        modes=NAMESPACES,
    ),
    Rewrite(
        kind=Kind.USER,
        place=Place.USER,
        value=lambda rendered, context: context.facts.user or rendered,
        becomes="without root: the one user of the namespace",
        why="an ordinary user may name no other",
        modes=NAMESPACES,
    ),
    # Plain processes only.
    *_variables(
        Kind.HOST,
        ["PLATFORM_METASTORE_HOST", "PLATFORM_BROKER_HOST"],
        _always(LOCALHOST),
        LOCALHOST,
        "private names do not resolve",
    ),
    *_variables(
        Kind.PORT,
        [
            "PLATFORM_METASTORE_PORT",
            "PLATFORM_BROKER_PORT",
            "AIRFLOW__API__PORT",
            "AIRFLOW__CELERY__FLOWER_PORT",
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT",
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT",
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT",
        ],
        _port,
        "a free port",
        "all tasks share one address",
    ),
    *_variables(
        Kind.HOST,
        ["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"],
        _local_url,
        "https://localhost:PORT/execution/",
        "private names do not resolve",
    ),
    *_variables(
        Kind.HOST,
        ["FORWARDED_ALLOW_IPS"],
        _always("127.0.0.1"),
        "127.0.0.1",
        "the balancer's address",
    ),
    Rewrite(
        kind=Kind.HOST,
        place=Place.CERTIFICATE_HOST,
        value=_always(LOCALHOST),
        becomes=LOCALHOST,
        why="what workers call the api-server",
        modes=PLAIN,
    ),
    Rewrite(
        kind=Kind.PORT,
        place=Place.HEALTH,
        value=_local_ports,
        becomes="the task's own ports",
        why="all tasks share one address",
        modes=PLAIN,
    ),
    Rewrite(
        kind=Kind.FILE_ROOT,
        place=Place.VARIABLES,
        value=_on_volume,
        becomes="volumes where they lie on this machine",
        why="there is one file system",
        modes=PLAIN,
    ),
    *_variables(
        Kind.FILE_ROOT,
        ["PATH", "PYTHONPATH"],
        _in_image,
        "what the image brings, where it lies on this machine",
        "there is one file system",
    ),
    *_variables(
        Kind.FILE_ROOT,
        ["PLATFORM_DAG_STORAGE_PATH"],
        lambda rendered, context: context.volume_here(rendered) or _in_image(rendered, context),
        "the volume, or what the image with DAGs brings, where it lies on this machine",
        "there is one file system",
    ),
    *_variables(
        Kind.FILE_ROOT,
        ["HOME", "AIRFLOW_USER_HOME_DIR"],
        lambda rendered, context: context.volume_here(rendered) or context.folder,
        "the volume, or the container's folder",
        "the image's user has no home on this machine",
    ),
    Rewrite(
        kind=Kind.FILE_ROOT,
        place="TMPDIR",
        value=lambda _, context: context.volume_here(TMP) or context.folder,
        becomes="the volume that is mounted at /tmp",
        why="there is one file system",
        modes=PLAIN,
        added_to=EVERY,
    ),
    *_variables(
        Kind.TRUST_ROOT,
        [BUNDLE],
        lambda _, context: context.bundle,
        "the twin's authority",
        "there is one file system",
    ),
    # Drill timers: faults are noticed within seconds instead of minutes. With the rendered values a worker gives up
    # 10 seconds before the scheduler does; here one failed heartbeat of 4 attempts ends a task after 21 seconds at the
    # latest: 4 times 2 addresses that do not answer within 2 seconds, and 1, 2 and 2 seconds between.
    _timer("AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT", 30, "600 seconds as rendered"),
    _timer("AIRFLOW__WORKERS__MAX_FAILED_HEARTBEATS", 1, "a worker gives up before the scheduler does"),
    _timer("AIRFLOW__WORKERS__EXECUTION_API_RETRIES", 4, "a worker gives up before the scheduler does"),
    _timer(
        "AIRFLOW__WORKERS__EXECUTION_API_RETRY_WAIT_MAX", 2, "a worker gives up before the scheduler does"
    ),
    _timer("AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT", 2, "a worker gives up before the scheduler does"),
    _timer("AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT", 40, "2400 seconds as rendered"),
    _timer("AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL", 10, "Airflow takes 120", SCHEDULER),
    _timer("AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL", 30, "Airflow takes 300", SCHEDULER),
    _timer("AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD", 15, "Airflow takes 30", SCHEDULER),
)


def described() -> Iterator[tuple[str, str, str, str, str]]:
    """Yield the table for people: kind, place, what it becomes, when, why."""
    for row in TABLE:
        when = "always" if row.modes == BOTH else " ".join(sorted(row.modes))
        yield row.kind, row.place, row.becomes, "drill timers" if row.timer else when, row.why
