"""How container definitions are spelled: the provider takes what no other rule would see."""

from __future__ import annotations

import json
from typing import Any

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.crossguard.findings import Undecided, Violation
from policies.crossguard.values import UNKNOWN, Secret
from policies.security.rules.container_names import FREE, NAMES
from policies.security.rules.containers import TASK_DEFINITION
from tests.policies.security.test_rules import judged

RULE = "container-names-spelled"


def said(**container: Any) -> list[Any]:
    return judged(RULE, TASK_DEFINITION, {"containerDefinitions": [container]})


def shapes(shape: Any, name: str = "") -> tuple[set[str], set[str]]:
    """Return the names of the members of a shape and of all below, and those of its maps."""
    if shape.type_name == "list":
        return shapes(shape.member, name)
    if shape.type_name == "map":
        return set(), {name}
    members = shape.members if shape.type_name == "structure" else {}
    below = [shapes(inner, member) for member, inner in members.items()]
    return set(members).union(*(names for names, _ in below)), set().union(*(maps for _, maps in below))


def test_the_names_are_those_of_ecs() -> None:
    service = botocore.session.get_session().get_service_model("ecs")
    names, maps = shapes(service.shape_for("ContainerDefinition"))
    assert names == NAMES
    assert maps == FREE


@pytest.mark.parametrize(
    ("container", "path", "name"),
    [
        ({"Privileged": True}, "Privileged", "privileged"),
        ({"privileged": False, "PRIVILEGED": True}, "PRIVILEGED", "privileged"),
        ({"privileged": False, "privilegeD": UNKNOWN}, "privilegeD", "privileged"),
        ({"environment": [{"name": "X", "Value": "secret"}]}, "environment[0].Value", "value"),
        ({"linuxParameters": {"capabilities": {"Add": ["x"]}}}, "linuxParameters.capabilities.Add", "add"),
        ({"linuxParameters": Secret({"Capabilities": {}})}, "linuxParameters.Capabilities", "capabilities"),
        # Letters that are no other case of s and k, but count as one in Go.
        ({"u\u017fer": "root"}, "u\u017fer", "user"),
    ],
)
def test_another_spelling_is_a_violation(container: dict[str, Any], path: str, name: str) -> None:
    assert said(**container) == [Violation(f"containerDefinitions[0].{path} is spelled {name}")]


@pytest.mark.parametrize(
    "container",
    [
        {"privileged": True},
        {"dockerLabels": {"Privileged": "true"}},
        {"logConfiguration": {"options": {"Name": "es"}}},
        {"somethingElse": 1, "image": UNKNOWN, "environment": UNKNOWN, "command": ["User"]},
    ],
)
def test_other_names_are_not_judged(container: dict[str, Any]) -> None:
    assert said(**container) == []


def test_definitions_that_are_not_known_leave_it_undecided() -> None:
    found = judged(RULE, TASK_DEFINITION, {"containerDefinitions": UNKNOWN})
    assert found == [Undecided("containerDefinitions")]


@given(name=st.sampled_from(sorted(NAMES)), upper=st.sets(st.integers(0, 30)), as_text=st.booleans())
def test_every_case_of_letters_but_one_is_a_violation(name: str, upper: set[int], as_text: bool) -> None:
    spelled = "".join(letter.upper() if index in upper else letter for index, letter in enumerate(name))
    containers: Any = [{spelled: []}]
    given = json.dumps(containers) if as_text else containers
    found = judged(RULE, TASK_DEFINITION, {"containerDefinitions": given})
    assert bool(found) is (spelled != name)
