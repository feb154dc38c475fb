"""Names within AWS's limits."""

from __future__ import annotations

import pytest

from components.naming import ROLE_NAME_LIMIT, fit

LONG = "airflow-staging-network-with-a-name-that-goes-on-and-on-flow-log-role"


@pytest.mark.parametrize(
    ("name", "limit", "want"),
    [
        ("short", 64, "short"),
        ("x" * 56, 64, "x" * 56),
        (LONG, 64, "airflow-staging-network-with-a-name-that-goes-on-a0cd537"),
        ("airflow-prod-web-entry-public", 32, "airflow-prod-web-f0c6557"),
        ("abcdefgh-ijklmnop", 24, "abcdefgh-5b31f8c"),
    ],
    ids=["short", "exactly fits", "long", "load balancer", "no dash before the hash"],
)
def test_fit(name: str, limit: int, want: str) -> None:
    assert fit(name, limit) == want


def test_result_leaves_room_for_the_suffix() -> None:
    assert len(fit("x" * 200, ROLE_NAME_LIMIT)) + 8 == ROLE_NAME_LIMIT


def test_names_with_the_same_beginning_stay_different() -> None:
    assert fit("x" * 100 + "a", 32) != fit("x" * 100 + "b", 32)


def test_limit_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^limit: want at least 17, got 16$"):
        fit("x" * 20, 16)
