"""The emulated VPC against recordings of the real one."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.awsx.vpc import LayoutError
from tests.awsx.recorder import Recorder, build, recording, shown

CASES = ("a", "b", "c")


def by_name(resources: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(item["type"], item["name"]): item for item in resources}


@pytest.mark.parametrize("case", CASES)
def test_resources_are_those_of_the_real_provider(case: str) -> None:
    recorded = recording(case)
    recorder, _ = build(recorded["constructArgs"])
    expected = by_name(recorded["resources"])
    assert by_name(recorder.resources).keys() == expected.keys()
    assert len(recorder.resources) == recorded["total"]
    for key, resource in by_name(recorder.resources).items():
        want = {name: expected[key].get(name, {}) for name in resource}
        assert resource == want, key


@pytest.mark.parametrize("case", CASES)
def test_outputs_are_those_of_the_real_provider(case: str) -> None:
    recorded = recording(case)
    _, constructed = build(recorded["constructArgs"])
    assert constructed.urn == "awsx.Vpc::main"
    assert shown(constructed.outputs) == recorded["componentOutputs"]
    assert list(constructed.outputs) == list(recorded["componentOutputs"])


@pytest.mark.parametrize("case", CASES)
def test_output_dependencies_are_those_of_the_real_provider(case: str) -> None:
    recorded = recording(case)
    _, constructed = build(recorded["constructArgs"])
    assert constructed.dependencies == recorded["componentOutputDependencies"]


@pytest.mark.parametrize("case", CASES)
def test_warnings_are_logged_on_the_component(case: str) -> None:
    recorded = recording(case)
    recorder, _ = build(recorded["constructArgs"])
    assert recorder.warnings == [(message, "awsx.Vpc::main") for message in recorded["warnings"]]


def test_component_is_closed_without_outputs() -> None:
    recorder, _ = build(recording("a")["constructArgs"])
    assert recorder.closed == [("awsx.Vpc::main", {})]


def test_preview_knows_everything_but_ids() -> None:
    recorded = recording("a.preview")
    recorder, constructed = build(recording("a")["constructArgs"], Recorder(preview=True))
    expected = {(item["type"], item["name"]): item["inputs"] or {} for item in recorded["resources"]}
    got = {key: shown(item["inputs"]) for key, item in by_name(recorder.resources).items()}
    assert got == expected
    assert shown(constructed.outputs) == recorded["componentOutputs"]


def test_preview_has_the_dependencies_of_the_update() -> None:
    args = recording("a")["constructArgs"]
    assert build(args, Recorder(preview=True))[1].dependencies == build(args)[1].dependencies


@pytest.mark.parametrize("case", sorted(recording("errors")))
def test_error_is_that_of_the_real_provider(case: str) -> None:
    recorded = recording("errors")[case]
    recorder = Recorder()
    with pytest.raises(LayoutError) as raised:
        build(recorded["constructArgs"], recorder)
    assert str(raised.value) == recorded["message"]
    assert [item["type"] for item in recorder.resources] == (["awsx:ec2:Vpc"] if case == "four_azs" else [])
