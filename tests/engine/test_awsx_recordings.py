"""The engine's state holds exactly the children that the real awsx provider registers.

The recordings (tests/data/awsx_vpc) come from the real provider over an aws provider that echoes inputs: what the
real aws provider adds to inputs (defaults, region) is not in them, and is taken off here by its list, `__defaults`.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.engine.support import ROOT, Project

pytestmark = pytest.mark.engine

DATA = ROOT / "tests" / "data" / "awsx_vpc"
PROGRAM = """\
import json, pathlib, pulumi

class Vpc(pulumi.ComponentResource):
    def __init__(self, name, args, outputs, opts):
        super().__init__("awsx:ec2:Vpc", name, dict.fromkeys(outputs) | args, opts, remote=True)

args = json.loads(pathlib.Path("args.json").read_text())
outputs = json.loads(pathlib.Path("outputs.json").read_text())
aws = pulumi.ProviderResource("aws", "aws", {"region": "eu-west-1"})
vpc = Vpc("main", args, outputs, pulumi.ResourceOptions(providers=[aws]))
for output in outputs:
    if output.endswith("Ids") or output in ("vpcId", "subnetLayout"):
        pulumi.export(output, getattr(vpc, output))
"""


def recorded(case: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DATA / f"{case}.json").read_text())
    return found


def project(folder: Path, args: dict[str, Any], outputs: list[str]) -> Project:
    made = Project.program(folder, PROGRAM)
    (folder / "args.json").write_text(json.dumps(args))
    (folder / "outputs.json").write_text(json.dumps(outputs))
    return made


def label(urn: str) -> str:
    """Return a URN as the recordings name it: `Subnet::main-public-1`; the component is `awsx.Vpc::main`."""
    types, name = urn.split("::")[2:]
    kind = types.rsplit(":", 1)[-1]
    return "Stack" if kind == "Stack" else f"{'awsx.' if types == 'awsx:ec2:Vpc' else ''}{kind}::{name}"


def normal(resource: dict[str, Any], ids: dict[str, str]) -> dict[str, Any]:
    """Return a resource of the state in the recordings' form."""
    inputs = resource.get("inputs", {})
    added = {"__defaults", "region", "tagsAll", *inputs.get("__defaults", [])}
    text = json.dumps({key: value for key, value in inputs.items() if key not in added})
    for identity, symbol in ids.items():
        text = text.replace(json.dumps(identity), json.dumps(symbol))
    sources = resource.get("propertyDependencies") or {}
    return {
        "type": resource["type"],
        "name": resource["urn"].rsplit("::", 1)[-1],
        "parent": label(resource["parent"]),
        "urnType": resource["urn"].split("::")[2],
        "inputs": json.loads(text),
        "dependsOn": sorted(map(label, resource.get("dependencies") or [])),
        "propertyDependencies": {key: sorted(map(label, urns)) for key, urns in sources.items() if urns},
    }


@pytest.fixture(scope="module")
def state_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[dict[str, Any]]]:
    """Return how to get the state after an `up` of a recorded case."""

    @functools.cache
    def applied(case: str) -> list[dict[str, Any]]:
        recording = recorded(case)
        folder = tmp_path_factory.mktemp("awsx") / case
        made = project(folder, recording["constructArgs"], list(recording["componentOutputs"]))
        made.run("pulumi", "up", "--yes", "--skip-preview", "--stack", "dev")
        return made.state()

    return applied


@pytest.mark.parametrize("case", ["a", "b", "c"])
def test_up_registers_the_recorded_children(
    state_of: Callable[[str], list[dict[str, Any]]], case: str
) -> None:
    """Types, names, parents, inputs and dependencies, as a set: the recordings are sorted, not in order."""
    recording = recorded(case)
    state = [each for each in state_of(case) if not each["type"].startswith("pulumi:")]
    ids: dict[str, str] = {}
    for each in state:
        ids[each.get("id", "-")] = "${" + label(each["urn"]) + ".id}"
        if "allocationId" in each.get("outputs", {}) and "Eip" in each["type"]:
            ids[each["outputs"]["allocationId"]] = "${" + label(each["urn"]) + ".allocationId}"
    found = {(each["type"], each["name"]): each for each in (normal(each, ids) for each in state)}
    wanted = {(each["type"], each["name"]): each for each in recording["resources"]}
    assert found.keys() == wanted.keys()
    for key, each in wanted.items():
        expected = {field: each[field] for field in ("type", "name", "parent", "urnType", "inputs")}
        expected["dependsOn"] = sorted(each["dependsOn"])
        sources = each.get("propertyDependencies") or {}
        expected["propertyDependencies"] = {field: sorted(urns) for field, urns in sources.items()}
        assert found[key] == expected


def test_the_outputs_arrive_in_the_recorded_order(state_of: Callable[[str], list[dict[str, Any]]]) -> None:
    recording = recorded("b")
    state = state_of("b")
    names = {each["id"]: "${" + label(each["urn"]) + ".id}" for each in state if each.get("id")}
    outputs = state[0]["outputs"]
    for key in ("publicSubnetIds", "privateSubnetIds", "isolatedSubnetIds"):
        assert [names[identity] for identity in outputs[key]] == recording["componentOutputs"][key]
    assert outputs["subnetLayout"] == recording["componentOutputs"]["subnetLayout"]


ERRORS: dict[str, dict[str, Any]] = json.loads((DATA / "errors.json").read_text())
SAMPLES = ["bad_strategy", "four_azs", "overlap"]
"""An argument, what only the region tells, several lines; tests/awsx has them all, without an engine."""


@pytest.mark.parametrize("case", SAMPLES)
def test_wrong_arguments_end_with_the_recorded_text(tmp_path: Path, case: str) -> None:
    """In a preview already, and with nothing of AWS registered."""
    made = project(tmp_path / case, ERRORS[case]["constructArgs"], ["vpcId"])
    done = made.run("pulumi", "preview", "--stack", "dev", check=False)
    assert done.returncode
    text = "\n".join(line.strip() for line in done.stdout.splitlines())
    message = "\n".join(line.strip() for line in ERRORS[case]["message"].splitlines())
    assert f"awsx:ec2:Vpc resource 'main' has a problem: {message}" in text
    assert "aws:ec2:Subnet" not in text
