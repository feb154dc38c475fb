"""What a drill changes about the containers of a service."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sandbox.twin.model import Booted, SecretSource
from sandbox.twin.twin import Change
from tests.twin.unit.containers import container

RENDERED = replace(
    container("worker"),
    command=("airflow", "celery", "worker"),
    environment={"KEPT": "1", "OTHER": "2"},
    secrets={"SECRET": SecretSource(arn="arn", key=None)},
)


def booted(**mounts: Path) -> Booted:
    return Booted(
        container=RENDERED,
        environment={},
        command=(),
        health=None,
        address="",
        hosts_file=Path("hosts"),
        user="50000:0",
        mounts=mounts,
        root_mounts=(),
        scratch=Path("scratch"),
        volumes=Path("volumes"),
        volume_user="50000:0",
    )


def test_a_variable_gets_another_value() -> None:
    assert Change({"OTHER": "3"}).apply(RENDERED).environment == {"KEPT": "1", "OTHER": "3"}


def test_a_variable_is_taken_away() -> None:
    assert Change({"OTHER": None}).apply(RENDERED).environment == {"KEPT": "1"}


def test_a_secret_variable_becomes_a_plain_one() -> None:
    changed = Change({"SECRET": "known"}).apply(RENDERED)

    assert (changed.environment["SECRET"], changed.secrets) == ("known", {})


def test_a_secret_variable_is_taken_away() -> None:
    changed = Change({"SECRET": None}).apply(RENDERED)

    assert ("SECRET" in changed.environment, changed.secrets) == (False, {})


def test_arguments_are_added_to_the_command() -> None:
    changed = Change({}, ["--concurrency", "1"]).apply(RENDERED)

    assert changed.command == ("airflow", "celery", "worker", "--concurrency", "1")


def test_another_file_lies_in_the_place_of_one_and_the_rest_stays() -> None:
    before = booted(**{"/code": Path("ours"), "/dags": Path("dags")})

    after = Change({}, (), {"/code": "theirs"}).over(before)

    assert after.mounts == {"/code": Path("theirs"), "/dags": Path("dags")}


def test_nothing_is_changed_by_no_change() -> None:
    assert Change({}).apply(RENDERED) == RENDERED
    assert Change({}).over(booted()) == booted()
