"""Variables of containers: what has the name or the look of a secret, and what only seems so."""

from __future__ import annotations

import pytest

from policies.security.rules.containers import RULES, TASK_DEFINITION
from tests.policies.golden import judged_alone

RULE = "container-no-secret-in-environment"


def raised(name: str, value: str = "x") -> bool:
    assert RULE in {rule.name for rule in RULES}
    container = {"environment": [{"name": name, "value": value}]}
    return RULE in judged_alone(TASK_DEFINITION, {"containerDefinitions": [container]})


@pytest.mark.parametrize(
    "name",
    [
        "DB_PASSWORD", "PGPASSWORD", "dbPassword", "REDIS_PASSWD", "KEY_PASSPHRASE", "GITHUB_TOKEN", "TOKEN",
        "AIRFLOW__CORE__FERNET_KEY", "API_KEY", "APIKEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "SECRET_KEY",
        "SSH_PRIVATE_KEY", "SECRET", "JWT_SECRET", "ECS_ENGINE_AUTH_DATA", "GCP_CREDENTIALS",
    ],
)  # fmt: skip
def test_names_of_secrets(name: str) -> None:
    assert raised(name)


@pytest.mark.parametrize(
    "name",
    [
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_SECRET", "AIRFLOW__SECRETS__BACKEND", "AIRFLOW__API__SSL_KEY",
        "FLOWER_KEYFILE", "SECRETS_PREFIX", "PASSWORD_POLICY", "TOKEN_URL", "KEYBOARD",
    ],
)  # fmt: skip
def test_names_that_only_seem_so(name: str) -> None:
    assert not raised(name)


@pytest.mark.parametrize(
    "value",
    [
        "AKIAABCDEFGHIJKLMNOP",
        "ASIAABCDEFGHIJKLMNOP",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----",
        "postgresql://user:word@host/db",
        "POSTGRESQL://user:word@host/db",
        "redis://:word@host",
        "amqp://user:wo:rd/x@host",
        "https://ghp_abcdef0123456789@github.com/x/y",
    ],
)
def test_values_that_are_secrets(value: str) -> None:
    assert raised("NOTE", value)


@pytest.mark.parametrize(
    "value",
    [
        "https://host:8080/path",
        "postgresql://host/db",
        "rediss://user@host:6379",
        "-----BEGIN CERTIFICATE-----",
        "a:b@c",
    ],
)
def test_values_that_are_none(value: str) -> None:
    assert not raised("NOTE", value)
