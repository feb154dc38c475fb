"""Backups by AWS Backup."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from settings.section import Section


class BackupsSettings(Section):
    """A backup of database, DAG releases and release ledger each night, in a vault of the environment."""

    retention_days: Annotated[int, Field(ge=7, le=3650)]
    """Days that each backup is kept."""
    lock: bool
    """Keep every backup for its days, whoever asks, and refuse to delete the vault, until this is changed to false
    and applied. Without a lock the vault is deleted with all its backups when the environment is."""
