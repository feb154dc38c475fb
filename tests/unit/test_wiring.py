"""What Airflow is told: the whole matrix of roles and variables, and every value.

Not proved here: that Airflow knows the options; the container tests start it with them.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pulumi
import pytest

from components import task, web_entry, wiring
from components.iam import tasks
from components.roles import DAG_READERS, Role
from components.wiring import WiringFacts
from functions.platform_gate.kinds import JSON_KEYS, SecretKind
from sandbox.behaviour.rules.secret_values import secret_in
from tests.harness import Deployment
from tests.unit.programs import REGION, value

ARNS = {kind: f"arn:aws:secretsmanager:{REGION}:111111111111:secret:{kind}" for kind in SecretKind}
OWNER = f"arn:aws:secretsmanager:{REGION}:111111111111:secret:rds-owner"
FACTS = WiringFacts(
    environment="dev",
    region=REGION,
    airflow_version="3.3.2",
    vpc_cidr="10.20.0.0/16",
    base_url="https://airflow.dev.example.com",
    execution_api_url="https://api-server.dev.airflow.internal:8080/execution/",
    metastore_host="metastore.example",
    metastore_port=5432,
    metastore_database="airflow",
    broker_host="broker.example",
    broker_port=6379,
    log_bucket_name="logs-1a2b3c4",
    ledger_table_name="ledger-1a2b3c4",
    release_bucket_name="releases-1a2b3c4",
    dags_in_image=False,
    parallelism=48,
    task_queued_timeout_seconds=1800,
    visibility_timeout_minutes=120,
    api_server_processes=2,
    secret_arns=ARNS,
    owner_secret_arn=OWNER,
)
ROWS: tuple[wiring.Plain | wiring.Secret, ...] = (*wiring.PLAIN, *wiring.SECRETS)
COLUMNS = {
    "a": Role.API_SERVER,
    "s": Role.SCHEDULER,
    "d": Role.DAG_PROCESSOR,
    "t": Role.TRIGGERER,
    "w": Role.WORKER,
    "f": Role.FLOWER,
    "b": Role.BOOTSTRAP,
    "g": Role.RELEASE_AGENT,
    "p": Role.RELEASE_PUBLISHER,
}
FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
BACKEND = "airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend"
CELERY_CONFIG = {
    "broker_transport_options": {
        "retry_on_timeout": True,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        "socket_timeout": 30,
        "visibility_timeout": 7200,
    },
    "redis_retry_on_timeout": True,
    "redis_socket_connect_timeout": 5,
    "redis_socket_keepalive": True,
    "redis_socket_timeout": 30,
    "result_expires": 3600,
}
PLAIN = {
    "PLATFORM_ENVIRONMENT": ("asdtwfbgp", "dev"),
    "PLATFORM_AIRFLOW_VERSION": ("asdtwfbgp", "3.3.2"),
    "AWS_DEFAULT_REGION": ("asdtwfbgp", "eu-west-1"),
    "AIRFLOW_HOME": ("asdtwfbgp", "/opt/airflow/state"),
    "HOME": ("asdtwfbp", "/opt/airflow/state"),
    "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": ("asdtw", "False"),
    "PLATFORM_METASTORE_HOST": ("asdtb", "metastore.example"),
    "PLATFORM_METASTORE_PORT": ("asdtb", "5432"),
    "PLATFORM_METASTORE_DATABASE": ("asdtb", "airflow"),
    "PLATFORM_METASTORE_OPTIONS": (
        "asdtb",
        "connect_timeout=10&keepalives_idle=30&keepalives_interval=10&keepalives_count=3&tcp_user_timeout=30000",
    ),
    "AIRFLOW__CORE__DEFAULT_POOL_TASK_SLOT_COUNT": ("b", "48"),
    "PLATFORM_BROKER_HOST": ("swf", "broker.example"),
    "PLATFORM_BROKER_PORT": ("swf", "6379"),
    "AIRFLOW__CORE__EXECUTOR": ("adswf", "CeleryExecutor"),
    "AIRFLOW__CELERY__SSL_ACTIVE": ("swf", "True"),
    "AIRFLOW__CELERY__SSL_MUTUAL_TLS": ("swf", "False"),
    "AIRFLOW__CELERY__EXTRA_CELERY_CONFIG": ("sf", json.dumps(CELERY_CONFIG)),
    "AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT": ("swf", "7200"),
    "AIRFLOW__CELERY__WORKER_PREFETCH_MULTIPLIER": ("w", "1"),
    "AIRFLOW__CELERY__FLOWER_PORT": ("f", "5555"),
    "AIRFLOW__CELERY__FLOWER_URL_PREFIX": ("f", "flower"),
    "FLOWER_CERTFILE": ("f", "/opt/airflow/state/flower.pem"),
    "FLOWER_KEYFILE": ("f", "/opt/airflow/state/flower.key"),
    "AIRFLOW__API__BASE_URL": ("asdtw", "https://airflow.dev.example.com"),
    "AIRFLOW__API__PORT": ("a", "8080"),
    "AIRFLOW__API__SSL_CERT": ("a", "/opt/airflow/state/api-server.pem"),
    "AIRFLOW__API__SSL_KEY": ("a", "/opt/airflow/state/api-server.key"),
    "AIRFLOW__API__SSL_CA_FILE": ("w", "/opt/airflow/state/api-server.pem"),
    "AIRFLOW__API__WORKERS": ("a", "2"),
    "AIRFLOW__API__SERVER_TYPE": ("a", "gunicorn"),
    "AIRFLOW__API__WORKER_REFRESH_INTERVAL": ("a", "43200"),
    "AIRFLOW__API__WORKER_TIMEOUT": ("a", "100"),
    "AIRFLOW__API__EXPOSE_CONFIG": ("a", "False"),
    "FORWARDED_ALLOW_IPS": ("a", "10.20.0.0/16"),
    "AIRFLOW__FAB__COOKIE_SECURE": ("a", "True"),
    "AIRFLOW__CORE__AUTH_MANAGER": ("adb", FAB),
    "AIRFLOW__CORE__PARALLELISM": ("s", "48"),
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": ("s", "1800"),
    "AIRFLOW__EXECUTION_API__JWT_EXPIRATION_TIME": ("as", "7200"),
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": ("sw", "600"),
    "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": ("s", "True"),
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_HOST": ("s", "127.0.0.1"),
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": ("s", "8974"),
    "PLATFORM_METRICS_NAMESPACE": ("s", "Airflow/dev"),
    "PLATFORM_DAG_DELIVERY": ("dtwg", "release"),
    "PLATFORM_DAG_STORAGE_PATH": ("gp", "/mnt/dags"),
    "PLATFORM_RELEASES_PATH": ("dtwg", "/opt/airflow/releases"),
    "PLATFORM_LEDGER_TABLE": ("gp", "ledger-1a2b3c4"),
    "PLATFORM_RELEASE_BUCKET": ("p", "releases-1a2b3c4"),
    "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": ("dtwg", "/opt/airflow/state/bundles"),
    "AIRFLOW__DAG_PROCESSOR__STALE_BUNDLE_CLEANUP_INTERVAL": ("dtw", "0"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": ("asdtw", "False"),
    "AIRFLOW__CORE__DEFAULT_TASK_RETRIES": ("dtw", "1"),
    "AIRFLOW__DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": ("d", "2"),
    "AIRFLOW__LOGGING__DAG_PROCESSOR_LOG_TARGET": ("d", "stdout"),
    "AIRFLOW__WORKERS__MAX_FAILED_HEARTBEATS": ("w", "2"),
    "AIRFLOW__WORKERS__EXECUTION_API_RETRIES": ("w", "15"),
    "AIRFLOW__WORKERS__EXECUTION_API_RETRY_WAIT_MAX": ("w", "13"),
    "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": ("w", "5"),
    "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": ("w", "5"),
    "AIRFLOW__API__CLIENT_USE_PUBLIC_CERTS": ("w", "False"),
    "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": (
        "w",
        "https://api-server.dev.airflow.internal:8080/execution/",
    ),
    "AIRFLOW__CORE__HOSTNAME_CALLABLE": ("sdtw", "airflow.utils.net.get_host_ip_address"),
    "AIRFLOW__LOGGING__REMOTE_LOGGING": ("atw", "True"),
    "AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER": ("atw", "s3://logs-1a2b3c4/task-logs"),
    "AIRFLOW__LOGGING__DELETE_LOCAL_LOGS": ("tw", "True"),
    "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": ("aw", "8793"),
    "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": ("at", "8794"),
    "AIRFLOW__WORKERS__SECRETS_BACKEND": ("w", BACKEND),
    "AIRFLOW__SECRETS__BACKEND": ("dt", BACKEND),
}
"""Every plain variable but those that differ between the roles that have them."""

SECRETS: dict[str, tuple[str, str, str | None]] = {
    "PLATFORM_METASTORE_USERNAME": ("asdtb", ARNS[SecretKind.METASTORE_USER], "username"),
    "PLATFORM_METASTORE_PASSWORD": ("asdtb", ARNS[SecretKind.METASTORE_USER], "password"),
    "PLATFORM_METASTORE_OWNER_USERNAME": ("b", OWNER, "username"),
    "PLATFORM_METASTORE_OWNER_PASSWORD": ("b", OWNER, "password"),
    "PLATFORM_BROKER_USERNAME": ("swf", ARNS[SecretKind.BROKER_USER], "username"),
    "PLATFORM_BROKER_PASSWORD": ("swf", ARNS[SecretKind.BROKER_USER], "password"),
    "PLATFORM_ADMIN_USERNAME": ("b", ARNS[SecretKind.ADMIN_USER], "username"),
    "PLATFORM_ADMIN_PASSWORD": ("b", ARNS[SecretKind.ADMIN_USER], "password"),
    "PLATFORM_FLOWER_USERNAME": ("f", ARNS[SecretKind.FLOWER_USER], "username"),
    "PLATFORM_FLOWER_PASSWORD": ("f", ARNS[SecretKind.FLOWER_USER], "password"),
    "PLATFORM_API_SERVER_CERTIFICATE": ("aw", ARNS[SecretKind.API_SERVER_CERTIFICATE], None),
    "PLATFORM_API_SERVER_PRIVATE_KEY": ("a", ARNS[SecretKind.API_SERVER_PRIVATE_KEY], None),
    "AIRFLOW__CORE__FERNET_KEY": ("asdtb", ARNS[SecretKind.FERNET_KEY], None),
    "AIRFLOW__API_AUTH__JWT_SECRET": ("as", ARNS[SecretKind.JWT_SECRET], None),
    "AIRFLOW__API__SECRET_KEY": ("atw", ARNS[SecretKind.API_SECRET_KEY], None),
}
CONNECTIONS_AND_VARIABLES = {
    "config_prefix": None,
    "connections_prefix": "airflow/dev/connections",
    "variables_prefix": "airflow/dev/variables",
}
VARIABLES_ONLY = CONNECTIONS_AND_VARIABLES | {"connections_prefix": None}
AGENT = {"HOME": "/opt/airflow/releases"}
BY_ROLE: dict[Role, dict[str, dict[str, Any]]] = {
    Role.WORKER: {
        "AIRFLOW__WORKERS__SECRETS_BACKEND_KWARGS": CONNECTIONS_AND_VARIABLES,
        "AIRFLOW__CELERY__EXTRA_CELERY_CONFIG": CELERY_CONFIG | {"imports": ["platform_runtime.preloaded"]},
    },
    Role.TRIGGERER: {"AIRFLOW__SECRETS__BACKEND_KWARGS": CONNECTIONS_AND_VARIABLES},
    Role.DAG_PROCESSOR: {"AIRFLOW__SECRETS__BACKEND_KWARGS": VARIABLES_ONLY},
}


def environment(deploy: Deployment, role: Role) -> Any:
    return value(deploy, pulumi.Output.all(**wiring.environment(role, FACTS)))


@pytest.mark.parametrize(("column", "role"), COLUMNS.items())
def test_environment(deploy: Deployment, column: str, role: Role) -> None:
    expected = {name: text for name, (columns, text) in PLAIN.items() if column in columns}
    own = {name: json.dumps(content, sort_keys=True) for name, content in BY_ROLE.get(role, {}).items()}
    agent = AGENT if role is Role.RELEASE_AGENT else {}
    assert environment(deploy, role) == {"PLATFORM_ROLE": role.value} | expected | own | agent


def test_environment_where_the_image_has_the_dags(deploy: Deployment) -> None:
    """The publisher keeps the storage: it stays, so that the way back is open."""
    readers: dict[Role, dict[str, str]] = {role: {"PLATFORM_DAG_DELIVERY": "image"} for role in DAG_READERS}
    agent = {"PLATFORM_DAG_DELIVERY": "image", "PLATFORM_DAG_STORAGE_PATH": "/opt/airflow/baked"}
    wanted = readers | {Role.RELEASE_AGENT: agent}
    for role in Role:
        before = environment(deploy, role)
        outputs = pulumi.Output.all(**wiring.environment(role, replace(FACTS, dags_in_image=True)))
        after = value(deploy, outputs)
        assert after == before | wanted.get(role, {}), role


def test_every_role_is_a_column() -> None:
    assert sorted(COLUMNS.values()) == sorted(Role)


@pytest.mark.parametrize(("column", "role"), COLUMNS.items())
def test_secrets(column: str, role: Role) -> None:
    got = {name: (ref.arn, ref.json_key) for name, ref in wiring.secrets(role, FACTS).items()}
    assert got == {name: (arn, key) for name, (columns, arn, key) in SECRETS.items() if column in columns}


def test_every_row_is_in_the_matrix() -> None:
    special = {"PLATFORM_ROLE", *(name for own in BY_ROLE.values() for name in own)}
    assert {row.name for row in wiring.PLAIN} == PLAIN.keys() | special
    assert {row.name for row in wiring.SECRETS} == SECRETS.keys()


@pytest.mark.parametrize("role", Role)
def test_a_variable_stands_once(role: Role) -> None:
    names = [row.name for row in ROWS if role in row.roles]
    assert len(names) == len(set(names))


def test_every_row_says_why() -> None:
    assert [row.name for row in ROWS if not row.reason] == []


def test_worker_knows_no_metastore_and_no_key_of_it() -> None:
    """Code of DAGs runs there: what the container has, every DAG has."""
    names = {row.name for row in ROWS if Role.WORKER in row.roles}
    forbidden = ("METASTORE", "SQL_ALCHEMY", "FERNET", "JWT", "ADMIN", "PRIVATE_KEY")
    assert [name for name in names if any(word in name for word in forbidden)] == []


def test_only_bootstrap_gets_the_owner() -> None:
    holders = {role for role in Role for ref in wiring.secrets(role, FACTS).values() if ref.arn == OWNER}
    assert holders == {Role.BOOTSTRAP}


@pytest.mark.parametrize("role", Role)
def test_nothing_plain_looks_like_a_secret(deploy: Deployment, role: Role) -> None:
    plain = environment(deploy, role)
    assert [secret_in(name, text) for name, text in plain.items() if secret_in(name, text)] == []


@pytest.mark.parametrize("row", wiring.SECRETS, ids=lambda row: row.name)
def test_key_of_a_secret_is_one_that_it_has(row: wiring.Secret) -> None:
    keys = JSON_KEYS[row.kind] if isinstance(row.kind, SecretKind) else ("username", "password")
    assert (row.key in keys) if keys else (row.key is None)


def test_api_server_outlasts_the_load_balancer_and_ends_before_it_is_killed() -> None:
    """A connection that it closes first costs somebody an error 502, and so does a request that is killed."""
    seconds = int(PLAIN["AIRFLOW__API__WORKER_TIMEOUT"][1])
    assert web_entry.IDLE_TIMEOUT_SECONDS < seconds < task.PROCESSES[Role.API_SERVER].stop_seconds


@pytest.mark.parametrize("addresses", [1, 2])
def test_worker_gives_up_before_its_task_starts_elsewhere(addresses: int) -> None:
    """Otherwise a task runs twice, when a worker loses the api-server and the scheduler does not."""
    told = {name: text for name, (columns, text) in PLAIN.items() if "w" in columns}
    attempts = int(told["AIRFLOW__WORKERS__EXECUTION_API_RETRIES"])
    longest_wait = int(told["AIRFLOW__WORKERS__EXECUTION_API_RETRY_WAIT_MAX"])
    timeout = int(told["AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT"])
    waits = sum(min(2**attempt, longest_wait) for attempt in range(attempts - 1))
    heartbeat = waits + attempts * timeout * addresses
    given_up = heartbeat * int(told["AIRFLOW__WORKERS__MAX_FAILED_HEARTBEATS"])
    assert given_up < int(told["AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT"])


def test_the_code_of_dags_is_not_told_where_releases_come_from() -> None:
    """It reads copies; their storage and the ledger are the agent's."""
    names = {row.name for row in ROWS if row.roles & DAG_READERS}
    assert names.isdisjoint({"PLATFORM_DAG_STORAGE_PATH", "PLATFORM_LEDGER_TABLE", "PLATFORM_RELEASE_BUCKET"})


def test_the_agents_home_is_closed_to_the_code_of_dags() -> None:
    """boto3 runs what a configuration there names, and both containers write to the state."""
    writable = {
        path for role in DAG_READERS for (_, path), read_only in task.MOUNTS[role] if not read_only
    } | set(task.SCRATCH.values())
    assert AGENT["HOME"] not in writable


def test_what_handles_releases_has_no_secret() -> None:
    holders = {role for row in wiring.SECRETS for role in row.roles}
    assert holders.isdisjoint({Role.RELEASE_AGENT, Role.RELEASE_PUBLISHER})


def test_secrets_and_rights_agree() -> None:
    """What a role is told to read is what it may read: no more, no less."""
    for role, own in BY_ROLE.items():
        (kwargs,) = (content for name, content in own.items() if name.endswith("BACKEND_KWARGS"))
        prefixes = {prefix for prefix in kwargs.values() if prefix}
        kinds = ("variables",) if role is Role.DAG_PROCESSOR else ("connections", "variables")
        assert prefixes == {tasks.secret_prefix("dev", kind) for kind in kinds}
