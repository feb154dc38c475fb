"""EventBridge: rules, targets, schedules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from sandbox.behaviour.model import Failure
from sandbox.behaviour.rules import Case, known, rule

SCHEDULE: Final = "aws:scheduler/schedule:Schedule"
_RATE: Final = re.compile(r"rate\((1 (minute|hour|day)|([2-9]|[1-9]\d+) (minutes|hours|days))\)")
_LOOSE_RATE: Final = re.compile(r"rate\([1-9]\d* (minute|hour|day)s?\)")
_CRON: Final = re.compile(r"cron\((\S+ ){5}\S+\)")
_AT: Final = re.compile(r"at\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\)")
_NEEDS_ROLE: Final = ("ecs", "kinesis", "states", "batch", "ssm", "events", "firehose")


def schedule_problem(text: Any, *forms: re.Pattern[str]) -> str | None:
    """Return why a schedule expression is malformed, or None."""
    if not isinstance(text, str) or any(form.fullmatch(text) for form in forms):
        return None
    allowed = "rate(5 minutes), cron(0 8 * * ? *)" + (" or at(2030-01-31T08:00:00)" if _AT in forms else "")
    return f'expected an expression such as {allowed}, got "{text}"'


@rule("aws:cloudwatch/eventRule:EventRule")
def event_rule(case: Case) -> Iterator[Failure]:
    """Check the schedule, which works on the default bus only."""
    if problem := schedule_problem(case.known("scheduleExpression") or None, _RATE, _CRON):
        yield Failure("scheduleExpression", problem)
    if case.known("scheduleExpression") and case.known("eventBusName") not in (None, "default"):
        yield Failure("scheduleExpression", "works on the default event bus only")
    pattern = case.known("eventPattern")
    if pattern is not None and len(pattern) > 4096:
        yield Failure("eventPattern", f"cannot be longer than 4096 characters, got {len(pattern)}")


@rule("aws:cloudwatch/eventTarget:EventTarget")
def event_target(case: Case) -> Iterator[Failure]:
    """Check roles, FIFO queues and retries of a target."""
    arn = case.known("arn", "")
    service = arn.split(":")[2] if arn.count(":") > 4 else ""
    if service in _NEEDS_ROLE and not case.has("roleArn"):
        yield Failure("roleArn", f"is required for a target of service {service}")
    if service == "sqs" and arn.endswith(".fifo") and not known(case.known("sqsTarget"), "messageGroupId"):
        yield Failure("sqsTarget.messageGroupId", "is required for a FIFO queue")
    age = known(case.known("retryPolicy"), "maximumEventAgeInSeconds")
    if age is not None and 0 < age < 60:
        yield Failure("retryPolicy.maximumEventAgeInSeconds", f"must be at least 60, got {age}")


@rule(SCHEDULE)
def schedule(case: Case) -> Iterator[Failure]:
    """Check expression, window and target of a schedule."""
    if problem := schedule_problem(case.known("scheduleExpression"), _LOOSE_RATE, _CRON, _AT):
        yield Failure("scheduleExpression", problem)
    window = case.known("flexibleTimeWindow")
    mode, minutes = known(window, "mode"), isinstance(window, dict) and "maximumWindowInMinutes" in window
    if mode == "FLEXIBLE" and not minutes:
        yield Failure("flexibleTimeWindow.maximumWindowInMinutes", "is required with mode FLEXIBLE")
    if mode == "OFF" and minutes:
        yield Failure("flexibleTimeWindow.maximumWindowInMinutes", "must not be set with mode OFF")
    count = known(known(case.known("target"), "ecsParameters"), "taskCount")
    if count == 0:
        yield Failure("target.ecsParameters.taskCount", "must be at least 1, got 0")
