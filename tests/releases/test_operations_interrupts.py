"""Signals: at once, or noted; and whoever does not want to hear them does not."""

from __future__ import annotations

import os
import signal

import pytest

from operations.errors import ExitCode
from operations.errors import Interrupted as Stopped
from operations.interrupts import Interrupts


@pytest.mark.parametrize(
    ("name", "words"), [("SIGINT", "stopped by Ctrl-C"), ("SIGTERM", "stopped by SIGTERM")]
)
def test_at_once(name: str, words: str) -> None:
    with pytest.raises(Stopped) as caught, Interrupts():
        signal.raise_signal(getattr(signal, name))
    assert (str(caught.value), caught.value.code) == (words, ExitCode.INTERRUPTED)


def test_noted_until_somebody_looks() -> None:
    with Interrupts() as interrupts:
        interrupts.hold()
        interrupts.check()
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(Stopped, match=r"^stopped by Ctrl-C$"):
            interrupts.check()


def test_nobody_looks() -> None:
    """Everything was done when it came; and the next block begins anew."""
    interrupts = Interrupts()
    with interrupts:
        interrupts.hold()
        signal.raise_signal(signal.SIGTERM)
    with interrupts:
        interrupts.check()
        with pytest.raises(Stopped):
            signal.raise_signal(signal.SIGTERM)


def test_a_terminal_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "write", gone)
    with Interrupts() as interrupts:
        interrupts.hold()
        signal.raise_signal(signal.SIGHUP)
        with pytest.raises(Stopped, match=r"^stopped by SIGHUP$"):
            interrupts.check()


def test_what_is_ignored_stays_ignored() -> None:
    """A shell starts background jobs so, and nohup everything."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interrupts():
            signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
