"""How long logs are kept, and who is told when something is wrong."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from settings.network import RetentionDays
from settings.section import Section, allowed

MAX_EMAILS = 10  # a mailing list tells more people, and changes without an update
EmailAddress = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,63}$",
        json_schema_extra=allowed("an e-mail address, such as airflow-alarms@example.com"),
    ),
]


class ObservabilitySettings(Section):
    """The logs of the containers and of the databases, those of Airflow's tasks, access logs, and alarms."""

    log_retention_days: RetentionDays
    """Days that CloudWatch keeps the logs of containers, database and gate; only the periods that CloudWatch
    Logs knows."""
    task_log_retention_days: Annotated[int, Field(ge=1, le=3650)]
    """Days that the logs of Airflow's tasks are kept in S3."""
    access_log_retention_days: Annotated[int, Field(ge=1, le=3650)] = 365
    """Days that the access logs of the load balancer and of the buckets are kept in S3."""
    alarm_emails: Annotated[tuple[EmailAddress, ...], Field(min_length=0, max_length=MAX_EMAILS)] = ()
    """Addresses that get every alarm and every failed deployment; AWS first asks each for its consent. Anything else
    (a chat, a pager) is subscribed to the topic that the stack exports as alarmTopicArn."""
