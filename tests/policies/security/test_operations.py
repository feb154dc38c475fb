"""Data is backed up and protected; services are logged and watched."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from policies.crossguard.resources import Resource
from policies.crossguard.rules import Relation
from policies.crossguard.values import UNKNOWN
from policies.security.relations.operations import (
    EVENT_RULE,
    PROTECTED,
    RELATIONS,
    TABLE,
    WORKER_POOL,
)
from policies.security.rules.clusters import CLUSTER as ECS_CLUSTER
from policies.security.rules.containers import TASK_DEFINITION
from policies.security.rules.observability import LOG_GROUP, METRIC_ALARM
from policies.security.rules.rds import CLUSTER, INSTANCE
from policies.security.rules.services import EVENT_TARGET, SERVICE
from policies.security.selections import SELECTION
from tests.policies.made import BAD, GOOD, OPEN, left_open, made, verdict

BY_NAME = {relation.name: relation for relation in RELATIONS}
DATABASE = "arn:aws:rds:eu-west-1:111122223333:db:airflow"


def says(name: str, urn: str, *resources: Resource) -> str:
    relation: Relation = BY_NAME[name]
    return verdict(relation, urn, *resources)


def database(**more: Any) -> Resource:
    return made(INSTANCE, "database", **{"arn": DATABASE, "tagsAll": {"backup": "daily"}, **more})


def selection(behind: Any = (), **props: Any) -> Resource:
    return made(SELECTION, "selection", {"resources": behind}, planId="plan", **props)


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        ([selection(resources=[DATABASE])], GOOD),
        ([selection(resources=["arn:aws:rds:*:*:db:*"])], GOOD),
        ([selection(selectionTags=[{"type": "STRINGEQUALS", "key": "backup", "value": "daily"}])], GOOD),
        ([], BAD),
        ([selection(resources=["arn:aws:dynamodb:*:*:table/*"])], BAD),
        ([selection(resources=["*"], notResources=[DATABASE])], BAD),
        ([selection(selectionTags=[{"type": "STRINGEQUALS", "key": "backup", "value": "weekly"}])], BAD),
        ([selection(resources=[{"of": "another type"}])], BAD),
        ([selection(resources=UNKNOWN)], OPEN),
        ([selection(resources=[UNKNOWN])], OPEN),
    ],
)
def test_a_database_is_in_a_selection(chosen: list[Resource], found: str) -> None:
    assert says("data-in-backup-plan", "database", database(), *chosen) == found


@pytest.mark.parametrize(
    ("behind", "found"), [(["database"], GOOD), (["other"], BAD), (["database", "other"], OPEN)]
)
def test_a_preview_follows_what_a_selection_was_made_of(behind: list[str], found: str) -> None:
    stack = (made(INSTANCE, "database", arn=UNKNOWN), made(INSTANCE, "other", arn=UNKNOWN))
    assert says("data-in-backup-plan", "database", *stack, selection(behind, resources=[UNKNOWN])) == found


def test_a_copy_is_backed_up_with_its_source() -> None:
    assert says("data-in-backup-plan", "database", database(replicateSourceDb="source")) == GOOD


@pytest.mark.parametrize(
    ("on", "found"), [(True, GOOD), (False, BAD), (None, BAD), (UNKNOWN, OPEN), ("true", BAD)]
)
def test_a_table_may_recover_by_itself(on: Any, found: str) -> None:
    table = made(
        TABLE,
        "table",
        arn="arn:aws:dynamodb:eu-west-1:111122223333:table/x",
        pointInTimeRecovery={"enabled": on},
    )
    assert says("data-in-backup-plan", "table", table) == found


def test_a_cluster_has_data_as_well() -> None:
    assert (
        says("data-in-backup-plan", "cluster", made(CLUSTER, "cluster", arn="arn:aws:rds:::cluster:x")) == BAD
    )


@pytest.mark.parametrize("token", PROTECTED)
def test_what_holds_data_is_protected(token: str) -> None:
    bare = made(token, "data")
    assert says("data-protected", "data", bare) == BAD
    assert says("data-protected", "data", replace(bare, protect=True)) == GOOD


SERVED = made(
    SERVICE,
    "service",
    name="airflow-scheduler",
    arn="arn:service/airflow/airflow-scheduler",
    taskDefinition="arn:td",
)
LOG = made(LOG_GROUP, "log", name="scheduler-log")


def definition(containers: Any, *behind: str) -> Resource:
    text = json.dumps(containers) if isinstance(containers, list) else containers
    return made(
        TASK_DEFINITION,
        "definition",
        {"containerDefinitions": behind},
        arn="arn:td",
        containerDefinitions=text,
    )


def logged(group: Any, driver: str = "awslogs") -> dict[str, Any]:
    return {"name": "x", "logConfiguration": {"logDriver": driver, "options": {"awslogs-group": group}}}


@pytest.mark.parametrize(
    ("task", "found"),
    [
        (definition([logged("scheduler-log")]), GOOD),
        (definition([logged("scheduler-log"), logged(None, "awsfirelens")]), GOOD),
        (definition([logged("scheduler-log"), logged("stranger")]), BAD),
        (definition([{"name": "x"}]), BAD),
        (definition([logged({"of": "another type"})]), BAD),
        (definition("no containers"), BAD),
        (definition(UNKNOWN, "log"), GOOD),
        (definition(UNKNOWN, "service"), BAD),
        (left_open(definition(UNKNOWN), "containerDefinitions"), OPEN),
    ],
)
def test_a_service_has_a_log_group(task: Resource, found: str) -> None:
    assert says("service-logs", "service", SERVED, LOG, task) == found


def test_a_service_of_an_unknown_task_is_open() -> None:
    unknown = made(SERVICE, "service", taskDefinition=UNKNOWN)
    assert says("service-logs", "service", unknown, LOG, definition([])) == OPEN


def query(name: Any, service: Any = "airflow-scheduler") -> dict[str, Any]:
    return {"id": "x", "metric": {"metricName": name, "dimensions": {"ServiceName": service}}}


def alarm(*queries: Any, behind: Any = (), parent: str = "", **props: Any) -> Resource:
    found = made(METRIC_ALARM, "alarm", {"metricQueries": behind}, metricQueries=list(queries), **props)
    return replace(found, parent=parent)


BOTH = (query("RunningTaskCount"), query("DesiredTaskCount"))


@pytest.mark.parametrize(
    ("alarms", "found"),
    [
        ([alarm({"id": "e", "expression": "a < b"}, *BOTH)], GOOD),
        ([], BAD),
        ([alarm(query("RunningTaskCount"))], BAD),
        ([alarm(query("RunningTaskCount", "other"), query("DesiredTaskCount", "other"))], BAD),
        ([alarm(*(query(name, {"of": "x"}) for name in ("RunningTaskCount", "DesiredTaskCount")))], BAD),
        ([alarm(query(UNKNOWN), query("DesiredTaskCount"))], OPEN),
        ([alarm(*(query(name, UNKNOWN) for name in ("RunningTaskCount", "DesiredTaskCount")))], OPEN),
        (
            [
                alarm(
                    *(query(name, UNKNOWN) for name in ("RunningTaskCount", "DesiredTaskCount")),
                    behind=["service"],
                )
            ],
            GOOD,
        ),
    ],
)
def test_a_service_has_an_alarm_on_its_count(alarms: list[Resource], found: str) -> None:
    assert says("service-count-alarm", "service", SERVED, *alarms) == found


PATTERN: dict[str, Any] = {
    "source": ["aws.ecs"],
    "detail-type": ["ECS Deployment State Change"],
    "detail": {"eventName": ["SERVICE_DEPLOYMENT_FAILED"]},
}
TARGET = made(EVENT_TARGET, "target", rule="failed", arn="arn:topic")


def event(pattern: Any = None, behind: Any = (), **props: Any) -> Resource:
    text = (
        pattern
        if pattern is UNKNOWN or isinstance(pattern, str)
        else json.dumps({**PATTERN, **(pattern or {})})
    )
    return made(
        EVENT_RULE, "failed", {"eventPattern": behind}, **{"name": "failed", "eventPattern": text, **props}
    )


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        (event(), GOOD),
        (event({"resources": ["arn:service/airflow/airflow-scheduler"]}), GOOD),
        (event({"resources": [{"prefix": "arn:service/airflow/"}]}), GOOD),
        (event({"resources": [{"wildcard": "*/airflow-*"}]}), GOOD),
        (event({"detail": {}}), GOOD),
        (event({"resources": [{"prefix": "arn:service/other/"}]}), BAD),
        (event({"resources": [{"anything-but": "x"}]}), BAD),
        (event({"detail": {"eventName": ["SERVICE_STEADY_STATE"]}}), BAD),
        (event({"source": ["aws.ec2"]}), BAD),
        (event({"detail-type": ["ECS Task State Change"]}), BAD),
        (event({"source": [7]}), BAD),
        (event(state="DISABLED"), BAD),
        (event("no pattern"), BAD),
        (event(state=UNKNOWN), OPEN),
        (event(UNKNOWN), OPEN),
        (event(UNKNOWN, ["service"]), GOOD),
        (event(UNKNOWN, ["cluster"]), OPEN),
    ],
)
def test_somebody_hears_of_a_failed_deployment(rule: Resource, found: str) -> None:
    cluster = made(ECS_CLUSTER, "cluster", arn="arn:cluster")
    assert says("service-deployment-alarm", "service", SERVED, cluster, rule, TARGET) == found


def test_a_pattern_made_of_the_cluster_is_about_its_services() -> None:
    cluster = made(ECS_CLUSTER, "cluster")
    inside = made(SERVICE, "service", {"cluster": ["cluster"]}, cluster=UNKNOWN)
    assert (
        says("service-deployment-alarm", "service", inside, cluster, event(UNKNOWN, ["cluster"]), TARGET)
        == GOOD
    )


def test_an_event_without_a_target_is_heard_by_nobody() -> None:
    assert says("service-deployment-alarm", "service", SERVED, event()) == BAD
    assert says("service-deployment-alarm", "service", SERVED) == BAD
    other = made(EVENT_TARGET, "target", rule="other", arn="arn:topic")
    assert says("service-deployment-alarm", "service", SERVED, event(), other) == BAD


POOL = made(WORKER_POOL, "pool")
INSIDE = made("airflow:compute:AirflowService", "inside")
WORKER = replace(made(SERVICE, "worker"), parent="inside")


@pytest.mark.parametrize(
    ("alarms", "found"),
    [
        ([alarm(parent="pool", metricName="OldestQueuedSeconds")], GOOD),
        ([alarm(query("QueueAge"), parent="pool")], GOOD),
        ([alarm(parent="", metricName="QueueAge")], BAD),
        ([alarm(parent="pool", metricName="ApproximateMessagesVisible")], BAD),
        ([alarm(parent="pool", metricName=7)], BAD),
        ([alarm(parent="pool", metricName=UNKNOWN)], OPEN),
        ([], BAD),
    ],
)
def test_a_pool_has_an_alarm_on_what_waits(alarms: list[Resource], found: str) -> None:
    stack = (POOL, replace(INSIDE, parent="pool"), WORKER)
    assert says("worker-age-alarm", "worker", *stack, *alarms) == found


def test_other_services_have_no_queues() -> None:
    assert says("worker-age-alarm", "worker", INSIDE, WORKER) == GOOD
