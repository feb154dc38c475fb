"""The security pack on whole stacks: the golden ones raise nothing, each single insecure change raises its rule.

All changes are judged by a program without the engine; the real engine judges one change for a part of the rules, in
exported states. Programs whose components ask for something insecure are in test_policy_exceptions.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from policies.crossguard.rules import Level
from policies.security.controls import advised
from policies.security.pack import RELATIONS, RULES
from tests.engine.conftest import Applied
from tests.engine.support import ROOT, Project, unmeasured
from tests.policies.evaluated import ALONE, MUTATIONS
from tests.policies.golden import Golden, Mutation, diagnostics, newly_violated, violated
from tests.policies.perfect import perfect
from tests.policies.relation_mutations import RELATION_MUTATIONS, RelationMutation
from tests.policies.row_operations import unchanged

pytestmark = pytest.mark.engine

BY_NAME = {policy.name: policy for policy in (*RULES, *RELATIONS)}
ENGINE_EVERY = 4
"""The engine judges the first change of each fourth rule: about forty, a second each."""


@pytest.fixture(scope="module")
def prod(platform_with: Applied, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return platform_with("prod", tmp_path_factory.mktemp("policies") / "prod")


@pytest.fixture(scope="module")
def dev(platform_with: Applied, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return platform_with("dev", tmp_path_factory.mktemp("policies") / "dev")


def golden(project: Project, stack: str) -> Golden:
    return Golden(stack, {"deployment": {"resources": project.state(stack)}})


@pytest.fixture(scope="module")
def made(prod: Project) -> list[Golden]:
    """Return the stacks of prod as the engine made them."""
    return [golden(prod, stack) for stack in ("prod", "prod-shared")]


@pytest.fixture(scope="module")
def stacks(made: list[Golden]) -> list[Golden]:
    """Return the golden stacks: those of prod, and every advice is followed as well."""
    return [perfect(stack) for stack in made]


@pytest.mark.parametrize("number", [0, 1])
def test_the_golden_stacks_raise_nothing(stacks: list[Golden], number: int) -> None:
    said = [f"{each.policy.name}: {each.message}: {each.urn}" for each in diagnostics(stacks[number])]
    assert [line for line in said if not line.startswith("undecided: ")] == []


def test_the_stacks_as_they_are_raise_the_advice_that_they_do_not_follow(made: list[Golden]) -> None:
    assert set.union(*map(violated, made)) == advised().keys()


@pytest.mark.parametrize("stack", ["dev", "nonprod-shared"])
def test_other_stacks_raise_nothing_that_is_mandatory_there(dev: Project, stack: str) -> None:
    found = [
        f"{name}: {BY_NAME[name].why}"
        for name in violated(golden(dev, stack))
        if BY_NAME[name].tier.level("nonprod") is Level.MANDATORY
    ]
    assert found == []


@pytest.fixture(scope="module")
def raised(stacks: list[Golden], tmp_path_factory: pytest.TempPathFactory) -> list[set[str]]:
    """Return what each change raises, in the order of the changes."""
    folder, files = tmp_path_factory.mktemp("stacks"), []
    for stack in stacks:
        files.append(folder / f"{stack.name}.json")
        files[-1].write_text(json.dumps(stack.content))
    with unmeasured():
        done = subprocess.run(
            [sys.executable, "-m", "tests.policies.evaluated", *map(str, files)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    return [set(names) for names in json.loads(done.stdout)]


@pytest.mark.parametrize("number", range(len(MUTATIONS)), ids=lambda number: str(MUTATIONS[number]))
def test_a_single_insecure_change_raises_its_rule_and_what_it_implies(
    raised: list[set[str]], number: int
) -> None:
    rule = MUTATIONS[number].case.rule
    assert rule in raised[number]
    assert raised[number] <= {rule, *BY_NAME[rule].implies}


def test_every_relation_is_raised_by_a_change() -> None:
    wanted = sorted(relation.name for relation in RELATIONS)
    assert sorted(mutation.relation for mutation in RELATION_MUTATIONS) == wanted


@pytest.mark.parametrize("mutation", RELATION_MUTATIONS, ids=str)
def test_a_single_insecure_change_raises_its_relation_and_what_it_implies(
    stacks: list[Golden], mutation: RelationMutation
) -> None:
    before, after = mutation.pair(stacks)
    assert newly_violated(before, after) == {mutation.relation, *mutation.also}
    assert mutation.also <= BY_NAME[mutation.relation].implies


@pytest.mark.parametrize("mutation", RELATION_MUTATIONS, ids=str)
def test_the_change_is_one_of_a_single_resource(stacks: list[Golden], mutation: RelationMutation) -> None:
    before, after = ({row["urn"]: row for row in golden.rows} for golden in mutation.pair(stacks))
    assert len([urn for urn in before.keys() | after.keys() if before.get(urn) != after.get(urn)]) == 1


@pytest.mark.parametrize(
    "mutation", [each for each in RELATION_MUTATIONS if each.first is not unchanged], ids=str
)
def test_what_is_done_before_the_change_raises_nothing_else(
    stacks: list[Golden], mutation: RelationMutation
) -> None:
    (golden,) = (stack for stack in stacks if stack.name == mutation.stack)
    assert newly_violated(golden, mutation.first(golden)) - advised().keys() == mutation.accepted


def _by_the_engine() -> list[Mutation]:
    first = {mutation.case.rule: mutation for mutation in reversed(MUTATIONS)}
    return [first[name] for name in sorted(first)][::ENGINE_EVERY]


@pytest.mark.parametrize("mutation", _by_the_engine(), ids=str)
def test_the_engine_finds_it_in_an_exported_state(
    prod: Project, stacks: list[Golden], tmp_path: Path, mutation: Mutation
) -> None:
    state = tmp_path / "state.json"
    before, after = mutation.pair(stacks, ALONE)
    state.write_text(json.dumps(after.content))
    done = analyzed(prod, state)
    assert done["code"] != 0
    text = " ".join(done["text"].split())
    found = {name for name in BY_NAME if f"] {name} (" in text}
    assert found == violated(before) | mutation.raised(stacks, ALONE)


def analyzed(project: Project, state: Path, levels: str = "") -> Mapping[str, Any]:
    """Let the CLI judge an exported state; without levels every rule counts as mandatory."""
    pack = project.folder / "policies" / "security"
    words = ["pulumi", "policy", "analyze", "--file", str(state), "--policy-pack", str(pack)]
    if levels:
        words += ["--policy-pack-config", str(pack / levels)]
    done = project.run(*words, check=False)
    return {"code": done.returncode, "text": done.stdout}


def test_the_engine_finds_nothing_mandatory_in_the_stack_as_it_is(
    prod: Project, made: list[Golden], tmp_path: Path
) -> None:
    state = tmp_path / "state.json"
    state.write_text(json.dumps(made[0].with_rows(made[0].rows).content))
    done = analyzed(prod, state, "config.prod.json")
    assert (done["code"], "[mandatory]" in done["text"]) == (0, False)
