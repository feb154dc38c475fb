"""The bootstrap task: its order, when it stops and with which code. Database and Airflow are fakes.

Not proved here: that PostgreSQL and Airflow do what they are told; the tests with the installed Airflow run it.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from functions.platform_gate import bootstrap as gate
from images.airflow.platform_runtime import application_user, bootstrap, content
from images.airflow.platform_runtime.bootstrap import Stop
from images.airflow.platform_runtime.variables import Refusal
from tests.image.databases import FakeConnection
from tests.image.test_start import METASTORE

GIVEN = METASTORE | {
    "PLATFORM_METASTORE_OWNER_USERNAME": "owner",
    "PLATFORM_METASTORE_OWNER_PASSWORD": "owner-password",
    "PLATFORM_ADMIN_USERNAME": "admin",
    "PLATFORM_ADMIN_PASSWORD": "admin-password",
    "PLATFORM_SERVICES_RUNNING": "false",
    "AIRFLOW__CORE__DEFAULT_POOL_TASK_SLOT_COUNT": "48",
    "AIRFLOW__CORE__AUTH_MANAGER": "fab",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql+psycopg2://u:p@m/d",
}
LOCK = "SELECT pg_try_advisory_lock"


class World:
    """Everything that a bootstrap touches; `happened` is in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.happened: list[str] = []
        self.can_log_in = True
        self.failing: dict[str, Exception] = {}
        self.locks: list[tuple[bool]] = [(True,)]
        monkeypatch.setattr(bootstrap, "_connect", self._connect)
        monkeypatch.setattr(bootstrap, "airflow", self._airflow)
        monkeypatch.setattr(application_user, "ensure", self._step("user"))
        monkeypatch.setattr(content, "ensure_administrator", self._step("administrator"))
        monkeypatch.setattr(content, "ensure_pool", self._step("pool"))
        monkeypatch.setattr("time.sleep", lambda _seconds: self.happened.append("waits"))
        for name, value in GIVEN.items():
            monkeypatch.setenv(name, value)

    def _connect(self, _plan: object, login: Any, _patience: float) -> FakeConnection:
        if login.username == "u" and not self.can_log_in:
            raise Stop("no")
        return FakeConnection({LOCK: self.locks}, self.failing)

    def _airflow(self, *words: str) -> None:
        self.happened.append(" ".join(words[:2]))
        if words[1] in self.failing:
            raise self.failing[words[1]]

    def _step(self, name: str) -> Callable[..., None]:
        def step(*_: object) -> None:
            self.happened.append(name)
            if name in self.failing:
                raise self.failing[name]

        return step


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def test_the_gate_knows_the_code() -> None:
    assert bootstrap.SCHEMA_DIFFERS == gate.SCHEMA_DIFFERS


def test_order(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert bootstrap.main() == 0
    assert world.happened == ["user", "db migrate", "administrator", "pool"]
    assert capsys.readouterr().out == (
        "platform-bootstrap: the schema is the one of this image\nplatform-bootstrap: done\n"
    )


def test_while_services_run_the_schema_is_looked_at_first(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLATFORM_SERVICES_RUNNING", "true")
    assert bootstrap.main() == 0
    assert world.happened == ["db check-migrations", "user", "db migrate", "administrator", "pool"]


def test_another_schema_while_services_run(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PLATFORM_SERVICES_RUNNING", "true")
    world.failing["check-migrations"] = TimeoutError("heads differ")
    assert bootstrap.main() == 64
    assert world.happened == ["db check-migrations"]
    assert capsys.readouterr().out == (
        "platform-bootstrap: the metastore's schema is not the one of this image while services run, so it stays as"
        " it is: heads differ\n"
    )


def test_a_user_that_cannot_look_is_put_right_first(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its password may be the one thing that is wrong."""
    monkeypatch.setenv("PLATFORM_SERVICES_RUNNING", "true")
    world.can_log_in = False
    world.failing["check-migrations"] = TimeoutError()
    assert bootstrap.main() == 64
    assert world.happened == ["user", "db check-migrations"]


def test_a_migration_that_fails(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.failing["migrate"] = RuntimeError("disk full")
    assert bootstrap.main() == 1
    out, err = capsys.readouterr()
    assert out.startswith(
        "platform-bootstrap: the migration failed (RuntimeError); the trace above says where."
    )
    assert "RuntimeError: disk full" in err


def test_a_user_that_can_do_too_much(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.failing["user"] = PermissionError("take it away")
    assert bootstrap.main() == 1
    assert world.happened == ["user"]
    assert capsys.readouterr().out == "platform-bootstrap: take it away; then run `pulumi up` again\n"


class ServerError(Exception):
    """psycopg2.Error: its text has the statement, `diag` the server's message."""

    diag = SimpleNamespace(message_primary="permission denied to create role")


class SqlAlchemyError(Exception):
    """sqlalchemy.exc.DBAPIError: its text has the values as well."""

    orig = ServerError("LINE 1: hunter2")


FAILURES = {
    "of the driver": (ServerError("LINE 1: hunter2"), "ServerError: permission denied to create role"),
    "of SQLAlchemy": (SqlAlchemyError("hunter2"), "ServerError: permission denied to create role"),
    "of Airflow": (
        bootstrap.CommandError("airflow users create ended with 2"),
        "CommandError: airflow users create ended with 2",
    ),
    "any": (RuntimeError("hunter2"), "RuntimeError"),
}
STEPS = {
    "user": (
        "making the database user u failed: {}; see to it that owner owns the database and may make roles, then"
        " run `pulumi up` again"
    ),
    "administrator": (
        "making the administrator and the pool failed: {}; remove the cause, then run `pulumi up` again"
    ),
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(("error", "reason"), FAILURES.values(), ids=FAILURES.keys())
def test_a_failure_shows_a_remedy_and_no_value(
    world: World, capfd: pytest.CaptureFixture[str], step: str, error: Exception, reason: str
) -> None:
    world.failing[step] = error
    assert bootstrap.main() == 1
    out, err = capfd.readouterr()
    assert out.splitlines()[-1] == f"platform-bootstrap: {STEPS[step].format(reason)}"
    assert "raise self.failing[name]" in err
    assert "hunter2" not in out + err


def test_it_goes_on_after_sigterm(
    world: World, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Without that it would die in the middle of a migration, long before ECS kills it."""

    def not_noted(*_: object) -> None:
        pytest.fail("the signal got through")

    def migrate(*words: str) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        world.happened.append(" ".join(words))

    before = signal.signal(signal.SIGTERM, not_noted)
    try:
        monkeypatch.setattr(bootstrap, "airflow", migrate)
        assert bootstrap.main() == 0
        assert signal.getsignal(signal.SIGTERM) is not_noted
    finally:
        signal.signal(signal.SIGTERM, before)
    assert world.happened == ["user", "db migrate", "administrator", "pool"]
    assert capfd.readouterr().out.splitlines() == [
        "platform-bootstrap: SIGTERM: going on to the end",
        "platform-bootstrap: the schema is the one of this image",
        "platform-bootstrap: done",
    ]


def test_a_lock_that_was_lost_during_the_migration(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.failing["SELECT 1"] = ServerError("connection closed")
    assert bootstrap.main() == 1
    assert world.happened == ["user", "db migrate"]
    assert capsys.readouterr().out.splitlines()[-1] == (
        "platform-bootstrap: the connection that held the lock broke during the migration (ServerError), so another"
        " bootstrap may have begun: run `pulumi up` again, which does what is left"
    )


def test_one_at_a_time(world: World) -> None:
    world.locks[:] = [(False,), (False,), (True,)]
    assert bootstrap.main() == 0
    assert world.happened[:3] == ["waits", "waits", "user"]


def test_another_one_that_never_ends(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world.locks[:] = [(False,)]
    monkeypatch.setattr(bootstrap, "LOCK_SECONDS", 0)
    assert bootstrap.main() == 1
    assert world.happened == []
    assert "look for a task that hangs" in capsys.readouterr().out


def test_passwords_are_gone_before_airflow_runs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[str] = []
    monkeypatch.setattr(
        bootstrap,
        "airflow",
        lambda *_: left.extend(name for name in os.environ if name in bootstrap.USED_UP),
    )
    assert bootstrap.main() == 0
    assert left == []


NEEDED = [name for name in GIVEN if name != "AIRFLOW__CORE__FERNET_KEY"]


@pytest.mark.parametrize("name", NEEDED)
def test_each_missing_variable_is_named(name: str) -> None:
    with pytest.raises(Refusal) as caught:
        bootstrap.read({key: value for key, value in GIVEN.items() if key != name})
    assert caught.value.problems == [f"{name} is missing"]


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("PLATFORM_SERVICES_RUNNING", "perhaps", "PLATFORM_SERVICES_RUNNING: want true or false"),
        (
            "PLATFORM_METASTORE_OWNER_USERNAME",
            "u",
            "PLATFORM_METASTORE_USERNAME: want another user than the database's owner",
        ),
        (
            "AIRFLOW__CORE__DEFAULT_POOL_TASK_SLOT_COUNT",
            "0",
            "AIRFLOW__CORE__DEFAULT_POOL_TASK_SLOT_COUNT: want a whole number from 1 to 1000000",
        ),
    ],
)
def test_contradictions(name: str, value: str, problem: str) -> None:
    with pytest.raises(Refusal) as caught:
        bootstrap.read(GIVEN | {name: value})
    assert caught.value.problems == [problem]


def test_a_refusal_lists_everything(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("PLATFORM_ADMIN_PASSWORD")
    monkeypatch.setenv("PLATFORM_SERVICES_RUNNING", "perhaps")
    assert bootstrap.main() == 78
    assert capsys.readouterr().out.splitlines() == [
        "platform-bootstrap: the bootstrap cannot start:",
        "platform-bootstrap:   - PLATFORM_ADMIN_PASSWORD is missing",
        "platform-bootstrap:   - PLATFORM_SERVICES_RUNNING: want true or false",
    ]


class Refusing:
    """psycopg2 that lets nobody in, or somebody at the n-th attempt."""

    class OperationalError(Exception):
        """Its own error."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals

    def connect(self, **_: object) -> Any:
        self.refusals -= 1
        if self.refusals >= 0:
            raise self.OperationalError("starting up\n")
        return SimpleNamespace(autocommit=False)


def connection(monkeypatch: pytest.MonkeyPatch, refusals: int, patience: float) -> Any:
    monkeypatch.setitem(sys.modules, "psycopg2", Refusing(refusals))
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    plan = bootstrap.read(GIVEN)
    return bootstrap._connect(plan, plan.owner, patience)


def test_a_database_that_starts_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert connection(monkeypatch, 3, patience=60).autocommit


def test_a_database_that_lets_nobody_in(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        Stop, match=r"^the metastore does not let owner in: starting up; look at the database's state"
    ):
        connection(monkeypatch, 1, patience=0)


def airflow_that(monkeypatch: pytest.MonkeyPatch, ends: Callable[[], None]) -> list[Any]:
    """Put a command line parser in the place of Airflow's; return what it was given."""
    words: list[Any] = []

    def parse_args(given: tuple[str, ...]) -> Any:
        words.append(given)
        return SimpleNamespace(func=lambda _arguments: ends())

    module = ModuleType("airflow.cli.cli_parser")
    vars(module)["get_parser"] = lambda: SimpleNamespace(parse_args=parse_args)
    monkeypatch.setitem(sys.modules, "airflow.cli.cli_parser", module)
    for name in ("airflow", "airflow.cli"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    return words


def test_commands_run_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    words = airflow_that(monkeypatch, lambda: None)
    bootstrap.airflow("db", "migrate")
    assert words == [("db", "migrate")]


@pytest.mark.parametrize("code", [0, None])
def test_a_command_that_exits_well(monkeypatch: pytest.MonkeyPatch, code: int | None) -> None:
    def ends() -> None:
        raise SystemExit(code)

    airflow_that(monkeypatch, ends)
    bootstrap.airflow("db", "migrate")


def test_a_command_that_exits_badly_does_not_show_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """The third one may be a password."""

    def ends() -> None:
        raise SystemExit(2)

    airflow_that(monkeypatch, ends)
    with pytest.raises(RuntimeError, match=r"^airflow users create ended with 2$"):
        bootstrap.airflow("users", "create", "--password=hunter2")
