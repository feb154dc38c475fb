"""`platform-bootstrap`: brings the metastore to what this image needs, and changes nothing when it is there already.

Database user, schema, first administrator, default pool; in this order, under a lock that lets one bootstrap work at a
time. The platform gate starts it, reads its exit code and points to its log.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, Final

from . import addresses, application_user, content
from .addresses import Login, Metastore
from .start import SQL_ALCHEMY_CONN
from .variables import BAD_CONFIGURATION, Refusal, Variables

FAILED: Final = 1
SCHEMA_DIFFERS: Final = 64
"""The schema is another one than the image's while services run; nothing was changed. The gate knows this code."""
LOCK: Final = 0x706C6174
"""Any number that only we use: "plat". Airflow's own lock around its migration is number 1."""
LOCK_SECONDS: Final = 600
PAUSE_SECONDS: Final = 5
CONNECT_SECONDS: Final = 60
"""RDS may need that long after a failover; the gate has waited for the database before."""
MAX_SLOTS: Final = 1_000_000
STANDARD_OUTPUT: Final = 1
AGAIN: Final = "then run `pulumi up` again"
USED_UP: Final = (
    "PLATFORM_METASTORE_OWNER_PASSWORD",
    "PLATFORM_METASTORE_PASSWORD",
    "PLATFORM_ADMIN_PASSWORD",
)

Say = Callable[[str], None]


class Stop(Exception):
    """The bootstrap cannot go on; the message says why and what to do."""

    def __init__(self, reason: str, code: int = FAILED) -> None:
        """Keep the exit code."""
        super().__init__(reason)
        self.code = code


class CommandError(RuntimeError):
    """An Airflow command ended with an error; the message has no argument of it."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What shall be there afterwards."""

    metastore: Metastore
    owner: Login
    application: Login
    administrator: Login
    pool_slots: int
    services_running: bool


def main() -> int:
    """Run, and tell by the exit code how it ended."""
    try:
        plan = read(os.environ)
        # The migration runs in this process, and so does what others have put into it.
        for name in USED_UP:
            os.environ.pop(name, None)
        with _to_the_end():
            run(plan)
    except Refusal as refusal:
        say("the bootstrap cannot start:")
        for problem in refusal.problems:
            say(f"  - {problem}")
        return BAD_CONFIGURATION
    except Stop as stop:
        say(str(stop))
        return stop.code
    say("done")
    return 0


def read(environment: Mapping[str, str]) -> Plan:
    """Read the variables.

    Raises:
        Refusal: with everything that is missing or contradictory.

    """
    variables = Variables(environment)
    plan = Plan(
        metastore=addresses.metastore(variables),
        owner=addresses.login(variables, "METASTORE_OWNER"),
        application=addresses.login(variables, "METASTORE"),
        administrator=addresses.login(variables, "ADMIN"),
        pool_slots=variables.number("AIRFLOW__CORE__DEFAULT_POOL_TASK_SLOT_COUNT", 1, MAX_SLOTS),
        services_running=_services_running(variables),
    )
    variables.need("AIRFLOW__CORE__AUTH_MANAGER")
    # The entry point has set it.
    variables.need(SQL_ALCHEMY_CONN)
    if plan.owner.username and plan.owner.username == plan.application.username:
        variables.problems.append("PLATFORM_METASTORE_USERNAME: want another user than the database's owner")
    variables.refuse()
    return plan


def _services_running(variables: Variables) -> bool:
    # The gate always says it. Whoever starts the task by hand must know as well.
    value = variables.need("PLATFORM_SERVICES_RUNNING")
    if value and value not in {"true", "false"}:
        variables.problems.append("PLATFORM_SERVICES_RUNNING: want true or false")
    return value != "false"


def run(plan: Plan) -> None:
    """Do what the plan says.

    Raises:
        Stop: it cannot be done.

    """
    with closing(_connect(plan, plan.owner, CONNECT_SECONDS)) as owner, _only_one(owner):
        # Before anything is changed, if the user can look.
        looked = plan.services_running and _can_log_in(plan)
        if looked:
            _refuse_another_schema()
        with _explained(
            f"making the database user {plan.application.username}",
            f"see to it that {plan.owner.username} owns the database and may make roles",
        ):
            application_user.ensure(
                owner, plan.metastore.database, plan.application, lambda: _can_log_in(plan), say
            )
        if plan.services_running and not looked:
            _refuse_another_schema()
        _migrate()
        _refuse_a_lost_lock(owner)
        with (
            closing(_connect(plan, plan.application, PAUSE_SECONDS)) as metastore,
            _explained("making the administrator and the pool", "remove the cause"),
        ):
            content.ensure_administrator(metastore, plan.administrator, airflow, say)
            content.ensure_pool(metastore, plan.pool_slots, say)


@contextmanager
def _to_the_end() -> Iterator[None]:
    """Note SIGTERM and go on: half a migration is worse than a late end, and ECS waits before it kills."""

    def note(_signal: int, _frame: object) -> None:
        # Not by say(): the signal may have interrupted it.
        os.write(STANDARD_OUTPUT, b"platform-bootstrap: SIGTERM: going on to the end\n")

    before = signal.signal(signal.SIGTERM, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


@contextmanager
def _explained(what: str, remedy: str) -> Iterator[None]:
    """Stop with a reason and a remedy; statements and values, which drivers put into their errors, are not shown."""
    try:
        yield
    except Stop:
        raise
    except PermissionError as error:
        raise Stop(f"{error}; {AGAIN}") from error
    except Exception as error:
        # Where, in lines of code; the error's own text may have a password.
        traceback.print_tb(error.__traceback__)
        raise Stop(f"{what} failed: {_reason(error)}; {remedy}, {AGAIN}") from error


def _reason(error: Exception) -> str:
    # SQLAlchemy keeps the driver's error, and that keeps the server's message apart from the statement.
    origin = getattr(error, "orig", error)
    message = getattr(getattr(origin, "diag", None), "message_primary", None)
    if isinstance(error, CommandError):
        message = str(error)
    return f"{type(origin).__name__}: {message}" if message else type(origin).__name__


def _connect(plan: Plan, login: Login, patience_seconds: float) -> Any:
    import psycopg2

    give_up_at = time.monotonic() + patience_seconds
    while True:
        try:
            connection = psycopg2.connect(
                host=plan.metastore.host,
                port=plan.metastore.port,
                dbname=plan.metastore.database,
                user=login.username,
                password=login.password,
                **plan.metastore.parameters("airflow-bootstrap"),
            )
        except psycopg2.OperationalError as error:
            if time.monotonic() >= give_up_at:
                raise Stop(
                    f"the metastore does not let {login.username} in: {str(error).strip()}; look at the database's"
                    " state, its security group and the secret of this user, then run `pulumi up` again"
                ) from error
            say(f"waiting for the metastore: {str(error).strip()}")
            time.sleep(PAUSE_SECONDS)
        else:
            connection.autocommit = True
            return connection


def _can_log_in(plan: Plan) -> bool:
    try:
        _connect(plan, plan.application, 0).close()
    except Stop:
        return False
    return True


@contextmanager
def _only_one(owner: Any) -> Iterator[None]:
    """Hold a lock of the database; it goes away with the connection, however this process ends."""
    give_up_at = time.monotonic() + LOCK_SECONDS
    with owner.cursor() as cursor:
        while True:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,))
            if cursor.fetchone()[0]:
                break
            if time.monotonic() >= give_up_at:
                raise Stop(
                    f"another bootstrap has held its lock for {LOCK_SECONDS} s: look for a task that hangs, stop it,"
                    " then run `pulumi up` again"
                )
            say("waiting for another bootstrap of this metastore")
            time.sleep(PAUSE_SECONDS)
    yield


def _refuse_a_lost_lock(owner: Any) -> None:
    """Stop if the lock went away unnoticed: its connection has said nothing for as long as the migration took."""
    try:
        with owner.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception as error:
        raise Stop(
            f"the connection that held the lock broke during the migration ({type(error).__name__}), so another"
            " bootstrap may have begun: run `pulumi up` again, which does what is left"
        ) from error


def _refuse_another_schema() -> None:
    try:
        airflow("db", "check-migrations", "--migration-wait-timeout=1")
    except TimeoutError as error:
        raise Stop(
            f"the metastore's schema is not the one of this image while services run, so it stays as it is: {error}",
            SCHEMA_DIFFERS,
        ) from error


def _migrate() -> None:
    try:
        airflow("db", "migrate")
    except Exception as error:
        traceback.print_exc()
        raise Stop(
            f"the migration failed ({type(error).__name__}); the trace above says where. If the schema is that of a"
            " newer Airflow, deploy that image again or restore the snapshot from before; otherwise remove the"
            " cause and run `pulumi up` again: a migration goes on where it stopped"
        ) from error
    say("the schema is the one of this image")


def airflow(*words: str) -> None:
    """Run an Airflow command in this process: starting Airflow once more takes seconds.

    Raises:
        CommandError: the command ended with an error.

    """
    from airflow.cli.cli_parser import get_parser

    # It tells of every single permission that it makes.
    logging.getLogger("airflow.providers.fab").setLevel(logging.WARNING)
    try:
        arguments = get_parser().parse_args(words)
        arguments.func(arguments)
    except SystemExit as end:
        if end.code:
            raise CommandError(f"airflow {' '.join(words[:2])} ended with {end.code}") from end


def say(line: str) -> None:
    """Write to the container's log."""
    sys.stdout.write(f"platform-bootstrap: {line}\n")
    sys.stdout.flush()
