"""Which environment variables look like a secret in plain text."""

from __future__ import annotations

import pytest

from sandbox.behaviour.rules.secret_values import secret_in

SECRETS = [
    ("DB_PASSWORD", "hunter2", "looks like a secret"),
    ("db_password", "hunter2", "looks like a secret"),
    ("PGPASSWORD", "hunter2", "looks like a secret"),
    ("MYSQL_PWD", "hunter2", "looks like a secret"),
    ("AIRFLOW__API_AUTH__JWT_SECRET", "abc", "looks like a secret"),
    ("AIRFLOW__WEBSERVER__SECRET_KEY", "abc", "looks like a secret"),
    ("AIRFLOW__CORE__FERNET_KEY", "abc=", "looks like a secret"),
    ("GITHUB_TOKEN", "ghp_abc", "looks like a secret"),
    ("APIKEY", "abc", "looks like a secret"),
    ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE", "holds an AWS access key"),
    ("ANYTHING", "key ASIAIOSFODNN7EXAMPLE.", "holds an AWS access key"),
    ("ANYTHING", "-----BEGIN PRIVATE KEY-----\nabc", "holds a private key"),
    ("AIRFLOW__CELERY__BROKER_URL", "rediss://:secret@cache:6379/0", "holds a URL with a password"),
    ("CONN", "postgresql+psycopg2://airflow:secret@db/airflow", "holds a URL with a password"),
]

HARMLESS = [
    ("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor"),
    ("DB_SECRET_ARN", "arn:aws:secretsmanager:eu-west-1:111111111111:secret:db-AbCdEf"),
    ("SECRET_NAME", "airflow/fernet"),
    ("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD", "print-connection"),
    ("AIRFLOW__SECRETS__BACKEND", "airflow.providers.amazon.SecretsManagerBackend"),
    ("AIRFLOW__SECRETS__USE_CACHE", "True"),
    ("AIRFLOW__CELERY__SSL_KEY", "/opt/airflow/tls/key.pem"),
    ("REQUIRE_PASSWORD", "true"),
    ("DB_PASSWORD", ""),
    ("AIRFLOW__CELERY__BROKER_URL", "redis://cache:6379/0"),
    ("REPOSITORY", "https://github.com/apache/airflow"),
    ("TIME", "10:00@noon"),
    ("KEYBOARD", "qwerty"),
]


@pytest.mark.parametrize(("name", "value", "reason"), SECRETS)
def test_secret(name: str, value: str, reason: str) -> None:
    problem = secret_in(name, value)
    assert problem is not None
    assert problem.startswith(f"{name} {reason}")


@pytest.mark.parametrize(("name", "value"), HARMLESS)
def test_harmless(name: str, value: str) -> None:
    assert secret_in(name, value) is None
