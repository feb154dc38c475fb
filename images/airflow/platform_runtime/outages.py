"""What a health check says about a server out of reach: nothing at first, since a new container reaches it no better.

It is not forgiven for ever, because then the container itself may be cut off. How long it has lasted is noted from
check to check.
"""

from __future__ import annotations

from typing import Any, Final

FORGIVEN_SECONDS: Final = 1800
"""Counted from the first check that did not get through; a failover takes minutes."""
AWAY_SINCE: Final = "away_since"


def problem(server: str, error: object, notes: dict[str, Any], now: float) -> str | None:
    """Note that the server is out of reach; say so once that has lasted too long."""
    lasted = now - notes.setdefault(AWAY_SINCE, now)
    if lasted > FORGIVEN_SECONDS:
        return f"the {server} has been out of reach for {lasted:.0f} s: {error}"
    return None


def over(notes: dict[str, Any]) -> None:
    """Note that the server has answered."""
    notes.pop(AWAY_SINCE, None)
