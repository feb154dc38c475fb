"""What Airflow is told: one table of every environment variable, who gets it, its value and why.

Plain variables and secrets stand in the same table, so that it also says who does not get something: in Airflow 3
a worker needs neither the metastore nor a key. Airflow ignores a misspelt variable without a word, therefore every
AIRFLOW__SECTION__OPTION here is an option of Airflow 3.3.2, of its Celery provider 3.26 or of its FAB provider 3.10.
Addresses with passwords are put together inside the container, from the PLATFORM_ variables.

Two variables are set elsewhere, since they are no matter of the role: PLATFORM_TASK_MEMORY_MIB by the worker pool, and
PLATFORM_SERVICES_RUNNING by the platform gate, for the one bootstrap task that it starts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pulumi

from components.connections import API_SERVER_PORT, FLOWER_PORT, TRIGGERER_LOG_PORT, WORKER_LOG_PORT
from components.iam import tasks
from components.references import SecretReference
from components.roles import DAG_READERS, Role
from components.task import (
    BAKED_PATH,
    DAG_STORAGE_PATH,
    FLOWER_PREFIX,
    RELEASES_PATH,
    SCHEDULER_HEALTH_PORT,
    STATE_PATH,
)
from functions.platform_gate.kinds import SecretKind

TASK_LOG_PREFIX: Final = "task-logs"
"""Where task logs begin in their bucket."""
WORKER_REFRESH_SECONDS: Final = 43200
API_TIMEOUT_SECONDS: Final = 100
"""How long the api-server keeps a silent connection, and lets open requests finish when it stops. The load balancer
must give up first, otherwise somebody gets an error 502, and ECS must kill later."""
METASTORE_OPTIONS: Final = (
    "connect_timeout=10&keepalives_idle=30&keepalives_interval=10&keepalives_count=3&tcp_user_timeout=30000"
)
"""What libpq does about a server that went away without a word: it gives up after 10 seconds of connecting, 30
seconds without an answer, or a minute of silence; left alone, Linux waits two hours."""
PRELOADED: Final = "platform_runtime.preloaded"
"""A module of the image."""
SECRETS_BACKEND: Final = "airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend"
OWNER: Final = "metastore-owner"
"""The secret of the database's owner, which RDS makes and keeps."""

Roles = frozenset[Role]
EVERY: Final[Roles] = frozenset(Role)
API: Final[Roles] = frozenset({Role.API_SERVER})
SCHEDULER: Final[Roles] = frozenset({Role.SCHEDULER})
PARSER: Final[Roles] = frozenset({Role.DAG_PROCESSOR})
TRIGGERER: Final[Roles] = frozenset({Role.TRIGGERER})
WORKER: Final[Roles] = frozenset({Role.WORKER})
FLOWER: Final[Roles] = frozenset({Role.FLOWER})
BOOTSTRAP: Final[Roles] = frozenset({Role.BOOTSTRAP})
AGENT: Final[Roles] = frozenset({Role.RELEASE_AGENT})
PUBLISHER: Final[Roles] = frozenset({Role.RELEASE_PUBLISHER})
READERS: Final[Roles] = DAG_READERS
CELERY: Final[Roles] = SCHEDULER | WORKER | FLOWER
METASTORE: Final[Roles] = API | SCHEDULER | PARSER | TRIGGERER | BOOTSTRAP
AIRFLOW: Final[Roles] = EVERY - FLOWER - BOOTSTRAP - AGENT - PUBLISHER
TASK_LOGS: Final[Roles] = API | WORKER | TRIGGERER


@dataclass(frozen=True, kw_only=True)
class WiringFacts:
    """What the values are made of."""

    environment: str
    region: str
    airflow_version: str
    """Version of the image."""
    vpc_cidr: str
    """Where the load balancer's addresses come from."""
    base_url: pulumi.Input[str]
    """Address of the user interface, https and without a path."""
    execution_api_url: str
    """Private address of the Execution API, with its path."""
    metastore_host: pulumi.Input[str]
    metastore_port: int
    metastore_database: str
    broker_host: pulumi.Input[str]
    broker_port: int
    log_bucket_name: pulumi.Input[str]
    ledger_table_name: pulumi.Input[str]
    release_bucket_name: pulumi.Input[str]
    """Of the shared stack."""
    dags_in_image: bool
    """The DAGs come in the readers' image, not as releases on the DAG storage."""
    parallelism: int
    """Tasks that may be queued or running at once; the slots of all workers."""
    task_queued_timeout_seconds: int
    visibility_timeout_minutes: int
    """Longer than any task."""
    api_server_processes: int
    secret_arns: Mapping[SecretKind, pulumi.Input[str]]
    owner_secret_arn: pulumi.Input[str]


Value = Callable[[WiringFacts], pulumi.Input[str]]


@dataclass(frozen=True)
class Plain:
    """A variable whose value everybody may know."""

    name: str
    roles: Roles
    value: str | Value
    reason: str


@dataclass(frozen=True)
class Secret:
    """A variable that the ECS agent fills when it starts the container."""

    name: str
    roles: Roles
    kind: SecretKind | str
    """A secret of the gate, or OWNER."""
    key: str | None
    """Key of a secret that is a JSON object."""
    reason: str


def environment(role: Role, facts: WiringFacts) -> dict[str, pulumi.Input[str]]:
    """Return the plain variables of a role."""
    return {
        row.name: row.value if isinstance(row.value, str) else row.value(facts)
        for row in PLAIN
        if role in row.roles
    }


def secrets(role: Role, facts: WiringFacts) -> dict[str, SecretReference]:
    """Return the secret variables of a role."""
    return {row.name: SecretReference(_arn(row.kind, facts), row.key) for row in SECRETS if role in row.roles}


def _arn(kind: SecretKind | str, facts: WiringFacts) -> pulumi.Input[str]:
    return facts.secret_arns[kind] if isinstance(kind, SecretKind) else facts.owner_secret_arn


def _celery_config(facts: WiringFacts) -> str:
    """Return what Celery itself must know; a dead connection must be noticed, not waited for."""
    transport = {
        "visibility_timeout": facts.visibility_timeout_minutes * 60,
        "socket_connect_timeout": 5,
        "socket_timeout": 30,
        "socket_keepalive": True,
        "retry_on_timeout": True,
    }
    config: dict[str, Any] = {
        "broker_transport_options": transport,
        # A result is read within seconds; the broker's memory is for queues.
        "result_expires": 3600,
        "redis_socket_connect_timeout": 5,
        "redis_socket_timeout": 30,
        "redis_socket_keepalive": True,
        "redis_retry_on_timeout": True,
    }
    return json.dumps(config, sort_keys=True)


def _worker_config(facts: WiringFacts) -> str:
    """Return the same for a worker, which prepares before it forks what each task's process would have to do."""
    return json.dumps(json.loads(_celery_config(facts)) | {"imports": [PRELOADED]}, sort_keys=True)


def _secrets_backend(*kinds: str) -> Value:
    def kwargs(facts: WiringFacts) -> str:
        prefixes = {
            f"{kind}_prefix": tasks.secret_prefix(facts.environment, kind) if kind in kinds else None
            for kind in (tasks.CONNECTIONS, tasks.VARIABLES)
        }
        return json.dumps(prefixes | {"config_prefix": None}, sort_keys=True)

    return kwargs


def _dag_delivery(facts: WiringFacts) -> str:
    return "image" if facts.dags_in_image else "release"


def _releases_of_the_agent(facts: WiringFacts) -> str:
    return BAKED_PATH if facts.dags_in_image else DAG_STORAGE_PATH


def _visibility_seconds(facts: WiringFacts) -> str:
    return str(facts.visibility_timeout_minutes * 60)


PLAIN: Final[tuple[Plain, ...]] = (
    # The container.
    *(Plain("PLATFORM_ROLE", frozenset({role}), role.value, "the image is the same for all") for role in Role),
    Plain("PLATFORM_ENVIRONMENT", EVERY, lambda f: f.environment, "shown and logged"),
    Plain("PLATFORM_AIRFLOW_VERSION", EVERY, lambda f: f.airflow_version, "checked against the image"),
    Plain("AWS_DEFAULT_REGION", EVERY, lambda f: f.region, "boto3 reads no other variable"),
    Plain("AIRFLOW_HOME", EVERY, STATE_PATH, "Airflow writes there, the image is read-only"),
    Plain("HOME", EVERY - AGENT, STATE_PATH, "programs write there, gunicorn a socket; the image is read-only"),
    # boto3 looks there for a configuration, and that can name a program to run: no DAG may write one for the agent.
    Plain("HOME", AGENT, RELEASES_PATH, "the state is writable for the code of DAGs, too"),
    Plain("AIRFLOW__LOGGING__COLORED_CONSOLE_LOG", AIRFLOW, "False", "CloudWatch shows no colours"),
    # Metastore.
    Plain("PLATFORM_METASTORE_HOST", METASTORE, lambda f: f.metastore_host, "part of the address"),
    Plain("PLATFORM_METASTORE_PORT", METASTORE, lambda f: str(f.metastore_port), "part of the address"),
    Plain("PLATFORM_METASTORE_DATABASE", METASTORE, lambda f: f.metastore_database, "part of the address"),
    Plain("PLATFORM_METASTORE_OPTIONS", METASTORE, METASTORE_OPTIONS, "a failover is noticed in a minute"),
    Plain("AIRFLOW__CORE__DEFAULT_POOL_TASK_SLOT_COUNT", BOOTSTRAP, lambda f: str(f.parallelism),
          "the 128 slots of the default pool would cap all workers"),
    # Broker and Celery.
    Plain("PLATFORM_BROKER_HOST", CELERY, lambda f: f.broker_host, "part of the address"),
    Plain("PLATFORM_BROKER_PORT", CELERY, lambda f: str(f.broker_port), "part of the address"),
    Plain("AIRFLOW__CORE__EXECUTOR", CELERY | API | PARSER, "CeleryExecutor", "logs; DAGs that name it"),
    Plain("AIRFLOW__CELERY__SSL_ACTIVE", CELERY, "True", "the broker speaks TLS only"),
    Plain("AIRFLOW__CELERY__SSL_MUTUAL_TLS", CELERY, "False", "clients have passwords, no certificates"),
    Plain("AIRFLOW__CELERY__EXTRA_CELERY_CONFIG", CELERY - WORKER, _celery_config, "keeps numbers numbers"),
    Plain("AIRFLOW__CELERY__EXTRA_CELERY_CONFIG", WORKER, _worker_config, "tasks start and end sooner"),
    Plain("AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT", CELERY, _visibility_seconds,
          "Airflow warns of its 24 hours unless it stands here, too"),
    Plain("AIRFLOW__CELERY__WORKER_PREFETCH_MULTIPLIER", WORKER, "1", "a task must not wait behind a long one"),
    Plain("AIRFLOW__CELERY__FLOWER_PORT", FLOWER, str(FLOWER_PORT), "the security groups know it"),
    Plain("AIRFLOW__CELERY__FLOWER_URL_PREFIX", FLOWER, FLOWER_PREFIX, "it shares the host name"),
    # A pair that the entry point makes at each start: only the load balancer sees it, which asks for no signer.
    Plain("FLOWER_CERTFILE", FLOWER, f"{STATE_PATH}/flower.pem", "there is no plain HTTP"),
    Plain("FLOWER_KEYFILE", FLOWER, f"{STATE_PATH}/flower.key", "there is no plain HTTP"),
    # Api-server.
    Plain("AIRFLOW__API__BASE_URL", AIRFLOW, lambda f: f.base_url, "links in messages; cookies"),
    Plain("AIRFLOW__API__PORT", API, str(API_SERVER_PORT), "the security groups know it"),
    # The entry point writes both files from the secrets.
    Plain("AIRFLOW__API__SSL_CERT", API, f"{STATE_PATH}/api-server.pem", "there is no plain HTTP"),
    Plain("AIRFLOW__API__SSL_KEY", API, f"{STATE_PATH}/api-server.key", "there is no plain HTTP"),
    Plain("AIRFLOW__API__WORKERS", API, lambda f: str(f.api_server_processes), "sized with the memory"),
    Plain("AIRFLOW__API__SERVER_TYPE", API, "gunicorn", "replaces its processes one by one"),
    Plain("AIRFLOW__API__WORKER_REFRESH_INTERVAL", API, str(WORKER_REFRESH_SECONDS), "their memory grows"),
    Plain("AIRFLOW__API__WORKER_TIMEOUT", API, str(API_TIMEOUT_SECONDS), "between load balancer and SIGKILL"),
    Plain("AIRFLOW__API__EXPOSE_CONFIG", API, "False", "nobody reads settings in a browser"),
    # The VPC, not the load balancer's subnets, whose addresses the program does not know before they are made. Only
    # the load balancer and workers reach the port; a worker that lies about the client gains a false line in the log.
    Plain("FORWARDED_ALLOW_IPS", API, lambda f: f.vpc_cidr, "gunicorn believes X-Forwarded-* of anybody"),
    Plain("AIRFLOW__FAB__COOKIE_SECURE", API, "True", "there is no plain HTTP"),
    Plain("AIRFLOW__CORE__AUTH_MANAGER", API | PARSER | BOOTSTRAP,
          "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager",
          "its tables are migrated, too; the dag-processor stores the access control of DAGs for this one only"),
    # Scheduler. A token of a queued task lives as long as the task may be queued.
    Plain("AIRFLOW__CORE__PARALLELISM", SCHEDULER, lambda f: str(f.parallelism), "workers stay busy"),
    Plain("AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT", SCHEDULER, lambda f: str(f.task_queued_timeout_seconds),
          "workers that start from zero need longer than 600 seconds"),
    Plain("AIRFLOW__EXECUTION_API__JWT_EXPIRATION_TIME", SCHEDULER | API, _visibility_seconds,
          "no task outlives its token, even when a renewal is lost"),
    Plain("AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT", SCHEDULER | WORKER, "600",
          "a worker must give up first: see the retries below"),
    Plain("AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK", SCHEDULER, "True", "off by default"),
    Plain("AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_HOST", SCHEDULER, "127.0.0.1", "for ECS only"),
    Plain("AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT", SCHEDULER, str(SCHEDULER_HEALTH_PORT),
          "the health check asks there"),
    Plain("PLATFORM_METRICS_NAMESPACE", SCHEDULER, lambda f: tasks.metrics_namespace(f.environment),
          "the role may publish there only"),
    # DAGs.
    Plain("PLATFORM_DAG_DELIVERY", READERS | AGENT, _dag_delivery, "an image holds one release: runs follow it"),
    Plain("PLATFORM_DAG_STORAGE_PATH", PUBLISHER, DAG_STORAGE_PATH, "releases, as they are published"),
    Plain("PLATFORM_DAG_STORAGE_PATH", AGENT, _releases_of_the_agent, "the storage, or the same in the image"),
    Plain("PLATFORM_RELEASES_PATH", READERS | AGENT, RELEASES_PATH, "verified copies of releases"),
    Plain("PLATFORM_LEDGER_TABLE", AGENT | PUBLISHER, lambda f: f.ledger_table_name, "which release counts"),
    Plain("PLATFORM_RELEASE_BUCKET", PUBLISHER, lambda f: f.release_bucket_name, "what is to be published"),
    Plain("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH", READERS | AGENT, f"{STATE_PATH}/bundles",
          "the agent sees there which releases are in use"),
    Plain("AIRFLOW__DAG_PROCESSOR__STALE_BUNDLE_CLEANUP_INTERVAL", READERS, "0",
          "the agent takes old copies away, Airflow would look elsewhere"),
    Plain("AIRFLOW__CORE__LOAD_EXAMPLES", AIRFLOW, "False", "example DAGs would run"),
    Plain("AIRFLOW__CORE__DEFAULT_TASK_RETRIES", READERS, "1", "a lost message fails a task without retry"),
    Plain("AIRFLOW__DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL", PARSER, "2", "new releases are seen sooner"),
    Plain("AIRFLOW__LOGGING__DAG_PROCESSOR_LOG_TARGET", PARSER, "stdout", "files would fill the scratch"),
    # Workers. An attempt waits at most 1, 2, 4, 8, then 13 seconds and times out after 5: two failed heartbeats
    # of 15 attempts each end a task after 590 seconds at the latest, even with two dead addresses, so before the
    # scheduler starts it again elsewhere; on the average it takes 160 seconds, longer than a failover of the metastore.
    Plain("AIRFLOW__WORKERS__MAX_FAILED_HEARTBEATS", WORKER, "2", "see above"),
    Plain("AIRFLOW__WORKERS__EXECUTION_API_RETRIES", WORKER, "15", "a starting task survives 80 seconds"),
    Plain("AIRFLOW__WORKERS__EXECUTION_API_RETRY_WAIT_MAX", WORKER, "13", "it goes on soon afterwards"),
    Plain("AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT", WORKER, "5", "see above"),
    # Each is a request to the api-server and a commit in the metastore. Slots are free at once without more of them.
    Plain("AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL", WORKER, "5", "so soon a task knows that it was ended"),
    # Without a file of its own a worker would trust every authority that the image knows.
    Plain("AIRFLOW__API__SSL_CA_FILE", WORKER, f"{STATE_PATH}/api-server.pem", "the entry point writes it"),
    Plain("AIRFLOW__API__CLIENT_USE_PUBLIC_CERTS", WORKER, "False", "the api-server's certificate and no other"),
    Plain("AIRFLOW__CORE__EXECUTION_API_SERVER_URL", WORKER, lambda f: f.execution_api_url,
          "not through the load balancer, which does not forward it"),
    Plain("AIRFLOW__CORE__HOSTNAME_CALLABLE", AIRFLOW - API, "airflow.utils.net.get_host_ip_address",
          "host names of tasks do not resolve"),
    # Logs of tasks.
    Plain("AIRFLOW__LOGGING__REMOTE_LOGGING", TASK_LOGS, "True", "they outlive the container"),
    Plain("AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER", TASK_LOGS,
          lambda f: pulumi.Output.concat("s3://", f.log_bucket_name, "/", TASK_LOG_PREFIX), "one bucket"),
    Plain("AIRFLOW__LOGGING__DELETE_LOCAL_LOGS", WORKER | TRIGGERER, "True", "copies would fill the scratch"),
    Plain("AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT", API | WORKER, str(WORKER_LOG_PORT), "of running tasks"),
    Plain("AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT", API | TRIGGERER, str(TRIGGERER_LOG_PORT),
          "of running triggers"),
    # Connections and variables in Secrets Manager.
    Plain("AIRFLOW__WORKERS__SECRETS_BACKEND", WORKER, SECRETS_BACKEND, "asked before the api-server"),
    Plain("AIRFLOW__WORKERS__SECRETS_BACKEND_KWARGS", WORKER,
          _secrets_backend(tasks.CONNECTIONS, tasks.VARIABLES), "what its role may read"),
    Plain("AIRFLOW__SECRETS__BACKEND", PARSER | TRIGGERER, SECRETS_BACKEND, "asked before the metastore"),
    Plain("AIRFLOW__SECRETS__BACKEND_KWARGS", PARSER, _secrets_backend(tasks.VARIABLES),
          "its role may not read connections"),
    Plain("AIRFLOW__SECRETS__BACKEND_KWARGS", TRIGGERER,
          _secrets_backend(tasks.CONNECTIONS, tasks.VARIABLES), "what its role may read"),
)  # fmt: skip

SECRETS: Final[tuple[Secret, ...]] = (
    Secret("PLATFORM_METASTORE_USERNAME", METASTORE, SecretKind.METASTORE_USER, "username", "bootstrap makes it"),
    Secret("PLATFORM_METASTORE_PASSWORD", METASTORE, SecretKind.METASTORE_USER, "password", "bootstrap sets it"),
    Secret("PLATFORM_METASTORE_OWNER_USERNAME", BOOTSTRAP, OWNER, "username", "may make users"),
    Secret("PLATFORM_METASTORE_OWNER_PASSWORD", BOOTSTRAP, OWNER, "password", "may make users"),
    Secret("PLATFORM_BROKER_USERNAME", CELERY, SecretKind.BROKER_USER, "username", "part of the address"),
    Secret("PLATFORM_BROKER_PASSWORD", CELERY, SecretKind.BROKER_USER, "password", "part of the address"),
    Secret("PLATFORM_ADMIN_USERNAME", BOOTSTRAP, SecretKind.ADMIN_USER, "username", "first login"),
    Secret("PLATFORM_ADMIN_PASSWORD", BOOTSTRAP, SecretKind.ADMIN_USER, "password", "first login"),
    Secret("PLATFORM_FLOWER_USERNAME", FLOWER, SecretKind.FLOWER_USER, "username", "Flower has no other login"),
    Secret("PLATFORM_FLOWER_PASSWORD", FLOWER, SecretKind.FLOWER_USER, "password", "Flower has no other login"),
    Secret("PLATFORM_API_SERVER_CERTIFICATE", API | WORKER, SecretKind.API_SERVER_CERTIFICATE, None,
           "workers trust exactly this one"),
    Secret("PLATFORM_API_SERVER_PRIVATE_KEY", API, SecretKind.API_SERVER_PRIVATE_KEY, None, "serves HTTPS"),
    # The scheduler and the dag-processor store triggers, and a migration may store anything: with a key that
    # Airflow made up for itself nobody else could read them.
    Secret("AIRFLOW__CORE__FERNET_KEY", METASTORE, SecretKind.FERNET_KEY, None, "columns of the metastore"),
    Secret("AIRFLOW__API_AUTH__JWT_SECRET", API | SCHEDULER, SecretKind.JWT_SECRET, None, "signs and checks tokens"),
    Secret("AIRFLOW__API__SECRET_KEY", TASK_LOGS, SecretKind.API_SECRET_KEY, None, "asks for logs and serves them"),
)  # fmt: skip
