"""The database user of Airflow: it may log in and make tables in this database's schema `public`, which are its own.

It has no power over roles, databases or the server, by itself or as a member of another role. What PostgreSQL lets
everybody do it may do as well, such as connecting to the server's other databases. The owner of the database makes it.
Its password is sent as a SCRAM verifier, because PostgreSQL writes statements that change roles into its log.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from .addresses import Login

POWERS: Final = ("rolsuper", "rolcreaterole", "rolcreatedb", "rolreplication", "rolbypassrls")
LIMITS: Final = "NOCREATEROLE NOCREATEDB"
"""What an owner who is no superuser may take away again."""
STRONG_ROLES: Final = (
    # The roles of RDS and of PostgreSQL itself, such as rds_superuser and pg_execute_server_program; and rds_iam, whose
    # members get in with a token of IAM and with no password. pg_has_role sees membership through others, too.
    "SELECT string_agg(quote_ident(rolname), ', ' ORDER BY rolname) FROM pg_roles"  # noqa: S608  of constants only
    f" WHERE (rolname ~ '^(rds|pg)_' OR {' OR '.join(POWERS)}) AND rolname <> %(user)s"
    " AND pg_has_role(%(user)s, oid, 'MEMBER')"
)

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
        PermissionError: the user can do more than it should, and the owner may not be able to take it away.

    """
    with owner.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(POWERS)} FROM pg_roles WHERE rolname = %s", (login.username,))  # noqa: S608
        powers = cursor.fetchone()
        name = _quoted(owner, login.username)
        if powers is None:
            cursor.execute(f"CREATE ROLE {_escaped(name)} LOGIN PASSWORD %s", (_verifier(owner, login),))
            say(f"made the database user {login.username}")
        else:
            _limit(cursor, name, login.username, dict(zip(POWERS, powers, strict=True)), say)
        # Repeated grants change nothing. Other users' tables are closed to it unless they grant it something.
        cursor.execute(f"GRANT CONNECT ON DATABASE {_quoted(owner, database)} TO {name}")
        cursor.execute(f"GRANT USAGE, CREATE ON SCHEMA public TO {name}")
        if powers is not None and not can_log_in():
            cursor.execute(f"ALTER ROLE {_escaped(name)} LOGIN PASSWORD %s", (_verifier(owner, login),))
            say(f"set the password of the database user {login.username} to the one in its secret")


def _limit(cursor: Any, name: str, username: str, powers: dict[str, bool], say: Say) -> None:
    if powers["rolsuper"] or powers["rolreplication"] or powers["rolbypassrls"]:
        raise PermissionError(
            f"the database user {username} has rights that its owner cannot take away (superuser, replication or"
            " bypassrls): take them away as a superuser, or name another user in the secret"
        )
    cursor.execute(STRONG_ROLES, {"user": username})
    (strong,) = cursor.fetchone()
    if strong:
        raise PermissionError(
            f"the database user {username} is a member of {strong}: take that away (REVOKE {strong} FROM the user), or"
            " name another user in the secret"
        )
    if powers["rolcreaterole"] or powers["rolcreatedb"]:
        cursor.execute(f"ALTER ROLE {name} {LIMITS}")
        say(f"took the right to make roles and databases from the database user {username}")


def _quoted(connection: Any, name: str) -> str:
    from psycopg2.extensions import quote_ident

    return str(quote_ident(name, connection))


def _escaped(name: str) -> str:
    # The driver reads a % in a statement with values as the place of a value.
    return name.replace("%", "%%")


def _verifier(connection: Any, login: Login) -> str:
    from psycopg2.extensions import encrypt_password

    return str(encrypt_password(login.password, login.username, connection, "scram-sha-256"))
