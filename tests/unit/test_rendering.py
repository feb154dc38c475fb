"""JSON texts with outputs inside."""

from __future__ import annotations

import json
from typing import Any

import pulumi
from hypothesis import given
from hypothesis import strategies as st

from components.rendering import Documents, as_json
from tests.harness import Deployment
from tests.unit.programs import value

PLAIN: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def with_outputs(part: Any, every: int, count: list[int]) -> Any:
    """Return a structure in which every n-th value is an output."""
    count[0] += 1
    if count[0] % every == 0:
        return pulumi.Output.from_input(part)
    if isinstance(part, dict):
        return {key: with_outputs(item, every, count) for key, item in part.items()}
    return [with_outputs(item, every, count) for item in part] if isinstance(part, list) else part


def rendered(deploy: Deployment, structure: Any, **options: bool) -> Any:
    made: list[pulumi.Output[str]] = []
    deploy.run(lambda: made.append(as_json(structure, **options)))
    return value(deploy, made[0])


@given(PLAIN, st.integers(1, 5), st.booleans())
def test_it_is_the_text_of_the_values(structure: Any, every: int, sort_keys: bool) -> None:
    deploy = Deployment()
    try:
        text = rendered(deploy, with_outputs(structure, every, [0]), sort_keys=sort_keys)
    finally:
        deploy.close()
    assert text == json.dumps(structure, sort_keys=sort_keys)


def test_a_secret_inside_makes_the_text_secret(deploy: Deployment) -> None:
    made: list[pulumi.Output[str]] = []
    deploy.run(lambda: made.append(as_json({"key": pulumi.Output.secret("value")})))
    secret = deploy.runner.get_loop().run_until_complete(made[0].is_secret())
    assert secret


def test_tuples_are_lists(deploy: Deployment) -> None:
    assert rendered(deploy, ("a", pulumi.Output.from_input("b"))) == '["a", "b"]'


def test_without_outputs(deploy: Deployment) -> None:
    assert rendered(deploy, {"number": 1, "flag": True}) == '{"number": 1, "flag": true}'


def test_documents_are_texts_that_are_remembered_as_structures(deploy: Deployment) -> None:
    documents, made = Documents(), []
    structure = {"b": 1, "a": pulumi.Output.from_input(2)}
    deploy.run(lambda: made.append(documents.text("policy", "document", structure, sort_keys=True)))
    assert value(deploy, made[0]) == '{"a": 2, "b": 1}'
    assert documents.parts == {"policy": {"document": structure}}
