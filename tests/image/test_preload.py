"""What a worker prepares for its tasks."""

from __future__ import annotations

from typing import Any

import pytest

from images.airflow.platform_runtime import preload


class Supervisor:
    """As Airflow's, for what matters here."""

    def __init__(self, *sockets: str) -> None:
        self._open_sockets = list(sockets)
        self.waited: list[Any] = []

    def service(self, max_wait_time: float, *args: Any, **kwargs: Any) -> int | None:
        self.waited.append((max_wait_time, args, kwargs))
        return 0


@pytest.mark.parametrize(
    ("sockets", "asked_seconds", "waits_seconds"),
    [(["stdout"], 5, 5), ([], 5, preload.SOON_SECONDS), ([], 0.01, 0.01)],
    ids=["open sockets wake it", "nothing wakes it", "it is in a hurry itself"],
)
def test_supervisor_waits(sockets: list[str], asked_seconds: float, waits_seconds: float) -> None:
    supervisor = Supervisor(*sockets)
    look = preload.attentive(Supervisor.service)
    assert look(supervisor, max_wait_time=asked_seconds, raise_on_timeout=True, expect_signal=15) == 0
    assert supervisor.waited == [(waits_seconds, (), {"raise_on_timeout": True, "expect_signal": 15})]


def test_another_airflow_lacks_it_and_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preload, "MODULES", ("json", "no_such_module"))
    monkeypatch.setattr(preload, "SUPERVISOR", ("json", "JSONDecoder", "no_such_method"))
    assert preload.preload() == [
        "no_such_module (No module named 'no_such_module')",
        "json.JSONDecoder.no_such_method (type object 'JSONDecoder' has no attribute 'no_such_method')",
    ]
