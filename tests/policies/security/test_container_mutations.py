"""Container definitions made at random: each rule finds exactly what was put in, whatever stands beside it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from policies.crossguard.findings import Undecided, Violation
from policies.crossguard.resources import Resource
from policies.crossguard.values import UNKNOWN, View
from policies.security.rules.containers import RULES, TASK_DEFINITION
from tests.policies.security.cases_containers import CONTAINER

Container = dict[str, Any]
Change = Callable[[Container], None]


def _put(*path: str, value: Any) -> Change:
    def change(container: Container) -> None:
        inside = container
        for step in path[:-1]:
            inside = inside[step]
        inside[path[-1]] = value

    return change


def _add_variable(name: str, value: str) -> Change:
    return lambda container: container["environment"].append({"name": name, "value": value})


INSECURE: dict[str, list[Change]] = {
    "container-unprivileged": [_put("privileged", value=True)],
    "container-not-root": [_put("user", value=user) for user in ("root", "0", "root:root", "0:0", "")],
    "container-read-only-root": [_put("readonlyRootFilesystem", value=False)],
    "container-no-secret-in-environment": [
        _add_variable("BROKER_PASSWORD", "x"),
        _add_variable("fernet_key", "x"),
        _add_variable("URL", "postgresql://user:word@host/db"),
        _add_variable("NOTE", "AKIAABCDEFGHIJKLMNOP"),
        _add_variable("PEM", "-----BEGIN RSA PRIVATE KEY-----"),
    ],
    "container-logs": [
        _put("logConfiguration", "logDriver", value="syslog"),
        _put("logConfiguration", "options", value={}),
        _put("logConfiguration", value=None),
    ],
    "container-capabilities": [
        _put("linuxParameters", "initProcessEnabled", value=False),
        _put("linuxParameters", "capabilities", value={"drop": []}),
        _put("linuxParameters", "capabilities", value={"drop": ["ALL"], "add": ["NET_ADMIN"]}),
    ],
}
HARMLESS: list[Change] = [
    _put("cpu", value=256),
    _put("user", value="1000"),
    _put("user", value="airflow:root"),
    _put("privileged", value=False),
    _put("essential", value=False),
    _put("logConfiguration", "logDriver", value="awsfirelens"),
    _put("logConfiguration", "options", value={"mode": "blocking", "awslogs-group": "x"}),
    _add_variable("AIRFLOW__CORE__PARALLELISM", "32"),
    _add_variable("SECRETS_MANAGER_PREFIX", "airflow/dev"),
    _add_variable("BROKER_URL", "rediss://broker:6379"),
]
NAMES = sorted(INSECURE)
harmless = st.lists(st.sampled_from(HARMLESS), max_size=4)
insecure = st.sets(st.sampled_from(NAMES), max_size=3).flatmap(
    lambda names: st.tuples(
        *(st.tuples(st.just(name), st.sampled_from(INSECURE[name])) for name in sorted(names))
    )
)


def container(changes: list[Change]) -> Container:
    found = copy.deepcopy(CONTAINER)
    for change in changes:
        change(found)
    return found


def raised(*containers: Any) -> set[str]:
    text = json.dumps(containers)
    props = View.of({"containerDefinitions": text})
    return _violated(props)


def _violated(props: View) -> set[str]:
    definition = Resource(urn="urn", type=TASK_DEFINITION, token=TASK_DEFINITION, name="x", props=props)
    return {
        rule.name for rule in RULES for finding in rule.judge(definition) if isinstance(finding, Violation)
    }


def test_every_rule_has_insecure_changes() -> None:
    assert {rule.name for rule in RULES} >= set(INSECURE)


@given(st.lists(st.tuples(harmless, insecure), min_size=1, max_size=3))
def test_exactly_what_was_put_in_is_found(given_containers: list[Any]) -> None:
    containers = [container([*around, *(change for _, change in bad)]) for around, bad in given_containers]
    # A harmless change comes first, so that no later one takes an insecure one back.
    assert raised(*containers) & set(INSECURE) == {name for _, bad in given_containers for name, _ in bad}


@given(harmless, insecure, st.sampled_from(sorted(CONTAINER)))
def test_an_unknown_part_hides_nothing_beside_it(around: list[Change], bad: Any, unknown: str) -> None:
    """The part that is unknown is undecided; every other mistake is found."""
    whole = container([*around, *(change for _, change in bad)])
    parts = View.of({"containerDefinitions": [whole | {unknown: UNKNOWN}]})
    elsewhere = _violated(View.of({"containerDefinitions": [whole | {unknown: CONTAINER[unknown]}]}))
    assert _violated(parts) == elsewhere


@given(st.sampled_from(sorted(set(CONTAINER) - {"name", "essential"})))
def test_an_unknown_part_is_said_to_be_undecided(unknown: str) -> None:
    props = View.of({"containerDefinitions": [CONTAINER | {unknown: UNKNOWN}]})
    definition = Resource(urn="urn", type=TASK_DEFINITION, token=TASK_DEFINITION, name="x", props=props)
    findings = [finding for rule in RULES for finding in rule.judge(definition)]
    assert [each for each in findings if isinstance(each, Undecided)] != []
    assert [each for each in findings if isinstance(each, Violation)] == []
