"""The database user of Airflow: it may log in, own what it makes in this one database, and nothing more.

The owner of the database makes it. Its password is sent as a SCRAM verifier, because PostgreSQL writes statements that
change roles into its log.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from .addresses import Login

POWERS: Final = ("rolsuper", "rolcreaterole", "rolcreatedb", "rolreplication", "rolbypassrls")
LIMITS: Final = "NOCREATEROLE NOCREATEDB"
"""What an owner who is no superuser may take away again."""

Say = Callable[[str], None]


def ensure(owner: Any, database: str, login: Login, can_log_in: Callable[[], bool], say: Say) -> None:
    """Make the user, or put right what is not as it should be.

    Args:
        owner: Connection of the database's owner, in autocommit mode.
        database: The database.
        login: The user that shall exist.
        can_log_in: Tries the login.
        say: Writes a line of the log.

    Raises:
        PermissionError: the user can do more than the owner may take away.

    """
    with owner.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(POWERS)} FROM pg_roles WHERE rolname = %s", (login.username,))  # noqa: S608
        powers = cursor.fetchone()
        name = _quoted(owner, login.username)
        if powers is None:
            cursor.execute(f"CREATE ROLE {name} LOGIN PASSWORD %s", (_verifier(owner, login),))
            say(f"made the database user {login.username}")
        else:
            _limit(cursor, name, login.username, dict(zip(POWERS, powers, strict=True)), say)
        # Repeated grants change nothing. What it makes belongs to it; of others' tables it can touch none.
        cursor.execute(f"GRANT CONNECT ON DATABASE {_quoted(owner, database)} TO {name}")
        cursor.execute(f"GRANT USAGE, CREATE ON SCHEMA public TO {name}")
        if powers is not None and not can_log_in():
            cursor.execute(f"ALTER ROLE {name} LOGIN PASSWORD %s", (_verifier(owner, login),))
            say(f"set the password of the database user {login.username} to the one in its secret")


def _limit(cursor: Any, name: str, username: str, powers: dict[str, bool], say: Say) -> None:
    if powers["rolsuper"] or powers["rolreplication"] or powers["rolbypassrls"]:
        raise PermissionError(
            f"the database user {username} has rights that its owner cannot take away (superuser, replication or"
            " bypassrls): take them away as a superuser, or name another user in the secret"
        )
    if powers["rolcreaterole"] or powers["rolcreatedb"]:
        cursor.execute(f"ALTER ROLE {name} {LIMITS}")
        say(f"took the right to make roles and databases from the database user {username}")


def _quoted(connection: Any, name: str) -> str:
    from psycopg2.extensions import quote_ident

    return str(quote_ident(name, connection))


def _verifier(connection: Any, login: Login) -> str:
    from psycopg2.extensions import encrypt_password

    return str(encrypt_password(login.password, login.username, connection, "scram-sha-256"))
