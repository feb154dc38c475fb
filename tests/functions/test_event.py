"""The event: read completely or not at all."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from functions.platform_gate.errors import GateError
from functions.platform_gate.event import Bootstrap, Event, parse
from functions.platform_gate.kinds import SecretKind
from tests.functions.account import ACCESS_STRING, HOST, event

ARNS = {kind: f"arn:aws:secretsmanager:eu-west-1:123456789012:secret:{kind}" for kind in SecretKind}
TASK = "arn:aws:ecs:eu-west-1:123456789012:task-definition/airflow-dev-bootstrap:7"
EVENT = event(ARNS, TASK)
REMEDY = "only `pulumi up` invokes the gate, with the event that its program renders"


def without(place: str) -> dict[str, Any]:
    """Return the event without one of its values."""
    changed = copy.deepcopy(EVENT)
    part = changed
    *parents, last = place.split(".")
    for parent in parents:
        part = part[parent]
    part.pop(last, None)
    return changed


def changed(place: str, value: Any) -> dict[str, Any]:
    """Return the event with another value."""
    copied = without(place)
    part = copied
    *parents, last = place.split(".")
    for parent in parents:
        part = part[parent]
    part[last] = value
    return copied


def test_event() -> None:
    assert parse(EVENT) == Event(
        database="airflow-dev",
        secret_arns=ARNS,
        host_name=HOST,
        broker_user_id="airflow-dev",
        broker_access_string=ACCESS_STRING,
        bootstrap=Bootstrap(
            cluster="arn:aws:ecs:eu-west-1:123456789012:cluster/airflow-dev",
            family="airflow-dev-bootstrap",
            task_definition=TASK,
            container="bootstrap",
            subnet_ids=("subnet-1", "subnet-2"),
            security_group_id="sg-1",
            log_group="airflow-dev-bootstrap-log",
            started_by=parse(EVENT).bootstrap.started_by,
        ),
    )


def test_the_key_is_made_before_its_certificate() -> None:
    assert list(parse(EVENT).secret_arns)[-2:] == [
        SecretKind.API_SERVER_PRIVATE_KEY,
        SecretKind.API_SERVER_CERTIFICATE,
    ]


def test_environment_without_flower() -> None:
    arns = dict(parse(without("secrets.flower-user")).secret_arns)
    assert arns == {kind: arn for kind, arn in ARNS.items() if kind is not SecretKind.FLOWER_USER}


@pytest.mark.parametrize("trigger", ["image", "taskDefinition", "databaseResourceId"])
def test_each_trigger_marks_other_tasks(trigger: str) -> None:
    other = parse(changed(f"triggers.{trigger}", "other")).bootstrap.started_by
    assert other != parse(EVENT).bootstrap.started_by
    assert len(other) <= 36


def test_what_is_no_trigger_marks_the_same_tasks() -> None:
    same = parse(changed("broker.accessString", "on ~*")).bootstrap.started_by
    assert same == parse(EVENT).bootstrap.started_by


TEXTS = [
    *("database", "hostName", "broker.userId", "broker.accessString", "secrets.fernet-key"),
    *(
        f"bootstrap.{name}"
        for name in ("cluster", "family", "taskDefinition", "container", "securityGroupId", "logGroup")
    ),
    *("triggers.image", "triggers.taskDefinition", "triggers.databaseResourceId"),
]


@pytest.mark.parametrize("place", TEXTS)
@pytest.mark.parametrize("value", [None, "", 7, ["text"]])
def test_texts_are_wanted(place: str, value: Any) -> None:
    wrong = without(place) if value is None else changed(place, value)
    with pytest.raises(GateError) as raised:
        parse(wrong)
    assert str(raised.value) == f'event: want text in "{place}": {REMEDY}'


@pytest.mark.parametrize("value", [None, [], "subnet-1", ["subnet-1", ""], [7]])
def test_subnets_are_wanted(value: Any) -> None:
    with pytest.raises(GateError) as raised:
        parse(changed("bootstrap.subnetIds", value))
    assert str(raised.value) == f'event: want a list of texts in "bootstrap.subnetIds": {REMEDY}'


@pytest.mark.parametrize("place", ["secrets", "broker", "bootstrap", "triggers"])
@pytest.mark.parametrize("value", [None, "text", ["text"]])
def test_parts_are_wanted(place: str, value: Any) -> None:
    with pytest.raises(GateError) as raised:
        parse(changed(place, value))
    assert str(raised.value) == f'event: want an object in "{place}": {REMEDY}'


@pytest.mark.parametrize("value", [None, "text", ["text"], 7])
def test_an_object_is_wanted(value: Any) -> None:
    with pytest.raises(GateError) as raised:
        parse(value)
    assert str(raised.value) == f'event: want an object in "event": {REMEDY}'


def test_unknown_secret() -> None:
    with pytest.raises(GateError) as raised:
        parse(changed("secrets.password", "arn"))
    assert str(raised.value) == f'event: "secrets.password" is no secret that the gate makes: {REMEDY}'
