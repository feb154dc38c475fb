"""When a target counts as healthy."""

from __future__ import annotations

import pytest

from sandbox.twin.balancer_rules import HealthSettings
from sandbox.twin.balancer_targets import State, Target

SETTINGS = HealthSettings(healthy_threshold=2, unhealthy_threshold=3)


@pytest.mark.parametrize(
    ("checks", "state"),
    [
        ("", State.INITIAL),
        ("+", State.HEALTHY),  # a new target needs one good answer only
        ("--", State.INITIAL),
        ("--+", State.HEALTHY),
        ("---", State.UNHEALTHY),
        ("+--", State.HEALTHY),
        ("+--+--", State.HEALTHY),  # in a row
        ("+---", State.UNHEALTHY),
        ("+---+", State.UNHEALTHY),
        ("+---+-+", State.UNHEALTHY),
        ("+---++", State.HEALTHY),
    ],
)
def test_the_thresholds_are_for_answers_in_a_row(checks: str, state: State) -> None:
    target = Target("10.0.0.1:8080", SETTINGS)

    for check in checks:
        target.record(None if check == "+" else "Request timed out")

    assert target.state is state


def test_an_unhealthy_target_says_why_until_it_is_healthy_again() -> None:
    target = Target("10.0.0.1:8080", HealthSettings(healthy_threshold=1, unhealthy_threshold=1))
    target.record("Request timed out")
    assert target.reason == "Request timed out"

    target.record(None)

    assert target.reason == ""
