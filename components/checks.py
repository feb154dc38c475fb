"""Checks of component arguments; every message names the field, what is wanted and what was given."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence


def matching(field: str, value: str, pattern: str, want: str) -> None:
    """Raise ValueError unless the whole of `value` matches `pattern`; `want` says the pattern in words."""
    if not re.fullmatch(pattern, value):
        raise ValueError(f'{field}: want {want}, got "{value}"')


def between(field: str, value: int, low: int, high: int) -> None:
    """Raise ValueError unless low <= value <= high."""
    if not low <= value <= high:
        raise ValueError(f"{field}: want {low} to {high}, got {value}")


def one_of(field: str, value: int | str, allowed: Collection[int | str]) -> None:
    """Raise ValueError unless `value` is one of the allowed ones."""
    if value not in allowed:
        raise ValueError(f"{field}: want one of {', '.join(map(str, allowed))}, got {value}")


def distinct(field: str, values: Sequence[str]) -> None:
    """Raise ValueError when a value occurs twice."""
    if len(set(values)) != len(values):
        raise ValueError(f"{field}: want each value once, got {', '.join(values)}")


def account_id(value: str) -> None:
    """Raise ValueError unless the value is an AWS account id."""
    matching("account_id", value, r"[0-9]{12}", "12 digits")


def retention_days(field: str, value: int) -> None:
    """Raise ValueError unless CloudWatch Logs knows the retention period; "never expires" (0) is refused."""
    one_of(field, value, LOG_RETENTION_DAYS)


LOG_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""The periods that the CloudWatch Logs API accepts."""
