"""The database user: made, put right, or refused; its password is never in a statement.

Not proved here: PostgreSQL's answers; the tests with the installed Airflow ask a real one.
"""

from __future__ import annotations

from typing import Any

import pytest

from images.airflow.platform_runtime import application_user
from images.airflow.platform_runtime.addresses import Login
from tests.image.databases import FakeConnection

LOGIN = Login("airflow", "hunter2")
GRANTS = [
    'GRANT CONNECT ON DATABASE "db" TO "airflow"',
    'GRANT USAGE, CREATE ON SCHEMA public TO "airflow"',
]
ORDINARY = (False, False, False, False, False)


@pytest.fixture(autouse=True)
def no_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application_user, "_quoted", lambda _connection, name: f'"{name}"')
    monkeypatch.setattr(
        application_user, "_verifier", lambda _connection, login: f"SCRAM of {login.username}"
    )


def ensured(
    powers: tuple[bool, ...] | None, *, can_log_in: bool = True, strong: str | None = None
) -> tuple[FakeConnection, list[str]]:
    answers = {"SELECT rolsuper": powers, "SELECT string_agg": (strong,)}
    connection, said = FakeConnection(answers), list[str]()
    application_user.ensure(connection, "db", LOGIN, lambda: can_log_in, said.append)
    assert "hunter2" not in repr(connection.told)
    return connection, said


def test_a_new_user() -> None:
    connection, said = ensured(None)
    assert connection.changes == ['CREATE ROLE "airflow" LOGIN PASSWORD %s', *GRANTS]
    assert connection.told[1][1] == ("SCRAM of airflow",)
    assert said == ["made the database user airflow"]


def test_a_user_that_is_right() -> None:
    connection, said = ensured(ORDINARY)
    assert (connection.changes, said) == (GRANTS, [])


def test_another_password() -> None:
    connection, said = ensured(ORDINARY, can_log_in=False)
    assert connection.changes == [*GRANTS, 'ALTER ROLE "airflow" LOGIN PASSWORD %s']
    assert said == ["set the password of the database user airflow to the one in its secret"]


@pytest.mark.parametrize(
    "powers",
    [(False, True, False, False, False), (False, False, True, False, False)],
    ids=["roles", "databases"],
)
def test_too_many_rights_are_taken_away(powers: tuple[bool, ...]) -> None:
    connection, said = ensured(powers)
    assert connection.changes == ['ALTER ROLE "airflow" NOCREATEROLE NOCREATEDB', *GRANTS]
    assert said == ["took the right to make roles and databases from the database user airflow"]


@pytest.mark.parametrize("place", [0, 3, 4], ids=["superuser", "replication", "bypassrls"])
def test_rights_that_only_a_superuser_takes_away(place: int) -> None:
    powers = tuple(index == place for index in range(5))
    with pytest.raises(
        PermissionError, match="the database user airflow has rights that its owner cannot take"
    ):
        ensured(powers)


def test_membership_in_a_strong_role() -> None:
    """rds_iam would close the door to passwords, rds_superuser open every other."""
    with pytest.raises(
        PermissionError, match="airflow is a member of rds_iam, rds_superuser: take that away"
    ):
        ensured(ORDINARY, strong="rds_iam, rds_superuser")


@pytest.mark.parametrize("powers", [None, ORDINARY], ids=["made", "changed"])
def test_a_percent_sign_in_the_name(monkeypatch: pytest.MonkeyPatch, powers: tuple[bool, ...] | None) -> None:
    """Doubled where the driver fills in values, and only there."""
    monkeypatch.setattr(application_user, "_quoted", lambda _connection, _name: '"a%s"')
    connection, _ = ensured(powers, can_log_in=False)
    for statement, values in connection.told:
        if not statement.startswith("SELECT"):
            assert ('"a%%s"' if values else '"a%s"') in statement


def test_names_are_quoted_by_the_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    names: list[Any] = []

    def quoted(_connection: object, name: str) -> str:
        names.append(name)
        return name

    monkeypatch.setattr(application_user, "_quoted", quoted)
    ensured(None)
    assert names == ["airflow", "db"]
