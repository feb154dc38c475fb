"""What Airflow's tables must contain besides the schema: a first administrator, and room in the default pool."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from .addresses import Login

POOL: Final = "default_pool"

Say = Callable[[str], None]
Airflow = Callable[..., None]
"""Runs an Airflow command by its words."""


def ensure_administrator(metastore: Any, login: Login, airflow: Airflow, say: Say) -> None:
    """Make the administrator of the secret if there is no user at all.

    Once there are users, who may log in with what is theirs to decide: nobody is made again, no password is changed.
    """
    with metastore.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ab_user")
        (users,) = cursor.fetchone()
    if users:
        say(f"there are users ({users}), so no administrator is made")
        return
    # One word for name and value: a password may begin with a hyphen.
    airflow(
        "users", "create", f"--username={login.username}", f"--password={login.password}", "--role=Admin",
        "--firstname=First", "--lastname=Administrator", f"--email={login.username}@localhost",
    )  # fmt: skip
    say(f"made the administrator {login.username}; the password is in its secret")


def ensure_pool(metastore: Any, slots: int, say: Say) -> None:
    """Give the default pool at least so many slots; its 128 would cap all workers.

    More is left alone, as somebody wanted it, and so is -1, which means without limit.
    """
    with metastore.cursor() as cursor:
        cursor.execute(
            "UPDATE slot_pool SET slots = %(slots)s"
            " WHERE pool = %(pool)s AND slots BETWEEN 0 AND %(slots)s - 1 RETURNING id",
            {"slots": slots, "pool": POOL},
        )
        if cursor.fetchone():
            say(f"the default pool has {slots} slots now")
