"""The first administrator and the default pool: made when they are missing, never taken back from somebody."""

from __future__ import annotations

from typing import Any

from images.airflow.platform_runtime import content
from images.airflow.platform_runtime.addresses import Login
from tests.image.databases import FakeConnection


class Log(list[str]):
    """Lines that were said."""

    def say(self, line: str) -> None:
        self.append(line)


def administrator(users: int) -> tuple[list[tuple[str, ...]], Log]:
    commands: list[tuple[str, ...]] = []
    log = Log()
    content.ensure_administrator(
        FakeConnection({"SELECT count(*) FROM ab_user": (users,)}),
        Login("admin", "-secret"),
        lambda *words: commands.append(words),
        log.say,
    )
    return commands, log


def test_first_administrator() -> None:
    commands, log = administrator(0)
    assert commands == [
        (
            "users",
            "create",
            "--username=admin",
            "--password=-secret",
            "--role=Admin",
            "--firstname=First",
            "--lastname=Administrator",
            "--email=admin@localhost",
        )
    ]
    assert log == ["made the administrator admin; the password is in its secret"]


def test_with_any_user_nobody_is_made() -> None:
    """Somebody may have changed the password, or removed the first administrator on purpose."""
    assert administrator(1) == ([], ["there are users (1), so no administrator is made"])


def pool(changed: Any) -> tuple[FakeConnection, Log]:
    connection, log = FakeConnection({"UPDATE slot_pool": changed}), Log()
    content.ensure_pool(connection, 48, log.say)
    return connection, log


def test_the_pool_grows_only() -> None:
    connection, log = pool((1,))
    ((statement, values),) = connection.told
    assert statement == (
        "UPDATE slot_pool SET slots = %(slots)s"
        " WHERE pool = %(pool)s AND slots BETWEEN 0 AND %(slots)s - 1 RETURNING id"
    )
    assert values == {"slots": 48, "pool": "default_pool"}
    assert log == ["the default pool has 48 slots now"]


def test_a_pool_that_is_large_enough_is_not_worth_a_line() -> None:
    assert pool(None)[1] == []
