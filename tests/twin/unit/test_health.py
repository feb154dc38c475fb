"""The health of a container, second by second, with checks that end when the test says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from sandbox.twin.health import Health, HealthMonitor, command_of
from sandbox.twin.isolation import CannotStartError
from sandbox.twin.model import HealthCheck

CHECK = HealthCheck(
    command=("CMD", "check"), interval_seconds=30, timeout_seconds=5, retries=3, start_period_seconds=120
)
NO_START_PERIOD = replace(CHECK, start_period_seconds=0)


@dataclass
class Asked:
    """A check under way."""

    at: float
    code: int | None = None
    killed: bool = False

    def poll(self) -> int | None:
        return self.code

    def kill(self) -> None:
        self.killed = True


@dataclass
class Patient:
    """A container that answers its checks with the code that is set; None never answers."""

    check: HealthCheck
    code: int | None = 0
    asked: list[Asked] = field(default_factory=list)
    refuses: bool = False
    now: float = 0.0

    def __post_init__(self) -> None:
        self.monitor = HealthMonitor(self.check, self.ask, 0.0)

    def ask(self, command: Sequence[str]) -> Asked:
        assert command == ["check"]
        if self.refuses:
            raise CannotStartError("exec: 'check': No such file or directory")
        self.asked.append(Asked(self.now, self.code))
        return self.asked[-1]

    def live(self, until: float) -> Health:
        """Let time pass, half a second at a time."""
        while self.now < until:
            self.now += 0.5
            self.monitor.tick(self.now)
        return self.monitor.health


def test_before_the_first_answer_the_health_is_unknown() -> None:
    assert Patient(CHECK).live(4.5) is Health.UNKNOWN


def test_one_success_makes_it_healthy() -> None:
    patient = Patient(CHECK)
    assert patient.live(5.5) is Health.HEALTHY
    assert [asked.at for asked in patient.asked] == [5.0]


def test_checks_are_frequent_until_the_first_success() -> None:
    patient = Patient(CHECK, code=1)
    patient.live(17)
    assert [asked.at for asked in patient.asked] == [5.0, 10.5, 16.0]


def test_the_next_check_starts_an_interval_after_the_end_of_the_last() -> None:
    patient = Patient(CHECK)
    patient.live(70)
    assert [asked.at for asked in patient.asked] == [5.0, 35.5, 66.0]


def test_a_check_without_start_period_waits_for_its_interval() -> None:
    patient = Patient(NO_START_PERIOD)
    patient.live(31)
    assert [asked.at for asked in patient.asked] == [30.0]


def test_the_interval_is_never_lengthened_for_the_start() -> None:
    patient = Patient(replace(CHECK, interval_seconds=2))
    patient.live(3)
    assert [asked.at for asked in patient.asked] == [2.0]


def test_failures_within_the_start_period_do_not_count() -> None:
    patient = Patient(CHECK, code=1)
    assert patient.live(120) is Health.UNKNOWN
    assert (len(patient.asked), patient.monitor.failures) == (21, 0)


def test_failures_in_a_row_make_it_unhealthy() -> None:
    patient = Patient(NO_START_PERIOD, code=1)
    assert patient.live(90.5) is Health.UNKNOWN
    assert patient.live(91.5) is Health.UNHEALTHY
    assert len(patient.asked) == 3


def test_a_success_ends_the_start_period() -> None:
    """Failures after it count, although the time is not over."""
    patient = Patient(replace(CHECK, interval_seconds=10))
    patient.live(6)
    patient.code = 1
    assert patient.live(37.5) is Health.UNHEALTHY


def test_a_success_forgets_the_failures_before_it() -> None:
    patient = Patient(NO_START_PERIOD, code=1)
    patient.live(61.5)
    patient.code = 0
    patient.live(92)
    assert (patient.monitor.health, patient.monitor.failures) == (Health.HEALTHY, 0)


def test_one_success_makes_an_unhealthy_one_healthy_again() -> None:
    patient = Patient(NO_START_PERIOD, code=1)
    patient.live(100)
    patient.code = 0
    assert patient.live(123) is Health.HEALTHY


def test_a_check_that_takes_too_long_is_killed_and_failed() -> None:
    patient = Patient(NO_START_PERIOD, code=None)
    patient.live(34.5)
    assert not patient.asked[0].killed
    patient.live(35)
    assert patient.asked[0].killed
    assert patient.monitor.failures == 1


def test_a_check_that_cannot_start_has_failed() -> None:
    patient = Patient(NO_START_PERIOD, refuses=True)
    patient.live(30)
    assert patient.monitor.failures == 1


def test_a_check_that_began_within_the_start_period_does_not_count_later() -> None:
    patient = Patient(replace(CHECK, start_period_seconds=7, timeout_seconds=5), code=None)
    patient.live(10)
    assert patient.asked[0].killed
    assert patient.monitor.failures == 0


def test_a_closed_monitor_asks_no_more() -> None:
    patient = Patient(CHECK, code=None)
    patient.live(5)
    patient.monitor.close()
    patient.live(100)
    assert [asked.killed for asked in patient.asked] == [True]


@pytest.mark.parametrize(
    ("command", "executed"),
    [
        (("CMD", "curl", "-f", "url"), ["curl", "-f", "url"]),
        (("CMD-SHELL", "curl -f $URL"), ["/bin/sh", "-c", "curl -f $URL"]),
    ],
)
def test_both_forms_of_a_command_are_understood(command: tuple[str, ...], executed: list[str]) -> None:
    assert command_of(replace(CHECK, command=command)) == executed


@pytest.mark.parametrize("command", [("curl",), (), ("CMD",), ("CMD-SHELL", "a", "b")])
def test_another_form_is_refused(command: tuple[str, ...]) -> None:
    with pytest.raises(
        ValueError, match="health check: want CMD with arguments or CMD-SHELL with a line, got"
    ):
        command_of(replace(CHECK, command=command))
