"""When a dag-processor or triggerer counts as unhealthy: with a fake driver, so what is proved is the judgement.

Not proved here: the query; the tests with the installed Airflow ask a real metastore.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from images.airflow.platform_runtime import heartbeat
from images.airflow.platform_runtime.outages import FORGIVEN_SECONDS
from images.airflow.platform_runtime.variables import Refusal, Variables
from tests.image.test_start import METASTORE

VARIABLES = METASTORE | {"PLATFORM_METASTORE_OPTIONS": "connect_timeout=10&tcp_user_timeout=30000"}
NOW = 1000.0


class FakeError(Exception):
    """psycopg2.Error."""


class FakeOperationalError(FakeError):
    """psycopg2.OperationalError."""


class FakeDriver:
    """psycopg2 with one answer; it keeps what it was asked."""

    Error, OperationalError = FakeError, FakeOperationalError
    extras = SimpleNamespace(wait_select="waits in Python")

    def __init__(self, answer: float | Exception | None) -> None:
        self.answer = answer
        self.connected: dict[str, Any] = {}
        self.executed: list[Any] = []
        self.closed = False
        self.waits: Any = None
        self.extensions = SimpleNamespace(set_wait_callback=self.wait)

    def wait(self, how: Any) -> None:
        self.waits = how

    def connect(self, **parameters: Any) -> FakeDriver:
        self.connected = parameters
        if isinstance(self.answer, FakeOperationalError | TimeoutError):
            raise self.answer
        return self

    def cursor(self) -> FakeDriver:
        return self

    def __enter__(self) -> FakeDriver:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def execute(self, *arguments: Any) -> None:
        if isinstance(self.answer, Exception):
            raise self.answer
        self.executed.append(arguments)

    def fetchone(self) -> tuple[Any]:
        return (self.answer,)

    def close(self) -> None:
        self.closed = True


Ask = Callable[..., tuple[str | None, FakeDriver]]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Ask:
    monkeypatch.setattr(heartbeat, "host_name", lambda: "10.20.0.11")

    def asked(answer: float | Exception | None, notes: dict[str, Any] | None = None, now: float = NOW) -> Any:
        driver = FakeDriver(answer)
        monkeypatch.setitem(sys.modules, "psycopg2", driver)
        remembered = {} if notes is None else notes
        return heartbeat.problem("triggerer", Variables(VARIABLES), remembered, now), driver

    return asked


@pytest.mark.parametrize(
    ("age", "problem"),
    [
        (0.5, None),
        (60.0, None),
        (-2.0, None),
        (60.5, "the newest heartbeat is 60 s old"),
        (None, "no TriggererJob of this host has begun"),
    ],
)
def test_age(ask: Ask, age: float | None, problem: str | None) -> None:
    assert ask(age)[0] == problem


def test_only_jobs_of_this_host_count(ask: Ask) -> None:
    _, driver = ask(1.0)
    assert driver.executed == [(heartbeat.QUERY, ("TriggererJob", "10.20.0.11"))]


def test_the_connection_is_verified_short_and_closed(ask: Ask) -> None:
    _, driver = ask(1.0)
    assert driver.connected == {
        "host": "m",
        "port": 5432,
        "dbname": "d",
        "user": "u",
        "password": "metastore-password",
        "options": "-c statement_timeout=4s",
        "application_name": "platform-health",
        "sslmode": "verify-full",
        "sslrootcert": "/ca.pem",
        "connect_timeout": "10",
        "tcp_user_timeout": "4000",
    }
    assert driver.waits == "waits in Python"
    assert driver.closed


def test_a_metastore_out_of_reach_before_the_first_heartbeat(ask: Ask) -> None:
    problem, _ = ask(FakeOperationalError("connection refused\n"))
    assert problem == "the metastore is out of reach: connection refused"


@pytest.mark.parametrize(
    "error", [FakeOperationalError("refused"), TimeoutError("refused")], ids=["refused", "interrupted"]
)
def test_a_metastore_out_of_reach_afterwards(ask: Ask, error: Exception) -> None:
    """Replacing the process would help nobody; it ends by itself if it cannot go on."""
    notes: dict[str, Any] = {}
    ask(1.0, notes)
    assert notes == {"healthy": True}
    assert ask(error, notes)[0] is None
    assert ask(error, notes, NOW + FORGIVEN_SECONDS)[0] is None


def test_it_is_not_forgiven_for_ever(ask: Ask) -> None:
    """Then the container itself may be cut off."""
    notes: dict[str, Any] = {"healthy": True, "away_since": NOW}
    assert ask(FakeOperationalError("refused"), notes, NOW + FORGIVEN_SECONDS + 1)[0] == (
        "the metastore has been out of reach for 1801 s: refused"
    )


def test_an_answer_ends_the_outage(ask: Ask) -> None:
    notes: dict[str, Any] = {"healthy": True, "away_since": NOW}
    ask(1.0, notes)
    assert notes == {"healthy": True}


def test_an_old_heartbeat_counts_whatever_was_before(ask: Ask) -> None:
    assert ask(61.0, {"healthy": True})[0] == "the newest heartbeat is 61 s old"


def test_a_metastore_without_tables(ask: Ask) -> None:
    problem, driver = ask(FakeError('relation "job" does not exist'), {"healthy": True})
    assert problem == 'the metastore does not answer: relation "job" does not exist'
    assert driver.closed


def test_missing_variables() -> None:
    with pytest.raises(Refusal, match="PLATFORM_METASTORE_HOST is missing"):
        heartbeat.problem("triggerer", Variables({}), {}, NOW)


def test_host_name_is_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "localhost")
    assert heartbeat.host_name() == "127.0.0.1"


def test_host_name_without_a_canonical_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> Any:
        raise OSError("no name service")

    monkeypatch.setattr(socket, "getaddrinfo", fails)
    monkeypatch.setattr(socket, "gethostbyname", {socket.gethostname(): "10.20.0.11"}.__getitem__)
    assert heartbeat.host_name() == "10.20.0.11"
