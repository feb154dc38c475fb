"""When a worker counts as unhealthy: with a fake worker, so what is proved is the judgement.

Not proved here: that kombu asks Celery as Celery wants it; the twin's tests ask a real worker.
"""

from __future__ import annotations

import socket
import sys
import time
from types import ModuleType
from typing import Any

import pytest

from images.airflow.platform_runtime.consumption import BrokerAway, CeleryWorker, problem
from images.airflow.platform_runtime.outages import FORGIVEN_SECONDS

NOW = 1000.0
TASK = {"id": "x"}
QUESTIONS = ["stats", "active_queues", "active"]


class FakeWorker:
    """Answers as Celery does; without an answer, or without a broker, if told so."""

    def __init__(self, waiting: int = 0, active: int = 0, taken: int = 0) -> None:
        self.depth, self.active, self.taken = waiting, active, taken
        self.queues = [{"name": "default"}, {"name": "heavy"}]
        self.away = False
        self.silent: set[str] = set()
        self.asked: list[str] = []
        self.told: list[tuple[str, str]] = []
        self.deaf = False

    def ask(self, command: str, **arguments: str) -> Any:
        if self.away:
            raise BrokerAway("connection refused")
        if "queue" in arguments:
            return self._be_told(command, arguments["queue"])
        self.asked.append(command)
        if command in self.silent:
            return None
        return {
            "stats": {"pool": {"max-concurrency": 4}, "total": {"execute_workload": self.taken}},
            "active_queues": self.queues,
            "active": [TASK] * self.active,
        }[command]

    def _be_told(self, command: str, queue: str) -> Any:
        self.told.append((command, queue))
        if not self.deaf and command == "cancel_consumer":
            self.queues.remove({"name": queue})
        if not self.deaf and command == "add_consumer":
            self.queues.append({"name": queue})
        return {"ok": ""}

    def waiting(self, queue: str) -> int:
        return self.depth if queue == "heavy" else 0

    @property
    def subscribed(self) -> set[str]:
        return {queue["name"] for queue in self.queues}


def test_an_idle_worker_is_healthy() -> None:
    notes: dict[str, Any] = {}
    assert problem(FakeWorker(), notes, NOW) is None
    assert notes == {"seen": {"waiting": 0, "free": 4, "taken": 0}, "healthy": True}


@pytest.mark.parametrize("silent", QUESTIONS)
def test_a_worker_that_does_not_answer(silent: str) -> None:
    """One answer is not enough, and after a silence nothing more is asked."""
    worker = FakeWorker()
    worker.silent = {silent}
    assert problem(worker, {}, NOW) == "the worker does not answer"
    assert worker.asked == QUESTIONS[: QUESTIONS.index(silent) + 1]


def test_a_worker_without_a_queue() -> None:
    worker = FakeWorker()
    worker.queues = []
    assert problem(worker, {}, NOW) == "the worker is subscribed to no queue"


def test_a_worker_that_takes_nothing() -> None:
    """Celery answers, but does not consume: what happens after a failover of the broker."""
    notes: dict[str, Any] = {}
    assert problem(FakeWorker(waiting=3, taken=7), notes, NOW) is None
    assert problem(FakeWorker(waiting=5, taken=7), notes, NOW + 30) == (
        "5 tasks wait, 4 slots are free, and none was taken since the last check"
    )


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (FakeWorker(waiting=3), FakeWorker(waiting=3, taken=1)),
        (FakeWorker(waiting=3, active=4), FakeWorker(waiting=3, active=3)),
        (FakeWorker(waiting=3, active=3), FakeWorker(waiting=3, active=4)),
        (FakeWorker(), FakeWorker(waiting=3)),
        (FakeWorker(waiting=3), FakeWorker()),
    ],
    ids=["took one", "was full", "is full", "nothing waited", "nothing waits"],
)
def test_a_worker_that_goes_on(before: FakeWorker, now: FakeWorker) -> None:
    notes: dict[str, Any] = {}
    assert problem(before, notes, NOW) is None
    assert problem(now, notes, NOW + 30) is None


def test_standing_still_is_judged_anew_at_each_check() -> None:
    notes: dict[str, Any] = {}
    worker = FakeWorker(waiting=3)
    verdicts = [problem(worker, notes, NOW + 30 * check) is None for check in range(3)]
    worker.taken = 1
    verdicts.append(problem(worker, notes, NOW + 90) is None)
    assert verdicts == [True, False, False, True]


def test_a_broker_out_of_reach_is_not_the_workers_fault() -> None:
    """Its tasks run on, and a new worker would not reach the broker either."""
    worker = FakeWorker()
    worker.away = True
    notes: dict[str, Any] = {"healthy": True}
    assert problem(worker, notes, NOW) is None
    assert problem(worker, notes, NOW + FORGIVEN_SECONDS) is None
    assert notes == {"healthy": True, "away_since": NOW}


def test_a_worker_that_has_never_reached_the_broker_is_not_healthy() -> None:
    """It may have the wrong password; healthy, it would take the place of one that has the right one."""
    worker = FakeWorker()
    worker.away = True
    notes: dict[str, Any] = {}
    assert problem(worker, notes, NOW) == "the broker is out of reach: connection refused"
    assert notes == {}


ALL = {"default", "heavy"}


def test_a_halted_worker_loses_its_queues_and_stays_healthy() -> None:
    worker, notes = FakeWorker(active=2), dict[str, Any]()
    assert problem(worker, notes, NOW, halted=True) is None
    assert worker.told == [("cancel_consumer", "default"), ("cancel_consumer", "heavy")]
    assert problem(worker, notes, NOW + 60, halted=True) is None
    assert len(worker.told) == 2


def test_a_worker_gets_its_queues_back() -> None:
    worker, notes = FakeWorker(), dict[str, Any]()
    problem(worker, notes, NOW, halted=True)
    assert problem(worker, notes, NOW + 60) is None
    assert worker.subscribed == ALL
    assert problem(worker, notes, NOW + 120) is None
    assert worker.told[2:] == [("add_consumer", "default"), ("add_consumer", "heavy")]


def test_queues_that_celery_forgets_later_are_given_back_again() -> None:
    """It forgets what it was told to consume when its connection to the broker breaks."""
    worker, notes = FakeWorker(), dict[str, Any]()
    problem(worker, notes, NOW, halted=True)
    assert [problem(worker, notes, NOW + seconds) for seconds in (60, 120)] == [None, None]
    worker.queues = []
    assert [problem(worker, notes, NOW + seconds) for seconds in (180, 240)] == [None, None]
    assert worker.subscribed == ALL


def test_a_worker_that_takes_no_queue_back_is_replaced() -> None:
    worker, notes = FakeWorker(), dict[str, Any]()
    problem(worker, notes, NOW, halted=True)
    worker.deaf = True
    assert problem(worker, notes, NOW + 60) is None
    assert problem(worker, notes, NOW + 120) == "the worker does not take its queues back: default, heavy"


def test_a_halted_worker_that_does_not_answer() -> None:
    worker = FakeWorker()
    worker.silent = {"active_queues"}
    assert problem(worker, {}, NOW, halted=True) == "the worker does not answer"


def test_a_halted_worker_is_not_blamed_for_the_broker() -> None:
    worker, notes = FakeWorker(), {"healthy": True}
    worker.away = True
    assert problem(worker, notes, NOW, halted=True) is None


def test_it_is_not_forgiven_for_ever() -> None:
    """Then the container itself may be cut off."""
    worker = FakeWorker()
    worker.away = True
    notes: dict[str, Any] = {"healthy": True, "away_since": NOW}
    assert problem(worker, notes, NOW + FORGIVEN_SECONDS + 1) == (
        "the broker has been out of reach for 1801 s: connection refused"
    )


def test_an_outage_ends_with_the_first_answer() -> None:
    notes: dict[str, Any] = {"away_since": NOW}
    assert problem(FakeWorker(), notes, NOW + 60) is None
    assert "away_since" not in notes


def test_a_silent_worker_ends_the_outage_too() -> None:
    """The broker has taken the question."""
    worker = FakeWorker()
    worker.silent = {"stats"}
    notes: dict[str, Any] = {"away_since": NOW}
    problem(worker, notes, NOW + 60)
    assert notes == {}


def test_what_was_seen_before_an_outage_does_not_count() -> None:
    notes: dict[str, Any] = {}
    problem(FakeWorker(waiting=3), notes, NOW)
    away = FakeWorker()
    away.away = True
    problem(away, notes, NOW + 30)
    assert problem(FakeWorker(waiting=3), notes, NOW + 60) is None


class FakeKombu:
    """kombu with one connection; what it answers depends on `answers` and `error`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: list[dict[str, Any]] = []
        self.error: Exception | None = None
        self.calls: list[Any] = []
        self.connection_errors = self.channel_errors = ()
        self.default_channel = self.client = self
        kombu, pidbox, exceptions = (ModuleType(f"kombu{name}") for name in ("", ".pidbox", ".exceptions"))
        vars(kombu)["Connection"] = self.connect
        vars(pidbox)["Mailbox"] = lambda *words, **options: lambda _connection: self
        vars(exceptions)["OperationalError"] = LookupError
        for module in (kombu, pidbox, exceptions):
            monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setattr(socket, "gethostname", lambda: "ip-10-20-0-11")
        self.now, self.takes, self.silences = 50.0, 0.0, 0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)

    def connect(self, url: str, transport_options: dict[str, Any]) -> FakeKombu:
        self.calls.append((url, transport_options["max_retries"]))
        return self

    def call(
        self, nodes: list[str], command: str, arguments: dict[str, str], timeout: float
    ) -> list[dict[str, Any]]:
        self.calls.append((nodes, command, arguments, timeout))
        self.now += self.takes
        if self.error:
            raise self.error
        self.silences -= 1
        return [] if self.silences >= 0 else self.answers

    def llen(self, queue: str) -> int:
        if self.error:
            raise self.error
        return len(queue)


NODE = "celery@ip-10-20-0-11"


def test_this_hosts_worker_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    kombu = FakeKombu(monkeypatch)
    kombu.answers = [{NODE: {"ok": "pong"}}]
    assert CeleryWorker("rediss://b").ask("ping") == {"ok": "pong"}
    assert kombu.calls == [("rediss://b", 1), ([NODE], "ping", {}, 2.0)]


def test_this_hosts_worker_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    kombu = FakeKombu(monkeypatch)
    kombu.answers = [{NODE: {"ok": "no longer consuming"}}]
    CeleryWorker("rediss://b").ask("cancel_consumer", queue="heavy")
    assert kombu.calls[1:] == [([NODE], "cancel_consumer", {"queue": "heavy"}, 2.0)]


def test_all_answers_share_one_time(monkeypatch: pytest.MonkeyPatch) -> None:
    kombu = FakeKombu(monkeypatch)
    kombu.answers, kombu.takes = [{NODE: "late"}], 7.0
    worker = CeleryWorker("rediss://b")
    assert [worker.ask("ping") for _ in range(3)] == ["late", "late", None]


@pytest.mark.parametrize("answers", [[], [{"celery@other": {}}]], ids=["none", "another worker's"])
def test_without_an_answer_it_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, answers: list[dict[str, Any]]
) -> None:
    """Until the time is up: a new worker may begin to listen at any moment."""
    kombu = FakeKombu(monkeypatch)
    kombu.answers, kombu.takes = answers, 2.5
    assert CeleryWorker("rediss://b").ask("ping") is None
    assert [call[-1] for call in kombu.calls[1:]] == [2.0, 2.0, 2.0, 2.0, 2.0]


def test_an_answer_that_comes_with_a_later_question(monkeypatch: pytest.MonkeyPatch) -> None:
    kombu = FakeKombu(monkeypatch)
    kombu.takes, kombu.silences, kombu.answers = 2.0, 2, [{NODE: {"ok": "pong"}}]
    assert CeleryWorker("rediss://b").ask("ping") == {"ok": "pong"}
    assert len(kombu.calls[1:]) == 3


def test_length_of_a_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    FakeKombu(monkeypatch)
    assert CeleryWorker("rediss://b").waiting("default") == 7


@pytest.mark.parametrize(
    "error", [LookupError("refused"), TimeoutError("refused")], ids=["kombu's", "interrupted"]
)
def test_a_broker_out_of_reach(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    FakeKombu(monkeypatch).error = error
    worker = CeleryWorker("rediss://b")
    with pytest.raises(BrokerAway, match="refused"):
        worker.ask("ping")
    with pytest.raises(BrokerAway, match="refused"):
        worker.waiting("default")
