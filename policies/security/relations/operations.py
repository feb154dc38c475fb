"""What keeps a stack running: data is backed up and protected, services are logged and watched."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from policies.crossguard.checks import parsed
from policies.crossguard.findings import Finding, Undecided, Violation
from policies.crossguard.resources import Resource, Stack
from policies.crossguard.rules import Relation, Severity, Tier
from policies.crossguard.values import View
from policies.security.documents import like, values
from policies.security.references import Verdict, each_of, either, every, given, names_of, refers, tells
from policies.security.rules.clusters import CLUSTER as ECS_CLUSTER
from policies.security.rules.containers import TASK_DEFINITION
from policies.security.rules.efs import FILE_SYSTEM
from policies.security.rules.elasticache import CLUSTER as CACHE_CLUSTER
from policies.security.rules.elasticache import REPLICATION_GROUP, SERVERLESS
from policies.security.rules.observability import LOG_GROUP, METRIC_ALARM
from policies.security.rules.rds import CLUSTER, INSTANCE
from policies.security.rules.services import EVENT_TARGET, SERVICE
from policies.security.selections import is_selected

TABLE: Final = "aws:dynamodb/table:Table"
EVENT_RULE: Final = "aws:cloudwatch/eventRule:EventRule"
WORKER_POOL: Final = "airflow:compute:WorkerPool"

ARNS: Final[Mapping[str, str]] = {
    INSTANCE: "arn:aws:rds:*:*:db:*",
    CLUSTER: "arn:aws:rds:*:*:cluster:*",
    TABLE: "arn:aws:dynamodb:*:*:table/*",
}
"""Forms of the ARNs of what holds data; of file systems it is a relation of their own."""
PROTECTED: Final = (INSTANCE, CLUSTER, FILE_SYSTEM, REPLICATION_GROUP, CACHE_CLUSTER, SERVERLESS)
COUNTS: Final = frozenset({"RunningTaskCount", "DesiredTaskCount"})
"""Metrics of Container Insights; only both together tell a service that lacks tasks from one that sleeps."""
FAILED: Final = {"source": "aws.ecs", "detail-type": "ECS Deployment State Change"}
FAILED_NAME: Final = "SERVICE_DEPLOYMENT_FAILED"
"""What ECS reports when the circuit breaker ends a deployment."""
AGE: Final = re.compile("Age|Oldest|Wait")
"""In the name of a metric that says for how long tasks have been waiting."""


def said(verdict: Verdict, message: str, path: str) -> Iterator[Finding]:
    """Yield what a verdict about something that is wanted amounts to."""
    if verdict is False:
        yield Violation(message)
    elif verdict is None:
        yield Undecided(path)


def _in_backup(stack: Stack, data: Resource) -> Iterator[Finding]:
    if not given(data, "replicateSourceDb").empty:
        return
    recovery = tells(data.props["pointInTimeRecovery"]["enabled"], View.flag) if data.type == TABLE else False
    selected = either([recovery, is_selected(stack, data, ARNS[data.type])])
    yield from said(selected, "it is in no selection of a backup plan", "the backup selection")


def _protected(_: Stack, data: Resource) -> Iterator[Finding]:
    if not data.protect:
        yield Violation("the resource option `protect` is not set")


def _has_log(stack: Stack, service: Resource) -> Iterator[Finding]:
    for definition in stack.of(TASK_DEFINITION):
        named = refers(stack, service, "taskDefinition", service.props["taskDefinition"], definition)
        if named is not False:
            logged = _logs(stack, definition)
            yield from said(
                logged if named else None,
                f"a container of {definition.name} has no log group of this stack",
                "its log",
            )


def _logs(stack: Stack, definition: Resource) -> Verdict:
    text = definition.props["containerDefinitions"]
    if text.unknown:
        recorded = "containerDefinitions" in definition.property_dependencies
        return bool(stack.behind(definition, "containerDefinitions", LOG_GROUP)) if recorded else None
    return every(_logs_itself(stack, definition, each) for each in parsed(text).items())


def _logs_itself(stack: Stack, definition: Resource, container: View) -> Verdict:
    log = container["logConfiguration"]
    if tells(log["logDriver"], lambda driver: driver.text() == "awsfirelens"):
        return True
    group = log["options"]["awslogs-group"]
    return either(
        refers(stack, definition, "containerDefinitions", group, each) for each in stack.of(LOG_GROUP)
    )


def _has_count_alarm(stack: Stack, service: Resource) -> Iterator[Finding]:
    watched = either(
        every([_metrics(alarm, COUNTS), _is_about(stack, alarm, service)]) for alarm in stack.of(METRIC_ALARM)
    )
    yield from said(watched, "no alarm compares its RunningTaskCount with its DesiredTaskCount", "its alarm")


def _measured(alarm: Resource) -> Iterator[View]:
    """Iterate over the metrics of an alarm: the alarm itself, or what it computes with."""
    yield alarm.props
    for query in values(alarm.props["metricQueries"]):
        yield query["metric"]


def _metrics(alarm: Resource, wanted: frozenset[str]) -> Verdict:
    names = [each["metricName"] for each in _measured(alarm)]
    found = {each.text() for each in names if not each.unknown}
    return True if wanted <= found else None if any(each.unknown for each in names) else False


def _is_about(stack: Stack, alarm: Resource, service: Resource) -> Verdict:
    named = [each["dimensions"]["ServiceName"] for each in _measured(alarm)]
    return either(
        refers(stack, alarm, each.path.partition(".")[0].partition("[")[0], each, service) for each in named
    )


def _has_deployment_alarm(stack: Stack, service: Resource) -> Iterator[Finding]:
    told = either(
        every([_is_on(rule), _catches(stack, rule, service), _has_target(stack, rule)])
        for rule in stack.of(EVENT_RULE)
    )
    yield from said(told, f"no event rule with a target catches its {FAILED_NAME}", "its event rule")


def _is_on(rule: Resource) -> Verdict:
    return tells(rule.props["state"], lambda state: state.text("ENABLED") != "DISABLED")


def _has_target(stack: Stack, rule: Resource) -> Verdict:
    return either(refers(stack, each, "rule", each.props["rule"], rule) for each in stack.of(EVENT_TARGET))


def _catches(stack: Stack, rule: Resource, service: Resource) -> Verdict:
    """Say whether an event rule catches failed deployments of a service; without resources it is about all."""
    text = rule.props["eventPattern"]
    if text.absent:
        return False
    if text.unknown:
        made_of = stack.behind(rule, "eventPattern", SERVICE, ECS_CLUSTER)
        clusters = stack.behind(service, "cluster", ECS_CLUSTER)
        return None if not made_of else service in made_of or bool(set(clusters) & set(made_of)) or None
    pattern = parsed(text)
    wanted = [_matches(pattern[name], want) for name, want in FAILED.items()]
    name = pattern["detail"]["eventName"]
    named = name.absent or _matches(name, FAILED_NAME)
    resources = pattern["resources"]
    own = names_of(service)
    is_its = resources.absent or (any(_matches(resources, each) for each in own) if own else None)
    return every([*wanted, named, is_its])


def _matches(wanted: View, text: str) -> bool:
    """Say whether a part of an event pattern matches a text."""
    return any(_matches_one(each, text) for each in values(wanted))


def _matches_one(wanted: View, text: str) -> bool:
    if isinstance(wanted.known(), str):
        return wanted.text() == text
    prefix, wildcard = wanted["prefix"], wanted["wildcard"]
    if not prefix.absent:
        return text.startswith(prefix.text())
    return not wildcard.absent and like(text, wildcard.text())


def _has_age_alarm(stack: Stack, service: Resource) -> Iterator[Finding]:
    pool = _pool_of(stack, service)
    if pool is not None:
        inside = [alarm for alarm in stack.of(METRIC_ALARM) if _pool_of(stack, alarm) is pool]
        watched = either(_says_age(each) for alarm in inside for each in _measured(alarm))
        yield from said(
            watched, f"no alarm of {pool.name} is about the age of what waits in its queues", "its alarm"
        )


def _says_age(metric: View) -> Verdict:
    return tells(metric["metricName"], lambda name: AGE.search(name.text()) is not None)


def _pool_of(stack: Stack, resource: Resource) -> Resource | None:
    above: Resource | None = resource
    while above is not None and above.type != WORKER_POOL:
        above = stack.by_urn.get(above.parent)
    return above


RELATIONS: Final = (
    Relation(
        name="data-in-backup-plan",
        why="What is deleted or encrypted by somebody else is gone for good.",
        fix="Name it in a selection of an AWS Backup plan; a table may have point-in-time recovery instead.",
        severity=Severity.HIGH,
        tier=Tier.PROD,
        controls=("R5",),
        check=each_of(_in_backup, *ARNS),
    ),
    Relation(
        name="data-protected",
        why="One wrong name in a program, and an update deletes the database.",
        fix="Set the resource option `protect`.",
        severity=Severity.HIGH,
        tier=Tier.PROD,
        controls=("R8",),
        check=each_of(_protected, *PROTECTED),
    ),
    Relation(
        name="service-logs",
        why="What a container writes into a log group that nobody made has no end and no key.",
        fix="Name a log group of the stack in the option `awslogs-group` of every container.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("R6",),
        check=each_of(_has_log, SERVICE),
    ),
    Relation(
        name="service-count-alarm",
        why="A service without tasks looks like one that has nothing to do.",
        fix="Add an alarm on RunningTaskCount below DesiredTaskCount, with the dimension ServiceName.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("R6",),
        check=each_of(_has_count_alarm, SERVICE),
    ),
    Relation(
        name="service-deployment-alarm",
        why="A deployment that rolled back by itself leaves the old version running, and nobody knows.",
        fix="Add an event rule for SERVICE_DEPLOYMENT_FAILED of ECS, with a target such as the topic of alarms.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("R6",),
        check=each_of(_has_deployment_alarm, SERVICE),
    ),
    Relation(
        name="worker-age-alarm",
        why="Tasks that wait for workers look like tasks that are not due yet.",
        fix="Add an alarm below the worker pool, on a metric of the age of what waits in its queues.",
        severity=Severity.MEDIUM,
        # Advisory until something writes such a metric.
        tier=Tier.NOWHERE,
        controls=("R6",),
        check=each_of(_has_age_alarm, SERVICE),
    ),
)
