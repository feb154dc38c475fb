"""What the entry point makes of a container's variables: exact for each role, and everything wrong at once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from images.airflow.platform_runtime.start import MADE_HERE, PARTS, USED_UP, Start, compose
from images.airflow.platform_runtime.variables import Refusal

RUNTIME = Path(__file__).parents[2] / "images" / "airflow" / "platform_runtime"
VERSION = "3.3.2"
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----"
KEY = "-----BEGIN PRIVATE KEY-----\nYQ==\n-----END PRIVATE KEY-----"
HOME = "/opt/airflow/state"
COMMON = {"PLATFORM_AIRFLOW_VERSION": VERSION, "AIRFLOW_HOME": HOME}
METASTORE = {
    "PLATFORM_METASTORE_HOST": "m",
    "PLATFORM_METASTORE_PORT": "5432",
    "PLATFORM_METASTORE_DATABASE": "d",
    "PLATFORM_METASTORE_CA_BUNDLE": "/ca.pem",
    "PLATFORM_METASTORE_USERNAME": "u",
    "PLATFORM_METASTORE_PASSWORD": "metastore-password",
    "AIRFLOW__CORE__FERNET_KEY": "A" * 43 + "=",
}
BROKER = {
    "PLATFORM_BROKER_HOST": "b",
    "PLATFORM_BROKER_PORT": "6379",
    "PLATFORM_BROKER_USERNAME": "u",
    "PLATFORM_BROKER_PASSWORD": "broker-password",
    "AIRFLOW__CELERY__SSL_ACTIVE": "True",
    "AIRFLOW__CELERY__SSL_MUTUAL_TLS": "False",
}
JWT = {"AIRFLOW__API_AUTH__JWT_SECRET": "j" * 40}
API_SECRET = {"AIRFLOW__API__SECRET_KEY": "s" * 40}
COPIES = "/opt/airflow/releases"
DAGS = {
    "PLATFORM_RELEASES_PATH": COPIES,
    "PLATFORM_DAG_DELIVERY": "release",
    "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": f"{HOME}/bundles",
}
STORAGE = {"PLATFORM_DAG_STORAGE_PATH": "/mnt/dags"}
ENVIRONMENTS = {
    "api-server": {
        **METASTORE,
        **JWT,
        **API_SECRET,
        "PLATFORM_API_SERVER_CERTIFICATE": CERTIFICATE,
        "PLATFORM_API_SERVER_PRIVATE_KEY": KEY,
        "AIRFLOW__API__SSL_CERT": f"{HOME}/api-server.pem",
        "AIRFLOW__API__SSL_KEY": f"{HOME}/api-server.key",
        "FORWARDED_ALLOW_IPS": "10.20.0.0/16",
    },
    "scheduler": {**METASTORE, **BROKER, **JWT},
    "dag-processor": {**METASTORE, **DAGS},
    "triggerer": {**METASTORE, **API_SECRET, **DAGS},
    "worker": {
        **BROKER,
        **API_SECRET,
        **DAGS,
        "PLATFORM_API_SERVER_CERTIFICATE": CERTIFICATE,
        "PLATFORM_TASK_MEMORY_MIB": "2048",
        "AIRFLOW__API__SSL_CA_FILE": f"{HOME}/api-server.pem",
        "AIRFLOW__API__CLIENT_USE_PUBLIC_CERTS": "False",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": "https://api-server.internal:8080/execution/",
    },
    "flower": {
        **BROKER,
        "PLATFORM_FLOWER_USERNAME": "flower",
        "PLATFORM_FLOWER_PASSWORD": "flower-password",
        "FLOWER_CERTFILE": f"{HOME}/flower.pem",
        "FLOWER_KEYFILE": f"{HOME}/flower.key",
    },
    "bootstrap": METASTORE,
    "release-agent": STORAGE,
    "release-publisher": STORAGE,
}
TLS = "sslmode=verify-full&sslrootcert=%2Fca.pem"
BUNDLES: list[dict[str, Any]] = [
    {
        "name": "dags",
        "classpath": "platform_runtime.releases.bundle.ReleaseBundle",
        "kwargs": {"releases_path": COPIES, "requests_path": f"{HOME}/release-requests"},
    }
]


def metastore_urls(role: str) -> dict[str, str]:
    rest = f"u:metastore-password@m:5432/d?application_name=airflow-{role}&{TLS}"
    return {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{rest}",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": f"postgresql+psycopg://{rest}",
    }


BROKER_URLS = {
    "AIRFLOW__CELERY__BROKER_URL": "rediss://u:broker-password@b:6379/0?ssl_cert_reqs=CERT_REQUIRED",
    "AIRFLOW__CELERY__RESULT_BACKEND": "rediss://u:broker-password@b:6379/1?ssl_cert_reqs=CERT_REQUIRED",
}
BUNDLE_LIST = {"AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(BUNDLES)}
ASSIGNED = {
    "api-server": metastore_urls("api-server"),
    "scheduler": metastore_urls("scheduler") | BROKER_URLS,
    "dag-processor": metastore_urls("dag-processor") | BUNDLE_LIST,
    "triggerer": metastore_urls("triggerer") | BUNDLE_LIST,
    "worker": BROKER_URLS | BUNDLE_LIST | {"AIRFLOW__CELERY__WORKER_CONCURRENCY": "8"},
    "flower": BROKER_URLS | {"FLOWER_BASIC_AUTH": "flower:flower-password"},
    "bootstrap": metastore_urls("bootstrap"),
    "release-agent": {},
    "release-publisher": {},
}
FILES = {
    "api-server": {f"{HOME}/api-server.pem": CERTIFICATE, f"{HOME}/api-server.key": KEY},
    "worker": {f"{HOME}/api-server.pem": CERTIFICATE},
}


def started(role: str, *left_out: str, command: Sequence[str] = ("airflow",), **changes: str) -> Start:
    environment = COMMON | ENVIRONMENTS[role] | {"PLATFORM_ROLE": role} | changes
    return compose(
        {name: value for name, value in environment.items() if name not in left_out}, command, VERSION
    )


def problems(role: str, *left_out: str, **changes: str) -> list[str]:
    with pytest.raises(Refusal) as caught:
        started(role, *left_out, **changes)
    return caught.value.problems


def test_the_roles_of_the_program_are_the_roles_of_the_image() -> None:
    from components.roles import Role

    assert PARTS.keys() == set(Role) == ENVIRONMENTS.keys()


@pytest.mark.parametrize("role", ENVIRONMENTS)
def test_what_is_set(role: str) -> None:
    assert started(role).assign == ASSIGNED[role]


@pytest.mark.parametrize("role", ENVIRONMENTS)
def test_what_is_written(role: str) -> None:
    assert started(role).files == FILES.get(role, {})


def test_only_the_api_server_serves_a_pair() -> None:
    served = {role: started(role).served_pair for role in ENVIRONMENTS}
    assert {role: pair for role, pair in served.items() if pair} == {
        "api-server": (f"{HOME}/api-server.pem", f"{HOME}/api-server.key")
    }


def test_flower_has_a_pair_of_its_own() -> None:
    assert started("flower").pair == (f"{HOME}/flower.pem", f"{HOME}/flower.key")
    assert [role for role in ENVIRONMENTS if started(role).pair] == ["flower"]


FOLDERS = {
    "dag-processor": [COPIES],
    "triggerer": [COPIES],
    "worker": [COPIES],
    "release-agent": ["/mnt/dags"],
    "release-publisher": ["/mnt/dags"],
}


@pytest.mark.parametrize("role", ENVIRONMENTS)
def test_what_must_be_there(role: str) -> None:
    """Copies for those that read DAGs, the storage for what handles releases."""
    assert started(role).folders == FOLDERS.get(role, [])


def test_the_bundle_where_the_image_has_the_dags() -> None:
    assigned = started("worker", PLATFORM_DAG_DELIVERY="image").assign
    wanted = [{**BUNDLES[0], "classpath": "platform_runtime.releases.image_bundle.ImageBundle"}]
    assert json.loads(assigned["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"]) == wanted


def test_the_bundle_is_one_of_the_image() -> None:
    """Airflow imports it by this name, from the folder that is on its path."""
    module, _, name = BUNDLES[0]["classpath"].rpartition(".")
    text = (RUNTIME / f"{module.removeprefix('platform_runtime.').replace('.', '/')}.py").read_text()
    assert f"\nclass {name}(BaseDagBundle):" in text


@pytest.mark.parametrize("role", ENVIRONMENTS)
def test_what_is_taken_away(role: str) -> None:
    """The bootstrap task does with its passwords what the others have done by then."""
    assert started(role).take_away == (() if role == "bootstrap" else USED_UP)


NEEDED = [(role, name) for role, given in ENVIRONMENTS.items() for name in (COMMON | given)]
WANTED_VALUES = {
    "AIRFLOW__CELERY__SSL_ACTIVE": "want True: the broker's certificate is verified",
    "AIRFLOW__CELERY__SSL_MUTUAL_TLS": "want False: clients have no certificate",
    "AIRFLOW__API__CLIENT_USE_PUBLIC_CERTS": "want False: one certificate is trusted, and no other",
}


@pytest.mark.parametrize(("role", "name"), NEEDED, ids=str)
def test_each_missing_variable_is_named(role: str, name: str) -> None:
    wanted = f"{name}: {WANTED_VALUES[name]}" if name in WANTED_VALUES else f"{name} is missing"
    assert problems(role, name) == [wanted]


def test_everything_missing_is_named_at_once() -> None:
    assert len(problems("worker", *COMMON, *ENVIRONMENTS["worker"])) == len(COMMON | ENVIRONMENTS["worker"])


CASES = {
    "another version": (
        "scheduler",
        {"PLATFORM_AIRFLOW_VERSION": "3.3.1"},
        "PLATFORM_AIRFLOW_VERSION: the settings say 3.3.1, the image has 3.3.2",
    ),
    "a port that is none": (
        "scheduler",
        {"PLATFORM_BROKER_PORT": "http"},
        "PLATFORM_BROKER_PORT: want a whole number from 1 to 65535",
    ),
    "a short key": (
        "scheduler",
        {"AIRFLOW__CORE__FERNET_KEY": "AAAA"},
        "AIRFLOW__CORE__FERNET_KEY: want 32 bytes in URL-safe base64",
    ),
    "a key of other characters": (
        "scheduler",
        {"AIRFLOW__CORE__FERNET_KEY": "ü" * 44},
        "AIRFLOW__CORE__FERNET_KEY: want 32 bytes in URL-safe base64",
    ),
    "a short secret": (
        "scheduler",
        {"AIRFLOW__API_AUTH__JWT_SECRET": "j" * 31},
        "AIRFLOW__API_AUTH__JWT_SECRET: want 32 characters or more",
    ),
    "no TLS to the broker": (
        "worker",
        {"AIRFLOW__CELERY__SSL_ACTIVE": "False"},
        "AIRFLOW__CELERY__SSL_ACTIVE: want True: the broker's certificate is verified",
    ),
    "everybody may forward": (
        "api-server",
        {"FORWARDED_ALLOW_IPS": "0.0.0.0/0"},
        "FORWARDED_ALLOW_IPS: want the load balancer's network, got everybody",
    ),
    "a star": (
        "api-server",
        {"FORWARDED_ALLOW_IPS": "*"},
        "FORWARDED_ALLOW_IPS: want addresses or networks, with commas between",
    ),
    "no path": (
        "worker",
        {"AIRFLOW__CORE__EXECUTION_API_SERVER_URL": "https://api-server.internal:8080"},
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL: want https:// and the path /execution/",
    ),
    "no TLS to the Execution API": (
        "worker",
        {"AIRFLOW__CORE__EXECUTION_API_SERVER_URL": "http://api-server.internal:8080/execution/"},
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL: want https:// and the path /execution/",
    ),
    "public authorities": (
        "worker",
        {"AIRFLOW__API__CLIENT_USE_PUBLIC_CERTS": "True"},
        "AIRFLOW__API__CLIENT_USE_PUBLIC_CERTS: want False: one certificate is trusted, and no other",
    ),
    "a certificate that is none": (
        "worker",
        {"PLATFORM_API_SERVER_CERTIFICATE": "hunter2"},
        "PLATFORM_API_SERVER_CERTIFICATE: want PEM text",
    ),
    "a comma in Flower's password": (
        "flower",
        {"PLATFORM_FLOWER_PASSWORD": "hunter2,"},
        "Flower's login: want a user name without : and no comma; Flower separates with them",
    ),
    "a colon in Flower's user": (
        "flower",
        {"PLATFORM_FLOWER_USERNAME": "a:b"},
        "Flower's login: want a user name without : and no comma; Flower separates with them",
    ),
    "an unknown delivery": (
        "worker",
        {"PLATFORM_DAG_DELIVERY": "git"},
        "PLATFORM_DAG_DELIVERY: want one of release, image",
    ),
    "too many tasks": (
        "worker",
        {"AIRFLOW__CELERY__WORKER_CONCURRENCY": "64"},
        "the worker's concurrency: at most 26 fit into PLATFORM_TASK_MEMORY_MIB (2048), got 64",
    ),
}


@pytest.mark.parametrize(("role", "changes", "problem"), CASES.values(), ids=CASES.keys())
def test_contradictions(role: str, changes: dict[str, str], problem: str) -> None:
    assert problems(role, **changes) == [problem]


@pytest.mark.parametrize("name", MADE_HERE)
def test_addresses_do_not_come_from_outside(name: str) -> None:
    assert problems("worker", **{name: ""}) == [
        f"{name} must not be set: it is put together here, from its parts"
    ]


KEYS = [
    "PLATFORM_METASTORE_USERNAME",
    "PLATFORM_METASTORE_PASSWORD",
    "PLATFORM_METASTORE_OWNER_PASSWORD",
    "PLATFORM_API_SERVER_PRIVATE_KEY",
    "AIRFLOW__CORE__FERNET_KEY",
    "AIRFLOW__API_AUTH__JWT_SECRET",
]


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("role", ["worker", "flower", "release-agent", "release-publisher"])
def test_these_hold_no_key_of_the_platform(role: str, name: str) -> None:
    assert problems(role, **{name: "x" * 40}) == [f"{name} must not be set: a {role} must not know it"]


def test_unknown_role() -> None:
    with pytest.raises(Refusal) as caught:
        compose(COMMON | {"PLATFORM_ROLE": "webserver"}, ["airflow"], VERSION)
    roles = (
        "api-server, scheduler, dag-processor, triggerer, worker, flower, bootstrap, release-agent,"
        " release-publisher"
    )
    assert caught.value.problems == [f"PLATFORM_ROLE: want one of {roles}, got webserver"]


def test_no_command() -> None:
    with pytest.raises(Refusal, match=r"^the container has no command$"):
        started("scheduler", command=())


@pytest.mark.parametrize("role", ENVIRONMENTS)
def test_no_problem_shows_a_secret(role: str) -> None:
    """Whatever is wrong: here all are."""
    secrets = {
        name: "hunter2"
        for name in ENVIRONMENTS[role]
        if any(word in name for word in ("PASSWORD", "SECRET", "KEY", "CERTIFICATE"))
    }
    with pytest.raises(Refusal) as caught:
        started(role, PLATFORM_AIRFLOW_VERSION="x", **secrets)
    assert "hunter2" not in str(caught.value)
