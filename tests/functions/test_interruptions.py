"""Whatever happens at any call to AWS: the gate called again finishes, changes no value and starts no second task."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import pytest
from botocore.exceptions import ConnectionClosedError

from functions.platform_gate.errors import GateError
from tests.functions.account import Account, hidden_texts
from tests.functions.faults import CALLS, CutOff, again, at, finished
from tests.functions.stand_ins import refused

EVERY_CALL = range(1, CALLS + 1)


@pytest.fixture(autouse=True)
def _logged(caplog: pytest.LogCaptureFixture, aws: Account) -> Iterator[None]:
    """Check that no value was logged."""
    caplog.set_level(logging.DEBUG, "functions.platform_gate")
    yield
    assert [text for text in hidden_texts(aws.values()) if text in caplog.text] == []


def test_number_of_calls(aws: Account) -> None:
    aws.gate()
    assert len(aws.calls) == CALLS
    finished(aws)


FAULTS: dict[str, Callable[[], Exception]] = {
    "throttled": lambda: refused("ThrottlingException", "Something", "Rate exceeded"),
    "not found": lambda: refused("ResourceNotFoundException", "Something"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("number", EVERY_CALL)
def test_fault(aws: Account, number: int, fault: str) -> None:
    """Some faults the gate bears itself: a value that was just written may be unknown for some seconds."""
    aws.before = at(number, FAULTS[fault]())
    message = opened_or_closed(aws)
    assert [text for text in hidden_texts(aws.values()) if text in message] == []
    again(aws, aws.values())


def opened_or_closed(aws: Account) -> str:
    """Return the gate's error, empty without one."""
    try:
        aws.gate()
    except GateError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("number", EVERY_CALL)
def test_lost_answer(aws: Account, number: int) -> None:
    """AWS did it, and the gate does not know."""
    aws.after = at(number, ConnectionClosedError(endpoint_url="https://aws"))
    with pytest.raises(GateError, match=r"^AWS did not answer \(ConnectionClosedError\)"):
        aws.gate()
    again(aws, aws.values())


@pytest.mark.parametrize("number", EVERY_CALL)
def test_cut_off(aws: Account, number: int) -> None:
    """What a gate leaves that ends after a call is what one leaves that ends before the next."""
    aws.after = at(number, CutOff())
    with pytest.raises(CutOff):
        aws.gate()
    again(aws, aws.values())


@pytest.mark.parametrize("number", EVERY_CALL)
def test_denied_for_some_seconds(aws: Account, number: int) -> None:
    """The gate bears it without help."""
    aws.before = at(number, refused("AccessDeniedException", "Something"))
    aws.gate()
    finished(aws)
