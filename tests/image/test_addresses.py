"""Addresses of metastore and broker: exact, and readable again whatever a password contains.

Not proved here: that the drivers accept them; the tests with the installed Airflow read them back with SQLAlchemy,
kombu and Airflow's own configuration.
"""

from __future__ import annotations

from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from images.airflow.platform_runtime.addresses import (
    ASYNC_DRIVER,
    SYNC_DRIVER,
    Broker,
    Login,
    Metastore,
    broker,
    login,
    metastore,
)
from images.airflow.platform_runtime.variables import Variables

METASTORE = Metastore(
    host="metastore.example",
    port=5432,
    database="airflow",
    ca_bundle="/opt/platform/certificates/rds-global-bundle.pem",
    options=(("connect_timeout", "10"),),
)
BROKER = Broker("broker.example", 6379)
WITHOUT_SURROGATES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
NASTY = "p@s/w:o%r#d?&$HOME+ =ü\\~"


def test_metastore_for_a_driver() -> None:
    assert METASTORE.url(SYNC_DRIVER, Login("airflow", "a/b"), "airflow-scheduler") == (
        "postgresql+psycopg2://airflow:a%2Fb@metastore.example:5432/airflow?connect_timeout=10"
        "&application_name=airflow-scheduler&sslmode=verify-full"
        "&sslrootcert=%2Fopt%2Fplatform%2Fcertificates%2Frds-global-bundle.pem"
    )


def test_drivers_are_named() -> None:
    """Without a name SQLAlchemy and Celery take different ones; asyncpg does not know the TLS parameters."""
    assert (SYNC_DRIVER, ASYNC_DRIVER) == ("postgresql+psycopg2", "postgresql+psycopg")


def test_broker() -> None:
    assert BROKER.url(Login("airflow-dev", "a/b"), 1) == (
        "rediss://airflow-dev:a%2Fb@broker.example:6379/1?ssl_cert_reqs=CERT_REQUIRED"
    )


@pytest.mark.parametrize(
    "url", [METASTORE.url(SYNC_DRIVER, Login(NASTY, NASTY), "x"), BROKER.url(Login(NASTY, NASTY), 0)]
)
def test_nothing_of_a_login_means_anything(url: str) -> None:
    """Airflow replaces $NAME in a value by that variable, and configuration parsers read % themselves."""
    parts = urlsplit(url)
    escaped = "p%40s%2Fw%3Ao%25r%23d%3F%26%24HOME%2B%20%3D%C3%BC%5C~"
    assert parts.netloc.rpartition("@")[0] == f"{escaped}:{escaped}"


@given(user=WITHOUT_SURROGATES, password=WITHOUT_SURROGATES)
@example(user="airflow", password=NASTY)
def test_logins_survive(user: str, password: str) -> None:
    for url in (METASTORE.url(SYNC_DRIVER, Login(user, password), "x"), BROKER.url(Login(user, password), 0)):
        parts = urlsplit(url)
        assert (unquote(parts.username or ""), unquote(parts.password or "")) == (user, password)
        assert (parts.hostname, parts.fragment) == (
            "metastore.example" if "postgresql" in url else "broker.example",
            "",
        )


@given(database=WITHOUT_SURROGATES, bundle=WITHOUT_SURROGATES)
def test_other_parts_survive(database: str, bundle: str) -> None:
    where = Metastore(host="h", port=1, database=database, ca_bundle=bundle, options=())
    parts = urlsplit(where.url(SYNC_DRIVER, Login("u", "p"), "x"))
    assert unquote(parts.path.removeprefix("/")) == database
    assert parse_qs(parts.query)["sslrootcert"] == [bundle]


def test_address_of_ipv6() -> None:
    assert Broker("fd00::1", 6379).url(Login("u", "p"), 0).startswith("rediss://u:p@[fd00::1]:6379/0?")


def test_options_cannot_weaken_tls() -> None:
    """They stand in a task definition; verification does not depend on them."""
    weak = Metastore(host="h", port=1, database="d", ca_bundle="c", options=(("sslmode", "disable"),))
    assert weak.parameters("x")["sslmode"] == "verify-full"


def test_a_login_does_not_show_its_password() -> None:
    assert repr(Login("airflow", "hunter2")) == "Login('airflow')"


GIVEN = {
    "PLATFORM_METASTORE_HOST": "metastore.example",
    "PLATFORM_METASTORE_PORT": "5432",
    "PLATFORM_METASTORE_DATABASE": "airflow",
    "PLATFORM_METASTORE_CA_BUNDLE": "/opt/platform/certificates/rds-global-bundle.pem",
    "PLATFORM_METASTORE_OPTIONS": "connect_timeout=10",
    "PLATFORM_BROKER_HOST": "broker.example",
    "PLATFORM_BROKER_PORT": "6379",
    "PLATFORM_BROKER_USERNAME": "airflow-dev",
    "PLATFORM_BROKER_PASSWORD": NASTY,
}


def test_read_from_variables() -> None:
    variables = Variables(GIVEN)
    assert metastore(variables) == METASTORE
    assert broker(variables) == BROKER
    assert login(variables, "BROKER") == Login("airflow-dev", NASTY)
    assert variables.problems == []


def test_a_metastore_may_have_no_options() -> None:
    given_ = {name: value for name, value in GIVEN.items() if name != "PLATFORM_METASTORE_OPTIONS"}
    assert metastore(Variables(given_)).options == ()


def test_all_missing_parts_are_named() -> None:
    variables = Variables({})
    metastore(variables)
    broker(variables)
    login(variables, "BROKER")
    assert variables.problems == [
        f"{name} is missing" for name in GIVEN if name != "PLATFORM_METASTORE_OPTIONS"
    ]
