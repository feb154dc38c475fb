"""How long the environment's deleted secrets and its deleted key can be brought back."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, JsonValue

from settings.section import Section

RECOVERY_DAYS: tuple[JsonValue, ...] = (0, *range(7, 31))
"""The recovery windows that Secrets Manager accepts; 0 stands for no window at all."""


def known_window(days: int) -> int:
    """Return `days`; raise ValueError unless Secrets Manager accepts the window."""
    if days not in RECOVERY_DAYS:
        raise ValueError("not a recovery window of Secrets Manager")
    return days


RecoveryDays = Annotated[
    int,
    AfterValidator(known_window),
    Field(json_schema_extra={"enum": list(RECOVERY_DAYS), "x-allowed": "0, or a whole number from 7 to 30"}),
]


class CredentialsSettings(Section):
    """The secrets that the platform makes for itself, and the key that encrypts them and all other data."""

    recovery_days: RecoveryDays
    """Days that a deleted secret can be brought back; 0: it is gone at once."""
    key_deletion_days: Annotated[int, Field(ge=7, le=30)]
    """Waiting period, in days, before the environment's deleted key is gone for good, with all that it
    encrypts."""
