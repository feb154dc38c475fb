"""How long logs are kept."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from settings.network import RetentionDays
from settings.section import Section


class ObservabilitySettings(Section):
    """The logs of the containers and of the databases, and those of Airflow's tasks."""

    log_retention_days: RetentionDays
    """Days that CloudWatch keeps the logs of containers, database and gate; only the periods that CloudWatch
    Logs knows."""
    task_log_retention_days: Annotated[int, Field(ge=1, le=3650)]
    """Days that the logs of Airflow's tasks are kept in S3."""
