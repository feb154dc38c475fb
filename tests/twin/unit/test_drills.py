"""The tables of the drills against the code that they break: a drill takes long, and would find it out late."""

from __future__ import annotations

from collections import Counter

import pytest

from components.wiring import PLAIN, SECRETS
from sandbox.twin.image import FOLDER
from tests.twin import checks
from tests.twin.drills.mutations import BASELINE, MUTATIONS, Mutation, Outcome

OF_OTHERS = {
    "AIRFLOW__CELERY__RESULT_BACKEND",
    "PLATFORM_METASTORE_CA_BUNDLE",
    "PLATFORM_TASK_MEMORY_MIB",
    "SSL_CERT_FILE",
}
"""Variables that the wiring does not have: nobody may set it, the image's, the pool's, the twin's."""


def ids(mutation: Mutation) -> str:
    return mutation.name


@pytest.mark.parametrize("mutation", [each for each in MUTATIONS if each.runtime], ids=ids)
def test_what_a_mutation_replaces_is_there_once(mutation: Mutation) -> None:
    assert mutation.runtime is not None
    module, old, new = mutation.runtime

    text = (FOLDER / "platform_runtime" / f"{module}.py").read_text()

    assert (text.count(old), new in text) == (1, False)


def test_the_variables_of_the_mutations_are_those_of_the_wiring() -> None:
    wired = {row.name for row in PLAIN} | {row.name for row in SECRETS} | OF_OTHERS

    assert {name for each in MUTATIONS for name in each.variables} <= wired


def test_there_are_enough_mutations_and_no_two_have_one_name() -> None:
    names = Counter(each.name for each in MUTATIONS)

    assert (len(names) >= 20, names.most_common(1)[0][1]) == (True, 1)


def test_every_check_is_green_before_something_is_broken() -> None:
    assert {each.red for each in MUTATIONS if each.red} < set(BASELINE)


def test_every_mutation_breaks_something() -> None:
    assert [each.name for each in MUTATIONS if not (each.variables or each.runtime)] == []


@pytest.mark.parametrize(
    ("red", "good"), [("a task runs", True), (None, False), ("flower wants its login", False)]
)
def test_an_outcome_is_good_when_the_right_check_turned_red(red: str | None, good: bool) -> None:
    mutation = Mutation(name="n", role="worker", symptom="s", red=checks.a_task_runs)

    assert Outcome(mutation=mutation, red=red, seen="", seconds=1).good is good


def test_the_last_line_with_an_error_tells_most() -> None:
    assert checks.telling("begun\nConnectError: refused\nclosing\n\n") == "ConnectError: refused"


def test_without_an_error_the_last_line_tells_most() -> None:
    assert checks.telling("begun\nended\n\n") == "ended"
